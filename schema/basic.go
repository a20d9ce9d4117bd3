package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
)

// boolNode is the plan of a bool.
type boolNode struct{ choices }

func (c *compiler) bool(r *rules, where string) node {
	return &boolNode{r.choicesOf(c, where, func(s string) bool { return s == "true" || s == "false" })}
}

func (n *boolNode) decode(d *decoder, v reflect.Value) bool {
	switch d.peek() {
	case 't':
		n.set(d, true, v)
		return d.literal("true")
	case 'f':
		n.set(d, false, v)
		return d.literal("false")
	default:
		d.violate("bool_type")
		return d.skip()
	}
}

// decodeText takes the words that FastAPI takes.
func (n *boolNode) decodeText(d *decoder, s string, v reflect.Value) {
	switch strings.ToLower(s) {
	case "1", "true", "on", "yes", "t", "y":
		n.set(d, true, v)
	case "0", "false", "off", "no", "f", "n":
		n.set(d, false, v)
	default:
		d.violate("bool_parsing")
	}
}

func (n *boolNode) set(d *decoder, value bool, v reflect.Value) {
	n.check(d, strconv.FormatBool(value))
	v.SetBool(value)
}

func (n *boolNode) encode(e *encoder, v reflect.Value) {
	if v.Bool() {
		e.buf = append(e.buf, "true"...)
	} else {
		e.buf = append(e.buf, "false"...)
	}
}

func (n *boolNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"boolean"}}
	n.choices.describe(s)
	return s
}

// anyNode is the plan of an empty interface. It decodes to map[string]any,
// []any, string, bool, nil and json.Number, which keeps numbers as they were
// written.
type anyNode struct{ compiler *compiler }

func (n *anyNode) decode(d *decoder, v reflect.Value) bool {
	value, ok := n.read(d)
	if value != nil {
		v.Set(reflect.ValueOf(value))
	}
	return ok
}

func (n *anyNode) read(d *decoder) (any, bool) {
	if !d.spend(48) { // About what an interface and its value take.
		return nil, false
	}
	switch d.peek() {
	case '"':
		return d.readString()
	case 't':
		return true, d.literal("true")
	case 'f':
		return false, d.literal("false")
	case 'n':
		return nil, d.literal("null")
	case '[':
		list := []any{}
		ok := d.elements(func(int) bool {
			item, ok := n.read(d)
			list = append(list, item)
			return ok
		})
		return list, ok
	case '{':
		object := make(map[string]any)
		ok := d.members(func(start, end int, escaped bool) bool {
			name := d.content(start, end, escaped)
			if _, twice := object[name]; twice {
				return d.fail("Duplicate member name")
			}
			item, ok := n.read(d)
			object[name] = item
			return ok
		})
		return object, ok
	default:
		text, _, ok := d.readNumber()
		if ok && len(text) > maxNumberLength {
			d.violate("float_precision")
			return nil, true
		}
		return json.Number(text), ok
	}
}

// encode follows the value that the interface holds.
func (n *anyNode) encode(e *encoder, v reflect.Value) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		e.null()
		return
	}
	inner, err := n.compiler.dynamicNode(v.Type())
	if err != nil {
		e.fail("%v", err)
		return
	}
	if e.enter(v.Type()) {
		inner.encode(e, v)
		e.depth--
	}
}

func (n *anyNode) describe(*Describer, Mode) *openapi.Schema { return &openapi.Schema{} }

// rawNode is the plan of json.RawMessage: any value, kept as it was written.
type rawNode struct{}

func (n *rawNode) decode(d *decoder, v reflect.Value) bool {
	start := d.pos
	strict := anyNode{}
	if _, ok := strict.read(d); !ok { // Not skip: what is kept raw is read by somebody else later.
		return false
	}
	v.SetBytes([]byte(string(d.data[start:d.pos])))
	return true
}

func (n *rawNode) encode(e *encoder, v reflect.Value) {
	if v.Len() == 0 {
		e.null()
		return
	}
	e.raw(v.Bytes())
}

func (n *rawNode) describe(*Describer, Mode) *openapi.Schema { return &openapi.Schema{} }

// selfDescribed types say what schema their values have, where the plan cannot
// know: those with UnmarshalJSON or UnmarshalText methods.
type selfDescribed interface{ JSONSchema() *openapi.Schema }

// customNode is the plan of a type with its own UnmarshalJSON. It is handed one
// value of checked syntax, and no null: most such methods take null for "leave
// it as it is", which would make a required member optional. A type whose
// JSONSchema lists null decides for itself. An [InvalidError] it returns is
// shown, any other error is only counted: its text may repeat the input.
type customNode struct {
	typ      reflect.Type
	nullable bool
}

func customOf(t reflect.Type) *customNode {
	s := describedBy(t)
	return &customNode{typ: t, nullable: s != nil && slices.Contains(s.Type, "null")}
}

func (n *customNode) decode(d *decoder, v reflect.Value) bool {
	if d.peek() == 'n' && !n.nullable {
		d.violate("none_forbidden")
		return d.literal("null")
	}
	start, before := d.pos, d.report.count()
	strict := anyNode{}
	if _, ok := strict.read(d); !ok {
		return false
	}
	if d.report.count() != before { // A number of a million digits, say, over which the type would sweat.
		return true
	}
	err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON([]byte(string(d.data[start:d.pos])))
	d.refused(err, "value_error")
	return true
}

func (n *customNode) encode(e *encoder, v reflect.Value) {
	if writesItself(n.typ) {
		e.written(n.typ, v)
		return
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		e.fail("%s: %w", n.typ, err)
		return
	}
	e.raw(text)
}

func (n *customNode) describe(*Describer, Mode) *openapi.Schema { return describedBy(n.typ) }

// describedBy returns what t says about itself: a copy, because what stands
// beside the place is written into it. It is nil if t says nothing.
func describedBy(t reflect.Type) *openapi.Schema {
	self, ok := reflect.New(t).Interface().(selfDescribed)
	if !ok {
		return nil
	}
	s := self.JSONSchema()
	if s == nil {
		return nil
	}
	described := *s
	return &described
}
