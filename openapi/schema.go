package openapi

import (
	"bytes"
	"encoding/json"
)

// Schema is a JSON Schema of dialect 2020-12, as far as OpenAPI 3.1 documents
// use it (OpenAPI 3.1, 4.8.24). The zero value accepts everything.
type Schema struct {
	// Bool makes the schema the literal true or false; all else is then ignored.
	Bool *bool `json:"-"`

	Ref         string `json:"$ref,omitempty"`
	Type        Types  `json:"type,omitzero"`
	Format      string `json:"format,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Enum []any `json:"enum,omitempty"`
	// Const is the only value that is accepted. json.RawMessage("null") is the
	// const null; nil is no const.
	Const    any               `json:"const,omitempty"`
	Default  json.RawMessage   `json:"default,omitempty"`
	Examples []json.RawMessage `json:"examples,omitempty"`
	// Example is what OpenAPI 3.0 had for Examples. It is read, and deprecated.
	Example json.RawMessage `json:"example,omitempty"`

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
	// ContentSchema is that of what the string holds, if it is JSON.
	ContentSchema *Schema `json:"contentSchema,omitempty"`

	Items       *Schema   `json:"items,omitempty"`
	PrefixItems []*Schema `json:"prefixItems,omitempty"`
	MinItems    *int      `json:"minItems,omitempty"`
	MaxItems    *int      `json:"maxItems,omitempty"`
	UniqueItems bool      `json:"uniqueItems,omitempty"`

	Properties           Map[*Schema] `json:"properties,omitzero"`
	Required             []string     `json:"required,omitempty"`
	AdditionalProperties *Schema      `json:"additionalProperties,omitempty"`
	PropertyNames        *Schema      `json:"propertyNames,omitempty"`
	PatternProperties    Map[*Schema] `json:"patternProperties,omitzero"`
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

	// Defs are schemas that Ref names from within this one.
	Defs Map[*Schema] `json:"$defs,omitzero"`

	// Extensions are the members whose names begin with "x-" (4.9).
	Extensions map[string]any `json:"-"`
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
func Never() *Schema { return &Schema{Bool: new(false)} }

// MarshalJSON writes the schema, or true or false where Bool is set.
func (s *Schema) MarshalJSON() ([]byte, error) {
	if s.Bool != nil {
		return json.Marshal(*s.Bool)
	}
	type plain Schema
	return marshalExtended((*plain)(s), s.Extensions)
}

// UnmarshalJSON reads a schema, or true or false.
func (s *Schema) UnmarshalJSON(data []byte) error {
	switch string(bytes.TrimSpace(data)) {
	case "true":
		*s = Schema{Bool: new(true)}
		return nil
	case "false":
		*s = Schema{Bool: new(false)}
		return nil
	}
	type plain Schema
	if err := unmarshalExtended(data, (*plain)(s), &s.Extensions); err != nil {
		return err
	}
	s.PrefixItems = withoutNil(s.PrefixItems)
	s.AllOf, s.AnyOf, s.OneOf = withoutNil(s.AllOf), withoutNil(s.AnyOf), withoutNil(s.OneOf)
	return s.keepNullConst(data)
}

// keepNullConst tells a const of null from no const at all.
func (s *Schema) keepNullConst(data []byte) error {
	if s.Const != nil || !bytes.Contains(data, []byte(`"const"`)) {
		return nil
	}
	var raw struct {
		Const json.RawMessage `json:"const"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw.Const != nil {
		s.Const = raw.Const
	}
	return nil
}
