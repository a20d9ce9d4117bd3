package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/keyring"
)

// The attacks on the shop, behind the server that "shop serve" starts and over
// real connections. Every test has the same end, which serveApp sees to: no
// answer was a 500, nothing hung, every goroutine of the attack is gone, and
// the server stopped in good order. docs/attacks.md says which defence each
// attack meets.

// limit is how long anything may take. Nothing here waits for it unless it fails.
const limit = 5 * time.Second

// stack is an app as the command line serves it.
type stack struct {
	addr string
	tls  *tls.Config // nil for plain HTTP
	dir  string
	log  *journal
	*parts
}

// eachStack attacks the shop over TLS, and over plain HTTP.
func eachStack(t *testing.T, attack func(*testing.T, *stack)) {
	t.Helper()
	t.Run("over TLS", func(t *testing.T) { attack(t, serveShop(t)) })
	t.Run("over plain HTTP", func(t *testing.T) { attack(t, serveShop(t, plainHTTP[:]...)) })
}

var plainHTTP = [...]string{"--insecure-plain-http", "a test on loopback", "--drain-delay", "0s", "--public-url", "https://shop.example"}

func serveShop(t *testing.T, args ...string) *stack {
	t.Helper()
	app, inside := testApp()
	s := serveApp(t, app, args...)
	s.parts = inside
	return s
}

// serveApp runs the app's command line until the test ends.
func serveApp(t *testing.T, app *fastness.App, args ...string) *stack {
	t.Helper()
	s := &stack{dir: t.TempDir(), log: &journal{ready: make(chan string, 1)}}
	if slices.Contains(args, plainHTTP[0]) {
		if _, err := keyring.LoadOrCreateKEK(filepath.Join(s.dir, "master.key")); err != nil {
			t.Fatal(err) // Without a development certificate nobody makes one up.
		}
	}
	database := databaseOf(t, s.dir) // Its server is none of what the shop leaves behind.
	baseline := goroutines()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	args = append([]string{"shop", "--addr", "127.0.0.1:0", "--data", s.dir, "--log-format", "json", "--grace", "5s"}, args...)
	if !database.IsZero() {
		args = append(args, "--db", database.Reveal())
	}
	go func() { ended <- app.Run(ctx, args, io.Discard, s.log) }()
	select {
	case s.addr = <-s.log.ready:
	case exit := <-ended:
		stop()
		t.Fatalf("the shop ended with status %d: %s", exit, s.log)
	}
	if !slices.Contains(args, plainHTTP[0]) {
		s.tls = trusting(t, s.dir)
	}
	t.Cleanup(func() {
		stop()
		if exit := <-ended; exit != 0 {
			t.Errorf("the shop stopped with status %d, want 0", exit)
		}
		for _, line := range s.log.failures() {
			t.Errorf("the log says %s", line)
		}
		wantSettled(t, baseline)
	})
	return s
}

// trusting is a client's TLS that trusts the development authority in dir.
func trusting(t *testing.T, dir string) *tls.Config {
	t.Helper()
	authority, err := os.ReadFile(filepath.Join(dir, "dev-ca", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// goroutines counts those that are not of the test runner's own making.
func goroutines() int { return pprof.Lookup("goroutine").Count() }

// wantSettled waits until no more goroutines are there than before.
func wantSettled(t *testing.T, before int) {
	t.Helper()
	if !eventually(func() bool { return goroutines() <= before }) {
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d goroutines are left of %d:\n%s", goroutines(), before, &stacks)
	}
}

// eventually asks until it is true, or the limit is over.
func eventually(is func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-tick.C {
		if is() {
			return true
		}
	}
	return is()
}

// journal is the log of a server, and hears when it listens.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan string
	// excused is what a line holds that tells of a failure the test wanted.
	excused string
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var line struct{ Msg, Addr string }
	if json.Unmarshal(p, &line) == nil && line.Msg == "serving" {
		j.ready <- line.Addr
	}
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// failures are the lines that say that the server, not the client, was wrong.
// 501 and 505 are how a server says that it does not speak so.
func (j *journal) failures() (found []string) {
	for line := range strings.Lines(j.String()) {
		if j.excused != "" && strings.Contains(line, j.excused) {
			continue
		}
		var entry struct {
			Level  string
			Status int
			Code   string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			found = append(found, "what is no JSON: "+line)
		}
		left := entry.Status == http.StatusServiceUnavailable && entry.Code == "canceled" // A caller who went away.
		if entry.Level == "ERROR" || !left && entry.Status >= 500 && entry.Status != http.StatusNotImplemented && entry.Status != http.StatusHTTPVersionNotSupported {
			found = append(found, line)
		}
	}
	return found
}

// dial opens a connection that fails at the limit instead of hanging.
func (s *stack) dial(t *testing.T, protocols ...string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.addr, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(limit))
	if s.tls == nil {
		return conn
	}
	cfg := s.tls.Clone()
	cfg.NextProtos = protocols
	secure := tls.Client(conn, cfg)
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return secure
}

// send writes raw on a connection of its own and returns all answers up to the
// end of the connection, which the server must bring about.
func (s *stack) send(t *testing.T, raw string) []reply {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, raw) // The server may have seen enough before the end.
	}()
	replies, err := readReplies(bufio.NewReader(conn), http.MethodGet)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Errorf("the connection is still open %v after %.60q", limit, raw)
	}
	_ = conn.Close()
	<-written
	return replies
}

// readReplies reads answers, informational ones included, until it cannot.
func readReplies(r *bufio.Reader, method string) (replies []reply, err error) {
	for {
		if _, err := r.Peek(1); err != nil {
			return replies, err
		}
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return replies, err
		}
		if res.Close { // ReadResponse takes the field away.
			res.Header.Set("Connection", "close")
		}
		body, err := io.ReadAll(res.Body)
		replies = append(replies, reply{res.StatusCode, res.Header, string(body)})
		if err != nil {
			return replies, err
		}
	}
}

// one returns the only answer to raw.
func (s *stack) one(t *testing.T, raw string) reply {
	t.Helper()
	replies := s.send(t, raw)
	if len(replies) != 1 {
		t.Fatalf("%d answers to %.80q, want 1: %v", len(replies), raw, replies)
	}
	return replies[0]
}

// first returns the first answer to raw, whatever becomes of the connection.
func (s *stack) first(t *testing.T, raw string) reply {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	_, _ = io.WriteString(conn, raw)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer to %.80q: %v", raw, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body) // wantProblem sees whether it is whole.
	return reply{res.StatusCode, res.Header, string(body)}
}

// client speaks HTTP/2 over TLS, HTTP/1.1 otherwise, and follows no redirects.
func (s *stack) client(t *testing.T) *client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: s.tls.Clone(), ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	scheme := "https://"
	if s.tls == nil {
		scheme = "http://"
	}
	return &client{t, transport, scheme + s.addr, s.parts}
}

type client struct {
	t         *testing.T
	transport *http.Transport
	origin    string
	*parts
}

// call sends a request, with headers in pairs.
func (c *client) call(method, target, body string, header ...string) reply {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.origin+target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.transport.RoundTrip(r)
	if err != nil {
		c.t.Fatalf("%s %.80s: %v", method, target, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Errorf("%s %.80s: the answer is cut: %v", method, target, err)
	}
	return reply{res.StatusCode, res.Header, string(text)}
}

func (c *client) get(target string, header ...string) reply {
	c.t.Helper()
	return c.call(http.MethodGet, target, "", header...)
}

func (c *client) post(target, body string, header ...string) reply {
	c.t.Helper()
	return c.call(http.MethodPost, target, body, header...)
}

// create lets the seller create an item and returns its path.
func (c *client) create(body string) (path string) {
	c.t.Helper()
	got := c.post("/test/items/", body)
	if got.status != http.StatusCreated {
		c.t.Fatalf("POST /test/items/ %.100s = %d %s, want 201", body, got.status, got.body)
	}
	return got.header.Get("Location")
}

// password is that of every account here.
const password = "correct horse battery staple"

// account makes an account and returns its name.
func (c *client) account(name, tenant string, roles ...string) string {
	c.t.Helper()
	if got := c.get("/test/parts"); got.status != http.StatusNoContent {
		c.t.Fatalf("the parts of the shop: %d", got.status)
	}
	newAccount(c.t, c.core, name, tenant, roles...)
	return name
}

// logIn returns an access token.
func (c *client) logIn(name string) string {
	c.t.Helper()
	got := c.post("/token", url.Values{"username": {name}, "password": {password}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	token, _ := got.decode(c.t)["access_token"].(string)
	if got.status != http.StatusOK || token == "" {
		c.t.Fatalf("the log-in of %s: %d", name, got.status)
	}
	return token
}

// total returns how many items are for sale: what an attack must not change.
func (c *client) total() string {
	c.t.Helper()
	n, _ := c.get("/items/?limit=1").decode(c.t)["total"].(json.Number)
	return n.String()
}

// wantProblem wants a problem document with one of the statuses, and all that
// goes with every answer.
func wantProblem(t *testing.T, what string, got reply, statuses ...int) {
	t.Helper()
	if !slices.Contains(statuses, got.status) {
		t.Errorf("%.120q: %d %.200s, want %v", what, got.status, got.body, statuses)
		return
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if got := got.header.Get(name); got != want {
			t.Errorf("%.120q: %s is %q, want %q", what, name, got, want)
		}
	}
	var document struct {
		Status   int
		Instance string
	}
	err := json.Unmarshal([]byte(got.body), &document)
	id := got.header.Get("X-Request-Id")
	if err != nil || document.Status != got.status || id == "" || document.Instance != "urn:request:"+id {
		t.Errorf("%.120q: the document is %.200s (%v), want status %d and the id %s", what, got.body, err, got.status, id)
	}
}

// quote is s as a JSON string.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // Strings always encode.
	}
	return string(text)
}
