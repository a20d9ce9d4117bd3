package csrf_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/problem"
)

// serve answers with the code of the problem, and "" if the handler has run.
func serve(t testing.TB, g *csrf.Guard, r *http.Request) (string, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	ran := false
	g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP(w, r)
	if ran {
		return "", w.Header()
	}
	var answer struct{ Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 403 || w.Header().Get("Content-Type") != problem.MediaType {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	return answer.Code, w.Header()
}

func TestHandlerHasBothLayers(t *testing.T) {
	g := guard(t, csrf.Config{Session: func(r *http.Request) string { return r.Header.Get("Session") }})
	b := &browser{}
	token, _ := b.page(t, g, "7")
	for _, tt := range []struct {
		name, method, token, site, session string
		upgrade                            bool
		want                               string
	}{
		{"a form", "POST", token, "same-origin", "7", false, ""},
		{"a form of another site, with a token", "POST", token, "cross-site", "7", false, "cross_site"},
		{"a form of another site that hides where it comes from", "POST", "", "", "7", false, "csrf_missing_token"},
		{"a form of another session", "POST", token, "same-origin", "8", false, "csrf_mismatch"},
		{"a form of no session", "POST", token, "same-origin", "", false, "csrf_mismatch"},
		{"a PUT", "PUT", "", "same-origin", "7", false, "csrf_missing_token"},
		{"a PATCH", "PATCH", "", "same-origin", "7", false, "csrf_missing_token"},
		{"a DELETE", "DELETE", "", "same-origin", "7", false, "csrf_missing_token"},
		{"a method of nobody", "FOO", "", "same-origin", "7", false, "csrf_missing_token"},
		{"get in small letters", "get", "", "same-origin", "7", false, "csrf_missing_token"},
		{"a page", "GET", "", "cross-site", "7", false, ""},
		{"a head", "HEAD", "", "cross-site", "7", false, ""},
		{"a preflight", "OPTIONS", "", "cross-site", "7", false, ""},
		{"a WebSocket of another site", "GET", "", "cross-site", "7", true, "cross_site"},
		{"a WebSocket of the own site", "GET", "", "same-origin", "7", true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.request(tt.method, tt.token)
			r.Header.Set("Session", tt.session)
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			if tt.upgrade {
				r.Header.Set("Upgrade", "websocket")
			}
			got, h := serve(t, g, r)
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			safe := strings.Contains("GET HEAD OPTIONS", tt.method) && !tt.upgrade
			if vary := strings.Join(h["Vary"], ","); (vary == "Sec-Fetch-Site,Origin") == safe {
				t.Errorf("Vary = %q", vary)
			}
		})
	}
}

func TestMethodsThatNeedAToken(t *testing.T) {
	g := guard(t, csrf.Config{Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}})
	few := guard(t, csrf.Config{Methods: []string{"POST"}, InsecureMethods: "a test"})
	b := &browser{}
	for _, tt := range []struct {
		g            *csrf.Guard
		method, site string
		want         string
	}{
		{g, "GET", "same-origin", "csrf_missing_cookie"}, {g, "HEAD", "same-origin", ""}, {g, "PURGE", "same-origin", ""}, {g, "PURGE", "cross-site", "cross_site"},
		{few, "POST", "same-origin", "csrf_missing_cookie"}, {few, "DELETE", "same-origin", ""}, {few, "DELETE", "cross-site", "cross_site"},
	} {
		r := b.request(tt.method, "")
		r.Header.Set("Sec-Fetch-Site", tt.site)
		if got, _ := serve(t, tt.g, r); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.site, tt.method, got, tt.want)
		}
	}
}

func TestOnlyWhatIsNamedIsExempt(t *testing.T) {
	g := guard(t, csrf.Config{Exempt: []csrf.Exemption{
		{Route: "POST /hooks/pay", InsecureNoToken: "the payment service signs its calls"},
		{Route: "/api/", InsecureNoToken: "for programs with keys"},
		{Route: "POST /saml", InsecureNoToken: "the answer is signed", InsecureAnyOrigin: "the identity provider's page sends it"},
		{Route: "POST /open", InsecureAnyOrigin: "a test"},
	}})
	const noToken = "csrf_missing_cookie"
	for _, tt := range []struct{ method, target, site, want string }{
		{"POST", "/hooks/pay", "", ""},
		{"POST", "/hooks/pay", "cross-site", "cross_site"},
		{"PUT", "/hooks/pay", "", noToken},
		{"POST", "/hooks/pay/", "", noToken},
		{"POST", "/hooks/payment", "", noToken},
		{"POST", "/hooks", "", noToken},
		{"POST", "/hooks/Pay", "", noToken},
		{"POST", "//hooks/pay", "", noToken},
		{"POST", "/x/../hooks/pay", "", noToken},
		{"POST", "/hooks/p%61y", "", noToken},
		{"POST", "/x?/hooks/pay", "", noToken},
		{"POST", "/api/", "", ""},
		{"DELETE", "/api/a/b", "", ""},
		{"DELETE", "/api/a/", "", ""},
		{"DELETE", "/api/a/b", "same-site", "cross_site"},
		{"POST", "/api", "", noToken},
		{"POST", "/api/../account", "", noToken},
		{"POST", "/api/./../account", "", noToken},
		{"POST", "/api/..", "", noToken},
		{"POST", "/api//account", "", noToken},
		{"POST", "/api/%2e%2e/account", "", noToken},
		{"POST", "/api/..%2faccount", "", noToken},
		{"POST", "/api/a%2fb", "", noToken},
		{"POST", "/apis/a", "", noToken},
		{"POST", "/saml", "cross-site", ""},
		{"POST", "/open", "cross-site", noToken},
		{"POST", "/account", "", noToken},
	} {
		r := httptest.NewRequest(tt.method, "https://example.com"+tt.target, nil)
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		if got, _ := serve(t, g, r); got != tt.want {
			t.Errorf("%s %s (%s): %q, want %q", tt.method, tt.target, tt.site, got, tt.want)
		}
	}
}

func TestTokenForPrograms(t *testing.T) {
	g := guard(t, csrf.Config{Session: func(*http.Request) string { return "7" }, TrustedOrigins: []string{"https://app.example.com"}})
	h := g.TokenHandler()
	for _, tt := range []struct {
		name, method, site, origin string
		want                       int
	}{
		{"the own page", "GET", "same-origin", "", 200},
		{"a program", "GET", "", "", 200},
		{"the address bar", "GET", "none", "", 200},
		{"a trusted page", "GET", "same-site", "https://app.example.com", 200},
		{"another site's page", "GET", "cross-site", "https://attacker.example", 403},
		{"another site's image", "GET", "cross-site", "", 403},
		{"a sibling", "GET", "same-site", "https://blog.example.com", 403},
		{"an old browser on another site", "GET", "", "https://attacker.example", 403},
		{"POST", "POST", "same-origin", "", 405},
	} {
		r := sent{tt.method, tt.site, tt.origin, ""}.request()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want || w.Header().Get("Cache-Control") != "no-store" && tt.want != 405 {
			t.Errorf("%s: %d %v, want %d", tt.name, w.Code, w.Header(), tt.want)
		}
		if tt.want != 200 {
			if w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: a cookie for a refused request", tt.name)
			}
			continue
		}
		var answer struct {
			Token string `json:"csrf_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %v %s", tt.name, err, w.Body)
		}
		b := &browser{}
		b.cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
		if got := b.send(t, g, "7", answer.Token); got != "" {
			t.Errorf("%s: the token is refused as %q", tt.name, got)
		}
	}
	w := httptest.NewRecorder()
	guard(t, csrf.Config{Keys: brokenKeys{}}).TokenHandler().ServeHTTP(w, sent{"GET", "same-origin", "", ""}.request())
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "ring") {
		t.Errorf("without keys: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// Who gets a refusal may add to it. The next one must not have that.
func TestRefusalsAreNotShared(t *testing.T) {
	g := guard(t, csrf.Config{})
	r := sent{"POST", "cross-site", "", ""}.request()
	problem.From(g.CheckOrigin(r)).With("X-Once", "1").Named("changed")
	if p := problem.From(g.CheckOrigin(r)); p.Code != "cross_site" || p.Header() != nil {
		t.Errorf("the next refusal is %+v", p)
	}
}

// A flood of refusals must cost less than good requests.
func TestRefusalsAreCheap(t *testing.T) {
	g := guard(t, csrf.Config{})
	next := g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b := &browser{}
	token, _ := b.page(t, g, "")
	forged := b.request("POST", token[:len(token)-4]+"AAAA")
	forged.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, r := range map[string]*http.Request{
		"cross-site": sent{"POST", "cross-site", "https://attacker.example", ""}.request(), "no cookie": sent{"POST", "same-origin", "", ""}.request(),
		"a forged token": forged,
	} {
		w := &discard{h: make(http.Header, 8)}
		n := testing.AllocsPerRun(200, func() {
			clear(w.h)
			next.ServeHTTP(w, r)
		})
		check := testing.AllocsPerRun(200, func() { _ = g.CheckOrigin(r) })
		t.Logf("%s: %v allocations with its answer, %v in CheckOrigin", name, n, check)
		if limit := map[bool]float64{true: 30, false: 10}[name == "a forged token"]; n > limit || w.status != 403 {
			t.Errorf("%s: %v allocations, want at most %v (status %d)", name, n, limit, w.status)
		}
	}
	own := sent{"POST", "same-origin", "", ""}.request()
	if n := testing.AllocsPerRun(200, func() { _ = g.CheckOrigin(own) }); n != 0 {
		t.Errorf("CheckOrigin of a good request: %v allocations", n)
	}
}

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func BenchmarkGuard(b *testing.B) {
	for name, keys := range map[string]csrf.Keys{"ephemeral": csrf.EphemeralKeys(), "ring": csrf.FromRing(ring(b, newClock(), 0), "csrf")} {
		g := guard(b, csrf.Config{Keys: keys})
		own := &browser{}
		token, _ := own.page(b, g, "session")
		good, foreign := own.request("POST", token), sent{"POST", "cross-site", "https://attacker.example", ""}.request()
		good.Header.Set("Sec-Fetch-Site", "same-origin")
		next := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		}))
		for what, f := range map[string]func(){
			"CheckOrigin":       func() { _ = g.CheckOrigin(good) },
			"Verify":            func() { _ = g.Verify(good, "session", token) },
			"Token":             func() { _, _ = g.Token(http.Header{}, good, "session") },
			"GoodAnswered":      func() { next.ServeHTTP(&discard{h: http.Header{}}, good) },
			"CrossSiteAnswered": func() { next.ServeHTTP(&discard{h: http.Header{}}, foreign) },
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}
