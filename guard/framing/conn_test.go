package framing_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/problem"
)

func TestConfigNamesAllMistakesAtOnce(t *testing.T) {
	_, err := framing.New(framing.Config{TargetBytes: -1, HeadBytes: 2 << 20, Fields: -1, CookieBytes: -1, TrailerBytes: 5 << 10, HeadTimeout: -1})
	if err == nil {
		t.Fatal("New() = nil, want an error")
	}
	for _, name := range []string{"TargetBytes", "HeadBytes", "Fields", "CookieBytes", "TrailerBytes", "HeadTimeout"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("New() = %q, want it to name %s", err, name)
		}
	}
}

// pipe serves one end of a pipe and returns the other.
func pipe(t *testing.T, guard *framing.Guard, server *http.Server) net.Conn {
	t.Helper()
	client, far := net.Pipe()
	server.Handler, server.ConnContext = guard.Handler(server.Handler), guard.ConnContext
	l := &single{conn: guard.Conn(far), done: make(chan struct{})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
	})
	return client
}

// single is a listener with one connection.
type single struct {
	conn net.Conn
	done chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *single) Close() error {
	close(l.done)
	return nil
}

func (l *single) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestSlowHeadsAreEndedByTheGuardsClock(t *testing.T) {
	for _, tt := range []struct{ name, first string }{
		{"the first head on a connection", ""},
		{"a head behind an answered request", get("")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				guard := newGuard(t, framing.Config{HeadTimeout: 3 * time.Second})
				// The server itself would wait for a minute.
				c := pipe(t, guard, &http.Server{Handler: new(recorder), IdleTimeout: time.Minute})
				received := make(chan []byte)
				go func() {
					all, _ := io.ReadAll(c)
					received <- all
				}()
				_, _ = io.WriteString(c, tt.first)
				time.Sleep(20 * time.Second) // Idle is not slow.
				start := time.Now()
				for range 100 { // A byte each 100 ms never lets a read time out.
					if _, err := io.WriteString(c, "G"); err != nil {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				all := <-received
				if took := time.Since(start); took > 4*time.Second {
					t.Errorf("the connection ended after %v, want 3s", took)
				}
				answers := parse(t, all)
				wantProblem(t, answers[len(answers)-1], http.StatusRequestTimeout, "head_timeout")
			})
		})
	}
}

// While a handler runs, net/http reads one byte ahead to see the client go away.
// A second request that comes slowly must neither stop the handler nor hide that.
func TestASlowSecondRequestDoesNotCancelTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := newGuard(t, framing.Config{HeadTimeout: 3 * time.Second})
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
				_, _ = io.WriteString(w, "done")
			}
		})
		c := pipe(t, guard, &http.Server{Handler: handler})
		go func() { _, _ = io.WriteString(c, get("")+"GET /se") }()
		all, _ := io.ReadAll(c)
		answers := parse(t, all)
		if len(answers) != 2 || string(answers[0].body) != "done" {
			t.Fatalf("answers %v, want done and a problem", answers)
		}
		wantProblem(t, answers[1], http.StatusRequestTimeout, "head_timeout")
	})
}

func TestAClientThatGoesAwayCancelsItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := make(chan struct{})
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			close(canceled)
		})
		c := pipe(t, newGuard(t, framing.Config{}), &http.Server{Handler: handler})
		_, _ = io.WriteString(c, get(""))
		_, _ = io.WriteString(c, "GET /half") // net/http alone would no longer see the end.
		_ = c.Close()
		<-canceled
	})
}

func TestTheServersOwnDeadlinesStayInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, near := net.Pipe()
		defer func() { _ = far.Close() }()
		c := newGuard(t, framing.Config{}).Conn(near)
		go func() { _, _ = io.WriteString(far, "GET /half") }()
		start := time.Now()
		_ = c.SetDeadline(start.Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read() = %v, want a timeout", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("timeout after %v, want 1s", took)
		}
		// What was held is not lost.
		_ = c.SetDeadline(time.Time{})
		go func() { _, _ = io.WriteString(far, " HTTP/1.1\r\nHost: a\r\n\r\n") }()
		got := make([]byte, 100)
		n, err := c.Read(got)
		if want := "GET /half HTTP/1.1\r\nHost: a\r\n\r\n"; err != nil || string(got[:n]) != want {
			t.Errorf("Read() = %q, %v, want %q", got[:n], err, want)
		}
	})
}

func TestTheRendererAndWhatIsOutsideSeeTheRefusal(t *testing.T) {
	var logged, rendered *problem.Problem
	guard := newGuard(t, framing.Config{Render: func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) {
		rendered = p
		w.WriteHeader(p.Status)
	}})
	inner := guard.Handler(new(recorder))
	server := &http.Server{Handler: inner, ConnContext: guard.ConnContext}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logged, _ = framing.Refused(r)
		inner.ServeHTTP(w, r)
	})
	client, far := net.Pipe()
	l := &single{conn: guard.Conn(far), done: make(chan struct{})}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.WriteString(client, "GET / HTTP/1.9\r\n") }()
	all, _ := io.ReadAll(client)
	if !bytes.HasPrefix(all, []byte("HTTP/1.1 505 ")) {
		t.Errorf("answer %q, want 505", all)
	}
	if rendered == nil || logged == nil || logged.Code != "unsupported_version" || rendered.Code != logged.Code {
		t.Errorf("rendered %v, logged %v, want the same refusal", rendered, logged)
	}
}

func TestTLSIsVisibleThroughTheGuard(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	plain, _ := net.Pipe()
	if _, ok := guard.Conn(plain).(interface{ ConnectionState() tls.ConnectionState }); ok {
		t.Error("a plain connection claims TLS")
	}
	secured := guard.Conn(tls.Server(plain, new(tls.Config)))
	if _, ok := secured.(interface{ ConnectionState() tls.ConnectionState }); !ok {
		t.Error("a TLS connection hides its state")
	}
	if ctx := guard.ConnContext(context.Background(), secured); ctx == context.Background() {
		t.Error("the connection is not in the context")
	}
}

// loop is a connection on which the same request comes again and again.
type loop struct {
	net.Conn
	request []byte
}

func (l *loop) Read(p []byte) (int, error) { return copy(p, l.request), nil }

func TestARequestInGoodOrderCostsNoAllocation(t *testing.T) {
	c := newGuard(t, framing.Config{}).Conn(&loop{request: []byte(browserRequest)})
	p := make([]byte, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		if n, err := c.Read(p); n != len(browserRequest) || err != nil {
			t.Fatalf("Read() = %d, %v", n, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a request, want 0", allocs)
	}
}

const browserRequest = "POST /items?limit=10&offset=20 HTTP/1.1\r\nHost: shop.example:8443\r\nConnection: keep-alive\r\n" +
	"Content-Type: application/json\r\nContent-Length: 19\r\nAccept: */*\r\nOrigin: https://shop.example:8443\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nReferer: https://shop.example:8443/\r\nAccept-Encoding: gzip, br\r\n" +
	"Accept-Language: en-GB,en;q=0.9\r\nCookie: __Host-session=0123456789abcdef0123456789abcdef\r\n\r\n{\"name\":\"lamp one\"}"

func BenchmarkRead(b *testing.B) {
	c := newGuard(b, framing.Config{}).Conn(&loop{request: []byte(browserRequest)})
	p := make([]byte, 4096)
	b.SetBytes(int64(len(browserRequest)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Read(p)
	}
}
