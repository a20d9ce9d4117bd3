package storetest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
)

// written returns how many events do recorded.
func (a *identityApp) written(t testing.TB, do func()) int64 {
	t.Helper()
	before, err := a.core.Events.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do()
	after, err := a.core.Events.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int64(after.Seq - before.Seq)
}

// What is refused is written down. Whoever sends what is refused must not decide
// how much that is: the log is kept, and a full disk stops all log-ins.
func TestStrangersCannotFillTheDisk(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(a *identityApp)
		send    func(a *identityApp, i int) *fastnesstest.Response
		most    int64
	}{
		"bootstrap tokens, long after the first administrator": {
			prepare: func(a *identityApp) { a.first("root", a.world.bootstrapToken(t)).Want(201) },
			send:    func(a *identityApp, i int) *fastnesstest.Response { return a.first("eve", fmt.Sprint("guess ", i)) },
			most:    0,
		},
		"bootstrap tokens, before": {
			prepare: func(*identityApp) {},
			send:    func(a *identityApp, i int) *fastnesstest.Response { return a.first("eve", fmt.Sprint("guess ", i)) },
			most:    51,
		},
		"the right password without a code": {
			prepare: func(a *identityApp) {
				a.add(t, "ann")
				a.enrolled(t, bearer(a.logIn(t, "ann").Access))
			},
			send: func(a *identityApp, _ int) *fastnesstest.Response { return a.Post("/token", passwordForm("ann")) },
			most: 11,
		},
		"wrong passwords": {
			prepare: func(a *identityApp) { a.add(t, "ann") },
			send: func(a *identityApp, i int) *fastnesstest.Response {
				return a.Post("/token", passwordForm(fmt.Sprint("user", i), "password", "guess"))
			},
			most: 51,
		},
		"names that are taken": {
			prepare: func(a *identityApp) { a.add(t, "ann") },
			send: func(a *identityApp, i int) *fastnesstest.Response {
				return a.Post("/sign-up", jsonOf(map[string]string{"name": "ann", "password": goodPassword}))
			},
			most: 51,
		},
		"what is no token": {
			prepare: func(*identityApp) {},
			send: func(a *identityApp, i int) *fastnesstest.Response {
				return a.refresh(fmt.Sprint("guess ", i))
			},
			most: 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := onSQLite(t, nil)
			tt.prepare(a)
			n := a.written(t, func() {
				for i := range 300 {
					if status := tt.send(a, i).Status; status < 400 || status >= 500 {
						t.Fatalf("the answer is %d, want it refused", status)
					}
				}
			})
			if n > tt.most {
				t.Errorf("300 requests of a stranger wrote %d events, want at most %d", n, tt.most)
			}
		})
	}
}

// A thief makes a key that is good for a year. Log-out everywhere is what its
// victim does about it.
func TestLogOutEverywhereEndsAPIKeys(t *testing.T) {
	const next = "a new phrase for the same person"
	for name, tt := range map[string]struct {
		do   func(a *identityApp, id string, mine tokensOf) error
		good bool
	}{
		"the user logs out everywhere": {do: func(a *identityApp, _ string, mine tokensOf) error {
			a.Post("/logout", fastnesstest.JSON(`{"everywhere":true}`), bearer(mine.Access)).Want(204)
			return nil
		}},
		"an administrator logs them out": {do: func(a *identityApp, id string, _ tokensOf) error {
			return a.core.Accounts.LogOutEverywhere(t.Context(), account.By{}, id)
		}},
		"an administrator sets the password": {do: func(a *identityApp, id string, _ tokensOf) error {
			return a.core.Accounts.SetPassword(t.Context(), account.By{}, id, secret.New(next))
		}},
		"an administrator takes the second factor away": {do: func(a *identityApp, id string, _ tokensOf) error {
			return a.core.Accounts.ResetSecondFactor(t.Context(), account.By{}, id)
		}},
		"the user changes the password and goes on": {good: true, do: func(a *identityApp, _ string, mine tokensOf) error {
			body := jsonOf(map[string]string{"current_password": goodPassword, "new_password": next})
			a.Do(http.MethodPut, "/me/password", body, bearer(mine.Access)).Want(204)
			return nil
		}},
		"the user logs out here": {good: true, do: func(a *identityApp, _ string, mine tokensOf) error {
			a.Post("/logout", nil, bearer(mine.Access)).Want(204)
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := onSQLite(t, nil)
			a.world.printed.plant(next)
			ann := a.add(t, "ann")
			a.add(t, "bob")
			mine, thief := a.logIn(t, "ann"), a.logIn(t, "ann")
			_, key := a.apiKey(t, `{"name":"backdoor","days":365}`, bearer(thief.Access))
			_, bobs := a.apiKey(t, `{"name":"till"}`, bearer(a.logIn(t, "bob").Access))
			a.Get("/me", key).Want(200)
			if err := tt.do(a, ann.ID, mine); err != nil {
				t.Fatal(err)
			}
			if tt.good {
				a.Get("/me", key).Want(200)
			} else {
				a.Get("/me", key).WantProblem(401, "invalid_credentials")
			}
			a.Get("/me", bobs).Want(200)
		})
	}
}

// Somebody has a copy of the cookie. That is why its owner changes the password,
// or begins to use a second factor: the copy must not go on with them.
func TestCopiedCookieEndsWithThePassword(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	cookie := a.browser(t, "ann")
	ended := func(what string, change func(with ...fastnesstest.Option) *fastnesstest.Response) {
		t.Helper()
		a.Get("/me", carrying(cookie)).Want(200)
		fresh := change(a.fromPage(cookie)...).Cookie("__Host-session")
		if fresh == nil || fresh.Value == cookie.Value || !fresh.HttpOnly || !fresh.Secure {
			t.Fatalf("%s: the cookie is %v, want a new one", what, fresh)
		}
		a.world.printed.plant(fresh.Value)
		a.Get("/me", carrying(cookie)).WantProblem(401, "invalid_credentials")
		a.Get("/me", carrying(fresh)).Want(200)
		if cookie = fresh; t.Failed() {
			t.Fatal(what)
		}
	}
	put := func(from, to string) func(with ...fastnesstest.Option) *fastnesstest.Response {
		return func(with ...fastnesstest.Option) *fastnesstest.Response {
			return a.Do(http.MethodPut, "/me/password", jsonOf(map[string]string{"current_password": from, "new_password": to}), with...).Want(204)
		}
	}
	ended("another password", put(goodPassword, adminPassword))
	ended("the first one again", put(adminPassword, goodPassword))
	var p app
	ended("a second factor", func(with ...fastnesstest.Option) (res *fastnesstest.Response) {
		p, _, res = a.enrolledBy(t, with...)
		return res
	})
	a.world.clock.add(30 * time.Second)
	ended("no second factor", func(with ...fastnesstest.Option) *fastnesstest.Response {
		return a.Post("/me/second-factor/remove", jsonOf(map[string]string{"password": goodPassword, "code": p.code()}), with...).Want(204)
	})

	// Whoever came with a token gets no cookie, and a change that is refused leaves
	// the one that there is.
	if res := put(goodPassword, adminPassword)(bearer(a.logIn(t, "ann").Access)); res.Header.Get("Set-Cookie") != "" {
		t.Errorf("a change by a token sets %v", res.Header["Set-Cookie"])
	}
	mine := a.Post("/session", jsonOf(map[string]any{"username": "ann", "password": adminPassword}), ownPage()).Want(204).Cookie("__Host-session")
	a.world.printed.plant(mine.Value)
	if res := a.Do(http.MethodPut, "/me/password", jsonOf(map[string]string{"current_password": "guess", "new_password": goodPassword}), a.fromPage(mine)...).Want(403); res.Header.Get("Set-Cookie") != "" {
		t.Errorf("a change that is refused sets %v", res.Header["Set-Cookie"])
	}
	a.Get("/me", carrying(mine)).Want(200)
}

// A token that was asked for to do one thing leaks where that thing is done. It
// must not be worth the account, or all accounts.
func TestNarrowTokenActsOnNoAccount(t *testing.T) {
	a := onSQLite(t, nil)
	root := a.add(t, "root", "admin")
	narrow := bearer(a.logIn(t, "root", "scope", "items").Access)
	a.Get("/items", narrow).Want(200)
	for _, c := range []struct {
		method, target string
		body           any
	}{
		{"POST", "/users", jsonOf(map[string]any{"name": "mallory", "password": goodPassword, "roles": []string{"admin"}})},
		{"GET", "/users", nil}, {"GET", "/users/" + root.ID, nil}, {"DELETE", "/users/" + root.ID, nil},
		{"PATCH", "/users/" + root.ID, jsonOf(map[string]bool{"disabled": true})},
		{"POST", "/me/api-keys", jsonOf(map[string]any{"name": "backdoor", "days": 365})}, {"GET", "/me/api-keys", nil}, {"DELETE", "/me/api-keys/x", nil},
		{"GET", "/me/sessions", nil}, {"DELETE", "/me/sessions/x", nil},
		{"PUT", "/me/password", jsonOf(map[string]string{"current_password": goodPassword, "new_password": adminPassword})},
		{"POST", "/me/second-factor", jsonOf(map[string]string{"password": goodPassword})},
		{"POST", "/me/second-factor/confirm", jsonOf(map[string]string{"code": "000000"})},
		{"POST", "/me/second-factor/remove", jsonOf(map[string]string{"password": goodPassword, "code": "000000"})},
		{"POST", "/me/second-factor/recovery-codes", jsonOf(map[string]string{"password": goodPassword, "code": "000000"})},
		{"POST", "/logout", fastnesstest.JSON(`{"everywhere":true}`)},
	} {
		if got := a.Do(c.method, c.target, c.body, narrow).Status; got != http.StatusForbidden {
			t.Errorf("%s %s: %d, want 403", c.method, c.target, got)
		}
	}
	account := bearer(a.logIn(t, "root", "scope", "account").Access)
	a.Get("/me/api-keys", account).Want(200)
	a.Get("/users", account).Want(403)
	a.Post("/logout", nil, narrow).Want(204)
}

// With a shared secret there is no key for everybody. An address that is told to
// have one, and breaks, makes verifiers fail in ways of their own.
func TestNoKeySetForSharedSecrets(t *testing.T) {
	a := onSQLite(t, func(c *identityConfig) { c.users.Algorithm = keyring.HS256 })
	a.add(t, "ann")
	a.Get("/me", bearer(a.logIn(t, "ann").Access)).Want(200)
	a.Get("/.well-known/jwks.json").Want(200).WantHeader("Content-Type", "application/jwk-set+json").WantJSON(`{"keys":[]}`)
	onSQLite(t, nil).Get("/.well-known/jwks.json").Want(200).WantHeader("Content-Type", "application/jwk-set+json")
}

// A key outlives its session, and the owner's change of the password.
func TestCopiedCookieMakesNoAPIKey(t *testing.T) {
	a := newIdentityWorld(t, openSQLite(t, t.TempDir()+"/users.db")).start(t, nil)
	a.add(t, "ann", "admin")
	cookie, tokens := a.browser(t, "ann"), a.logIn(t, "ann")
	own := a.fromPage(cookie)
	body := jsonOf(map[string]string{"name": "x"})
	a.Post("/me/api-keys", body, own...).Want(201)
	a.world.clock.add(9 * time.Minute)
	a.Post("/me/api-keys", body, own...).Want(201)
	a.world.clock.add(time.Minute + time.Second)
	got := a.Post("/me/api-keys", body, own...)
	got.WantProblem(401, "insufficient_user_authentication")
	got.WantHeader("WWW-Authenticate", `Cookie error="insufficient_user_authentication", max_age="600"`)
	fresh := a.tokens(t, a.refresh(tokens.Refresh)) // A new token is no new log-in.
	a.Post("/me/api-keys", body, bearer(fresh.Access)).WantProblem(401, "insufficient_user_authentication")
	a.Post("/me/api-keys", body, bearer(a.logIn(t, "ann").Access)).Want(201)
}
