package storetest

import (
	"encoding/base64"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/sqldb"
)

// onSQLite starts an app over an empty database: for attacks on what does not
// depend on the kind of database.
func onSQLite(t *testing.T, adjust func(*identityConfig)) *identityApp {
	t.Helper()
	return newIdentityWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db"))).start(t, adjust)
}

// forger signs with the app's own key, and whatever it likes.
type forger struct {
	t   *testing.T
	app *identityApp
	key *jws.Key
}

func newForger(t *testing.T, a *identityApp) forger {
	t.Helper()
	key, err := a.core.Ring.Signing(t.Context(), "access-token")
	if err != nil {
		t.Fatal(err)
	}
	return forger{t, a, key.JWS()}
}

// sign returns a token of this header and payload with a true signature.
func (f forger) sign(header, payload string) string {
	f.t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := f.key.Sign([]byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// issue returns a token as the app's own issuer makes them, but for what adjust
// changes.
func (f forger) issue(claims token.Claims, adjust func(*token.IssuerConfig)) string {
	f.t.Helper()
	keys, err := f.app.core.Ring.Tokens("access-token")
	if err != nil {
		f.t.Fatal(err)
	}
	cfg := token.IssuerConfig{Issuer: f.app.core.Issuer, Audience: f.app.core.Issuer, Signer: keys, Now: f.app.world.clock.Now}
	if adjust != nil {
		adjust(&cfg)
	}
	issuer, err := token.NewIssuer(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	text, _, err := issuer.Issue(f.t.Context(), claims)
	if err != nil {
		f.t.Fatal(err)
	}
	f.app.world.printed.plant(text)
	return text
}

// decoded returns header and payload of a token.
func decoded(t *testing.T, text string) (header, payload string) {
	t.Helper()
	parts := strings.Split(text, ".")
	for i, into := range []*string{&header, &payload} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		*into = string(data)
	}
	return header, payload
}

// badTokens are one token of each kind of attack. Package token has each kind in
// detail; here it matters that they all end in the same answer.
func badTokens(t *testing.T, a *identityApp) map[string]string {
	t.Helper()
	user := a.add(t, "ann", "admin")
	good, other := a.logIn(t, "ann"), a.logIn(t, "ann")
	f := newForger(t, a)
	header, payload := decoded(t, good.Access)
	head := func(old, with string) string { return f.sign(strings.Replace(header, old, with, 1), payload) }
	load := func(old, with string) string { return f.sign(header, strings.Replace(payload, old, with, 1)) }
	a.Get("/protected_route", bearer(f.sign(header, payload))).Want(200) // What is refused below has one reason.
	claims := token.Claims{Subject: user.ID, Client: "shop", Epoch: user.Epoch, Roles: auth.SetOf("admin")}
	session := strings.Split(strings.Split(payload, `"sid":"`)[1], `"`)[0]
	claims.Session = session
	stranger, err := jws.Generate("EdDSA", f.key.ID())
	if err != nil {
		t.Fatal(err)
	}
	public, err := f.key.PublicJWK()
	if err != nil {
		t.Fatal(err)
	}
	confused, err := jws.NewSecret("HS256", f.key.ID(), public)
	if err != nil {
		t.Fatal(err)
	}
	nobody := claims
	nobody.Subject = "NOBODYNOBODYNOBODYNOBODYNO"
	noSession := claims
	noSession.Session = "NOSESSIONNOSESSIONNOSESSIO"
	return map[string]string{
		"29 no algorithm":               unsigned(good.Access),
		"29 another spelling of none":   strings.Replace(unsigned(good.Access), base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"`))[:8], base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"nOnE"`))[:8], 1),
		"30 the public key as secret":   forger{t, a, confused}.sign(strings.Replace(header, "EdDSA", "HS256", 1), payload),
		"31 a signature cut by a byte":  good.Access[:len(good.Access)-2],
		"32 a key in the header":        head(`{`, `{"jwk":`+string(public)+`,`),
		"32 an address of keys":         head(`{`, `{"jku":"http://127.0.0.1:1/keys",`),
		"33 a path as key id":           head(f.key.ID(), `../../dev/null`),
		"33 SQL as key id":              head(f.key.ID(), `' OR 1=1 --`),
		"33 no key id":                  head(`"kid":"`+f.key.ID()+`"`, `"kid":null`),
		"34 an unknown extension":       head(`{`, `{"crit":["exp"],`),
		"35 a claim twice":              load(`{`, `{"sub":"`+user.ID+`",`),
		"36 an end that is text":        load(`"exp":`, `"exp":"never","was":`),
		"36 no end":                     load(`"exp":`, `"was":`),
		"36 an expired one":             f.issue(claims, func(c *token.IssuerConfig) { c.Now = func() time.Time { return a.world.clock.Now().Add(-time.Hour) } }),
		"37 for another audience":       f.issue(claims, func(c *token.IssuerConfig) { c.Audience += ".evil.example" }),
		"37 of another issuer":          f.issue(claims, func(c *token.IssuerConfig) { c.Issuer += "/" }),
		"38 a refresh token":            other.Refresh,
		"38 another kind of token":      head(`at+jwt`, `JWT`),
		"38 a session cookie":           a.browser(t, "ann").Value,
		"39 padding":                    good.Access + "=",
		"40 four parts":                 good.Access + ".e30",
		"40 a very long one":            good.Access + strings.Repeat("A", 9<<10),
		"41 an encrypted one":           base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"zip":"DEF"}`)) + ".AA.AA.AA.AA",
		"42 signed by a stranger":       forger{t, a, stranger}.sign(header, payload),
		"43 of a user who never was":    f.issue(nobody, nil),
		"43 of a log-in that never was": f.issue(noSession, nil),
		"43 of an earlier epoch":        load(`"ver":`, `"ver":0,"was":`),
	}
}

func TestEachKindOfBadTokenGetsTheSame401(t *testing.T) {
	a := onSQLite(t, nil)
	const body = `{"title":"Unauthorized","status":401,"detail":"Invalid authentication credentials","code":"invalid_credentials"`
	for name, text := range badTokens(t, a) {
		res := a.Get("/protected_route", bearer(text)).WantProblem(401, "invalid_credentials").WantHeader("WWW-Authenticate", `Bearer error="invalid_token"`)
		if got := string(res.Body); strings.Split(got, `,"instance"`)[0] != body {
			t.Errorf("%s: %s, want what all get", name, got)
		}
		if t.Failed() {
			t.Fatalf("%s is told from others", name)
		}
	}
}

func TestTokensOfWhoMayNoMoreAreRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := newIdentityWorld(t, db).start(t, nil)
		ctx, by := t.Context(), account.By{}
		a.add(t, "root", "admin")
		for name, tt := range map[string]struct {
			do          func(id string) error
			after, then int // of a route for everybody, of one for administrators
		}{
			"disabled":   {func(id string) error { return a.core.Accounts.Disable(ctx, by, id) }, 401, 401},
			"deleted":    {func(id string) error { return a.core.Accounts.Delete(ctx, by, id) }, 401, 401},
			"locked":     {func(id string) error { return a.core.Accounts.Lock(ctx, by, id, a.world.clock.Now().Add(time.Hour)) }, 401, 401},
			"demoted":    {func(id string) error { return a.core.Accounts.SetRoles(ctx, by, id, auth.SetOf("seller")) }, 200, 403},
			"logged-out": {func(id string) error { return a.core.Accounts.LogOutEverywhere(ctx, by, id) }, 401, 401},
		} {
			user := a.add(t, name, "admin")
			tokens, cookie := a.logIn(t, name), a.browser(t, name)
			a.Get("/protected_route", bearer(tokens.Access)).Want(200)
			a.Get("/me", carrying(cookie)).Want(200)
			if err := tt.do(user.ID); err != nil {
				t.Fatal(err)
			}
			a.Get("/protected", bearer(tokens.Access)).Want(tt.after)
			a.Get("/protected_route", bearer(tokens.Access)).Want(tt.then)
			a.Get("/me", carrying(cookie)).Want(tt.after)
			refreshed := 400
			if tt.after == 200 {
				refreshed = 200
			}
			if res := a.refresh(tokens.Refresh).Want(refreshed); res.Status == 200 {
				next := a.tokens(t, res)
				a.Get("/protected_route", bearer(next.Access)).Want(tt.then)
			}
			if t.Failed() {
				t.Fatalf("the user was %s", name)
			}
		}
	})
}

func TestTwoCredentialsAreRefused(t *testing.T) {
	a := onSQLite(t, nil)
	a.add(t, "ann")
	tokens, cookie := a.logIn(t, "ann"), a.browser(t, "ann")
	key := a.Post("/me/api-keys", jsonOf(map[string]any{"name": "robot", "days": 1}), bearer(tokens.Access)).Want(201)
	text := memberOf(key.Body, "key")
	a.world.printed.plant(text)
	asKey, basic := fastnesstest.Header("X-API-Key", text), fastnesstest.Header("Authorization", "Basic YW5uOng=")
	a.Get("/me", asKey).Want(200)
	a.Get("/me", asKey, bearer(tokens.Access)).WantProblem(400, "ambiguous_credentials")
	a.Get("/me", asKey, asKey).WantProblem(400, "ambiguous_credentials")
	a.Get("/me", basic, bearer(tokens.Access)).WantProblem(400, "ambiguous_credentials")
	a.Get("/me", bearer(tokens.Access), bearer(tokens.Access)).WantProblem(400, "ambiguous_credentials")
	a.Get("/me", carrying(cookie), carrying(cookie)).WantProblem(400, "ambiguous_credentials")
	// A browser adds its cookie by itself: what somebody wrote down counts.
	if got := memberOf(a.Get("/me", carrying(cookie), bearer(tokens.Access)).Want(200).Body, "scheme"); got != "oauth2" {
		t.Errorf("with cookie and token the scheme is %q", got)
	}
	a.Get("/me", carrying(cookie), bearer("bad")).WantProblem(401, "invalid_credentials")
}

// A limit of 72 bytes, a cut at NUL or a normal form would make two passwords one.
func TestPasswordsAreComparedWhole(t *testing.T) {
	a := onSQLite(t, nil)
	head := strings.Repeat("seventy-two bytes and more ", 3)[:72]
	for i, tt := range []struct{ name, right, wrong string }{
		{"the 73rd byte", head + "a", head + "b"},
		{"no 73rd byte", head + "a", head},
		{"64 characters", strings.Repeat("phrase, ", 8), strings.Repeat("phrase, ", 7) + "Phrase, "},
		{"what people draw", "🔐🔑🏰🗝️🛡️⚔️🧱🪨🚪🕯️🐉🏹", "🔐🔑🏰🗝️🛡️⚔️🧱🪨🚪🕯️🐉"},
		{"a space before", " a phrase of twelve", "a phrase of twelve"},
		{"two ways to write é", "caf\u00e9 at twelve o'clock", "cafe\u0301 at twelve o'clock"},
	} {
		user := []string{"u0", "u1", "u2", "u3", "u4", "u5"}[i]
		a.world.printed.plant(tt.right, tt.wrong)
		a.Post("/sign-up", jsonOf(map[string]any{"name": user, "password": tt.right})).Want(201)
		a.Post("/token", passwordForm(user, "password", tt.wrong)).WantProblem(401, "invalid_credentials")
		a.tokens(t, a.Post("/token", passwordForm(user, "password", tt.right)))
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
	const withNUL = "before the byte\x00and after it"
	a.Post("/sign-up", jsonOf(map[string]any{"name": "u6", "password": withNUL})).Want(201)
	a.Post("/token", passwordForm("u6", "password", "before the byte")).WantProblem(401, "invalid_credentials")
	a.tokens(t, a.Post("/token", passwordForm("u6", "password", withNUL)))
}

// Two apps over one database are two servers of one API. Each has what it knows in
// memory, and forgets it in time.
func TestWhatIsTakenOnOneServerIsGoneOnTheOther(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newIdentityWorld(t, db)
		here, there := w.start(t, nil), w.start(t, nil)
		ctx, by := t.Context(), account.By{}
		here.add(t, "root", "admin")
		for name, tt := range map[string]struct {
			do    func(a *identityApp, u *account.Account, tokens tokensOf) error
			after int
		}{
			"disabled": {func(a *identityApp, u *account.Account, _ tokensOf) error {
				return a.core.Accounts.Disable(ctx, by, u.ID)
			}, 401},
			"demoted": {func(a *identityApp, u *account.Account, _ tokensOf) error {
				return a.core.Accounts.SetRoles(ctx, by, u.ID, auth.SetOf())
			}, 403},
			"logged-out": {func(a *identityApp, _ *account.Account, tokens tokensOf) error {
				a.Post("/logout", nil, bearer(tokens.Access)).Want(http.StatusNoContent)
				return nil
			}, 401},
			"everywhere": {func(a *identityApp, _ *account.Account, tokens tokensOf) error {
				a.Post("/logout", fastnesstest.JSON(`{"everywhere":true}`), bearer(tokens.Access)).Want(http.StatusNoContent)
				return nil
			}, 401},
		} {
			user := here.add(t, name, "admin")
			tokens := here.logIn(t, name)
			for _, a := range []*identityApp{here, there} {
				a.Get("/protected_route", bearer(tokens.Access)).Want(200)
			}
			if err := tt.do(here, user, tokens); err != nil {
				t.Fatal(err)
			}
			here.Get("/protected_route", bearer(tokens.Access)).Want(tt.after) // At once.
			w.clock.add(5 * time.Second)
			there.Get("/protected_route", bearer(tokens.Access)).Want(tt.after)
			if t.Failed() {
				t.Fatalf("the user was %s", name)
			}
		}
	})
}

func TestRevokedKeyIsGoneOnBothServers(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newIdentityWorld(t, db)
		here, there := w.start(t, nil), w.start(t, nil)
		here.add(t, "ann")
		tokens, cookie := here.logIn(t, "ann"), here.browser(t, "ann")
		for _, a := range []*identityApp{here, there} {
			a.Get("/protected", bearer(tokens.Access)).Want(200) // And is remembered from here on.
		}
		key := newForger(t, here).key.ID()
		if err := here.core.Ring.Revoke(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		here.Get("/protected", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
		w.clock.add(5 * time.Second)
		there.Get("/protected", bearer(tokens.Access)).WantProblem(401, "invalid_credentials")
		for _, a := range []*identityApp{here, there} {
			if strings.Contains(string(a.Get("/.well-known/jwks.json").Body), key) {
				t.Error("the revoked key is published")
			}
			a.Get("/me", carrying(cookie)).Want(200) // Another purpose, another key.
		}
		next := there.tokens(t, there.refresh(tokens.Refresh))
		here.Get("/protected", bearer(next.Access)).Want(200)
		there.Get("/protected", bearer(next.Access)).Want(200)
	})
}
