package session_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/problem"
)

const cookieName = "__Host-session"

// wellFormed has the form of a secret, and none has ever been it.
const wellFormed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// newCookies returns a scheme whose sessions have no database: whatever asks it
// panics.
func newCookies(t testing.TB, cfg session.CookieConfig) *session.Cookies {
	t.Helper()
	cfg.Sessions = new(session.Sessions)
	c, err := session.NewCookies(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfigNamesEveryMistake(t *testing.T) {
	_, err := session.Open(t.Context(), session.Config{
		Idle: time.Second, Absolute: 31 * 24 * time.Hour, RefreshIdle: 48 * time.Hour, RefreshAbsolute: 24 * time.Hour,
		Grace: 11 * time.Second, Keep: -1,
	})
	if err == nil {
		t.Fatal("a config without anything right was taken")
	}
	for _, name := range []string{"DB is nil", "Accounts is nil", "Events is nil", "Idle is 1s", "Absolute is 744h", "RefreshIdle is 48h", "Grace is 11s", "Keep is"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not say %q: %v", name, err)
		}
	}
}

func TestCookieConfig(t *testing.T) {
	tests := []struct {
		is   string
		cfg  session.CookieConfig
		want string // part of the error
	}{
		{"the zero value is good", session.CookieConfig{}, ""},
		{"another name with the prefix is good", session.CookieConfig{Cookie: "__Host-shop"}, ""},
		{"a name without the prefix could be planted", session.CookieConfig{Cookie: "shop"}, "want the prefix"},
		{"__Secure- could be planted by a subdomain", session.CookieConfig{Cookie: "__Secure-shop"}, "want the prefix"},
		{"the prefix is no name", session.CookieConfig{Cookie: "__Host-"}, "want the prefix"},
		{"a name that ends the cookie", session.CookieConfig{Cookie: "__Host-a;b"}, "no name of a cookie"},
		{"a name that ends the line", session.CookieConfig{Cookie: "__Host-a\r\nb"}, "no name of a cookie"},
		{"without TLS the prefix must go", session.CookieConfig{Cookie: "__host-a", InsecureHTTP: "test"}, "browsers refuse"},
		{"without TLS the default has none", session.CookieConfig{InsecureHTTP: "test"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.is, func(t *testing.T) {
			tt.cfg.Sessions = new(session.Sessions)
			_, err := session.NewCookies(tt.cfg)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewCookies(%+v): %v, want %q", tt.cfg, err, tt.want)
			}
		})
	}
	if _, err := session.NewCookies(session.CookieConfig{}); err == nil {
		t.Error("cookies without sessions were taken")
	}
}

func TestCookieHasEveryAttribute(t *testing.T) {
	tests := []struct {
		is   string
		cfg  session.CookieConfig
		want http.Cookie
	}{
		{"by default", session.CookieConfig{}, http.Cookie{Name: cookieName, Secure: true, SameSite: http.SameSiteLaxMode}},
		{"strict", session.CookieConfig{Strict: true}, http.Cookie{Name: cookieName, Secure: true, SameSite: http.SameSiteStrictMode}},
		{"without TLS", session.CookieConfig{InsecureHTTP: "test"}, http.Cookie{Name: "session", SameSite: http.SameSiteLaxMode}},
	}
	for _, tt := range tests {
		t.Run(tt.is, func(t *testing.T) {
			c := newCookies(t, tt.cfg)
			h := http.Header{"Set-Cookie": {"other=1"}}
			c.ClearCookie(h)
			c.SetCookie(h, wellFormed, nil) // It replaces the one before.
			lines := h["Set-Cookie"]
			if len(lines) != 2 || lines[0] != "other=1" || h.Get("Cache-Control") != "no-store" {
				t.Fatalf("header is %v, want the other cookie, this one and no-store", h)
			}
			got, err := http.ParseSetCookie(lines[1])
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != tt.want.Name || got.Value != wellFormed || got.Secure != tt.want.Secure || got.SameSite != tt.want.SameSite ||
				!got.HttpOnly || got.Path != "/" || got.Domain != "" || got.MaxAge != 0 || !got.Expires.IsZero() {
				t.Errorf("cookie is %q", lines[1])
			}
			c.ClearCookie(h)
			if got, err := http.ParseSetCookie(h["Set-Cookie"][1]); err != nil || got.MaxAge >= 0 || got.Value != "" || got.Secure != tt.want.Secure {
				t.Errorf("clearing cookie is %q", h["Set-Cookie"][1])
			}
		})
	}
}

func TestSchemeSaysWhatItIs(t *testing.T) {
	d := newCookies(t, session.CookieConfig{}).Describe()
	if d.Name != "session" || !d.Ambient || d.Security.In != "cookie" || d.Security.Name != cookieName || len(d.OptOuts) != 0 {
		t.Errorf("Describe() = %+v", d)
	}
	d = newCookies(t, session.CookieConfig{InsecureHTTP: "a test"}).Describe()
	if d.OptOuts["InsecureHTTP"] != "a test" {
		t.Errorf("opt-outs are %v, want the reason of InsecureHTTP", d.OptOuts)
	}
}

// Whatever asks the database panics here, so a refusal has not.
func TestMalformedCookieCostsNoQuery(t *testing.T) {
	values := []string{
		"", "x", wellFormed + "A", wellFormed[1:], `"` + wellFormed[2:] + `"`, strings.Repeat("A", 42) + "+", strings.Repeat("A", 42) + "=",
		strings.Repeat("A", 42) + "\x00", strings.Repeat("A", 42) + " ", "' OR 1=1 --" + strings.Repeat("A", 32), strings.Repeat("A", 1<<20),
		strings.Repeat("é", 21) + "A",
	}
	c := newCookies(t, session.CookieConfig{})
	for _, value := range values {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookieName+"="+value)
		if !c.Present(r) {
			t.Errorf("a cookie of %d bytes is not present", len(value))
		}
		_, err := c.Authenticate(t.Context(), r)
		if _, ok := errors.AsType[*auth.Refusal](err); !ok {
			t.Errorf("a cookie of %d bytes: %v, want a refusal", len(value), err)
		}
		if value != "" && len(value) > 2 && strings.Contains(err.Error(), value) {
			t.Errorf("the refusal shows the value: %v", err)
		}
	}
}

func TestTwoCookiesOfTheNameAreAmbiguous(t *testing.T) {
	one := cookieName + "=" + wellFormed
	for _, fields := range [][]string{
		{one + "; " + one}, {one + ";" + cookieName + "=x"}, {one, one}, {one + "; a=b;\t" + cookieName}, {one + "; " + cookieName + " =x"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = fields
		_, err := newCookies(t, session.CookieConfig{}).Authenticate(t.Context(), r)
		if p := problem.From(err); err == nil || p.Status != http.StatusBadRequest {
			t.Errorf("%q: %v, want 400", fields, err)
		}
	}
}

func TestCookiesOfOtherNamesAreNotSeen(t *testing.T) {
	c := newCookies(t, session.CookieConfig{})
	for _, field := range []string{"", "session=" + wellFormed, "__host-session=" + wellFormed, "x__Host-session=1", "a=__Host-session=1", "=" + wellFormed} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", field)
		if c.Present(r) {
			t.Errorf("%q counts as the session's cookie", field)
		}
	}
}

func FuzzCookieHeader(f *testing.F) {
	for _, seed := range []string{
		"", cookieName + "=" + wellFormed, "a=b; " + cookieName + "=" + wellFormed, cookieName + "=" + wellFormed + "; " + cookieName + "=x",
		cookieName + `="` + wellFormed + `"`, `a="; ` + cookieName + "=" + wellFormed + `; "`, ";;;=;", cookieName + " = " + wellFormed,
	} {
		f.Add(seed)
	}
	c := newCookies(f, session.CookieConfig{})
	f.Fuzz(func(t *testing.T, field string) {
		r := &http.Request{Header: http.Header{"Cookie": {field}}}
		value, n := c.Value(r)
		if n == 0 && value != "" || n != 1 || !session.WellFormed(value) {
			return
		}
		// Then the rest of the program sees the same cookie.
		found := r.CookiesNamed(cookieName)
		if !slices.ContainsFunc(found, func(c *http.Cookie) bool { return c.Value == value }) && strings.Count(field, ";") < 3000 {
			t.Errorf("the scheme sees %q in %q, net/http sees %v", value, field, found)
		}
		if !strings.Contains(field, value) {
			t.Errorf("the value %q is not in %q", value, field)
		}
	})
}

func FuzzSecret(f *testing.F) {
	for _, seed := range []string{"", wellFormed, wellFormed + "=", wellFormed[:42] + "\n"} {
		f.Add(seed)
	}
	var random [32]byte
	rand.Read(random[:])
	f.Add(base64.RawURLEncoding.EncodeToString(random[:]))
	f.Fuzz(func(t *testing.T, text string) {
		_, err := base64.RawURLEncoding.DecodeString(text)
		want := err == nil && len(text) == 43 && !strings.ContainsAny(text, "\r\n") // which package base64 skips
		if got := session.WellFormed(text); got != want {
			t.Errorf("%q: well-formed %v, want %v", text, got, want)
		}
	})
}

func FuzzLabel(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64)")
	f.Add("\x1b[31mred\x1b[0m\r\nSet-Cookie: a=b\u202e")
	f.Add(strings.Repeat("é", 300))
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		label := session.CleanLabel(text)
		if len(label) > 200 || !utf8.ValidString(label) || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("label of %q is %q", text, label)
		}
	})
}
