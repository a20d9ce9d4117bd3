package schema

import (
	"encoding/json"

	"github.com/fastness/fastness/internal/jsonpatch"
	"github.com/fastness/fastness/openapi"
)

// describePatch returns the schema of a merge patch of n's values: nothing is
// required, and what may be left out may be null.
func describePatch(n node, d *Describer) *openapi.Schema {
	switch n := n.(type) {
	case *structNode:
		return n.describePatch(d)
	case *wrapNode:
		if n.kind == kindOpt {
			return describePatch(n.inner, d)
		}
		return nullable(describePatch(n.inner, d))
	case *mapNode:
		return &openapi.Schema{Type: openapi.Types{"object"}, AdditionalProperties: nullable(describePatch(n.value, d))}
	case *checkedNode:
		return describePatch(n.node, d)
	case *writtenNode:
		return describePatch(n.node, d)
	case *unionNode:
		s := &openapi.Schema{}
		for i := range n.variants {
			s.AnyOf = append(s.AnyOf, describePatch(n.variants[i].plan, d))
		}
		return s
	}
	return n.describe(d, Input)
}

func (n *structNode) describePatch(d *Describer) *openapi.Schema {
	return d.object(componentKey{typ: n.typ, mode: Input, patch: true}, func(c *component) { n.describePatchFields(d, c) })
}

func (n *structNode) describePatchFields(d *Describer, c *component) {
	for i := range n.fields {
		f := &n.fields[i]
		if f.readOnly {
			continue
		}
		s := describePatch(f.plan, d)
		if s == nil {
			s = &openapi.Schema{}
		}
		if f.removable() && !isNullable(f.plan) {
			s = nullable(s)
		}
		f.doc.addTo(s)
		s.WriteOnly = f.writeOnly || s.WriteOnly
		publish(s, "x-writable-by", f.writableBy)
		c.schema.Properties.Set(f.out, s)
	}
	if !d.lenient {
		c.schema.AdditionalProperties = openapi.Never()
	}
}

// isNullable reports whether the schema of n has its null already.
func isNullable(n node) bool {
	w, ok := n.(*wrapNode)
	return ok && (w.kind != kindOpt || isNullable(w.inner))
}

func (n *patchNode) describe(d *Describer, _ Mode) *openapi.Schema {
	if n.format == mergePatch {
		return describePatch(n.of, d)
	}
	return describeOperations()
}

// describeOperations returns the schema of a JSON Patch.
func describeOperations() *openapi.Schema {
	pointer := func() *openapi.Schema {
		return &openapi.Schema{Type: openapi.Types{"string"}, Format: "json-pointer"}
	}
	op := func(required []string, names ...string) *openapi.Schema {
		s := &openapi.Schema{Type: openapi.Types{"object"}, Required: append([]string{"op", "path"}, required...)}
		enum := &openapi.Schema{Type: openapi.Types{"string"}}
		for _, name := range names {
			enum.Enum = append(enum.Enum, json.RawMessage(`"`+name+`"`))
		}
		s.Properties.Set("op", enum)
		s.Properties.Set("path", pointer())
		for _, name := range required {
			member := &openapi.Schema{}
			if name == "from" {
				member = pointer()
			}
			s.Properties.Set(name, member)
		}
		return s
	}
	most := jsonpatch.MaxOperations
	return &openapi.Schema{Type: openapi.Types{"array"}, MaxItems: &most, Items: &openapi.Schema{OneOf: []*openapi.Schema{
		op([]string{"value"}, "add", "replace", "test"), op([]string{"from"}, "move", "copy"), op(nil, "remove"),
	}}}
}
