package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/sqldb"
)

// named returns the events of a name, the newest first.
func (a *identityApp) named(t testing.TB, name string) []auditlog.Entry {
	t.Helper()
	events, err := a.core.Events.List(t.Context(), auditlog.Query{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestCopiedRefreshTokenEndsItsSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		user := a.add(t, "ann")
		stolen, apart := a.logIn(t, "ann"), a.logIn(t, "ann")
		owners := a.tokens(t, a.refresh(stolen.Refresh))
		a.refresh(stolen.Refresh).WantProblem(400, "invalid_grant") // The thief comes second, and both are out.
		a.refresh(owners.Refresh).WantProblem(400, "invalid_grant")
		a.Get("/protected", bearer(owners.Access)).WantProblem(401, "invalid_credentials")
		if events := a.named(t, "authn_token_reuse"); len(events) != 1 || events[0].Subject != user.ID && events[0].Actor != user.ID {
			t.Errorf("the events are %+v, want one of the user", events)
		}
		a.Get("/protected", bearer(a.tokens(t, a.refresh(apart.Refresh)).Access)).Want(200)
	})
}

// Fifty requests with one token: whoever wins is the only one, and since nobody
// can tell who was first, the session is over.
func TestRefreshTokenWorksOnceForFiftyAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		a.add(t, "ann")
		tokens := a.logIn(t, "ann")
		var won []*fastnesstest.Response
		var mu sync.Mutex
		n := atOnce(50, func(int) bool {
			res := a.refresh(tokens.Refresh)
			mu.Lock()
			defer mu.Unlock()
			if res.Status == http.StatusOK {
				won = append(won, res)
				return true
			}
			return res.Status != http.StatusBadRequest // Anything else is counted, and wrong.
		})
		if n != 1 || len(won) != 1 {
			t.Fatalf("%d of 50 were not refused, and %d got tokens; want one", n, len(won))
		}
		a.refresh(a.tokens(t, won[0]).Refresh).WantProblem(400, "invalid_grant")
	})
}

func TestLogOutCountsAtOnce(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	tokens, other, cookie := a.logIn(t, "ann"), a.logIn(t, "ann"), a.browser(t, "ann")
	a.Post("/logout", nil, bearer(tokens.Access)).Want(204)
	a.Get("/protected", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
	a.refresh(tokens.Refresh).WantProblem(400, "invalid_grant")
	a.Get("/protected", bearer(other.Access)).Want(200)
	a.Post("/logout", nil, bearer(tokens.Access)).Want(401)

	cleared := a.Post("/logout", nil, a.fromPage(cookie)...).Want(204).Cookie("__Host-session")
	if cleared == nil || cleared.MaxAge >= 0 || cleared.Value != "" || !cleared.Secure || cleared.Path != "/" {
		t.Errorf("the cookie is cleared by %v", cleared)
	}
	a.Get("/me", carrying(cookie)).WantProblem(401, "invalid_credentials") // A copy of it is void, too.

	again := a.browser(t, "ann")
	a.Post("/logout", fastnesstest.JSON(`{"everywhere":true}`), a.fromPage(again)...).Want(204)
	for _, with := range []fastnesstest.Option{bearer(other.Access), carrying(again)} {
		a.Get("/me", with).WantProblem(401, "invalid_credentials")
	}
	a.refresh(other.Refresh).WantProblem(400, "invalid_grant")
	a.logIn(t, "ann")
}

// machines are clients that have a secret.
func machines(c *identityConfig) {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	c.users.Introspection = true
	c.users.Clients = []identity.Client{
		{ID: "shop", FirstParty: true},
		{ID: "till", FirstParty: true, SecretHash: hash(tillSecret)},
		{ID: "partner", SecretHash: hash(partnerSecret)},
	}
}

const (
	tillSecret    = "the-secret-of-the-till-0123456789"
	partnerSecret = "the-secret-of-the-partner-9876543"
)

func asClient(id, clientSecret string) fastnesstest.Option {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(clientSecret))
	return fastnesstest.Header("Authorization", r.Header.Get("Authorization"))
}

func TestRefreshTokenIsForItsClientAlone(t *testing.T) {
	a := onSQLite(t, machines)
	a.world.printed.plant(tillSecret, partnerSecret)
	a.add(t, "ann")
	tokens := a.logIn(t, "ann", "client_id", "till", "client_secret", tillSecret)
	for name, res := range map[string]*fastnesstest.Response{
		"another client":                   a.refresh(tokens.Refresh, "client_id", "shop"),
		"another client that has a secret": a.refresh(tokens.Refresh, "client_id", "partner", "client_secret", partnerSecret),
	} {
		res.WantProblem(400, "invalid_grant")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if events := a.named(t, "authn_token_client_mismatch"); len(events) != 2 {
		t.Errorf("%d events of tokens in foreign hands, want 2", len(events))
	}
	a.tokens(t, a.refresh(tokens.Refresh, "client_id", "till", "client_secret", tillSecret)) // It has not ended for its own.
}

// A client that has a secret proves it, at each of the doors: a stolen refresh
// token is not enough.
func TestClientWithoutItsSecretIsRefused(t *testing.T) {
	a := onSQLite(t, machines)
	a.world.printed.plant(tillSecret, partnerSecret)
	a.add(t, "ann")
	tokens := a.logIn(t, "ann", "client_id", "till", "client_secret", tillSecret)
	junk, wrong := fastnesstest.Header("Authorization", "Bearer junk"), asClient("till", "wrong")
	token := url.Values{"refresh_token": {tokens.Refresh}, "client_id": {"till"}}
	both := url.Values{"refresh_token": {tokens.Refresh}, "client_secret": {tillSecret}}
	for name, res := range map[string]*fastnesstest.Response{
		"no secret":                     a.refresh(tokens.Refresh, "client_id", "till"),
		"a wrong secret":                a.refresh(tokens.Refresh, "client_id", "till", "client_secret", "wrong"),
		"no secret, another header":     a.Post("/token/refresh", token, junk),
		"a wrong secret in the header":  a.Post("/token/refresh", token, wrong),
		"a log-in without the secret":   a.Post("/token", passwordForm("ann", "client_id", "till")),
		"such a one, another header":    a.Post("/token", passwordForm("ann", "client_id", "till"), junk),
		"an unknown client":             a.Post("/token", passwordForm("ann", "client_id", "nobody")),
		"introspection without secret":  a.Post("/introspect", url.Values{"token": {tokens.Access}, "client_id": {"shop"}}),
		"introspection by nobody":       a.Post("/introspect", url.Values{"token": {tokens.Access}}),
		"introspection, another header": a.Post("/introspect", url.Values{"token": {tokens.Access}, "client_id": {"till"}}, junk),
	} {
		res.WantProblem(401, "invalid_client")
		if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") || memberOf(res.Body, "error") != "invalid_client" {
			t.Errorf("%s: %v %s, want a challenge and the error invalid_client", name, res.Header, res.Body)
		}
	}
	a.Post("/token/refresh", both, asClient("till", tillSecret)).WantProblem(400, "invalid_request") // Two proofs.
	a.tokens(t, a.Post("/token/refresh", url.Values{"refresh_token": {tokens.Refresh}}, asClient("till", tillSecret)))
}

// Only the application's own programs may ask for a password, however the others
// say who they are.
func TestForeignClientMayNotAskForPasswords(t *testing.T) {
	a := onSQLite(t, machines)
	a.add(t, "ann")
	a.Post("/token", passwordForm("ann", "client_id", "partner", "client_secret", partnerSecret)).WantProblem(400, "unauthorized_client")
	a.Post("/token", passwordForm("ann"), asClient("partner", partnerSecret)).WantProblem(400, "unauthorized_client")
	tokens := a.tokens(t, a.Post("/token", passwordForm("ann"), asClient("till", tillSecret)))
	a.refresh(tokens.Refresh, "client_id", "shop").WantProblem(400, "invalid_grant") // They are the till's.
	a.tokens(t, a.Post("/token/refresh", url.Values{"refresh_token": {tokens.Refresh}}, asClient("till", tillSecret)))
}

func TestRevocationSaysNothing(t *testing.T) {
	a := onSQLite(t, machines)
	a.add(t, "ann")
	till := func() tokensOf { return a.logIn(t, "ann", "client_id", "till", "client_secret", tillSecret) }
	revoke := func(text string, options ...fastnesstest.Option) {
		t.Helper()
		res := a.Post("/revoke", url.Values{"token": {text}}, options...).Want(200).WantHeader("Cache-Control", "no-store")
		if len(res.Body) > 4 {
			t.Errorf("the answer is %s", res.Body)
		}
	}
	byRefresh, byAccess, foreign, spent := a.logIn(t, "ann", "client_id", "shop"), a.logIn(t, "ann", "client_id", "shop"), till(), a.logIn(t, "ann", "client_id", "shop")
	revoke("what was never a token")
	revoke(unsigned(byAccess.Access))
	revoke(byRefresh.Refresh)
	revoke(byRefresh.Refresh) // Once more.
	revoke(byAccess.Access)
	for _, tokens := range []tokensOf{byRefresh, byAccess} {
		a.Get("/protected", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
		a.refresh(tokens.Refresh, "client_id", "shop").WantProblem(400, "invalid_grant")
	}
	revoke(foreign.Refresh)                                     // By a client that does not say who it is,
	revoke(foreign.Refresh, asClient("partner", partnerSecret)) // and by another one.
	a.Get("/protected", bearer(foreign.Access)).Want(200)
	revoke(foreign.Refresh, asClient("till", tillSecret))
	a.Get("/protected", bearer(foreign.Access)).WantProblem(401, "invalid_credentials")
	a.Post("/revoke", url.Values{"token": {"x"}}, asClient("till", "wrong")).WantProblem(401, "invalid_client")
	next := a.tokens(t, a.refresh(spent.Refresh, "client_id", "shop"))
	revoke(spent.Refresh) // A token that was used up still names its session.
	a.Get("/protected", bearer(next.Access)).WantProblem(401, "invalid_credentials")
}

func TestIntrospectionTellsNothingOfBadTokens(t *testing.T) {
	a := onSQLite(t, machines)
	user := a.add(t, "ann")
	good, used, gone, old := a.logIn(t, "ann", "client_id", "shop"), a.logIn(t, "ann", "client_id", "shop"), a.logIn(t, "ann", "client_id", "shop"), newForger(t, a)
	a.tokens(t, a.refresh(used.Refresh, "client_id", "shop"))
	a.Post("/logout", nil, bearer(gone.Access)).Want(204)
	ask := func(text string) *fastnesstest.Response {
		t.Helper()
		return a.Post("/introspect", url.Values{"token": {text}}, asClient("till", tillSecret)).Want(200).WantHeader("Cache-Control", "no-store")
	}
	for name, text := range map[string]string{
		"unknown": "never a token", "unsigned": unsigned(good.Access), "used up": used.Refresh,
		"logged out": gone.Access, "its refresh token": gone.Refresh, "forged": old.sign(`{"alg":"EdDSA"}`, `{"sub":"`+user.ID+`"}`),
	} {
		if ask(text).WantJSON(`{"active":false}`); t.Failed() {
			t.Fatalf("of a token that is %s the answer tells more", name)
		}
	}
	for _, text := range []string{good.Access, good.Refresh} {
		res := ask(text)
		for name, want := range map[string]string{"sub": user.ID, "username": "ann", "client_id": "shop", "iss": a.core.Issuer} {
			if got := memberOf(res.Body, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
	onSQLite(t, nil).Post("/introspect", url.Values{"token": {"x"}}).Want(404) // It is off.
}

func TestSessionCookieCannotBeReadOrSentByOthers(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	for name, res := range map[string]*fastnesstest.Response{
		"the API":  a.Post("/session", jsonOf(map[string]any{"username": "ann", "password": goodPassword}), ownPage()).Want(204),
		"the page": a.Post("/login", passwordForm("ann", "next", "/me"), a.asPage()...).Want(303).WantHeader("Location", "/me"),
	} {
		line := slices.IndexFunc(res.Header.Values("Set-Cookie"), func(s string) bool { return strings.HasPrefix(s, "__Host-session=") })
		if line < 0 {
			t.Fatalf("%s sets no session cookie: %v", name, res.Header)
		}
		parts := strings.Split(res.Header.Values("Set-Cookie")[line], "; ")
		slices.Sort(parts[1:])
		if got := strings.Join(parts[1:], "; "); got != "HttpOnly; Path=/; SameSite=Lax; Secure" {
			t.Errorf("%s: the cookie is %q", name, got)
		}
		if device := res.Cookie("__Host-device"); device == nil || !device.HttpOnly || !device.Secure || device.SameSite != http.SameSiteStrictMode {
			t.Errorf("%s: the device cookie is %v", name, device)
		}
		res.WantHeader("Cache-Control", "no-store")
	}
}

// Whoever plants a session in a browser before the log-in must not share the one
// after it.
func TestLogInNeverTakesASessionThatWasThere(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "eve")
	a.add(t, "ann")
	planted := a.browser(t, "eve")
	for _, value := range []string{planted.Value, "made-up-by-an-attacker"} {
		res := a.Post("/session", jsonOf(map[string]any{"username": "ann", "password": goodPassword}), fastnesstest.Cookie("__Host-session", value), ownPage()).Want(204)
		if got := res.Cookie("__Host-session").Value; got == value || got == "" {
			t.Error("the session after the log-in has the value from before")
		}
		a.Get("/me", fastnesstest.Cookie("__Host-session", value)).WantProblem(401, "invalid_credentials")
	}
}

// A page of another site could log its visitor in as somebody else (login CSRF),
// log them out, or act for them.
func TestPagesOfOtherSitesDoNothing(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	cookie := a.browser(t, "ann")
	credentials := jsonOf(map[string]any{"username": "ann", "password": goodPassword})
	newPassword := jsonOf(map[string]string{"current_password": goodPassword, "new_password": adminPassword})
	for name, from := range map[string][]fastnesstest.Option{
		"another site":            {fastnesstest.Header("Sec-Fetch-Site", "cross-site")},
		"another host of it":      {fastnesstest.Header("Sec-Fetch-Site", "same-site"), fastnesstest.Header("Origin", "https://localhost")},
		"another site, old style": {fastnesstest.Header("Origin", "https://evil.example")},
		"a sandboxed frame":       {fastnesstest.Header("Origin", "null")},
		"two answers":             {ownPage(), fastnesstest.Header("Sec-Fetch-Site", "cross-site")},
	} {
		for _, token := range [][]fastnesstest.Option{nil, a.withToken(cookie)} { // Not even who has got hold of a token.
			own := append(slices.Clone(from), a.withToken()...)
			with := append(append(from, carrying(cookie)), token...)
			for _, res := range []*fastnesstest.Response{
				a.Post("/session", credentials, from...), a.Post("/login", passwordForm("ann"), from...), a.Post("/login", passwordForm("ann"), own...),
				a.Post("/logout", nil, with...), a.Post("/me/api-keys", jsonOf(map[string]any{"name": "x"}), with...),
				a.Do(http.MethodPut, "/me/password", newPassword, with...),
			} {
				res.WantProblem(403, "cross_site")
				if res.Header.Get("Set-Cookie") != "" {
					t.Errorf("%s: it sets %v", name, res.Header["Set-Cookie"])
				}
			}
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	// Who does not say where the request comes from may be a program. None logs in with
	// a cookie, and none has a token of this browser.
	a.Post("/session", credentials).WantProblem(403, "cross_site")
	a.Post("/login", passwordForm("ann")).WantProblem(403, "csrf_missing_cookie")
	a.Post("/login", passwordForm("ann"), a.withToken()...).WantProblem(403, "cross_site")
	a.Post("/logout", nil, carrying(cookie)).WantProblem(403, "csrf_missing_cookie")
	a.Post("/me/api-keys", jsonOf(map[string]any{"name": "x"}), carrying(cookie)).WantProblem(403, "csrf_missing_cookie")
	a.Do(http.MethodPut, "/me/password", newPassword, carrying(cookie), ownPage()).WantProblem(403, "csrf_missing_cookie")
	a.Get("/me", carrying(cookie), fastnesstest.Header("Sec-Fetch-Site", "cross-site")).Want(200) // A link is no attack.
	a.Post("/logout", nil, append(a.withToken(cookie), carrying(cookie), fastnesstest.Header("Origin", "https://localhost"))...).Want(204)
}

func TestLogInLeadsNowhereElse(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	for next, want := range map[string]string{
		"/me?x=1": "/me?x=1", "": "/", "//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/",
		"/\t/evil.example": "/", "javascript:alert(1)": "/", "/a\r\nSet-Cookie: x=1": "/", "///evil.example": "/", "evil": "/",
	} {
		a.Post("/login", passwordForm("ann", "next", next), a.asPage()...).Want(303).WantHeader("Location", want)
		a.world.clock.add(time.Minute)
	}
	back := a.Post("/login", passwordForm("ann", "password", "guess", "next", "/me"), a.asPage()...).Want(303).Header.Get("Location")
	if back != "/login?next=%2Fme&problem=credentials" {
		t.Errorf("a wrong password leads to %s", back)
	}
	page := a.Get("/login?problem=credentials&next=" + url.QueryEscape(`/"><script>`)).Want(200)
	if strings.Contains(string(page.Body), "<script") {
		t.Errorf("the page has the markup of its address: %s", page.Body)
	}
}

func TestSessionEndsByItself(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	cookie, tokens := a.browser(t, "ann"), a.logIn(t, "ann")
	for range 27 { // Every 29 minutes, as long as the 12 hours and a bit.
		a.world.clock.add(29 * time.Minute)
		if got := a.Get("/me", carrying(cookie)).Status; got != 200 {
			break
		}
	}
	a.Get("/me", carrying(cookie)).WantProblem(401, "invalid_credentials")
	idle := a.browser(t, "ann")
	a.world.clock.add(31 * time.Minute)
	a.Get("/me", carrying(idle)).WantProblem(401, "invalid_credentials")
	a.world.clock.add(7 * 24 * time.Hour)
	a.refresh(tokens.Refresh).WantProblem(400, "invalid_grant")
}
