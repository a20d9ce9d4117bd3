package storetest

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

func TestPasswordChangeEndsAllOtherSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		const next = "a new phrase for the same person"
		a := newIdentityWorld(t, db).start(t, nil)
		a.world.printed.plant(next)
		a.add(t, "ann")
		mine, others, browser, otherBrowser := a.logIn(t, "ann"), a.logIn(t, "ann"), a.browser(t, "ann"), a.browser(t, "ann")
		change := func(current, to string, with ...fastnesstest.Option) *fastnesstest.Response {
			return a.Do(http.MethodPut, "/me/password", jsonOf(map[string]string{"current_password": current, "new_password": to}), with...)
		}
		change("a guess at the password", next, bearer(mine.Access)).WantProblem(403, "wrong_password")
		change(goodPassword, "short", bearer(mine.Access)).WantProblem(422, "weak_password")
		a.Get("/me", bearer(others.Access)).Want(200) // Nothing has changed yet.
		change(goodPassword, next, bearer(mine.Access)).Want(204)

		a.Get("/me", bearer(others.Access)).WantProblem(401, "invalid_credentials")
		a.refresh(others.Refresh).WantProblem(400, "invalid_grant")
		for _, c := range []*http.Cookie{browser, otherBrowser} {
			a.Get("/me", carrying(c)).WantProblem(401, "invalid_credentials")
		}
		a.Post("/token", passwordForm("ann")).WantProblem(401, "invalid_credentials")
		a.Get("/me", bearer(mine.Access)).WantProblem(401, "invalid_credentials") // Issued before, like all that was.
		a.Get("/me", bearer(a.tokens(t, a.refresh(mine.Refresh)).Access)).Want(200)

		a.world.clock.add(time.Minute)
		res := a.Post("/session", jsonOf(map[string]any{"username": "ann", "password": next}), ownPage()).Want(204)
		kept := res.Cookie("__Host-session")
		renewed := change(next, goodPassword, a.fromPage(kept)...).Want(204).Cookie("__Host-session")
		if renewed == nil {
			t.Fatal("who changes a password in a browser gets no new cookie")
		}
		a.world.printed.plant(kept.Value, renewed.Value)
		a.Get("/me", carrying(renewed)).Want(200) // And stays logged in there.
	})
}

// The other servers hear of the new password and of the session that stays at
// different moments. Between them its owner must not seem to be logged out.
func TestSessionThatStaysIsGoodOnBothServers(t *testing.T) {
	w := newIdentityWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db")))
	here, there := w.start(t, nil), w.start(t, nil)
	here.add(t, "ann")
	cookie, tokens := here.browser(t, "ann"), here.logIn(t, "ann")
	there.Get("/me", bearer(tokens.Access)).Want(200)
	w.clock.add(3 * time.Second)
	there.Get("/me", carrying(cookie)).Want(200)
	body := jsonOf(map[string]string{"current_password": goodPassword, "new_password": adminPassword})
	cookie = here.Do(http.MethodPut, "/me/password", body, here.fromPage(cookie)...).Want(204).Cookie("__Host-session")
	w.printed.plant(cookie.Value)
	for range 10 {
		w.clock.add(time.Second / 2)
		there.Get("/me", carrying(cookie)).Want(200)
		here.Get("/me", carrying(cookie)).Want(200)
	}
	there.Get("/me", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
}

// While the password of somebody is looked at, its owner changes it. What the
// log-in leads to must be as void as if it had come a moment before.
func TestLogInThatIsOvertakenByANewPasswordIsVoid(t *testing.T) {
	for name, logIn := range map[string]func(a *identityApp) *fastnesstest.Response{
		"a token": func(a *identityApp) *fastnesstest.Response { return a.Post("/token", passwordForm("ann")) },
		"a cookie": func(a *identityApp) *fastnesstest.Response {
			return a.Post("/session", jsonOf(map[string]any{"username": "ann", "password": goodPassword}), ownPage())
		},
	} {
		t.Run(name, func(t *testing.T) {
			meanwhile := &onEvent{name: "authn_login_success"}
			a := onSQLite(t, func(c *identityConfig) {
				meanwhile.Handler = c.app.Logger.Handler()
				c.app.Logger = slog.New(meanwhile)
			})
			user := a.add(t, "ann")
			meanwhile.do = func() {
				if err := a.core.Accounts.SetPassword(t.Context(), account.By{}, user.ID, secret.New(adminPassword)); err != nil {
					t.Error(err)
				}
			}
			res := logIn(a)
			if meanwhile.do != nil {
				t.Fatal("the password was not changed meanwhile")
			}
			if c := res.Cookie("__Host-session"); c != nil {
				a.Get("/me", carrying(c)).WantProblem(401, "invalid_credentials")
			}
			if text := memberOf(res.Body, "access_token"); text != "" {
				a.Get("/me", bearer(text)).WantProblem(401, "invalid_credentials")
				a.refresh(memberOf(res.Body, "refresh_token")).WantProblem(400, "invalid_grant")
			}
		})
	}
}

// onEvent does something once, when an event has been recorded.
type onEvent struct {
	slog.Handler
	name string
	do   func()
}

func (o *onEvent) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(at slog.Attr) bool {
		if do := o.do; at.Key == "event" && at.Value.String() == o.name && do != nil {
			o.do = nil
			do()
		}
		return true
	})
	return o.Handler.Handle(ctx, r)
}

// enrolled is an authenticator app that the user has confirmed, and the recovery
// codes.
func (a *identityApp) enrolled(t testing.TB, with ...fastnesstest.Option) (app, []string) {
	t.Helper()
	p, codes, _ := a.enrolledBy(t, with...)
	return p, codes
}

// enrolledBy is enrolled with the answer to the confirmation.
func (a *identityApp) enrolledBy(t testing.TB, with ...fastnesstest.Option) (app, []string, *fastnesstest.Response) {
	t.Helper()
	begun := a.Post("/me/second-factor", jsonOf(map[string]string{"password": goodPassword}), with...).Want(200)
	text := memberOf(begun.Body, "secret")
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	p := app{key, a.world.clock}
	a.world.printed.plant(text, string(key), memberOf(begun.Body, "url"))
	var codes struct {
		Codes []string `json:"recovery_codes"`
	}
	confirmed := a.Post("/me/second-factor/confirm", jsonOf(map[string]string{"code": p.code()}), with...).Want(200)
	if err := json.Unmarshal(confirmed.Body, &codes); err != nil || len(codes.Codes) != 10 {
		t.Fatalf("the recovery codes are %s", confirmed.Body)
	}
	a.world.printed.plant(codes.Codes...)
	return p, codes.Codes, confirmed
}

func TestSecondFactorIsAskedForAndItsCodesWorkOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		a.add(t, "ann")
		before := a.logIn(t, "ann")
		a.Post("/me/second-factor", jsonOf(map[string]string{"password": "guess"}), bearer(before.Access)).WantProblem(403, "wrong_password")
		p, recovery := a.enrolled(t, bearer(before.Access))
		a.Get("/me", bearer(before.Access)).WantProblem(401, "invalid_credentials") // It was issued for a password alone.

		first := p.code() // The app had to show it to be confirmed.
		if got := memberOf(a.Post("/token", passwordForm("ann")).WantProblem(401, "second_factor_required").Body, "error"); got != "mfa_required" {
			t.Errorf("the error is %q, want mfa_required", got)
		}
		a.Post("/token", passwordForm("ann", "otp", first)).WantProblem(401, "invalid_credentials")
		a.world.clock.add(30 * time.Second)
		code := p.code()
		a.Post("/token", passwordForm("ann", "otp", code, "password", "guess")).WantProblem(401, "invalid_credentials")
		tokens := a.logIn(t, "ann", "otp", code)
		a.Post("/token", passwordForm("ann", "otp", code)).WantProblem(401, "invalid_credentials")
		if methods := a.Get("/me", bearer(tokens.Access)).Want(200); !strings.Contains(string(methods.Body), `"mfa"`) {
			t.Errorf("the caller is %s, want the method mfa", methods.Body)
		}

		a.logIn(t, "ann", "otp", recovery[3])
		a.Post("/token", passwordForm("ann", "otp", recovery[3])).WantProblem(401, "invalid_credentials")
		a.world.clock.add(30 * time.Second)
		remove := func(pw, code string) *fastnesstest.Response {
			return a.Post("/me/second-factor/remove", jsonOf(map[string]string{"password": pw, "code": code}), bearer(tokens.Access))
		}
		remove(goodPassword, "000000").Want(403)
		remove("guess", p.code()).Want(403)
		remove(goodPassword, p.code()).Want(204)
		a.logIn(t, "ann")
	})
}

// apiKey makes a key with a token.
func (a *identityApp) apiKey(t testing.TB, body string, with ...fastnesstest.Option) (id string, as fastnesstest.Option) {
	t.Helper()
	res := a.Post("/me/api-keys", fastnesstest.JSON(body), with...)
	id, text := memberOf(res.Body, "id"), memberOf(res.Body, "key")
	if res.Status != http.StatusCreated || text == "" {
		t.Fatalf("no API key: %d %s", res.Status, res.Body)
	}
	a.world.printed.plant(text)
	return id, fastnesstest.Header("X-API-Key", text)
}

// An account has a hundred live keys at most. One more is refused, in words that say what
// to do, and is no failure of the server.
func TestOneKeyTooManyIsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		a.add(t, "ann", "admin")
		ann := bearer(a.logIn(t, "ann").Access)
		last := ""
		for range 100 {
			last, _ = a.apiKey(t, `{"name":"till"}`, ann)
		}
		a.Post("/me/api-keys", fastnesstest.JSON(`{"name":"till"}`), ann).WantProblem(409, "too_many_keys")
		a.Do(http.MethodDelete, "/me/api-keys/"+last, nil, ann).Want(204)
		a.apiKey(t, `{"name":"till"}`, ann)
	})
}

func TestAPIKeyIsForNoMoreThanItsMaker(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		user := a.add(t, "ann", "admin")
		a.add(t, "root", "admin")
		all, orders := a.logIn(t, "ann"), a.logIn(t, "ann", "scope", "account orders")
		a.Post("/me/api-keys", fastnesstest.JSON(`{"name":"x","scopes":["items"]}`), bearer(orders.Access)).WantProblem(403, "insufficient_scope")
		a.Post("/me/api-keys", fastnesstest.JSON(`{"name":"x","scopes":["items"],"days":366}`), bearer(all.Access)).Want(422)

		id, items := a.apiKey(t, `{"name":"till","scopes":["items"],"days":1}`, bearer(all.Access))
		_, few := a.apiKey(t, `{"name":"as its maker"}`, bearer(orders.Access))
		a.Get("/items", items).Want(200)
		a.Get("/items", few).WantProblem(403, "")
		// A key for nothing is for nothing, or there is none. It is not for everything.
		if res := a.Post("/me/api-keys", fastnesstest.JSON(`{"name":"nothing","scopes":[]}`), bearer(all.Access)); res.Status == http.StatusCreated {
			a.Get("/items", fastnesstest.Header("X-API-Key", memberOf(res.Body, "key"))).WantProblem(403, "")
		} else {
			res.Want(422)
		}

		// Whoever steals a key must not be able to take the account with it.
		for target, body := range map[string]any{
			"/me/api-keys": jsonOf(map[string]string{"name": "y"}), "/logout": nil,
			"/me/second-factor": jsonOf(map[string]string{"password": goodPassword}), "/users": jsonOf(map[string]any{"name": "z", "password": goodPassword, "roles": []string{}}),
		} {
			a.Post(target, body, items).WantProblem(401, "not_authenticated")
		}
		a.Get("/users", items).WantProblem(401, "not_authenticated")
		if list := a.Get("/me/api-keys", bearer(all.Access)).Want(200); strings.Contains(string(list.Body), `"key"`) {
			t.Errorf("the list tells the keys: %s", list.Body)
		}

		a.add(t, "bob")
		bob := a.logIn(t, "bob")
		a.Do(http.MethodDelete, "/me/api-keys/"+id, nil, bearer(bob.Access)).Want(404)
		a.Get("/items", items).Want(200)
		a.Do(http.MethodDelete, "/me/api-keys/"+id, nil, bearer(all.Access)).Want(204)
		a.Get("/items", items).WantProblem(401, "invalid_credentials")
		_, items = a.apiKey(t, `{"name":"till","scopes":["items"],"days":1}`, bearer(all.Access))
		a.world.clock.add(25 * time.Hour)
		a.Get("/items", items).WantProblem(401, "invalid_credentials")
		if err := a.core.Accounts.Disable(t.Context(), account.By{}, user.ID); err != nil {
			t.Fatal(err)
		}
		a.Get("/me", few).WantProblem(401, "invalid_credentials")
	})
}

// first asks to be the first administrator.
func (a *identityApp) first(name, token string) *fastnesstest.Response {
	return a.Post("/users/first", jsonOf(map[string]string{"name": name, "password": adminPassword, "token": token}))
}

// bootstrapToken returns what is in the file, and what may read it.
func (w *identityWorld) bootstrapToken(t testing.TB) string {
	t.Helper()
	path := filepath.Join(w.folder, "first-administrator.token")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the token can be read by others: %v", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.printed.plant(strings.TrimSpace(string(text)))
	return strings.TrimSpace(string(text))
}

func TestBootstrapTokenMakesOneAdministrator(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newIdentityWorld(t, db)
		a := w.start(t, nil)
		if users, err := a.core.Accounts.List(t.Context(), account.Page{Limit: 10}); err != nil || len(users) != 0 {
			t.Fatalf("a new database has the users %v, %v", users, err)
		}
		old := w.bootstrapToken(t)
		a = w.start(t, nil) // It is another one at each start.
		token := w.bootstrapToken(t)
		for _, wrong := range []string{"wrong", old, token[:len(token)-1], strings.ToLower(token)} {
			a.first("eve", wrong).WantProblem(403, "invalid_bootstrap_token")
		}
		a.Post("/users/first", jsonOf(map[string]string{"name": "eve", "password": "short", "token": token})).Want(422) // And is not used up.
		var names [2]int
		won := atOnce(2, func(i int) bool {
			names[i] = a.first([]string{"ann", "bob"}[i], token).Status
			return names[i] == http.StatusCreated
		})
		if lost := slices.Contains(names[:], http.StatusForbidden); won != 1 || !lost {
			t.Fatalf("two at once got %v, want one 201 and one 403", names)
		}
		a.first("eve", token).WantProblem(403, "invalid_bootstrap_token")
		if _, err := os.Stat(filepath.Join(w.folder, "first-administrator.token")); !os.IsNotExist(err) {
			t.Errorf("the file of the used token is still there: %v", err)
		}
		w.start(t, nil)
		if _, err := os.Stat(filepath.Join(w.folder, "first-administrator.token")); !os.IsNotExist(err) {
			t.Errorf("with an administrator there is a token again: %v", err)
		}
		winner := []string{"ann", "bob"}[slices.Index(names[:], http.StatusCreated)]
		a.Get("/users", bearer(a.logIn(t, winner, "password", adminPassword).Access)).Want(200)
	})
}

func TestSignUpChoosesNeitherRolesNorTenant(t *testing.T) {
	a := onSQLite(t, nil)
	for _, more := range []string{`"roles":["admin"]`, `"tenant":"palace"`, `"disabled":false`, `"id":"x"`, `"Roles":["admin"]`} {
		a.Post("/sign-up", fastnesstest.JSON(`{"name":"eve","password":"`+goodPassword+`",`+more+`}`)).Want(422)
	}
	res := a.Post("/sign-up?roles=admin&tenant=palace", jsonOf(map[string]string{"name": "eve", "password": goodPassword}),
		fastnesstest.Header("X-Tenant", "palace"), fastnesstest.Header("X-Roles", "admin")).Want(201)
	if memberOf(res.Body, "tenant") != "castle" || !strings.Contains(string(res.Body), `"roles":["customer"]`) {
		t.Errorf("who signed up is %s", res.Body)
	}
	a.Post("/sign-up", jsonOf(map[string]string{"name": "EVE", "password": goodPassword})).WantProblem(409, "name_taken")
	a.Get("/users", bearer(a.logIn(t, "eve").Access)).WantProblem(403, "not_permitted")

	closed := onSQLite(t, func(c *identityConfig) { c.users.SignUp = nil })
	closed.Post("/sign-up", jsonOf(map[string]string{"name": "eve", "password": goodPassword})).Want(404)
	for range 60 { // One address cannot fill the table.
		if a.Post("/sign-up", jsonOf(map[string]string{"name": "EVE", "password": goodPassword})).Status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("60 sign-ups from one address in a moment, and none was refused")
}

func TestOnlyAdministratorsManageUsers(t *testing.T) {
	a := onSQLite(t, nil)
	ann := a.add(t, "ann", "seller", "customer")
	root := a.add(t, "root", "admin")
	one := "/users/" + root.ID
	calls := []struct {
		method, target, body string
	}{
		{"GET", "/users", ""}, {"POST", "/users", `{"name":"x","password":"` + goodPassword + `","roles":["admin"]}`},
		{"GET", one, ""}, {"PATCH", one, `{"roles":[]}`}, {"DELETE", one, ""},
		{"PATCH", "/users/" + ann.ID, `{"roles":["admin"]}`}, {"PATCH", "/users/" + ann.ID, `{"roles":`}, {"GET", "/users/nobody", ""},
	}
	tokens, cookie := a.logIn(t, "ann"), a.browser(t, "ann")
	for _, c := range calls {
		var body any
		if c.body != "" {
			body = fastnesstest.JSON(c.body)
		}
		a.Do(c.method, c.target, body).WantProblem(401, "not_authenticated")
		a.Do(c.method, c.target, body, bearer(tokens.Access)).WantProblem(403, "not_permitted")
		a.Do(c.method, c.target, body, a.fromPage(cookie)...).WantProblem(403, "not_permitted")
	}
	if found, err := a.core.Accounts.Get(t.Context(), ann.ID); err != nil || !found.Roles.Equal(auth.SetOf("seller", "customer")) {
		t.Errorf("ann is %+v, %v", found, err)
	}
}

func TestNobodyTakesAwayTheLastAdministrator(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		root := a.add(t, "root", "admin")
		tokens := a.logIn(t, "root")
		as := bearer(tokens.Access)
		one := "/users/" + root.ID
		a.Do("DELETE", one, nil, as).WantProblem(409, "last_administrator")
		for _, change := range []string{`{"roles":[]}`, `{"disabled":true}`, `{"roles":["seller"],"disabled":true}`} {
			a.Do("PATCH", one, fastnesstest.JSON(change), as).WantProblem(409, "last_administrator")
		}
		a.Do("PATCH", one, fastnesstest.JSON(`{"roles":["god"]}`), as).WantProblem(422, "unknown_role")
		a.Do("PATCH", one, fastnesstest.JSON(`{"second_factor":true}`), as).Want(422)
		made := a.Post("/users", jsonOf(map[string]any{"name": "second", "password": goodPassword, "roles": []string{"admin"}, "tenant": "palace"}), as).Want(201)
		a.Get(made.Header.Get("Location"), as).Want(200)
		a.Do("PATCH", one, fastnesstest.JSON(`{"roles":["seller"]}`), as).Want(200)
		a.Get("/users", as).WantProblem(403, "not_permitted") // Taken at once, from who did it, too.
	})
}
