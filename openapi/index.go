package openapi

import (
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// ErrRef is the error of [Resolve] for a reference that leads nowhere.
var ErrRef = errors.New("reference leads nowhere")

// Part is what a document consists of and a Ref may name.
type Part interface {
	*Schema | *Parameter | *RequestBody | *Response | *Header | *Example | *Link | *SecurityScheme | *PathItem
}

// Index finds the parts of a document by their place. It does not see what is
// added to the document later.
type Index struct{ parts map[string]any }

// Index returns an index of the document as it is now.
func (d *Document) Index() Index {
	ix := Index{make(map[string]any)}
	for place, part := range d.Parts() {
		ix.parts[place] = part
	}
	return ix
}

// Resolve follows the Ref of part, and of what that refers to, until it finds a
// part that is not a reference. For a part without a Ref it returns part itself.
// References to other documents are not followed. Note that a schema may
// constrain more beside its Ref; the resolved schema has only what is named.
func Resolve[P Part](ix Index, part P) (P, error) {
	if part == nil {
		return nil, ErrRef
	}
	// The chain of references is no longer than there are parts, or it is a circle.
	for range len(ix.parts) + 1 {
		ref := refOf(part)
		if ref == "" {
			return part, nil
		}
		next, ok := ix.parts[place(ref)].(P)
		if !ok {
			return nil, fmt.Errorf("%q: %w", ref, ErrRef)
		}
		part = next
	}
	return nil, fmt.Errorf("%q refers to itself: %w", refOf(part), ErrRef)
}

// place is the key of the index for a reference: a fragment may be
// percent-encoded (RFC 6901, section 6).
func place(ref string) string {
	if plain, err := url.PathUnescape(ref); err == nil {
		return plain
	}
	return ref
}

func refOf(part any) string {
	switch p := part.(type) {
	case *Schema:
		return p.Ref
	case *Parameter:
		return p.Ref
	case *RequestBody:
		return p.Ref
	case *Response:
		return p.Ref
	case *Header:
		return p.Ref
	case *Example:
		return p.Ref
	case *Link:
		return p.Ref
	case *SecurityScheme:
		return p.Ref
	case *PathItem:
		return p.Ref
	}
	return ""
}

// Parts yields every [Part] of the document with its place as a Ref spells it
// ("#/components/schemas/Item"), and every *Operation, in document order.
// References are yielded, not followed.
func (d *Document) Parts() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		w := walker{yield: yield}
		pathItems(&w, "#/paths", d.Paths)
		pathItems(&w, "#/webhooks", d.Webhooks)
		w.components("#/components", &d.Components)
	}
}

// walker visits parts until yield has had enough.
type walker struct {
	yield   func(string, any) bool
	stopped bool
}

// visit reports whether to go into part.
func (w *walker) visit(at string, part any) bool {
	if !w.stopped && !w.yield(at, part) {
		w.stopped = true
	}
	return !w.stopped
}

// each visits the members of a map, and what is in them by inside, if not nil.
func each[V any](w *walker, at string, m Map[*V], inside func(string, *V)) {
	for name, part := range m.All() {
		if part == nil {
			continue
		}
		here := at + "/" + escapePointer(name)
		if w.visit(here, part) && inside != nil {
			inside(here, part)
		}
	}
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func pathItems(w *walker, at string, m Map[*PathItem]) { each(w, at, m, w.pathItem) }

func (w *walker) components(at string, c *Components) {
	each(w, at+"/schemas", c.Schemas, w.inSchema)
	each(w, at+"/responses", c.Responses, w.response)
	each(w, at+"/parameters", c.Parameters, w.parameter)
	each(w, at+"/examples", c.Examples, nil)
	each(w, at+"/requestBodies", c.RequestBodies, w.requestBody)
	each(w, at+"/headers", c.Headers, w.header)
	each(w, at+"/securitySchemes", c.SecuritySchemes, nil)
	each(w, at+"/links", c.Links, nil)
	pathItems(w, at+"/pathItems", c.PathItems)
}

func (w *walker) pathItem(at string, p *PathItem) {
	for method, op := range p.Operations() {
		here := at + "/" + strings.ToLower(method)
		if !w.visit(here, op) {
			return
		}
		w.parameters(here+"/parameters", op.Parameters)
		if op.RequestBody != nil && w.visit(here+"/requestBody", op.RequestBody) {
			w.requestBody(here+"/requestBody", op.RequestBody)
		}
		each(w, here+"/responses", op.Responses, w.response)
	}
	w.parameters(at+"/parameters", p.Parameters)
}

func (w *walker) parameters(at string, list []*Parameter) {
	for i, p := range list {
		here := at + "/" + strconv.Itoa(i)
		if p != nil && w.visit(here, p) {
			w.parameter(here, p)
		}
	}
}

func (w *walker) parameter(at string, p *Parameter) {
	w.schema(at+"/schema", p.Schema)
	each(w, at+"/examples", p.Examples, nil)
	w.content(at+"/content", p.Content)
}

func (w *walker) header(at string, h *Header) {
	w.schema(at+"/schema", h.Schema)
	each(w, at+"/examples", h.Examples, nil)
	w.content(at+"/content", h.Content)
}

func (w *walker) requestBody(at string, b *RequestBody) { w.content(at+"/content", b.Content) }

func (w *walker) response(at string, r *Response) {
	each(w, at+"/headers", r.Headers, w.header)
	w.content(at+"/content", r.Content)
	each(w, at+"/links", r.Links, nil)
}

func (w *walker) content(at string, content Map[*MediaType]) {
	for name, m := range content.All() {
		if m == nil {
			continue
		}
		here := at + "/" + escapePointer(name)
		w.schema(here+"/schema", m.Schema)
		each(w, here+"/examples", m.Examples, nil)
		for property, e := range m.Encoding.All() {
			if e != nil {
				each(w, here+"/encoding/"+escapePointer(property)+"/headers", e.Headers, w.header)
			}
		}
	}
}

func (w *walker) schema(at string, s *Schema) {
	if s != nil && w.visit(at, s) {
		w.inSchema(at, s)
	}
}

func (w *walker) inSchema(at string, s *Schema) {
	w.schema(at+"/items", s.Items)
	w.schemas(at+"/prefixItems", s.PrefixItems)
	each(w, at+"/properties", s.Properties, w.inSchema)
	w.schema(at+"/additionalProperties", s.AdditionalProperties)
	w.schema(at+"/propertyNames", s.PropertyNames)
	w.schema(at+"/contentSchema", s.ContentSchema)
	each(w, at+"/patternProperties", s.PatternProperties, w.inSchema)
	w.schemas(at+"/allOf", s.AllOf)
	w.schemas(at+"/anyOf", s.AnyOf)
	w.schemas(at+"/oneOf", s.OneOf)
	w.schema(at+"/not", s.Not)
	each(w, at+"/$defs", s.Defs, w.inSchema)
}

func (w *walker) schemas(at string, list []*Schema) {
	for i, s := range list {
		w.schema(at+"/"+strconv.Itoa(i), s)
	}
}
