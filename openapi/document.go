// Package openapi is the OpenAPI 3.1 document as Go values: what an app writes
// about itself and what a tool reads about any API.
//
// # Writing
//
// Fill a [Document] and call [Document.JSON] or [Document.YAML]. Objects whose
// names are free are a [Map], which keeps the order in which they were set; all
// else has the order of the specification. [Document.Validate] finds what does
// not fit together.
//
// # Reading
//
// [Parse] reads JSON and YAML from strangers. [Document.Parts] walks through a
// document, and [Resolve] follows references within it.
package openapi

import "encoding/json"

// Version is the version of the specification that this package writes. It is
// 3.1.0, not 3.1.1: a patch release may not change what a document means
// (OpenAPI 3.1.1, 4.1), so 3.1.1 would say no more, and tools that compare the
// whole string know 3.1.0.
const Version = "3.1.0"

// Document is an OpenAPI document (OpenAPI 3.1, 4.8.1). It is a tree: what
// refers to itself does so by Ref, never by a pointer back up.
type Document struct {
	// OpenAPI is the version of the specification. Empty is written as [Version].
	OpenAPI string `json:"openapi"`
	// Info names the API. It is required.
	Info Info `json:"info"`
	// JSONSchemaDialect is the dialect of schemas that name none. Empty means
	// the dialect of OpenAPI 3.1 itself.
	JSONSchemaDialect string `json:"jsonSchemaDialect,omitempty"`
	// Servers are the addresses that paths are relative to. Without any it is
	// "/", the host that served the document.
	Servers []Server `json:"servers,omitempty"`
	// Tags describe the tags that operations use, in the order to show them.
	Tags []Tag `json:"tags,omitempty"`
	// Security is what an operation that names no requirement of its own asks
	// for. A caller needs to satisfy only one of them.
	Security []SecurityRequirement `json:"security,omitzero"`
	// Paths are the operations by path template (4.8.8).
	Paths Map[*PathItem] `json:"paths"`
	// Webhooks are the requests that this API sends to others.
	Webhooks Map[*PathItem] `json:"webhooks,omitzero"`
	// Components hold what is referred to from elsewhere.
	Components Components `json:"components,omitzero"`
	// ExternalDocs point to more documentation.
	ExternalDocs *ExternalDocs `json:"externalDocs,omitempty"`

	// Extensions are the members whose names begin with "x-" (4.9).
	Extensions map[string]any `json:"-"`
}

// Info is what a document says about the API as a whole (OpenAPI 3.1, 4.8.2).
type Info struct {
	// Title is the name of the API. It is required.
	Title string `json:"title"`
	// Summary is one line.
	Summary string `json:"summary,omitempty"`
	// Description may be CommonMark.
	Description string `json:"description,omitempty"`
	// TermsOfService is a URL.
	TermsOfService string `json:"termsOfService,omitempty"`
	// Contact is whom to ask.
	Contact *Contact `json:"contact,omitempty"`
	// License is under what terms the API may be used.
	License *License `json:"license,omitempty"`
	// Version is the version of the API, not of the specification. It is required.
	Version string `json:"version"`
}

// Contact is whom to ask about an API (OpenAPI 3.1, 4.8.3).
type Contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

// License is the license of an API (OpenAPI 3.1, 4.8.4). Identifier (an SPDX
// expression) and URL exclude each other.
type License struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier,omitempty"`
	URL        string `json:"url,omitempty"`
}

// Server is an address at which the API is served (OpenAPI 3.1, 4.8.5).
type Server struct {
	// URL may be relative to the document and may hold {variables}.
	URL         string               `json:"url"`
	Description string               `json:"description,omitempty"`
	Variables   Map[*ServerVariable] `json:"variables,omitzero"`
}

// ServerVariable fills a {name} in [Server.URL] (OpenAPI 3.1, 4.8.6).
type ServerVariable struct {
	Enum        []string `json:"enum,omitempty"`
	Default     string   `json:"default"`
	Description string   `json:"description,omitempty"`
}

// Tag describes a tag that operations carry (OpenAPI 3.1, 4.8.22).
type Tag struct {
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	ExternalDocs *ExternalDocs `json:"externalDocs,omitempty"`
}

// ExternalDocs points to documentation elsewhere (OpenAPI 3.1, 4.8.11).
type ExternalDocs struct {
	URL         string `json:"url"`
	Description string `json:"description,omitempty"`
}

// Components are the named parts of a document (OpenAPI 3.1, 4.8.7). Names
// match ^[a-zA-Z0-9._-]+$.
type Components struct {
	Schemas         Map[*Schema]         `json:"schemas,omitzero"`
	Responses       Map[*Response]       `json:"responses,omitzero"`
	Parameters      Map[*Parameter]      `json:"parameters,omitzero"`
	Examples        Map[*Example]        `json:"examples,omitzero"`
	RequestBodies   Map[*RequestBody]    `json:"requestBodies,omitzero"`
	Headers         Map[*Header]         `json:"headers,omitzero"`
	SecuritySchemes Map[*SecurityScheme] `json:"securitySchemes,omitzero"`
	Links           Map[*Link]           `json:"links,omitzero"`
	// Callbacks are kept as they were read (4.8.18).
	Callbacks Map[json.RawMessage] `json:"callbacks,omitzero"`
	PathItems Map[*PathItem]       `json:"pathItems,omitzero"`
}

// MarshalJSON writes the document on one line; see [Document.JSON].
func (d *Document) MarshalJSON() ([]byte, error) {
	type plain Document
	out := plain(*d)
	if out.OpenAPI == "" {
		out.OpenAPI = Version
	}
	return marshalExtended(&out, d.Extensions)
}

// UnmarshalJSON reads a document and ignores members that it does not know.
// [Parse] also checks the version and bounds what a hostile document can cost.
func (d *Document) UnmarshalJSON(data []byte) error {
	type plain Document
	return unmarshalExtended(data, (*plain)(d), &d.Extensions)
}
