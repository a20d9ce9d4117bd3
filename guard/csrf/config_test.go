package csrf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/keyring"
)

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := csrf.New(csrf.Config{
		TrustedOrigins: []string{"null", "https://good.example"}, MaxAge: -1, BodyLimit: 1, TokenLocation: 7, Header: "a b", HeaderPrefix: "two words",
		Methods: []string{"post"}, CookieName: "csrf", CookieSameSite: http.SameSiteNoneMode, Exempt: []csrf.Exemption{{Route: "hooks"}},
	})
	if err == nil || !strings.HasPrefix(err.Error(), "csrf config: ") {
		t.Fatalf("New() = %v", err)
	}
	for _, want := range []string{
		"Keys is nil", `TrustedOrigins entry "null"`, "MaxAge is -1ns", "BodyLimit is 1,", "TokenLocation is 7", `Header is "a b"`, `HeaderPrefix is "two words"`,
		`Methods entry "post"`, "Methods leaves out POST", "Methods leaves out DELETE", `CookieName is "csrf"`, "CookieSameSite is None",
		`Exempt route "hooks": want`, `Exempt route "hooks" has no reason`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good.example") {
		t.Errorf("the right entry is named: %v", err)
	}
}

func TestWeakConfigNeedsAReason(t *testing.T) {
	for _, tt := range []struct {
		name, want string // "" is no error
		cfg        csrf.Config
	}{
		{"nothing but keys", "", csrf.Config{}},
		{"no ring", "Keys is nil", csrf.Config{Keys: csrf.FromRing(nil, "csrf")}},
		{"no purpose", "Keys is nil", csrf.Config{Keys: csrf.FromRing(new(keyring.Ring), "")}},
		{"a cookie that anybody may set", "want the prefix __Host-", csrf.Config{CookieName: "csrf"}},
		{"a prefix and no name", "want the prefix __Host-", csrf.Config{CookieName: "__Host-"}},
		{"a prefix in small letters", "want the prefix __Host-", csrf.Config{CookieName: "__host-csrf"}},
		{"a name that is none", "cannot be written", csrf.Config{CookieName: "__Host-a;b"}},
		{"a domain", "InsecureCookieScope", csrf.Config{CookieDomain: "example.com"}},
		{"a domain with the prefix", "browsers refuse", csrf.Config{CookieName: "__Host-csrf", CookieDomain: "example.com", InsecureCookieScope: "a test"}},
		{"a domain with a reason", "", csrf.Config{CookieDomain: "example.com", InsecureCookieScope: "a test"}},
		{"a domain that is none", "cannot be written", csrf.Config{CookieDomain: "a b", InsecureCookieScope: "a test"}},
		{"a path", "InsecureCookieScope", csrf.Config{CookiePath: "/app"}},
		{"a path with a reason", "", csrf.Config{CookiePath: "/app", InsecureCookieScope: "a test"}},
		{"a path that is none", "begin with a slash", csrf.Config{CookiePath: "app", InsecureCookieScope: "a test"}},
		{"a path with an attribute", "cannot be written", csrf.Config{CookiePath: "/; Domain=x", InsecureCookieScope: "a test"}},
		{"a name with a reason", "", csrf.Config{CookieName: "xsrf", InsecureCookieScope: "a test"}},
		{"no TLS, and the prefix", "browsers refuse without TLS", csrf.Config{CookieName: "__Host-csrf", InsecureHTTP: "a test"}},
		{"no TLS, and another prefix", "browsers refuse without TLS", csrf.Config{CookieName: "__Secure-csrf", InsecureHTTP: "a test"}},
		{"no TLS", "", csrf.Config{InsecureHTTP: "a test"}},
		{"SameSite None", "InsecureSameSiteNone", csrf.Config{CookieSameSite: http.SameSiteNoneMode}},
		{"SameSite None without TLS", "browsers refuse without TLS", csrf.Config{CookieSameSite: http.SameSiteNoneMode, InsecureSameSiteNone: "a test", InsecureHTTP: "a test"}},
		{"SameSite left out", "want Lax or Strict", csrf.Config{CookieSameSite: http.SameSiteDefaultMode}},
		{"a token for days", "want 1s to 24h", csrf.Config{MaxAge: 25 * time.Hour}},
		{"a token for no time", "want 1s to 24h", csrf.Config{MaxAge: time.Millisecond}},
		{"a large part of the body", "BodyLimit", csrf.Config{BodyLimit: 1<<20 + 1}},
		{"one time", "", csrf.Config{OneTime: true}},
		{"fewer methods", "leaves out PUT", csrf.Config{Methods: []string{"POST", "PATCH", "DELETE"}}},
		{"fewer methods with a reason", "", csrf.Config{Methods: []string{"POST"}, InsecureMethods: "a test"}},
		{"more methods", "", csrf.Config{Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}}},
		{"a reason for everything below nothing", "want a path", csrf.Config{Exempt: []csrf.Exemption{{Route: "", InsecureNoToken: "a test"}}}},
		{"a pattern", "want a path", csrf.Config{Exempt: []csrf.Exemption{{Route: "POST /hooks/{id}", InsecureNoToken: "a test"}}}},
		{"a star", "want a path", csrf.Config{Exempt: []csrf.Exemption{{Route: "/hooks/*", InsecureNoToken: "a test"}}}},
		{"a host", "want a path", csrf.Config{Exempt: []csrf.Exemption{{Route: "example.com/hooks", InsecureNoToken: "a test"}}}},
		{"a route without a reason", "has no reason", csrf.Config{Exempt: []csrf.Exemption{{Route: "/hooks"}}}},
		{"a route with a reason", "", csrf.Config{Exempt: []csrf.Exemption{{Route: "/hooks", InsecureAnyOrigin: "a test"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.cfg.Keys == nil && tt.want != "Keys is nil" {
				tt.cfg.Keys = csrf.EphemeralKeys()
			}
			_, err := csrf.New(tt.cfg)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("New() = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTrustedOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"https://app.example.com": "", "https://app.example.com:8443": "", "https://xn--bcher-kva.example": "", "https://192.0.2.1": "", "https://[2001:db8::1]:8443": "",
		"http://localhost:3000": "", "http://127.0.0.1:3000": "", "http://[::1]": "", "http://app.localhost": "", "https://a_b.example.com": "",
		"null": "sandboxed", "*": "wildcard", "https://*.example.com": "wildcard", "https://App.example.com": "capitals", "HTTPS://app.example.com": "capitals",
		"https://bücher.example": "beyond ASCII", "https://app.example.com ": "spaces", "https://app.example.com\n": "spaces", "": "is not an origin",
		"app.example.com": "is not an origin", "ftp://app.example.com": "is not an origin", "chrome-extension://abc": "is not an origin", "//app.example.com": "is not an origin",
		"https:app.example.com": "is not an origin", "https://app.example.com/": "is not an origin", "https://app.example.com/x": "is not an origin",
		"https://app.example.com?x": "is not an origin", "https://app.example.com#x": "is not an origin", `https://app.example.com\`: "is not an origin",
		"https://a@app.example.com": "is not an origin", "https://": "host", "https://app.example.com.": "host", "https://a..b": "host", "https://-a.example": "host",
		"https://" + strings.Repeat("a", 64) + ".example": "host", "https://" + strings.Repeat("a.", 127) + "a": "host", "https://127.1": "host", "https://0177.0.0.1": "host", "https://[::ffff:127.0.0.1]": "host",
		"https://[0:0::1]": "host", "https://[fe80::1%eth0]": "host", "https://[app.example.com]": "host", "https://[::1": "host", "https://a,https://b": "is not an origin",
		"https://app.example.com:443": "port", "http://localhost:80": "port", "https://app.example.com:": "port", "https://app.example.com:0": "port",
		"https://app.example.com:08443": "port", "https://app.example.com:65536": "port", "https://app.example.com:+1": "port",
		"http://app.example.com": "InsecureTrustedHTTP", "http://192.168.0.1": "InsecureTrustedHTTP", "http://localhost.example.com": "InsecureTrustedHTTP",
	} {
		_, err := csrf.New(csrf.Config{Keys: csrf.EphemeralKeys(), TrustedOrigins: []string{origin}})
		if (want == "") != (err == nil) || want == "InsecureTrustedHTTP" && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", origin, err, want)
		}
	}
	g := guard(t, csrf.Config{TrustedOrigins: []string{"http://app.example.com"}, InsecureTrustedHTTP: "a test"})
	if got := code(t, g.CheckOrigin(sent{"POST", "cross-site", "http://app.example.com", ""}.request())); got != "" {
		t.Errorf("trusted without TLS, with a reason: %q", got)
	}
}

// What a caller keeps of its Config does not change the guard.
func TestGuardKeepsItsOwnConfig(t *testing.T) {
	exempt := []csrf.Exemption{{Route: "/hooks", InsecureNoToken: "a test"}}
	g := guard(t, csrf.Config{Exempt: exempt})
	exempt[0].Route = "/account"
	if got, _ := serve(t, g, httptest.NewRequest("POST", "https://example.com/account", nil)); got != "csrf_missing_cookie" {
		t.Errorf("a route that was exempt later: %q", got)
	}
}
