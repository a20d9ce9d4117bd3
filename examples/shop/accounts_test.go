package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/secret"
)

// newAccount makes an account, as the command line does, and returns its id.
func newAccount(t *testing.T, core *identity.Core, name, tenant string, roles ...string) (id string) {
	t.Helper()
	made, err := core.Accounts.Create(t.Context(), account.By{Address: "test"}, account.New{
		Name: name, Password: secret.New(password), Roles: auth.SetOf(roles...), Tenant: auth.NewTenant(tenant),
	})
	if err != nil {
		t.Fatalf("account %s: %v", name, err)
	}
	return made.ID
}

// user is somebody with an account and a credential.
type user struct {
	id, name string
	// header is the credential, in pairs.
	header []string
}

// bearer returns the header of an access token.
func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// newUser makes an account and logs it in by POST /token.
func (s *shop) newUser(name, tenant string, roles ...string) user {
	s.t.Helper()
	u := user{id: newAccount(s.t, s.core, name, tenant, roles...), name: name}
	u.header = bearer(s.logIn(name, ""))
	return u
}

// logIn returns an access token for the scopes, or for all.
func (s *shop) logIn(name, scopes string) (token string) {
	s.t.Helper()
	form := url.Values{"username": {name}, "password": {password}, "scope": {scopes}}
	got := s.form("/token", form)
	token, _ = got.decode(s.t)["access_token"].(string)
	if got.status != http.StatusOK || token == "" {
		s.t.Fatalf("the log-in of %s: %d %s", name, got.status, got.body)
	}
	return token
}

// form sends a form, of nobody if header does not say whose it is.
func (s *shop) form(target string, form url.Values, header ...string) reply {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(r, header...)
}

// withToken returns the headers with a CSRF token for the browser whose they are, as
// a page of the shop gets one.
func (s *shop) withToken(header ...string) []string {
	s.t.Helper()
	out, sent := []string{}, []string{}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Cookie" {
			sent = append(sent, header[i+1])
		} else {
			out = append(out, header[i], header[i+1])
		}
	}
	token, cookie := s.token(sent...)
	return append(out, "Cookie", strings.Join(append(sent, cookie), "; "), "X-CSRF-Token", token)
}

// token gets a CSRF token for a browser with these cookies, and the cookie that
// belongs to it.
func (s *shop) token(cookies ...string) (token, cookie string) {
	s.t.Helper()
	var header []string
	if len(cookies) > 0 {
		header = []string{"Cookie", strings.Join(cookies, "; ")}
	}
	got := s.as(nil).get("/csrftoken/", header...)
	token, _ = got.decode(s.t)["csrf_token"].(string)
	cookie, _, _ = strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got.status != http.StatusOK || token == "" || !strings.HasPrefix(cookie, "__Host-csrf=") {
		s.t.Fatalf("GET /csrftoken/ = %d %s", got.status, got.body)
	}
	return token, cookie
}

// begin begins a session of a user for the scopes, without their password, and
// returns its refresh token.
func (s *shop) begin(id string, scopes ...string) (refreshToken string) {
	s.t.Helper()
	_, refreshToken, err := s.core.Sessions.Begin(s.t.Context(), session.Login{
		Kind: session.App, User: id, Client: "shop", Scopes: auth.SetOf(scopes...), Methods: auth.SetOf("pwd"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return refreshToken
}

// refreshed returns an access token of a user for the scopes: also for none,
// which nobody gets who logs in.
func (s *shop) refreshed(id string, scopes ...string) (token string) {
	s.t.Helper()
	got := s.form("/token/refresh", url.Values{"refresh_token": {s.begin(id, scopes...)}})
	token, _ = got.decode(s.t)["access_token"].(string)
	if got.status != http.StatusOK || token == "" {
		s.t.Fatalf("a token for %q: %d %s", scopes, got.status, got.body)
	}
	return token
}
