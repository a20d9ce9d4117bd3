package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sqldb"
)

// What follows speaks to the shop as programs and browsers do, field by field:
// package fastnesstest has a browser that does it by itself.

// wantCode reports another status than 403 or another code.
func (r reply) wantCode(t *testing.T, code string) {
	t.Helper()
	if got, _ := r.decode(t)["code"].(string); r.status != http.StatusForbidden || got != code {
		t.Errorf("%d %s, want 403 %s", r.status, r.body, code)
	}
}

// cookies returns what the answer sets, as a browser sends it.
func (r reply) cookies() map[string]string {
	set := make(map[string]string)
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		set[c.Name] = c.Name + "=" + c.Value
	}
	return set
}

// csrfShop is a shop with two users.
func csrfShop(t *testing.T) *shop {
	t.Helper()
	s := openShop(t, t.TempDir()).as(nil)
	for _, name := range []string{"ann", "eve"} {
		newAccount(t, s.core, name, "castle", "customer")
	}
	return s
}

// own is what browsers say of a page of the shop.
var own = []string{"Sec-Fetch-Site", "same-origin"}

// submit sends the form to log in, with headers in pairs and a token in the field, if
// it is not "".
func (s *shop) submit(field string, header ...string) reply {
	s.t.Helper()
	form := url.Values{"username": {"ann"}, "password": {password}}
	if field != "" {
		form.Set("csrf-token", field)
	}
	return s.form("/login", form, append(own, header...)...)
}

// session logs a user in and returns the cookie of the session.
func (s *shop) session(name string) string {
	s.t.Helper()
	got := s.call(http.MethodPost, "/session", `{"username":`+quote(name)+`,"password":`+quote(password)+`}`, own...)
	cookie := got.cookies()["__Host-session"]
	if cookie == "" {
		s.t.Fatalf("the log-in of %s: %d %s", name, got.status, got.body)
	}
	return cookie
}

func TestTokenComesWithACookie(t *testing.T) {
	s := csrfShop(t)
	got := s.get("/csrftoken/")
	if object := got.decode(t); got.status != http.StatusOK || len(object) != 1 || object["csrf_token"] == "" {
		t.Errorf("%d %s, want 200 with the token and nothing else", got.status, got.body)
	}
	if value := got.header.Get("Cache-Control"); value != "no-store" {
		t.Errorf("Cache-Control is %q, want no-store", value)
	}
	set := got.header.Values("Set-Cookie")
	if len(set) != 1 || !strings.HasPrefix(set[0], "__Host-csrf=") {
		t.Fatalf("it sets %q, want __Host-csrf", set)
	}
	for _, attribute := range []string{"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(set[0], "; "+attribute) {
			t.Errorf("the cookie is %q, want %s", set[0], attribute)
		}
	}
	if strings.Contains(set[0], "Domain") {
		t.Errorf("the cookie is %q, and for other hosts", set[0])
	}
	again, cookie := s.token(got.cookies()["__Host-csrf"])
	if again == got.decode(t)["csrf_token"] || cookie != got.cookies()["__Host-csrf"] {
		t.Error("a second token for the browser is the same, or has another cookie")
	}
}

var hiddenToken = regexp.MustCompile(`<input type="hidden" name="csrf-token" value="([^"]+)">`)

func TestLogInPageHasATokenAndAStrictPolicy(t *testing.T) {
	s := csrfShop(t)
	got := s.get("/login", "Accept", browser)
	field := hiddenToken.FindStringSubmatch(got.body)
	if got.status != http.StatusOK || field == nil {
		t.Fatalf("%d %s, want a page with a token", got.status, got.body)
	}
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the page's policy is %s, want %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || active.MatchString(got.body) {
		t.Errorf("the page has something active, or its policy allows it: %s", policy)
	}
	if value := got.header.Get("Cache-Control"); value != "no-store" {
		t.Errorf("Cache-Control is %q, want no-store", value)
	}
	cookie := got.cookies()["__Host-csrf"]
	in := s.submit(field[1], "Cookie", cookie, "Accept", browser)
	if in.status != http.StatusSeeOther || in.header.Get("Location") != "/" || in.cookies()["__Host-session"] == "" {
		t.Errorf("the form of the page: %d to %q, want to be logged in", in.status, in.header.Get("Location"))
	}
}

func TestLogInWithoutATokenIsRefused(t *testing.T) {
	s := csrfShop(t)
	token, cookie := s.token()
	_, other := s.token()
	forged := "A" + token[1:len(token)-1] + "A"
	_, value, _ := strings.Cut(cookie, "=")
	for name, tt := range map[string]struct {
		field  string
		header []string
		code   string
	}{
		"nothing":                         {"", nil, "csrf_missing_cookie"},
		"a token without its cookie":      {token, nil, "csrf_missing_cookie"},
		"the same in the header":          {"", []string{"X-CSRF-Token", token}, "csrf_missing_cookie"},
		"a cookie alone":                  {"", []string{"Cookie", cookie}, "csrf_missing_token"},
		"an empty header":                 {"", []string{"Cookie", cookie, "X-CSRF-Token", ""}, "csrf_missing_token"},
		"the cookie's value as the token": {value, []string{"Cookie", cookie}, "csrf_invalid"},
		"Bearer before the token":         {"", []string{"Cookie", cookie, "X-CSRF-Token", "Bearer " + token}, "csrf_invalid"},
		"the cookie of another browser":   {token, []string{"Cookie", other}, "csrf_mismatch"},
		"forged":                          {forged, []string{"Cookie", cookie}, "csrf_invalid"},
		"cut":                             {token[:len(token)/2], []string{"Cookie", cookie}, "csrf_invalid"},
		"padded":                          {token + "=", []string{"Cookie", cookie}, "csrf_invalid"},
		"with a line end":                 {token + "\n", []string{"Cookie", cookie}, "csrf_invalid"},
		"two headers":                     {"", []string{"Cookie", cookie, "X-CSRF-Token", token, "X-CSRF-Token", token}, "csrf_invalid"},
		"a bad header and a good field":   {token, []string{"Cookie", cookie, "X-CSRF-Token", "x"}, "csrf_invalid"},
		"two cookies":                     {token, []string{"Cookie", other + "; " + cookie}, "csrf_invalid"},
		"a cookie in capitals beside it":  {token, []string{"Cookie", cookie + "; __HOST-CSRF=x"}, "csrf_invalid"},
		"a cookie without the prefix":     {token, []string{"Cookie", strings.TrimPrefix(cookie, "__Host-")}, "csrf_missing_cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			got := s.submit(tt.field, tt.header...)
			got.wantCode(t, tt.code)
			if got.cookies()["__Host-session"] != "" {
				t.Error("it logs in")
			}
		})
	}
	if got := s.submit(token, "Cookie", cookie); got.status != http.StatusOK {
		t.Errorf("the token with its cookie: %d %s, want 200", got.status, got.body)
	}
}

func TestLogInTakesAToken(t *testing.T) {
	s := csrfShop(t)
	for name, inHeader := range map[string]bool{"in the field": false, "in the header": true} {
		token, cookie := s.token()
		header, field := []string{"Cookie", cookie}, token
		if inHeader {
			header, field = append(header, "X-CSRF-Token", token), ""
		}
		got := s.submit(field, header...)
		if got.status != http.StatusOK || got.body != `{"detail":"OK"}` || got.cookies()["__Host-session"] == "" {
			t.Errorf("%s: %d %s, want 200 and a session", name, got.status, got.body)
		}
		s.submit(field, header...).wantCode(t, "csrf_replayed") // As who has copied the request.
	}
	token, cookie := s.token() // A wrong password uses it up, too.
	if got := s.form("/login", url.Values{"username": {"ann"}, "password": {"guess"}, "csrf-token": {token}}, "Cookie", cookie, own[0], own[1]); got.status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d %s, want 401", got.status, got.body)
	}
	s.submit(token, "Cookie", cookie).wantCode(t, "csrf_replayed")
}

func TestSecureWantsAToken(t *testing.T) {
	s := csrfShop(t)
	post := func(header ...string) reply { return s.call(http.MethodPost, "/secure", "", append(own, header...)...) }
	post().wantCode(t, "csrf_missing_cookie")
	token, cookie := s.token()
	post("X-CSRF-Token", token).wantCode(t, "csrf_missing_cookie")
	post("Cookie", cookie).wantCode(t, "csrf_missing_token")
	post("Cookie", cookie, "X-CSRF-Token", "x").wantCode(t, "csrf_invalid")
	for range 2 { // It is not for one request only.
		if got := post("Cookie", cookie, "X-CSRF-Token", token); got.status != http.StatusOK || got.body != `{"message":"This endpoint is CSRF protected"}` {
			t.Errorf("%d %s, want 200", got.status, got.body)
		}
	}
	s.call(http.MethodPost, "/secure", "", "Cookie", cookie, "X-CSRF-Token", token, "Sec-Fetch-Site", "cross-site").wantCode(t, "cross_site")
}

// buy orders an item in a browser with these cookies.
func (s *shop) buy(token string, cookies ...string) reply {
	return s.call(http.MethodPost, "/orders", `{"item_id":1}`, append(own, "Cookie", strings.Join(cookies, "; "), "X-CSRF-Token", token)...)
}

// Who can set cookies of a victim, from a sibling domain or on the way, plants a
// cookie and a token of their own, which belong together.
func TestPairOfTheAttackerInTheVictimsBrowserIsRefused(t *testing.T) {
	s := csrfShop(t)
	anns, eves := s.session("ann"), s.session("eve")
	for name, session := range map[string]string{"of nobody": "", "of eve's session": eves} {
		var cookies []string
		if session != "" {
			cookies = []string{session}
		}
		token, planted := s.token(cookies...)
		if got := s.buy(token, anns, planted); got.status != http.StatusForbidden {
			t.Errorf("a pair %s: %d %s", name, got.status, got.body)
		} else {
			got.wantCode(t, "csrf_mismatch")
		}
	}
	token, cookie := s.token(anns)
	s.buy(token, anns, cookie, "__Host-csrf=x").wantCode(t, "csrf_invalid")
	if got := s.buy(token, anns, cookie); got.status != http.StatusCreated {
		t.Errorf("ann's own: %d %s, want 201", got.status, got.body)
	}
}

func TestTokenEndsWithTheSession(t *testing.T) {
	s := csrfShop(t)
	before, cookie := s.token()
	first := s.session("ann")
	s.buy(before, first, cookie).wantCode(t, "csrf_mismatch") // From before the log-in.
	token, _ := s.token(first, cookie)
	second := s.session("ann")
	s.buy(token, second, cookie).wantCode(t, "csrf_mismatch") // Of another log-in of the same user.
	out := s.call(http.MethodPost, "/logout", "", append(own, "Cookie", first+"; "+cookie, "X-CSRF-Token", token)...)
	if out.status != http.StatusNoContent {
		t.Fatalf("the log-out: %d %s", out.status, out.body)
	}
	if got := s.buy(token, first, cookie); got.status != http.StatusUnauthorized {
		t.Errorf("after the log-out: %d %s, want 401", got.status, got.body)
	}
	s.call(http.MethodPost, "/secure", "", append(own, "Cookie", cookie, "X-CSRF-Token", token)...).wantCode(t, "csrf_mismatch")
	s.submit(token, "Cookie", cookie).wantCode(t, "csrf_mismatch")
}

// A request counts for what its method is: some frameworks let a form, a header or
// a parameter name another one, past what was checked.
func TestMethodOfARequestIsNotOverridden(t *testing.T) {
	s := csrfShop(t)
	session := s.session("ann")
	token, cookie := s.token(session)
	if got := s.buy(token, session, cookie); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		got := s.get("/orders", "Cookie", session, name, "POST")
		if got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"items":[`) {
			t.Errorf("GET with %s: %d %s, want the list", name, got.status, got.body)
		}
		s.call(http.MethodPost, "/orders", `{"item_id":1}`, "Cookie", session, name, "GET", own[0], own[1]).wantCode(t, "csrf_missing_cookie")
		s.call(http.MethodPost, "/logout", "", "Cookie", session, name, "GET", "Sec-Fetch-Site", "cross-site").wantCode(t, "cross_site")
	}
	for _, target := range []string{"/orders?_method=POST", "/logout?_method=POST", "/me/sessions?_method=DELETE"} {
		if got := s.get(target, "Cookie", session); got.status == http.StatusCreated || got.status == http.StatusNoContent {
			t.Errorf("GET %s: %d %s", target, got.status, got.body)
		}
	}
	form := s.form("/logout", url.Values{"_method": {"GET"}}, "Cookie", session, own[0], own[1])
	form.wantCode(t, "csrf_missing_cookie")
	if got := s.get("/me", "Cookie", session); got.status != http.StatusOK {
		t.Errorf("ann is logged out: %d", got.status)
	}
	if got := s.get("/orders", "Cookie", session); strings.Count(got.body, `"order_id"`) != 1 {
		t.Errorf("the orders are %s, want the one", got.body)
	}
}

// A form can send JSON under another name, without asking first. It is not JSON then.
func TestJSONInAFormIsNoJSON(t *testing.T) {
	s := csrfShop(t)
	session := s.session("ann")
	body := `{"item_id":1}`
	for _, contentType := range []string{
		"text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain; charset=utf-8",
		"text/json", "application/jsonx", "application/csp-report", "",
	} {
		send := func(header ...string) reply {
			r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(body))
			if contentType != "" {
				r.Header.Set("Content-Type", contentType)
			}
			return s.send(r, header...)
		}
		send("Cookie", session, "Sec-Fetch-Site", "cross-site").wantCode(t, "cross_site")
		if got := send(s.withToken("Cookie", session, own[0], own[1])...); got.status != http.StatusUnsupportedMediaType {
			t.Errorf("%q by a page of the shop: %d %s, want 415", contentType, got.status, got.body)
		}
	}
}

// What browsers say of where a request comes from, and what a session cookie then is
// worth, with a token and without.
func TestWhereARequestComesFrom(t *testing.T) {
	s := csrfShop(t)
	session := s.session("ann")
	token, cookie := s.token(session)
	for _, tt := range []struct {
		header          []string
		with, tokenless string // a code, or "" for 201
	}{
		{[]string{"Sec-Fetch-Site", "same-origin"}, "", "csrf_missing_token"},
		{[]string{"Sec-Fetch-Site", "none"}, "", "csrf_missing_token"},
		{[]string{"Sec-Fetch-Site", "same-site"}, "cross_site", "cross_site"},
		{[]string{"Sec-Fetch-Site", "cross-site"}, "cross_site", "cross_site"},
		{[]string{"Sec-Fetch-Site", "SAME-ORIGIN"}, "cross_site", "cross_site"},
		{[]string{"Sec-Fetch-Site", "trusted"}, "cross_site", "cross_site"},
		{[]string{"Sec-Fetch-Site", ""}, "cross_site", "cross_site"},
		{[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, "cross_site", "cross_site"},
		{[]string{"Origin", "https://localhost"}, "", "csrf_missing_token"},
		{[]string{"Origin", "https://localhost", "Sec-Fetch-Site", "cross-site"}, "cross_site", "cross_site"},
		{[]string{"Origin", "https://localhost:8444"}, "cross_site", "cross_site"},
		{[]string{"Origin", "https://localhost.evil.example"}, "cross_site", "cross_site"},
		{[]string{"Origin", "https://evil.example"}, "cross_site", "cross_site"},
		{[]string{"Origin", "null"}, "cross_site", "cross_site"},
		{[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, "", "csrf_missing_token"},
		{nil, "", "csrf_missing_token"}, // A program, which has to have a token as well.
	} {
		for want, header := range map[string][]string{
			"t" + tt.with:      append([]string{"X-CSRF-Token", token}, tt.header...),
			"w" + tt.tokenless: tt.header,
		} {
			got := s.call(http.MethodPost, "/orders", `{"item_id":1}`, append([]string{"Cookie", session + "; " + cookie}, header...)...)
			if want[1:] != "" {
				got.wantCode(t, want[1:])
			} else if got.status != http.StatusCreated {
				t.Errorf("%q: %d %s, want 201", header, got.status, got.body)
			}
			if t.Failed() {
				t.Fatalf("with %q", header)
			}
		}
	}
}

// A link or an image of any page makes a browser send a GET, with its cookies.
func TestGetThatWritesDoesNotStart(t *testing.T) {
	for name, add := range map[string]func(*fastness.App){
		"GET": func(app *fastness.App) {
			fastness.Get(app, "/buy", func(context.Context, struct{ Tx *sqldb.Tx }) (fastness.NoContent, error) {
				return fastness.NoContent{}, nil
			}, access.Public)
		},
		"GET by a provider": func(app *fastness.App) {
			type basket struct{}
			fastness.Provide(app, func(context.Context, struct{ Tx *sqldb.Tx }) (basket, error) { return basket{}, nil })
			fastness.Get(app, "/buy", func(context.Context, struct{ Basket basket }) (fastness.NoContent, error) {
				return fastness.NoContent{}, nil
			}, access.Public)
		},
	} {
		app := newApp(unlimited())
		fastness.ProvideValue(app, inFolder(t, t.TempDir()))
		add(app)
		err := app.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "GET /buy") || !strings.Contains(err.Error(), "which writes") {
			t.Errorf("%s: Start() = %v, want an error about GET /buy", name, err)
		}
		_ = app.Stop(context.Background()) // What was opened before the mistake was found.
	}
}
