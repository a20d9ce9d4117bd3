package identity_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/sqldb"
)

// declared returns an app with an identity whose configuration adjust has changed.
// It cannot start: there is no database.
func declared(adjust func(*identity.Config)) *fastness.App {
	roles := []string{"admin", "seller", "customer"}
	cfg := identity.Config{
		Open:    func(context.Context, fastness.Settings) (*sqldb.DB, error) { return nil, os.ErrNotExist },
		Roles:   roles,
		Clients: []identity.Client{{ID: "shop", FirstParty: true}},
	}
	if adjust != nil {
		adjust(&cfg)
	}
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: roles})
	fastness.ProvideValue(app, fastness.Settings{})
	identity.New(cfg).Declare(app)
	return app
}

func TestMistakesAreNamedAllAtOnce(t *testing.T) {
	err := declared(func(c *identity.Config) {
		*c = identity.Config{
			Roles: []string{"seller"}, Issuer: "http://shop.example/", RotateEvery: time.Minute, MinPassword: 4,
			SignUp: &identity.SignUp{Roles: []string{"admin", "god"}},
			Scopes: []identity.Scope{{Name: "two words"}, {}},
			Clients: []identity.Client{
				{ID: "a b", SecretHash: "secret", RedirectURIs: []string{"http://shop.example/back", "/back", "https://shop.example/#x"}},
				{ID: "twice"}, {ID: "twice", SecretHash: "00"}, {},
			},
		}
	}).Start(t.Context())
	for _, want := range []string{
		"Open is nil", `Administrator is "admin"`, `Issuer is "http://shop.example/"`, "RotateEvery is 1m0s", "MinPassword is 4",
		"SignUp.Roles has the role of the administrator", `SignUp.Roles has "god"`, `Scopes[0] is "two words"`, "Scopes[1]",
		`Clients[0]: ID is "a b"`, "Clients[0]: SecretHash", `redirect URI "http://shop.example/back"`, `redirect URI "/back"`, `redirect URI "https://shop.example/#x"`,
		`ID "twice" is there twice`, "Clients[2]: SecretHash", `Clients[3]: ID is ""`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestDatabaseThatDoesNotOpenStopsTheStart(t *testing.T) {
	if err := declared(nil).Start(t.Context()); err == nil || !strings.Contains(err.Error(), os.ErrNotExist.Error()) {
		t.Errorf("Start() = %v, want why the database does not open", err)
	}
}

func TestRolesOfTheAppAreThoseOfItsUsers(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"seller"}})
	identity.New(identity.Config{Roles: []string{"admin"}}).Declare(app)
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `role "admin" is not declared`) {
		t.Errorf("Start() = %v, want the role that the app does not declare", err)
	}
}

// TestWhoMayCallWhat is the whole of what a declaration adds to an app. What is
// public here is open to the world: think before you change it.
func TestWhoMayCallWhat(t *testing.T) {
	const mine, admins = "(by oauth2 or session) and scope account", "(by oauth2 or session) and role admin and scope users"
	want := map[string]string{
		"POST /token": "public", "POST /token/refresh": "public", "POST /revoke": "public", "POST /introspect": "public",
		"GET /login": "public", "GET /csrftoken/": "public", "POST /login": "public", "GET /login/style.css": "public", "POST /session": "public", "POST /sign-up": "public",
		"POST /users/first": "public", "GET /.well-known/jwks.json": "public", "GET /.well-known/oauth-authorization-server": "public",
		"POST /logout": "by oauth2 or session", "GET /me": "authenticated", "PUT /me/password": mine,
		"GET /me/sessions": mine, "DELETE /me/sessions/{session_id}": mine,
		"POST /me/second-factor": mine, "POST /me/second-factor/confirm": mine, "POST /me/second-factor/remove": mine, "POST /me/second-factor/recovery-codes": mine,
		"GET /me/api-keys": mine, "POST /me/api-keys": mine, "DELETE /me/api-keys/{key_id}": mine,
		"GET /users": admins, "POST /users": admins, "GET /users/{user_id}": admins, "PATCH /users/{user_id}": admins, "DELETE /users/{user_id}": admins,
	}
	var routes bytes.Buffer
	app := declared(func(c *identity.Config) {
		c.SignUp, c.Introspection = &identity.SignUp{Roles: []string{"customer"}}, true
	})
	if exit := app.Run(t.Context(), []string{"shop", "routes"}, &routes, &routes); exit != 0 {
		t.Fatalf("routes: exit %d\n%s", exit, routes.String())
	}
	for line := range strings.Lines(routes.String()) {
		words := strings.Fields(line)
		route := words[0] + " " + words[1]
		if words[0] == "METHOD" || strings.Contains(line, "(builtin)") {
			continue
		}
		who := strings.TrimSpace(strings.SplitN(strings.Split(line, "30s")[0], words[1], 2)[1])
		if want[route] != who {
			t.Errorf("%s: %s, want %s", route, who, want[route])
		}
		delete(want, route)
	}
	for route := range want {
		t.Errorf("%s is not declared", route)
	}
}

func TestWhatStrangersDoNotNeedIsOff(t *testing.T) {
	doc, err := declared(nil).Document()
	if err != nil {
		t.Fatal(err)
	}
	for path := range doc.Paths.All() {
		if path == "/sign-up" || path == "/introspect" {
			t.Errorf("%s is there, and nobody asked for it", path)
		}
	}
}

func TestWeakHashingIsListed(t *testing.T) {
	for _, o := range declared(func(c *identity.Config) { c.InsecureWeakHashing = "a test hashes often" }).Audit() {
		if o.Name == "InsecureWeakHashing" && o.Reason == "a test hashes often" {
			return
		}
	}
	t.Error("the audit does not list that passwords are hashed with almost no work")
}

func TestLogInLeadsToPathsOfThisSite(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/items?x=1&y=%20": "/items?x=1&y=%20", "/a/b;c=d": "/a/b;c=d",
		"": "/", "items": "/", "//evil.example": "/", `/\evil.example`: "/", `\/evil.example`: "/", "https://evil.example": "/", "javascript:alert(1)": "/",
		"/\n/evil.example": "/", "/\t/evil.example": "/", "/é": "/%C3%A9", "/#x": "/#x", "/<b>": "/%3Cb%3E", "/a/../b": "/", "/\x00": "/",
	} {
		if got := identity.OwnPath(path); got != want {
			t.Errorf("OwnPath(%q) = %q, want %q", path, got, want)
		}
	}
}

// FuzzOwnPath checks that no address leads a browser away: relative to this site,
// it is still on this site, as RFC 3986 reads it and as browsers do, which take a
// backslash for a slash and pass over tabs and line breaks.
func FuzzOwnPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil.example", `/\evil.example`, "/\t/evil.example", "/%2f/evil.example", "/..//evil.example", "///evil.example", "/@evil.example", "http:/evil"} {
		f.Add(seed)
	}
	site, err := url.Parse("https://shop.example/login")
	if err != nil {
		f.Fatal(err)
	}
	asBrowsers := strings.NewReplacer(`\`, "/", "\t", "", "\n", "", "\r", "")
	f.Fuzz(func(t *testing.T, path string) {
		got := identity.OwnPath(path)
		for _, read := range []string{got, asBrowsers.Replace(got)} {
			u, err := site.Parse(read)
			if err != nil && got != "/" { // A browser is more lenient than the standard.
				u = &url.URL{Scheme: "https", Host: "shop.example"}
			}
			if u.Scheme != "https" || u.Host != "shop.example" || strings.HasPrefix(read, "//") || !strings.HasPrefix(read, "/") {
				t.Errorf("OwnPath(%q) = %q leads to %s", path, got, u)
			}
		}
		if strings.ContainsAny(got, "\r\n\t\x00<>\"\\ ") {
			t.Errorf("OwnPath(%q) = %q, which breaks a header or a page", path, got)
		}
		if identity.OwnPath(got) != got {
			t.Errorf("OwnPath(%q) is not OwnPath of itself", path)
		}
	})
}
