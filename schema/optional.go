package schema

import (
	"encoding/json"
	"reflect"

	"github.com/fastness/fastness/openapi"
)

// Opt is a value that may be absent, and tells whether it was. The zero value
// is absent. It refuses null: for all three states use Opt[Null[T]].
type Opt[T any] struct {
	value   T
	present bool
}

// Some returns a present value.
func Some[T any](value T) Opt[T] { return Opt[T]{value, true} }

// Get returns the value and whether it was present.
func (o Opt[T]) Get() (T, bool) { return o.value, o.present }

// Or returns the value, or fallback where it was absent.
func (o Opt[T]) Or(fallback T) T {
	if o.present {
		return o.value
	}
	return fallback
}

// IsZero reports whether the value was absent.
func (o Opt[T]) IsZero() bool { return !o.present }

// MarshalJSON writes the value, or null, for encoders other than this package's.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

func (o *Opt[T]) set() reflect.Value {
	o.present = true
	return reflect.ValueOf(&o.value).Elem()
}

func (o *Opt[T]) get() (reflect.Value, bool) { return reflect.ValueOf(&o.value).Elem(), o.present }

func (o *Opt[T]) wraps() wrapKind { return kindOpt }

// Null is a value that may be null. The zero value is null.
type Null[T any] struct {
	value T
	valid bool
}

// NotNull returns a value that is not null.
func NotNull[T any](value T) Null[T] { return Null[T]{value, true} }

// Get returns the value and whether it is not null.
func (n Null[T]) Get() (T, bool) { return n.value, n.valid }

// Or returns the value, or fallback where it is null.
func (n Null[T]) Or(fallback T) T {
	if n.valid {
		return n.value
	}
	return fallback
}

// MarshalJSON writes the value or null, for encoders other than this package's.
func (n Null[T]) MarshalJSON() ([]byte, error) {
	if !n.valid {
		return []byte("null"), nil
	}
	return json.Marshal(n.value)
}

func (n *Null[T]) set() reflect.Value {
	n.valid = true
	return reflect.ValueOf(&n.value).Elem()
}

func (n *Null[T]) get() (reflect.Value, bool) { return reflect.ValueOf(&n.value).Elem(), n.valid }

func (n *Null[T]) wraps() wrapKind { return kindNull }

type wrapKind int

const (
	kindPointer wrapKind = iota // absent or null: nil
	kindOpt
	kindNull
)

// wrapper is implemented by *Opt and *Null.
type wrapper interface {
	set() reflect.Value
	get() (reflect.Value, bool)
	wraps() wrapKind
}

func wrapped(t reflect.Type) (wrapKind, reflect.Type, bool) {
	if t.Kind() != reflect.Struct || !reflect.PointerTo(t).Implements(reflect.TypeFor[wrapper]()) {
		return 0, nil, false
	}
	w := reflect.New(t).Interface().(wrapper)
	value, _ := w.get()
	return w.wraps(), value.Type(), true
}

// wrapNode is the plan of a pointer, an Opt or a Null. Rules pass through to the
// value inside.
type wrapNode struct {
	kind  wrapKind
	inner node
}

func (c *compiler) wrap(kind wrapKind, t, inner reflect.Type, r *rules, where string) node {
	n := &wrapNode{kind: kind, inner: c.compile(inner, r, where)}
	if w, ok := n.inner.(*wrapNode); ok && (kind == kindPointer || w.kind == kindPointer || kind == kindNull || w.kind == kind) {
		c.mistake(where, "%s nests optional types in a way that JSON cannot tell apart, want Opt[Null[T]]", t)
	}
	return n
}

func (n *wrapNode) place(v reflect.Value) reflect.Value {
	if n.kind != kindPointer {
		return v.Addr().Interface().(wrapper).set()
	}
	v.Set(reflect.New(v.Type().Elem()))
	return v.Elem()
}

func (n *wrapNode) decode(d *decoder, v reflect.Value) bool {
	if n.kind != kindOpt && d.peek() == 'n' {
		return d.literal("null")
	}
	if n.kind == kindPointer && !d.spend(int(v.Type().Elem().Size())) {
		return false
	}
	return n.inner.decode(d, n.place(v))
}

func (n *wrapNode) decodeTexts(d *decoder, texts []string, v reflect.Value) {
	decodeTexts(d, n.inner, texts, n.place(v))
}

func (n *wrapNode) decodeText(d *decoder, s string, v reflect.Value) {
	decodeTexts(d, n.inner, []string{s}, n.place(v))
}

func (n *wrapNode) encode(e *encoder, v reflect.Value) {
	value, ok := n.open(v)
	if !ok {
		e.null()
		return
	}
	n.inner.encode(e, value)
}

// open returns the value inside v, if there is one.
func (n *wrapNode) open(v reflect.Value) (reflect.Value, bool) {
	if n.kind == kindPointer {
		return v.Elem(), !v.IsNil()
	}
	if !v.CanAddr() {
		moved := reflect.New(v.Type()).Elem()
		moved.Set(v)
		v = moved
	}
	return v.Addr().Interface().(wrapper).get()
}

// describe adds null to what may be null. Nullability belongs to the place that
// refers, so a shared component is never changed.
func (n *wrapNode) describe(d *Describer, mode Mode) *openapi.Schema {
	inner := n.inner.describe(d, mode)
	if n.kind == kindOpt {
		return inner
	}
	return nullable(inner)
}

func nullable(s *openapi.Schema) *openapi.Schema {
	if s == nil {
		return nil
	}
	if len(s.Type) == 1 && s.Ref == "" && s.Enum == nil && s.Const == nil {
		s.Type = openapi.Types{s.Type[0], "null"}
		return s
	}
	if s.Ref == "" && len(s.Type) == 0 && s.AnyOf == nil && s.OneOf == nil && s.Bool == nil {
		return s // accepts everything, null too
	}
	return &openapi.Schema{AnyOf: []*openapi.Schema{s, {Type: openapi.Types{"null"}}}}
}
