package clienttest_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/oidc"
	"github.com/fastness/fastness/secret"
)

// newcomer makes an account for everybody who comes.
func newcomer(_ context.Context, who oidc.Stranger) (account.New, error) {
	if who.Subject == "unwanted" {
		return account.New{}, errors.New("who is that")
	}
	return account.New{Name: "acme." + strings.ToLower(who.Subject[:5]), Roles: auth.SetOf("customer")}, nil
}

// TestOneAppLogsInWithAnother has the log-in meet the server of this package.
func TestOneAppLogsInWithAnother(t *testing.T) {
	here, there := listen(t), listen(t)
	callback := issuerAt(here) + "/login/acme/callback"
	acme := newWorldAt(t, there, func(o *options) {
		o.users.Clients = []identity.Client{{ID: "here", Name: "Here", RedirectURIs: []string{callback}}}
	})
	w := newWorldAt(t, here, func(o *options) {
		o.login = oidc.LoginConfig{
			Name: "acme", Label: "Come from <Acme>", Issuer: issuerAt(there), ClientID: "here", Scopes: []string{"profile"}, Register: newcomer,
			Client: &http.Client{Transport: acme.transport(t)},
		}
	})
	b, other := w.newBrowser(t), acme.newBrowser(t) // One browser: cookies do not know ports.
	if page := b.get(t, w.issuer+"/login?next=/whoami"); !strings.Contains(page.body, `href="/login/acme?next=`) || !strings.Contains(page.body, "Come from &lt;Acme&gt;") {
		t.Errorf("the page to log in does not lead to the other issuer:\n%s", page.body)
	}
	away := b.get(t, w.issuer+"/login/acme?next=/whoami").want(t, http.StatusSeeOther)
	page := other.logIn(t, other.get(t, away.header.Get("Location")), "ada")
	back := other.submit(t, page, "/oauth/consent", "decision", "allow").want(t, http.StatusSeeOther)
	first := b.get(t, back.header.Get("Location")).want(t, http.StatusOK)
	if first.at.Path != "/whoami" {
		t.Errorf("the log-in ends at %s", first.at)
	}
	// The answer is good once, and the next log-in is of the same user.
	b.get(t, back.header.Get("Location")).want(t, http.StatusForbidden)
	b = w.newBrowser(t)
	away = b.get(t, w.issuer+"/login/acme?next=/whoami")
	page = other.get(t, away.header.Get("Location"))
	back = other.submit(t, page, "/oauth/consent", "decision", "allow")
	if second := b.get(t, back.header.Get("Location")).want(t, http.StatusOK); second.body != first.body {
		t.Errorf("the second log-in is %s, the first was %s", second.body, first.body)
	}
}

// fake is a provider that says what a test wants.
type fake struct {
	*httptest.Server
	key    ed25519.PrivateKey
	nonce  string
	claims map[string]any // over what is right
	header string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{key: key}
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"issuer": f.URL, "authorization_endpoint": f.URL + "/authorize", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		public, _ := key.Public().(ed25519.PublicKey)
		reply(w, map[string]any{"keys": []any{map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "x": base64URL(public)}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code_verifier") == "" || r.FormValue("code") != "the code" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		reply(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": f.token()})
	})
	f.Server = httptest.NewTLSServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) token() string {
	claims := map[string]any{
		"iss": f.URL, "aud": "here", "sub": "subject", "nonce": f.nonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	maps.Copy(claims, f.claims)
	payload, _ := json.Marshal(claims)
	header := f.header
	if header == "" {
		header = `{"alg":"EdDSA","kid":"1","typ":"JWT"}`
	}
	text := base64URL([]byte(header)) + "." + base64URL(payload)
	return text + "." + base64URL(ed25519.Sign(f.key, []byte(text)))
}

func (f *fake) world(t *testing.T, register func(context.Context, oidc.Stranger) (account.New, error)) *world {
	t.Helper()
	return newWorld(t, func(o *options) {
		o.login = oidc.LoginConfig{Name: "acme", Issuer: f.URL, ClientID: "here", Register: register, Client: f.Client()}
	})
}

// leave begins a log-in and returns what the provider was asked.
func (f *fake) leave(t *testing.T, b *browser, path string) url.Values {
	t.Helper()
	away := b.get(t, b.issuer+path).want(t, http.StatusSeeOther)
	u, err := url.Parse(away.header.Get("Location"))
	if err != nil || !strings.HasPrefix(u.String(), f.URL+"/authorize?") {
		t.Fatalf("the log-in leads to %s, %v", u, err)
	}
	f.nonce = u.Query().Get("nonce")
	return u.Query()
}

func back(b *browser, state string, with ...string) string {
	q := url.Values{"code": {"the code"}, "state": {state}}
	set(q, with)
	return b.issuer + "/login/acme/callback?" + q.Encode()
}

// lastFailure returns the details of the last log-in that failed.
func (w *world) lastFailure(t *testing.T) string {
	t.Helper()
	found, err := w.core.Events.List(t.Context(), auditlog.Query{Name: "authn_login_fail", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return ""
	}
	return string(found[0].Details)
}

func TestAForgedAnswerLogsNobodyIn(t *testing.T) {
	f := newFake(t)
	w := f.world(t, newcomer)
	for _, tt := range []struct {
		name   string
		claims map[string]any
		header string
		with   []string
		status int
		reason string // in the log of events; "" if the answer is not for this browser
	}{
		{name: "the right answer", status: http.StatusOK},
		{name: "one that names its issuer", with: []string{"iss", f.URL}, status: http.StatusOK},
		{name: "another issuer's answer", reason: "another issuer", with: []string{"iss", "https://evil.example"}},
		{name: "another state", reason: "", with: []string{"state", strings.Repeat("A", 43)}},
		{name: "no state", reason: "", with: []string{"state", ""}},
		{name: "another code", reason: "code of acme", with: []string{"code", "another"}},
		{name: "no code", reason: "refused", with: []string{"code", ""}},
		{name: "a refusal", reason: "refused", with: []string{"error", "access_denied"}},
		{name: "another nonce", reason: "nonce differs", claims: map[string]any{"nonce": "another"}},
		{name: "no nonce", reason: "nonce differs", claims: map[string]any{"nonce": ""}},
		{name: "another issuer", reason: "issued by a different provider", claims: map[string]any{"iss": "https://evil.example"}},
		{name: "an issuer with a slash", reason: "issued by a different provider", claims: map[string]any{"iss": f.URL + "/"}},
		{name: "another client", reason: "audience", claims: map[string]any{"aud": "there"}},
		{name: "another client's party", reason: "another client", claims: map[string]any{"azp": "there"}},
		{name: "two audiences and no party", reason: "another client", claims: map[string]any{"aud": []string{"here", "there"}}},
		{name: "expired", reason: "expired", claims: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}},
		{name: "no subject", reason: "no subject", claims: map[string]any{"sub": ""}},
		{name: "a subject that no database takes", reason: "no subject", claims: map[string]any{"sub": "a\x00b"}},
		{name: "no signature", reason: "ID token of acme", header: `{"alg":"none"}`},
		{name: "a key that others have", reason: "ID token of acme", header: `{"alg":"HS256","kid":"1"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := w.newBrowser(t)
			f.claims, f.header = tt.claims, tt.header
			asked := f.leave(t, b, "/login/acme?next=/whoami")
			if asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != w.issuer+"/login/acme/callback" {
				t.Errorf("asked %v", asked)
			}
			want := tt.status
			if want == 0 {
				want = http.StatusForbidden
			}
			b.get(t, back(b, asked.Get("state"), tt.with...)).want(t, want)
			if tt.status == 0 {
				b.get(t, w.issuer+"/whoami").wantToLogIn(t)
				if got := w.lastFailure(t); !strings.Contains(got, tt.reason) {
					t.Errorf("refused because of %s, want %q", got, tt.reason)
				}
			}
		})
	}
}

// TestNobodyIsLoggedInAsSomebodyElse: the attacker begins a log-in and has the
// victim's browser end it.
func TestNobodyIsLoggedInAsSomebodyElse(t *testing.T) {
	f := newFake(t)
	w := f.world(t, newcomer)
	attacker, victim := w.newBrowser(t), w.newBrowser(t)
	state := f.leave(t, attacker, "/login/acme").Get("state")
	victim.get(t, back(victim, state)).want(t, http.StatusForbidden)
	f.leave(t, victim, "/login/acme")
	victim.get(t, back(victim, state)).want(t, http.StatusForbidden)
	victim.get(t, w.issuer+"/whoami").wantToLogIn(t)
}

func TestALogInStaysOnThisSite(t *testing.T) {
	f := newFake(t)
	w := f.world(t, newcomer)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "evil.example"} {
		b := w.newBrowser(t)
		state := f.leave(t, b, "/login/acme?next="+url.QueryEscape(next)).Get("state")
		if got := b.get(t, back(b, state)); got.at.Host != strings.TrimPrefix(w.issuer, "https://") || got.at.Path != "/" {
			t.Errorf("next %q: at %s", next, got.at)
		}
	}
}

// TestAnAccountIsNeverFoundByAddress: the provider says that the stranger has ada's
// name and address, and who has no link has no account.
func TestAnAccountIsNeverFoundByAddress(t *testing.T) {
	f := newFake(t)
	w := f.world(t, nil)
	f.claims = map[string]any{"name": "ada", "preferred_username": "ada", "email": "ada", "email_verified": true, "sub": w.users["ada"]}
	b := w.newBrowser(t)
	state := f.leave(t, b, "/login/acme").Get("state")
	b.get(t, back(b, state)).want(t, http.StatusForbidden)
}

func TestALinkIsTiedByItsOwner(t *testing.T) {
	f := newFake(t)
	w := f.world(t, nil)
	b := w.loggedIn(t, "ada")

	// Neither a link on another site nor its form ties anything.
	b.get(t, w.issuer+"/login/acme?link=true").want(t, http.StatusForbidden)
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site", "X-CSRF-Token", b.token(t)}, {"Sec-Fetch-Site", ""}, {"X-CSRF-Token", w.loggedIn(t, "ada").token(t)}} {
		b.post(t, w.issuer+"/login/acme/link", nil, headers...).want(t, http.StatusForbidden)
	}
	w.newBrowser(t).post(t, w.issuer+"/login/acme/link", nil).want(t, http.StatusUnauthorized)

	link := func(b *browser) *page {
		away := b.post(t, w.issuer+"/login/acme/link", url.Values{"next": {"/whoami"}}).want(t, http.StatusSeeOther)
		u, err := url.Parse(away.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		f.nonce = u.Query().Get("nonce")
		return b.get(t, back(b, u.Query().Get("state")))
	}
	whoami := link(b).want(t, http.StatusOK).body
	if !strings.Contains(whoami, w.users["ada"]) {
		t.Errorf("linked as %s", whoami)
	}
	stranger := w.newBrowser(t)
	state := f.leave(t, stranger, "/login/acme?next=/whoami").Get("state")
	if got := stranger.get(t, back(stranger, state)).want(t, http.StatusOK); got.body != whoami {
		t.Errorf("logged in as %s, want %s", got.body, whoami)
	}
	link(w.loggedIn(t, "bob")).want(t, http.StatusConflict)

	// Who logs in after the link was asked for does not get it.
	f.claims = map[string]any{"sub": "another"}
	shared := w.loggedIn(t, "ada")
	away := shared.post(t, w.issuer+"/login/acme/link", nil).want(t, http.StatusSeeOther)
	u, err := url.Parse(away.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	f.nonce = u.Query().Get("nonce")
	shared.logIn(t, shared.get(t, w.issuer+"/login?next=/core"), "bob")
	shared.get(t, back(shared, u.Query().Get("state"))).want(t, http.StatusForbidden)
	f.claims = nil
	link(b).want(t, http.StatusOK) // Twice is as once.
}

// TestALinkTakesANewLogIn: whoever copies a cookie would otherwise have the account
// for good.
func TestALinkTakesANewLogIn(t *testing.T) {
	f := newFake(t)
	w := f.world(t, nil)
	b := w.loggedIn(t, "ada")
	w.clock.pass(9 * time.Minute)
	b.post(t, w.issuer+"/login/acme/link", nil).want(t, http.StatusSeeOther)
	w.clock.pass(time.Minute)
	b.get(t, w.issuer+"/whoami").want(t, http.StatusOK)
	if got := b.post(t, w.issuer+"/login/acme/link", nil).want(t, http.StatusUnauthorized); !strings.Contains(got.body, "insufficient_user_authentication") {
		t.Errorf("refused as %s", got.body)
	}
	b.logIn(t, b.get(t, w.issuer+"/login?next=/core"), "ada")
	b.post(t, w.issuer+"/login/acme/link", nil).want(t, http.StatusSeeOther)
}

// TestNobodyFillsTheLogWithAnswers: the cookie of a flow is whatever its browser
// says.
func TestNobodyFillsTheLogWithAnswers(t *testing.T) {
	f := newFake(t)
	w := f.world(t, nil)
	state := strings.Repeat("A", 43)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/login/acme/callback?error=x&state="+state, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "__Host-login-acme="+base64URL([]byte(`{"s":"`+state+`"}`)))
	transport := w.transport(t)
	for range 100 {
		res, err := transport.RoundTrip(r.Clone(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusForbidden {
			t.Fatalf("status %d", res.StatusCode)
		}
	}
	found, err := w.core.Events.List(t.Context(), auditlog.Query{Name: "authn_login_fail", Limit: 100})
	if n := len(found); err != nil || n < 60 || n > 90 { // A minute's worth, and one for each second of the test.
		t.Errorf("%d events of 100 answers, %v; want about 60", n, err)
	}
}

func TestAnIssuerThatIsDownIsNoFaultOfOurs(t *testing.T) {
	f := newFake(t)
	w := f.world(t, newcomer)
	f.Close()
	w.newBrowser(t).get(t, w.issuer+"/login/acme").want(t, http.StatusBadGateway)
}

func TestALogInThatCannotBeSafeDoesNotStart(t *testing.T) {
	for want, cfg := range map[string]oidc.LoginConfig{
		"Name":     {Name: "../x", Issuer: "https://a.example", ClientID: "x"},
		"Issuer":   {Name: "a", Issuer: "http://a.example", ClientID: "x"},
		"ClientID": {Name: "a", Issuer: "https://a.example"},
	} {
		w := &world{clock: new(clock), users: map[string]string{}}
		folder := t.TempDir()
		w.dbFile = folder + "/users.db"
		app := w.declare(t, folder, "127.0.0.1:8443", func(o *options) { o.login = cfg })
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start: %v, want an error about %s", err, want)
		}
		_ = app.Stop(t.Context()) // Nothing was opened.
	}
}

// TestASecondFactorIsNotGoneRound: whoever has the user's account at the provider
// does not have their authenticator app.
func TestASecondFactorIsNotGoneRound(t *testing.T) {
	f := newFake(t)
	w := f.world(t, newcomer)
	b := w.newBrowser(t)
	state := f.leave(t, b, "/login/acme?next=/whoami").Get("state")
	b.get(t, back(b, state)).want(t, http.StatusOK)
	list, err := w.core.Accounts.List(t.Context(), account.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Name == "acme.subje" {
			w.addSecondFactor(t, a.ID)
		}
	}
	b = w.newBrowser(t)
	state = f.leave(t, b, "/login/acme?next=/whoami").Get("state")
	if got := b.get(t, back(b, state)).want(t, http.StatusForbidden); !strings.Contains(got.body, "second_factor_required") {
		t.Errorf("refused as %s", got.body)
	}
	f.claims = map[string]any{"amr": []string{"pwd", "mfa"}}
	state = f.leave(t, b, "/login/acme?next=/whoami").Get("state")
	b.get(t, back(b, state)).want(t, http.StatusOK)
}

// addSecondFactor sets a password and enrols an authenticator app.
func (w *world) addSecondFactor(t *testing.T, id string) {
	t.Helper()
	by := account.By{Actor: id}
	if err := w.core.Accounts.SetPassword(t.Context(), account.By{}, id, secret.New(goodPassword)); err != nil {
		t.Fatal(err)
	}
	enrolment, err := w.core.Accounts.Enrol(t.Context(), by, secret.New(goodPassword))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(enrolment.Secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key) // RFC 6238
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(w.clock.Now().Unix()/30)))
	sum := mac.Sum(nil)
	code := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff % 1_000_000
	if _, err := w.core.Accounts.ConfirmEnrolment(t.Context(), by, fmt.Sprintf("%06d", code)); err != nil {
		t.Fatal(err)
	}
}

// TestALinkGoesWithAResetOfThePassword: somebody else may have made it, and the
// administrator cannot know.
func TestALinkGoesWithAResetOfThePassword(t *testing.T) {
	f := newFake(t)
	w := f.world(t, nil)
	b := w.loggedIn(t, "ada")
	away := b.post(t, w.issuer+"/login/acme/link", url.Values{"next": {"/whoami"}}).want(t, http.StatusSeeOther)
	u, err := url.Parse(away.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	f.nonce = u.Query().Get("nonce")
	b.get(t, back(b, u.Query().Get("state"))).want(t, http.StatusOK)
	logIn := func() *page {
		other := w.newBrowser(t)
		return other.get(t, back(other, f.leave(t, other, "/login/acme?next=/whoami").Get("state")))
	}
	if got := logIn().want(t, http.StatusOK); !strings.Contains(got.body, w.users["ada"]) {
		t.Fatalf("logged in as %s, want ada", got.body)
	}
	if err := w.core.Reset(t.Context(), w.users["ada"]); err != nil {
		t.Fatal(err)
	}
	if got := logIn(); got.status == http.StatusOK && strings.Contains(got.body, w.users["ada"]) {
		t.Errorf("the link still logs in as %s", got.body)
	}
}
