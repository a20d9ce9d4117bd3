package fastness_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/clientip"
)

// plainAddr is the address of the program's listener for plain HTTP.
func (s *served) plainAddr(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(s.text()) {
		var record struct {
			HTTP string `json:"http_addr"`
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.HTTP != "" {
			return record.HTTP
		}
	}
	t.Fatalf("the log names no address for HTTP:\n%s", s.text())
	return ""
}

// exchangePlain sends one request as it is and returns the answer.
func exchangePlain(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprint(conn, request)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestPlainHTTPBesideHTTPSLeadsPeopleAndRefusesPrograms(t *testing.T) {
	t.Parallel()
	s := serveLine(t, lineApp(fastness.Config{Proxies: clientip.Config{Trust: []string{"127.0.0.1"}}}), "--http-addr", "127.0.0.1:0")
	addr := s.plainAddr(t)
	_, port, _ := net.SplitHostPort(s.addr)
	for _, tt := range []struct {
		name, request string
		status        int
		location      string
	}{
		{"a page", "GET /lines/7?x=1 HTTP/1.1\r\nHost: localhost:80\r\nAccept: text/html\r\n\r\n", 308, "https://localhost:" + port + "/lines/7?x=1"},
		{"an address", "GET / HTTP/1.1\r\nHost: [::1]\r\nAccept: text/html\r\n\r\n", 308, "https://[::1]:" + port + "/"},
		{"a proxy that says it was TLS", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\nAccept: text/html\r\n\r\n", 308, "https://localhost:" + port + "/"},
		{"a program", "GET /lines/7 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", 403, ""},
		{"the probe of a load balancer", "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, ""},
		{"a token", "GET /lines/7 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAccept: text/html\r\n\r\n", 403, ""},
		{"POST", "POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 403, ""},
		{"another host", "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n", 421, ""},
		{"a host and what is no port", "GET / HTTP/1.1\r\nHost: localhost:x\r\nAccept: text/html\r\n\r\n", 400, ""},
		{"a host and a port that there is not", "GET / HTTP/1.1\r\nHost: localhost:0\r\nAccept: text/html\r\n\r\n", 400, ""},
		{"a smuggled request", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, ""},
	} {
		res, body := exchangePlain(t, addr, tt.request)
		if res.StatusCode != tt.status || res.Header.Get("Location") != tt.location || !res.Close || strings.Contains(body, `"line"`) {
			t.Errorf("%s: status %d, header %v, body %s", tt.name, res.StatusCode, res.Header, body)
		}
		if res.Header.Get("Strict-Transport-Security") != "" || res.Header.Get("Content-Security-Policy") == "" || res.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: header %v", tt.name, res.Header)
		}
		if res.StatusCode >= 400 && !strings.Contains(body, `"instance":"urn:request:`+res.Header.Get("X-Request-Id")) {
			t.Errorf("%s: the problem does not name the request: %s", tt.name, body)
		}
	}
	s.stop()
	if exit := <-s.exit; exit != 0 {
		t.Errorf("exit status %d", exit)
	}
	for _, part := range []string{`"scheme":"http","method":"GET","route":"","path":"/lines/7","status":308`, `"status":403`, `"status":421`, `"client":"192.0.2.7"`} {
		if !strings.Contains(s.text(), part) {
			t.Errorf("no %s in the log:\n%s", part, s.text())
		}
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("the listener for HTTP is open after the stop")
	}
}

// certificate returns the file of a certificate for localhost, and its key.
func certificate(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	app := lineApp(fastness.Config{})
	ctx, stop := context.WithCancel(t.Context())
	app.OnStart(func(context.Context) error { stop(); return nil })
	if exit := app.Run(ctx, []string{"lines", "--addr", "127.0.0.1:0", "--data", dir}, io.Discard, io.Discard); exit != 0 {
		t.Fatalf("exit status %d", exit)
	}
	file := filepath.Join(dir, "dev-ca", "localhost.pem")
	if _, err := tls.LoadX509KeyPair(file, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPlainHTTPLeadsToThePublicURL(t *testing.T) {
	t.Parallel()
	cert := certificate(t)
	for _, tt := range []struct {
		public string
		hosts  []string
		host   string
		status int
		want   string
	}{
		{"https://api.example.com", nil, "api.example.com", 308, "https://api.example.com/a"},
		{"https://api.example.com", nil, "evil.example", 421, ""},
		{"https://api.example.com:8443", nil, "api.example.com", 308, "https://api.example.com:8443/a"},
		{"https://api.example.com:8443", []string{"api.example.com:8443"}, "api.example.com:8080", 308, "https://api.example.com:8443/a"},
		{"https://api.example.com:8443", []string{"api.example.com:9443"}, "api.example.com", 421, ""},
	} {
		s := serveLine(t, lineApp(fastness.Config{Hosts: tt.hosts}), "--http-addr", "127.0.0.1:0", "--public-url", tt.public, "--tls-cert", cert, "--tls-key", cert, "--drain-delay", "0s")
		res, body := exchangePlain(t, s.plainAddr(t), "GET /a HTTP/1.1\r\nHost: "+tt.host+"\r\nAccept: text/html\r\n\r\n")
		if res.StatusCode != tt.status || res.Header.Get("Location") != tt.want {
			t.Errorf("%s, %s: status %d, header %v, body %s", tt.public, tt.host, res.StatusCode, res.Header, body)
		}
	}
}

func TestWhatKeepsPlainHTTPFromStarting(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, tt := range []struct {
		name string
		cfg  fastness.Config
		args []string
		want []string
	}{
		{"a port that is taken", fastness.Config{}, []string{"--http-addr", taken.Addr().String()}, []string{"--http-addr: listen", "in use", "choose another port with --http-addr"}},
		{"the port of HTTPS", fastness.Config{}, []string{"--addr", "127.0.0.1:8443", "--http-addr", "127.0.0.1:8443"}, []string{"--http-addr is that of the HTTPS listener"}},
		{"an address that is none", fastness.Config{}, []string{"--http-addr", "80"}, []string{"--http-addr is not an address"}},
		{"open to the network", fastness.Config{}, []string{"--http-addr", ":0"}, []string{"--http-addr is not loopback", "--insecure-development-certificate"}},
		{"no HTTPS", fastness.Config{}, []string{"--http-addr", "127.0.0.1:0", "--insecure-plain-http", "test"}, []string{"no HTTPS to redirect to"}},
		{"any host, and no name of its own", fastness.Config{InsecureAnyHost: "test"}, []string{"--http-addr", "127.0.0.1:0"}, []string{"want --public-url"}},
	} {
		exit, _, stderr := runLine(t, lineApp(tt.cfg), append([]string{"--addr", "127.0.0.1:0", "--data", t.TempDir()}, tt.args...)...)
		for _, part := range tt.want {
			if exit != 1 || !strings.Contains(stderr, part) {
				t.Errorf("%s: exit status %d, stderr does not say %q:\n%s", tt.name, exit, part, stderr)
			}
		}
	}
}

func TestWelcomeNamesPlainHTTP(t *testing.T) {
	app := lineApp(fastness.Config{})
	ctx, stop := context.WithCancel(t.Context())
	app.OnStart(func(context.Context) error { stop(); return nil })
	var stderr lockedBuffer
	exit := app.Run(ctx, []string{"lines", "--addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "text"}, io.Discard, &stderr)
	if exit != 0 || !strings.Contains(stderr.String(), "  HTTP         http://127.0.0.1:") {
		t.Errorf("exit status %d:\n%s", exit, stderr.String())
	}
}
