package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// manyRequests is the rate limit of tests that are about something else.
const manyRequests = "1000000/second"

const adminPassword = "a password for the administrator"

// identityWorld is one database and one folder, which any number of apps share as
// processes do.
type identityWorld struct {
	db      *sqldb.DB
	folder  string
	clock   *accountClock
	printed *transcript
}

func newIdentityWorld(t testing.TB, db *sqldb.DB) *identityWorld {
	t.Helper()
	w := &identityWorld{
		db: db, folder: t.TempDir(), printed: newTranscript(t, db),
		clock: &accountClock{now: time.Unix(1_800_000_000, 0)},
	}
	w.printed.plant(goodPassword, adminPassword)
	return w
}

// identityApp is an app with an identity, that has started.
type identityApp struct {
	*fastnesstest.API
	world *identityWorld
	core  *identity.Core
	app   *fastness.App
}

// identityConfig is what a test may change before the app starts.
type identityConfig struct {
	app     fastness.Config
	users   identity.Config
	onReset func(context.Context, *identity.Core, string) error
}

// start starts an app over the world's database. What adjust changes holds for
// this app alone.
func (w *identityWorld) start(t testing.TB, adjust func(*identityConfig)) *identityApp {
	t.Helper()
	a := w.build(t, adjust)
	a.API = fastnesstest.New(t, a.app)
	// What the app is made of comes out by an operation that asks for it.
	a.Get("/core").Want(http.StatusNoContent)
	return a
}

// build declares an app that has not started.
func (w *identityWorld) build(t testing.TB, adjust func(*identityConfig)) *identityApp {
	t.Helper()
	roles := []string{"admin", "seller", "customer"}
	logger := slog.New(slog.NewTextHandler(w.printed, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := identityConfig{
		app: fastness.Config{Title: "Shop", Version: "1.0.0", Logger: logger, Roles: roles, RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: manyRequests}}},
		users: identity.Config{
			Open:  func(context.Context, fastness.Settings) (*sqldb.DB, error) { return openAgain(t, w.db), nil },
			Roles: roles, Now: w.clock.Now, InsecureWeakHashing: "a test hashes often", Limits: identity.Limits{LogIn: manyRequests, SignUp: manyRequests, Tokens: manyRequests},
			SignUp:  &identity.SignUp{Roles: []string{"customer"}, Tenant: "castle"},
			Scopes:  []identity.Scope{{Name: "items", Description: "Sell items."}, {Name: "orders", Description: "Order items."}},
			Clients: []identity.Client{{ID: "shop", FirstParty: true}},
		},
	}
	if adjust != nil {
		adjust(&cfg)
	}
	a := &identityApp{world: w, app: fastness.New(cfg.app)}
	fastness.ProvideValue(a.app, fastness.Settings{Addr: "127.0.0.1:8443", DataDir: w.folder})
	users := identity.New(cfg.users)
	if cfg.onReset != nil {
		users.OnReset(cfg.onReset)
	}
	users.Declare(a.app)
	a.declare()
	return a
}

// Do sends a request and keeps the answer, if it is an error, for the search for
// secrets.
func (a *identityApp) Do(method, target string, body any, options ...fastnesstest.Option) *fastnesstest.Response {
	res := a.API.Do(method, target, body, options...)
	if res.Status >= 400 {
		fmt.Fprintf(a.world.printed, "%v %s\n", res.Header, res.Body)
	}
	return res
}

func (a *identityApp) Get(target string, options ...fastnesstest.Option) *fastnesstest.Response {
	return a.Do(http.MethodGet, target, nil, options...)
}

func (a *identityApp) Post(target string, body any, options ...fastnesstest.Option) *fastnesstest.Response {
	return a.Do(http.MethodPost, target, body, options...)
}

// declare declares the article's protected operations, and some for attacks.
func (a *identityApp) declare() {
	type message struct {
		Message string `json:"message" maxLength:"200"`
	}
	fastness.Get(a.app, "/core", func(_ context.Context, in struct{ Core *identity.Core }) (fastness.NoContent, error) {
		a.core = in.Core
		return fastness.NoContent{}, nil
	}, access.Public)
	fastness.Get(a.app, "/protected", func(_ context.Context, in struct{ User auth.User }) (message, error) {
		return message{"Beware, " + in.User.Name + ". This is a protected route."}, nil
	}, access.By("oauth2"))
	fastness.Get(a.app, "/protected_route", func(context.Context, struct{}) (message, error) {
		return message{"You have access to this protected route!"}, nil
	}, access.All(access.By("oauth2"), access.Role("admin")))
	fastness.Get(a.app, "/items", func(context.Context, struct{}) (message, error) {
		return message{"items"}, nil
	}, access.Scope("items"))
	fastness.Get(a.app, "/panic", func(context.Context, struct{ User auth.User }) (message, error) {
		panic("a bug")
	}, access.Authenticated)
}

// add creates an account with the good password.
func (a *identityApp) add(t testing.TB, name string, roles ...string) *account.Account {
	t.Helper()
	made, err := a.core.Accounts.Create(t.Context(), account.By{}, account.New{Name: name, Password: secret.New(goodPassword), Roles: auth.SetOf(roles...)})
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return made
}

// passwordForm is the form of a log-in with the good password.
func passwordForm(name string, more ...string) url.Values {
	form := url.Values{"username": {name}, "password": {goodPassword}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// tokensOf are those that an answer has.
type tokensOf struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

// logIn logs in at /token.
func (a *identityApp) logIn(t testing.TB, name string, more ...string) tokensOf {
	t.Helper()
	return a.tokens(t, a.Post("/token", passwordForm(name, more...)))
}

// tokens returns those of an answer, and notes them as secrets.
func (a *identityApp) tokens(t testing.TB, res *fastnesstest.Response) (tokens tokensOf) {
	t.Helper()
	if err := json.Unmarshal(res.Body, &tokens); err != nil || res.Status != http.StatusOK || tokens.Access == "" || tokens.Refresh == "" {
		t.Fatalf("no tokens: %d %s", res.Status, res.Body)
	}
	a.world.printed.plant(tokens.Access, tokens.Refresh)
	return tokens
}

func (a *identityApp) refresh(token string, more ...string) *fastnesstest.Response {
	form := url.Values{"refresh_token": {token}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return a.Post("/token/refresh", form)
}

// bearer is a request with an access token.
func bearer(token string) fastnesstest.Option {
	return fastnesstest.Header("Authorization", "Bearer "+token)
}

// browser logs in with a cookie and returns it.
func (a *identityApp) browser(t testing.TB, name string) (cookie *http.Cookie) {
	t.Helper()
	res := a.Post("/session", jsonOf(map[string]any{"username": name, "password": goodPassword}), ownPage())
	if cookie = res.Cookie("__Host-session"); res.Status != http.StatusNoContent || cookie == nil {
		t.Fatalf("no session: %d %s", res.Status, res.Body)
	}
	a.world.printed.plant(cookie.Value, res.Cookie("__Host-device").Value)
	return cookie
}

func carrying(c *http.Cookie) fastnesstest.Option { return fastnesstest.Cookie(c.Name, c.Value) }

// ownPage is what a browser says of a page of the same site.
func ownPage() fastnesstest.Option { return fastnesstest.Header("Sec-Fetch-Site", "same-origin") }

// withToken is what a browser with these cookies sends beside them where a token is
// wanted: the token and the cookie that belongs to it.
func (a *identityApp) withToken(cookies ...*http.Cookie) []fastnesstest.Option {
	var with []fastnesstest.Option
	for _, c := range cookies {
		with = append(with, carrying(c))
	}
	res := a.Get("/csrftoken/", with...).Want(200)
	token, cookie := memberOf(res.Body, "csrf_token"), res.Cookie("__Host-csrf")
	a.world.printed.plant(token, cookie.Value)
	return []fastnesstest.Option{carrying(cookie), fastnesstest.Header("X-CSRF-Token", token)}
}

// fromPage is a request of a page of the site in a browser with these cookies.
func (a *identityApp) fromPage(cookies ...*http.Cookie) []fastnesstest.Option {
	with := append(a.withToken(cookies...), ownPage())
	for _, c := range cookies {
		with = append(with, carrying(c))
	}
	return with
}

// asPage is a form of a page of the site, whose answer is shown.
func (a *identityApp) asPage() []fastnesstest.Option {
	return append(a.fromPage(), fastnesstest.Accept("text/html"))
}

func jsonOf(value any) fastnesstest.JSON {
	text, err := json.Marshal(value)
	if err != nil {
		return "" // No test has such a value.
	}
	return fastnesstest.JSON(text)
}

// memberOf returns a member of a JSON object as text.
func memberOf(body []byte, name string) string {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return ""
	}
	text, _ := object[name].(string)
	return text
}

func TestLogInLeadsToWhatAUserMayDo(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		made := a.add(t, "ann", "seller")
		tokens := a.logIn(t, "ann", "scope", "items")
		if tokens.Type != "bearer" || tokens.Expires != 600 || tokens.Scope != "items" {
			t.Errorf("the tokens are %s for %d s and %q", tokens.Type, tokens.Expires, tokens.Scope)
		}
		res := a.Get("/me", bearer(tokens.Access)).Want(200).WantHeader("Cache-Control", "no-store")
		for name, want := range map[string]string{"id": made.ID, "name": "ann", "scheme": "oauth2"} {
			if got := memberOf(res.Body, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		a.Get("/items", bearer(tokens.Access)).Want(200)
		a.Get("/items", bearer(a.logIn(t, "ann", "scope", "orders").Access)).WantProblem(403, "")
		a.world.clock.add(9 * time.Minute)
		next := a.tokens(t, a.refresh(tokens.Refresh))
		a.world.clock.add(2 * time.Minute)
		a.Get("/me", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
		a.Get("/me", bearer(next.Access)).Want(200)
		if next.Refresh == tokens.Refresh || next.Scope != "items" {
			t.Errorf("refreshed: the same token, or the scope %q", next.Scope)
		}
	})
}

// A token for less than the session stays a token for less.
func TestScopeCannotGrow(t *testing.T) {
	a := newIdentityWorld(t, openSQLite(t, t.TempDir()+"/test.db")).start(t, nil)
	a.add(t, "ann")
	tokens := a.logIn(t, "ann", "scope", "items")
	if got := memberOf(a.refresh(tokens.Refresh, "scope", "items orders").Want(400).Body, "error"); got != "invalid_scope" {
		t.Errorf("the error is %q", got)
	}
	a.tokens(t, a.refresh(tokens.Refresh)) // The refusal has not used up the token.
	a.Post("/token", passwordForm("ann", "scope", "admin")).WantProblem(400, "invalid_scope")
	if scope := a.logIn(t, "ann").Scope; scope != "account items orders users" {
		t.Errorf("without a scope the token is for %q, want all", scope)
	}
}
