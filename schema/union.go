package schema

import (
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/openapi"
)

// Union, embedded in a struct, makes the struct one of several types: its other
// fields are pointers, and exactly one of them is set.
//
//	type Pet struct {
//		schema.Union `discriminator:"kind"`
//		Cat *Cat
//		Dog *Dog
//	}
//
//	type Cat struct {
//		Kind  string `json:"kind" const:"cat"`
//		Lives int    `json:"lives" minimum:"0" maximum:"9"`
//	}
//
// With a discriminator every variant is a struct whose member of that name is a
// const. Without one the variants must be of different JSON types, such as a
// string and an object.
type Union struct{}

func isUnion(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Type == reflect.TypeFor[Union]() {
			return true
		}
	}
	return false
}

// unionNode is the plan of a union.
type unionNode struct {
	typ           reflect.Type
	discriminator string
	variants      []variant
}

type variant struct {
	tag   string // the discriminator's constant, or the JSON type
	field int
	plan  node
}

func (c *compiler) union(t reflect.Type, where string) node {
	n := &unionNode{typ: t}
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Type == reflect.TypeFor[Union]():
			n.discriminator = f.Tag.Get("discriminator")
		case f.Type.Kind() != reflect.Pointer || !f.IsExported():
			c.mistake(where+"."+f.Name, "a variant of a union is an exported pointer")
		default:
			r := parseRules(f.Tag)
			v := variant{field: i, plan: c.compile(f.Type.Elem(), r, where+"."+f.Name)}
			r.reportUnused(c, where+"."+f.Name)
			c.misplaced(f.Tag, where+"."+f.Name, accessKeys()...)
			n.variants = append(n.variants, v)
		}
	}
	if len(n.variants) == 0 {
		c.mistake(where, "a union needs variants")
	}
	c.after = append(c.after, func() { n.tag(c, where) }) // A variant may hold the union, and be half-way compiled.
	return n
}

// tag finds out by what each variant is known.
func (n *unionNode) tag(c *compiler, where string) {
	seen := make(map[string]bool)
	for i := range n.variants {
		v := &n.variants[i]
		name := where + "." + n.typ.Field(v.field).Name
		if n.discriminator != "" {
			v.tag = c.constantOf(v.plan, n.discriminator, name)
			if v.tag == "" {
				c.mistake(name, "the variant needs a string member %q with a const", n.discriminator)
				continue
			}
		} else {
			v.tag = jsonType(v.plan)
		}
		if seen[v.tag] || v.tag == "" {
			c.mistake(name, "the variant cannot be told from the others (%q): use a discriminator", v.tag)
		}
		seen[v.tag] = true
	}
}

// constantOf returns the constant of a struct's member, which must be for
// everybody: who does not get it could not tell what they got.
func (c *compiler) constantOf(plan node, name, where string) string {
	s, ok := plan.(*structNode)
	if !ok {
		return ""
	}
	i, ok := s.byName[name]
	if !ok {
		return ""
	}
	if f := &s.fields[i]; f.visibleTo != nil || f.writableBy != nil {
		c.mistake(where, "the member %q tells the variants apart, so it is for everybody", name)
	}
	if f := &s.fields[i]; f.out != f.name {
		c.mistake(where, "the member %q tells the variants apart, so it has one name", name)
	}
	if text, ok := s.fields[i].plan.(*stringNode); ok && text.constant {
		return text.texts[0]
	}
	return ""
}

// jsonType returns the JSON type of a plan's values, or "" if there are several.
func jsonType(plan node) string {
	switch n := plan.(type) {
	case *structNode, *mapNode:
		return "object"
	case *listNode:
		return "array"
	case *boolNode:
		return "boolean"
	case *intNode, *floatNode, *decimalNode, *literalNode:
		return "number"
	case *stringNode, *textTypeNode, *timeNode, *durationNode, *bytesNode:
		return "string"
	case *checkedNode:
		return jsonType(n.node)
	case *encodedNode:
		return jsonType(n.inner)
	case *writtenNode:
		return jsonType(n.node)
	default:
		return ""
	}
}

func (n *unionNode) decode(d *decoder, v reflect.Value) bool {
	tag, found, ok := n.peekTag(d)
	if !ok {
		return false
	}
	if !found {
		return d.skip()
	}
	if i := n.tagged(tag); i >= 0 {
		variant := &n.variants[i]
		p := reflect.New(variant.typ(n))
		v.Field(variant.field).Set(p)
		return variant.plan.decode(d, p.Elem())
	}
	d.violate("union_tag_invalid", limit("discriminator", "'"+n.discriminator+"'"), limit("expected_tags", n.tags()))
	return d.skip()
}

func (v *variant) typ(n *unionNode) reflect.Type { return n.typ.Field(v.field).Type.Elem() }

func (n *unionNode) tags() string {
	tags := make([]string, len(n.variants))
	for i, v := range n.variants {
		tags[i] = "'" + v.tag + "'"
	}
	return strings.Join(tags, ", ")
}

// peekTag looks ahead for what tells the variants apart, and says what is wrong if
// it is not there.
func (n *unionNode) peekTag(d *decoder) (tag string, found, ok bool) {
	if n.discriminator != "" && d.peek() != '{' {
		d.violate("model_attributes_type")
		return "", false, true
	}
	tag, found, ok = n.lookAhead(d)
	if ok && !found {
		d.violate("union_tag_not_found", limit("discriminator", "'"+n.discriminator+"'"))
	}
	return tag, found, ok
}

// lookAhead finds what tells the variants apart, if it is there, and comes back. The
// object is read again by the variant's plan, which sees every duplicate.
func (n *unionNode) lookAhead(d *decoder) (tag string, found, ok bool) {
	if n.discriminator == "" || d.peek() != '{' {
		return peekType(d.peek()), true, true
	}
	start, depth := d.pos, d.depth
	ok = d.members(func(from, to int, escaped bool) bool {
		if !found && d.content(from, to, escaped) == n.discriminator && d.peek() == '"' {
			tag, found = d.readString()
			return found
		}
		return d.skip()
	})
	if ok {
		d.pos, d.depth = start, depth
	}
	return tag, found, ok
}

// tagged returns the index of the variant with the tag, or -1.
func (n *unionNode) tagged(tag string) int {
	return slices.IndexFunc(n.variants, func(v variant) bool { return v.tag == tag })
}

func peekType(c byte) string {
	switch c {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

func (n *unionNode) encode(e *encoder, v reflect.Value) {
	for _, variant := range n.variants {
		if p := v.Field(variant.field); !p.IsNil() {
			variant.plan.encode(e, p.Elem())
			return
		}
	}
	e.fail("%s holds no variant", n.typ)
}

func (n *unionNode) describe(d *Describer, mode Mode) *openapi.Schema {
	s := &openapi.Schema{}
	for _, variant := range n.variants {
		s.OneOf = append(s.OneOf, variant.plan.describe(d, mode))
	}
	if n.discriminator != "" {
		s.Discriminator = &openapi.Discriminator{PropertyName: n.discriminator, Mapping: map[string]string{}}
		for i, variant := range n.variants {
			d.later(func() { s.Discriminator.Mapping[variant.tag] = s.OneOf[i].Ref })
		}
	}
	return s
}
