package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
)

// Mode says which side of the wire a schema is about.
type Mode int

const (
	// Input is what a request may hold: no read-only members, defaults optional.
	Input Mode = iota
	// Output is what an answer holds: no write-only members, computed ones added.
	Output
)

// Describer collects the schemas of one document. Structs become components,
// which is how a type may refer to itself; their names are settled at the end,
// when it is known which would clash.
type Describer struct {
	components map[componentKey]*component
	order      []componentKey
	after      []func()
	lenient    bool // requests may have members that nobody declared
}

type componentKey struct {
	typ   reflect.Type
	mode  Mode
	patch bool // a merge patch of the type
}

type component struct {
	schema *openapi.Schema
	refs   []*openapi.Schema // the places that refer to it
	uses   []componentKey    // what it refers to
	name   string
}

// NewDescriber returns a describer without components.
func NewDescriber() *Describer {
	return &Describer{components: make(map[componentKey]*component)}
}

// Describe returns the schema of the plan's values. References in it are filled
// in by [Describer.Components].
func (d *Describer) Describe(p *Plan, mode Mode) *openapi.Schema {
	d.lenient = p.types.cfg.InsecureIgnoreUnknown != ""
	s := p.node.describe(d, mode)
	if s == nil {
		s = &openapi.Schema{}
	}
	if mode == Input {
		publish(s, "x-writable-by", p.writableBy)
	}
	return s
}

// later runs f once the references are filled in.
func (d *Describer) later(f func()) { d.after = append(d.after, f) }

// Components names what was described and fills in all references. It is called
// once, last.
//
// A type is called by its short name where that is unique, and with its package
// before it where not. A type whose requests and answers look different has two
// components; the one for requests ends in "Input".
func (d *Describer) Components() openapi.Map[*openapi.Schema] {
	differs := d.differing()
	d.assignNames(differs)
	var out openapi.Map[*openapi.Schema]
	names := make([]string, 0, len(d.order))
	byName := make(map[string]*component)
	for _, key := range d.order {
		c := d.components[key]
		for _, ref := range c.refs {
			ref.Ref = "#/components/schemas/" + c.name
		}
		if byName[c.name] == nil {
			names = append(names, c.name)
			byName[c.name] = c
		}
	}
	for _, f := range d.after {
		f()
	}
	slices.Sort(names)
	for _, name := range names {
		out.Set(name, byName[name].schema)
	}
	return out
}

// differing returns the types whose two schemas are not the same, in themselves
// or in something that they refer to.
func (d *Describer) differing() map[reflect.Type]bool {
	differs := make(map[reflect.Type]bool)
	for _, key := range d.order {
		other, both := d.components[componentKey{typ: key.typ, mode: 1 - key.mode}]
		if !both || key.mode == Output || key.patch {
			continue
		}
		if !sameSchema(d.components[key].schema, other.schema) {
			differs[key.typ] = true
		}
	}
	for changed := true; changed; {
		changed = false
		for _, key := range d.order {
			_, both := d.components[componentKey{typ: key.typ, mode: 1 - key.mode}]
			if differs[key.typ] || !both || key.patch {
				continue
			}
			if slices.ContainsFunc(d.components[key].uses, func(k componentKey) bool { return differs[k.typ] }) {
				differs[key.typ], changed = true, true
			}
		}
	}
	return differs
}

func sameSchema(a, b *openapi.Schema) bool {
	left, err := json.Marshal(a)
	right, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(left) == string(right)
}

// assignNames gives each component the shortest name that no other has. All that
// would share a name are qualified, so that none depends on which came first.
func (d *Describer) assignNames(differs map[reflect.Type]bool) {
	level := make(map[componentKey]int)
	for changed := true; changed; {
		changed = false
		owners := make(map[string]map[componentKey]bool)
		for _, key := range d.order {
			name := componentName(key, differs, level[key])
			if owners[name] == nil {
				owners[name] = make(map[componentKey]bool)
			}
			owners[name][identity(key, differs)] = true
		}
		for _, key := range d.order {
			if len(owners[componentName(key, differs, level[key])]) > 1 && level[key] < wholePath {
				level[key]++
				changed = true
			}
		}
	}
	owner := make(map[string]componentKey)
	for _, key := range d.order {
		name := componentName(key, differs, level[key])
		for n := 2; ; n++ { // Two types of one package whose names differ only in what a name may not have.
			if first, taken := owner[name]; !taken || first == identity(key, differs) {
				break
			}
			name = componentName(key, differs, level[key]) + "_" + strconv.Itoa(n)
		}
		owner[name] = identity(key, differs)
		d.components[key].name = name
	}
}

// identity is what has one name: a type, or one of its two sides where they
// differ.
func identity(key componentKey, differs map[reflect.Type]bool) componentKey {
	if !differs[key.typ] {
		key.mode = Input
	}
	return key
}

// wholePath is the level of names that hold their whole package path.
const wholePath = 2

// componentName returns the name of a type: short, with its package's name, or
// with its whole package path.
func componentName(key componentKey, differs map[reflect.Type]bool, level int) string {
	path, name := key.typ.PkgPath(), shortName(key.typ.Name())
	switch level {
	case 1:
		name = path[strings.LastIndexByte(path, '/')+1:] + "." + name
	case wholePath:
		name = path + "." + name
	}
	switch {
	case key.patch:
		name += "Patch"
	case differs[key.typ] && key.mode == Input:
		name += "Input"
	}
	return clean(name)
}

// shortName spells the arguments of a generic type without their packages:
// Page[[]example.com/shop.Item] becomes Page_ListOfItem.
func shortName(name string) string {
	base, args, generic := strings.Cut(name, "[")
	if !generic {
		return name
	}
	args = strings.TrimSuffix(args, "]")
	for _, spelt := range []struct{ from, to string }{{"map[string]", "MapOf"}, {"[]", "ListOf"}, {"*", "Opt"}} {
		args = strings.ReplaceAll(args, spelt.from, spelt.to)
	}
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(args, func(r rune) bool { return strings.ContainsRune("[],", r) }) {
		prefix := ""
		for _, p := range []string{"ListOf", "MapOf", "Opt"} {
			for strings.HasPrefix(word, p) {
				prefix, word = prefix+p, word[len(p):]
			}
		}
		b.WriteString("_" + prefix + word[strings.LastIndexByte(word, '.')+1:])
	}
	return base + b.String()
}

// clean keeps the characters that a component name may have.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name)
}

// describe returns a reference to the component of the struct.
func (n *structNode) describe(d *Describer, mode Mode) *openapi.Schema {
	return d.object(componentKey{typ: n.typ, mode: mode}, func(c *component) { n.describeFields(d, mode, c) })
}

// object returns a reference to a component, which is described when it is first
// asked for.
func (d *Describer) object(key componentKey, describeFields func(*component)) *openapi.Schema {
	c, known := d.components[key]
	if !known {
		c = &component{schema: &openapi.Schema{Type: openapi.Types{"object"}}}
		if key.typ.Name() == "" { // What has no name is described where it stands.
			describeFields(c)
			return c.schema
		}
		d.components[key] = c
		d.order = append(d.order, key)
		describeFields(c)
	}
	ref := &openapi.Schema{Ref: "#"} // The name is known when all are.
	c.refs = append(c.refs, ref)
	return ref
}

func (n *structNode) describeFields(d *Describer, mode Mode, c *component) {
	for i := range n.fields {
		f := &n.fields[i]
		if mode == Input && f.readOnly || mode == Output && f.writeOnly {
			continue
		}
		s := d.field(f.plan, mode, &f.doc)
		s.ReadOnly, s.WriteOnly = f.readOnly, f.writeOnly || s.WriteOnly // A secret is, untagged.
		if f.preset != nil {
			s.Default = f.preset.text
		}
		if mode == Input {
			publish(s, "x-writable-by", f.writableBy)
		} else {
			publish(s, "x-visible-to", f.visibleTo)
		}
		name := f.name
		if mode == Output {
			name = f.out
		}
		c.schema.Properties.Set(name, s)
		if mode == Input && n.required.has(i) || mode == Output && f.omit == omitNever && f.visibleTo == nil {
			c.schema.Required = append(c.schema.Required, name)
		}
		c.uses = append(c.uses, componentsOf(f.plan, mode)...)
	}
	if mode == Output {
		for i := range n.computed {
			m := &n.computed[i]
			s := d.field(m.result, mode, &m.doc)
			s.ReadOnly = true
			publish(s, "x-visible-to", m.visibleTo)
			c.schema.Properties.Set(m.name, s)
			if m.visibleTo == nil {
				c.schema.Required = append(c.schema.Required, m.name)
			}
			c.uses = append(c.uses, componentsOf(m.result, mode)...)
		}
	}
	if mode == Output || !d.lenient {
		c.schema.AdditionalProperties = openapi.Never()
	}
}

// field returns the schema of a member with what its tag says to readers. These
// words stand beside a reference, never in the component, which is shared.
func (d *Describer) field(plan node, mode Mode, doc *document) *openapi.Schema {
	s := plan.describe(d, mode)
	if s == nil {
		s = &openapi.Schema{}
	}
	doc.addTo(s)
	return s
}

func (doc *document) addTo(s *openapi.Schema) {
	s.Title, s.Deprecated = doc.title, doc.deprecated
	if doc.description != "" {
		s.Description = doc.description
	}
	s.Examples = append(s.Examples, doc.examples...)
}

// componentsOf returns the components that a plan refers to directly.
func componentsOf(n node, mode Mode) []componentKey {
	switch n := n.(type) {
	case *structNode:
		if n.typ.Name() != "" {
			return []componentKey{{typ: n.typ, mode: mode}}
		}
		var all []componentKey
		for i := range n.fields {
			all = append(all, componentsOf(n.fields[i].plan, mode)...)
		}
		return all
	case *writtenNode:
		if mode == Output {
			return nil
		}
	case *patchNode: // Its components are those of patches.
		return nil
	}
	var all []componentKey
	for _, inner := range inside(n) {
		all = append(all, componentsOf(inner, mode)...)
	}
	return all
}
