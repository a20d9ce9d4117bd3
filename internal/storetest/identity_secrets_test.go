package storetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// canaries are secrets that can be told from each other and from all else.
type canaries struct {
	world *identityWorld
	n     int
}

func (c *canaries) next() string {
	c.n++
	text := fmt.Sprintf("canary-%03d-sings-in-the-mine", c.n)
	c.world.printed.plant(text)
	return text
}

// TestSecretsAreNowhereInClear plants secrets wherever a request can have them, in
// requests that are right and in all kinds that are not, and in what fails and
// panics. The transcript of every test here is searched; this one gives it most to
// find.
func TestSecretsAreNowhereInClear(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newIdentityWorld(t, db)
		b := w.build(t, func(c *identityConfig) {
			machines(c)
			w.printed.plant(tillSecret, partnerSecret)
		})
		b.declareLeaks()
		b.API = fastnesstest.New(t, b.app)
		b.Get("/core").Want(http.StatusNoContent)
		b.add(t, "ann", "admin")
		c := &canaries{world: w}
		b.plantCredentials(c)
		b.plantForms(c)
		b.plantBodies(c)
		b.plantWhatIsKept(t, c)
		if c.n < 60 {
			t.Errorf("%d canaries were sent: the test is smaller than it was", c.n)
		}
		w.plantKeys(t, b)
	})
}

// declareLeaks declares operations that fail with all they know.
func (a *identityApp) declareLeaks() {
	type input struct {
		Body struct {
			Password secret.Text `json:"password"`
			Mode     string      `json:"mode"`
		}
	}
	fastness.Post(a.app, "/leak", func(_ context.Context, in input) (fastness.NoContent, error) {
		text := fmt.Sprintf("%v %+v %#v %s %q", in, in, in, in.Body.Password, in.Body.Password)
		switch in.Body.Mode {
		case "error":
			return fastness.NoContent{}, errors.New(text)
		case "panic":
			panic(text)
		case "value":
			panic(in)
		}
		return fastness.NoContent{}, fmt.Errorf("the password %w", errors.New(in.Body.Password.String()))
	}, access.Public)
}

// plantCredentials sends secrets as credentials that are none.
func (a *identityApp) plantCredentials(c *canaries) {
	for _, target := range []string{"/me", "/protected", "/users", "/panic", "/nowhere"} {
		for _, option := range []fastnesstest.Option{
			bearer(c.next()), bearer(c.next() + " " + c.next()), asClient(c.next(), c.next()), fastnesstest.Header("Authorization", c.next()),
			fastnesstest.Header("X-API-Key", c.next()), fastnesstest.Header("X-API-Key", "fast_"+c.next()),
			fastnesstest.Cookie("__Host-session", c.next()), fastnesstest.Cookie("other", c.next()),
		} {
			a.Get(target, option)
			a.Post(target, fastnesstest.JSON(`{}`), option)
		}
		a.Get(target + "?access_token=" + c.next() + "&password=" + c.next() + "&api_key=" + c.next())
	}
	a.Get("/me", fastnesstest.Header("Cookie", "__Host-session="+c.next()+"; __Host-session="+c.next()))
	for _, r := range []*http.Request{httptest.NewRequest("GET", "/me", nil), httptest.NewRequest("POST", "/token", nil)} {
		r.Header["Authorization"] = []string{"Bearer " + c.next(), "Basic " + c.next()}
		a.Send(r)
	}
}

// plantForms sends secrets in forms, where they belong and where they do not.
func (a *identityApp) plantForms(c *canaries) {
	for _, target := range []string{"/token", "/token/refresh", "/revoke", "/introspect", "/login"} {
		post := func(body any) { a.Post(target, body, append(a.withToken(), ownPage())...) }
		a.Post(target, passwordForm(c.next(), "password", c.next()), ownPage()) // A log-in without a token.
		fields := url.Values{"client_id": {"till"}}
		for _, name := range []string{"username", "password", "otp", "refresh_token", "client_secret", "token", "token_type_hint", "scope", "grant_type", "next"} {
			fields.Set(name, c.next())
			post(url.Values{name: {c.next()}})
			post(url.Values{name: {c.next(), c.next()}})
			post(url.Values{name: {c.next() + strings.Repeat("x", 9000)}})
			post(fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte(name + "=" + c.next() + "%zz")})
		}
		post(fields)
		post(fastnesstest.Raw{ContentType: "text/plain", Body: []byte(c.next())})
		post(fastnesstest.Multipart(fastnesstest.File("password", c.next(), []byte(c.next()))))
	}
	// People type their password into the field for the name, and the other way round.
	a.Post("/token", url.Values{"username": {c.next()}, "password": {"ann"}})
	a.Post("/token", passwordForm("ann", "password", c.next(), "otp", c.next()))
	a.Post("/token", passwordForm("ann", "client_id", "till", "client_secret", c.next()))
	a.Post("/token", passwordForm("ann"), asClient("till", c.next()))
}

// plantBodies sends secrets in JSON that is right, wrong and none.
func (a *identityApp) plantBodies(c *canaries) {
	token := memberOf(a.Post("/token", passwordForm("ann")).Body, "access_token")
	a.world.printed.plant(token)
	for target, names := range map[string][]string{
		"/session": {"username", "password", "otp"}, "/sign-up": {"name", "password"}, "/users/first": {"name", "password", "token"},
		"/me/password": {"current_password", "new_password"}, "/me/second-factor": {"password"}, "/me/second-factor/confirm": {"code"},
		"/me/second-factor/remove": {"password", "code"}, "/users": {"name", "password"}, "/leak": {"password"},
	} {
		method := http.MethodPost
		if target == "/me/password" {
			method = http.MethodPut
		}
		send := func(body string) { a.Do(method, target, fastnesstest.JSON(body), bearer(token), ownPage()) }
		whole := map[string]string{}
		for _, name := range names {
			whole[name] = c.next()
			if name == "name" { // Which is no secret once there is an account of it.
				whole[name] = fmt.Sprint("user", c.n)
			}
			send(`{"` + name + `":"` + c.next() + `"}`)       // Alone.
			send(`{"` + name + `":"` + c.next())              // Cut off.
			send(`{"` + name + `":["` + c.next() + `"]}`)     // Of another type.
			send(`{"` + name + `":"` + c.next() + `\ud800"}`) // Half a character.
			send(`{"` + name + `":"` + c.next() + `","` + name + `":"` + c.next() + `"}`)
			send(`{"` + name + `":"` + c.next() + strings.Repeat("x", 5000) + `"}`)
		}
		send(string(jsonOf(whole)))
		send(`"` + c.next() + `"`)
	}
	for _, mode := range []string{"error", "panic", "value", "wrapped"} {
		a.Post("/leak", jsonOf(map[string]string{"password": c.next(), "mode": mode})).Want(500)
	}
	a.Get("/panic", bearer(token)).Want(500)
}

// plantWhatIsKept makes everything that is stored: what is secret of it must not
// be in the database as it is.
func (a *identityApp) plantWhatIsKept(t *testing.T, c *canaries) {
	t.Helper()
	password := c.next()
	a.Post("/sign-up", jsonOf(map[string]string{"name": "bob", "password": password})).Want(201)
	tokens := a.logIn(t, "bob", "password", password)
	a.refresh(tokens.Refresh, "client_id", "shop")
	a.refresh(tokens.Refresh, "client_id", "shop").Want(400)
	a.browser(t, "ann")
	ann := a.logIn(t, "ann")
	a.apiKey(t, `{"name":"robot"}`, bearer(ann.Access))
	a.enrolled(t, bearer(ann.Access))
	a.world.bootstrapTokenIfAny(t)
}

// bootstrapTokenIfAny plants the token of the first administrator.
func (w *identityWorld) bootstrapTokenIfAny(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.folder, "first-administrator.token"))
	if err != nil {
		t.Fatal(err)
	}
	w.printed.plant(strings.TrimSpace(string(text)))
}

// plantKeys plants the master key and the private keys below it.
func (w *identityWorld) plantKeys(t *testing.T, a *identityApp) {
	t.Helper()
	master, err := os.ReadFile(filepath.Join(w.folder, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(master)) {
		if line = strings.TrimSpace(line); len(line) >= 40 {
			w.printed.plant(line)
		}
	}
	private, err := newForger(t, a).key.MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	encoded := memberOf(private, "key")
	der, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(der) < 32 {
		t.Fatalf("the private key has %d bytes: %v", len(der), err)
	}
	w.printed.plant(encoded, string(der), string(der[len(der)-32:])) // Of Ed25519, the last 32 are the key.
}

// A database file holds more than its rows: pages that were freed, and the log of
// what was written last.
func TestDatabaseFilesHoldNoSecret(t *testing.T) {
	folder := t.TempDir()
	w := newIdentityWorld(t, openSQLite(t, filepath.Join(folder, "test.db")))
	a := w.start(t, nil)
	a.add(t, "ann")
	c := &canaries{world: w}
	for i := range 5 {
		password, name := c.next(), fmt.Sprint("user", i)
		a.Post("/sign-up", jsonOf(map[string]string{"name": name, "password": password})).Want(201)
		tokens := a.logIn(t, name, "password", password)
		a.apiKey(t, `{"name":"robot"}`, bearer(tokens.Access))
		a.Post("/logout", fastnesstest.JSON(`{"everywhere":true}`), bearer(tokens.Access)).Want(204)
	}
	a.enrolled(t, a.fromPage(a.browser(t, "ann"))...)
	w.plantKeys(t, a)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		size += len(data)
		w.printed.search(t, f.Name(), data)
	}
	if size < 100<<10 {
		t.Errorf("the files have %d bytes: they are not those of the database", size)
	}
}

// What commands print is read over shoulders, and kept in terminals.
func TestCommandsPrintNoSecret(t *testing.T) {
	w := newIdentityWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db")))
	a := w.start(t, nil)
	a.add(t, "ann", "admin")
	tokens := a.logIn(t, "ann")
	a.apiKey(t, `{"name":"robot"}`, bearer(tokens.Access))
	a.enrolled(t, bearer(tokens.Access))
	w.plantKeys(t, a)
	for command, want := range map[string]string{
		"users list": "ann", "keys list": "access-token", "events list": "authn_login_success", "events verify": "", "keys rotate": "signs from",
		"users disable ann": "", "users role nobody admin": "", "settings": "master-key", "routes": "/token", "audit": "InsecureWeakHashing",
	} {
		var out bytes.Buffer
		args := append([]string{"shop"}, strings.Fields(command)...)
		if command != "routes" && command != "audit" {
			args = append(args, "--data", w.folder)
		}
		w.build(t, nil).app.Run(t.Context(), args, &out, w.printed)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s prints %s, want %q in it", command, out.String(), want)
		}
		fmt.Fprintln(w.printed, out.String())
	}
}

// A key that does not fit must not be in the message that says so.
func TestWrongMasterKeyIsNotShown(t *testing.T) {
	w := newIdentityWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db")))
	w.start(t, nil)
	path := filepath.Join(w.folder, "master.key")
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.key")
	if err := keyring.CreateKEK(other); err != nil {
		t.Fatal(err)
	}
	another, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"another key": string(another), "a part": string(right[:len(right)/2]), "no key": "a-secret-of-somebody-else-in-the-wrong-file", "nothing": "",
	} {
		w.printed.plant(strings.TrimSpace(content))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := w.build(t, nil).app.Start(t.Context())
		if err == nil {
			t.Fatalf("with %s in the place of the master key the app starts", name)
		}
		fmt.Fprintln(w.printed, err)
	}
}

// reports is a test that counts what it is told.
type reports struct {
	testing.TB
	n int
}

func (r *reports) Helper()               {}
func (r *reports) Errorf(string, ...any) { r.n++ }

// What the search cannot find proves nothing.
func TestSearchFindsWhatLeaks(t *testing.T) {
	p := &transcript{secrets: map[string]bool{}}
	p.plant("a secret of 22 letters")
	for text, want := range map[string]int{
		"nothing": 0, "a secret of 22 apples": 0, `msg="a secret of 22 letters"`: 1, "q=a+secret+of+22+letters": 1,
		"YSBzZWNyZXQgb2YgMjIgbGV0dGVycw==": 1, "[97 32 115 101 99 114 101 116 32 111 102 32 50 50 32 108 101 116 116 101 114 115]": 1,
		"6120736563726574206f66203232206c657474657273": 1,
	} {
		r := &reports{TB: t}
		if p.search(r, "a text", []byte(text)); r.n != want {
			t.Errorf("in %q the search finds %d, want %d", text, r.n, want)
		}
	}
}
