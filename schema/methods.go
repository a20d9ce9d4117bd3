package schema

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/fastness/fastness/openapi"
)

// addressed returns a pointer to v, or to a copy, so that v has the methods of
// its pointer type, too.
func addressed(v reflect.Value) any {
	if !v.CanAddr() {
		moved := reflect.New(v.Type()).Elem()
		moved.Set(v)
		v = moved
	}
	return v.Addr().Interface()
}

// writesItself reports whether t has a method that says how it looks in JSON.
func writesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// writtenNode is the plan of a type that writes itself but is read by its kind.
// Such a method may be there to hide the value, so it is never passed over in
// an answer.
type writtenNode struct {
	node
	typ reflect.Type
}

func (n *writtenNode) decodeText(d *decoder, s string, v reflect.Value) {
	decodeTexts(d, n.node, []string{s}, v)
}

func (n *writtenNode) encode(e *encoder, v reflect.Value) {
	if e.compares {
		n.node.encode(e, v)
		return
	}
	e.written(n.typ, v)
}

// written appends what a method of v's type says that v looks like.
func (e *encoder) written(t reflect.Type, v reflect.Value) {
	switch m := addressed(v).(type) {
	case json.Marshaler:
		text, err := m.MarshalJSON()
		if err != nil {
			e.fail("%s: %w", t, err)
			return
		}
		e.raw(text)
	case encoding.TextMarshaler:
		text, err := m.MarshalText()
		if err != nil {
			e.fail("%s: %w", t, err)
			return
		}
		e.string(string(text))
	}
}

func (n *writtenNode) describe(d *Describer, mode Mode) *openapi.Schema {
	if mode == Input {
		return n.node.describe(d, mode)
	}
	if s := describedBy(n.typ); s != nil {
		return s
	}
	if reflect.PointerTo(n.typ).Implements(reflect.TypeFor[json.Marshaler]()) {
		return &openapi.Schema{}
	}
	return &openapi.Schema{Type: openapi.Types{"string"}}
}

// CallsMethods reports whether reading or writing the plan's values runs methods
// of the application's types on them. Such a method could keep a pointer to its
// value.
func (p *Plan) CallsMethods() bool { return callsMethods(p.node, make(map[*structNode]bool)) }

func callsMethods(n node, seen map[*structNode]bool) bool {
	switch n := n.(type) {
	case *structNode:
		if seen[n] {
			return false
		}
		seen[n] = true
		return n.checks != nil || len(n.computed) > 0 ||
			slices.ContainsFunc(n.fields, func(f field) bool { return callsMethods(f.plan, seen) })
	case *mapNode:
		if n.key != nil && callsMethods(n.key, seen) {
			return true
		}
	case *checkedNode, *customNode, *textTypeNode, *writtenNode, *anyNode:
		return true
	}
	return slices.ContainsFunc(inside(n), func(inner node) bool { return callsMethods(inner, seen) })
}
