package openapi

// SecurityScheme is a way to prove who is calling (OpenAPI 3.1, 4.8.27).
type SecurityScheme struct {
	// Ref names a security scheme elsewhere that this one stands for.
	Ref string `json:"$ref,omitempty"`
	// Type is "apiKey", "http", "mutualTLS", "oauth2" or "openIdConnect".
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
	// Name and In say where an API key travels: a "query", "header" or "cookie".
	Name string `json:"name,omitempty"`
	In   string `json:"in,omitempty"`
	// Scheme is the HTTP authentication scheme, such as "bearer" (RFC 9110, 16.4.1).
	Scheme string `json:"scheme,omitempty"`
	// BearerFormat is a hint for people, such as "JWT".
	BearerFormat string `json:"bearerFormat,omitempty"`
	// Flows are those of the type "oauth2".
	Flows *OAuthFlows `json:"flows,omitempty"`
	// OpenIDConnectURL is where the type "openIdConnect" is discovered.
	OpenIDConnectURL string `json:"openIdConnectUrl,omitempty"`
}

// OAuthFlows are the grants that an OAuth 2.0 server offers (OpenAPI 3.1, 4.8.28).
type OAuthFlows struct {
	Implicit          *OAuthFlow `json:"implicit,omitempty"`
	Password          *OAuthFlow `json:"password,omitempty"`
	ClientCredentials *OAuthFlow `json:"clientCredentials,omitempty"`
	AuthorizationCode *OAuthFlow `json:"authorizationCode,omitempty"`
}

// OAuthFlow is one grant (OpenAPI 3.1, 4.8.29).
type OAuthFlow struct {
	// AuthorizationURL is required for implicit and authorizationCode.
	AuthorizationURL string `json:"authorizationUrl,omitempty"`
	// TokenURL is required for all but implicit.
	TokenURL   string `json:"tokenUrl,omitempty"`
	RefreshURL string `json:"refreshUrl,omitempty"`
	// Scopes map names to descriptions. They are required, but may be none.
	Scopes Map[string] `json:"scopes"`
	// ClientID is the client that a page which shows the document may log in as.
	ClientID string `json:"x-client-id,omitempty"`
}
