package identity

import (
	"slices"

	"github.com/fastness/fastness/openapi"
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
