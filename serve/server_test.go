package serve_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/serve"
)

// running is a server under test.
type running struct {
	*serve.Server
	addr   string
	stop   context.CancelFunc
	result chan error
	log    *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run starts a server on loopback and stops it at the end of the test.
func run(t *testing.T, cfg serve.Config, handler http.HandlerFunc, now func() time.Time) *running {
	t.Helper()
	r := &running{result: make(chan error, 1), log: new(syncBuffer)}
	cfg.Addr = "127.0.0.1:0"
	if cfg.DataDir == "" && cfg.TLSCert == "" && !cfg.PlainHTTP {
		cfg.DataDir = t.TempDir()
	}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	listening := make(chan net.Addr, 1)
	cfg.Ready = func(addr net.Addr) { listening <- addr }
	server, err := serve.NewAt(cfg, handler, now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.Server, r.stop = server, stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.result <- server.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	select {
	case addr := <-listening:
		r.addr = addr.String()
	case err := <-r.result:
		t.Fatalf("Run() = %v", err)
	}
	return r
}

// roots is the pool of the development authority.
func (r *running) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(r.DevelopmentCA())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("DevelopmentCA() holds no certificate")
	}
	return pool
}

// client returns a client that trusts the development authority.
func (r *running) client(t *testing.T, h2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.roots(t)}, ForceAttemptHTTP2: h2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func ok(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "ok "+r.Proto)
}

// get returns the answer, its body read and closed.
func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

const hsts = "max-age=63072000; includeSubDomains"

func TestTheZeroConfigurationServesHTTPSOverBothVersions(t *testing.T) {
	server := run(t, serve.Config{}, ok, time.Now)
	for _, tt := range []struct {
		h2   bool
		want string
	}{{true, "ok HTTP/2.0"}, {false, "ok HTTP/1.1"}} {
		for _, host := range []string{server.addr, strings.Replace(server.addr, "127.0.0.1", "localhost", 1)} {
			response, body := get(t, server.client(t, tt.h2), "https://"+host+"/")
			if response.StatusCode != http.StatusOK || body != tt.want {
				t.Errorf("%s: %d %q, want 200 %q", host, response.StatusCode, body, tt.want)
			}
			if got := response.Header.Get("Strict-Transport-Security"); got != hsts {
				t.Errorf("%s: HSTS %q, want %q", tt.want, got, hsts)
			}
			if response.TLS.Version != tls.VersionTLS13 {
				t.Errorf("TLS version %x, want 1.3", response.TLS.Version)
			}
		}
	}
	if got := server.Addr().String(); got != server.addr {
		t.Errorf("Addr() = %s, want %s", got, server.addr)
	}
}

func TestConfigNamesAllMistakesAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  serve.Config
		want []string
	}{
		{"nothing is right", serve.Config{
			Addr: "nowhere", TLSCert: "c.pem", PlainHTTP: true, ReadHeaderTimeout: -1, ReadTimeout: -1, WriteTimeout: -1,
			IdleTimeout: -1, GracePeriod: -1, DrainDelay: -1, MaxConns: -1,
		}, []string{"Addr", "TLSKey", "PlainHTTP", "plain HTTP is to be served", "ReadHeaderTimeout", "ReadTimeout", "WriteTimeout", "IdleTimeout", "GracePeriod", "DrainDelay", "MaxConns", "HeadTimeout", "handler"}},
		{"plain HTTP off loopback", serve.Config{Addr: "0.0.0.0:0", PlainHTTP: true}, []string{"InsecurePlainHTTP"}},
		{"plain HTTP on every address", serve.Config{Addr: ":0", PlainHTTP: true}, []string{"InsecurePlainHTTP"}},
		{"plain HTTP on a name", serve.Config{Addr: "localhost.example:0", PlainHTTP: true}, []string{"InsecurePlainHTTP"}},
		{"a development certificate off loopback", serve.Config{Addr: "[::]:0", DataDir: "never"}, []string{"InsecureDevelopmentCertificate"}},
		{"a development certificate without a folder", serve.Config{}, []string{"DataDir"}},
		{"a port with a name", serve.Config{Addr: "127.0.0.1:https", PlainHTTP: true}, []string{"port"}},
		{"a delay beyond the grace period", serve.Config{PlainHTTP: true, DrainDelay: time.Minute}, []string{"DrainDelay"}},
		{"client certificates over plain HTTP", serve.Config{PlainHTTP: true, ClientCAs: []string{"ca.pem", ""}}, []string{"ClientCAs is set", "empty name"}},
		{"client certificates of nobody", serve.Config{DataDir: "never", RequireClientCertificate: true}, []string{"RequireClientCertificate"}},
		{"files that are not there, and more", serve.Config{TLSCert: "no.pem", TLSKey: "no.key", MaxConns: -1}, []string{"TLSCert and TLSKey", "MaxConns"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve.New(tt.cfg, nil)
			if err == nil {
				t.Fatal("New() = nil, want an error")
			}
			for _, want := range append(tt.want, "handler is nil") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New() = %q, want it to name %s", err, want)
				}
			}
		})
	}
	if _, err := os.Stat("never"); err == nil {
		t.Error("a refused configuration left a folder behind")
	}
}

func TestWeakTLSIsRefused(t *testing.T) {
	server := run(t, serve.Config{}, ok, time.Now)
	for _, tt := range []struct {
		name string
		cfg  *tls.Config
		ok   bool
	}{
		{"TLS 1.3 is served", &tls.Config{MinVersion: tls.VersionTLS13}, true},
		{"TLS 1.2 with AEAD is served", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"TLS 1.2 with CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}}, false},
		{"an unknown application protocol", &tls.Config{NextProtos: []string{"smtp"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.RootCAs = server.roots(t)
			c, err := tls.Dial("tcp", server.addr, tt.cfg)
			if err == nil {
				_ = c.Close()
			}
			if (err == nil) != tt.ok {
				t.Errorf("Dial() = %v, want success %t", err, tt.ok)
			}
		})
	}
}

func TestPlainHTTPOnTheTLSPortIsExplained(t *testing.T) {
	server := run(t, serve.Config{}, ok, time.Now)
	response, body := get(t, http.DefaultClient, "http://"+server.addr+"/")
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "HTTPS server") {
		t.Errorf("%d %q, want 400 and an explanation", response.StatusCode, body)
	}
	if got := response.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("HSTS %q over plain HTTP, want none", got)
	}
}

func TestPlainHTTPIsServedOnLoopbackWithoutHSTS(t *testing.T) {
	server := run(t, serve.Config{PlainHTTP: true}, ok, time.Now)
	response, body := get(t, http.DefaultClient, "http://"+server.addr+"/")
	if body != "ok HTTP/1.1" || response.Header.Get("Strict-Transport-Security") != "" || response.Header.Get("Server") != "" {
		t.Errorf("%q with %v, want ok without HSTS and Server", body, response.Header)
	}
	if server.DevelopmentCA() != "" {
		t.Error("DevelopmentCA() names a file, want none for plain HTTP")
	}
}

func TestSmuggledRequestsAreRefusedOverTLS(t *testing.T) {
	reached := false
	server := run(t, serve.Config{}, func(http.ResponseWriter, *http.Request) { reached = true }, time.Now)
	c, err := tls.Dial("tcp", server.addr, &tls.Config{RootCAs: server.roots(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HTTP/1.1 400 ", "application/problem+json", "Strict-Transport-Security: " + hsts, "Connection: close"} {
		if !strings.Contains(string(all), want) {
			t.Errorf("answer %q, want %q in it", all, want)
		}
	}
	if strings.Count(string(all), "HTTP/1.1") != 1 || reached {
		t.Errorf("answer %q, want exactly one and the handler not reached", all)
	}
}

func TestTheLimitsHoldForHTTP2(t *testing.T) {
	server := run(t, serve.Config{}, ok, time.Now)
	client := server.client(t, true)
	for _, tt := range []struct {
		name   string
		method string
		path   string
		fields http.Header
		want   int
	}{
		{"a plain request", "GET", "/", nil, 200},
		{"TRACE", "TRACE", "/", nil, 405},
		{"a target beyond 8 KiB", "GET", "/" + strings.Repeat("t", 8<<10), nil, 414},
		{"two Authorization", "GET", "/", http.Header{"Authorization": {"a", "b"}}, 400},
		{"cookies beyond 16 KiB", "GET", "/", http.Header{"Cookie": {strings.Repeat("c", 17<<10)}}, 431},
		{"a header beyond 32 KiB", "GET", "/", http.Header{"X": {strings.Repeat("x", 33<<10)}}, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequest(tt.method, "https://"+server.addr+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.fields != nil {
				request.Header = tt.fields
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != tt.want || response.ProtoMajor != 2 {
				t.Errorf("%s %d, want HTTP/2.0 %d", response.Proto, response.StatusCode, tt.want)
			}
		})
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	server := run(t, serve.Config{ReadHeaderTimeout: 100 * time.Millisecond}, ok, time.Now)
	for _, tt := range []struct {
		name string
		dial func() (net.Conn, error)
		send string
	}{
		{"a client that never begins the handshake", func() (net.Conn, error) { return net.Dial("tcp", server.addr) }, ""},
		{"a client that stops within the handshake", func() (net.Conn, error) { return net.Dial("tcp", server.addr) }, "\x16\x03\x01"},
		{"a client that stops within a head", func() (net.Conn, error) {
			return tls.Dial("tcp", server.addr, &tls.Config{RootCAs: server.roots(t)})
		}, "GET / HTTP/1.1\r\nHost: a\r\nX: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, _ = io.WriteString(c, tt.send)
			_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
			if all, err := io.ReadAll(c); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("still open after 3s (got %q)", all)
			}
		})
	}
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	server := run(t, serve.Config{MaxConns: 1}, ok, time.Now)
	cfg := &tls.Config{RootCAs: server.roots(t)}
	first, err := tls.Dial("tcp", server.addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	impatient := &net.Dialer{Timeout: 100 * time.Millisecond}
	if c, err := tls.DialWithDialer(impatient, "tcp", server.addr, cfg); err == nil {
		_ = c.Close()
		t.Error("a second connection was served beside the first")
	}
	_ = first.Close()
	second, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", server.addr, cfg)
	if err != nil {
		t.Fatalf("after the first connection ended: %v", err)
	}
	_ = second.Close()
}

func TestAPanicEndsOneRequestOnly(t *testing.T) {
	server := run(t, serve.Config{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("a bug")
		}
		ok(w, r)
	}, time.Now)
	for _, h2 := range []bool{false, true} {
		client := server.client(t, h2)
		if response, err := client.Get("https://" + server.addr + "/panic"); err == nil {
			_ = response.Body.Close()
			t.Errorf("h2 %t: answer %d to a panic, want none", h2, response.StatusCode)
		}
		if response, _ := get(t, client, "https://"+server.addr+"/"); response.StatusCode != http.StatusOK {
			t.Errorf("h2 %t: status %d after a panic, want 200", h2, response.StatusCode)
		}
		client.CloseIdleConnections()
	}
	server.stop()
	<-server.result
	if log := server.log.String(); strings.Count(log, "level=ERROR") != 2 {
		t.Errorf("log %q, want both panics at level ERROR", log)
	}
}
