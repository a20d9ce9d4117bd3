package oidc

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/secret"
)

// client is a client as the library wants it.
type client struct {
	of     *identity.Client
	scopes []identity.Scope
}

// find returns the client of an id, or nil.
func (e *engine) find(id string) *identity.Client {
	if e.docs != nil && e.docs.ID == id {
		return e.docs
	}
	return e.core.Client(id)
}

func (e *engine) client(id string) *client {
	found := e.find(id)
	if found == nil || len(found.RedirectURIs) == 0 { // It has no use for codes.
		return nil
	}
	return &client{found, e.scopes(found)}
}

// scopes returns what a client can ask for. Who may change a password, or all
// accounts, can become the user: that is for the application's own programs, and
// nobody is asked to let another one.
func (e *engine) scopes(of *identity.Client) []identity.Scope {
	all := append(e.core.Scopes(), ownScopes()...)
	if of.FirstParty {
		return all
	}
	return slices.DeleteFunc(all, func(s identity.Scope) bool { return s.Name == "account" || s.Name == "users" })
}

func (c *client) GetID() string                    { return c.of.ID }
func (c *client) RedirectURIs() []string           { return c.of.RedirectURIs }
func (c *client) PostLogoutRedirectURIs() []string { return nil }

// ApplicationType is that of a program on the user's device: of those the library
// takes addresses of every kind, and [redirects] has compared them before.
func (c *client) ApplicationType() op.ApplicationType { return op.ApplicationTypeNative }

func (c *client) AuthMethod() oidc.AuthMethod {
	if c.of.SecretHash == "" {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

func (c *client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (c *client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

func (c *client) LoginURL(string) string               { return "/login" }
func (c *client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeJWT }
func (c *client) IDTokenLifetime() time.Duration       { return idTokenTTL }
func (c *client) DevMode() bool                        { return false }
func (c *client) IDTokenUserinfoClaimsAssertion() bool { return false }
func (c *client) ClockSkew() time.Duration             { return 0 }
func (c *client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c *client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

// IsScopeAllowed reports whether there is such a scope.
func (c *client) IsScopeAllowed(name string) bool {
	return slices.ContainsFunc(c.scopes, func(s identity.Scope) bool { return s.Name == name })
}

// redirects reports whether an answer may go to uri: it is registered, character by
// character. Only the port of an IP address of the user's own device may be
// another, which a program finds out when it starts (RFC 9700 section 2.1, RFC
// 8252 section 7.3).
func redirects(to *identity.Client, uri string) bool {
	if slices.Contains(to.RedirectURIs, uri) {
		return true
	}
	asked, ok := withoutPort(uri)
	return ok && slices.ContainsFunc(to.RedirectURIs, func(registered string) bool {
		r, ok := withoutPort(registered)
		return ok && r == asked
	})
}

// withoutPort returns what stays of an http URL of a loopback address when its port
// is taken away.
func withoutPort(uri string) (string, bool) {
	rest, ok := strings.CutPrefix(uri, "http://")
	host, path, _ := strings.Cut(rest, "/")
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	if !ok || name != "127.0.0.1" && name != "::1" || strings.ContainsFunc(port, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", false
	}
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || u.Fragment != "" || u.Hostname() != name {
		return "", false
	}
	return name + "/" + path, true
}

// assured reports whether nobody but the client can be at an address: it is the web
// site that has the certificate. What another program can register or listen on is
// asked about (RFC 8252 section 8.6).
func assured(uri string) bool { return strings.HasPrefix(uri, "https://") }

// VerifyClient finds out which client asks for tokens.
func (e *engine) VerifyClient(_ context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	if r.Data.ClientAssertion != "" {
		return nil, badClient("client_assertion is not supported")
	}
	if named := r.Form.Get("client_id"); named != "" && named != r.Data.ClientID {
		return nil, badClient("the client has two names")
	}
	found := e.client(r.Data.ClientID)
	if found == nil || !found.of.HasSecret(secret.New(r.Data.ClientSecret)) {
		return nil, badClient("the client is unknown, or its secret is wrong")
	}
	return found, nil
}

func badClient(description string) error {
	return op.NewStatusError(oidc.ErrInvalidClient().WithDescription("%s", description), http.StatusUnauthorized)
}
