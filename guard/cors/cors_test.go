package cors_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/problem"
)

func policy(t testing.TB, cfg cors.Config) *cors.Policy {
	t.Helper()
	p, err := cors.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask sends a request through the guard and returns the answer; the handler
// behind it varies by something of its own.
func ask(p *cors.Policy, method string, header http.Header) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	r.Header = header
	w := httptest.NewRecorder()
	p.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		http.Error(w, "no", http.StatusNotFound)
	})).ServeHTTP(w, r)
	return w.Result()
}

func from(origin string) http.Header { return http.Header{"Origin": {origin}} }

func preflight(origin, method, headers string) http.Header {
	h := http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}}
	if headers != "" {
		h.Set("Access-Control-Request-Headers", headers)
	}
	return h
}

// allowances returns the headers of CORS that an answer has.
func allowances(res *http.Response) (names []string) {
	for name := range res.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

const app = "https://app.example.com"

// hostile are origins that are not those of the list, and look like it.
func hostile() map[string]string {
	return map[string]string{
		"a suffix":                        "https://app.example.com.evil.example",
		"a prefix":                        "https://evilapp.example.com",
		"a subdomain":                     "https://a.app.example.com",
		"the parent":                      "https://example.com",
		"a sister":                        "https://other.example.com",
		"the dot of a regular expression": "https://appXexample.com",
		"a hyphen for the dot":            "https://app-example.com",
		"no TLS":                          "http://app.example.com",
		"another scheme":                  "ftp://app.example.com",
		"no scheme":                       "app.example.com",
		"an empty scheme":                 "://app.example.com",
		"a relative scheme":               "//app.example.com",
		"another port":                    "https://app.example.com:8443",
		"the default port":                "https://app.example.com:443",
		"an empty port":                   "https://app.example.com:",
		"capitals":                        "https://APP.example.com",
		"a capital scheme":                "HTTPS://app.example.com",
		"the end of a full stop":          "https://app.example.com.",
		"a final slash":                   "https://app.example.com/",
		"a path":                          "https://app.example.com/x",
		"a user name":                     "https://app.example.com@evil.example",
		"a user name before":              "https://evil.example@app.example.com",
		"a backslash":                     `https://evil.example\app.example.com`,
		"a fragment":                      "https://evil.example#.app.example.com",
		"a query":                         "https://evil.example?https://app.example.com",
		"an encoded NUL":                  "https://app.example.com%00.evil.example",
		"a NUL":                           "https://app.example.com\x00.evil.example",
		"an encoded dot":                  "https://app%2eexample.com",
		"a space before":                  " https://app.example.com",
		"a space behind":                  "https://app.example.com ",
		"a tab":                           "https://app.example.com\t",
		"a list":                          "https://app.example.com, https://evil.example",
		"a list by spaces":                "https://app.example.com https://evil.example",
		"a list by semicolons":            "https://app.example.com;https://evil.example",
		"the low line of a label":         "https://app_example.com",
		"a backquote":                     "https://app.example.com`.evil.example",
		"braces":                          "https://app.example.com{.evil.example",
		"an exclamation mark":             "https://app.example.com!.evil.example",
		"a homograph":                     "https://аpp.example.com", // The first letter is Cyrillic.
		"its Punycode":                    "https://xn--pp-6kc.example.com",
		"a wide full stop":                "https://app。example.com",
		"a wide letter":                   "https://ａpp.example.com",
		"the Kelvin sign":                 "https://app.example.com\u212a",
		"null":                            "null",
		"NULL":                            "NULL",
		"nothing":                         "",
		"a star":                          "*",
		"undefined":                       "undefined",
		"a file":                          "file://",
		"a blob":                          "blob:https://app.example.com/1",
		"data":                            "data:text/html,x",
		"an extension":                    "chrome-extension://app.example.com",
		"itself twice":                    "https://app.example.comhttps://app.example.com",
		"two slashes more":                "https:////app.example.com",
		"one slash less":                  "https:/app.example.com",
		"the local machine":               "http://localhost",
		"an address":                      "https://127.0.0.1",
	}
}

func TestHostileOriginsAreRefused(t *testing.T) {
	for name, p := range map[string]*cors.Policy{
		"exact":            policy(t, cors.Config{Origins: []string{app}, Credentials: true, ExposeHeaders: []string{"X-A"}}),
		"many":             policy(t, cors.Config{Origins: []string{"https://b.example", app, "https://c.example:444"}}),
		"beside wildcards": policy(t, cors.Config{Origins: []string{app, "https://*.preview.example"}, InsecureSubdomains: "a test"}),
		"another wildcard": policy(t, cors.Config{Origins: []string{"https://*.app.example"}, InsecureSubdomains: "a test"}),
	} {
		for what, origin := range hostile() {
			if p.Allowed(origin) {
				t.Errorf("%s: %s: %q is allowed", name, what, origin)
			}
			for method, header := range map[string]http.Header{
				"GET": from(origin), "POST": from(origin), "OPTIONS": preflight(origin, "GET", ""),
			} {
				res := ask(p, method, header)
				if got := allowances(res); len(got) > 0 {
					t.Errorf("%s: %s: %s from %q is answered with %q", name, what, method, origin, got)
				}
				if !strings.Contains(res.Header.Get("Vary"), "Origin") {
					t.Errorf("%s: %s: %s has Vary %q: a cache would keep it for others", name, what, method, res.Header.Values("Vary"))
				}
				if method == "OPTIONS" && res.StatusCode != 403 {
					t.Errorf("%s: %s: a preflight from %q is answered %d, want 403", name, what, origin, res.StatusCode)
				}
			}
		}
	}
}

func TestTwoOriginsAreRefused(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{app}, Credentials: true})
	for _, origins := range [][]string{{app, app}, {app, "https://evil.example"}, {"https://evil.example", app}, {app, ""}} {
		for _, method := range []string{"GET", "OPTIONS"} {
			res := ask(p, method, http.Header{"Origin": origins, "Access-Control-Request-Method": {"GET"}})
			if res.StatusCode != 400 || len(allowances(res)) > 0 {
				t.Errorf("%s with %q: %d %q, want 400 and nothing", method, origins, res.StatusCode, allowances(res))
			}
		}
		h := http.Header{}
		r := httptest.NewRequest("OPTIONS", "/", nil)
		r.Header = http.Header{"Origin": origins, "Access-Control-Request-Method": {"GET"}}
		p.Set(h, r)
		if _, err := p.Preflight(h, r, ""); err == nil || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Preflight with %q = %v, header %v", origins, err, h)
		}
	}
}

func TestZeroConfigAllowsNothing(t *testing.T) {
	p := policy(t, cors.Config{})
	for _, header := range []http.Header{{}, from(app), from("null"), preflight(app, "GET", "")} {
		for _, method := range []string{"GET", "OPTIONS"} {
			res := ask(p, method, header)
			if res.StatusCode != 404 || len(allowances(res)) > 0 || res.Header.Get("Vary") != "Accept" {
				t.Errorf("%s %v: %d %v, want the handler's answer as it is", method, header, res.StatusCode, res.Header)
			}
		}
	}
	if p.Allowed(app) || p.Allowed("") {
		t.Error("an origin is allowed")
	}
}

func TestListedOriginsReadEveryAnswer(t *testing.T) {
	p := policy(t, cors.Config{
		Origins:     []string{app, "https://app.example.com:8443", "http://localhost:5173", "http://[::1]:3000", "http://127.0.0.1", "https://xn--bcher-kva.example", "https://a_b.example"},
		Credentials: true, ExposeHeaders: []string{"X-Request-Id", "Etag"},
	})
	for _, origin := range []string{app, "https://app.example.com:8443", "http://localhost:5173", "http://[::1]:3000", "http://127.0.0.1", "https://xn--bcher-kva.example", "https://a_b.example"} {
		res := ask(p, "GET", from(origin))
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "X-Request-Id, Etag",
		} {
			if got := res.Header.Values(name); !p.Allowed(origin) || len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s = %q, want %q", origin, name, got, want)
			}
		}
		if got := res.Header.Values("Vary"); !slices.Equal(got, []string{"Origin", "Accept"}) {
			t.Errorf("Vary = %q", got)
		}
	}
	res := ask(policy(t, cors.Config{Origins: []string{app}}), "GET", from(app))
	if got := allowances(res); !slices.Equal(got, []string{"Access-Control-Allow-Origin"}) {
		t.Errorf("without credentials: %q", got)
	}
}

func TestAnswersWithoutAnOriginVaryToo(t *testing.T) {
	res := ask(policy(t, cors.Config{Origins: []string{app}}), "GET", http.Header{})
	if got := res.Header.Values("Vary"); !slices.Equal(got, []string{"Origin", "Accept"}) || len(allowances(res)) > 0 {
		t.Errorf("Vary = %q, %q: a cache would hand it to a page without the header", got, allowances(res))
	}
}

func TestPreflight(t *testing.T) {
	p := policy(t, cors.Config{
		Origins: []string{app}, Methods: []string{"GET", "PUT", "DELETE"}, Headers: []string{"Authorization", "X-Thing"},
		ExposeHeaders: []string{"Etag"}, Credentials: true, MaxAge: time.Hour,
	})
	for _, tt := range []struct {
		name, method, headers, allow string
		methods                      string // "" for a refusal
	}{
		{"a method of the list", "PUT", "", "", "GET, PUT, DELETE"},
		{"a method that the path has, too", "PUT", "", "GET, HEAD, PUT", "GET, PUT"},
		{"a method that the path does not have", "DELETE", "", "GET, HEAD, PUT", ""},
		{"a method that only the path has", "HEAD", "", "GET, HEAD, PUT", ""},
		{"a method that is not in the list", "PATCH", "", "", ""},
		{"a method in lower case", "put", "", "", ""},
		{"a method with a space", "PUT ", "", "", ""},
		{"a list of methods", "GET, PUT", "", "", ""},
		{"no method", "", "", "", ""},
		{"headers of the list", "GET", "authorization,x-thing", "", "GET, PUT, DELETE"},
		{"headers that are always allowed", "GET", "accept,accept-language,content-language,content-type", "", "GET, PUT, DELETE"},
		{"headers in other spellings", "GET", " Authorization , X-THING,", "", "GET, PUT, DELETE"},
		{"a header that is not in the list", "GET", "authorization,x-other", "", ""},
		{"a header that begins like one of the list", "GET", "authorization2", "", ""},
		{"a star", "GET", "*", "", ""},
		{"a header with a line break", "GET", "authorization\r\nx-other: 1", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("OPTIONS", "/", nil)
			r.Header = preflight(app, tt.method, tt.headers)
			h := http.Header{}
			p.Set(h, r)
			handled, err := p.Preflight(h, r, tt.allow)
			if got := h.Get("Vary"); got != "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" {
				t.Errorf("Vary = %q", got)
			}
			if tt.methods == "" {
				if handled || problem.From(err).Status != 403 || len(allowances(&http.Response{Header: h})) > 0 {
					t.Errorf("Preflight() = %v, %v, headers %v, want 403 and none", handled, err, h)
				}
				return
			}
			want := http.Header{
				"Vary":                             {"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"},
				"Access-Control-Allow-Origin":      {app},
				"Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods":     {tt.methods},
				"Access-Control-Allow-Headers":     {"accept, accept-language, content-language, content-type, authorization, x-thing"},
				"Access-Control-Max-Age":           {"3600"},
			}
			if !handled || err != nil || len(h) != len(want) {
				t.Errorf("Preflight() = %v, %v, headers %v", handled, err, h)
			}
			for name := range want {
				if !slices.Equal(h[name], want[name]) {
					t.Errorf("%s = %q, want %q", name, h[name], want[name])
				}
			}
		})
	}
}

func TestTwoMethodsAreRefused(t *testing.T) {
	header := preflight(app, "GET", "")
	header.Add("Access-Control-Request-Method", "PUT")
	if res := ask(policy(t, cors.Config{Origins: []string{app}}), "OPTIONS", header); res.StatusCode != 403 || len(allowances(res)) > 0 {
		t.Errorf("%d %v, want 403", res.StatusCode, res.Header)
	}
}

func TestVaryOfOthersIsKept(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{app}})
	for _, before := range [][]string{{"Accept"}, {"Origin", "Accept"}} {
		h := http.Header{"Vary": slices.Clone(before)}
		r := &http.Request{Method: "OPTIONS", Header: preflight(app, "GET", "")}
		p.Set(h, r)
		if !slices.Equal(h["Vary"], append(slices.Clone(before), "Origin")) {
			t.Errorf("Set makes Vary %q of %q", h["Vary"], before)
		}
		if _, err := p.Preflight(h, r, ""); err != nil || !strings.HasSuffix(strings.Join(h["Vary"], ", "), "Accept, Origin, Origin, Access-Control-Request-Method, Access-Control-Request-Headers") {
			t.Errorf("Preflight makes Vary %q of %q, %v", h["Vary"], before, err)
		}
	}
}

func TestPreflightIsAnsweredWithoutABody(t *testing.T) {
	res := ask(policy(t, cors.Config{Origins: []string{app}}), "OPTIONS", preflight(app, "DELETE", "content-type"))
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Max-Age") != "600" || res.Header.Get("Access-Control-Allow-Methods") != "DELETE, GET, HEAD, PATCH, POST, PUT" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	refused := ask(policy(t, cors.Config{Origins: []string{app}}), "OPTIONS", preflight(app, "DELETE", "authorization"))
	if refused.StatusCode != 403 || refused.Header.Get("Content-Type") != problem.MediaType || len(allowances(refused)) > 0 {
		t.Errorf("%d %v", refused.StatusCode, refused.Header)
	}
}

func TestOptionsThatIsNoPreflightIsTheHandlers(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{app}})
	for name, header := range map[string]http.Header{
		"no origin": {"Access-Control-Request-Method": {"GET"}}, "no method": from(app), "neither": {},
	} {
		if res := ask(p, "OPTIONS", header); res.StatusCode != 404 {
			t.Errorf("%s: %d, want the handler's 404", name, res.StatusCode)
		}
	}
	if res := ask(p, "GET", preflight(app, "GET", "")); res.StatusCode != 404 {
		t.Errorf("GET with the headers of a preflight: %d", res.StatusCode)
	}
}

func TestPrivateNetworkIsAskedFor(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		p := policy(t, cors.Config{Origins: []string{app}, PrivateNetwork: allowed})
		header := preflight(app, "GET", "")
		if got := ask(p, "OPTIONS", header).Header.Get("Access-Control-Allow-Private-Network"); got != "" {
			t.Errorf("nobody asked, and the answer is %q", got)
		}
		header.Set("Access-Control-Request-Private-Network", "true")
		got := ask(p, "OPTIONS", header).Header.Get("Access-Control-Allow-Private-Network")
		if want := map[bool]string{true: "true"}[allowed]; got != want {
			t.Errorf("PrivateNetwork %v: %q, want %q", allowed, got, want)
		}
	}
}

func TestAnyOriginGetsNoCredentials(t *testing.T) {
	p := policy(t, cors.Config{InsecureAnyOrigin: "public data", ExposeHeaders: []string{"Etag"}})
	for _, header := range []http.Header{{}, from("null"), from("https://evil.example")} {
		res := ask(p, "GET", header)
		if res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" || res.Header.Get("Vary") != "Accept" {
			t.Errorf("%v: %v", header, res.Header)
		}
	}
	if p.Allowed("https://evil.example") || p.Allowed("null") || p.Allowed("*") {
		t.Error("Allowed is true: forms of any page would be trusted")
	}
	res := ask(p, "OPTIONS", preflight("https://evil.example", "PUT", ""))
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if res := ask(p, "OPTIONS", preflight("https://evil.example", "PUT", "authorization")); res.StatusCode != 403 || len(allowances(res)) > 0 {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestWildcardIsOneLabel(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{"https://*.example.com", "https://*.b.example:8443", "http://*.localhost:3000"}, InsecureSubdomains: "previews"})
	for origin, want := range map[string]bool{
		"https://a.example.com": true, "https://pr-12.example.com": true, "https://a.b.example:8443": true, "http://app.localhost:3000": true,
		"https://example.com": false, "https://a.b.example.com": false, "https://.example.com": false, "https://*.example.com": false,
		"https://evil.example/.example.com": false, "https://evil.example:80.example.com": false, "https://a@b.example.com": false,
		"https://evil?.example.com": false, "https://evil#.example.com": false, `https://evil\.example.com`: false, "http://a.example.com": false,
		"https://a.example.com:8443": false, "https://a.b.example": false, "https://A.example.com": false, "https://a%00.example.com": false,
		"https://-.example.com": false, "https://a.example.com.evil.example": false, "https://a.example.comx": false, "a.example.com": false, "": false,
		"https://é.example.com": false, "https://a.example.com/": false, "https://" + strings.Repeat("a", 64) + ".example.com": false,
	} {
		if got := p.Allowed(origin); got != want {
			t.Errorf("Allowed(%q) = %v, want %v", origin, got, want)
		}
		if got := ask(p, "GET", from(origin)).Header.Get("Access-Control-Allow-Origin") == origin && origin != ""; got != want {
			t.Errorf("an answer allows %q: %v, want %v", origin, got, want)
		}
	}
}

func TestOneAnswerCannotChangeTheNext(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{app}, Credentials: true, ExposeHeaders: []string{"Etag"}})
	for range 2 {
		h := http.Header{}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = from(app)
		p.Set(h, r)
		for name, values := range h {
			if len(values) != 1 {
				t.Errorf("%s = %q", name, values)
			}
			h.Add(name, "more")
		}
	}
}

func TestSetAllocatesNothing(t *testing.T) {
	p := policy(t, cors.Config{Origins: []string{app}, Credentials: true})
	for _, header := range []http.Header{{}, from(app), from("https://evil.example")} {
		h := make(http.Header, 8)
		r := &http.Request{Method: "GET", Header: header}
		if n := testing.AllocsPerRun(100, func() {
			clear(h)
			p.Set(h, r)
		}); n != 0 {
			t.Errorf("%v: %v allocations", header, n)
		}
	}
	h := make(http.Header, 8)
	r := &http.Request{Method: "OPTIONS", Header: preflight("https://evil.example", "GET", "")}
	if n := testing.AllocsPerRun(100, func() {
		clear(h)
		_, _ = p.Preflight(h, r, "") // the refusal is what is measured
	}); n > 5 {
		t.Errorf("a refusal: %v allocations, want at most 5", n)
	}
}
