package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// raw serves connections as they come, each after its first request was read.
func raw(t *testing.T, serve func(n int, conn net.Conn, r *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err == nil {
					serve(n, conn, r)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func quick(c *Config) { c.Timeout, c.MaxBody, c.MaxWait = 2*time.Second, 64<<10, -1 }

var get = Request{Method: "GET", Path: "/"}

func TestAHostileAnswerEndsWithinTheBounds(t *testing.T) {
	drip := func(conn net.Conn, text string) {
		for _, b := range []byte(strings.Repeat(text, 1000)) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	endless := func(conn net.Conn, text string) {
		for {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		serve  func(conn net.Conn)
		status int
		err    error // nil: any
		none   bool  // no error
	}{
		"a body without end": {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n"); endless(c, strings.Repeat("x", 1000)) }, status: 200, none: true},
		"a body that drips":  {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n"); drip(c, "x") }, status: 200, err: ErrTimeout},
		"a head that drips":  {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n"); drip(c, "A: b\r\n") }, err: ErrTimeout},
		"no answer":          {serve: func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, err: ErrTimeout},
		"closed at once":     {serve: func(net.Conn) {}},
		"a flood of header fields": {serve: func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			endless(c, "A: "+strings.Repeat("b", 1000)+"\r\n")
		}},
		"a field without end": {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nA: "); endless(c, strings.Repeat("b", 1000)) }},
		"a flood of 1xx":      {serve: func(c net.Conn) { endless(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") }},
		"chunks without end": {serve: func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			endless(c, "1\r\nx\r\n")
		}, status: 200, none: true},
		"chunks cut off":    {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc") }, status: 200},
		"a body cut off":    {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc") }, status: 200},
		"no HTTP":           {serve: func(c net.Conn) { fmt.Fprint(c, "\x1b[2JSSH-2.0\r\n") }},
		"a negative length": {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n") }},
		"an upgrade": {serve: func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
			time.Sleep(time.Second)
		}, status: 101, none: true},
		"gzip that is none": {serve: func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\nplain")
		}, status: 200, none: true},
		"escape sequences": {serve: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX: a\x1b[2J\r\nConnection: close\r\n\r\n\x1b[2J") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := raw(t, func(_ int, conn net.Conn, _ *http.Request) { c.serve(conn) })
			client := connect(t, address, quick)
			begun := time.Now()
			ex := client.Do(t.Context(), get)
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if ex.Status != c.status && name != "escape sequences" || len(ex.Body) > 64<<10 {
				t.Errorf("status %d, %d bytes, %v", ex.Status, len(ex.Body), ex.Err)
			}
			if c.none != (ex.Err == nil) && name != "escape sequences" || c.err != nil && !errors.Is(ex.Err, c.err) {
				t.Errorf("error %v, want %v", ex.Err, c.err)
			}
			if name == "no HTTP" && strings.Contains(ex.Err.Error(), "\x1b") {
				t.Errorf("%q can move the cursor", ex.Err)
			}
		})
	}
}

func TestABombOfGzipIsCut(t *testing.T) {
	var bomb bytes.Buffer
	for range 2 { // Twice packed: 8 MiB in some hundred bytes.
		from := bytes.Clone(bomb.Bytes())
		if len(from) == 0 {
			from = make([]byte, 8<<20)
		}
		bomb.Reset()
		z := gzip.NewWriter(&bomb)
		_, _ = z.Write(from)
		_ = z.Close()
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip, gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	ex := c.Do(t.Context(), get)
	if len(ex.Body) > 2<<20 || !ex.Truncated || ex.Err != nil {
		t.Errorf("%d bytes, cut %v, %v", len(ex.Body), ex.Truncated, ex.Err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, map[string]string{"/loop": "/loop", "/": other.URL}[r.URL.Path], http.StatusFound)
	})
	for _, path := range []string{"/loop", "/"} {
		if ex := c.Do(t.Context(), Request{Method: "GET", Path: path}); ex.Status != http.StatusFound {
			t.Errorf("status %d", ex.Status)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("%d requests", asked.Load())
	}
}

func TestAProxyOfTheEnvironmentSeesNothing(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	if p := c.sender.(*http.Transport).Proxy; p != nil {
		t.Error("it has a proxy") // net/http leaves out loopback, so that the request alone proves little.
	}
	if ex := c.Do(t.Context(), get); ex.Text() != "ok" {
		t.Error(ex.Err)
	}
}

func TestNothingEndsAHeaderFieldOrTheRequestLine(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI, "|", r.Header.Get("X-A"), "|", r.Header.Get("Evil"))
	})
	ex := c.Do(t.Context(), Request{Method: "GET", Path: "/a b\r\nEvil: 1", Query: "q=\r\nEvil:1#x", Header: http.Header{"X-A": {"1\r\nEvil: 1"}}})
	if want := "/a%20b%0D%0AEvil:%201?q=%0D%0AEvil:1%23x|1%0D%0AEvil: 1|"; ex.Text() != want {
		t.Errorf("arrived as %q, %v", ex.Text(), ex.Err)
	}
	for _, r := range []Request{{Method: "GET /x HTTP/1.1\r\n", Path: "/"}, {Method: "GET", Path: "@evil.example/"}, {Method: "GET", Path: "/", Header: http.Header{"A:\r\nB": {"1"}}}} {
		if ex := c.Do(t.Context(), r); ex.Err == nil {
			t.Errorf("%+v was sent", r)
		}
	}
}

func TestACertificateThatFailsIsAFact(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	strict := connect(t, s.URL)
	if ex := strict.Do(t.Context(), get); ex.Err == nil || strict.Certificate() == nil {
		t.Errorf("%d, %v", ex.Status, strict.Certificate())
	}
	loose := connect(t, s.URL, func(c *Config) { c.InsecureCertificates = "a test" })
	if ex := loose.Do(t.Context(), get); ex.Status != 200 || loose.Certificate() == nil {
		t.Errorf("%d, %v, %v", ex.Status, ex.Err, loose.Certificate())
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	own := connect(t, s.URL, func(c *Config) { c.CAFile = file })
	if ex := own.Do(t.Context(), get); ex.Status != 200 || own.Certificate() != nil {
		t.Errorf("%d, %v, %v", ex.Status, ex.Err, own.Certificate())
	}
}

func TestHTTP2IsSpoken(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, r.RequestURI) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := connect(t, s.URL, func(c *Config) { c.InsecureCertificates = "a test" })
	if ex := c.Do(t.Context(), Request{Method: "GET", Path: "/a/../{b}"}); ex.Text() != "HTTP/2.0/a/../{b}" {
		t.Errorf("%q, %v", ex.Text(), ex.Err)
	}
}

func TestOnlyWhatIsIdempotentIsSentAgain(t *testing.T) {
	for method, want := range map[string]bool{"GET": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false} {
		var arrived atomic.Int32
		address := raw(t, func(n int, conn net.Conn, _ *http.Request) {
			if n > 0 {
				arrived.Add(1)
			}
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if n > 0 {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // The second one is read, and then the server dies.
		})
		c := connect(t, address, quick)
		c.Do(t.Context(), get)
		ex := c.Do(t.Context(), Request{Method: method, Path: "/", Body: []byte("x")})
		if (ex.Err == nil) != want || (arrived.Load() == 1) != want {
			t.Errorf("%s: %v, %d arrived again", method, ex.Err, arrived.Load())
		}
	}
}

func TestATargetThatIsDownEndsTheScan(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	_ = l.Close()
	c := connect(t, address, quick)
	for range 10 {
		if ex := c.Do(t.Context(), get); errors.Is(ex.Err, ErrTargetDown) {
			t.Fatal("too early")
		}
	}
	if ex := c.Do(t.Context(), get); !errors.Is(ex.Err, ErrTargetDown) {
		t.Error(ex.Err)
	}
}

func TestATargetThatComesBackIsWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	c := connect(t, "http://"+address)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "back") }), ReadHeaderTimeout: time.Second}
	defer s.Close()
	time.AfterFunc(200*time.Millisecond, func() {
		if l, err := net.Listen("tcp", address); err == nil {
			_ = s.Serve(l)
		}
	})
	if ex := c.Do(t.Context(), Request{Method: "POST", Path: "/"}); ex.Text() != "back" {
		t.Error(ex.Err)
	}
}

func TestLimitsAreWaitedForWithinReason(t *testing.T) {
	for name, want := range map[string]struct {
		after string
		calls int32
		r     Request
	}{
		"soon":        {after: "0", calls: 2, r: get},
		"never":       {after: "3600", calls: 1, r: get},
		"unwanted":    {after: "0", calls: 1, r: Request{Method: "GET", Path: "/", NoRetry: true}},
		"nonsense":    {after: "soon", calls: 1, r: get},
		"in the past": {after: "Mon, 02 Jan 2006 15:04:05 GMT", calls: 2, r: get},
	} {
		var calls atomic.Int32
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if calls.Add(1) == 1 {
				w.Header().Set("Retry-After", want.after)
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		c.Do(t.Context(), want.r)
		if calls.Load() != want.calls {
			t.Errorf("%s: %d calls", name, calls.Load())
		}
	}
}

func TestTheNumberOfRequestsIsBounded(t *testing.T) {
	var seen atomic.Int32
	c := serve(t, func(http.ResponseWriter, *http.Request) {}, func(c *Config) { c.MaxRequests = 3; c.Observer = func(*Exchange) { seen.Add(1) } })
	for range 5 {
		c.Do(t.Context(), get)
	}
	if ex := c.Do(t.Context(), get); !errors.Is(ex.Err, ErrSpent) || c.Stats().ByStatus[200] != 3 || seen.Load() != 6 || ex.Seq != 6 {
		t.Errorf("%v, %+v, %d seen", ex.Err, c.Stats(), seen.Load())
	}
}

func TestACancelledScanSaysNothingOfTheTarget(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) {}, func(c *Config) { c.MaxFailures = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		c.Do(ctx, get)
	}
	if ex := c.Do(t.Context(), get); ex.Status != 200 {
		t.Error(ex.Err)
	}
}

func TestMistakesOfTheConfigurationAreAllNamed(t *testing.T) {
	_, err := New(Config{Target: "ftp://x", Rate: -1, CAFile: "nowhere.pem", MaxRequests: -1, Header: http.Header{"a b": nil}})
	for _, want := range []string{"wire config:", "Target", "Rate", "CAFile", "MaxRequests", "a b"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	for _, target := range []string{"http://user:pw@127.0.0.1", "http://127.0.0.1/?x", "127.0.0.1:80", "http://", "http://127.0.0.1:99999"} {
		if _, err := New(Config{Target: target}); err == nil {
			t.Errorf("%q was taken", target)
		}
	}
}
