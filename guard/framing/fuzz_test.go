package framing_test

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/problem"
)

func TestOneWriteAndSingleBytesGetTheSameVerdict(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	for _, tt := range attacks() {
		if strings.HasPrefix(tt.name, "20,000") || len(tt.raw) > 100<<10 {
			continue // quadratic in the test's own bookkeeping
		}
		stream := []byte(browserRequest + tt.raw + poison)
		heads, code := framing.Heads(guard, stream, len(stream))
		if code != tt.code || len(heads) != 1 {
			t.Errorf("%s: %d heads, then %q; want 1, then %q", tt.name, len(heads), code, tt.code)
		}
		for _, size := range []int{1, 2, 7} {
			pieces, got := framing.Heads(guard, stream, size)
			if got != code || !slices.Equal(pieces, heads) {
				t.Errorf("%s in pieces of %d: %d heads, then %q; want %d, then %q", tt.name, size, len(pieces), got, len(heads), code)
			}
		}
	}
}

// script is a connection on which everything the client sends is there already.
type script struct {
	in     *bytes.Reader
	out    bytes.Buffer
	piece  int
	closed chan struct{}
	once   sync.Once
}

func (s *script) Read(p []byte) (int, error) {
	return s.in.Read(p[:min(len(p), s.piece)])
}
func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }
func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// queue is a listener that is fed by a test.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) {
	c, ok := <-q
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (q queue) Close() error   { return nil }
func (q queue) Addr() net.Addr { return &net.TCPAddr{} }

// harness is one server to which every input of a fuzz run is a connection.
type harness struct {
	guard  *framing.Guard
	conns  queue
	mu     sync.Mutex
	served []*http.Request
	failed []error  // reading bodies
	logged []string // by net/http
}

func newHarness(f *testing.F) *harness {
	h := &harness{guard: newGuard(f, framing.Config{}), conns: make(queue)}
	server := &http.Server{
		Handler:                      h.guard.Handler(http.HandlerFunc(h.record)),
		ConnContext:                  h.guard.ConnContext,
		ErrorLog:                     log.New(h, "", 0),
		DisableGeneralOptionsHandler: true,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(h.conns)
	}()
	f.Cleanup(func() {
		close(h.conns)
		<-done
	})
	return h
}

func (h *harness) record(_ http.ResponseWriter, r *http.Request) {
	_, err := io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.served = append(h.served, r)
	h.failed = append(h.failed, err)
}

func (h *harness) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logged = append(h.logged, string(p))
	return len(p), nil
}

// send sends a stream through the guard and net/http and returns the answers.
func (h *harness) send(stream []byte, piece int) []byte {
	h.mu.Lock()
	h.served, h.failed, h.logged = nil, nil, nil
	h.mu.Unlock()
	s := &script{in: bytes.NewReader(stream), piece: piece, closed: make(chan struct{})}
	h.conns <- h.guard.Conn(s)
	<-s.closed
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.out.Bytes()
}

// FuzzNetHTTPSeesTheRequestsThatTheGuardSees holds the two parsers together: net/http
// serves the requests that the guard lets pass, no other, and never finds anything to
// refuse in them.
func FuzzNetHTTPSeesTheRequestsThatTheGuardSees(f *testing.F) {
	for _, tt := range attacks() {
		if len(tt.raw) < 2<<10 {
			f.Add([]byte(tt.raw+poison), uint8(0))
		}
	}
	f.Add([]byte(browserRequest+browserRequest+poison), uint8(1))
	f.Add([]byte(upgradeHead+poison), uint8(100))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"+poison), uint8(3))
	f.Add([]byte("GET http://[::1]:80?a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\n\r\n"), uint8(3))
	h := newHarness(f)
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		heads, code := framing.Heads(h.guard, stream, len(stream)+1)
		if pieces, got := framing.Heads(h.guard, stream, int(piece)+1); got != code || !slices.Equal(pieces, heads) {
			t.Fatalf("in pieces: %d heads, then %q; at once: %d, then %q", len(pieces), got, len(heads), code)
		}
		answers := h.send(stream, int(piece)+1)
		if len(h.logged) > 0 {
			t.Errorf("net/http logged %q", h.logged)
		}
		h.compare(t, heads)
		wantOwnWords(t, answers)
	})
}

// compare fails unless net/http served the requests of heads, as far as it served.
func (h *harness) compare(t *testing.T, heads []string) {
	for i, r := range h.served {
		line := r.Method + " " + r.RequestURI + " " + r.Proto + "\r\n"
		if i >= len(heads) || !strings.HasPrefix(heads[i], line) {
			t.Fatalf("net/http saw %q as request %d of %q", line, i, heads)
		}
	}
	if n := len(h.served); n < len(heads) {
		// It may stop early for three reasons.
		if n > 0 && (h.served[n-1].Close || h.failed[n-1] != nil) {
			return
		}
		if slices.ContainsFunc(heads, func(head string) bool { return strings.Contains(strings.ToLower(head), "upgrade") }) {
			return
		}
		t.Fatalf("net/http saw %d requests of %q", n, heads)
	}
}

// wantOwnWords fails if net/http refused something by itself.
func wantOwnWords(t *testing.T, answers []byte) {
	for r := bufio.NewReader(bytes.NewReader(answers)); ; {
		if _, err := r.Peek(1); err != nil {
			return
		}
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("answers %q: %v", answers, err)
		}
		_, _ = io.Copy(io.Discard, a.Body)
		if a.StatusCode >= 300 && a.Header.Get("Content-Type") != problem.MediaType {
			t.Fatalf("net/http refused what the guard let pass: %q", answers)
		}
	}
}
