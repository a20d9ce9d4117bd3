package fastness_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// served is a program that serves.
type served struct {
	url, addr string
	roots     *x509.CertPool
	stop      context.CancelFunc
	exit      chan int

	mu  sync.Mutex // guards following
	log bytes.Buffer
}

// serveLine runs the program on a free port until the test ends, and waits until
// it listens.
func serveLine(t *testing.T, app *fastness.App, args ...string) *served {
	t.Helper()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	s := &served{stop: stop, exit: make(chan int, 1), roots: x509.NewCertPool()}
	r, w := io.Pipe()
	listening := make(chan map[string]any, 1)
	ended := make(chan struct{})
	go s.read(r, listening, ended)
	go func() {
		s.exit <- app.Run(ctx, append([]string{"lines", "--addr", "127.0.0.1:0", "--data", dir, "--log-format", "json"}, args...), io.Discard, w)
		_ = w.Close()
	}()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case record := <-listening:
		s.url, s.addr = record["url"].(string), record["addr"].(string)
		if ca, _ := record["development_authority"].(string); ca != "" {
			pem, err := os.ReadFile(ca)
			if err != nil || !s.roots.AppendCertsFromPEM(pem) || filepath.Dir(ca) != filepath.Join(dir, "dev-ca") {
				t.Fatalf("development authority %s: %v", ca, err)
			}
		}
	case <-ended:
		t.Fatalf("the program ended: %s", s.text())
	case <-time.After(20 * time.Second):
		t.Fatalf("the program does not listen: %s", s.text())
	}
	return s
}

func (s *served) read(r io.Reader, listening chan<- map[string]any, ended chan<- struct{}) {
	defer close(ended)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		s.mu.Lock()
		s.log.Write(append(lines.Bytes(), '\n'))
		s.mu.Unlock()
		var record map[string]any
		if json.Unmarshal(lines.Bytes(), &record) == nil && record["msg"] == "serving" {
			listening <- record
		}
	}
}

// text returns what the program wrote to stderr so far.
func (s *served) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// client returns a client that trusts the program; without h2 it opens a
// connection for each request.
func (s *served) client(t *testing.T, h2 bool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots}, ForceAttemptHTTP2: h2, DisableKeepAlives: !h2,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func get(client *http.Client, url string) (res *http.Response, body string, err error) {
	if res, err = client.Get(url); err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

func TestServeAnswersAndStops(t *testing.T) {
	var steps []string
	// The names of the development certificate are served whatever Hosts says.
	app := lineApp(fastness.Config{Hosts: []string{"api.example.com"}})
	fastness.ProvideApp(app, func(_ context.Context, in struct{ Settings fastness.Settings }) (*bytes.Buffer, func(error) error, error) {
		steps = append(steps, "open in "+filepath.Base(filepath.Dir(in.Settings.DataDir)))
		return new(bytes.Buffer), func(error) error { steps = append(steps, "close"); return nil }, nil
	})
	app.OnStop(func(context.Context) error { steps = append(steps, "stop"); return nil })
	s := serveLine(t, app)
	if !strings.HasPrefix(s.url, "https://localhost:") {
		t.Errorf("url is %s", s.url)
	}
	for path, want := range map[string]string{
		"/lines/7": `"id":7`, "/health/live": `{"status":"ok"}`, "/health/ready": `{"status":"ok"}`, "/docs": "<!", "/openapi.json": `"/lines"`,
	} {
		for _, h2 := range []bool{false, true} {
			res, body, err := get(s.client(t, h2), s.url+path)
			if err != nil || res.StatusCode != 200 || !strings.Contains(body, want) || res.ProtoMajor == 2 != h2 {
				t.Errorf("GET %s (HTTP/2 %v): %.100s (%v)", path, h2, body, err)
			}
		}
	}
	s.stop()
	if exit := <-s.exit; exit != 0 {
		t.Errorf("exit status %d: %s", exit, s.text())
	}
	if len(steps) != 3 || !strings.HasPrefix(steps[0], "open in TestServe") || steps[1] != "stop" || steps[2] != "close" {
		t.Errorf("steps %q", steps)
	}
	for _, part := range []string{`"msg":"request","method":"GET","route":"/lines/{id}"`, `"operations":2,"opt_outs":0`, `"docs":"https://localhost`, `"docs_hidden":""`, `"duration_ms":`, `"msg":"stopping","grace":"15s"`, `"msg":"stopped"`} {
		if !strings.Contains(s.text(), part) {
			t.Errorf("no %s in the log:\n%s", part, s.text())
		}
	}
}

// While the program stops, a load balancer must hear of it before it is refused,
// and whoever is being served gets an answer.
func TestReadinessTurns503BeforeTheListenerCloses(t *testing.T) {
	t.Parallel()
	app := lineApp(fastness.Config{})
	entered, release := make(chan struct{}), make(chan struct{})
	fastness.Get(app, "/slow", func(context.Context, struct{}) (string, error) {
		close(entered)
		<-release
		return "done", nil
	}, access.Public)
	s := serveLine(t, app, "--drain-delay", "2s", "--grace", "30s")
	client := s.client(t, false)
	slow := make(chan string, 1)
	go func() {
		_, body, err := get(client, s.url+"/slow")
		slow <- fmt.Sprint(body, err)
	}()
	<-entered
	s.stop()
	for {
		res, body, err := get(client, s.url+"/health/ready") // each time a new connection
		if err != nil {
			t.Fatalf("the listener closed before readiness was 503: %v", err)
		}
		if res.StatusCode == 503 {
			if !strings.Contains(body, `"code":"stopping"`) || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("not ready: %s", body)
			}
			break
		}
	}
	if res, body, err := get(client, s.url+"/health/live"); err != nil || res.StatusCode != 200 {
		t.Errorf("live while stopping: %s (%v)", body, err)
	}
	if res, body, err := get(client, s.url+"/lines/1"); err != nil || res.StatusCode != 200 {
		t.Errorf("a request while stopping: %s (%v)", body, err)
	}
	waitClosed(t, s.addr)
	close(release)
	if got := <-slow; got != `"done"<nil>` {
		t.Errorf("the request under way got %s", got)
	}
	if exit := <-s.exit; exit != 0 {
		t.Errorf("exit status %d: %s", exit, s.text())
	}
	if strings.Contains(s.text(), `"level":"ERROR"`) {
		t.Errorf("an error was logged:\n%s", s.text())
	}
}

// waitClosed waits until nobody listens on addr any longer.
func waitClosed(t *testing.T, addr string) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for range 2000 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = c.Close()
		<-look.C
	}
	t.Fatal("the listener does not close")
}

func TestStopUnderLoadLosesNoRequest(t *testing.T) {
	t.Parallel()
	app := lineApp(fastness.Config{})
	var began, answered atomic.Int64
	busy := make(chan struct{})
	fastness.Get(app, "/count", func(context.Context, struct{}) (int64, error) {
		n := began.Add(1)
		if n == 100 {
			close(busy)
		}
		return n, nil
	}, access.Public)
	s := serveLine(t, app)
	client := s.client(t, false)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for {
				res, _, err := get(client, s.url+"/count")
				if err != nil {
					return // refused, or cut before the request was read
				}
				if res.StatusCode != 200 {
					t.Errorf("status %d", res.StatusCode)
				}
				answered.Add(1)
			}
		})
	}
	<-busy
	s.stop()
	exit := <-s.exit
	workers.Wait()
	if exit != 0 || began.Load() != answered.Load() {
		t.Errorf("exit status %d; %d requests reached the handler, %d were answered: %s", exit, began.Load(), answered.Load(), s.text())
	}
}

// What the framing guard refuses is answered like everything else.
func TestSmuggledRequestIsRefusedInTheWordsOfTheApp(t *testing.T) {
	s := serveLine(t, lineApp(fastness.Config{Errors: fastness.FastAPIErrors}))
	c, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.roots, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	fmt.Fprint(c, "POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	id := res.Header.Get("X-Request-Id")
	if err != nil || res.StatusCode != 400 || !strings.HasPrefix(string(body), `{"detail":`) || id == "" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("status %d, header %v, body %s (%v)", res.StatusCode, res.Header, body, err)
	}
	s.stop()
	<-s.exit
	if !strings.Contains(s.text(), `"status":400`) || !strings.Contains(s.text(), id) {
		t.Errorf("the access log has no line:\n%s", s.text())
	}
}

func TestPlainHTTPIsAnOptOut(t *testing.T) {
	s := serveLine(t, lineApp(fastness.Config{}), "--insecure-plain-http", "a proxy on this machine ends TLS", "--drain-delay", "0s")
	res, body, err := get(s.client(t, false), s.url+"/lines/3")
	if err != nil || !strings.HasPrefix(s.url, "http://") || res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s: %s (%v)", s.url, body, err)
	}
	if res, _, err := get(s.client(t, false), s.url+"/docs"); err != nil || res.StatusCode != 404 {
		t.Errorf("the docs page is shown without a development certificate (%v)", err)
	}
	if !strings.Contains(s.text(), `"docs":"","docs_hidden":"shown with the development certificate or Docs: fastness.DocsPublic"`) {
		t.Errorf("the log does not say why there is no docs page:\n%s", s.text())
	}
	if !strings.Contains(s.text(), `"opt_outs":1`) || !strings.Contains(s.text(), "a proxy on this machine") {
		t.Errorf("the log does not say so:\n%s", s.text())
	}
}

func TestWhatKeepsAProgramFromServing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.pem")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a port that is taken", []string{"--addr", taken.Addr().String()}, []string{"address already in use", "choose another port with --addr"}},
		{"an address of another machine", []string{"--addr", "192.0.2.1:8443", "--insecure-plain-http", "test"}, []string{"192.0.2.1:8443", "with --addr"}},
		{"an open address without a certificate", []string{"--addr", "0.0.0.0:0"}, []string{"--tls-cert is empty and --addr is not loopback", "--insecure-development-certificate"}},
		{"a certificate that is not there", []string{"--tls-cert", "none.pem", "--tls-key", "none.pem"}, []string{"no such file", "Check the names given with --tls-cert"}},
		{"a certificate that is none", []string{"--cert", garbage, "--key", garbage}, []string{"--tls-cert and --tls-key: ", "PEM"}},
		{"a certificate without a key", []string{"--tls-cert", garbage}, []string{"of --tls-cert and --tls-key one is empty"}},
		{"a data folder that is a file", []string{"--data", garbage}, []string{"development certificate", "not a directory", "Choose with --data a folder"}},
		{"a data folder that cannot be made", []string{"--data", filepath.Join(dir, "no", "\x00")}, []string{"development certificate", "Choose with --data a folder"}},
		{"an address that is a port", []string{"--addr", "8000"}, []string{"want a host and a port: try 127.0.0.1:8000\n"}},
		{"an address without a host", []string{"--addr", ":8000"}, []string{"want a host: try 127.0.0.1:8000;"}},
		{"an address without a port", []string{"--addr", "localhost"}, []string{"want a host and a port: try 127.0.0.1:8443\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := lineApp(fastness.Config{})
			open := 0
			fastness.ProvideApp(app, func(context.Context, struct{}) (*bytes.Buffer, func(error) error, error) {
				open++
				return nil, func(error) error { open--; return nil }, nil
			})
			exit, _, stderr := runLine(t, app, append([]string{"--addr", "127.0.0.1:0", "--data", dir}, tt.args...)...)
			if exit != 1 || open != 0 || !strings.Contains(stderr, "lines: the server cannot start: ") {
				t.Errorf("exit status %d, %d values left open, stderr %q", exit, open, stderr)
			}
			for _, part := range tt.want {
				if !strings.Contains(stderr, part) {
					t.Errorf("stderr does not say %q:\n%s", part, stderr)
				}
			}
			if tt.args[0] == "--addr" && strings.Count(stderr, "--addr") > 2 || tt.args[0] == "--data" && strings.Contains(stderr, "Check the names") {
				t.Errorf("stderr says too much:\n%s", stderr)
			}
		})
	}
}

// With a certificate, or without TLS, an address without a host means all.
func TestAddressWithoutAHostNeedsNoMoreThanACertificate(t *testing.T) {
	s := serveLine(t, lineApp(fastness.Config{}), "--addr", ":0", "--insecure-plain-http", "test", "--drain-delay", "0s")
	if !strings.HasPrefix(s.url, "http://localhost:") {
		t.Errorf("url is %s", s.url)
	}
}

func TestProviderThatFailsKeepsTheProgramFromServing(t *testing.T) {
	app := lineApp(fastness.Config{})
	fastness.ProvideApp(app, func(context.Context, struct{}) (*bytes.Buffer, func(error) error, error) {
		return nil, nil, errors.New("the database does not answer")
	})
	exit, _, stderr := runLine(t, app, "--addr", "127.0.0.1:0", "--data", t.TempDir())
	if exit != 1 || !strings.Contains(stderr, "the database does not answer") {
		t.Errorf("exit status %d, stderr %q", exit, stderr)
	}
}

func TestLoggerOfTheAuthorIsKept(t *testing.T) {
	records, lines := io.Pipe()
	logged := make(chan string, 64)
	go func() {
		for scanner := bufio.NewScanner(records); scanner.Scan(); {
			logged <- scanner.Text()
		}
		close(logged)
	}()
	app := lineApp(fastness.Config{Logger: slog.New(slog.NewTextHandler(lines, nil))})
	ctx, stop := context.WithCancel(t.Context())
	app.OnStart(func(context.Context) error { stop(); return nil })
	var stderr bytes.Buffer
	exit := app.Run(ctx, []string{"lines", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "json"}, io.Discard, &stderr)
	_ = lines.Close()
	all := ""
	for line := range logged {
		all += line
	}
	if exit != 0 || stderr.Len() != 0 || !strings.Contains(all, "msg=serving") || !strings.Contains(all, "msg=stopping") {
		t.Errorf("exit status %d, stderr %q, log %q", exit, stderr.String(), all)
	}
}

func TestWelcomeIsForPeople(t *testing.T) {
	app := lineApp(fastness.Config{InsecureAnyHost: "test"})
	ctx, stop := context.WithCancel(t.Context())
	app.OnStart(func(context.Context) error { stop(); return nil })
	var stderr lockedBuffer
	exit := app.Run(ctx, []string{"lines", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "text"}, io.Discard, &stderr)
	if exit != 0 {
		t.Errorf("exit status %d", exit)
	}
	for _, part := range []string{"Lines 1.2.0\n", "  API          https://localhost:", "/docs\n", "2, listed by: lines routes\n", "1, explained by: lines audit\n", "ca.pem", "use HTTPS for localhost", "msg=stopping grace=15s\n", "msg=stopped\n"} {
		if !strings.Contains(stderr.String(), part) {
			t.Errorf("no %q in\n%s", part, stderr.String())
		}
	}
}

func TestWelcomeSaysWhyTheDocsAreHidden(t *testing.T) {
	for _, tt := range []struct {
		name string
		docs fastness.DocsPolicy
		want string
	}{
		{"those of development", fastness.DocsInDevelopment, "  Docs        hidden here, shown with the development certificate or Docs: fastness.DocsPublic\n"},
		{"those for strangers", fastness.DocsPublic, "  Docs        http://localhost:"},
		{"those that are off", fastness.DocsOff, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := lineApp(fastness.Config{Docs: tt.docs})
			ctx, stop := context.WithCancel(t.Context())
			app.OnStart(func(context.Context) error { stop(); return nil })
			var stderr lockedBuffer
			args := []string{"lines", "--addr", "127.0.0.1:0", "--log-format", "text", "--insecure-plain-http", "test", "--drain-delay", "0s"}
			if exit := app.Run(ctx, args, io.Discard, &stderr); exit != 0 {
				t.Errorf("exit status %d", exit)
			}
			if text := stderr.String(); !strings.Contains(text, tt.want) || strings.Contains(text, "  Docs ") != (tt.want != "") {
				t.Errorf("want %q in\n%s", tt.want, text)
			}
		})
	}
}

// lockedBuffer is a buffer that may be written to concurrently, as stderr is.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
