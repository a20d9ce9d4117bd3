// Package openapi is the OpenAPI 3.1 document as Go values: what an app writes
// about itself and what a tool reads about any API.
package openapi

import (
	"bytes"
	"encoding/json"
)

// Schema is a JSON Schema of dialect 2020-12, as far as OpenAPI 3.1 documents
// use it. The zero value accepts everything.
type Schema struct {
	// Bool makes the schema the literal true or false; all else is then ignored.
	Bool *bool `json:"-"`

	Ref         string `json:"$ref,omitempty"`
	Type        Types  `json:"type,omitzero"`
	Format      string `json:"format,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Enum     []any             `json:"enum,omitempty"`
	Const    any               `json:"const,omitempty"`
	Default  json.RawMessage   `json:"default,omitempty"`
	Examples []json.RawMessage `json:"examples,omitempty"`

	Minimum          json.Number `json:"minimum,omitempty"`
	ExclusiveMinimum json.Number `json:"exclusiveMinimum,omitempty"`
	Maximum          json.Number `json:"maximum,omitempty"`
	ExclusiveMaximum json.Number `json:"exclusiveMaximum,omitempty"`
	MultipleOf       json.Number `json:"multipleOf,omitempty"`

	MinLength        *int   `json:"minLength,omitempty"`
	MaxLength        *int   `json:"maxLength,omitempty"`
	Pattern          string `json:"pattern,omitempty"`
	ContentEncoding  string `json:"contentEncoding,omitempty"`
	ContentMediaType string `json:"contentMediaType,omitempty"`

	Items       *Schema   `json:"items,omitempty"`
	PrefixItems []*Schema `json:"prefixItems,omitempty"`
	MinItems    *int      `json:"minItems,omitempty"`
	MaxItems    *int      `json:"maxItems,omitempty"`
	UniqueItems bool      `json:"uniqueItems,omitempty"`

	Properties           Map[*Schema] `json:"properties,omitzero"`
	Required             []string     `json:"required,omitempty"`
	AdditionalProperties *Schema      `json:"additionalProperties,omitempty"`
	PropertyNames        *Schema      `json:"propertyNames,omitempty"`
	MinProperties        *int         `json:"minProperties,omitempty"`
	MaxProperties        *int         `json:"maxProperties,omitempty"`

	AllOf         []*Schema      `json:"allOf,omitempty"`
	AnyOf         []*Schema      `json:"anyOf,omitempty"`
	OneOf         []*Schema      `json:"oneOf,omitempty"`
	Not           *Schema        `json:"not,omitempty"`
	Discriminator *Discriminator `json:"discriminator,omitempty"`

	ReadOnly   bool `json:"readOnly,omitempty"`
	WriteOnly  bool `json:"writeOnly,omitempty"`
	Deprecated bool `json:"deprecated,omitempty"`
}

// Discriminator says which property tells the variants of a union apart.
type Discriminator struct {
	PropertyName string            `json:"propertyName"`
	Mapping      map[string]string `json:"mapping,omitempty"`
}

// Types is the "type" keyword: one name or several.
type Types []string

// IsZero reports whether no type is named.
func (t Types) IsZero() bool { return len(t) == 0 }

// MarshalJSON writes one name as a string and several as an array.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// UnmarshalJSON reads either form.
func (t *Types) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '"' {
		var one string
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		*t = Types{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// Never is the schema that accepts nothing.
func Never() *Schema { no := false; return &Schema{Bool: &no} }

// MarshalJSON writes the schema, or true or false where Bool is set.
func (s *Schema) MarshalJSON() ([]byte, error) {
	if s.Bool != nil {
		return json.Marshal(*s.Bool)
	}
	type plain Schema
	return marshal((*plain)(s))
}

// UnmarshalJSON reads a schema, or true or false.
func (s *Schema) UnmarshalJSON(data []byte) error {
	switch string(bytes.TrimSpace(data)) {
	case "true", "false":
		yes := data[0] == 't'
		*s = Schema{Bool: &yes}
		return nil
	}
	type plain Schema
	return json.Unmarshal(data, (*plain)(s))
}

// marshal is json.Marshal without the escaping of < > and &, which would make
// patterns unreadable. The document is served with nosniff.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
