package token_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

type ctx = context.Context

// directory are the accounts and sessions of a test.
type directory struct {
	standing map[string]*auth.Standing
	ended    map[string]bool
	err      error
}

func (d *directory) Standing(_ ctx, id string) (*auth.Standing, error) { return d.standing[id], d.err }

func (d *directory) Live(_ ctx, id string) (bool, error) { return !d.ended[id], d.err }

func newDirectory() *directory {
	return &directory{
		standing: map[string]*auth.Standing{"u-17": {Active: true, Name: "Ada", Roles: auth.SetOf("buyer"), Tenant: auth.NewTenant("acme"), Epoch: 3}},
		ended:    map[string]bool{},
	}
}

// desk is a bearer scheme, with all that it asks.
type desk struct {
	*token.Bearer
	*directory
	text string
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	r, c, d := newRing(t, jws.EdDSA), newClock(), newDirectory()
	b := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{newVerifier(t, r, c)}, Accounts: d, Sessions: d}))
	return &desk{b, d, issue(t, newIssuer(t, r, c), someClaims())}
}

func request(values ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Authorization"] = values
	return r
}

func TestCallerIsWhoTheyAreNow(t *testing.T) {
	d := newDesk(t)
	u, err := d.Authenticate(t.Context(), request("Bearer "+d.text))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %v %v %v %s %s %s %s %s %v", u.ID, u.Name, u.Roles, u.Scopes, u.AllScopes, u.Tenant, u.Client, u.Session, u.Issuer, u.Scheme, u.Methods)
	want := "u-17 Ada buyer orders:read orders:write false acme web s-1 https://shop.example bearer otp pwd"
	if got != want || u.At.IsZero() || u.Until.IsZero() {
		t.Errorf("Authenticate() = %s, want %s", got, want)
	}
	// Demoted: the next request knows, though the token says something else.
	now := *d.standing["u-17"]
	now.Roles = auth.SetOf("nobody")
	d.standing["u-17"] = &now
	if u, err := d.Authenticate(t.Context(), request("Bearer "+d.text)); err != nil || !u.HasRole("nobody") || u.HasRole("buyer") || u.HasRole("seller") {
		t.Errorf("after the change: %+v, %v", u, err)
	}
}

func TestWithoutAccountsTheTokenSaysTheRoles(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	b := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Name: "oauth2", Verifiers: []*token.Verifier{newVerifier(t, r, c)}}))
	u, err := b.Authenticate(t.Context(), request("Bearer "+issue(t, newIssuer(t, r, c), someClaims())))
	if err != nil || !u.HasRole("seller") || u.Tenant.String() != "acme" || u.Scheme != "oauth2" || u.Name != "" {
		t.Errorf("Authenticate() = %+v, %v", u, err)
	}
	all := someClaims()
	all.Scopes, all.AllScopes = auth.Set{}, true
	if u, err := b.Authenticate(t.Context(), request("Bearer "+issue(t, newIssuer(t, r, c), all))); err != nil || !u.HasScope("anything") {
		t.Errorf("a token for all scopes: %+v, %v", u, err)
	}
}

func TestTokenOfWhoMayNoLongerCallIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*directory, *auth.Standing)
		reason string
	}{
		{"deleted", func(d *directory, _ *auth.Standing) { delete(d.standing, "u-17") }, "no such user"},
		{"disabled", func(_ *directory, s *auth.Standing) { s.Active = false }, "not active"},
		{"logged out everywhere", func(_ *directory, s *auth.Standing) { s.Epoch = 4 }, "earlier epoch"},
		{"logged out", func(d *directory, _ *auth.Standing) { d.ended["s-1"] = true }, "session has ended"},
		{"moved to another tenant", func(_ *directory, s *auth.Standing) { s.Tenant = auth.NewTenant("other") }, "another tenant"},
	} {
		d := newDesk(t)
		if _, err := d.Authenticate(t.Context(), request("Bearer "+d.text)); err != nil {
			t.Fatalf("%s: before: %v", tt.name, err)
		}
		now := *d.standing["u-17"]
		d.standing["u-17"] = &now
		tt.change(d.directory, &now)
		u, err := d.Authenticate(t.Context(), request("Bearer "+d.text))
		refusal, ok := errors.AsType[*auth.Refusal](err)
		if u != nil || !ok || refusal.Code != "invalid_token" || !errors.Is(err, token.ErrInvalid) || !strings.Contains(err.Error(), tt.reason) {
			t.Errorf("%s: Authenticate() = %v, %v, want a refusal for %q", tt.name, u, err, tt.reason)
		}
	}
}

func TestAccountsThatFailLetNobodyIn(t *testing.T) {
	d := newDesk(t)
	d.err = errors.New("the database is down")
	u, err := d.Authenticate(t.Context(), request("Bearer "+d.text))
	if _, ok := errors.AsType[*auth.Refusal](err); u != nil || !errors.Is(err, d.err) || ok {
		t.Errorf("Authenticate() = %v, %v, want the error of the accounts", u, err)
	}
}

func TestKeysThatCannotBeHadAnswer503(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	b := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{newVerifier(t, r, c)}}))
	text := issue(t, newIssuer(t, r, c), someClaims())
	r.err = errors.New("the database is down")
	_, err := b.Authenticate(t.Context(), request("Bearer "+text))
	p := problem.From(err)
	if p.Status != http.StatusServiceUnavailable || p.Header().Get("Retry-After") == "" || !errors.Is(err, token.ErrUnavailable) {
		t.Errorf("Authenticate() = %v", err)
	}
}

// RFC 6750, section 2: one way, one header, one space.
func TestCredentialIsReadStrictly(t *testing.T) {
	d := newDesk(t)
	for _, tt := range []struct {
		name    string
		values  []string
		present bool
		code    string // "": accepted
	}{
		{"as it should be", []string{"Bearer " + d.text}, true, ""},
		{"lower case", []string{"bearer " + d.text}, true, ""},
		{"upper case", []string{"BEARER " + d.text}, true, ""},
		{"nothing behind it", []string{"Bearer"}, true, "invalid_request"},
		{"a space behind it", []string{"Bearer "}, true, "invalid_request"},
		{"two spaces", []string{"Bearer  " + d.text}, true, "invalid_request"},
		{"a space at the end", []string{"Bearer " + d.text + " "}, true, "invalid_request"},
		{"two tokens", []string{"Bearer " + d.text + " " + d.text}, true, "invalid_request"},
		{"a parameter", []string{`Bearer realm="x", ` + d.text}, true, "invalid_request"},
		{"two tokens with a comma", []string{"Bearer " + d.text + "," + d.text}, true, "invalid_token"},
		{"a tab", []string{"Bearer\t" + d.text}, false, "invalid_request"},
		{"no scheme", []string{d.text}, false, "invalid_request"},
		{"another scheme", []string{"Basic " + d.text}, false, "invalid_request"},
		{"a longer scheme", []string{"BearerX " + d.text}, false, "invalid_request"},
		{"two headers", []string{"Bearer " + d.text, "Bearer " + d.text}, false, "invalid_request"},
		{"no header", nil, false, "invalid_request"},
		{"rubbish", []string{"Bearer x"}, true, "invalid_token"},
	} {
		r := request(tt.values...)
		if got := d.Present(r); got != tt.present {
			t.Errorf("%s: Present() = %v, want %v", tt.name, got, tt.present)
		}
		u, err := d.Authenticate(t.Context(), r)
		refusal, _ := errors.AsType[*auth.Refusal](err)
		switch {
		case tt.code == "" && err != nil:
			t.Errorf("%s: Authenticate() = %v", tt.name, err)
		case tt.code != "" && (u != nil || refusal == nil || refusal.Code != tt.code):
			t.Errorf("%s: Authenticate() = %v, %+v, want %s", tt.name, u, refusal, tt.code)
		}
	}
}

func TestTokenElsewhereThanInTheHeaderIsNotRead(t *testing.T) {
	d := newDesk(t)
	r := httptest.NewRequest(http.MethodPost, "/?access_token="+d.text, strings.NewReader("access_token="+d.text))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: d.text})
	r.Header.Set("X-Access-Token", d.text)
	r.Header.Set("Proxy-Authorization", "Bearer "+d.text)
	if d.Present(r) {
		t.Error("a token was found elsewhere")
	}
}

func TestSchemeIsDescribed(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	plain := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{newVerifier(t, r, c)}}))
	if is := plain.Describe(); is.Name != "bearer" || is.Security.Type != "http" || is.Security.Scheme != "bearer" || is.Security.BearerFormat != "JWT" || is.Challenge != "Bearer" || is.Ambient || len(is.OptOuts) != 0 {
		t.Errorf("Describe() = %+v", is)
	}
	loose := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, InsecureNotRFC9068: "the issuer is old"}))
	keys := want[*token.Remote](t)(token.NewRemote(token.RemoteConfig{JWKS: "http://127.0.0.1:1/keys", InsecurePlainHTTP: "a test"}))
	defer keys.Close()
	near := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: "https://near.example", Audience: audience, Keys: keys, Foreign: true, SubjectPrefix: "near|"}))
	flows := &openapi.OAuthFlows{ClientCredentials: &openapi.OAuthFlow{TokenURL: "/token"}}
	full := want[*token.Bearer](t)(token.NewBearer(token.BearerConfig{Name: "oauth2", Verifiers: []*token.Verifier{loose, near}, Flows: flows}))
	is := full.Describe()
	if is.Name != "oauth2" || is.Security.Type != "oauth2" || is.Security.Flows != flows || fmt.Sprint(is.OptOuts) != "map[InsecureNotRFC9068:the issuer is old InsecurePlainHTTP:a test]" {
		t.Errorf("Describe() = %+v", is)
	}
}

// With the rest of the way, a caller learns nothing about the reason.
func TestRefusalsLookAlike(t *testing.T) {
	d := newDesk(t)
	schemes, err := auth.New(d.Bearer)
	if err != nil {
		t.Fatal(err)
	}
	h := schemes.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, auth.From(r.Context()).ID) }))
	serve := func(value string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(value))
		return fmt.Sprint(w.Code, w.Header()["Www-Authenticate"], w.Body)
	}
	if got := serve("Bearer " + d.text); !strings.HasPrefix(got, "200 [] u-17") {
		t.Fatal(got)
	}
	rubbish := serve("Bearer rubbish")
	if !strings.HasPrefix(rubbish, `401 [Bearer error="invalid_token"]`) {
		t.Error(rubbish)
	}
	disabled := *d.standing["u-17"]
	disabled.Active = false
	d.standing["u-17"] = &disabled
	if got := serve("Bearer " + d.text); got != rubbish {
		t.Errorf("disabled: %s, rubbish: %s", got, rubbish)
	}
}

func TestSeenTokenMakesNoAllocation(t *testing.T) {
	d := newDesk(t)
	r := request("Bearer " + d.text)
	if n := testing.AllocsPerRun(200, func() {
		if !d.Present(r) {
			t.Error("not present")
		}
		if _, err := d.Authenticate(t.Context(), r); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Authenticate makes %v allocations, want 0", n)
	}
}
