package framing_test

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// recorder is a handler that remembers what it was asked.
type recorder struct {
	mu   sync.Mutex
	seen []string
	errs []error
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, err := io.Copy(io.Discard, r.Body)
	rec.mu.Lock()
	rec.seen = append(rec.seen, r.Method+" "+r.RequestURI)
	if err != nil {
		rec.errs = append(rec.errs, err)
	}
	rec.mu.Unlock()
	if err != nil {
		problem.Write(w, problem.From(err))
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func (rec *recorder) requests() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.seen)
}

func newGuard(t testing.TB, cfg framing.Config) *framing.Guard {
	t.Helper()
	guard, err := framing.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// serve starts a server on loopback; with a nil guard it is net/http alone.
func serve(t *testing.T, guard *framing.Guard, handler http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), IdleTimeout: 10 * time.Second}
	addr = l.Addr().String()
	if guard != nil {
		server.Handler, server.ConnContext = guard.Handler(handler), guard.ConnContext
		l = guard.Listener(l)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return addr
}

type answer struct {
	*http.Response
	body []byte
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(8 * time.Second))
	return c
}

// send writes raw and returns all answers up to the end of the connection. It
// fails unless the server ends the connection.
func send(t *testing.T, addr, raw string) []answer {
	t.Helper()
	c := dial(t, addr)
	go func() { _, _ = io.WriteString(c, raw) }() // The server may close before it has read all.
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("reading to the end of the connection: %v (got %q)", err, all)
	}
	return parse(t, all)
}

func parse(t *testing.T, all []byte) []answer {
	t.Helper()
	var answers []answer
	r := bufio.NewReader(bytes.NewReader(all))
	for {
		if _, err := r.Peek(1); err == io.EOF {
			return answers
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("answer %d of %q: %v", len(answers)+1, all, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("body of answer %d of %q: %v", len(answers)+1, all, err)
		}
		answers = append(answers, answer{response, body})
	}
}

// wantProblem fails unless a is a problem document that closes the connection.
func wantProblem(t *testing.T, a answer, status int, code string) {
	t.Helper()
	var document struct {
		Status int
		Code   string
	}
	if a.StatusCode != status {
		t.Errorf("status %d, want %d (%s)", a.StatusCode, status, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != problem.MediaType {
		t.Errorf("content type %q, want %q", got, problem.MediaType)
	}
	if err := json.Unmarshal(a.body, &document); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	if document.Status != status || document.Code != code {
		t.Errorf("document %s, want status %d and code %q", a.body, status, code)
	}
	if !a.Close {
		t.Error("the answer does not say Connection: close")
	}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
