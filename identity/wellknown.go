package identity

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/keyring"
)

// declareWellKnown declares what clients and verifiers look for.
func (id *Identity) declareWellKnown(app *fastness.App) {
	known := app.Group("/.well-known", access.Public, fastness.Tags("log-in"))
	fastness.Get(known, "/jwks.json", keySet, fastness.OperationID("keySet"), fastness.Summary("The keys that verify access tokens"),
		fastness.ResponseDescription("The key set (RFC 7517)."))
	fastness.Get(known, "/oauth-authorization-server", id.metadata, fastness.OperationID("oauthMetadata"),
		fastness.Summary("What the authorization server offers"), fastness.ResponseDescription("The metadata (RFC 8414)."))
}

// keySet publishes the keys that verify access tokens. One that will sign soon is
// among them, so that whoever keeps a copy has it in time.
func keySet(ctx context.Context, in struct{ Core *Core }) (fastness.Raw, error) {
	if in.Core.cfg.Algorithm == keyring.HS256 { // Its keys are secret: nobody else verifies.
		return fastness.Raw{ContentType: "application/jwk-set+json", Body: []byte(`{"keys":[]}`)}, nil
	}
	document, maxAge, err := in.Core.Ring.JWKS(ctx, purposeToken)
	if err != nil {
		return fastness.Raw{}, err
	}
	return fastness.Raw{
		ContentType: "application/jwk-set+json", Body: document,
		Header: http.Header{"Cache-Control": {"public, max-age=" + strconv.Itoa(int(maxAge/time.Second))}},
	}, nil
}

// Metadata is what OAuth clients need to know of an authorization server (RFC
// 8414 section 2).
type Metadata struct {
	Issuer                string   `json:"issuer" maxLength:"2048"`
	AuthorizationEndpoint *string  `json:"authorization_endpoint,omitempty" maxLength:"2048"`
	TokenEndpoint         string   `json:"token_endpoint" maxLength:"2048"`
	RevocationEndpoint    string   `json:"revocation_endpoint" maxLength:"2048"`
	IntrospectionEndpoint *string  `json:"introspection_endpoint,omitempty" maxLength:"2048"`
	JWKSURI               string   `json:"jwks_uri" maxLength:"2048"`
	ScopesSupported       []string `json:"scopes_supported" maxItems:"1000" maxLength:"128"`
	ResponseTypes         []string `json:"response_types_supported" maxItems:"10" maxLength:"128"`
	GrantTypes            []string `json:"grant_types_supported" maxItems:"10" maxLength:"128"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported" maxItems:"10" maxLength:"128"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported,omitempty" maxItems:"10" maxLength:"128"`
	NamesIssuer           *bool    `json:"authorization_response_iss_parameter_supported,omitempty" doc:"Answers of the authorization endpoint say whose they are (RFC 9207)."`
}

func (id *Identity) metadata(_ context.Context, in struct{ Core *Core }) (Metadata, error) {
	c := in.Core
	m := Metadata{
		Issuer: c.Issuer, TokenEndpoint: c.Issuer + "/token", RevocationEndpoint: c.Issuer + "/revoke", JWKSURI: c.Issuer + "/.well-known/jwks.json",
		ScopesSupported: []string{}, ResponseTypes: []string{}, GrantTypes: []string{grantRefresh},
		TokenAuthMethods: []string{"none", "client_secret_basic", "client_secret_post"},
	}
	for _, s := range c.cfg.Scopes {
		m.ScopesSupported = append(m.ScopesSupported, s.Name)
	}
	if c.cfg.passwords() {
		m.GrantTypes = append(m.GrantTypes, grantPassword)
	}
	if c.cfg.Introspection {
		address := c.Issuer + "/introspect"
		m.IntrospectionEndpoint = &address
	}
	m.offerCodes(c.Issuer, id.codes)
	return m, nil
}
