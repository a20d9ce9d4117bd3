package oidc

import (
	"context"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
)

// UserInfo is who the user is (OpenID Connect Core section 5.3).
type UserInfo struct {
	Subject   string  `json:"sub" maxLength:"255"`
	Name      *string `json:"name,omitempty" maxLength:"256" doc:"With the scope profile."`
	Preferred *string `json:"preferred_username,omitempty" maxLength:"256" doc:"With the scope profile."`
}

type userinfoInput struct {
	Engine  *engine
	User    auth.User
	Request *http.Request
}

func userinfo(_ context.Context, in userinfoInput) (fastness.Result[UserInfo], error) {
	out := fastness.Result[UserInfo]{Header: http.Header{"Cache-Control": {"no-store"}}, Body: UserInfo{Subject: in.User.ID}}
	in.Engine.allowOrigin(out.Header, in.Request)
	if in.User.HasScope("profile") {
		out.Body.Name, out.Body.Preferred = &in.User.Name, &in.User.Name
	}
	return out, nil
}

// Provider is what clients need to know of an OpenID provider (OpenID Connect
// Discovery 1.0 section 3).
type Provider struct {
	Issuer                string   `json:"issuer" maxLength:"2048"`
	AuthorizationEndpoint string   `json:"authorization_endpoint" maxLength:"2048"`
	TokenEndpoint         string   `json:"token_endpoint" maxLength:"2048"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint" maxLength:"2048"`
	RevocationEndpoint    string   `json:"revocation_endpoint" maxLength:"2048"`
	IntrospectionEndpoint *string  `json:"introspection_endpoint,omitempty" maxLength:"2048"`
	JWKSURI               string   `json:"jwks_uri" maxLength:"2048"`
	Scopes                []string `json:"scopes_supported" maxItems:"1000" maxLength:"128"`
	ResponseTypes         []string `json:"response_types_supported" maxItems:"10" maxLength:"128"`
	ResponseModes         []string `json:"response_modes_supported" maxItems:"10" maxLength:"128"`
	GrantTypes            []string `json:"grant_types_supported" maxItems:"10" maxLength:"128"`
	SubjectTypes          []string `json:"subject_types_supported" maxItems:"10" maxLength:"128"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported" maxItems:"10" maxLength:"128"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported" maxItems:"10" maxLength:"128"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported" maxItems:"10" maxLength:"128"`
	Claims                []string `json:"claims_supported" maxItems:"100" maxLength:"128"`
	Prompts               []string `json:"prompt_values_supported" maxItems:"10" maxLength:"128"`
	NamesIssuer           bool     `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
}

func discover(_ context.Context, in flowInput) (fastness.Result[Provider], error) {
	c := in.Engine.core
	p := Provider{
		Issuer: c.Issuer, AuthorizationEndpoint: c.Issuer + authorizePath, TokenEndpoint: c.Issuer + tokenPath,
		UserinfoEndpoint: c.Issuer + userinfoPath, RevocationEndpoint: c.Issuer + "/revoke", JWKSURI: c.Issuer + "/.well-known/jwks.json",
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query", "fragment"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		SubjectTypes: []string{"public"}, Algorithms: []string{string(c.TokenAlgorithm())},
		TokenAuthMethods: []string{"none", "client_secret_basic", "client_secret_post"}, ChallengeMethods: []string{"S256"},
		Claims:  []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "name", "preferred_username"},
		Prompts: []string{"none", "login", "consent", "select_account"}, NamesIssuer: true, Scopes: []string{},
	}
	if c.Introspects() {
		address := c.Issuer + "/introspect"
		p.IntrospectionEndpoint = &address
	}
	for _, s := range append(ownScopes(), c.Scopes()...) {
		p.Scopes = append(p.Scopes, s.Name)
	}
	// Everybody may read it, pages of other sites too: it says nothing about anyone.
	return fastness.Result[Provider]{Body: p, Header: http.Header{
		"Access-Control-Allow-Origin": {"*"}, "Cache-Control": {"public, max-age=300"},
	}}, nil
}
