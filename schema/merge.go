package schema

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/fastness/fastness/internal/jsonpatch"
)

// A merge reads a JSON Merge Patch (RFC 7396) over a value that is there: what
// the text does not mention stays. It changes nothing that v shares with others:
// what pointers and maps lead to is copied before.
//
// Fresh says that nothing is there, so that what is required must be sent. While
// d.sketches nobody knows yet what is there: v is a scratch value, and only what
// was sent is checked.
func (d *decoder) merge(n node, v reflect.Value, fresh bool) bool {
	switch n := n.(type) {
	case *structNode:
		return n.merge(d, v, fresh)
	case *wrapNode:
		return n.merge(d, v, fresh)
	case *mapNode:
		return n.merge(d, v)
	case *unionNode:
		return n.merge(d, v)
	case *anyNode:
		return n.merge(d, v)
	case *rawNode:
		return n.merge(d, v)
	case *writtenNode:
		return d.merge(n.node, v, fresh)
	case *checkedNode:
		before := d.report.count()
		if !d.merge(n.node, v, fresh) {
			return false
		}
		if !d.sketches && d.report.count() == before {
			d.checkValue(n.node, v)
		}
		return true
	}
	v.SetZero()
	return n.decode(d, v)
}

func (n *structNode) merge(d *decoder, v reflect.Value, fresh bool) bool {
	if d.peek() != '{' {
		d.violate("model_attributes_type")
		return d.skip()
	}
	before := d.report.count()
	seen := make(bitset, max(2, (len(n.fields)+63)/64))
	last := d.down()
	ok := d.members(func(start, end int, escaped bool) bool {
		name := d.content(start, end, escaped)
		i, known := n.known(d)[name]
		if !known || !n.fields[i].writableBy.include(d.report.Viewer) {
			return n.refuse(d, start, end, escaped)
		}
		if seen.has(i) {
			return d.fail("Duplicate member name")
		}
		seen.set(i)
		f := &n.fields[i]
		d.at(last, name, f.name)
		d.met(f, []byte(name))
		d.note()
		if d.peek() == 'n' && f.removable() {
			f.remove(d.cfg, v)
			return d.literal("null")
		}
		return d.merge(f.plan, fieldAt(v, f.index), fresh)
	})
	d.up()
	if !ok {
		return false
	}
	switch {
	case d.sketches:
		return true
	case fresh:
		n.finish(d, v, seen)
	case n.presence != nil:
		fieldAt(v, n.presence).Addr().Interface().(*Fields).record(n, seen)
	}
	if n.checks != nil && d.report.count() == before {
		d.ask(n, v)
	}
	return true
}

// removable reports whether a null takes the member away: where a request may
// leave it out.
func (f *field) removable() bool { return f.optional || f.preset != nil }

// remove makes the member what it is where nobody sent it.
func (f *field) remove(cfg *Config, v reflect.Value) {
	fieldAt(v, f.index).SetZero()
	if f.preset != nil {
		f.setDefault(cfg, v)
	}
}

func (n *wrapNode) merge(d *decoder, v reflect.Value, fresh bool) bool {
	if n.kind != kindOpt && d.peek() == 'n' {
		v.SetZero()
		return d.literal("null")
	}
	_, there := n.open(v)
	if n.kind != kindPointer {
		return d.merge(n.inner, n.place(v), fresh || !there)
	}
	if !d.spend(int(v.Type().Elem().Size())) {
		return false
	}
	p := reflect.New(v.Type().Elem())
	if there {
		p.Elem().Set(v.Elem())
	}
	v.Set(p)
	return d.merge(n.inner, p.Elem(), fresh || !there)
}

func (n *mapNode) merge(d *decoder, v reflect.Value) bool {
	if d.peek() != '{' {
		d.violate("dict_type")
		return d.skip()
	}
	m := reflect.MakeMap(v.Type())
	for entry := v.MapRange(); entry.Next(); {
		m.SetMapIndex(entry.Key(), entry.Value())
	}
	seen := make(map[string]bool)
	last := d.down()
	ok := d.members(func(start, end int, escaped bool) bool {
		name := d.content(start, end, escaped)
		d.at(last, name, name)
		if seen[name] {
			return d.fail("Duplicate member name")
		}
		seen[name] = true
		key := reflect.New(v.Type().Key()).Elem()
		if !n.readKey(d, name, escaped, key) {
			return d.skip()
		}
		d.note()
		if d.peek() == 'n' {
			m.SetMapIndex(key, reflect.Value{})
			return d.literal("null")
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if !d.spend(int(elem.Type().Size()) + 48) {
			return false
		}
		there := m.MapIndex(key)
		if there.IsValid() {
			elem.Set(there)
		}
		if !d.merge(n.value, elem, !there.IsValid()) {
			return false
		}
		m.SetMapIndex(key, elem)
		return true
	})
	d.up()
	v.Set(m)
	if ok && !d.sketches {
		n.checkLength(d, m.Len())
	}
	return ok
}

// merge changes the variant that is there. A patch that says which variant it
// means, and means another one, is a whole new value.
func (n *unionNode) merge(d *decoder, v reflect.Value) bool {
	current := slices.IndexFunc(n.variants, func(there variant) bool { return !v.Field(there.field).IsNil() })
	tag, found, ok := n.lookAhead(d)
	if !ok {
		return false
	}
	chosen := current
	if found {
		chosen = n.tagged(tag)
	}
	switch {
	case chosen < 0 && !found && d.sketches:
		return d.skip() // Which variant is there is not known yet.
	case chosen < 0:
		return n.decode(d, v) // It says what is wrong.
	}
	variant := &n.variants[chosen]
	p := reflect.New(variant.typ(n))
	if chosen == current {
		p.Elem().Set(v.Field(variant.field).Elem())
	}
	v.SetZero()
	v.Field(variant.field).Set(p)
	return d.merge(variant.plan, p.Elem(), chosen != current)
}

func (n *anyNode) merge(d *decoder, v reflect.Value) bool {
	patch, ok := n.read(d)
	if !ok {
		return false
	}
	merged := jsonpatch.Merge(v.Interface(), patch)
	v.SetZero()
	if merged != nil {
		v.Set(reflect.ValueOf(merged))
	}
	return true
}

func (n *rawNode) merge(d *decoder, v reflect.Value) bool {
	strict := anyNode{}
	start := d.pos
	patch, ok := strict.read(d)
	if !ok {
		return false
	}
	text := []byte(string(d.data[start:d.pos]))
	if _, isObject := patch.(map[string]any); isObject && v.Len() > 0 {
		current, err := parse(v.Bytes())
		if err == nil {
			text, err = json.Marshal(jsonpatch.Merge(current, patch))
		}
		if err != nil { // What the application keeps is no JSON.
			d.report.Fail(err)
			return true
		}
	}
	v.SetBytes(text)
	return true
}
