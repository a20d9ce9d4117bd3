package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/fastness/fastness/openapi"
)

// Encoded is a value of T that was encoded already: what a thousand connections
// get is encoded once. Wherever a T is written an Encoded[T] can be, and the
// document shows a T.
//
//	room, err := items.Encode(item) // once
//	for _, c := range connections { c.Send(room) }
//
// Nobody was looking when it was encoded, so a T with members that are visible
// only to some (the tag visibleTo) is a mistake of the declaration. The bytes are
// shared by all who hold it. The zero value is no JSON, and fails to be written.
type Encoded[T any] struct {
	text []byte
	// style is that of the names in text, with 1 added: 0 is not to know.
	style Style
}

// Encode encodes value, for no viewer in particular.
func (t *Type[T]) Encode(value T) (Encoded[T], error) {
	text, err := t.Append(nil, value)
	if err != nil {
		return Encoded[T]{}, err
	}
	return Encoded[T]{slices.Clip(text), t.plan.types.cfg.Names + 1}, nil
}

// AlreadyEncoded returns JSON that another process has encoded, without spaces
// and line breaks, and with < > & escaped. That it is the JSON of a T is not
// checked, only that it is JSON.
func AlreadyEncoded[T any](text []byte) (Encoded[T], error) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return Encoded[T]{}, errors.New("schema: encoded JSON that is none")
	}
	return Encoded[T]{text: tidy(text)}, nil
}

// tidy returns valid JSON without what could break out of a line or a script
// element.
func tidy(text []byte) []byte {
	var compact, escaped bytes.Buffer
	_ = json.Compact(&compact, text) // It is valid.
	json.HTMLEscape(&escaped, compact.Bytes())
	return slices.Clip(escaped.Bytes())
}

// Bytes returns the JSON. It is shared: do not change it.
func (e Encoded[T]) Bytes() []byte { return e.text }

// IsZero reports whether e holds nothing.
func (e Encoded[T]) IsZero() bool { return len(e.text) == 0 }

// MarshalJSON is for encoders other than this package's.
func (e Encoded[T]) MarshalJSON() ([]byte, error) {
	if e.IsZero() {
		return nil, errNotEncoded
	}
	return e.text, nil
}

var errNotEncoded = errors.New("schema: an Encoded that was not made by Encode")

func (e *Encoded[T]) holds() reflect.Type   { return reflect.TypeFor[T]() }
func (e *Encoded[T]) json() ([]byte, Style) { return e.text, e.style - 1 }
func (e *Encoded[T]) keep(text []byte)      { e.text = text }

// encoded is a pointer to an Encoded of any type.
type encoded interface {
	holds() reflect.Type
	json() (text []byte, names Style)
	keep(text []byte)
}

// encodedNode is the plan of an Encoded. What is read is checked as a T is, and
// kept without its spaces; with the names of answers, where they are others.
type encodedNode struct {
	inner node
	typ   reflect.Type
	// renamed says that a text that was sent may not be one of an answer.
	renamed bool
	// style is that of the plan, styled says that it has named something.
	style  Style
	styled bool
}

// encoded returns the node of an Encoded, or nil.
func (c *compiler) encoded(t reflect.Type, r *rules, where string) node {
	if t.Kind() != reflect.Struct || !reflect.PointerTo(t).Implements(reflect.TypeFor[encoded]()) {
		return nil
	}
	holds := reflect.New(t).Interface().(encoded).holds()
	n := &encodedNode{inner: c.compile(holds, r, where), typ: holds, style: c.style}
	if !c.client {
		c.after = append(c.after, func() {
			c.forEverybody(n, where)
			n.renamed = renames(n.inner, make(map[*structNode]bool))
			n.styled = styled(n.inner, make(map[*structNode]bool))
		})
	}
	return n
}

// forEverybody refuses members that only some may see.
func (c *compiler) forEverybody(n *encodedNode, where string) {
	a := audience{roles: make(map[string]bool), known: make(map[*structNode]bool)}
	a.add(n.inner)
	if a.sees {
		c.mistake(where, "%s has members with visibleTo, and what is encoded once is the same for all: broadcast a type without them", n.typ)
	}
}

func (n *encodedNode) decode(d *decoder, v reflect.Value) bool {
	start := d.pos
	value := reflect.New(n.typ).Elem()
	if !n.inner.decode(d, value) {
		return false
	}
	if n.renamed && d.report.OK() {
		e := encoder{}
		if n.inner.encode(&e, value); e.err != nil {
			d.report.Fail(e.err)
		}
		v.Addr().Interface().(encoded).keep(e.buf)
		return true
	}
	v.Addr().Interface().(encoded).keep(tidy(d.data[start:d.pos]))
	return true
}

func (n *encodedNode) encode(e *encoder, v reflect.Value) {
	text, made := addressed(v).(encoded).json()
	if len(text) == 0 {
		e.fail("%w", errNotEncoded)
		return
	}
	if n.styled && made >= GoNames && made != n.style {
		e.fail("an Encoded of %s has the names of another style: make its Type with ForNames", n.typ)
		return
	}
	e.buf = append(e.buf, text...)
}

func (n *encodedNode) describe(d *Describer, mode Mode) *openapi.Schema {
	return n.inner.describe(d, mode)
}
