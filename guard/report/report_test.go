package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fastness/fastness/guard/report"
	"github.com/fastness/fastness/problem"
)

const (
	oneReport  = "application/csp-report"
	manyOfThem = "application/reports+json"
)

// world is a sink, its log and its clock.
type world struct {
	sink *report.Sink
	log  bytes.Buffer
	now  time.Time
}

func open(t testing.TB, cfg report.Config) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	cfg.Logger = slog.New(slog.NewJSONHandler(&w.log, nil))
	cfg.Now = func() time.Time { return w.now }
	var err error
	if w.sink, err = report.New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) send(from, media, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/csp-reports", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	r.RemoteAddr = from
	answer := httptest.NewRecorder()
	w.sink.ServeHTTP(answer, r)
	return answer
}

// lines returns the lines of the log since the last call.
func (w *world) lines(t testing.TB) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(w.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		delete(line, "time")
		lines = append(lines, line)
	}
	w.log.Reset()
	return lines
}

const here = "192.0.2.1:1234"

// What Chromium 131 and Firefox 132 sent, with other names.
const (
	chromium = `[{"age":2,"body":{"blockedURL":"https://evil.example/x.js?a=b","columnNumber":39,"disposition":"enforce","documentURL":"https://shop.example/cart?token=s3cret#top",
		"effectiveDirective":"script-src-elem","lineNumber":121,"originalPolicy":"default-src 'none'; report-to csp","referrer":"https://www.google.com/?q=s3cret","sample":"console.log(\"s3cret\")",
		"sourceFile":"https://user:s3cret@shop.example/app.js?v=s3cret","statusCode":200},"type":"csp-violation","url":"https://shop.example/cart?token=s3cret","user_agent":"Mozilla/5.0 s3cret"}]`
	firefox = `{"csp-report":{"blocked-uri":"inline","column-number":1,"disposition":"enforce","document-uri":"https://shop.example/cart?token=s3cret","effective-directive":"style-src-attr",
		"line-number":7,"original-policy":"default-src 'none'; report-uri https://shop.example/csp-reports","referrer":"https://x.example/s3cret?s3cret","source-file":"https://shop.example/app.js?s3cret","status-code":200,"violated-directive":"style-src-attr"}}`
)

func TestReportsOfBrowsersBecomeLines(t *testing.T) {
	for _, tt := range []struct {
		name, media, body, want string
	}{
		{"Chromium", manyOfThem, chromium, `{"blocked":"https://evil.example/x.js","column":39,"directive":"script-src-elem","disposition":"enforce","document":"https://shop.example/cart","level":"WARN","line":121,"msg":"policy violation","source":"https://shop.example/app.js","type":"csp-violation"}`},
		{"Firefox", oneReport + "; charset=utf-8", firefox, `{"blocked":"inline","column":1,"directive":"style-src-attr","disposition":"enforce","document":"https://shop.example/cart","level":"WARN","line":7,"msg":"policy violation","source":"https://shop.example/app.js","type":"csp-violation"}`},
		{"an old browser", "Application/CSP-Report", `{"csp-report":{"document-uri":"http://a.example","violated-directive":"img-src 'self' https://b.example","blocked-uri":"data","line-number":null}}`,
			`{"blocked":"data","column":0,"directive":"img-src","disposition":"","document":"http://a.example","level":"WARN","line":0,"msg":"policy violation","source":"","type":"csp-violation"}`},
		{"one report by itself", manyOfThem, ` {"type":"coep","url":"https://a.example/b?c","body":{"blockedURL":"https://x.example/s3cret"}}`,
			`{"blocked":"","column":0,"directive":"","disposition":"","document":"https://a.example/b","level":"WARN","line":0,"msg":"policy violation","source":"","type":"coep"}`},
	} {
		w := open(t, report.Config{})
		answer := w.send(here, tt.media, tt.body)
		if answer.Code != 204 || answer.Body.Len() > 0 {
			t.Errorf("%s: %d %s", tt.name, answer.Code, answer.Body)
		}
		if strings.Contains(w.log.String(), "s3cret") {
			t.Errorf("%s: the log has the secret: %s", tt.name, w.log.String())
		}
		lines := w.lines(t)
		if got, _ := json.Marshal(lines); string(got) != "["+tt.want+"]" {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}

func TestAPlaceThatIsNoneIs0(t *testing.T) {
	for place, want := range map[string]float64{"7": 7, "-7": 0, "2147483648": 0, "1e3": 0, "1.5": 0, `"7"`: 0, "null": 0, "[7]": 0, "99999999999999999999": 0} {
		w := open(t, report.Config{})
		w.send(here, oneReport, `{"csp-report":{"line-number":`+place+`}}`)
		if lines := w.lines(t); len(lines) != 1 || lines[0]["line"] != want {
			t.Errorf("line %s: %v, want %v", place, lines, want)
		}
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	big := `{"csp-report":{"document-uri":"` + strings.Repeat("a", 64<<10) + `"}}`
	for _, tt := range []struct {
		name, method, media, body string
		status                    int
	}{
		{"a GET", "GET", oneReport, firefox, 405},
		{"JSON", "POST", "application/json", firefox, 415},
		{"a form", "POST", "application/x-www-form-urlencoded", firefox, 415},
		{"text", "POST", "text/plain", firefox, 415},
		{"no type", "POST", "", firefox, 415},
		{"another format", "POST", oneReport, chromium, 400},
		{"nothing", "POST", oneReport, "", 400},
		{"an empty object", "POST", oneReport, "{}", 400},
		{"an empty list", "POST", manyOfThem, "[]", 400},
		{"null", "POST", manyOfThem, "null", 400},
		{"two objects", "POST", manyOfThem, "{}{}", 400},
		{"half of one", "POST", oneReport, firefox[:len(firefox)/2], 400},
		{"a list where a text belongs", "POST", oneReport, `{"csp-report":{"document-uri":["https://a.example"]}}`, 400},
		{"a deep one", "POST", manyOfThem, strings.Repeat("[", 60000), 400},
		{"a big one", "POST", oneReport, big, 413},
		{"a big list", "POST", manyOfThem, "[" + strings.Repeat(" ", 64<<10), 413},
	} {
		w := open(t, report.Config{})
		r := httptest.NewRequest(tt.method, "/", strings.NewReader(tt.body))
		r.Header["Content-Type"] = []string{tt.media}
		for _, length := range []int64{r.ContentLength, -1} {
			r.ContentLength = length
			r.Body = io.NopCloser(strings.NewReader(tt.body))
			answer := httptest.NewRecorder()
			w.sink.ServeHTTP(answer, r)
			if answer.Code != tt.status || answer.Header().Get("Content-Type") != problem.MediaType || strings.Contains(answer.Body.String(), "example") {
				t.Errorf("%s: %d %s, want %d", tt.name, answer.Code, answer.Body, tt.status)
			}
		}
		if lines := w.lines(t); len(lines) > 0 {
			t.Errorf("%s: %v", tt.name, lines)
		}
	}
	w := open(t, report.Config{})
	r := httptest.NewRequest("POST", "/", strings.NewReader(firefox))
	r.Header = http.Header{"Content-Type": {oneReport}, "Content-Encoding": {"gzip"}}
	if p := problem.From(w.sink.Take(r)); p.Status != 415 {
		t.Errorf("a compressed one: %d", p.Status)
	}
}

func TestABodyThatIsTooLongIsNotRead(t *testing.T) {
	body := &endless{}
	r := httptest.NewRequest("POST", "/", body)
	r.Header.Set("Content-Type", oneReport)
	if p := problem.From(open(t, report.Config{}).sink.Take(r)); p.Status != 413 || body.read > 128<<10 {
		t.Errorf("status %d after %d bytes", p.Status, body.read)
	}
	body.read, r.ContentLength = 0, 64<<10+1
	if p := problem.From(open(t, report.Config{}).sink.Take(r)); p.Status != 413 || body.read > 0 {
		t.Errorf("of a length that is known: status %d after %d bytes", p.Status, body.read)
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestForgedLinesAndSecretsAreKeptOut(t *testing.T) {
	for _, hostile := range []string{
		"https://a.example/\r\nlevel=ERROR msg=forged", "https://a.example/\x1b[2J", "https://a.example/\u202egnp.exe", "https://a.example/\u2028x", "https://a.example/\x00",
		"https://" + strings.Repeat("a", 5000) + "/", "https://a.example/" + strings.Repeat("%0a", 900), "javascript:alert('s3cret')", "data:text/html,s3cret", "blob:https://a.example/s3cret",
		"https://s3cret@a.example/", "https://u:s3cret@a.example/?s3cret#s3cret", "//s3cret@a.example/?s3cret", "https:s3cret", "s3cret word", "https://a.example/%zz?s3cret", strings.Repeat("s", 50) + ":x", strings.Repeat("s", 500), strings.Repeat("s", 500) + ":x",
		"https://[::1/s3cret", "chrome-extension://abc/s3cret", "\u202e:x",
	} {
		text, err := json.Marshal(hostile)
		if err != nil {
			t.Fatal(err)
		}
		for media, body := range map[string]string{
			oneReport:  fmt.Sprintf(`{"csp-report":{"document-uri":%s,"blocked-uri":%[1]s,"source-file":%[1]s,"effective-directive":%[1]s,"disposition":%[1]s,"line-number":%[1]s,"script-sample":%[1]s}}`, text),
			manyOfThem: fmt.Sprintf(`[{"type":"csp-violation","url":%s,"user_agent":%[1]s,"body":{"documentURL":%[1]s,"blockedURL":%[1]s,"sourceFile":%[1]s,"effectiveDirective":%[1]s,"disposition":%[1]s,"sample":%[1]s}},{"type":%[1]s,"url":%[1]s}]`, text),
		} {
			w := open(t, report.Config{})
			if code := w.send(here, media, body).Code; code != 204 {
				t.Errorf("%.99q: %d", hostile, code)
			}
			if log := w.log.String(); strings.Contains(log, "s3cret") || strings.ContainsFunc(log, func(r rune) bool { return r != '\n' && (r < ' ' || r == 0x202e || r == 0x2028) }) || len(log) > 3500 {
				t.Errorf("%.99q: %d bytes: %.2000s", hostile, len(log), log)
			}
			for _, line := range w.lines(t) {
				for name, value := range line {
					if text, ok := value.(string); ok && (!printable(text) || len(text) > 310) {
						t.Errorf("%q: %s is %q", hostile, name, text)
					}
				}
			}
		}
	}
}

// printable reports whether a text prints as itself.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0x2028 || r == utf8.RuneError })
}

func TestTwentyReportsOfABodyCount(t *testing.T) {
	w := open(t, report.Config{})
	body := "[" + strings.Repeat(`{"type":"csp-violation","url":"https://a.example"},`, 29) + `{"type":"csp-violation"}]`
	if code := w.send(here, manyOfThem, body).Code; code != 204 {
		t.Fatal(code)
	}
	lines := w.lines(t)
	if len(lines) != 21 || lines[20]["number"] != 10.0 || lines[20]["msg"] != "policy violations left out" {
		t.Errorf("%d lines, the last is %v", len(lines), lines[len(lines)-1])
	}
}

func TestAFloodIsBounded(t *testing.T) {
	w := open(t, report.Config{PerMinute: 5})
	send := func(from string) int { return w.send(from, oneReport, firefox).Code }
	for i := range 8 {
		if code, want := send(here), map[bool]int{true: 204, false: 429}[i < 5]; code != want {
			t.Errorf("report %d: %d, want %d", i+1, code, want)
		}
	}
	if code := send("192.0.2.1:9999"); code != 429 {
		t.Errorf("another port of the client: %d", code)
	}
	for i := range 5 {
		if code := send(fmt.Sprintf("[2001:db8::%d]:1", i)); code != 204 {
			t.Errorf("another client: %d", code)
		}
	}
	if code := send("[2001:db8::ffff]:1"); code != 429 {
		t.Errorf("another address of the same network: %d", code)
	}
	if code := send("[::ffff:192.0.2.1]:1"); code != 429 {
		t.Errorf("the first client by another spelling: %d", code)
	}
	sent := 10
	for i := range 60 { // Strangers by the dozen: together they get fifty.
		if send(fmt.Sprintf("198.51.100.%d:1", i)) == 204 {
			sent++
		}
	}
	if lines := w.lines(t); sent != 50 || len(lines) != 50 {
		t.Errorf("%d reports are taken and %d lines written, want 50", sent, len(lines))
	}
	w.now = w.now.Add(time.Minute)
	if code := send(here); code != 204 {
		t.Errorf("in the next minute: %d", code)
	}
	lines := w.lines(t)
	if len(lines) != 2 || lines[0]["msg"] != "reports were refused in the last minute" || lines[0]["number"] != 26.0 {
		t.Errorf("in the next minute: %v", lines)
	}
	for range 5 {
		send(here)
	}
	w.now = w.now.Add(-time.Hour) // A clock that is put back must not stop all reports for an hour.
	if code := send(here); code != 204 {
		t.Errorf("after the clock was put back: %d", code)
	}
}

func TestAListIsCutAtTheShareOfItsClient(t *testing.T) {
	w := open(t, report.Config{PerMinute: 3})
	w.send(here, manyOfThem, "["+strings.Repeat(`{"type":"coep"},`, 9)+`{"type":"coep"}]`)
	if lines := w.lines(t); len(lines) != 4 || lines[3]["number"] != 7.0 {
		t.Errorf("%v", lines)
	}
}

func TestCountingClientsIsBounded(t *testing.T) {
	client := netip.MustParseAddr("10.0.0.0")
	w := open(t, report.Config{PerMinute: 2000, Client: func(*http.Request) netip.Addr { client = client.Next(); return client }})
	for range 10005 {
		if code := w.send(here, oneReport, firefox).Code; code != 204 {
			t.Fatal(code)
		}
	}
	refused := 0
	for range 2000 { // All these count as one.
		if w.send(here, oneReport, firefox).Code == 429 {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d of them are refused, want 5", refused)
	}
}

func TestRefusingIsCheap(t *testing.T) {
	w := open(t, report.Config{PerMinute: 1, Client: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }})
	w.send(here, oneReport, firefox)
	r := httptest.NewRequest("POST", "/", strings.NewReader(firefox))
	r.Header.Set("Content-Type", oneReport)
	if n := testing.AllocsPerRun(100, func() { _ = w.sink.Take(r) }); n > 5 {
		t.Errorf("%v allocations, want at most 5", n)
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := report.New(report.Config{MaxBytes: -1, PerMinute: -1})
	if err == nil || !strings.HasPrefix(err.Error(), "report config: ") || !strings.Contains(err.Error(), "MaxBytes") || !strings.Contains(err.Error(), "PerMinute") {
		t.Errorf("New() = %v", err)
	}
}

func FuzzTake(f *testing.F) {
	f.Add(firefox, true)
	f.Add(chromium, false)
	f.Add(`[{"type":"csp-violation","body":null},{}]`, false)
	f.Add(`{"csp-report":{"document-uri":"https://a\u202e.example/\u0000?x"}}`, true)
	f.Fuzz(func(t *testing.T, body string, one bool) {
		w := open(t, report.Config{})
		media := map[bool]string{true: oneReport, false: manyOfThem}[one]
		switch code := w.send(here, media, body).Code; code {
		case 204, 400, 413:
		default:
			t.Errorf("%q: %d", body, code)
		}
		lines := w.lines(t)
		if len(lines) > 21 {
			t.Errorf("%q: %d lines", body, len(lines))
		}
		for _, line := range lines {
			for name, value := range line {
				if text, ok := value.(string); ok && (!printable(text) || len(text) > 310 || name != "msg" && strings.ContainsAny(text, "?#@ \n")) {
					t.Errorf("%q: %s is %q", body, name, text)
				}
			}
		}
	})
}
