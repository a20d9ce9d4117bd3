package serve_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/serve"
)

// authority signs client certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, lasts time.Duration) *authority {
	t.Helper()
	a := new(authority)
	pair := a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(lasts),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	a.cert, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// sign signs a certificate, or lets it sign itself if the authority is new.
func (a *authority) sign(t *testing.T, template *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-48*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// client returns a certificate for a client that is valid for a time.
func (a *authority) client(t *testing.T, lasts time.Duration, usage x509.ExtKeyUsage) *tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "billing"}, NotAfter: time.Now().Add(lasts),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	})
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// who answers with the name in the verified certificate, as package auth reads it.
func who(w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		name = r.TLS.PeerCertificates[0].Subject.CommonName
	} else if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		name = "somebody who was not verified"
	}
	_, _ = io.WriteString(w, name+" "+r.Proto)
}

// ask makes a request over a new connection. cert may be nil.
func ask(server *running, cfg *tls.Config, cert *tls.Certificate, h2 bool) (body string, resumed bool, err error) {
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if cert == nil {
			return new(tls.Certificate), nil
		}
		return cert, nil // Also if the server did not name its authority.
	}
	transport := &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: h2}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + server.addr + "/")
	if err != nil {
		return "", false, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), response.TLS.DidResume, err
}

func TestClientCertificates(t *testing.T) {
	trusted, other := newAuthority(t, time.Hour), newAuthority(t, time.Hour)
	file := filepath.Join(t.TempDir(), "clients.pem")
	write(t, file, trusted.pem())
	self := new(authority).client(t, time.Hour, x509.ExtKeyUsageClientAuth)
	good := trusted.client(t, time.Hour, x509.ExtKeyUsageClientAuth)
	stolen := &tls.Certificate{Certificate: good.Certificate, PrivateKey: self.PrivateKey}
	for _, require := range []bool{false, true} {
		server := run(t, serve.Config{ClientCAs: []string{file}, RequireClientCertificate: require}, who, time.Now)
		for _, tt := range []struct {
			name string
			cert *tls.Certificate
			want string // "" for a connection that is refused
		}{
			{"no certificate", nil, map[bool]string{false: "nobody"}[require]},
			{"a good one", good, "billing"},
			{"one of another authority", other.client(t, time.Hour, x509.ExtKeyUsageClientAuth), ""},
			{"one that has expired", trusted.client(t, -time.Hour, x509.ExtKeyUsageClientAuth), ""},
			{"one for servers", trusted.client(t, time.Hour, x509.ExtKeyUsageServerAuth), ""},
			{"one that signed itself", self, ""},
			{"somebody else's, without the key", stolen, ""},
		} {
			for _, h2 := range []bool{true, false} {
				for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
					name := fmt.Sprintf("%s, required %t, %s, HTTP/2 %t", tt.name, require, tls.VersionName(version), h2)
					body, _, err := ask(server, &tls.Config{RootCAs: server.roots(t), MaxVersion: version}, tt.cert, h2)
					switch {
					case tt.want == "" && err == nil:
						t.Errorf("%s: answered %q, want no connection", name, body)
					case tt.want != "" && (err != nil || !strings.HasPrefix(body, tt.want+" ")):
						t.Errorf("%s: %q, %v, want %s", name, body, err, tt.want)
					case err == nil && h2 != strings.HasSuffix(body, "2.0"):
						t.Errorf("%s: %q", name, body)
					}
				}
			}
		}
	}
}

// What was true when a session began need not be true when it is resumed.
func TestResumptionDoesNotSkipTheVerification(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, tt := range []struct {
			name   string
			change func(t *testing.T, file string, clock *clock)
			want   string
		}{
			{"nothing changed", func(*testing.T, string, *clock) {}, "billing HTTP/1.1"},
			{"the certificate has expired", func(_ *testing.T, _ string, clock *clock) { clock.advance(2 * time.Hour) }, ""},
			{"the authority is trusted no longer", func(t *testing.T, file string, clock *clock) {
				write(t, file, newAuthority(t, time.Hour).pem())
				clock.advance(2 * time.Second)
			}, ""},
		} {
			t.Run(tt.name+" "+tls.VersionName(version), func(t *testing.T) {
				clock, trusted := new(clock), newAuthority(t, 24*time.Hour)
				file := filepath.Join(t.TempDir(), "clients.pem")
				write(t, file, trusted.pem())
				server := run(t, serve.Config{ClientCAs: []string{file}}, who, clock.now)
				cert := trusted.client(t, time.Hour, x509.ExtKeyUsageClientAuth)
				cfg := &tls.Config{RootCAs: server.roots(t), MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
				for i, resumed := range []bool{false, true} {
					body, got, err := ask(server, cfg, cert, false)
					if err != nil || body != "billing HTTP/1.1" || got != resumed {
						t.Fatalf("connection %d: %q, resumed %t, %v, want billing, resumed %t", i+1, body, got, err, resumed)
					}
				}
				tt.change(t, file, clock)
				body, resumed, err := ask(server, cfg, cert, false)
				if body != tt.want || (err == nil) != (tt.want != "") {
					t.Errorf("afterwards: %q, resumed %t, %v, want %q", body, resumed, err, tt.want)
				}
				// Without the certificate the same session is nobody's.
				if body, _, err := ask(server, cfg, nil, false); tt.want == "" && (err != nil || body != "nobody HTTP/1.1") {
					t.Errorf("afterwards without a certificate: %q, %v, want nobody", body, err)
				}
			})
		}
	}
}

func TestAuthoritiesAreReadAgain(t *testing.T) {
	clock, first, second := new(clock), newAuthority(t, time.Hour), newAuthority(t, time.Hour)
	file := filepath.Join(t.TempDir(), "clients.pem")
	write(t, file, first.pem())
	server := run(t, serve.Config{ClientCAs: []string{file}}, who, clock.now)
	taken := func(a *authority) bool {
		_, _, err := ask(server, &tls.Config{RootCAs: server.roots(t)}, a.client(t, time.Hour, x509.ExtKeyUsageClientAuth), true)
		return err == nil
	}
	for _, step := range []struct {
		name          string
		file          []byte
		first, second bool
	}{
		{"one authority", first.pem(), true, false},
		{"two authorities", slices.Concat(first.pem(), second.pem()), true, true},
		{"half a file", first.pem()[:100], true, true},
		{"another authority", second.pem(), false, true},
	} {
		write(t, file, step.file)
		clock.advance(2 * time.Second)
		if got := [2]bool{taken(first), taken(second)}; got != [2]bool{step.first, step.second} {
			t.Errorf("%s: taken %v, want %t and %t", step.name, got, step.first, step.second)
		}
	}
	if got := strings.Count(server.log.String(), "the new list of client authorities is not used"); got != 1 {
		t.Errorf("%d log lines about the half file, want 1", got)
	}
}

func TestWhatIsNoListOfAuthoritiesDoesNotStart(t *testing.T) {
	a := newAuthority(t, time.Hour)
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.client(t, time.Hour, x509.ExtKeyUsageClientAuth).Certificate[0]})
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(a.pem(), []byte("MII"), []byte("AAA"), 1)
	for _, tt := range []struct {
		name string
		text []byte
		want string
	}{
		{"an empty file", nil, "not a list"},
		{"another kind of file", []byte("hello"), "not a list"},
		{"a certificate of no authority", leaf, "not that of an authority"},
		{"an authority with its key", append(a.pem(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), "no keys"},
		{"a list whose end is missing", append(a.pem(), a.pem()[:200]...), "not a whole one"},
		{"a certificate that cannot be read", broken, "certificate 1"},
		{"an authority that has expired", newAuthority(t, -time.Hour).pem(), "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "clients.pem")
			write(t, file, tt.text)
			_, err := serve.New(serve.Config{DataDir: dir, ClientCAs: []string{file}}, http.NotFoundHandler())
			if err == nil || !strings.Contains(err.Error(), "ClientCAs") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New() = %v, want it to say ClientCAs and %q", err, tt.want)
			}
		})
	}
	_, err = serve.New(serve.Config{DataDir: t.TempDir(), ClientCAs: []string{"no.pem"}}, http.NotFoundHandler())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("New() without the file = %v", err)
	}
}

func FuzzParseAuthorities(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMII"))
	f.Fuzz(func(t *testing.T, text []byte) {
		authorities, err := serve.ParseAuthorities(text)
		if (err == nil) != (len(authorities) > 0) {
			t.Fatalf("%q: %d authorities, %v", text, len(authorities), err)
		}
		for _, a := range authorities {
			if !a.IsCA {
				t.Fatalf("%q: one that is no authority", text)
			}
		}
	})
}
