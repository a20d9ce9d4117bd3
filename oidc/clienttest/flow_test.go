package clienttest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/fastness/fastness/keyring"
)

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, names ...string) (all string) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(data)
	}
	return all
}

// TestOtherPeoplesLibrariesLogIn has golang.org/x/oauth2 and go-oidc do all that a
// client does.
func TestOtherPeoplesLibrariesLogIn(t *testing.T) {
	for _, algorithm := range []keyring.Algorithm{keyring.EdDSA, keyring.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			logInWithOtherPeoplesLibraries(t, newWorld(t, func(o *options) { o.users.Algorithm = algorithm }))
		})
	}
}

func logInWithOtherPeoplesLibraries(t *testing.T, w *world) {
	t.Helper()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: w.transport(t)})
	provider, err := coreos.NewProvider(ctx, w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	cfg := oauth2.Config{ClientID: "web", RedirectURL: webCallback, Endpoint: provider.Endpoint(), Scopes: []string{"openid", "profile", "items"}}
	verifier := oauth2.GenerateVerifier()

	b := w.newBrowser(t)
	login := b.get(t, cfg.AuthCodeURL("the state", oauth2.S256ChallengeOption(verifier), coreos.Nonce("the nonce")))
	answer := b.logIn(t, login, "ada").answer(t, webCallback)
	if answer.Get("state") != "the state" || answer.Get("iss") != w.issuer {
		t.Errorf("state %q, iss %q", answer.Get("state"), answer.Get("iss"))
	}

	got, err := cfg.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := got.Extra("id_token").(string)
	idToken, err := provider.Verifier(&coreos.Config{ClientID: "web", Now: w.clock.Now}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Subject != w.users["ada"] || idToken.Nonce != "the nonce" {
		t.Errorf("subject %q, nonce %q", idToken.Subject, idToken.Nonce)
	}
	if err := idToken.VerifyAccessToken(got.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	info, err := provider.UserInfo(ctx, cfg.TokenSource(ctx, got))
	if err != nil || info.Subject != w.users["ada"] {
		t.Errorf("userinfo: %+v, %v", info, err)
	}
	if status := w.call(t, "/items", got.AccessToken); status != http.StatusNoContent {
		t.Errorf("GET /items: %d", status)
	}

	old := got.AccessToken
	got.AccessToken = "" // As if it had ended.
	next, err := cfg.TokenSource(ctx, got).Token()
	if err != nil || next.AccessToken == old || next.RefreshToken == got.RefreshToken {
		t.Fatalf("refresh: %v, %v", next, err)
	}
	if status := w.call(t, "/items", next.AccessToken); status != http.StatusNoContent {
		t.Errorf("GET /items after the refresh: %d", status)
	}

	// A browser with a session goes on at once.
	again := b.get(t, cfg.AuthCodeURL("again", oauth2.S256ChallengeOption(verifier))).answer(t, webCallback)
	if again.Get("code") == "" {
		t.Errorf("no code for who is logged in: %v", again)
	}
}

// TestProcessesShareWhatIsUnderWay: the browser may come back to another process
// than it left from, and the client may ask a third one.
func TestProcessesShareWhatIsUnderWay(t *testing.T) {
	w := newWorld(t, nil)
	b := w.newBrowser(t)
	web := w.program("web", webCallback)
	login := b.get(t, web.authorizeURL())

	// The second one has the same database, keys and name.
	second := w.declare(t, filepath.Dir(w.dbFile), strings.TrimPrefix(w.issuer, "https://"), nil)
	if err := second.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	code := b.logIn(t, login, "ada").answer(t, webCallback).Get("code")
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {webCallback},
		"code_verifier": {web.verifier}, "client_id": {"web"},
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/oauth/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	second.ServeHTTP(answer, r)
	var got tokens
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || got.Access == "" {
		t.Fatalf("the second process: %d %s", answer.Code, answer.Body)
	}
	if status := w.call(t, "/items", got.Access); status != http.StatusNoContent {
		t.Errorf("its token at the first process: %d", status)
	}
	if again := web.exchange(t, code); again.Error != "invalid_grant" {
		t.Errorf("the code again at the first process: %d %q", again.status, again.Error)
	}
	if next := web.refresh(t, got.Refresh); next.Error != "invalid_grant" {
		t.Errorf("the refresh token after the replay: %d %q", next.status, next.Error)
	}
}
