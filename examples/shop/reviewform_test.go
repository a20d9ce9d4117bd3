package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// people is a shop whose users have passwords and log in.
func people(t *testing.T, names ...string) *shop {
	t.Helper()
	s := openShop(t, t.TempDir()).as(nil)
	for _, name := range names {
		role := "customer"
		if strings.Contains(name, "admin") {
			role = "admin"
		}
		tenant := map[string]string{"keep-admin": "keep", "operator-admin": ""}
		where, other := tenant[name]
		if !other {
			where = "castle"
		}
		newAccount(t, s.core, name, where, role)
	}
	return s
}

// enter logs a user in as a browser does and returns the cookie of the session.
func (s *shop) enter(name string) string {
	s.t.Helper()
	got := s.as(nil).call(http.MethodPost, "/session", `{"username":`+quote(name)+`,"password":`+quote(password)+`}`, "Sec-Fetch-Site", "same-origin")
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		if c.Name == "__Host-session" {
			return c.Name + "=" + c.Value
		}
	}
	s.t.Fatalf("no cookie at log-in: %d %s", got.status, got.body)
	return ""
}

// fillIn sends a form as the page does whose token it has.
func (s *shop) fillIn(target, cookie string, form url.Values) reply {
	s.t.Helper()
	return s.as(nil).form(target, form, s.withToken("Cookie", cookie, "Accept", browser, "Sec-Fetch-Site", "same-origin")...)
}

var filled = url.Values{"stars": {"4"}, "title": {"Bright"}, "text": {"<p>Lit it.</p>"}}

func TestFormOfAReviewLeadsBackToTheItem(t *testing.T) {
	s := people(t, "ann")
	cookie := s.enter("ann")
	page := s.get("/items/5/page", "Accept", browser, "Cookie", cookie)
	for _, want := range []string{`action="/items/5/reviews/form"`, `name="csrf-token"`, "Log out <span>ann</span>", `<label for="title">`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if cc := page.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control of a page with a token is %q", cc)
	}
	got := s.fillIn("/items/5/reviews/form", cookie, filled)
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/items/5/page" || got.body != "" {
		t.Fatalf("the form = %d to %q %s, want 303 to the page", got.status, got.header.Get("Location"), got.body)
	}
	page = s.get("/items/5/page", "Accept", browser, "Cookie", cookie)
	if !strings.Contains(page.body, `<div class="prose"><p>Lit it.</p></div>`) || strings.Contains(page.body, `reviews/form"`) || !strings.Contains(page.body, `/delete"`) {
		t.Errorf("the page does not show the review with a button, or has the form still: %s", page.body)
	}
	if forms, tokens := strings.Count(page.body, "<form"), strings.Count(page.body, `name="csrf-token"`); forms != 3 || tokens != forms {
		t.Errorf("of %d forms %d have a token, want 3: to log out, to order and to delete", forms, tokens)
	}
	if nobody := s.get("/items/5/page", "Accept", browser); strings.Contains(nobody.body, "csrf-token") || strings.Contains(nobody.body, "/delete") || len(nobody.header.Values("Set-Cookie")) > 0 {
		t.Error("who is not logged in gets a form or a cookie")
	}
	if again := s.fillIn("/items/5/reviews/form", cookie, filled); again.status != http.StatusConflict || !strings.Contains(again.body, "you have reviewed this item already") {
		t.Errorf("a second review = %d %s, want the page with 409", again.status, again.body)
	}
}

func TestFormThatIsWrongIsShownAgainWithWhatWasTyped(t *testing.T) {
	s := people(t, "ann")
	cookie := s.enter("ann")
	bad := url.Values{"stars": {"9"}, "title": {`"><script>alert(1)</script>`}, "text": {`</textarea><script>alert(2)</script>`}}
	got := s.fillIn("/items/5/reviews/form", cookie, bad)
	if got.status != http.StatusUnprocessableEntity || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("the form = %d %s %s, want the page with 422", got.status, got.header.Get("Content-Type"), got.body)
	}
	for _, want := range []string{
		`id="stars-wrong">Stars: Input should be less than or equal to 5`, `id="title-wrong">Title: Text should have no markup`, `aria-invalid="true" aria-describedby="title-wrong"`,
		`role="alert"`, `value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`, `&lt;/textarea&gt;&lt;script&gt;alert(2)`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if found := activeIn(got.body); found != "" {
		t.Errorf("the page has %q", found)
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "/csp-reports") {
		t.Errorf("the policy of the page is %q", policy)
	}
	if empty := s.fillIn("/items/5/reviews/form", cookie, url.Values{}); empty.status != http.StatusUnprocessableEntity || strings.Count(empty.body, `class="wrong"`) != 3 {
		t.Errorf("an empty form = %d %s, want three messages", empty.status, empty.body)
	}
	if extra := s.fillIn("/items/5/reviews/form", cookie, url.Values{"author": {"eve"}}); extra.status != http.StatusUnprocessableEntity {
		t.Errorf("a form with a field that nobody declared = %d, want 422", extra.status)
	}
	var stored int
	if err := s.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM reviews").Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d reviews are stored (%v)", stored, err)
	}
}

func TestFormWithoutItsTokenIsRefused(t *testing.T) {
	s := people(t, "ann", "eve", "admin")
	ann, eve := s.enter("ann"), s.enter("eve")
	of, ofCookie := s.token(eve)
	path := s.as(reviewer("c1")).review("/items/1", goodReview)
	for _, target := range []string{"/items/5/reviews/form", path + "/delete", "/logout/form"} {
		for name, header := range map[string][]string{
			"no token":              {"Sec-Fetch-Site", "same-origin", "Cookie", ann},
			"the token of somebody": {"Sec-Fetch-Site", "same-origin", "Cookie", ann + "; " + ofCookie, "X-CSRF-Token", of},
			"a page of another":     s.withToken("Sec-Fetch-Site", "cross-site", "Cookie", ann),
			"a page beside":         s.withToken("Sec-Fetch-Site", "same-site", "Cookie", ann),
			"another origin":        s.withToken("Origin", "https://localhost:9443", "Cookie", ann),
		} {
			form := url.Values{"next": {"/"}}
			if target == "/items/5/reviews/form" {
				form = filled
			}
			if got := s.form(target, form, append(header, "Accept", browser)...); got.status != http.StatusForbidden {
				t.Errorf("%s with %s = %d %s, want 403", target, name, got.status, got.body)
			}
		}
	}
	if got := s.get("/me", "Cookie", ann); got.status != http.StatusOK {
		t.Errorf("ann was logged out: %d", got.status)
	}
	if got := s.get("/items/5/reviews"); !strings.Contains(got.body, `"total":0`) {
		t.Errorf("there is a review: %s", got.body)
	}
}

func TestLogOutByTheForm(t *testing.T) {
	s := people(t, "ann")
	cookie := s.enter("ann")
	got := s.fillIn("/logout/form", cookie, url.Values{"next": {"/items/5/page"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/items/5/page" {
		t.Fatalf("the form = %d to %q %s", got.status, got.header.Get("Location"), got.body)
	}
	if set := strings.Join(got.header.Values("Set-Cookie"), "; "); !strings.Contains(set, "__Host-session=;") || got.header.Get("Clear-Site-Data") == "" {
		t.Errorf("it sets %q and clears %q", set, got.header.Get("Clear-Site-Data"))
	}
	if after := s.get("/me", "Cookie", cookie); after.status != http.StatusUnauthorized {
		t.Errorf("the session is good still: %d", after.status)
	}
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/%0d%0aSet-Cookie:x=1", "javascript:alert(1)"} {
		out := s.fillIn("/logout/form", s.enter("ann"), url.Values{"next": {next}})
		if to := out.header.Get("Location"); out.status != http.StatusSeeOther || to == "" || strings.Contains(to, "evil.example") && to[0] != '/' || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
			t.Errorf("next %q leads to %q (%d)", next, to, out.status)
		}
	}
}

// Who has a cookie of no use is led to the log-in and loses the cookie, and gets
// pages for everybody without it.
func TestPeopleAreLedToTheLogIn(t *testing.T) {
	s := people(t, "admin", "ann")
	dead := s.enter("ann")
	s.fillIn("/logout/form", dead, url.Values{"next": {"/"}})
	for _, cookie := range []string{dead, "__Host-session=x", ""} {
		header := []string{"Accept", browser}
		if cookie != "" {
			header = append(header, "Cookie", cookie)
		}
		got := s.get("/admin?a=b&c", header...)
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/login?next=%2Fadmin%3Fa%3Db%26c" || got.body != "" || got.header.Get("Www-Authenticate") != "" {
			t.Errorf("GET /admin with cookie %q = %d to %q %s", cookie, got.status, got.header.Get("Location"), got.body)
		}
		if cleared := strings.Contains(strings.Join(got.header.Values("Set-Cookie"), ""), "__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure"); cleared != (cookie != "") {
			t.Errorf("with cookie %q the answer sets %q", cookie, got.header.Values("Set-Cookie"))
		}
	}
	if got := s.get("/admin"); got.status != http.StatusUnauthorized || got.header.Get("Www-Authenticate") == "" {
		t.Errorf("GET /admin by a program = %d, want 401 with a challenge", got.status)
	}
	if got := s.get("/admin", "Accept", browser, "Cookie", s.enter("ann")); got.status != http.StatusForbidden {
		t.Errorf("GET /admin by a customer = %d, want 403", got.status)
	}
	if got := s.get("//evil.example/admin", "Accept", browser); strings.Contains(got.header.Get("Location"), "evil.example") && !strings.HasPrefix(got.header.Get("Location"), "/") {
		t.Errorf("a path that looks like a host leads to %q", got.header.Get("Location"))
	}
	alive := s.enter("ann")
	for target, header := range map[string][]string{"/oauth/userinfo": {"Cookie", alive}, "/me": {"Authorization", "Bearer x"}} {
		got := s.get(target, append(header, "Accept", browser)...)
		if got.status != http.StatusUnauthorized || len(got.header.Values("Set-Cookie")) > 0 {
			t.Errorf("GET %s, where a log-in is of no use = %d, sets %q", target, got.status, got.header.Values("Set-Cookie"))
		}
	}
	if got := s.get("/me", "Cookie", alive); got.status != http.StatusOK {
		t.Errorf("the session is gone: %d", got.status)
	}
	if got := s.call(http.MethodPost, "/orders", `{"item_id":1}`, "Accept", browser); got.status != http.StatusUnauthorized {
		t.Errorf("POST /orders by nobody = %d, want 401", got.status)
	}
}

// A page in the middle of the list has links to the others.
func TestReviewsHavePages(t *testing.T) {
	s := openShop(t, t.TempDir())
	for i := range 2*reviewsOnPage + 1 {
		s.as(reviewer("c"+string(rune('A'+i)))).review("/items/1", goodReview)
	}
	var page reply
	for offset, want := range map[string][2]bool{"0": {false, true}, "20": {true, true}, "40": {true, false}} {
		page = s.as(nil).get("/items/1/page?offset="+offset, "Accept", browser)
		if newer, older := strings.Contains(page.body, "Newest reviews"), strings.Contains(page.body, "Older reviews"); newer != want[0] || older != want[1] {
			t.Errorf("at %s newer is %t and older %t", offset, newer, older)
		}
	}
	program := s.as(nil).get("/items/1/page")
	if !strings.HasPrefix(program.body, `{"reviews":[`) || strings.Contains(program.body, "csrf") {
		t.Errorf("a program gets %.100s", program.body)
	}
}
