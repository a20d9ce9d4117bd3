package csrf_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/csrf"
)

func TestCookieIsWrittenAsStrictlyAsItCanBe(t *testing.T) {
	const value = `[A-Za-z0-9_-]{43}`
	for _, tt := range []struct {
		name, want string
		cfg        csrf.Config
	}{
		{"by default", `__Host-csrf=` + value + `; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax`, csrf.Config{}},
		{"strict", `__Host-csrf=` + value + `; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict`, csrf.Config{CookieSameSite: http.SameSiteStrictMode}},
		{"another name", `__Host-xsrf=` + value + `; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax`, csrf.Config{CookieName: "__Host-xsrf"}},
		{"as long as a token, rounded up", `__Host-csrf=` + value + `; Path=/; Max-Age=91; HttpOnly; Secure; SameSite=Lax`, csrf.Config{MaxAge: 90*time.Second + 1}},
		{"without TLS", `csrf=` + value + `; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax`, csrf.Config{InsecureHTTP: "a test"}},
		{"for scripts", `__Host-csrf=` + value + `; Path=/; Max-Age=3600; Secure; SameSite=Lax`, csrf.Config{InsecureReadableCookie: "a test"}},
		{"on every site", `__Host-csrf=` + value + `; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=None`,
			csrf.Config{CookieSameSite: http.SameSiteNoneMode, InsecureSameSiteNone: "a test"}},
		{"for a domain", `csrf=` + value + `; Path=/app; Domain=example.com; Max-Age=3600; HttpOnly; Secure; SameSite=Lax`,
			csrf.Config{CookieDomain: "example.com", CookiePath: "/app", InsecureCookieScope: "a test"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := guard(t, tt.cfg)
			b := &browser{}
			_, h := b.page(t, g, "")
			if lines := h["Set-Cookie"]; len(lines) != 1 || !regexp.MustCompile("^"+tt.want+"$").MatchString(lines[0]) {
				t.Errorf("Set-Cookie = %q, want %s", lines, tt.want)
			}
			if c := (&http.Response{Header: h}).Cookies(); len(c) != 1 || c[0].Valid() != nil {
				t.Errorf("net/http reads %v", c)
			}
			gone := http.Header{}
			g.Forget(gone)
			want := strings.Replace(regexp.MustCompile(`Max-Age=\d+`).ReplaceAllString(tt.want, "Max-Age=0"), value, "", 1)
			if got := gone["Set-Cookie"]; len(got) != 1 || got[0] != want {
				t.Errorf("Forget() writes %q, want %q", got, want)
			}
		})
	}
}

func TestCookieIsRandomAndStays(t *testing.T) {
	g := guard(t, csrf.Config{})
	seen := map[string]bool{}
	for range 100 {
		b := &browser{}
		b.page(t, g, "")
		seen[b.cookie] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 browsers have %d cookies", len(seen))
	}
	b := &browser{}
	first, _ := b.page(t, g, "")
	kept := b.cookie
	second, h := b.page(t, g, "")
	if b.cookie != kept || len(h["Set-Cookie"]) != 1 {
		t.Errorf("the cookie changes from %q to %q", kept, b.cookie)
	}
	for _, token := range []string{first, second} {
		if got := b.send(t, g, "", token); got != "" {
			t.Errorf("two pages are open, and one cannot be sent: %q", got)
		}
	}
}

// The first page of a browser may have more than one form.
func TestTwoFormsOfTheFirstPage(t *testing.T) {
	g := guard(t, csrf.Config{})
	r := httptest.NewRequest("GET", "https://example.com/", nil)
	session := "__Host-session=" + strings.Repeat("S", 43) // looks like ours, and is another secret
	h := http.Header{"Set-Cookie": {session + "; Path=/", "__Host-csrf=short; Path=/"}}
	var tokens []string
	for _, g := range []*csrf.Guard{g, g.For("delete account")} {
		token, err := g.Token(h, r, "")
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	if len(h["Set-Cookie"]) != 3 || strings.Contains(h["Set-Cookie"][2], "SSS") {
		t.Fatalf("Set-Cookie = %q, want one more", h["Set-Cookie"])
	}
	b := &browser{}
	b.cookie, _, _ = strings.Cut(h["Set-Cookie"][2], ";")
	if got := b.send(t, g, "", tokens[0]); got != "" {
		t.Errorf("the first form: %q", got)
	}
	if got := b.send(t, g.For("delete account"), "", tokens[1]); got != "" {
		t.Errorf("the second form: %q", got)
	}
}

// A cookie that nobody here has made is replaced, so that a browser is not locked
// out by what was planted.
func TestMalformedCookieIsReplaced(t *testing.T) {
	g := guard(t, csrf.Config{})
	twice := "__Host-csrf=" + strings.Repeat("A", 43)
	for _, planted := range []string{twice + "; " + twice, "__Host-csrf=x", "__Host-csrf=", "__Host-csrf", `__Host-csrf="` + strings.Repeat("A", 43) + `"`, "__host-csrf=" + strings.Repeat("A", 43)} {
		b := &browser{planted}
		token, _ := b.page(t, g, "")
		if b.cookie == planted || strings.Contains(b.cookie, strings.Repeat("A", 43)) {
			t.Errorf("%s is kept", planted)
		}
		if got := b.send(t, g, "", token); got != "" {
			t.Errorf("after %s: %q", planted, got)
		}
	}
}
