package scan_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

// long says that the tests take as long as they need: make scan-hostile.
func long() bool { return os.Getenv("FASTNESS_SCAN_HOSTILE") != "" }

// things is the document of an API that hostile targets claim to be.
const things = `{"openapi": "3.1.0", "info": {"title": "Things", "version": "1"},
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {
"/things": {"get": {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}, {"name": "q", "in": "query", "schema": {"type": "string"}}], "responses": {"200": {"description": "all"}}},
	"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["name"],
	"properties": {"name": {"type": "string"}, "price": {"type": "number"}, "quantity": {"type": "integer"}, "picture_url": {"type": "string", "format": "uri"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/things/{id}": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
	"get": {"responses": {"200": {"description": "it"}}}, "put": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}}}}, "responses": {"200": {"description": "changed"}}},
	"delete": {"responses": {"204": {"description": "gone"}}}},
"/coupons/redeem": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"code": {"type": "string"}}}}}}, "responses": {"200": {"description": "done"}}}},
"/me": {"get": {"responses": {"200": {"description": "the caller"}}}}}}`

// within scans a target and wants the scan to end within its time, with a report that can be
// written in all formats and does nothing to a terminal.
func within(t *testing.T, c scan.Config) *report.Report {
	t.Helper()
	c.Text, c.Seed = []byte(things), 7
	c.Users = []scan.User{{Name: "alice", Token: "alices-key"}, {Name: "bob", Token: "bobs-key"}}
	if c.MaxTime == 0 {
		c.MaxTime = time.Second
		if long() {
			c.MaxTime = time.Minute
		}
	}
	if c.Timeout == 0 {
		c.Timeout = time.Second
	}
	begun := time.Now()
	r, err := scan.Run(context.Background(), c)
	if took := time.Since(begun); took > c.MaxTime+15*time.Second {
		t.Errorf("it took %v, of %v", took, c.MaxTime)
	}
	if err != nil {
		t.Logf("no scan: %v", err)
		if strings.ContainsRune(err.Error(), '\x1b') {
			t.Error("the error has control characters")
		}
		return nil
	}
	d := r.Publish()
	for _, format := range []report.Format{report.Terminal, report.JSON, report.SARIF, report.JUnit, report.HTML} {
		var out bytes.Buffer
		if err := report.Write(&out, format, d, report.Options{}); err != nil {
			t.Errorf("%v: %v", format, err)
		}
		if i := bytes.IndexAny(out.Bytes(), "\x1b\x07\x9b"); i >= 0 && bytes.ContainsRune(out.Bytes(), '\x1b') {
			t.Errorf("%v has control characters: %q", format, out.Bytes()[max(0, i-20):min(out.Len(), i+20)])
		}
		if out.Len() > 20<<20 {
			t.Errorf("%v has %d bytes", format, out.Len())
		}
	}
	t.Logf("%d requests in %v, stopped: %q, %d findings", r.Requests, time.Since(begun).Round(time.Millisecond), r.Stopped, len(r.Findings))
	return r
}

// none wants no proof of anything that does much harm: the target is none that has users or
// objects.
func none(t *testing.T, r *report.Report, but ...string) {
	t.Helper()
	if r == nil {
		t.Fatal("there is no report")
	}
	for _, f := range r.Findings {
		if f.Proven && f.Severity >= finding.Medium && !slices.Contains(but, f.Kind.ID) {
			t.Errorf("%s %s at %s: %s", f.Severity, f.Kind.ID, f.Places[0], f.Claim)
		}
	}
}

// serve starts a target.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// patience waits so long, or until the request is over.
func patience(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func TestHostileTargetsEndWithAReport(t *testing.T) {
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for range 64 {
			_, _ = z.Write(make([]byte, 1<<20))
		}
		_ = z.Close()
		return b.Bytes()
	}()
	deep := strings.Repeat(`{"a":[`, 20_000)
	var turns atomic.Int64
	for name, h := range map[string]http.HandlerFunc{
		"a body without end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 64<<10)); err != nil {
					return
				}
			}
		},
		"a body that drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				patience(r, 50*time.Millisecond)
			}
		},
		"no answer": func(_ http.ResponseWriter, r *http.Request) { patience(r, time.Minute) },
		"redirects in a circle": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, fmt.Sprintf("/things/%d", turns.Add(1)), http.StatusFound)
		},
		"redirects to another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"a bomb of gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bomb)
		},
		"nested without end": func(w http.ResponseWriter, _ *http.Request) { say(w, 200, deep) },
		"control characters": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Note", "\x1b[2J\x1b]0;owned\x07")
			w.Header().Set("Server", "\x1b[31m")
			out, _ := json.Marshal(map[string]any{"id": 1, "name": "\x1b[2J\x1b]0;owned\x07", "query": r.URL.RawQuery})
			say(w, 200, string(out)+"\x1b[2J")
		},
		"not text":           func(w http.ResponseWriter, _ *http.Request) { say(w, 200, "\xff\xfe\x00{\"id\":1}\xc3") },
		"401 for everything": func(w http.ResponseWriter, _ *http.Request) { say(w, 401, `{"error":"who are you?"}`) },
		"403 for everything": func(w http.ResponseWriter, _ *http.Request) { say(w, 403, `{"error":"no"}`) },
		"404 for everything": func(w http.ResponseWriter, _ *http.Request) { say(w, 404, `{"error":"nothing here"}`) },
		"429 for everything": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			say(w, 429, `{"error":"later"}`)
		},
		"500 for everything":        func(w http.ResponseWriter, _ *http.Request) { say(w, 500, `{"error":"oops"}`) },
		"200 and ok for everything": func(w http.ResponseWriter, _ *http.Request) { say(w, 200, `{"status":"ok"}`) },
		"200 and a page for everything": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>App</title><div id=root></div>")
		},
		"200 and an object for everything": func(w http.ResponseWriter, _ *http.Request) {
			say(w, 200, `{"id":1,"name":"Swan","owner":"alice","price":12.5,"quantity":1,"balance":100,"items":[{"id":1},{"id":2}]}`)
		},
		"an echo of everything": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			out, _ := json.Marshal(map[string]any{"method": r.Method, "path": r.URL.Path, "query": r.URL.RawQuery, "headers": r.Header, "body": string(body)})
			say(w, 200, string(out))
		},
		"random answers": func(w http.ResponseWriter, _ *http.Request) {
			status := []int{200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503}[rand.IntN(14)]
			if status == 204 {
				w.WriteHeader(status)
				return
			}
			say(w, status, fmt.Sprintf(`{"id":%d,"name":"%x","total":%d.5}`, rand.IntN(1000), rand.Uint64(), rand.IntN(100)))
		},
		"slow": func(w http.ResponseWriter, r *http.Request) {
			patience(r, 100*time.Millisecond)
			say(w, 200, `{"id":1}`)
		},
		"it closes": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a long header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("a", 300<<10))
			say(w, 200, `{}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !long() {
				t.Parallel()
			}
			before := runtime.NumGoroutine()
			none(t, within(t, scan.Config{Target: serve(t, h)}), "SC-01") // That it fails is true.
			if long() {
				settled(t, before)
			}
		})
	}
}

// settled wants what a scan has started to end.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before+8 { // The server of the test has some.
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestTargetWithABadCertificateIsNotScanned(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); say(w, 200, `{}`) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	if within(t, scan.Config{Target: s.URL}) != nil {
		t.Error("there is a report of a target that cannot be talked to")
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests were sent to who knows whom", asked.Load())
	}
	if r := within(t, scan.Config{Target: s.URL, InsecureCertificates: "a test"}); r == nil || asked.Load() == 0 {
		t.Error("with a reason it is not scanned, either")
	}
}

func TestTargetThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // Nobody is there now.
	if within(t, scan.Config{Target: "http://" + l.Addr().String()}) != nil {
		t.Error("there is a report of nobody")
	}
}

func TestTargetThatDiesEndsTheScan(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 100 {
			go l.Close()
		}
		if served.Load() >= 100 {
			panic(http.ErrAbortHandler)
		}
		say(w, 200, `{"id":1}`)
	})}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	r := within(t, scan.Config{Target: "http://" + l.Addr().String(), MaxTime: time.Minute})
	none(t, r)
	if r.Stopped == "" {
		t.Error("the report does not say why it ended")
	}
}

func TestTargetThatComesBackIsScannedOn(t *testing.T) {
	t.Parallel()
	var served, after atomic.Int64
	gone := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1) == 100 {
			close(gone)
		}
		if served.Load() > 100 {
			after.Add(1)
		}
		say(w, 200, `{"id":1}`)
	})
	first := &http.Server{Handler: h}
	go func() { _ = first.Serve(l) }()
	second := &http.Server{Handler: h}
	defer second.Close()
	go func() {
		<-gone
		_ = first.Close()
		time.Sleep(500 * time.Millisecond)
		again, err := net.Listen("tcp", l.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		_ = second.Serve(again)
	}()
	r := within(t, scan.Config{Target: "http://" + l.Addr().String(), MaxTime: 20 * time.Second})
	none(t, r)
	if after.Load() < 100 {
		t.Errorf("%d requests since it is back; stopped: %q", after.Load(), r.Stopped)
	}
}
