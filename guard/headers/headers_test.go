package headers_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/headers"
)

func set(t testing.TB, cfg headers.Config) *headers.Set {
	t.Helper()
	s, err := headers.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var defaults = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) })
	mux.HandleFunc("GET /moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	h := set(t, headers.Config{}).Handler(mux)
	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"success", "GET", "/ok", 200},
		{"an error of the handler", "GET", "/error", 500},
		{"a redirect", "GET", "/moved", 302},
		{"not found", "GET", "/none", 404},
		{"method not allowed", "POST", "/ok", 405},
	} {
		for _, secure := range []bool{false, true} {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			if secure {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.status)
			}
			for name, want := range defaults {
				if got := w.Result().Header.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %s = %q, want %q", tt.name, name, got, want)
				}
			}
			hsts := w.Result().Header.Get("Strict-Transport-Security")
			if want := map[bool]string{true: "max-age=63072000; includeSubDomains"}[secure]; hsts != want {
				t.Errorf("%s: over TLS %v, HSTS %q, want %q", tt.name, secure, hsts, want)
			}
		}
	}
}

func TestOneAnswerCannotChangeTheNext(t *testing.T) {
	s := set(t, headers.Config{})
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Add("Referrer-Policy", "same-origin")
		w.Header().Del("Permissions-Policy")
		w.WriteHeader(204)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Result().Header.Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("the handler's policy was not kept: %q", got)
	}
	if got := w.Result().Header.Values("Referrer-Policy"); len(got) != 2 {
		t.Errorf("the handler's value was not added: %q", got)
	}
	next := http.Header{}
	s.Set(next)
	for name, want := range defaults {
		if got := next.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("the next answer has %s = %q, want %q", name, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	const rest = "; base-uri 'none'; frame-ancestors 'none'"
	for _, tt := range []struct {
		name string
		cfg  headers.Config
		want string
		weak bool // InsecurePolicy makes it acceptable
	}{
		{"a line break in a value", headers.Config{ReferrerPolicy: "no-referrer\r\nSet-Cookie: a=b"}, "ReferrerPolicy holds a control character", false},
		{"a line break in a policy", headers.Config{ContentSecurityPolicy: "default-src 'none'\n" + rest}, "ContentSecurityPolicy holds a control character", false},
		{"NUL", headers.Config{PermissionsPolicy: "camera=()\x00"}, "PermissionsPolicy holds a control character", false},
		{"a value that no browser knows", headers.Config{ReferrerPolicy: "none"}, `ReferrerPolicy is "none", want one of no-referrer,`, false},
		{"a referrer for everyone", headers.Config{ReferrerPolicy: "unsafe-url"}, `ReferrerPolicy is "unsafe-url"; say why`, true},
		{"an open opener policy", headers.Config{CrossOriginOpenerPolicy: "unsafe-none"}, `is "unsafe-none"; say why`, true},
		{"resources for everyone", headers.Config{CrossOriginResourcePolicy: "cross-origin"}, `is "cross-origin"; say why`, true},
		{"a misspelled directive", headers.Config{ContentSecurityPolicy: "defualt-src 'none'" + rest}, `unknown directive "defualt-src"`, false},
		{"a directive twice", headers.Config{ContentSecurityPolicy: "default-src 'none'; default-src *" + rest}, "has default-src twice", false},
		{"none without quotes", headers.Config{ContentSecurityPolicy: "default-src none" + rest}, "has none in default-src without its quotes", false},
		{"self without quotes", headers.Config{ContentSecurityPolicy: "default-src self" + rest}, "has self in default-src without its quotes", false},
		{"an unknown keyword", headers.Config{ContentSecurityPolicy: "default-src 'sefl'" + rest}, "unknown keyword 'sefl'", false},
		{"none beside others", headers.Config{ContentSecurityPolicy: "default-src 'none' 'self'" + rest}, "'none' beside other sources", false},
		{"a fixed nonce", headers.Config{ContentSecurityPolicy: "default-src 'nonce-abc'" + rest}, "a nonce must be new in each answer", false},
		{"two policies", headers.Config{ContentSecurityPolicy: "default-src 'none', default-src *"}, "a comma, which starts a second policy", false},
		{"inline scripts", headers.Config{ContentSecurityPolicy: "script-src 'unsafe-inline'; object-src 'none'" + rest}, "has 'unsafe-inline' in script-src; say why", true},
		{"eval", headers.Config{ContentSecurityPolicy: "default-src 'self' 'unsafe-eval'" + rest}, "has 'unsafe-eval' in default-src; say why", true},
		{"scripts from data URLs", headers.Config{ContentSecurityPolicy: "default-src data:" + rest}, "has data: in default-src", true},
		{"scripts from any host", headers.Config{ContentSecurityPolicy: "DEFAULT-SRC *" + rest}, "has * in default-src", true},
		{"framing by everyone", headers.Config{ContentSecurityPolicy: "default-src 'none'; base-uri 'none'; frame-ancestors *"}, "has * in frame-ancestors", true},
		{"no rule for framing", headers.Config{ContentSecurityPolicy: "default-src 'none'; base-uri 'none'"}, "has no frame-ancestors", true},
		{"no rule for base", headers.Config{ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'"}, "has no base-uri", true},
		{"no rule for scripts", headers.Config{ContentSecurityPolicy: "img-src 'self'" + rest}, "has neither default-src nor script-src", true},
		{"a permission in the old syntax", headers.Config{PermissionsPolicy: "camera 'none'"}, `member "camera 'none'"`, false},
		{"a permission without a list", headers.Config{PermissionsPolicy: "camera=none"}, "camera=none, want a list in parentheses", false},
		{"an origin without quotes", headers.Config{PermissionsPolicy: "camera=(https://a.example)"}, "want self or an origin in double quotes", false},
		{"a permission for everyone", headers.Config{PermissionsPolicy: "camera=*"}, "allows camera everywhere", true},
		{"a permission for everyone in a list", headers.Config{PermissionsPolicy: "camera=(self *)"}, "allows camera everywhere", true},
		{"HSTS without an age", headers.Config{StrictTransportSecurity: "includeSubDomains"}, "has no max-age", false},
		{"HSTS with a strange age", headers.Config{StrictTransportSecurity: "max-age=1y; includeSubDomains"}, "max-age=1y, want seconds", false},
		{"HSTS for a month", headers.Config{StrictTransportSecurity: "max-age=2592000; includeSubDomains"}, "less than a year", true},
		{"HSTS for this name only", headers.Config{StrictTransportSecurity: "max-age=31536000"}, "has no includeSubDomains", true},
		{"HSTS twice", headers.Config{StrictTransportSecurity: "max-age=31536000; max-age=0; includeSubDomains"}, "has max-age twice", false},
		{"HSTS with a typo", headers.Config{StrictTransportSecurity: "max-age=31536000; includeSubdomain"}, `unknown directive "includesubdomain"`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := headers.New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New() = %v, want %q in it", err, tt.want)
			}
			tt.cfg.InsecurePolicy = "a test"
			if _, err := headers.New(tt.cfg); (err == nil) != tt.weak {
				t.Errorf("with a reason: New() = %v, want accepted: %v", err, tt.weak)
			}
		})
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := headers.New(headers.Config{ReferrerPolicy: "x", CrossOriginOpenerPolicy: "unsafe-none", StrictTransportSecurity: "y"})
	for _, want := range []string{"ReferrerPolicy", "CrossOriginOpenerPolicy", "StrictTransportSecurity"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestNewAcceptsStrictPolicies(t *testing.T) {
	for _, cfg := range []headers.Config{
		{ContentSecurityPolicy: "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self' https://a.example;"},
		{ContentSecurityPolicy: "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'strict-dynamic'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; upgrade-insecure-requests; report-to csp"},
		{PermissionsPolicy: `camera=(self "https://a.example"), geolocation=self, usb=()`},
		{StrictTransportSecurity: "max-age=63072000; includeSubDomains; preload"},
		{ReferrerPolicy: "same-origin", CrossOriginOpenerPolicy: "same-origin-allow-popups", CrossOriginResourcePolicy: "same-site"},
	} {
		if _, err := headers.New(cfg); err != nil {
			t.Errorf("New(%+v) = %v", cfg, err)
		}
	}
}

func TestSetAllocatesNothing(t *testing.T) {
	s := set(t, headers.Config{})
	h := http.Header{}
	s.SetTLS(h) // grow the map once
	if n := testing.AllocsPerRun(100, func() {
		clear(h)
		s.SetTLS(h)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzNew(f *testing.F) {
	f.Add("default-src 'none'; base-uri 'none'; frame-ancestors 'none'", "camera=()", "max-age=31536000; includeSubDomains")
	f.Add("script-src 'unsafe-inline' *", `usb=(self "https://a")`, "max-age=1;;")
	f.Add("default-src 'none'\r\nX: y", "a=(*)", "preload")
	f.Fuzz(func(t *testing.T, csp, permissions, hsts string) {
		s, err := headers.New(headers.Config{ContentSecurityPolicy: csp, PermissionsPolicy: permissions, StrictTransportSecurity: hsts})
		if err != nil {
			return
		}
		h := http.Header{}
		s.SetTLS(h)
		for name, values := range h {
			if strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: %q", name, values[0])
			}
		}
		if csp := strings.ToLower(h.Get("Content-Security-Policy")); !strings.Contains(csp, "frame-ancestors") || !strings.Contains(csp, "base-uri") {
			t.Errorf("policy %q is accepted", csp)
		}
	})
}

func BenchmarkSet(b *testing.B) {
	s := set(b, headers.Config{})
	b.Run("empty map", func(b *testing.B) {
		b.ReportAllocs()
		h := http.Header{}
		for b.Loop() {
			clear(h)
			s.Set(h)
		}
	})
	b.Run("new map, eight entries", func(b *testing.B) {
		b.ReportAllocs()
		id, ct := []string{"id"}, []string{"application/json"}
		for b.Loop() {
			h := make(http.Header)
			h["X-Request-Id"] = id
			s.Set(h)
			h["Content-Type"] = ct
		}
	})
	b.Run("new map, nine entries", func(b *testing.B) {
		b.ReportAllocs()
		id, ct := []string{"id"}, []string{"application/json"}
		for b.Loop() {
			h := make(http.Header)
			h["X-Request-Id"] = id
			s.SetTLS(h)
			h["Content-Type"] = ct
		}
	})
}

func Example() {
	s, err := headers.New(headers.Config{ReferrerPolicy: "same-origin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	s.Set(h)
	fmt.Println(h.Get("Referrer-Policy"), h.Get("X-Content-Type-Options"))

	_, err = headers.New(headers.Config{ContentSecurityPolicy: "default-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"})
	fmt.Println(err)
	// Output:
	// same-origin nosniff
	// headers config: ContentSecurityPolicy has 'unsafe-inline' in default-src; say why in InsecurePolicy
}
