package browsertest_test

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fastness/fastness/cookie"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/guard/report"
	"github.com/fastness/fastness/internal/browsertest"
)

// site serves h over TLS and returns its origin, such as https://localhost:41234.
func site(t *testing.T, h http.Handler) (origin string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func emptyPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>page</title>") // The browser is gone if this fails.
}

// waits runs a JavaScript function that returns a promise of a text.
func waits(t *testing.T, b *browsertest.Browser, function string) string {
	t.Helper()
	b.Do(t, function, chromedp.Evaluate[chromedp.Void](`(`+function+`)().then((text) => { window.answer = text; })`, chromedp.EvalAwaitPromise))
	return browsertest.Evaluate[string](t, b, "window.answer")
}

// TestPagesOfOtherOriginsReadWhatTheyMay asks an API from a page that is listed,
// from one that is not, and from a sandboxed frame.
func TestPagesOfOtherOriginsReadWhatTheyMay(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	app, evil := site(t, http.HandlerFunc(emptyPage)), site(t, http.HandlerFunc(emptyPage))
	policy, err := cors.New(cors.Config{Origins: []string{app}, Headers: []string{"X-Thing"}, ExposeHeaders: []string{"X-Out"}, Credentials: true})
	if err != nil {
		t.Fatal(err)
	}
	who, err := cookie.New(cookie.Config{Name: "who"})
	if err != nil {
		t.Fatal(err)
	}
	api := site(t, policy.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Method+" "+r.Header.Get("Origin")]++
		mu.Unlock()
		name, _, err := who.Get(r)
		if err == nil && name == "" {
			err = who.Set(r.Context(), w.Header(), "alice")
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Out", "out")
		w.Header().Set("X-Hidden", "hidden")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusNotFound) // A page must be able to read an error, too.
		fmt.Fprintf(w, "for %s by %s", name, r.Header.Get("X-Thing"))
	})))
	b := browsertest.Open(t, browsertest.AnyCertificate())
	fetch := func(options string) string {
		return waits(t, b, `() => fetch("`+api+`/", `+options+`).then(async (r) => r.status + " " + await r.text() + " " + r.headers.get("X-Out") + " " + r.headers.get("X-Hidden"), (e) => e.name)`)
	}
	b.Visit(t, app+"/")
	for options, want := range map[string]string{
		`{}`: "404 for  by  out null",
		`{method: "PUT", headers: {"X-Thing": "me", "Content-Type": "application/json"}, body: "{}"}`: "404 for  by me out null",
		`{method: "PUT", headers: {"X-Other": "me"}}`:                                                 "TypeError",
		`{method: "PUT", headers: {"Authorization": "Bearer x"}}`:                                     "TypeError",
		`{method: "TEAPOT"}`: "TypeError",
		`{method: "PATCH", headers: {"Content-Type": "application/merge-patch+json"}, body: "{}", credentials: "same-origin"}`: "404 for  by  out null",
	} {
		if got := fetch(options); got != want {
			t.Errorf("the listed page, fetch %s: %q, want %q", options, got, want)
		}
	}
	fetch(`{credentials: "include"}`)
	if got := fetch(`{credentials: "include"}`); got != "404 for alice by  out null" {
		t.Errorf("the listed page with the browser's cookie: %q", got)
	}
	b.Visit(t, evil+"/")
	for _, options := range []string{`{}`, `{credentials: "include"}`, `{method: "PUT"}`, `{method: "DELETE", credentials: "include"}`, `{method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}`} {
		if got := fetch(options); got != "TypeError" {
			t.Errorf("the page of a stranger, fetch %s: %q", options, got)
		}
	}
	b.Visit(t, app+"/")
	framed := waits(t, b, `() => new Promise((done) => {
		window.addEventListener("message", (e) => done(e.origin + " " + e.data));
		const frame = document.createElement("iframe");
		frame.sandbox = "allow-scripts";
		frame.srcdoc = "<script>fetch('`+api+`/').then(() => 'read', (e) => e.name).then((text) => parent.postMessage(text, '*'))</script>";
		document.body.append(frame);
	})`)
	if framed != "null TypeError" {
		t.Errorf("a sandboxed frame: %q", framed)
	}
	mu.Lock()
	defer mu.Unlock()
	if seen["PUT "+app] != 1 || seen["PATCH "+app] != 1 || seen["PUT "+evil] != 0 || seen["DELETE "+evil] != 0 || seen["POST "+evil] != 0 || seen["GET "+evil] != 2 {
		t.Errorf("the API has seen %v", seen)
	}
}

// TestTheBrowserKeepsTheCookies sets cookies of each kind and asks what comes
// back, and what scripts see.
func TestTheBrowserKeepsTheCookies(t *testing.T) {
	var all []*cookie.Cookie
	for _, cfg := range []cookie.Config{
		{Name: "plain"}, {Name: "lasting", MaxAge: cookie.MaxAge}, {Name: "strict", Strict: true}, {Name: "open", InsecureReadableByScript: "a test"}, {Name: "framed", InsecureCrossSite: "a test"}, {Name: "weak", InsecureHTTP: "a test"},
	} {
		c, err := cookie.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	value := strings.Repeat("v", 3900) // The whole line is within MaxBytes, and so within what browsers take.
	mux := http.NewServeMux()
	mux.HandleFunc("/", emptyPage)
	mux.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range all {
			if err := c.Set(r.Context(), w.Header(), "1"); err != nil {
				t.Error(err)
			}
		}
		if err := all[0].Set(r.Context(), w.Header(), value); err != nil {
			t.Error(err)
		}
		// Whoever can send a field of its own cannot get past the prefix.
		w.Header().Add("Set-Cookie", "__Host-planted=1; Path=/; Domain=localhost; Secure")
		w.Header().Add("Set-Cookie", "__Host-planted=1; Path=/x; Secure")
	})
	mux.HandleFunc("/clear", func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range all {
			c.Clear(w.Header())
		}
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range all {
			v, ok, err := c.Get(r)
			fmt.Fprintf(w, "%s:%d:%v:%v ", c.Name(), len(v), ok, err)
		}
		fmt.Fprint(w, strings.Contains(r.Header.Get("Cookie"), "planted"))
	})
	b := browsertest.Open(t, browsertest.AnyCertificate())
	b.Visit(t, site(t, mux)+"/")
	ask := func(path string) string {
		return waits(t, b, `() => fetch("`+path+`").then((r) => r.text())`)
	}
	ask("/set")
	const want = "__Host-plain:3900:true:<nil> __Host-lasting:1:true:<nil> __Host-strict:1:true:<nil> __Host-open:1:true:<nil> __Host-framed:1:true:<nil> weak:1:true:<nil> false"
	if got := ask("/get"); got != want {
		t.Errorf("after the cookies were set: %s, want %s", got, want)
	}
	if got := browsertest.Evaluate[string](t, b, "document.cookie"); got != "__Host-open=1" {
		t.Errorf("scripts see %q", got)
	}
	browsertest.Evaluate[string](t, b, `document.cookie = "__Host-plain=planted; Path=/; Secure"`)
	if got := ask("/get"); got != want {
		t.Errorf("after a script has written: %s", got)
	}
	ask("/clear")
	if got := ask("/get"); strings.Contains(got, "true") {
		t.Errorf("after they were cleared: %s", got)
	}
}

// TestThePolicyOfAPageHoldsAndIsReported runs the script with the nonce, blocks
// the others, and finds the report in the log.
func TestThePolicyOfAPageHoldsAndIsReported(t *testing.T) {
	page, err := headers.NewPage(headers.PageConfig{ReportTo: "/csp-reports"})
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := headers.New(headers.Config{ReportTo: "/csp-reports"})
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	sink, err := report.New(report.Config{Logger: slog.New(slog.NewTextHandler(lineWriter(lines), nil))})
	if err != nil {
		t.Fatal(err)
	}
	text := template.Must(template.New("").Parse(`<!doctype html><title>page</title><body onclick="ran('attribute')">
		<script nonce="{{.}}">window.all = []; window.ran = (what) => all.push(what); ran("nonce");</script>
		<script>ran("no nonce")</script><script nonce="guess">ran("another nonce")</script><script src="data:text/javascript,ran('data')"></script></body>`))
	mux := http.NewServeMux()
	mux.Handle("POST /csp-reports", sink)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		nonce := headers.Nonce()
		page.Set(w.Header(), nonce)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		var out bytes.Buffer
		if err := text.Execute(&out, nonce); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(out.Bytes()) // As above.
	})
	origin := site(t, defaults.Handler(mux))
	b := browsertest.Open(t, browsertest.AnyCertificate(), chromedp.Flag("short-reporting-delay", true))
	b.Visit(t, origin+"/?token=s3cret")
	browsertest.Evaluate[bool](t, b, `document.body.click() === undefined`)
	if got := browsertest.Evaluate[string](t, b, `all.join()`); got != "nonce" {
		t.Errorf("scripts that ran: %s", got)
	}
	select {
	case line := <-lines:
		if !strings.Contains(line, "type=csp-violation document="+origin+"/ directive=script-src") || strings.Contains(line, "s3cret") {
			t.Errorf("the report: %s", line)
		}
	case <-time.After(20 * time.Second): // Chromium takes a second at most with the flag.
		t.Error("no report has come")
	}
}

type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	select {
	case w <- string(p):
	default:
	}
	return len(p), nil
}
