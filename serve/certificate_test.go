package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/serve"
)

// clock is a clock for tests. It begins at the true time, which clients go by.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// writePair writes a certificate of its own for 127.0.0.1 and returns it.
func writePair(t *testing.T, dir string, serial int64, lasts time.Duration) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     time.Now().Add(lasts),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serial returns the serial number of the certificate that a new client gets.
func serial(t *testing.T, addr string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // Its serial number is all that matters.
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestARenewedCertificateIsServedWithoutLosingARequest(t *testing.T) {
	dir, clock := t.TempDir(), new(clock)
	leaf := writePair(t, dir, 1, time.Hour)
	cfg := serve.Config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	under, release := make(chan struct{}), make(chan struct{})
	server := run(t, cfg, func(w http.ResponseWriter, r *http.Request) {
		close(under)
		<-release
		ok(w, r)
	}, clock.now)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	before := make(chan string, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		defer client.CloseIdleConnections()
		response, err := client.Get("https://" + server.addr + "/")
		if err != nil {
			before <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		before <- string(body)
	}()
	<-under

	writePair(t, dir, 2, time.Hour)
	if got := serial(t, server.addr); got != 1 {
		t.Errorf("serial %d before the files are looked at again, want 1", got)
	}
	clock.advance(2 * time.Second)
	if got := serial(t, server.addr); got != 2 {
		t.Errorf("serial %d after the renewal, want 2", got)
	}
	close(release)
	if got := <-before; got != "ok HTTP/1.1" {
		t.Errorf("the request across the renewal got %q", got)
	}
}

func TestABadNewCertificateKeepsTheOldOne(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
	}{
		{"the file is no certificate", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "cert.pem"), []byte("half a fi")) }},
		{"the file is gone", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "key.pem")); err != nil {
				t.Fatal(err)
			}
		}},
		{"the key belongs to another certificate", func(t *testing.T, dir string) {
			key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
			if err != nil {
				t.Fatal(err)
			}
			writePair(t, dir, 7, time.Hour)
			write(t, filepath.Join(dir, "key.pem"), key)
		}},
		{"the certificate has expired", func(t *testing.T, dir string) { writePair(t, dir, 7, -time.Hour) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, clock := t.TempDir(), new(clock)
			writePair(t, dir, 1, time.Hour)
			server := run(t, serve.Config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}, ok, clock.now)
			tt.spoil(t, dir)
			for range 2 {
				clock.advance(2 * time.Second)
				if got := serial(t, server.addr); got != 1 {
					t.Errorf("serial %d, want the old certificate's 1", got)
				}
			}
			if got := strings.Count(server.log.String(), "the new certificate is not used"); got != 1 {
				t.Errorf("%d log lines, want 1 for one change", got)
			}
			writePair(t, dir, 2, time.Hour)
			clock.advance(2 * time.Second)
			if got := serial(t, server.addr); got != 2 {
				t.Errorf("serial %d after the repair, want 2", got)
			}
		})
	}
}

func TestAnExpiredCertificateDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, 1, -time.Hour)
	_, err := serve.New(serve.Config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}, http.NotFoundHandler())
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("New() = %v, want it to say that the certificate has expired", err)
	}
}

func devCert(t *testing.T, dir, file string) (*x509.Certificate, []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "dev-ca", file))
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s is not PEM", file)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, rest
}

func newDev(t *testing.T, dir string, now func() time.Time) error {
	t.Helper()
	_, err := serve.NewAt(serve.Config{DataDir: dir}, http.NotFoundHandler(), now)
	return err
}

func TestTheDevelopmentCertificateLastsAcrossRestarts(t *testing.T) {
	dir, clock := t.TempDir(), new(clock)
	if err := newDev(t, dir, clock.now); err != nil {
		t.Fatal(err)
	}
	authority, _ := devCert(t, dir, "ca.pem")
	leaf, _ := devCert(t, dir, "localhost.pem")
	if lasts := leaf.NotAfter.Sub(leaf.NotBefore); lasts > 90*24*time.Hour {
		t.Errorf("the certificate lasts %v, want at most 90 days", lasts)
	}
	for _, tt := range []struct {
		name    string
		advance time.Duration
		same    bool
	}{
		{"on the same day", time.Hour, true},
		{"after a month", 30 * 24 * time.Hour, true},
		{"less than a month before its end", 31 * 24 * time.Hour, false},
	} {
		clock.advance(tt.advance)
		if err := newDev(t, dir, clock.now); err != nil {
			t.Fatal(err)
		}
		newAuthority, _ := devCert(t, dir, "ca.pem")
		newLeaf, _ := devCert(t, dir, "localhost.pem")
		if !newAuthority.Equal(authority) {
			t.Errorf("%s the authority is another", tt.name)
		}
		if got := newLeaf.Equal(leaf); got != tt.same {
			t.Errorf("%s the certificate is the same: %t, want %t", tt.name, got, tt.same)
		}
	}
}

func TestTheDevelopmentCertificateIsRenewedWhileServing(t *testing.T) {
	dir, clock := t.TempDir(), new(clock)
	server := run(t, serve.Config{DataDir: dir}, ok, clock.now)
	before := serial(t, server.addr)
	clock.advance(70 * 24 * time.Hour)
	if after := serial(t, server.addr); after == before {
		t.Error("the certificate is the same 20 days before its end")
	}
}

func TestTheDevelopmentAuthorityVouchesForLocalhostOnly(t *testing.T) {
	dir := t.TempDir()
	if err := newDev(t, dir, time.Now); err != nil {
		t.Fatal(err)
	}
	authority, rest := devCert(t, dir, "ca-key.pem")
	block, _ := pem.Decode(rest)
	signer, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		dns  []string
		ip   []net.IP
		usag x509.ExtKeyUsage
		ok   bool
	}{
		{"localhost", []string{"localhost"}, nil, x509.ExtKeyUsageServerAuth, true},
		{"the loopback addresses", nil, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, x509.ExtKeyUsageServerAuth, true},
		{"another name", []string{"bank.example"}, nil, x509.ExtKeyUsageServerAuth, false},
		{"localhost and another name", []string{"localhost", "bank.example"}, nil, x509.ExtKeyUsageServerAuth, false},
		{"another address", nil, []net.IP{net.IPv4(192, 0, 2, 1)}, x509.ExtKeyUsageServerAuth, false},
		{"a client", []string{"localhost"}, nil, x509.ExtKeyUsageClientAuth, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
				SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
				DNSNames: tt.dns, IPAddresses: tt.ip, ExtKeyUsage: []x509.ExtKeyUsage{tt.usag},
			}, authority, &key.PublicKey, signer)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{tt.usag}})
			if (err == nil) != tt.ok {
				t.Errorf("Verify() = %v, want success %t", err, tt.ok)
			}
		})
	}
}

func TestTheDevelopmentKeysAreTheOwnersOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file modes on Windows")
	}
	dir := t.TempDir()
	if err := newDev(t, dir, time.Now); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"ca-key.pem", "localhost.pem"} {
		name := filepath.Join(dir, "dev-ca", file)
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", file, got)
		}
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := newDev(t, dir, time.Now); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("New() with a readable %s = %v, want an error that names it", file, err)
		}
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "dev-ca", "ca.pem")); err != nil || strings.Contains(string(text), "PRIVATE") {
		t.Errorf("ca.pem: %v, want a file without a key", err)
	}
}

func TestManyThatStartAtOnceShareOneAuthority(t *testing.T) {
	dir := t.TempDir()
	type started struct {
		server *serve.Server
		addr   chan net.Addr
		err    error
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	servers := make([]started, 8)
	for i := range servers {
		all.Go(func() {
			<-start
			addr := make(chan net.Addr, 1)
			server, err := serve.New(serve.Config{Addr: "127.0.0.1:0", DataDir: dir, Ready: func(a net.Addr) { addr <- a }}, http.NotFoundHandler())
			servers[i] = started{server, addr, err}
		})
	}
	close(start)
	all.Wait()
	authority, _ := devCert(t, dir, "ca.pem")
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	ctx, stop := context.WithCancel(context.Background())
	for _, s := range servers {
		if s.err != nil {
			t.Error(s.err)
			continue
		}
		all.Go(func() { _ = s.server.Run(ctx) })
		c, err := tls.Dial("tcp", (<-s.addr).String(), &tls.Config{RootCAs: pool})
		if err != nil {
			t.Errorf("with the authority in the file: %v", err)
			continue
		}
		_ = c.Close()
	}
	stop()
	all.Wait()
	entries, err := os.ReadDir(filepath.Join(dir, "dev-ca"))
	if err != nil || len(entries) != 3 {
		t.Errorf("files %v, %v, want three", entries, err)
	}
}

func TestAServerRunsOnce(t *testing.T) {
	cfg := serve.Config{Addr: "127.0.0.1:0", PlainHTTP: true}
	server, err := serve.New(cfg, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.Run(ctx); err != nil {
		t.Errorf("Run() with a context that is done = %v, want nil", err)
	}
	if err := server.Run(ctx); err == nil {
		t.Error("a second Run() = nil, want an error")
	}
}
