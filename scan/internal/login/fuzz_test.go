package login

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan/wire"
)

// FuzzAnswer reads an answer of a hostile target in all ways in which a log-in reads one.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", "Set-Cookie: a=b", `{"data":{"access_token":"abcdefghijk","expires_in":60}}`)
	f.Add(422, "application/json", "", `{"detail":[{"loc":["body","name"],"msg":"at least 999999999999 characters"}]}`)
	f.Add(400, "application/json", "", `{"errors":{"a":["must be one of: x, y"],"b":[{}]},"message":"c is required; 'd' must match password"}`)
	f.Add(302, "text/html", "Location: //other.example/login?next=%zz", `<form method=post action="::"><input type=password name=p value="x">`)
	f.Add(200, "text/html", "X-Csrf-Token: x", `<meta name=csrf-token content=y><input name=q><form></form>`)
	f.Add(401, "text/plain", "Retry-After: 99999999999999999999", "token expired")
	f.Add(200, "text/plain", "Retry-After: -1", "aaaaaaaaaa.eyJleHAiOjFlOTl9.c")
	f.Fuzz(func(t *testing.T, status int, media, line, body string) {
		h := http.Header{"Content-Type": {media}}
		if name, value, ok := strings.Cut(line, ": "); ok && name != "" {
			h.Set(name, value)
		}
		ex := &wire.Exchange{Status: status, Header: h, Body: []byte(body), Request: wire.Request{Method: "GET", Path: "/a/b"}}
		a := &attempt{values: map[string]string{"username": "u", "password": "p"}, pages: []*wire.Exchange{ex}}
		a.jar.take(ex)
		for _, t := range findTokens(ex) {
			lifetime([]Credential{{Value: t.value}}, ex, time.Unix(1, 0))
			t.where.of(ex)
		}
		a.guards()
		if d := retryAfter(ex); d < 0 {
			t.Errorf("a wait of %v", d)
		}
		if at := resolve(ex.Request, h.Get("Location")); !strings.HasPrefix(at, "/") {
			t.Errorf("the log-in follows a redirect to %q", at)
		}
		forms, _ := formsOf(ex.Body)
		for _, form := range forms {
			if r := form.fill(nil, a.values, ex.Request); !strings.HasPrefix(r.Path, "/") {
				t.Errorf("a form is sent to %q", r.Path)
			}
		}
		denied(ex)
		limited(ex)
		if text := reason(ex); len(text) > 400 || strings.ContainsAny(text, "\x1b\n\r") {
			t.Errorf("the reason is %q", text)
		}
		filler := newFiller(nil, &person{username: "fzaa", email: "fzaa@example.com", password: "Qz7!Aaaaa1111", phone: "+15551234567", name: "Fz A"})
		for range 3 {
			filler.repair(ex)
			filler.body()
		}
	})
}

// FuzzLocator reads where a configuration says that a value is.
func FuzzLocator(f *testing.F) {
	for _, seed := range []string{"body:/a/0/b", "a.b", "header:X", "cookie:", "regex:(", "input:_csrf", "body:", "/~1~0"} {
		f.Add(seed, `{"a":[{"b":"c"}]}`)
	}
	f.Fuzz(func(t *testing.T, where, body string) {
		l, err := parseLocator(where)
		if err != nil {
			return
		}
		ex := &wire.Exchange{Status: 200, Header: http.Header{}, Body: []byte(body)}
		value := l.of(ex)
		again, err := parseLocator(l.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which is none: %v", where, l.String(), err)
		}
		if got := again.of(ex); got != value {
			t.Errorf("%q finds %q, and %q, as it is written, %q", where, value, l.String(), got)
		}
	})
}
