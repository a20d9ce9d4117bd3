package schema

import (
	"encoding/json"
	"reflect"

	"github.com/fastness/fastness/openapi"
	"github.com/shopspring/decimal"
)

// maxDecimalDigits is how many digits an exact decimal may have if no maxDigits
// says otherwise: as many as IEEE 754 decimal128 holds.
const maxDecimalDigits = 34

// decimalNode is the plan of an exact decimal: money, never a float. 0.1 + 0.2
// is 0.3.
type decimalNode struct {
	bounds
	digits, places int
}

func (c *compiler) decimal(r *rules, where string) node {
	n := &decimalNode{bounds: r.bounds(c, where)}
	n.digits, n.places = r.count(c, where, "maxDigits"), r.count(c, where, "decimalPlaces")
	if n.digits < 0 {
		n.digits = maxDecimalDigits
	}
	return n
}

func (n *decimalNode) decode(d *decoder, v reflect.Value) bool {
	text, _, ok := d.token("float_type")
	if text == nil {
		return ok
	}
	n.set(d, text, v)
	return true
}

func (n *decimalNode) decodeText(d *decoder, s string, v reflect.Value) {
	inner := decoder{cfg: d.cfg, report: &Report{}, data: []byte(s)}
	text, _, ok := inner.readNumber()
	if !ok || len(text) != len(s) || len(s) > maxNumberLength {
		d.violate(finiteOr(s, "decimal_parsing"))
		return
	}
	n.set(d, text, v)
}

func (n *decimalNode) set(d *decoder, text []byte, v reflect.Value) {
	x, err := exactly(text)
	if err != nil {
		d.violate("finite_number")
		return
	}
	places := max(0, int(-x.Exponent()))
	digits := max(x.NumDigits()+max(0, int(x.Exponent())), places)
	if digits > n.digits {
		d.violate("decimal_max_digits", limit("max_digits", n.digits))
		return
	}
	if n.places >= 0 && places > n.places && !x.Equal(x.Truncate(int32(n.places))) { // 1.50 has one place, as for multipleOf.
		d.violate("decimal_max_places", limit("decimal_places", n.places))
		return
	}
	if n.any() {
		n.check(d, x)
	}
	*v.Addr().Interface().(*decimal.Decimal) = x
}

func (n *decimalNode) encode(e *encoder, v reflect.Value) {
	x := v.Interface().(decimal.Decimal)
	if exp := x.Exponent(); exp > maxExponent || exp < -maxExponent {
		e.fail("a decimal with exponent %d cannot be encoded", exp)
		return
	}
	e.buf = append(e.buf, x.String()...)
}

func (n *decimalNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"number"}, Format: "decimal"}
	n.bounds.describe(s)
	if n.places >= 0 && n.multiple == nil {
		s.MultipleOf = json.Number(decimal.New(1, -int32(n.places)).String())
	}
	return s
}

// literalNode is the plan of a json.Number: a number kept as it was written.
type literalNode struct{ bounds }

func (n *literalNode) decode(d *decoder, v reflect.Value) bool {
	text, _, ok := d.token("float_type")
	if text == nil {
		return ok
	}
	n.set(d, text, v)
	return true
}

func (n *literalNode) set(d *decoder, text []byte, v reflect.Value) {
	if n.any() {
		x, err := exactly(text)
		if err != nil {
			d.violate("finite_number")
			return
		}
		n.check(d, x)
	}
	v.SetString(string(text))
}

func (n *literalNode) decodeText(d *decoder, s string, v reflect.Value) {
	inner := decoder{cfg: d.cfg, report: &Report{}, data: []byte(s)}
	if text, _, ok := inner.readNumber(); !ok || len(text) != len(s) || len(s) > maxNumberLength {
		d.violate(finiteOr(s, "float_parsing"))
		return
	}
	n.set(d, []byte(s), v)
}

func (n *literalNode) encode(e *encoder, v reflect.Value) {
	text := []byte(v.String())
	if len(text) == 0 {
		text = []byte("0")
	}
	inner := decoder{cfg: &Config{MaxDepth: 1}, report: &Report{}, data: text}
	if _, _, ok := inner.readNumber(); !ok || inner.pos != len(text) {
		e.fail("a json.Number holds no number")
		return
	}
	if x, err := exactly(text); e.compares && err == nil {
		text = []byte(x.String())
	}
	e.buf = append(e.buf, text...)
}

func (n *literalNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"number"}}
	n.bounds.describe(s)
	return s
}
