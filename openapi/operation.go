package openapi

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
)

// PathItem is what one path offers (OpenAPI 3.1, 4.8.9).
type PathItem struct {
	// Ref names a path item elsewhere that this one stands for.
	Ref         string `json:"$ref,omitempty"`
	Summary     string `json:"summary,omitempty"`
	Description string `json:"description,omitempty"`

	Get     *Operation `json:"get,omitempty"`
	Put     *Operation `json:"put,omitempty"`
	Post    *Operation `json:"post,omitempty"`
	Delete  *Operation `json:"delete,omitempty"`
	Options *Operation `json:"options,omitempty"`
	Head    *Operation `json:"head,omitempty"`
	Patch   *Operation `json:"patch,omitempty"`
	Trace   *Operation `json:"trace,omitempty"`

	// Servers replace the document's for this path.
	Servers []Server `json:"servers,omitempty"`
	// Parameters belong to every operation of the path, unless it declares one
	// of the same name and place itself.
	Parameters []*Parameter `json:"parameters,omitempty"`
}

// slot is the field that holds the operation of one method.
type slot struct {
	method string
	op     **Operation
}

func (p *PathItem) slots() [8]slot {
	return [8]slot{
		{"GET", &p.Get}, {"PUT", &p.Put}, {"POST", &p.Post}, {"DELETE", &p.Delete},
		{"OPTIONS", &p.Options}, {"HEAD", &p.Head}, {"PATCH", &p.Patch}, {"TRACE", &p.Trace},
	}
}

// Operations yields the operations of the path by HTTP method, always in the
// same order. A path item that is a Ref has none; see [Resolve].
func (p *PathItem) Operations() iter.Seq2[string, *Operation] {
	return func(yield func(string, *Operation) bool) {
		for _, s := range p.slots() {
			if *s.op != nil && !yield(s.method, *s.op) {
				return
			}
		}
	}
}

// SetOperation sets the operation of an HTTP method ("GET"). It reports false
// for methods that OpenAPI 3.1 cannot describe, such as CONNECT.
func (p *PathItem) SetOperation(method string, op *Operation) bool {
	for _, s := range p.slots() {
		if s.method == method {
			*s.op = op
			return true
		}
	}
	return false
}

// UnmarshalJSON reads a path item.
func (p *PathItem) UnmarshalJSON(data []byte) error {
	type plain PathItem
	err := unmarshal(data, (*plain)(p))
	p.Parameters = withoutNil(p.Parameters)
	return err
}

// Operation is one method of one path (OpenAPI 3.1, 4.8.10).
type Operation struct {
	// Tags group operations.
	Tags []string `json:"tags,omitempty"`
	// Summary is one line.
	Summary string `json:"summary,omitempty"`
	// Description may be CommonMark.
	Description  string        `json:"description,omitempty"`
	ExternalDocs *ExternalDocs `json:"externalDocs,omitempty"`
	// OperationID is unique in the document. Clients are generated with it.
	OperationID string `json:"operationId,omitempty"`
	// Parameters are unique by name and place.
	Parameters  []*Parameter `json:"parameters,omitempty"`
	RequestBody *RequestBody `json:"requestBody,omitempty"`
	// Responses are by status ("201"), range ("4XX") or "default" (4.8.16).
	Responses Map[*Response] `json:"responses,omitzero"`
	// Callbacks are kept as they were read (4.8.18).
	Callbacks  Map[json.RawMessage] `json:"callbacks,omitzero"`
	Deprecated bool                 `json:"deprecated,omitempty"`
	// Security replaces the document's. nil inherits it; empty but not nil says
	// that the operation is open to everybody.
	Security []SecurityRequirement `json:"security,omitzero"`
	// Servers replace the path's.
	Servers []Server `json:"servers,omitempty"`

	// Extensions are the members whose names begin with "x-" (4.9).
	Extensions map[string]any `json:"-"`
}

// MarshalJSON writes the operation with its extensions last, by name.
func (o *Operation) MarshalJSON() ([]byte, error) {
	type plain Operation
	return marshalExtended((*plain)(o), o.Extensions)
}

// UnmarshalJSON reads an operation and its extensions.
func (o *Operation) UnmarshalJSON(data []byte) error {
	type plain Operation
	err := unmarshalExtended(data, (*plain)(o), &o.Extensions)
	o.Parameters = withoutNil(o.Parameters)
	return err
}

// SecurityRequirement maps names in [Components.SecuritySchemes] to the scopes
// or roles that are needed (OpenAPI 3.1, 4.8.30). All members must be satisfied
// together. The empty requirement is satisfied by anybody.
type SecurityRequirement map[string][]string

// MarshalJSON writes the members by name, and no scopes as an empty array.
func (r SecurityRequirement) MarshalJSON() ([]byte, error) {
	var ordered Map[[]string]
	for _, name := range slices.Sorted(maps.Keys(r)) {
		scopes := r[name]
		if scopes == nil {
			scopes = []string{}
		}
		ordered.Set(name, scopes)
	}
	return ordered.MarshalJSON()
}

// UnmarshalJSON reads a requirement. It refuses null: read as an empty
// requirement it would open the operation to everybody.
func (r *SecurityRequirement) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		return errors.New("security requirement is null, want an object")
	}
	return json.Unmarshal(data, (*map[string][]string)(r))
}
