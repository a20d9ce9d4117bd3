package clienttest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/oidc"
)

func TestOthersAreAskedFor(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	stats := w.program("stats", statsCallback)
	stats.secret = statsSecret
	if got := b.get(t, stats.authorizeURL("prompt", "none")).answer(t, statsCallback); got.Get("error") != "consent_required" {
		t.Errorf("silently: %v", got)
	}
	page := b.get(t, stats.authorizeURL()).want(t, http.StatusOK)
	for _, want := range []string{"Statistics &lt;b&gt;Inc.&lt;/b&gt;", "stats.example", "ada", "Sell items."} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q:\n%s", want, page.body)
		}
	}
	if got := page.header.Get("Cache-Control"); got != "no-store" { // It says who is logged in.
		t.Errorf("Cache-Control is %q, want no-store", got)
	}
	if strings.Contains(page.body, "Order items.") {
		t.Error("the page speaks of a scope that nobody asked for")
	}

	// Another site cannot press the button, not even with the whole form; nor can who
	// does not say where the form comes from, or has none of its tokens.
	whole, tokenless := filled(page, "decision", "allow"), filled(page, "decision", "allow", "csrf-token", "")
	for _, tt := range []struct {
		form    url.Values
		headers []string
		code    string
	}{
		{whole, []string{"Sec-Fetch-Site", "cross-site"}, "cross_site"},
		{whole, []string{"Sec-Fetch-Site", "same-site"}, "cross_site"},
		{whole, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, "cross_site"},
		{whole, []string{"Sec-Fetch-Site", ""}, "cross_site"}, // The guard takes it for a program's; consent is no program's.
		{tokenless, []string{"Sec-Fetch-Site", ""}, "csrf_missing_token"},
		{tokenless, []string{"X-CSRF-Token", w.loggedIn(t, "ada").token(t)}, "csrf_mismatch"},
	} {
		if got := b.post(t, w.issuer+"/oauth/consent", tt.form, tt.headers...).want(t, http.StatusForbidden); !strings.Contains(got.body, `"`+tt.code+`"`) {
			t.Errorf("%v: refused as %s, want %s", tt.headers, got.body, tt.code)
		}
	}

	got := b.submit(t, page, "/oauth/consent", "decision", "allow").answer(t, statsCallback)
	if got.Get("from") != "shop" || got.Get("state") != "a state & more" || got.Get("iss") != w.issuer {
		t.Errorf("%v", got)
	}
	if tokens := stats.exchange(t, got.Get("code"), "client_id", ""); tokens.status != http.StatusOK || tokens.Scope != "items openid" {
		t.Errorf("%+v", tokens)
	}
	// The request is over, and the next one asks again.
	if again := b.submit(t, page, "/oauth/consent", "decision", "allow"); again.status != http.StatusBadRequest {
		t.Errorf("the same consent again: %d", again.status)
	}
	page = b.get(t, stats.authorizeURL())
	if got := b.submit(t, page, "/oauth/consent", "decision", "deny").answer(t, statsCallback); got.Get("error") != "access_denied" || got.Get("code") != "" {
		t.Errorf("refused: %v", got)
	}
}

// TestOthersCannotBecomeTheUser: the scopes that change accounts are for the
// application's own programs, whatever the user would allow.
func TestOthersCannotBecomeTheUser(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	stats, web := w.program("stats", statsCallback), w.program("web", webCallback)
	stats.secret = statsSecret
	page := b.get(t, stats.authorizeURL("scope", "items account users"))
	code := b.submit(t, page, "/oauth/consent", "decision", "allow").answer(t, statsCallback).Get("code")
	if got := stats.exchange(t, code, "client_id", ""); got.Scope != "items" {
		t.Errorf("another's program gets %q", got.Scope)
	}
	if got := b.get(t, stats.authorizeURL("scope", "account")).answer(t, statsCallback); got.Get("error") != "invalid_scope" {
		t.Errorf("another's program that wants nothing else: %v", got)
	}
	if got := b.get(t, stats.authorizeURL("scope", "")).answer(t, statsCallback); got.Get("error") != "invalid_request" {
		t.Errorf("another's program that does not say what it wants: %v", got)
	}
	if got := web.exchange(t, web.code(t, b, "scope", "account")); got.Scope != "account" {
		t.Errorf("our own program gets %q", got.Scope)
	}
	if got := web.exchange(t, web.code(t, b, "scope", "")); !strings.Contains(got.Scope, "items") || got.ID != "" {
		t.Errorf("our own program that does not say what it wants gets %q", got.Scope)
	}
}

// TestConsentIsTheUsersOwn: who logs in after the page was shown has not consented.
func TestConsentIsTheUsersOwn(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	stats := w.program("stats", statsCallback)
	page := b.get(t, stats.authorizeURL())
	b.logIn(t, b.get(t, w.issuer+"/login?next=/core"), "bob")
	// The token of the page ended with ada's session.
	if got := b.submit(t, page, "/oauth/consent", "decision", "allow").want(t, http.StatusForbidden); !strings.Contains(got.body, `"csrf_mismatch"`) {
		t.Errorf("ada's page in bob's session: refused as %s", got.body)
	}
	// Had it not, the form would still say whose consent it is.
	got := b.submit(t, page, "/oauth/consent", "decision", "allow", "csrf-token", "")
	if got.status != http.StatusOK || got.at.Path != "/oauth/consent" || !strings.Contains(got.body, "as bob.") {
		t.Errorf("%d at %s: want to be asked as bob\n%s", got.status, got.at, got.body)
	}

	// Nor has who comes between the answer and what follows from it.
	form := filled(got, "decision", "allow")
	stay := *b.client
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	(&browser{&stay, b.issuer}).post(t, w.issuer+"/oauth/consent", form).want(t, http.StatusSeeOther)
	b.logIn(t, b.get(t, w.issuer+"/login?next=/core"), "ada")
	got = b.get(t, w.issuer+"/oauth/resume?request="+form.Get("request"))
	if got.status != http.StatusOK || got.at.Path != "/oauth/consent" || !strings.Contains(got.body, "as ada.") {
		t.Errorf("%d at %s: want to be asked as ada\n%s", got.status, got.at, got.body)
	}
}

// TestAProgramOnTheDeviceIsAskedFor: another one can register its scheme.
func TestAProgramOnTheDeviceIsAskedFor(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	phone := w.program("phone", phoneCallback)
	page := b.get(t, phone.authorizeURL())
	if page.at.Path != "/oauth/consent" {
		t.Fatalf("at %s, want to be asked", page.at)
	}
	got := b.submit(t, page, "/oauth/consent", "decision", "allow").answer(t, phoneCallback)
	if tokens := phone.exchange(t, got.Get("code")); tokens.status != http.StatusOK {
		t.Errorf("%+v", tokens)
	}
}

func TestWhoMustLogInAgainDoes(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	w.clock.pass(10 * time.Minute)
	for _, with := range [][]string{{"prompt", "login"}, {"max_age", "0"}, {"max_age", "60"}, {"prompt", "select_account"}} {
		page := b.get(t, web.authorizeURL(with...))
		if page.at.Path != "/login" {
			t.Fatalf("%v: at %s, want the page to log in", with, page.at)
		}
		// Going on without it leads back.
		next := page.at.Query().Get("next")
		if skipped := b.get(t, w.issuer+next); skipped.at.Path != "/login" {
			t.Errorf("%v: at %s after skipping the log-in", with, skipped.at)
		}
		if got := b.logIn(t, page, "ada").answer(t, webCallback); got.Get("code") == "" {
			t.Errorf("%v: %v", with, got)
		}
		w.clock.pass(10 * time.Minute)
	}
	if got := b.get(t, web.authorizeURL("max_age", "3600")).answer(t, webCallback); got.Get("code") == "" {
		t.Errorf("a log-in that is young enough: %v", got)
	}
}

func TestARequestWaitsAQuarterOfAnHour(t *testing.T) {
	w := newWorld(t, nil)
	b := w.newBrowser(t)
	page := b.get(t, w.program("web", webCallback).authorizeURL())
	w.clock.pass(16 * time.Minute)
	b.logIn(t, page, "ada").want(t, http.StatusBadRequest)
	for _, id := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("'", 43)} {
		for _, path := range []string{"/oauth/resume", "/oauth/consent"} {
			if got := b.get(t, w.issuer+path+"?request="+url.QueryEscape(id)); got.status < 400 || got.status >= 500 {
				t.Errorf("%s of %q: %d", path, id, got.status)
			}
		}
	}
}

// TestACopyOfTheDatabaseIsNoLogIn looks for every secret of a flow in the file.
func TestACopyOfTheDatabaseIsNoLogIn(t *testing.T) {
	w := newWorld(t, nil)
	b := w.newBrowser(t)
	web := w.program("web", webCallback)
	page := b.get(t, web.authorizeURL())
	next, _ := url.Parse(page.at.Query().Get("next"))
	secrets := []string{next.Query().Get("request")}
	code := b.logIn(t, page, "ada").answer(t, webCallback).Get("code")
	unused := web.code(t, b)
	got := web.exchange(t, code)
	secrets = append(secrets, code, unused, got.Access, got.Refresh, got.ID, web.verifier)
	stored := readAll(t, w.dbFile, w.dbFile+"-wal")
	for i, s := range secrets {
		if s == "" || strings.Contains(stored, s) {
			t.Errorf("secret %d (%d bytes) is in the database, or empty", i, len(s))
		}
	}
}

func TestAFlowInAFragment(t *testing.T) {
	w := newWorld(t, nil)
	got := w.loggedIn(t, "ada").get(t, w.program("web", webCallback).authorizeURL("response_mode", "fragment"))
	location, err := url.Parse(got.header.Get("Location"))
	if err != nil || location.RawQuery != "" {
		t.Fatalf("%s, %v", location, err)
	}
	if q, err := url.ParseQuery(location.Fragment); err != nil || q.Get("code") == "" || q.Get("iss") != w.issuer {
		t.Errorf("%v, %v", q, err)
	}
}

func TestAPageOfAClientReadsItsTokensAndNobodyElseDoes(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	for origin, want := range map[string]string{
		"https://web.example": "https://web.example", "https://stats.example": "", "https://evil.example": "", "null": "",
		"http://web.example": "", "https://web.example.evil.example": "", "https://web.example:8443": "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/oauth/token", strings.NewReader("grant_type=refresh_token&client_id=web&refresh_token=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		got := web.send(t, r)
		if h := got.header; h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != "" || got.Error != "invalid_grant" {
			t.Errorf("%s: %d %q %v", origin, got.status, got.Error, h)
		}
	}
}

func TestWhatCannotBeSafeDoesNotStart(t *testing.T) {
	for name, tt := range map[string]struct {
		adjust func(*options)
		want   string
	}{
		"HS256": {func(o *options) { o.users.Algorithm = "HS256" }, "HS256"},
		"a client named as the API": {func(o *options) {
			o.users.Audience = "web"
		}, "same audience"},
		"a scope of OpenID": {func(o *options) { o.users.Scopes = append(o.users.Scopes, identity.Scope{Name: "openid"}) }, `"openid"`},
		"codes for an hour": {func(o *options) { o.server.CodeTTL = time.Hour }, "CodeTTL"},
		"log-ins for a day": {func(o *options) { o.server.LoginTTL = 24 * time.Hour }, "LoginTTL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{clock: new(clock), users: map[string]string{}}
			folder := t.TempDir()
			w.dbFile = folder + "/users.db"
			app := w.declare(t, folder, "127.0.0.1:8443", tt.adjust)
			err := app.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start: %v, want an error about %s", err, tt.want)
			}
			_ = app.Stop(t.Context()) // What was opened before the mistake was found.
		})
	}
	if oidc.New(oidc.Config{}) == nil {
		t.Error("New returned nil")
	}
}

// TestWhatIsOverIsDeleted: nobody who is not logged in can fill the database for
// good.
func TestWhatIsOverIsDeleted(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	b := w.loggedIn(t, "ada")
	for range 5 {
		w.newBrowser(t).get(t, web.authorizeURL())
		web.code(t, b)
	}
	kept := web.exchange(t, web.code(t, b)) // Its code stays, for a replay.
	if kept.Access == "" {
		t.Fatal(kept.Error)
	}
	count := func(table string) (n int) {
		t.Helper()
		if err := w.core.DB().Write.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if requests, codes := count("fastness_oidc_requests"), count("fastness_oidc_codes"); requests != 5 || codes != 6 {
		t.Errorf("%d requests and %d codes, want 5 and 6", requests, codes)
	}
	w.clock.pass(16 * time.Minute)
	w.newBrowser(t).get(t, web.authorizeURL())
	web.code(t, b)
	if requests, codes := count("fastness_oidc_requests"), count("fastness_oidc_codes"); requests != 1 || codes != 2 {
		t.Errorf("later: %d requests and %d codes, want 1 and 2", requests, codes)
	}
}

// TestNobodyFillsTheDiskWithRequests: they take no log-in, so that a network has so
// many, and not more. Those of others stay.
func TestNobodyFillsTheDiskWithRequests(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	db := w.core.DB().Write
	plant := func(network string, n int) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?) "+
			"INSERT INTO fastness_oidc_requests (hash, request, expires, network) SELECT randomblob(32), '{}', ?, ? FROM i",
			n, w.clock.Now().Add(time.Minute).UnixMicro(), network)
		if err != nil {
			t.Fatal(err)
		}
	}
	plant("127.0.0.1", 2500)
	plant("192.0.2.1", 1)
	page := w.newBrowser(t).get(t, web.authorizeURL())
	for network, want := range map[string]int{"127.0.0.1": 2000, "192.0.2.1": 1} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM fastness_oidc_requests WHERE network = ?", network).Scan(&n); err != nil || n != want {
			t.Errorf("%d requests of %s wait, %v; want %d", n, network, err, want)
		}
	}
	b := w.newBrowser(t)
	if got := b.logIn(t, b.get(t, page.at.String()), "ada").answer(t, webCallback); got.Get("code") == "" { // The last one is there.
		t.Errorf("no code: %v", got)
	}
}

// TestNoQueryEndsBadly sends requests that are wrong in every place: nothing is a
// fault of ours, and nothing leads to an address that is not registered.
func TestNoQueryEndsBadly(t *testing.T) {
	folder := t.TempDir()
	w := &world{clock: new(clock), users: map[string]string{}, dbFile: filepath.Join(folder, "users.db")}
	app := w.declare(t, folder, "127.0.0.1:8443", func(o *options) { o.users.Clients = o.users.Clients[:1] })
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	web := &program{w: &world{}, id: "web", redirect: webCallback, verifier: strings.Repeat("v", 43)}
	_, good, _ := strings.Cut(web.authorizeURL("max_age", "60", "prompt", "login", "nonce", "n"), "?")
	seeds := []string{
		good,
		"grant_type=authorization_code&code=" + strings.Repeat("c", 43) + "&client_id=web&redirect_uri=" + url.QueryEscape(webCallback) + "&code_verifier=v",
		"grant_type=refresh_token&client_id=web&refresh_token=" + strings.Repeat("r", 43) + "&scope=items",
	}
	for _, seed := range seeds {
		for at := 0; at < len(seed); at += 3 {
			for _, part := range []string{"%00", "%ff", "%", "&", "=", "%0d%0a", "+", "%5c", "x"} {
				query := seed[:at] + part + seed[at:]
				for _, path := range []string{"/oauth/authorize", "/oauth/token"} {
					r := httptest.NewRequest(http.MethodPost, "https://localhost:8443"+path, strings.NewReader(query))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					answer := httptest.NewRecorder()
					app.ServeHTTP(answer, r)
					to := answer.Header().Get("Location")
					if answer.Code >= 500 || to != "" && !strings.HasPrefix(to, webCallback+"?") && !strings.HasPrefix(to, "/login?") {
						t.Fatalf("%s %q: %d to %q: %s", path, query, answer.Code, to, answer.Body)
					}
				}
			}
		}
	}
}
