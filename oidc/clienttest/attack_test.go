package clienttest_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
)

// loggedIn returns a browser in which a user is logged in.
func (w *world) loggedIn(t *testing.T, name string) *browser {
	t.Helper()
	b := w.newBrowser(t)
	b.logIn(t, b.get(t, w.issuer+"/login?next=/core"), name).want(t, http.StatusNoContent)
	return b
}

func TestAnAnswerGoesOnlyWhereTheClientIsRegistered(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web, tool, phone := w.program("web", webCallback), w.program("tool", toolCallback), w.program("phone", phoneCallback)
	for _, tt := range []struct {
		name string
		p    *program
		uri  string
	}{
		{"an extra slash", web, webCallback + "/"},
		{"a missing one", web, strings.TrimSuffix(webCallback, "/callback")},
		{"a query", web, webCallback + "?next=https://evil.example"},
		{"a fragment", web, webCallback + "#x"},
		{"a way up", web, "https://web.example/other/../callback"},
		{"another case", web, "https://WEB.example/callback"},
		{"an encoded letter", web, "https://web.example/%63allback"},
		{"a port", web, "https://web.example:443/callback"},
		{"no TLS", web, "http://web.example/callback"},
		{"a subdomain", web, "https://a.web.example/callback"},
		{"a suffix of the host", web, "https://web.example.evil.example/callback"},
		{"a user", web, "https://web.example@evil.example/callback"},
		{"a backslash", web, `https://web.example\@evil.example/callback`},
		{"another client's", web, statsCallback},
		{"a script", web, "javascript:alert(1)"},
		{"none", web, ""},
		{"another scheme", phone, "com.example.phone2:/callback"},
		{"more slashes in a scheme of its own", phone, "com.example.phone://callback"},
		{"localhost by name", tool, "http://localhost/callback"},
		{"another loopback address", tool, "http://127.0.0.2/callback"},
		{"the other family", tool, "http://[::1]/callback"},
		{"a loopback address with TLS", tool, "https://127.0.0.1/callback"},
		{"a loopback address that is a name", tool, "http://127.0.0.1.evil.example/callback"},
		{"a loopback address that is a user", tool, "http://127.0.0.1:1@evil.example/callback"},
		{"another path on the device", tool, "http://127.0.0.1:8080/other"},
		{"a query on the device", tool, "http://127.0.0.1:8080/callback?a=b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.get(t, tt.p.authorizeURL("redirect_uri", tt.uri))
			if got.status != http.StatusBadRequest || got.header.Get("Location") != "" {
				t.Errorf("redirect_uri %q: %d to %q, want 400 and no redirect", tt.uri, got.status, got.header.Get("Location"))
			}
			if tt.uri != "" && strings.Contains(got.body, tt.uri) {
				t.Errorf("the refusal shows the address: %s", got.body)
			}
		})
	}
	t.Run("the port of a loopback address may be any", func(t *testing.T) {
		p := w.program("tool", "http://127.0.0.1:49152/callback")
		got := b.get(t, p.authorizeURL())
		if got.status != http.StatusOK || got.at.Path != "/oauth/consent" {
			t.Errorf("%d at %s, want the page that asks", got.status, got.at)
		}
	})
}

func TestTheUserIsToldOfAnUnknownClient(t *testing.T) {
	w := newWorld(t, nil)
	for _, id := range []string{"nobody", "", "WEB", "web ", "mute", strings.Repeat("x", 300), "web\x00"} {
		got := w.newBrowser(t).get(t, w.program(id, webCallback).authorizeURL())
		if got.status < 400 || got.status >= 500 || got.header.Get("Location") != "" {
			t.Errorf("client %q: %d to %q, want a refusal that goes nowhere", id, got.status, got.header.Get("Location"))
		}
	}
}

func TestWhatIsNotOfferedIsRefusedToTheClient(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	for _, tt := range []struct {
		name string
		with []string
		want string
	}{
		{"no PKCE", []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"plain PKCE", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"plain PKCE by default", []string{"code_challenge_method", ""}, "invalid_request"},
		{"an unknown challenge method", []string{"code_challenge_method", "s256"}, "invalid_request"},
		{"a challenge that is too short", []string{"code_challenge", "abc"}, "invalid_request"},
		{"a challenge that is no base64url", []string{"code_challenge", strings.Repeat("+", 43)}, "invalid_request"},
		{"the implicit flow", []string{"response_type", "token"}, "unauthorized_client"},
		{"an ID token at once", []string{"response_type", "id_token"}, "unauthorized_client"},
		{"the hybrid flow", []string{"response_type", "code id_token"}, "unauthorized_client"},
		{"no response_type", []string{"response_type", ""}, "invalid_request"},
		{"form_post", []string{"response_mode", "form_post"}, "invalid_request"},
		{"an unknown response_mode", []string{"response_mode", "web_message"}, "invalid_request"},
		{"a request object", []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"},
		{"a request object elsewhere", []string{"request_uri", "https://evil.example/request"}, "request_uri_not_supported"},
		{"an id_token_hint", []string{"id_token_hint", "x"}, "invalid_request"},
		{"none with another prompt", []string{"prompt", "none login"}, "invalid_request"},
		{"an unknown prompt", []string{"prompt", "create"}, "invalid_request"},
		{"no scope that there is", []string{"scope", "everything"}, "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.get(t, web.authorizeURL(tt.with...)).answer(t, webCallback)
			if got.Get("error") != tt.want || got.Get("code") != "" {
				t.Errorf("got %v, want the error %s", got, tt.want)
			}
			if got.Get("iss") != w.issuer || got.Get("state") != "a state & more" {
				t.Errorf("iss %q, state %q", got.Get("iss"), got.Get("state"))
			}
		})
	}
}

func TestAParameterThatComesTwiceIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	for _, more := range []string{"&client_id=stats", "&redirect_uri=" + url.QueryEscape(statsCallback), "&state=x", "&scope=orders", "&code_challenge=x"} {
		b.get(t, web.authorizeURL()+more).want(t, http.StatusBadRequest)
	}
	body := url.Values{"grant_type": {"authorization_code"}, "code": {"x", "y"}, "client_id": {"web"}, "redirect_uri": {webCallback}}
	if got := web.ask(t, body); got.status != http.StatusBadRequest || got.Error != "invalid_request" {
		t.Errorf("two codes: %d %q", got.status, got.Error)
	}
}

func TestACodeIsGoodForOneExchangeByItsOwner(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	for _, tt := range []struct {
		name string
		with []string
		want string
	}{
		{"no verifier", []string{"code_verifier", ""}, "invalid_grant"},
		{"a wrong verifier", []string{"code_verifier", strings.Repeat("w", 43)}, "invalid_grant"},
		{"the challenge as verifier", []string{"code_verifier", "CHALLENGE"}, "invalid_grant"},
		{"a verifier that is too short", []string{"code_verifier", "v"}, "invalid_grant"},
		{"another redirect_uri", []string{"redirect_uri", webCallback + "/"}, "invalid_grant"},
		{"no redirect_uri", []string{"redirect_uri", ""}, "invalid_request"},
		{"another client", []string{"client_id", "tool"}, "invalid_grant"},
		{"an unknown client", []string{"client_id", "nobody"}, "invalid_client"},
		{"no client", []string{"client_id", ""}, "invalid_request"},
		{"a client that has a secret, without it", []string{"client_id", "stats"}, "invalid_client"},
		{"a secret for a client that has none", []string{"client_secret", "x"}, "invalid_client"},
		{"an assertion", []string{"client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "invalid_client"},
		{"no code", []string{"code", ""}, "invalid_request"},
		{"a code that was never given", []string{"code", strings.Repeat("c", 43)}, "invalid_grant"},
		{"a code that is none", []string{"code", "' OR 1=1 --"}, "invalid_grant"},
		{"the password grant", []string{"grant_type", "password", "username", "ada", "password", goodPassword}, "unsupported_grant_type"},
		{"client credentials", []string{"grant_type", "client_credentials"}, "unsupported_grant_type"},
		{"a token exchange", []string{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"}, "unsupported_grant_type"},
		{"an assertion grant", []string{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", "x"}, "unsupported_grant_type"},
		{"no grant", []string{"grant_type", ""}, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := web.code(t, b)
			for i := range tt.with {
				if tt.with[i] == "CHALLENGE" {
					tt.with[i] = "47TlsGNvOY0s3Rr3kT8xrOLWjtPXwcqdOxg2RsOeE4Y"[:43]
				}
			}
			got := web.exchange(t, code, tt.with...)
			status := http.StatusBadRequest
			if tt.want == "invalid_client" {
				status = http.StatusUnauthorized
			}
			if got.status != status || got.Error != tt.want || got.Access != "" {
				t.Errorf("%d %q %q, want %d %q", got.status, got.Error, got.Detail, status, tt.want)
			}
			if got.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

// TestAStolenCodeIsUsedUpByTheFirstGuess: who has a code and not its verifier does
// not get to try.
func TestAStolenCodeIsUsedUpByTheFirstGuess(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	code := web.code(t, w.loggedIn(t, "ada"))
	web.exchange(t, code, "code_verifier", strings.Repeat("w", 43))
	if got := web.exchange(t, code); got.Error != "invalid_grant" {
		t.Errorf("after a wrong guess: %d %q, want invalid_grant", got.status, got.Error)
	}
}

func TestACodeThatIsReplayedEndsWhatItBegan(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	code := web.code(t, w.loggedIn(t, "ada"))
	got := web.exchange(t, code)
	if got.status != http.StatusOK || w.call(t, "/items", got.Access) != http.StatusNoContent {
		t.Fatalf("first use: %d %q", got.status, got.Error)
	}
	w.clock.pass(3 * time.Minute) // Long after the code has expired.
	if again := web.exchange(t, code); again.status != http.StatusBadRequest || again.Error != "invalid_grant" {
		t.Errorf("replay: %d %q", again.status, again.Error)
	}
	if status := w.call(t, "/items", got.Access); status != http.StatusUnauthorized {
		t.Errorf("the access token after the replay: %d, want 401", status)
	}
	if next := web.refresh(t, got.Refresh); next.Error != "invalid_grant" {
		t.Errorf("the refresh token after the replay: %d %q", next.status, next.Error)
	}
}

func TestOfManyWhoUseACodeAtOnceNobodyKeepsTokensUnlessAlone(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	code := web.code(t, w.loggedIn(t, "ada"))
	const n = 20
	got := make([]tokens, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { got[i] = web.exchange(t, code) })
	}
	all.Wait()
	won := 0
	for _, g := range got {
		if g.Access == "" {
			continue
		}
		won++
		if status := w.call(t, "/items", g.Access); status != http.StatusUnauthorized {
			t.Errorf("a code that was used %d times left a token that is good: %d", n, status)
		}
	}
	if won > 1 {
		t.Errorf("%d of %d got tokens, want at most one", won, n)
	}
}

// TestTwoWhoUseACodeAtOnceKeepNothing has the second come at any moment of the
// first one's exchange.
func TestTwoWhoUseACodeAtOnceKeepNothing(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	for range 40 {
		code := web.code(t, b)
		var got [2]tokens
		var both sync.WaitGroup
		for i := range got {
			both.Go(func() { got[i] = web.exchange(t, code) })
		}
		both.Wait()
		for _, g := range got {
			if g.Access != "" && w.call(t, "/items", g.Access) != http.StatusUnauthorized {
				t.Fatal("a code that was used twice left a token that is good")
			}
		}
	}
}

func TestOfManyWhoResumeARequestOneGetsACode(t *testing.T) {
	w := newWorld(t, nil)
	b := w.newBrowser(t)
	web := w.program("web", webCallback)
	login := b.get(t, web.authorizeURL())
	next, err := url.Parse(login.at.Query().Get("next"))
	if err != nil {
		t.Fatal(err)
	}
	b.submit(t, login, "/login", "username", "ada", "password", goodPassword, "next", "/core").want(t, http.StatusNoContent)
	var got [20]*page
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = b.get(t, w.issuer+"/oauth/resume?"+next.RawQuery) })
	}
	all.Wait()
	codes := 0
	for _, p := range got {
		if strings.Contains(p.header.Get("Location"), "code=") {
			codes++
		} else {
			p.want(t, http.StatusBadRequest)
		}
	}
	if codes != 1 {
		t.Errorf("%d codes for one request", codes)
	}
}

func TestACodeLastsAMinute(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	code := web.code(t, b)
	w.clock.pass(61 * time.Second)
	if got := web.exchange(t, code); got.Error != "invalid_grant" {
		t.Errorf("after 61 seconds: %d %q", got.status, got.Error)
	}
	code = web.code(t, b)
	w.clock.pass(58 * time.Second)
	if got := web.exchange(t, code); got.status != http.StatusOK {
		t.Errorf("after 58 seconds: %d %q", got.status, got.Error)
	}
}

func TestACodeIsWorthlessOnceItsUserIsOut(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	for _, tt := range []struct {
		name string
		out  func(b *browser) error
	}{
		{"logged out", func(b *browser) error {
			b.post(t, w.issuer+"/logout", nil).want(t, http.StatusNoContent)
			return nil
		}},
		{"logged out everywhere", func(*browser) error {
			_, err := w.core.Sessions.EndAll(t.Context(), w.users["ada"])
			return err
		}},
		{"disabled", func(*browser) error { return w.core.Accounts.Disable(t.Context(), account.By{}, w.users["ada"]) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := w.loggedIn(t, "ada")
			code := web.code(t, b)
			if err := tt.out(b); err != nil {
				t.Fatal(err)
			}
			if got := web.exchange(t, code); got.Error != "invalid_grant" {
				t.Errorf("%d %q, want invalid_grant", got.status, got.Error)
			}
			if got := b.get(t, web.authorizeURL("prompt", "none")).answer(t, webCallback); got.Get("error") != "login_required" {
				t.Errorf("authorize: %v", got)
			}
		})
	}
}

func TestCredentialsInAnAddressAreNotRead(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	code := web.code(t, w.loggedIn(t, "ada"))
	q := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {webCallback},
		"code_verifier": {web.verifier}, "client_id": {"web"},
	}
	if got := w.newBrowser(t).get(t, w.issuer+"/oauth/token?"+q.Encode()); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d, want 405", got.status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/oauth/token?"+q.Encode(), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := web.send(t, r); got.status != http.StatusBadRequest || got.Access != "" {
		t.Errorf("POST with a query: %d %q", got.status, got.Error)
	}
	form := q.Encode()
	if r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/oauth/token?client_id=stats", strings.NewReader(form)); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := web.send(t, r); got.status != http.StatusBadRequest || got.Access != "" {
		t.Errorf("POST with a form and a query: %d %q", got.status, got.Error)
	}
	for _, media := range []string{"application/json", "text/plain", "multipart/form-data; boundary=x", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/oauth/token", strings.NewReader(q.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", media)
		if got := web.send(t, r); got.status != http.StatusUnsupportedMediaType && got.status != http.StatusBadRequest || got.Access != "" {
			t.Errorf("%q: %d %q", media, got.status, got.Error)
		}
	}
	if got := web.exchange(t, code); got.status != http.StatusOK {
		t.Errorf("the code after all that: %d %q", got.status, got.Error)
	}
}

// TestNoTokenPassesForAnother takes every kind of credential where each of the
// others is wanted.
func TestNoTokenPassesForAnother(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	got := web.exchange(t, web.code(t, b))
	if got.ID == "" || got.Refresh == "" {
		t.Fatalf("%+v", got)
	}
	// Used wrongly, a code that is good is used up: each place gets its own.
	kinds := []struct {
		name string
		of   func() string
	}{
		{"access", func() string { return got.Access }},
		{"refresh", func() string { return got.Refresh }},
		{"ID", func() string { return got.ID }},
		{"code", func() string { return web.code(t, b) }},
	}
	places := []struct {
		name string
		take func(string) bool
	}{
		{"access", func(v string) bool { return w.call(t, "/items", v) != http.StatusUnauthorized }},
		{"ID", func(v string) bool { return looksLikeIDToken(v, "web") }},
		{"code", func(v string) bool { return web.exchange(t, v).Access != "" }},
		{"refresh", func(v string) bool { return web.refresh(t, v).Access != "" }},
	}
	for _, place := range places {
		for _, kind := range kinds {
			if taken := place.take(kind.of()); taken != (kind.name == place.name) {
				t.Errorf("%s token as %s token: taken is %v", kind.name, place.name, taken)
			}
		}
	}
	for _, kind := range kinds[2:] { // For userinfo too, and as a cookie.
		if status := w.call(t, "/oauth/userinfo", kind.of()); status != http.StatusUnauthorized {
			t.Errorf("%s token at userinfo: %d", kind.name, status)
		}
	}
}

// looksLikeIDToken is what a careless client checks: the type and the audience.
func looksLikeIDToken(text, client string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return strings.Contains(string(header), `"typ":"JWT"`) && strings.Contains(string(payload), `"aud":"`+client+`"`)
}

func TestARefreshTokenWorksOnceAndForItsClientOnly(t *testing.T) {
	w := newWorld(t, nil)
	b := w.loggedIn(t, "ada")
	web := w.program("web", webCallback)
	first := web.exchange(t, web.code(t, b))
	if got := w.program("tool", toolCallback).refresh(t, first.Refresh); got.Error != "invalid_grant" {
		t.Errorf("another client: %d %q", got.status, got.Error)
	}
	if got := web.refresh(t, first.Refresh, "scope", "openid items orders"); got.Error != "invalid_scope" {
		t.Errorf("more scopes: %d %q", got.status, got.Error)
	}
	second := web.refresh(t, first.Refresh, "scope", "items")
	if second.status != http.StatusOK || second.Scope != "items" || second.ID != "" {
		t.Fatalf("%+v", second)
	}
	if got := web.refresh(t, first.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the first token again: %d %q", got.status, got.Error)
	}
	if got := web.refresh(t, second.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the second token after the replay: %d %q", got.status, got.Error)
	}
	if status := w.call(t, "/items", second.Access); status != http.StatusUnauthorized {
		t.Errorf("the access token after the replay: %d", status)
	}
}

// TestACodeEndsWithThePasswordItCameFrom: a thief with a copy of the cookie always
// has a code in hand. The owner's session outlives the change of the password, and
// what the old cookie has asked for does not.
func TestACodeEndsWithThePasswordItCameFrom(t *testing.T) {
	w := newWorld(t, nil)
	web := w.program("web", webCallback)
	owner := w.loggedIn(t, "ada")
	stolen := web.code(t, owner)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.issuer+"/me/password",
		strings.NewReader(`{"current_password":"`+goodPassword+`","new_password":"another horse with a battery"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-CSRF-Token", owner.token(t))
	owner.send(t, r).want(t, http.StatusNoContent)
	if got := web.exchange(t, stolen); got.Error != "invalid_grant" {
		t.Errorf("%d %q, want invalid_grant", got.status, got.Error)
	}
	if got := web.exchange(t, web.code(t, owner)); got.status != http.StatusOK { // The owner is still logged in.
		t.Errorf("the owner's program: %d %q", got.status, got.Error)
	}
}
