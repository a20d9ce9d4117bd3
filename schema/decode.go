package schema

import (
	"context"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

// sharedTextMax is the size of a body up to which its strings share one copy.
const sharedTextMax = 16 << 10

// decoders are pooled for their path slices; nothing of a request stays in one.
type decoderPool struct{ pool sync.Pool }

func (p *decoderPool) get() *decoder {
	if d, ok := p.pool.Get().(*decoder); ok {
		return d
	}
	return &decoder{path: make([]problem.Segment, 0, 16)}
}

func (p *decoderPool) put(d *decoder) {
	clear(d.path[:d.deepest])
	*d = decoder{path: d.path[:0]}
	p.pool.Put(d)
}

// Decode reads one JSON text into v, which must be settable and zero. What is
// wrong is added to report; v then holds no value to rely on.
func (p *Plan) Decode(report *Report, data []byte, v reflect.Value) {
	d := p.types.decoders.get()
	defer p.types.decoders.put(d)
	d.cfg, d.report, d.data = &p.types.cfg, report, data
	if !p.allowed(report) {
		return
	}
	if p.sees || p.sends {
		report.read = &readPart{report.Prefix, p.node, report.read}
	}
	d.ascii = isASCII(data)
	if !d.ascii && !utf8.Valid(data) {
		d.fail("Invalid UTF-8")
		return
	}
	d.shares = len(data) <= sharedTextMax
	d.space()
	if d.pos == len(data) {
		d.violate("missing")
		return
	}
	if !p.node.decode(d, v) {
		return
	}
	d.space()
	if d.pos != len(data) {
		d.fail("Extra data")
	}
}

// DecodeText reads a value from text, as parameters and form fields have it.
// Lists take one item from each text.
func (p *Plan) DecodeText(report *Report, texts []string, v reflect.Value) {
	if p.allowed(report) {
		p.DecodeDefault(report, texts, v)
	}
}

// DecodeDefault is DecodeText for what the declaration says and not the caller,
// who need not be one of those who may send it.
func (p *Plan) DecodeDefault(report *Report, texts []string, v reflect.Value) {
	d := p.types.decoders.get()
	defer p.types.decoders.put(d)
	d.cfg, d.report = &p.types.cfg, report
	for _, s := range texts {
		if !utf8.ValidString(s) {
			d.violate("string_unicode")
			return
		}
	}
	if len(texts) == 0 && !p.TakesList() {
		d.violate("missing")
		return
	}
	decodeTexts(d, p.node, texts, v)
}

// DecodeString is DecodeText for one text.
func (p *Plan) DecodeString(report *Report, text string, v reflect.Value) {
	n, ok := p.node.(textNode)
	if !ok {
		p.DecodeText(report, []string{text}, v)
		return
	}
	if !p.allowed(report) {
		return
	}
	d := &report.scratch
	d.cfg, d.report = &p.types.cfg, report
	if d.ascii = isASCIIString(text); !d.ascii && !utf8.ValidString(text) {
		d.violate("string_unicode")
		return
	}
	n.decodeText(d, text, v)
}

func decodeTexts(d *decoder, n node, texts []string, v reflect.Value) {
	switch n := n.(type) {
	case *listNode:
		if n.array {
			d.violate("list_type")
			return
		}
		n.decodeTexts(d, texts, v)
	case *wrapNode:
		n.decodeTexts(d, texts, v)
	case *writtenNode:
		decodeTexts(d, n.node, texts, v)
	case textNode:
		d.ascii = isASCIIString(texts[0])
		n.decodeText(d, texts[0], v)
	default:
		d.violate("model_attributes_type") // A value that no text spells.
	}
}

// ReadsText reports whether the plan's values can be read from text: numbers,
// strings, and lists of them, but no objects.
func (p *Plan) ReadsText() bool { return readsText(p.node) }

func readsText(n node) bool {
	switch n := n.(type) {
	case *listNode:
		return !n.array && isTextNode(n.item)
	case *wrapNode:
		return readsText(n.inner)
	case *writtenNode:
		return readsText(n.node)
	default:
		return isTextNode(n)
	}
}

func isTextNode(n node) bool {
	switch inner := n.(type) {
	case *wrapNode:
		return isTextNode(inner.inner)
	case *checkedNode:
		return isTextNode(inner.node)
	case *writtenNode:
		return isTextNode(inner.node)
	}
	_, ok := n.(textNode)
	return ok
}

// TakesList reports whether the plan reads more than one text.
func (p *Plan) TakesList() bool {
	n := p.node
	for {
		switch inner := n.(type) {
		case *listNode:
			return !inner.array
		case *wrapNode:
			n = inner.inner
		case *writtenNode:
			n = inner.node
		default:
			return false
		}
	}
}

// Optional reports whether the type itself says that a value may be absent: a
// pointer or an Opt.
func (p *Plan) Optional() bool {
	w, ok := p.node.(*wrapNode)
	return ok && w.kind != kindNull
}

// validator is implemented by types that have the last word about their values.
type validator interface {
	Validate(context.Context) error
}

// plainValidator is the same for types that need no context.
type plainValidator interface{ Validate() error }

// validate calls v's Validate method, if it has one; v must be addressable.
func validate(ctx context.Context, v reflect.Value) error {
	switch value := v.Addr().Interface().(type) {
	case validator:
		return value.Validate(ctx)
	case plainValidator:
		return value.Validate()
	}
	return nil
}

// validates reports whether values of type t have a method Validate that the
// engine calls: with a context or without.
func Validates(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[validator]()) || p.Implements(reflect.TypeFor[plainValidator]())
}

// checkValue calls the Validate method of v, a value of n.
func (d *decoder) checkValue(n node, v reflect.Value) {
	ctx := d.report.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if err := validate(ctx, v); err != nil {
		d.report.reject(err, d.path, n, d.answers)
	}
}
