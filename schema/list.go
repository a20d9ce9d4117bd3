package schema

import (
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// listNode is the plan of a slice, or of an array, which has a fixed length.
type listNode struct {
	item     node
	min, max int
	unique   bool
	array    bool
	empty    reflect.Value // what [] decodes to: no items, but not nil
}

func (c *compiler) list(t reflect.Type, r *rules, where string) node {
	n := &listNode{array: t.Kind() == reflect.Array}
	n.min, n.max = r.pair(c, where, "minItems", "maxItems")
	if n.array {
		n.min, n.max = t.Len(), t.Len()
	}
	if text, ok := r.take("uniqueItems"); ok {
		if n.unique, _ = strconv.ParseBool(text); !n.unique && text != "false" {
			c.mistake(where, "uniqueItems is %q, want true or false", text)
		}
	}
	n.item = c.compile(t.Elem(), r.without("minItems", "maxItems", "uniqueItems"), where+"[]")
	if !n.array {
		n.empty = reflect.MakeSlice(t, 0, 0)
	}
	return n
}

func (n *listNode) decode(d *decoder, v reflect.Value) bool {
	if d.peek() != '[' {
		d.violate("list_type")
		return d.skip()
	}
	if !n.array {
		v.Set(n.empty)
	}
	total := 0
	before := d.report.count()
	last := d.down()
	ok := d.elements(func(i int) bool {
		total = i + 1
		d.path[last] = problem.Index(i)
		if n.max >= 0 && i >= n.max {
			// An item too many is not worth the memory of its value.
			return d.skip()
		}
		if i > 0 && len(d.report.violations) >= DefaultMaxViolations {
			// Nor is one of a body that is refused anyway: it is only counted.
			v.Index(0).SetZero()
			return n.item.decode(d, v.Index(0))
		}
		return n.room(d, v, i) && n.item.decode(d, n.slot(v, i))
	})
	d.up()
	if !ok {
		return false
	}
	n.checkLength(d, total)
	if n.unique && d.report.count() == before {
		n.checkUnique(d, v)
	}
	return true
}

// room grows the slice for item i, if need be and if the body may have more.
func (n *listNode) room(d *decoder, v reflect.Value, i int) bool {
	if n.array || i < v.Cap() {
		return true
	}
	size := int(v.Type().Elem().Size())
	// Most lists are short: small items get room for eight at once.
	more := max(4, min(8, 256/max(1, size)), i/2)
	if !d.spend(more * size) {
		return false
	}
	v.Grow(more)
	return true
}

// slot returns the place of item i.
func (n *listNode) slot(v reflect.Value, i int) reflect.Value {
	if !n.array {
		v.SetLen(i + 1)
	}
	return v.Index(i)
}

func (n *listNode) decodeTexts(d *decoder, texts []string, v reflect.Value) {
	item, ok := n.item.(textNode)
	if !ok {
		d.violate("list_type")
		return
	}
	before := d.report.count()
	v.Set(n.empty)
	v.Grow(len(texts)) // As many as the request line and the form have room for.
	last := d.down()
	for i, s := range texts {
		if n.max >= 0 && i >= n.max {
			break
		}
		d.path[last] = problem.Index(i)
		d.ascii = isASCIIString(s)
		item.decodeText(d, s, n.slot(v, i))
	}
	d.up()
	n.checkLength(d, len(texts))
	if n.unique && d.report.count() == before {
		n.checkUnique(d, v)
	}
}

func (n *listNode) checkLength(d *decoder, total int) {
	switch {
	case total < n.min:
		d.violate("too_short", limit("field_type", "List"), limit("min_length", n.min), limit("actual_length", total))
	case n.max >= 0 && total > n.max:
		d.violate("too_long", limit("field_type", "List"), limit("max_length", n.max), limit("actual_length", total))
	}
}

// checkUnique compares the items as JSON: two spellings of one value are equal.
func (n *listNode) checkUnique(d *decoder, v reflect.Value) {
	seen := make(map[string]bool, v.Len())
	for i := range v.Len() {
		e := encoder{compares: true}
		n.item.encode(&e, v.Index(i))
		if seen[string(e.buf)] {
			d.violate("unique_items")
			return
		}
		seen[string(e.buf)] = true
	}
}

func (n *listNode) encode(e *encoder, v reflect.Value) {
	e.buf = append(e.buf, '[')
	for i := range v.Len() {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		n.item.encode(e, v.Index(i))
	}
	e.buf = append(e.buf, ']')
}

func (n *listNode) describe(d *Describer, mode Mode) *openapi.Schema {
	s := &openapi.Schema{
		Type: openapi.Types{"array"}, Items: n.item.describe(d, mode),
		MinItems: count(n.min), MaxItems: count(n.max), UniqueItems: n.unique,
	}
	if n.min == 0 {
		s.MinItems = nil
	}
	return s
}

// mapNode is the plan of a map with string keys.
type mapNode struct {
	key      node // what the type of the keys says about them; nil for string, which says nothing
	value    node
	min, max int
}

func (c *compiler) mapOf(t reflect.Type, r *rules, where string) node {
	n := &mapNode{key: c.keyOf(t.Key(), where)}
	n.min, n.max = r.pair(c, where, "minProperties", "maxProperties")
	n.value = c.compile(t.Elem(), r.without("minProperties", "maxProperties"), where+"{}")
	return n
}

// keyOf returns the plan of a map's keys. They are read and written as text: a
// type with methods for JSON could say what is no member name.
func (c *compiler) keyOf(t reflect.Type, where string) node {
	switch {
	case t.Kind() != reflect.String:
		c.mistake(where, "map keys are of type %s, want strings", t)
		return nil
	case t == reflect.TypeFor[string]():
		return nil
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()):
		c.mistake(where, "map keys of type %s have MarshalJSON, want MarshalText", t)
		return nil
	}
	n := c.compile(t, parseRules(""), where+" key")
	if jsonType(n) != "string" {
		c.mistake(where, "map keys of type %s do not read themselves from text", t)
		return nil
	}
	return n
}

// readKey reads the name of a member into key. It reports false if the name
// breaks a rule.
func (n *mapNode) readKey(d *decoder, name string, escaped bool, key reflect.Value) bool {
	if n.key == nil {
		key.SetString(name)
		return true
	}
	before, ascii := d.report.count(), d.ascii
	d.ascii = ascii && !escaped
	n.key.(textNode).decodeText(d, name, key)
	d.ascii = ascii
	return d.report.count() == before
}

func (n *mapNode) decode(d *decoder, v reflect.Value) bool {
	if d.peek() != '{' {
		d.violate("dict_type")
		return d.skip()
	}
	m := reflect.MakeMap(v.Type())
	key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	total := 0
	last := d.down()
	ok := d.members(func(start, end int, escaped bool) bool {
		total++
		name := d.content(start, end, escaped)
		d.path[last] = problem.Name(name)
		if n.max >= 0 && total > n.max {
			return d.skip()
		}
		key.SetZero()
		if !n.readKey(d, name, escaped, key) {
			return d.skip()
		}
		if m.MapIndex(key).IsValid() {
			return d.fail("Duplicate member name")
		}
		if !d.spend(int(elem.Type().Size()) + 48) {
			return false
		}
		elem.SetZero()
		if !n.value.decode(d, elem) {
			return false
		}
		m.SetMapIndex(key, elem)
		return true
	})
	d.up()
	v.Set(m)
	if !ok {
		return false
	}
	n.checkLength(d, total)
	return true
}

func (n *mapNode) checkLength(d *decoder, total int) {
	switch {
	case total < n.min:
		d.violate("too_short", limit("field_type", "Dictionary"), limit("min_length", n.min), limit("actual_length", total))
	case n.max >= 0 && total > n.max:
		d.violate("too_long", limit("field_type", "Dictionary"), limit("max_length", n.max), limit("actual_length", total))
	}
}

func (n *mapNode) encode(e *encoder, v reflect.Value) {
	e.buf = append(e.buf, '{')
	for i, key := range sortedKeys(v) {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if n.key == nil {
			e.string(key.String())
		} else {
			n.key.encode(e, key)
		}
		e.buf = append(e.buf, ':')
		n.value.encode(e, v.MapIndex(key))
	}
	e.buf = append(e.buf, '}')
}

func (n *mapNode) describe(d *Describer, mode Mode) *openapi.Schema {
	s := &openapi.Schema{
		Type: openapi.Types{"object"}, AdditionalProperties: n.value.describe(d, mode),
		MinProperties: count(n.min), MaxProperties: count(n.max),
	}
	if n.key != nil {
		if names := n.key.describe(d, mode); !sameSchema(names, &openapi.Schema{Type: openapi.Types{"string"}}) {
			s.PropertyNames = names
		}
	}
	if n.min == 0 {
		s.MinProperties = nil
	}
	return s
}
