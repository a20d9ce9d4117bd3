package schema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/fastness/fastness/problem"
)

// Computed declares a member of answers whose value a method gives. It stands
// in a blank field:
//
//	type Item struct {
//		Price decimal.Decimal `json:"price"`
//		Tax   decimal.Decimal `json:"tax"`
//		_     schema.Computed `name:"price_with_tax" method:"PriceWithTax"`
//	}
//
//	func (i Item) PriceWithTax() decimal.Decimal { return i.Price.Add(i.Tax) }
type Computed struct{}

// Fields, embedded in a struct, keeps which members a request sent, so that an
// update changes those and no others.
type Fields struct {
	names []string
}

// Has reports whether the member was sent that is called name in requests, whatever
// alias it came under.
func (f *Fields) Has(name string) bool {
	for _, n := range f.names {
		if n == name {
			return true
		}
	}
	return false
}

// Names returns the members that were sent, in the order of the declaration.
func (f *Fields) Names() []string { return append([]string(nil), f.names...) }

func (f *Fields) record(n *structNode, seen bitset) {
	f.names = nil
	for i := range n.fields {
		if seen.has(i) {
			f.names = append(f.names, n.fields[i].name)
		}
	}
}

// document is what a field says about itself to readers.
type document struct {
	title, description string
	examples           []json.RawMessage
	deprecated         bool
}

// structOf returns the plan of t. It is stored before its fields are compiled,
// so that a type may contain itself through a pointer, a slice or a map.
func (c *compiler) structOf(t reflect.Type) node {
	if n, ok := c.structs[t]; ok {
		return n
	}
	n := &structNode{typ: t, byName: make(map[string]int), byAnswer: make(map[string]int), owners: make(map[string]string), checks: ChecksOf(t)}
	c.structs[t] = n
	c.fresh = append(c.fresh, t)
	open := c.open
	c.open = nil
	c.addFields(n, t, nil)
	c.open, n.owners = open, nil
	n.required = make(bitset, max(2, (len(n.fields)+63)/64))
	for i := range n.fields {
		f := &n.fields[i]
		switch {
		case f.readOnly:
		case f.preset != nil:
			n.defaults = append(n.defaults, i)
		case !f.optional:
			n.required.set(i)
		}
	}
	return n
}

func (c *compiler) addFields(n *structNode, t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		where := t.String() + "." + sf.Name
		switch {
		case sf.Type == reflect.TypeFor[Computed]():
			if !c.client {
				c.addComputed(n, sf, where)
			}
		case sf.Type == reflect.TypeFor[Fields]() && sf.Anonymous:
			n.presence = index
		case sf.Tag.Get("json") == "-":
		case sf.Anonymous && sf.Type.Kind() == reflect.Struct && sf.Tag.Get("json") == "" && c.special(sf.Type, &rules{used: map[string]bool{}}, where) == nil:
			parseRules(sf.Tag).reportUnused(c, where)
			c.misplaced(sf.Tag, where, append(accessKeys(), "alias", "out")...)
			c.addFields(n, sf.Type, index)
		case sf.Anonymous && sf.Type.Kind() == reflect.Pointer && sf.Tag.Get("json") == "":
			c.mistake(where, "an embedded pointer has no members when it is nil: embed the struct, or name the member")
		case !sf.IsExported():
			if _, tagged := sf.Tag.Lookup("json"); tagged {
				c.mistake(where, "an unexported field cannot be a member")
			}
		default:
			c.addField(n, sf, index, where)
		}
	}
}

func (c *compiler) addField(n *structNode, sf reflect.StructField, index []int, where string) {
	f := field{index: index}
	name, options, styled := c.memberOf(sf)
	f.name, f.styled = name, styled
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "omitzero":
			f.omit, f.optional = omitZero, true
			f.asksZero = sf.Type.Kind() == reflect.Interface || sf.Type.Implements(reflect.TypeFor[interface{ IsZero() bool }]())
		case "omitempty":
			f.omit, f.optional = omitEmpty, true
		default:
			c.mistake(where, "json option %q is not supported", option)
		}
	}
	r := parseRules(sf.Tag)
	f.plan = c.compile(sf.Type, r, where)
	r.reportUnused(c, where)
	f.readOnly = c.flag(sf.Tag, where, "readOnly")
	f.writeOnly = c.flag(sf.Tag, where, "writeOnly")
	if f.readOnly && f.writeOnly {
		c.mistake(where, "readOnly and writeOnly together leave nothing")
	}
	c.nameMember(&f, sf.Tag, where)
	if c.client {
		f.readOnly, f.writeOnly = f.writeOnly, f.readOnly
	}
	if w, ok := f.plan.(*wrapNode); ok && w.kind != kindNull {
		f.optional = !c.flag(sf.Tag, where, "required")
		if w.kind == kindOpt && f.omit == omitNever {
			f.omit = omitAbsent
		}
	}
	f.doc = c.document(sf.Tag, f.plan, where)
	if text, ok := sf.Tag.Lookup("default"); ok {
		f.preset = c.preset(sf.Type, f.plan, text, where)
	}
	c.restrict(&f, sf.Tag, where)
	c.register(n, f, sf.Tag.Get("alias"), where)
}

func (c *compiler) flag(tag reflect.StructTag, where, name string) bool {
	text, ok := tag.Lookup(name)
	if !ok {
		return false
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		c.mistake(where, "%s is %q, want true or false", name, text)
	}
	return yes
}

// document reads what the tag says to readers.
func (c *compiler) document(tag reflect.StructTag, n node, where string) document {
	d := document{
		title: tag.Get("title"), description: tag.Get("doc"), deprecated: c.flag(tag, where, "deprecated"),
	}
	if text, ok := tag.Lookup("example"); ok {
		d.examples = append(d.examples, c.sample(n, text, where, "example"))
	}
	return d
}

// preset reads a default and checks it against the field's own rules.
func (c *compiler) preset(t reflect.Type, n node, text, where string) *preset {
	p := &preset{c.sample(n, text, where, "default")}
	if len(secretsIn(n, where, make(map[*structNode]bool))) > 0 {
		c.mistake(where, "a secret with a default is known to everybody")
	}
	v := reflect.New(t).Elem()
	report := &Report{Viewer: everyRole{}}
	d := decoder{cfg: &Config{MaxDepth: 64}, report: report, data: p.text, ascii: isASCII(p.text)}
	n.decode(&d, v)
	if !report.OK() {
		for _, violation := range report.violations {
			c.mistake(where, "default %q: %s", text, violation.Detail)
		}
	}
	return p
}

// sample turns the text of a tag into JSON: as it stands where it is JSON of
// the right kind, as a string otherwise.
func (c *compiler) sample(n node, text, where, what string) json.RawMessage {
	if s := n.describe(NewDescriber(), Input); s != nil && len(s.Type) > 0 && s.Type[0] == "string" {
		return problem.AppendString(nil, text)
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	c.mistake(where, "%s %q is not JSON", what, text)
	return json.RawMessage("null")
}

func (c *compiler) addComputed(n *structNode, sf reflect.StructField, where string) {
	name, method := sf.Tag.Get("name"), sf.Tag.Get("method") // Not json: go vet refuses that tag on a blank field.
	if name == "" || method == "" {
		c.mistake(where, "a computed member needs the tags name and method")
		return
	}
	c.claim(n, name, where)
	pointer := reflect.PointerTo(n.typ)
	m, ok := n.typ.MethodByName(method)
	onPtr := !ok
	if onPtr {
		m, ok = pointer.MethodByName(method)
	}
	if !ok || m.Type.NumIn() != 1 || m.Type.NumOut() != 1 {
		c.mistake(where, "method %s of %s must exist, take nothing and return one value", method, n.typ)
		return
	}
	r := parseRules(sf.Tag)
	result := c.compile(m.Type.Out(0), r, where)
	r.reportUnused(c, where)
	n.computed = append(n.computed, computed{
		name: name, method: m.Index, onPtr: onPtr, result: result, doc: c.document(sf.Tag, result, where),
		visibleTo: c.roles(sf.Tag, where, "visibleTo"),
	})
	if _, ok := sf.Tag.Lookup("writableBy"); ok {
		c.mistake(where, "writableBy on a computed member, which nobody sends")
	}
}
