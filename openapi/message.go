package openapi

import "encoding/json"

// Parameter is an input outside the body (OpenAPI 3.1, 4.8.12). It has a Schema
// or a Content of one member, not both.
type Parameter struct {
	// Ref names a parameter elsewhere that this one stands for.
	Ref string `json:"$ref,omitempty"`
	// Name is case-sensitive, but for headers. It is required.
	Name string `json:"name,omitempty"`
	// In is "path", "query", "header" or "cookie". It is required.
	In          string `json:"in,omitempty"`
	Description string `json:"description,omitempty"`
	// Required must be true in a path.
	Required   bool `json:"required,omitempty"`
	Deprecated bool `json:"deprecated,omitempty"`
	// AllowEmptyValue is for the query only, and discouraged.
	AllowEmptyValue bool `json:"allowEmptyValue,omitempty"`
	// Style says how a value is written. The default is "form" in the query and
	// in cookies, "simple" in a path and in headers.
	Style string `json:"style,omitempty"`
	// Explode writes each item of an array or object on its own. The default is
	// true for the style "form" and false for all others.
	Explode *bool `json:"explode,omitempty"`
	// AllowReserved lets reserved characters pass without percent-encoding.
	AllowReserved bool            `json:"allowReserved,omitempty"`
	Schema        *Schema         `json:"schema,omitempty"`
	Example       json.RawMessage `json:"example,omitempty"`
	Examples      Map[*Example]   `json:"examples,omitzero"`
	Content       Map[*MediaType] `json:"content,omitzero"`
}

// RequestBody is the body of a request by media type (OpenAPI 3.1, 4.8.13).
type RequestBody struct {
	// Ref names a request body elsewhere that this one stands for.
	Ref         string          `json:"$ref,omitempty"`
	Description string          `json:"description,omitempty"`
	Content     Map[*MediaType] `json:"content,omitzero"`
	Required    bool            `json:"required,omitempty"`
}

// MediaType describes a body of one media type (OpenAPI 3.1, 4.8.14).
type MediaType struct {
	Schema   *Schema         `json:"schema,omitempty"`
	Example  json.RawMessage `json:"example,omitempty"`
	Examples Map[*Example]   `json:"examples,omitzero"`
	// Encoding says how the properties of a form or multipart body are written.
	Encoding Map[*Encoding] `json:"encoding,omitzero"`
}

// Encoding is how one property of a form is written (OpenAPI 3.1, 4.8.15).
type Encoding struct {
	ContentType   string       `json:"contentType,omitempty"`
	Headers       Map[*Header] `json:"headers,omitzero"`
	Style         string       `json:"style,omitempty"`
	Explode       *bool        `json:"explode,omitempty"`
	AllowReserved bool         `json:"allowReserved,omitempty"`
}

// Response is one answer of an operation (OpenAPI 3.1, 4.8.17).
type Response struct {
	// Ref names a response elsewhere that this one stands for.
	Ref string `json:"$ref,omitempty"`
	// Description is required, though it may be empty.
	Description string          `json:"description"`
	Headers     Map[*Header]    `json:"headers,omitzero"`
	Content     Map[*MediaType] `json:"content,omitzero"`
	Links       Map[*Link]      `json:"links,omitzero"`
}

// MarshalJSON writes the description even if it is empty, but not beside a
// reference, where it would replace that of what is referred to.
func (r *Response) MarshalJSON() ([]byte, error) {
	if r.Ref != "" {
		return marshal(struct {
			Ref         string `json:"$ref"`
			Description string `json:"description,omitempty"`
		}{r.Ref, r.Description})
	}
	type plain Response
	return marshal((*plain)(r))
}

// Header is a header of a response or of a part (OpenAPI 3.1, 4.8.21).
type Header struct {
	// Ref names a header elsewhere that this one stands for.
	Ref         string          `json:"$ref,omitempty"`
	Description string          `json:"description,omitempty"`
	Required    bool            `json:"required,omitempty"`
	Deprecated  bool            `json:"deprecated,omitempty"`
	Style       string          `json:"style,omitempty"`
	Explode     *bool           `json:"explode,omitempty"`
	Schema      *Schema         `json:"schema,omitempty"`
	Example     json.RawMessage `json:"example,omitempty"`
	Examples    Map[*Example]   `json:"examples,omitzero"`
	Content     Map[*MediaType] `json:"content,omitzero"`
}

// Example is a named example (OpenAPI 3.1, 4.8.19). Value and ExternalValue (a
// URL) exclude each other.
type Example struct {
	// Ref names an example elsewhere that this one stands for.
	Ref           string          `json:"$ref,omitempty"`
	Summary       string          `json:"summary,omitempty"`
	Description   string          `json:"description,omitempty"`
	Value         json.RawMessage `json:"value,omitempty"`
	ExternalValue string          `json:"externalValue,omitempty"`
}

// Link says how values of a response feed another operation (OpenAPI 3.1,
// 4.8.20). It names the operation by OperationID or by OperationRef.
type Link struct {
	// Ref names a link elsewhere that this one stands for.
	Ref          string `json:"$ref,omitempty"`
	OperationRef string `json:"operationRef,omitempty"`
	OperationID  string `json:"operationId,omitempty"`
	// Parameters are constants or runtime expressions ("$response.body#/id").
	Parameters  Map[json.RawMessage] `json:"parameters,omitzero"`
	RequestBody json.RawMessage      `json:"requestBody,omitempty"`
	Description string               `json:"description,omitempty"`
	Server      *Server              `json:"server,omitempty"`
}
