package asyncapi

import (
	"fmt"

	"github.com/fastness/fastness/openapi"
)

// SecurityScheme is a way to prove who is calling (Security Scheme Object).
type SecurityScheme struct {
	// Ref names a scheme of the components that this one stands for.
	Ref string `json:"$ref,omitempty"`
	// Type is "httpApiKey", "http", "X509", "oauth2" or "openIdConnect".
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
	// Name and In say where a key travels: a "query", "header" or "cookie".
	Name             string      `json:"name,omitempty"`
	In               string      `json:"in,omitempty"`
	Scheme           string      `json:"scheme,omitempty"`
	BearerFormat     string      `json:"bearerFormat,omitempty"`
	Flows            *OAuthFlows `json:"flows,omitempty"`
	OpenIDConnectURL string      `json:"openIdConnectUrl,omitempty"`
	// Scopes are those that an operation needs, of "oauth2" and "openIdConnect".
	Scopes []string `json:"scopes,omitempty"`
}

// OAuthFlows are the grants of an OAuth 2.0 server (OAuth Flows Object).
type OAuthFlows struct {
	Implicit          *OAuthFlow `json:"implicit,omitempty"`
	Password          *OAuthFlow `json:"password,omitempty"`
	ClientCredentials *OAuthFlow `json:"clientCredentials,omitempty"`
	AuthorizationCode *OAuthFlow `json:"authorizationCode,omitempty"`
}

// OAuthFlow is one grant (OAuth Flow Object).
type OAuthFlow struct {
	AuthorizationURL string              `json:"authorizationUrl,omitempty"`
	TokenURL         string              `json:"tokenUrl,omitempty"`
	RefreshURL       string              `json:"refreshUrl,omitempty"`
	AvailableScopes  openapi.Map[string] `json:"availableScopes"`
}

const schemesRef = "#/components/securitySchemes/"

// SchemeRef refers to a security scheme of the components.
func SchemeRef(name string) *SecurityScheme { return &SecurityScheme{Ref: schemesRef + name} }

// SchemeOf returns what a security scheme of OpenAPI is here.
func SchemeOf(s *openapi.SecurityScheme) *SecurityScheme {
	out := &SecurityScheme{
		Type: s.Type, Description: s.Description, Name: s.Name, In: s.In,
		Scheme: s.Scheme, BearerFormat: s.BearerFormat, OpenIDConnectURL: s.OpenIDConnectURL,
	}
	switch s.Type {
	case "apiKey":
		out.Type = "httpApiKey"
	case "mutualTLS":
		out.Type = "X509"
	}
	if f := s.Flows; f != nil {
		out.Flows = &OAuthFlows{flowOf(f.Implicit), flowOf(f.Password), flowOf(f.ClientCredentials), flowOf(f.AuthorizationCode)}
	}
	return out
}

func flowOf(f *openapi.OAuthFlow) *OAuthFlow {
	if f == nil {
		return nil
	}
	return &OAuthFlow{f.AuthorizationURL, f.TokenURL, f.RefreshURL, f.Scopes}
}

// adapt takes out of a schema what draft 7 of JSON Schema, which AsyncAPI uses,
// writes otherwise. The discriminator is a name there; the variants say by a const
// what it is of theirs.
func adapt(s *openapi.Schema) error {
	if s == nil {
		return nil
	}
	if d := s.Discriminator; d != nil {
		s.Discriminator = nil
		if s.Extensions == nil {
			s.Extensions = make(map[string]any)
		}
		s.Extensions["x-discriminator"] = d.PropertyName
	}
	if len(s.PrefixItems) > 0 {
		return fmt.Errorf("asyncapi: a list with items of different types cannot be described")
	}
	for _, list := range [][]*openapi.Schema{s.AllOf, s.AnyOf, s.OneOf, {s.Items, s.AdditionalProperties, s.PropertyNames, s.Not, s.ContentSchema}} {
		for _, part := range list {
			if err := adapt(part); err != nil {
				return err
			}
		}
	}
	for _, parts := range []openapi.Map[*openapi.Schema]{s.Properties, s.PatternProperties, s.Defs} {
		for _, part := range parts.All() {
			if err := adapt(part); err != nil {
				return err
			}
		}
	}
	return nil
}
