package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/cors"
)

// The origins of pages, and the cookies that browsers send along.

// nearlyListed are origins that are nearly listed.
func nearlyListed() []string {
	return []string{
		"https://evil.example", "null", "NULL", "https://app.example.evil.example", "https://evilapp.example", "https://app.example.", "https://app.example:444", "https://app.example:443",
		"http://app.example", "https://APP.example", "HTTPS://app.example", "https://sub.app.example", "https://app.example@evil.example", "https://evil.example#https://app.example",
		"https://app.example/", "https://app.example ,https://evil.example", "https://app.example https://evil.example", "https://app.exampIe", "https://app.exаmple", "https://xn--app-example",
		"file://", "chrome-extension://app.example", "app.example", "*", "https://app-example", "https://app.example%00.evil.example", "https://app.example\t.evil.example", "ftp://app.example",
	}
}

// sharing is an app with one page of another origin, for whose visitors it has
// credentials, over which it counts what was changed.
func sharing(t *testing.T) (s *stack, changed *int) {
	t.Helper()
	changed = new(int)
	app := fastness.New(fastness.Config{Title: "Sharing", Version: "1", CORS: cors.Config{Origins: []string{"https://app.example"}, Headers: []string{"Content-Type"}}})
	fastness.Get(app, "/a", func(context.Context, struct{}) (string, error) { return "read", nil }, access.Public)
	fastness.Put(app, "/a", func(context.Context, struct{ Body string }) (string, error) {
		*changed++
		return "written", nil
	}, access.Public)
	return serveApp(t, app, plainHTTP[:]...), changed
}

func TestOriginsThatAreNearlyListedAreStrangers(t *testing.T) {
	s, changed := sharing(t)
	ask := func(method, origin, fields, body string) reply {
		return s.one(t, fmt.Sprintf("%s /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\nOrigin: %s\r\n%s\r\n%s", method, len(body), origin, fields, body))
	}
	const preflight = "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n"
	for _, origin := range append(nearlyListed(), "https://app.example") {
		listed := origin == "https://app.example"
		read, written, asked := ask("GET", origin, "", ""), ask("PUT", origin, "", `"x"`), ask("OPTIONS", origin, preflight, "")
		for what, got := range map[string]reply{"GET": read, "PUT": written, "OPTIONS": asked} {
			want := ""
			if listed {
				want = origin
			}
			if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != want {
				t.Errorf("%s for %s: pages of %q may read it, want %q", what, origin, allowed, want)
			}
			if got.header.Get("Access-Control-Allow-Credentials") != "" || got.status >= 500 {
				t.Errorf("%s for %s: %d %v", what, origin, got.status, got.header)
			}
			// A cache must not give the answer for one origin to another.
			if got.status != http.StatusBadRequest && !slices.ContainsFunc(got.header.Values("Vary"), func(v string) bool { return strings.Contains(v, "Origin") }) {
				t.Errorf("%s for %s: %d varies by %q, want Origin", what, origin, got.status, got.header.Values("Vary"))
			}
		}
		if listed {
			if read.status != http.StatusOK || written.status != http.StatusOK || asked.status != http.StatusNoContent || asked.header.Get("Access-Control-Allow-Methods") == "" {
				t.Errorf("the listed origin: %d, %d, %d %v", read.status, written.status, asked.status, asked.header)
			}
			continue
		}
		wantProblem(t, "a PUT of "+origin, written, http.StatusForbidden, http.StatusBadRequest)
		wantProblem(t, "a preflight of "+origin, asked, http.StatusForbidden, http.StatusBadRequest)
		for _, name := range []string{"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"} {
			if asked.header.Get(name) != "" {
				t.Errorf("the preflight of %s gets %s: %s", origin, name, asked.header.Get(name))
			}
		}
	}
	if *changed != 1 {
		t.Errorf("%d requests have written, want the one of the listed origin", *changed)
	}
}

// Who can set cookies for a victim, from a sibling domain, makes each of their
// requests too large; but not for the server, and not a 500.
func TestCookieBombsAreRefused(t *testing.T) {
	each := func(n, size int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("c%d=%s", i, strings.Repeat("x", size))
		}
		return strings.Join(list, "; ")
	}
	eachStack(t, func(t *testing.T, s *stack) {
		for _, path := range []string{"/items/1", "/me", "/login", "/read_item/7", "/csrftoken/"} {
			for name, tt := range map[string]struct {
				cookies  string
				statuses []int
			}{
				"180 cookies of 16 KB":       {each(180, 90), []int{431}},
				"one of 17 KB":               {each(1, 17_000), []int{431}},
				"8 of 4 KB":                  {each(8, 4_096), []int{431}},
				"16 KB in five fields":       {strings.Join([]string{each(4, 900), each(4, 900), each(4, 900), each(4, 900), each(4, 900)}, "\r\nCookie: "), []int{400, 431}},
				"1,000 empty ones":           {strings.Repeat("a=; ", 1_000) + "a=", []int{200, 400, 401, 431}},
				"180 of a few bytes":         {each(180, 4), []int{200, 400, 401, 431}},
				"180 of the session's name":  {strings.Repeat("__Host-session=x; ", 180) + "a=b", []int{200, 400, 401, 431}},
				"separators and nothing":     {strings.Repeat(";", 8_000), []int{200, 400, 401, 431}},
				"a quote that is not closed": {`a="` + strings.Repeat("x", 8_000), []int{200, 400, 401, 431}},
			} {
				got := s.one(t, strings.Replace(getItems("Cookie: "+tt.cookies+"\r\n"), "/items/", path, 1))
				if got.status == http.StatusOK && slices.Contains(tt.statuses, 200) {
					continue
				}
				wantProblem(t, path+" "+name, got, tt.statuses...)
			}
		}
		if got := s.one(t, strings.Replace(getItems("Cookie: "+each(20, 100)+"\r\n"), "/items/", "/items/1", 1)); got.status != http.StatusOK {
			t.Errorf("20 cookies of 2 KB: %d, want 200", got.status)
		}
	})
}

// Of two cookies with the name of the session, a proxy may read one and the shop
// the other; and the second one may be of somebody on a sibling domain.
func TestTwoSessionCookiesAreRefused(t *testing.T) {
	s := csrfShop(t)
	anns, eves := s.session("ann"), s.session("eve")
	if got := s.get("/me", "Cookie", anns); got.status != http.StatusOK {
		t.Fatalf("ann's own: %d", got.status)
	}
	for _, cookies := range [][]string{
		{anns + "; " + eves}, {eves + "; " + anns}, {anns + "; " + anns}, {anns + "; __Host-session="}, {"__Host-session=; " + anns}, {anns + "; a=b; __Host-session=x"},
		{anns, eves}, {anns + ";__Host-session=x"}, {anns + `; __Host-session="x"`}, {"a=b; __Host-session=x ; " + anns},
	} {
		for _, path := range []string{"/me", "/orders", "/items/1"} {
			var header []string
			for _, line := range cookies {
				header = append(header, "Cookie", line)
			}
			wantProblem(t, path+" "+strings.Join(cookies, " | "), s.get(path, header...), http.StatusBadRequest)
		}
	}
	// A page for everybody reads neither. A token that it makes is of no use to either.
	for _, both := range []string{anns + "; " + eves, eves + "; " + anns} {
		token, cookie := s.token(both)
		for _, one := range []string{anns, eves} {
			s.buy(token, one, cookie).wantCode(t, "csrf_mismatch")
		}
		wantProblem(t, "an order of two", s.buy(token, both, cookie), http.StatusBadRequest)
	}
	for _, beside := range []string{"session=x", "__Secure-session=x", "__Host-session2=x", "x__Host-session=y"} { // Other names are other cookies.
		if got := s.get("/me", "Cookie", anns+"; "+beside); got.status != http.StatusOK {
			t.Errorf("beside %s: %d %s, want 200", beside, got.status, got.body)
		}
	}
}
