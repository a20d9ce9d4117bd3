package serve_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/host"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/serve"
)

// toLocalhost leads requests for loopback names to https://localhost:8443.
func toLocalhost(t testing.TB) *serve.Redirect {
	t.Helper()
	hosts, err := host.New(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	redirect, err := serve.NewRedirect(serve.RedirectConfig{Origin: func(r *http.Request) (string, error) {
		return "https://localhost:8443", hosts.Check(r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return redirect
}

// runBoth starts a server with a listener for plain HTTP.
func runBoth(t *testing.T, cfg serve.Config) *running {
	t.Helper()
	cfg.RedirectAddr = "127.0.0.1:0"
	if cfg.Redirect == nil {
		cfg.Redirect = toLocalhost(t)
	}
	return run(t, cfg, ok, time.Now)
}

// send sends bytes as they are and returns all that comes back.
func send(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	from := bufio.NewReader(conn)
	res, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if more, err := io.ReadAll(from); err != nil || len(more) > 0 {
		t.Errorf("%.60q: the connection goes on with %q (%v)", request, more, err)
	}
	return res, string(body)
}

const page = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"

func TestBrowserIsLedToHTTPS(t *testing.T) {
	s := runBoth(t, serve.Config{})
	for _, tt := range []struct{ name, request, want string }{
		{"a page", "GET / HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/"},
		{"a path with a query", "GET /a/b%2Fc;d?x=1&y=%20z HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/a/b%2Fc;d?x=1&y=%20z"},
		{"HEAD", "HEAD /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\n" + page + "\r\n", "/a"},
		{"HTTP/1.0", "GET /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n" + page + "\r\n", "/a"},
		{"another case", "GET /a HTTP/1.1\r\nHost: localhost\r\naccept: application/json, TEXT/HTML;level=1;q=0.5\r\n\r\n", "/a"},
		{"a request behind it is not read", "GET /a HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/a"},
		{"two slashes are not a path", "GET //evil.example/a HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/"},
		{"nor are two dots", "GET /a/../b HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/"},
		{"nor is the absolute form", "GET http://localhost/a HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/"},
		{"an escaped line end stays escaped", "GET /a%0d%0aSet-Cookie:x=y HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", "/a%0d%0aSet-Cookie:x=y"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := send(t, s.RedirectAddr().String(), tt.request)
			h := res.Header
			if res.StatusCode != 308 || h.Get("Location") != "https://localhost:8443"+tt.want || body != "" || !res.Close {
				t.Errorf("status %d, close %v, header %v, body %q", res.StatusCode, res.Close, h, body)
			}
			if h.Get("Strict-Transport-Security") != "" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" {
				t.Errorf("header %v", h)
			}
		})
	}
}

// A client that follows redirects would go on sending its secrets in clear text.
func TestProgramIsRefusedWithoutARedirect(t *testing.T) {
	s := runBoth(t, serve.Config{})
	for _, tt := range []struct{ name, request string }{
		{"no Accept", "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{"curl", "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"},
		{"JSON", "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"},
		{"anything but a page", "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: text/html;q=0, */*\r\n\r\n"},
		{"a quality that is none", "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: text/html;q=x\r\n\r\n"},
		{"a type that begins like it", "GET /a HTTP/1.1\r\nHost: localhost\r\nAccept: text/html5\r\n\r\n"},
		{"POST", "POST /a HTTP/1.1\r\nHost: localhost\r\n" + page + "Content-Length: 0\r\n\r\n"},
		{"a form", "POST /a HTTP/1.1\r\nHost: localhost\r\n" + page + "Content-Length: 9\r\n\r\nuser=ada&"},
		{"a body that never comes", "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n"},
		{"DELETE", "DELETE /a HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n"},
		{"OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n"},
		{"a token", "GET /a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n" + page + "\r\n"},
		{"a cookie", "GET /a HTTP/1.1\r\nHost: localhost\r\nCookie: session=x\r\n" + page + "\r\n"},
		{"a proxy's password", "GET /a HTTP/1.1\r\nHost: localhost\r\nProxy-Authorization: Basic eA==\r\n" + page + "\r\n"},
		{"a key", "GET /a HTTP/1.1\r\nHost: localhost\r\nx-api-key: x\r\n" + page + "\r\n"},
		{"a GET with a body", "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n" + page + "\r\nx"},
		{"a GET with a chunked body", "GET /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + page + "\r\n1\r\nx\r\n0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := send(t, s.RedirectAddr().String(), tt.request)
			if res.StatusCode != 403 || res.Header["Location"] != nil || !res.Close || !strings.Contains(body, `"code":"https_required"`) ||
				res.Header.Get("Content-Type") != problem.MediaType || res.Header.Get("Strict-Transport-Security") != "" {
				t.Errorf("status %d, close %v, header %v, body %s", res.StatusCode, res.Close, res.Header, body)
			}
		})
	}
}

func TestRedirectLeadsToNoOtherHost(t *testing.T) {
	s := runBoth(t, serve.Config{})
	for _, tt := range []struct {
		name, request string
		want          int
	}{
		{"another host", "GET / HTTP/1.1\r\nHost: evil.example\r\n" + page + "\r\n", 421},
		{"another host in the target", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", 400},
		{"another host in the target and in Host", "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n" + page + "\r\n", 421},
		{"user information", "GET / HTTP/1.1\r\nHost: localhost@evil.example\r\n" + page + "\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" + page + "\r\n", 400},
		{"no host", "GET / HTTP/1.0\r\n" + page + "\r\n", 400},
		{"a line end in the target", "GET /\rX:y HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", 400},
		{"a bare LF", "GET / HTTP/1.1\nHost: localhost\n" + page + "\n", 400},
		{"two lengths", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n" + page + "\r\n", 400},
		{"a long target", "GET /" + strings.Repeat("a", 4<<10) + " HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n", 414},
		{"a large head", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("a", 8<<10) + "\r\n" + page + "\r\n", 431},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := send(t, s.RedirectAddr().String(), tt.request)
			if res.StatusCode != tt.want || res.Header["Location"] != nil || strings.Contains(body, "evil") || !res.Close {
				t.Errorf("status %d, header %v, body %s", res.StatusCode, res.Header, body)
			}
		})
	}
}

// What an application returns as an origin goes into a header before a path that a
// stranger chose.
func TestOriginThatIsNoneIsAnError(t *testing.T) {
	for _, origin := range []string{
		"", "https://", "http://localhost", "localhost", "https://localhost/", "https://a@localhost", "https://localhost\r\nX: y", "https://localhost?", "https://localhost#", `https://localhost\`, "//localhost", "https://löcalhost",
	} {
		redirect, err := serve.NewRedirect(serve.RedirectConfig{Origin: func(*http.Request) (string, error) { return origin, nil }})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/.evil.example", nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		redirect.ServeHTTP(w, r)
		if w.Code != 500 || w.Header().Get("Location") != "" {
			t.Errorf("%q: status %d, header %v", origin, w.Code, w.Header())
		}
	}
	redirect, err := serve.NewRedirect(serve.RedirectConfig{Origin: func(*http.Request) (string, error) { return "", errors.New("the database is away") }})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	if redirect.ServeHTTP(w, r); w.Code != 500 || strings.Contains(w.Body.String(), "database") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestChallengeOfACMEIsAnsweredWithoutTLS(t *testing.T) {
	redirect, err := serve.NewRedirect(serve.RedirectConfig{
		Origin:    func(*http.Request) (string, error) { return "https://localhost", nil },
		Challenge: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "proof") }),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := runBoth(t, serve.Config{Redirect: redirect})
	for request, want := range map[string]int{
		"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: localhost\r\n\r\n":                       200,
		"POST /.well-known/acme-challenge/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n": 403,
		"GET /.well-known/acme-challenges HTTP/1.1\r\nHost: localhost\r\n\r\n":                        403,
	} {
		if res, body := send(t, s.RedirectAddr().String(), request); res.StatusCode != want || (body == "proof") != (want == 200) || !res.Close {
			t.Errorf("%.50s: status %d, body %s", request, res.StatusCode, body)
		}
	}
}

func TestSlowClientIsCutOff(t *testing.T) {
	s := runBoth(t, serve.Config{ReadHeaderTimeout: 200 * time.Millisecond})
	for _, beginning := range []string{"", "GET / HTTP/1.1\r\nHost: loc"} {
		conn, err := net.Dial("tcp", s.RedirectAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, beginning)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		answer, err := io.ReadAll(conn)
		if err != nil || beginning != "" && !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
			t.Errorf("%q: answer %q (%v)", beginning, answer, err)
		}
		_ = conn.Close()
	}
}

func TestConnectionsWithoutTLSAreBounded(t *testing.T) {
	s := runBoth(t, serve.Config{MaxConns: 1})
	first, err := net.Dial("tcp", s.RedirectAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	second, err := net.Dial("tcp", s.RedirectAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	const request = "GET / HTTP/1.1\r\nHost: localhost\r\n" + page + "\r\n"
	_, _ = io.WriteString(second, request)
	_ = second.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Errorf("a second connection got %d bytes although one may be open", n)
	}
	_ = first.Close()
	_ = second.SetReadDeadline(time.Now().Add(5 * time.Second))
	if answer, err := io.ReadAll(second); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 308 ") {
		t.Errorf("the second connection got %q (%v)", answer, err)
	}
	// The one that waits for a request without TLS does not take the place of HTTPS.
	if res, _ := get(t, s.client(t, false), "https://"+s.addr); res.StatusCode != 200 {
		t.Errorf("status %d over TLS", res.StatusCode)
	}
}

func TestBothListenersStop(t *testing.T) {
	s := runBoth(t, serve.Config{GracePeriod: 10 * time.Second})
	waiting, err := net.Dial("tcp", s.RedirectAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = waiting.Close() }()
	s.stop()
	if err := <-s.result; err != nil {
		t.Errorf("Run() = %v", err)
	}
	s.result <- nil
	for _, addr := range []string{s.addr, s.RedirectAddr().String()} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("%s listens although the server has stopped", addr)
		}
	}
}

func TestStopWaitsForAnswersWithoutTLS(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	redirect, err := serve.NewRedirect(serve.RedirectConfig{
		Origin: func(*http.Request) (string, error) { return "https://localhost", nil },
		Challenge: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-release
			_, _ = io.WriteString(w, "proof")
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := runBoth(t, serve.Config{Redirect: redirect})
	answered := make(chan string, 1)
	go func() {
		_, body := send(t, s.RedirectAddr().String(), "GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answered <- body
	}()
	<-entered
	s.stop()
	select {
	case err := <-s.result:
		s.result <- err
		t.Errorf("Run() = %v while a request is under way", err)
	case <-time.After(500 * time.Millisecond):
	}
	close(release)
	if body := <-answered; body != "proof" {
		t.Errorf("the request under way got %q", body)
	}
}

func TestPortThatIsTakenIsSaidAndNothingListens(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := other.Addr().String()
	_ = other.Close()
	ready := false
	server, err := serve.New(serve.Config{
		Addr: addr, DataDir: t.TempDir(), RedirectAddr: taken.Addr().String(), Redirect: toLocalhost(t), Ready: func(net.Addr) { ready = true },
	}, http.HandlerFunc(ok))
	if err != nil {
		t.Fatal(err)
	}
	err = server.Run(context.Background())
	if err == nil || ready || !strings.Contains(err.Error(), "serve: RedirectAddr: listen tcp "+taken.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Run() = %v, ready %v", err, ready)
	}
	if conn, err := net.Dial("tcp", addr); err == nil || server.Addr() != nil {
		if err == nil {
			_ = conn.Close()
		}
		t.Error("the HTTPS listener is open, or said to be")
	}
}

func TestMistakesOfRedirectAddr(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		cfg  serve.Config
		want []string
	}{
		{"nobody answers", serve.Config{DataDir: dir, RedirectAddr: "127.0.0.1:0"}, []string{"Redirect is nil"}},
		{"no address", serve.Config{DataDir: dir, RedirectAddr: "80", Redirect: toLocalhost(t)}, []string{"RedirectAddr is not an address"}},
		{"no port", serve.Config{DataDir: dir, RedirectAddr: "127.0.0.1:http", Redirect: toLocalhost(t)}, []string{"the port of RedirectAddr"}},
		{"the same address", serve.Config{DataDir: dir, RedirectAddr: "127.0.0.1:8443", Redirect: toLocalhost(t)}, []string{"that of the HTTPS listener"}},
		{"open to the network", serve.Config{DataDir: dir, RedirectAddr: ":8080", Redirect: toLocalhost(t)}, []string{"RedirectAddr is not loopback"}},
		{"plain HTTP", serve.Config{PlainHTTP: true, RedirectAddr: "127.0.0.1:0"}, []string{"no HTTPS to redirect to", "Redirect is nil"}},
	} {
		_, err := serve.New(tt.cfg, http.HandlerFunc(ok))
		for _, part := range tt.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", tt.name, err, part)
			}
		}
	}
	if _, err := serve.NewRedirect(serve.RedirectConfig{}); err == nil || !strings.Contains(err.Error(), "serve redirect config: Origin is nil") {
		t.Errorf("no Origin: %v", err)
	}
}

// A flood of requests that are refused costs less than the good ones.
func TestRefusalIsCheap(t *testing.T) {
	redirect := toLocalhost(t)
	r := httptest.NewRequest("POST", "/", nil)
	var err error
	if n := testing.AllocsPerRun(100, func() { _, err = redirect.Check(r) }); n > 0 || err == nil {
		t.Errorf("%v allocations, %v", n, err)
	}
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { clear(w.Header()); w.Body.Reset(); redirect.ServeHTTP(w, r) }); n > 10 {
		t.Errorf("%v allocations for an answer", n)
	}
}

func ExampleNewRedirect() {
	redirect, err := serve.NewRedirect(serve.RedirectConfig{
		Origin: func(*http.Request) (string, error) { return "https://api.example.com", nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, accept := range []string{"text/html", "application/json"} {
		r := httptest.NewRequest("GET", "/items?page=2", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		redirect.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 308 https://api.example.com/items?page=2
	// 403
}

func FuzzRedirectStaysOnTheSite(f *testing.F) {
	for _, seed := range []string{"/", "//evil.example", `/\evil.example`, "/a?b#c", "http://evil.example/", "/\t/evil.example", "/..//x", "@evil.example", ".evil.example", ":1/", "/é", "/%2f%2fx"} {
		f.Add(seed)
	}
	redirect := toLocalhost(f)
	f.Fuzz(func(t *testing.T, target string) {
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Host, r.URL.Host, r.RequestURI = "localhost", "", target
		r.Header.Set("Accept", "text/html")
		location, err := redirect.Check(r)
		rest, here := strings.CutPrefix(location, "https://localhost:8443/")
		if err != nil || !here || strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, `\`) || strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q leads to %q (%v)", target, location, err)
		}
	})
}
