package storetest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// addTo creates an account of a tenant with the good password.
func (a *identityApp) addTo(t testing.TB, tenant, name string, roles ...string) *account.Account {
	t.Helper()
	made, err := a.core.Accounts.Create(t.Context(), account.By{}, account.New{
		Name: name, Password: secret.New(goodPassword), Roles: auth.SetOf(roles...), Tenant: auth.NewTenant(tenant),
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// An administrator of one tenant is a stranger to the users of another: they are
// not there, whatever is asked.
func TestAdministratorOfATenantSeesItsUsersAlone(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		root, foreign, own := a.add(t, "root", "admin"), a.addTo(t, "palace", "bob"), a.addTo(t, "castle", "carl")
		boss := a.addTo(t, "castle", "ann", "admin")
		as := bearer(a.logIn(t, "ann").Access)
		nobody := a.Get("/users/NOBODYNOBODYNOBODYNOBODYNO", as).WantProblem(404, "").Problem()
		for _, id := range []string{foreign.ID, root.ID} {
			for _, c := range [][2]string{
				{"GET", ""}, {"DELETE", ""}, {"PATCH", `{"roles":["admin"]}`}, {"PATCH", `{"disabled":true}`}, {"PATCH", `{"password":"a new phrase for somebody"}`},
			} {
				var body any
				if c[1] != "" {
					body = fastnesstest.JSON(c[1])
				}
				p := a.Do(c[0], "/users/"+id, body, as).WantProblem(404, nobody.Code).Problem()
				if p.Detail != nobody.Detail {
					t.Errorf("%s: %q tells more than %q", c[0], p.Detail, nobody.Detail)
				}
			}
		}
		list := string(a.Get("/users", as).Want(200).Body)
		if strings.Contains(list, foreign.ID) || strings.Contains(list, root.ID) || !strings.Contains(list, own.ID) || !strings.Contains(list, boss.ID) {
			t.Errorf("the list is %s, want ann and carl", list)
		}
		for _, tenant := range []string{"palace", "Castle"} {
			a.Post("/users", jsonOf(map[string]any{"name": "x", "password": goodPassword, "roles": []string{}, "tenant": tenant}), as).WantProblem(403, "not_permitted")
		}
		made := a.Post("/users", jsonOf(map[string]any{"name": "dora", "password": goodPassword, "roles": []string{"seller"}}), as).Want(201)
		if got := memberOf(made.Body, "tenant"); got != "castle" {
			t.Errorf("the new user is of the tenant %q", got)
		}
		a.Get("/users/"+foreign.ID, bearer(a.logIn(t, "root").Access)).Want(200)
	})
}

// A change that is refused in part has not happened in part.
func TestChangeOfAUserIsMadeAsAWhole(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "root", "admin")
	ann := a.add(t, "ann", "seller")
	as := bearer(a.logIn(t, "root").Access)
	tokens := a.logIn(t, "ann")
	for _, change := range []string{
		`{"roles":["admin"],"password":"short"}`, `{"disabled":true,"password":"short"}`, `{"roles":["admin"],"second_factor":true}`,
		`{"roles":["admin"],"disabled":"no"}`, `{"disabled":true,"roles":["god"]}`,
	} {
		a.Do("PATCH", "/users/"+ann.ID, fastnesstest.JSON(change), as).Want(422)
		now, err := a.core.Accounts.Get(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !now.Roles.Equal(auth.SetOf("seller")) || now.Disabled {
			t.Fatalf("%s was refused, and ann has the roles %q, disabled: %v", change, now.Roles, now.Disabled)
		}
	}
	a.Get("/me", bearer(tokens.Access)).Want(200)
	a.Do("PATCH", "/users/"+ann.ID, fastnesstest.JSON(`{"roles":["customer"],"disabled":true,"password":"`+adminPassword+`"}`), as).Want(200)
	for name, want := range map[string]int{"authz_change": 1, "user_archived": 1, "authn_password_change": 1} {
		done := slices.DeleteFunc(a.named(t, name), func(e auditlog.Entry) bool { return e.Refused })
		if len(done) != want {
			t.Errorf("%d events %s, want %d", len(done), name, want)
		}
	}
}

func TestSessionsOfOthersCannotBeSeenOrEnded(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	a.add(t, "bob")
	ann, phone, bob := a.logIn(t, "ann"), a.logIn(t, "ann"), a.logIn(t, "bob")
	type session struct {
		ID      string `json:"id"`
		Current bool   `json:"current"`
	}
	var mine []session
	a.Get("/me/sessions", bearer(ann.Access)).Want(200).JSON(&mine)
	if len(mine) != 2 {
		t.Fatalf("ann has the sessions %v, want two", mine)
	}
	other := mine[slices.IndexFunc(mine, func(s session) bool { return !s.Current })].ID
	a.Do(http.MethodDelete, "/me/sessions/"+other, nil, bearer(bob.Access)).WantProblem(404, "")
	a.Get("/me", bearer(phone.Access)).Want(200)
	a.Do(http.MethodDelete, "/me/sessions/"+other, nil, bearer(ann.Access)).Want(204)
	a.Get("/me", bearer(phone.Access)).WantProblem(401, "invalid_credentials")
	a.refresh(phone.Refresh).WantProblem(400, "invalid_grant")
	a.Get("/me", bearer(ann.Access)).Want(200)
}

// Another method on the same path must not be a way around the rule.
func TestEveryMethodOfAPathHasItsRule(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	tokens := a.logIn(t, "ann")
	for _, target := range []string{"/protected_route", "/users", "/me"} {
		a.Do(http.MethodHead, target, nil).Want(401)
		if target != "/me" {
			a.Do(http.MethodHead, target, nil, bearer(tokens.Access)).Want(403)
		}
		for _, method := range []string{"PUT", "TRACE", "PROPFIND", "get", "QUERY"} {
			if got := a.Do(method, target, nil, bearer(tokens.Access)).Status; got < 400 {
				t.Errorf("%s %s: %d", method, target, got)
			}
		}
		res := a.Do(http.MethodPost, target, fastnesstest.JSON(`{}`), bearer(tokens.Access), fastnesstest.Header("X-HTTP-Method-Override", "GET"))
		if res.Status < 400 {
			t.Errorf("POST %s as GET: %d", target, res.Status)
		}
	}
	for _, target := range []string{"/users/", "//users", "/USERS", "/users/.", "/me/../users", "/users%2f", "/users;x", "/%75sers"} {
		if got := a.Get(target, bearer(tokens.Access)).Status; got == 200 {
			t.Errorf("GET %s: %d for who is no administrator", target, got)
		}
	}
}

// Tokens of the key before stay good for as long as they live; those of the next
// one are good on both servers from the first moment.
func TestRotationRefusesNoGoodToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newIdentityWorld(t, db)
		hourly := func(c *identityConfig) { c.users.RotateEvery, c.users.Algorithm = time.Hour, keyring.ES256 }
		here, there := w.start(t, hourly), w.start(t, hourly)
		here.add(t, "ann")
		tokens := here.logIn(t, "ann")
		keys := map[string]bool{}
		for minute := 0; minute < 5*60; minute += 5 {
			header, _ := decoded(t, tokens.Access)
			keys[memberOf([]byte(header), "kid")] = true
			before := tokens
			tokens = here.tokens(t, here.refresh(tokens.Refresh))
			for _, a := range []*identityApp{there, here} {
				a.Get("/protected", bearer(before.Access)).Want(200)
				a.Get("/protected", bearer(tokens.Access)).Want(200)
			}
			header, _ = decoded(t, tokens.Access)
			if published := string(there.Get("/.well-known/jwks.json").Want(200).Body); !strings.Contains(published, memberOf([]byte(header), "kid")) || strings.Contains(published, `"d":`) {
				t.Fatalf("minute %d: the published keys are %s", minute, published)
			}
			w.clock.add(5 * time.Minute)
			if t.Failed() {
				t.Fatalf("in minute %d", minute)
			}
		}
		if len(keys) < 4 {
			t.Errorf("in five hours %d keys have signed, want one each hour", len(keys))
		}
	})
}

// basicOf is a request with name and password.
func basicOf(name, password string) fastnesstest.Option {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth(name, password)
	return fastnesstest.Header("Authorization", r.Header.Get("Authorization"))
}

func TestBasicIsALogInLikeOthers(t *testing.T) {
	a := onSQLite(t, func(c *identityConfig) { c.users.BasicRealm = "shop" })
	a.add(t, "ann", "admin")
	a.add(t, "root", "admin")
	ann := a.add(t, "bob")
	a.Get("/me", basicOf("ann", goodPassword)).Want(200)
	a.Get("/protected_route", basicOf("ann", goodPassword)).WantProblem(401, "not_authenticated") // It takes tokens only.
	a.Get("/users", basicOf("ann", goodPassword)).WantProblem(401, "not_authenticated")
	for name, as := range map[string]fastnesstest.Option{"a wrong password": basicOf("ann", "guess"), "nobody": basicOf("nobody", goodPassword)} {
		if got := a.Get("/me", as).WantProblem(401, "invalid_credentials").Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Basic realm="shop"`) {
			t.Errorf("%s: the challenge is %s", name, got)
		}
	}
	if err := a.core.Accounts.Disable(t.Context(), account.By{}, ann.ID); err != nil {
		t.Fatal(err)
	}
	a.Get("/me", basicOf("bob", goodPassword)).WantProblem(401, "invalid_credentials")
	a.enrolled(t, bearer(a.logIn(t, "ann").Access))
	a.Get("/me", basicOf("ann", goodPassword)).WantProblem(401, "invalid_credentials") // A password is not enough.
	for range 10 {
		if res := a.Get("/me", basicOf("root", "guess")); res.Status == http.StatusTooManyRequests {
			if res.Header.Get("Retry-After") == "" {
				t.Error("the answer does not say when to come back")
			}
			return
		}
	}
	t.Error("ten guesses, and none was told to wait")
}

func TestCertificateIsForItsUserWhileTheyMay(t *testing.T) {
	a := onSQLite(t, func(c *identityConfig) {
		c.users.CertificateUser = func(cert *x509.Certificate) string { return cert.Subject.CommonName }
	})
	user := a.add(t, "robot")
	send := func(method, name string, verified bool, site string) *fastnesstest.Response {
		cert := &x509.Certificate{NotAfter: a.world.clock.Now().Add(time.Hour)}
		cert.Subject.CommonName = name
		r := httptest.NewRequest(method, "/me", nil)
		r.Host, r.TLS = "localhost", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		if verified {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		return a.Send(r)
	}
	if got := memberOf(send("GET", "robot", true, "").Want(200).Body, "scheme"); got != "mutualTLS" {
		t.Errorf("the scheme is %q", got)
	}
	send("GET", "robot", false, "").WantProblem(401, "not_authenticated")
	send("GET", "stranger", true, "").WantProblem(401, "invalid_credentials")
	send("GET", "", true, "").WantProblem(401, "invalid_credentials")
	if err := a.core.Accounts.Disable(t.Context(), account.By{}, user.ID); err != nil {
		t.Fatal(err)
	}
	send("GET", "robot", true, "").WantProblem(401, "invalid_credentials")
}

// What else lets a user in may be somebody else's: it goes when an administrator
// sets the password, and stays when the user does.
func TestResetTakesAwayOtherWaysIn(t *testing.T) {
	a := newIdentityWorld(t, openSQLite(t, t.TempDir()+"/users.db"))
	var reset []string
	app := a.start(t, func(c *identityConfig) {
		c.onReset = func(_ context.Context, _ *identity.Core, id string) error {
			reset = append(reset, id)
			return nil
		}
	})
	ann, bob := app.add(t, "ann"), app.add(t, "bob")
	app.add(t, "root", "admin")
	root, own := bearer(app.logIn(t, "root").Access), bearer(app.logIn(t, "ann").Access)
	app.Do("PUT", "/me/password", jsonOf(map[string]string{"current_password": goodPassword, "new_password": goodPassword + " 2"}), own).Want(204)
	app.Do("PATCH", "/users/"+ann.ID, fastnesstest.JSON(`{"roles":[]}`), root).Want(200)
	if len(reset) != 0 {
		t.Errorf("%q were reset, want nobody yet", reset)
	}
	app.Do("PATCH", "/users/"+ann.ID, jsonOf(map[string]string{"password": goodPassword + " 3"}), root).Want(200)
	app.Do("DELETE", "/users/"+bob.ID, nil, root).Want(204)
	if want := []string{ann.ID, bob.ID}; !slices.Equal(reset, want) {
		t.Errorf("%q were reset, want %q", reset, want)
	}
}
