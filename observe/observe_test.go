package observe_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/fastness/fastness/observe"
)

// serve answers r with handler inside observe.Handler. aborted says whether the
// connection would be cut.
func serve(t *testing.T, cfg observe.Config, r *http.Request, handler http.HandlerFunc) (w *httptest.ResponseRecorder, lines []map[string]any, aborted bool) {
	t.Helper()
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	w = httptest.NewRecorder()
	func() {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler {
					t.Errorf("panic %v leaves the handler", v)
				}
				aborted = true
			}
		}()
		observe.Handler(cfg)(handler).ServeHTTP(w, r)
	}()
	return w, parseLines(t, log.Bytes()), aborted
}

func parseLines(t *testing.T, log []byte) (lines []map[string]any) {
	t.Helper()
	for scanner := bufio.NewScanner(bytes.NewReader(log)); scanner.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("line %q: %v", scanner.Text(), err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestOneLinePerRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		var seen string
		mux.HandleFunc("POST /items/{id}", func(w http.ResponseWriter, r *http.Request) {
			seen = observe.ID(r.Context())
			time.Sleep(1500 * time.Millisecond) // the bubble's clock
			w.WriteHeader(201)
			fmt.Fprint(w, "hello")
		})
		r := httptest.NewRequest("POST", "/items/a%20b?token=canary-in-query", strings.NewReader("canary-in-body"))
		r.Header.Set("User-Agent", "curl/8")
		r.Header.Set("Authorization", "Bearer canary-in-header")
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("X-Request-Id", "forged")
		r.RemoteAddr = "[::ffff:192.0.2.7]:999"
		w, lines, _ := serve(t, observe.Config{}, r, mux.ServeHTTP)
		if len(lines) != 1 {
			t.Fatalf("%d lines: %v", len(lines), lines)
		}
		id := w.Header().Get("X-Request-Id")
		if len(id) != 32 || id != seen {
			t.Errorf("X-Request-Id %q, in the context %q", id, seen)
		}
		delete(lines[0], "time")
		want := map[string]any{
			"level": "INFO", "msg": "request", "method": "POST", "route": "POST /items/{id}", "path": "/items/a%20b", "status": 201.0, "bytes": 5.0,
			"duration_ms": 1500.0, "client": "192.0.2.7", "user_agent": "curl/8", "request_id": id,
		}
		if fmt.Sprint(lines[0]) != fmt.Sprint(want) {
			t.Errorf("line %v\nwant %v", lines[0], want)
		}
		if strings.Contains(fmt.Sprint(lines), "canary") {
			t.Errorf("a secret is in the log: %v", lines)
		}
	})
}

func TestAccessLineOfCommonAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, method  string
		handler       http.HandlerFunc
		status, bytes float64
	}{
		{"a handler that writes nothing answers 200", "GET", func(w http.ResponseWriter, r *http.Request) {}, 200, 0},
		{"a body without a status is 200", "GET", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "abc") }, 200, 3},
		{"the first status counts", "GET", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0},
		{"early hints are not the status", "GET", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(204) }, 204, 0},
		{"HEAD sends no body", "HEAD", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "abc") }, 200, 0},
		{"a string is counted", "GET", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "abcd") }, 200, 4},
		{"a copy is counted", "GET", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, strings.NewReader("abcde")) }, 200, 5},
		{"a flush starts the answer", "GET", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.WriteHeader(500)
		}, 200, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, lines, aborted := serve(t, observe.Config{}, httptest.NewRequest(tt.method, "/", nil), tt.handler)
			if aborted || len(lines) != 1 || lines[0]["status"] != tt.status || lines[0]["bytes"] != tt.bytes {
				t.Errorf("lines %v, want status %v and %v bytes", lines, tt.status, tt.bytes)
			}
		})
	}
}

const hostile = "a\r\nb\x1b[31mred\x00\u202etxt.exe\u2028\u2029\u200b\x7f\u0085\xff\\u202e\"end"

func unprintable(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }

// Whatever is in the path, the method or the user agent, one request is
// one line of printable text, in both formats of slog.
func TestForgedLogLinesAreEscaped(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Method = "GET" + hostile
	r.URL.Path = "/" + hostile
	r.Header["User-Agent"] = []string{hostile}
	r.Header["X-Request-Id"] = []string{hostile}
	r.RemoteAddr = hostile
	for name, format := range map[string]func(io.Writer) slog.Handler{
		"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
	} {
		for _, fault := range []any{nil, hostile, errors.New(hostile)} {
			var log bytes.Buffer
			observe.Handler(observe.Config{Logger: slog.New(format(&log))})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				if fault != nil {
					panic(fault)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
			want := 1
			if fault != nil {
				want = 2
			}
			text := strings.TrimSuffix(log.String(), "\n")
			if n := len(strings.Split(text, "\n")); n != want {
				t.Errorf("%s, panic %v: %d lines, want %d: %q", name, fault, n, want, text)
			}
			if i := strings.IndexFunc(strings.ReplaceAll(text, "\n", ""), unprintable); i >= 0 {
				t.Errorf("%s: byte %d of %q is not printable", name, i, text)
			}
			if name == "JSON" {
				for _, line := range parseLines(t, log.Bytes()) {
					for key, value := range line {
						s, _ := value.(string)
						if key != "stack" && strings.ContainsFunc(s, unprintable) {
							t.Errorf("%s = %q is harmful once it is decoded", key, s)
						}
					}
				}
			}
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	r := httptest.NewRequest("GET", "/"+strings.Repeat("a", 100_000), nil)
	r.Header.Set("User-Agent", strings.Repeat("\u202e", 100_000))
	_, lines, _ := serve(t, observe.Config{}, r, func(http.ResponseWriter, *http.Request) { panic(strings.Repeat("x", 1<<20)) })
	for _, line := range lines {
		for _, key := range []string{"path", "user_agent", "panic"} {
			if s, _ := line[key].(string); len(s) > 1024+len("…") || line[key] != nil && !strings.HasSuffix(s, "…") {
				t.Errorf("%s has %d bytes: %.20q", key, len(s), s)
			}
		}
	}
}

func TestPanicIsAnOpaque500AndALogLine(t *testing.T) {
	r := httptest.NewRequest("GET", "/x", nil)
	w, lines, aborted := serve(t, observe.Config{}, r, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=half-a-login")
		w.Header().Set("Content-Length", "3")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		panic("dsn canary")
	})
	body := w.Body.String()
	if aborted || w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("answer %d %v, aborted %v", w.Code, w.Header(), aborted)
	}
	for _, name := range []string{"Set-Cookie", "Content-Length", "ETag"} {
		if w.Header().Get(name) != "" {
			t.Errorf("%s of the failed answer is sent", name)
		}
	}
	if strings.Contains(body, "canary") || strings.Contains(body, ".go") || !strings.Contains(body, w.Header().Get("X-Request-Id")) {
		t.Errorf("body %s", body)
	}
	if len(lines) != 2 || lines[0]["level"] != "ERROR" || lines[0]["panic"] != "dsn canary" ||
		lines[0]["request_id"] != w.Header().Get("X-Request-Id") || lines[1]["status"] != 500.0 {
		t.Fatalf("lines %v", lines)
	}
	if stack := lines[0]["stack"].(string); !strings.Contains(stack, "TestPanicIsAnOpaque500AndALogLine") {
		t.Errorf("the stack does not lead to the panic:\n%s", stack)
	}
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"status": func(w http.ResponseWriter) { w.WriteHeader(200) },
		"body":   func(w http.ResponseWriter) { fmt.Fprint(w, `{"items":[`) },
		"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		w, lines, aborted := serve(t, observe.Config{}, httptest.NewRequest("GET", "/", nil), func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			panic("late")
		})
		if !aborted || strings.Contains(w.Body.String(), "Internal") || len(lines) != 2 || lines[0]["panic"] != "late" || lines[1]["aborted"] != true {
			t.Errorf("%s: aborted %v, body %q, lines %v", name, aborted, w.Body, lines)
		}
	}
}

func TestErrAbortHandlerIsPassedOnWithoutAStack(t *testing.T) {
	_, lines, aborted := serve(t, observe.Config{}, httptest.NewRequest("GET", "/", nil), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if !aborted || len(lines) != 1 || lines[0]["msg"] != "request" || lines[0]["aborted"] != true {
		t.Errorf("aborted %v, lines %v", aborted, lines)
	}
}

func TestRequestIDOfTheClient(t *testing.T) {
	for _, tt := range []struct {
		name, reason, sent string
		kept               bool
	}{
		{"it is ignored by default", "", "abc", false},
		{"it is kept with a reason", "the gateway sets it", "Abc-1_2.3", true},
		{"an empty one is replaced", "the gateway sets it", "", false},
		{"one with a line break is replaced", "the gateway sets it", "a\r\nb", false},
		{"one with a quotation mark is replaced", "the gateway sets it", `a"b`, false},
		{"one that is too long is replaced", "the gateway sets it", strings.Repeat("a", 65), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = []string{tt.sent}
			w, lines, _ := serve(t, observe.Config{InsecureTrustRequestID: tt.reason}, r, func(http.ResponseWriter, *http.Request) {})
			id := w.Header().Get("X-Request-Id")
			if (id == tt.sent) != tt.kept || !tt.kept && len(id) != 32 || lines[0]["request_id"] != id {
				t.Errorf("id %q, sent %q", id, tt.sent)
			}
		})
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Request-Id"] = []string{"a", "b"}
	w, _, _ := serve(t, observe.Config{InsecureTrustRequestID: "test"}, r, func(http.ResponseWriter, *http.Request) {})
	if id := w.Header().Get("X-Request-Id"); len(id) != 32 {
		t.Errorf("of two ids %q was kept", id)
	}
}

func TestClientAddrIsTheCallers(t *testing.T) {
	cfg := observe.Config{ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("203.0.113.5") }}
	_, lines, _ := serve(t, cfg, httptest.NewRequest("GET", "/", nil), func(http.ResponseWriter, *http.Request) {})
	if lines[0]["client"] != "203.0.113.5" {
		t.Errorf("client %v", lines[0]["client"])
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "@"
	_, lines, _ = serve(t, observe.Config{}, r, func(http.ResponseWriter, *http.Request) {})
	if lines[0]["client"] != "" {
		t.Errorf("client of a Unix socket %v", lines[0]["client"])
	}
}

// Over real HTTP: what the server's writer can do is still within reach.
func TestRecorderHidesNothingOfTheWriter(t *testing.T) {
	var log bytes.Buffer
	done := make(chan struct{}, 4)
	wrap := observe.Handler(observe.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	mux := http.NewServeMux()
	mux.HandleFunc("/deadline", func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetWriteDeadline(time.Now().Add(time.Minute)), c.EnableFullDuplex(), c.Flush()); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { done <- struct{}{} }()
		wrap(mux).ServeHTTP(w, r)
	}))
	defer server.Close()
	for _, path := range []string{"/deadline", "/hijack"} {
		resp, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		<-done
	}
	lines := parseLines(t, log.Bytes())
	if len(lines) != 2 || lines[0]["status"] != 200.0 || lines[1]["status"] != 101.0 {
		t.Errorf("lines %v", lines)
	}
	w := observe.Record(struct{ http.ResponseWriter }{httptest.NewRecorder()})
	if _, _, err := w.Hijack(); !errors.Is(err, http.ErrNotSupported) || w.Started() {
		t.Errorf("Hijack without support: %v, started %v", err, w.Started())
	}
	if err := w.FlushError(); !errors.Is(err, http.ErrNotSupported) || w.Started() {
		t.Errorf("Flush without support: %v, started %v", err, w.Started())
	}
}

func TestDisabledLevelLogsNothing(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	observe.Handler(observe.Config{Logger: logger})(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if log.Len() > 0 {
		t.Errorf("log %q", log.String())
	}
}

func TestContextWithoutAnIDHasNone(t *testing.T) {
	if id := observe.ID(context.Background()); id != "" {
		t.Errorf("ID = %q", id)
	}
}

// A number without a unit is read wrongly by somebody.
func TestDurationIsInMillisecondsInTextAndJSON(t *testing.T) {
	for _, tt := range []struct {
		duration time.Duration
		want     string
	}{
		{0, "0"},
		{400 * time.Nanosecond, "0"},
		{1600 * time.Nanosecond, "0.002"},
		{1234567 * time.Nanosecond, "1.235"},
		{1500 * time.Microsecond, "1.5"},
		{2 * time.Millisecond, "2"},
		{999_999_999 * time.Microsecond, "999999.999"},
		{1_000_000_400 * time.Microsecond, "1000000"},
		{time.Hour, "3600000"},
	} {
		var asText, asJSON bytes.Buffer
		line := observe.Access{Duration: tt.duration}
		line.Log(t.Context(), slog.New(slog.NewTextHandler(&asText, nil)))
		line.Log(t.Context(), slog.New(slog.NewJSONHandler(&asJSON, nil)))
		if !strings.Contains(asText.String(), " duration_ms="+tt.want+" ") || !strings.Contains(asJSON.String(), `"duration_ms":`+tt.want+",") {
			t.Errorf("%v: want %s in\n%s%s", tt.duration, tt.want, asText.String(), asJSON.String())
		}
	}
}
