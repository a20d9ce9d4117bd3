package identity

import (
	"context"
	"slices"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Codes is an authorization server that gives codes to programs whose users log
// in with a browser (RFC 6749 section 4.1), as package oidc is one.
type Codes struct {
	// Authorize and Token are the paths of its endpoints.
	Authorize, Token string
	// Scopes are what its tokens can be for beside those of the Config.
	Scopes []Scope
	// DocsClient is the client that the docs page logs in as, or "".
	DocsClient string
}

// OfferCodes makes the document and the metadata say where codes are to be had.
// It must be called before the app starts.
func (id *Identity) OfferCodes(c Codes) { id.codes = &c }

// flows returns the grants as the document shows them.
func (id *Identity) flows() *openapi.OAuthFlows {
	own := scopesOf(id.cfg.Scopes)
	flows := &openapi.OAuthFlows{Password: &openapi.OAuthFlow{TokenURL: "/token", RefreshURL: "/token/refresh", Scopes: own}}
	if c := id.codes; c != nil {
		flows.AuthorizationCode = &openapi.OAuthFlow{
			AuthorizationURL: c.Authorize, TokenURL: c.Token, RefreshURL: c.Token,
			Scopes: scopesOf(slices.Concat(id.cfg.Scopes, c.Scopes)), ClientID: c.DocsClient,
		}
	}
	return flows
}

func scopesOf(list []Scope) (scopes openapi.Map[string]) {
	for _, s := range list {
		scopes.Set(s.Name, s.Description)
	}
	return scopes
}

// offerCodes adds to the metadata what the authorization server for codes can do
// (RFC 8414 section 2). Its token endpoint is the one that is named then: who
// reads metadata has a code, not a password.
func (m *Metadata) offerCodes(issuer string, c *Codes) {
	if c == nil {
		return
	}
	authorize, yes := issuer+c.Authorize, true
	m.AuthorizationEndpoint, m.TokenEndpoint, m.NamesIssuer = &authorize, issuer+c.Token, &yes
	m.ResponseTypes, m.GrantTypes = []string{"code"}, []string{"authorization_code", grantRefresh}
	m.ChallengeMethods = []string{"S256"}
	for _, s := range c.Scopes {
		m.ScopesSupported = append(m.ScopesSupported, s.Name)
	}
}

// What follows is for authorization servers: packages that end a log-in of their
// own kind in the tokens of this one.

// Client returns the client of an id, or nil.
func (c *Core) Client(id string) *Client { return c.cfg.client(id) }

// Clients returns all clients.
func (c *Core) Clients() []Client { return slices.Clone(c.cfg.Clients) }

// HasSecret reports whether text is the client's secret, or is empty for one that
// has none.
func (c *Client) HasSecret(text secret.Text) bool { return c.has(text) }

// Scopes returns what tokens can be for.
func (c *Core) Scopes() []Scope { return slices.Clone(c.cfg.Scopes) }

// Name returns what people know the application as.
func (c *Core) Name() string { return c.displayName() }

// Audience returns the aud of access tokens.
func (c *Core) Audience() string { return c.audience() }

// Introspects reports whether clients may ask what a token is good for.
func (c *Core) Introspects() bool { return c.cfg.Introspection }

// DB returns the database of the accounts and sessions.
func (c *Core) DB() *sqldb.DB { return c.db }

// Now returns the time on the clock of the Config.
func (c *Core) Now() time.Time { return c.cfg.Now() }

// TokenKeys returns the keys that sign access tokens. Their public parts are
// published.
func (c *Core) TokenKeys() (*keyring.TokenKeys, error) { return c.Ring.Tokens(purposeToken) }

// TokenAlgorithm returns what they sign with.
func (c *Core) TokenAlgorithm() keyring.Algorithm { return c.cfg.Algorithm }

// IssueTokens returns the tokens of a session: a new access token for scopes, and
// the refresh token that the session was begun with. A user who is not active
// gets none.
func (c *Core) IssueTokens(ctx context.Context, s *session.Session, refreshToken string, scopes auth.Set) (TokenAnswer, error) {
	a, err := c.issue(ctx, s, refreshToken, scopes)
	return a.Body, err
}

// RefreshTokens returns new tokens for a refresh token, which works once, as POST
// /token/refresh does. The caller has made sure that it is the client who asks.
func (c *Core) RefreshTokens(ctx context.Context, refreshToken secret.Text, clientID, scope string) (TokenAnswer, error) {
	a, err := c.refresh(ctx, refreshToken, &Client{ID: clientID}, scope)
	return a.Body, err
}
