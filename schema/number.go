package schema

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
	"github.com/shopspring/decimal"
)

// token reads the number at d.pos, or records code for what is there instead.
// A caller that gets no text goes on if ok and stops if not.
func (d *decoder) token(code string) (text []byte, integer, ok bool) {
	switch c := d.peek(); {
	case c == '-' || '0' <= c && c <= '9':
		text, integer, ok = d.readNumber()
		if ok && len(text) > maxNumberLength {
			d.violate("float_precision")
			return nil, false, true
		}
		return text, integer, ok
	case c == '"':
		s, ok := d.readString()
		if !ok {
			return nil, false, false
		}
		if text, integer := d.laxNumber(s); text != nil {
			return text, integer, true
		}
		d.violate(laxCode(d, code, s))
		return nil, false, true
	default:
		d.violate(code)
		return nil, false, d.skip()
	}
}

// laxNumber returns the number that s spells, if strings may spell numbers.
func (d *decoder) laxNumber(s string) (text []byte, integer bool) {
	if d.cfg.InsecureLaxNumbers == "" {
		return nil, false
	}
	inner := decoder{cfg: d.cfg, report: &Report{}, data: []byte(s)}
	text, integer, ok := inner.readNumber()
	if !ok || len(text) != len(s) || len(s) > maxNumberLength {
		return nil, false
	}
	return text, integer
}

// laxCode is the code for a string where a number was wanted.
func laxCode(d *decoder, code, s string) string {
	switch strings.TrimLeft(strings.ToLower(s), "+-") {
	case "inf", "infinity", "nan":
		if code == "float_type" {
			return "finite_number"
		}
	}
	switch {
	case d.cfg.InsecureLaxNumbers == "":
		return code
	case code == "float_type":
		return "float_parsing"
	default:
		return "int_parsing"
	}
}

// check records the bounds that x breaks.
func (b *bounds) check(d *decoder, x decimal.Decimal) {
	if b.ge != nil && x.LessThan(b.ge.exact) {
		d.broken(b.ge.broken)
	}
	if b.gt != nil && !x.GreaterThan(b.gt.exact) {
		d.broken(b.gt.broken)
	}
	if b.le != nil && x.GreaterThan(b.le.exact) {
		d.broken(b.le.broken)
	}
	if b.lt != nil && !x.LessThan(b.lt.exact) {
		d.broken(b.lt.broken)
	}
	if b.multiple != nil && !x.Mod(b.multiple.exact).IsZero() {
		d.broken(b.multiple.broken)
	}
}

func (b *bounds) any() bool {
	return b.ge != nil || b.gt != nil || b.le != nil || b.lt != nil || b.multiple != nil
}

func (b *bounds) describe(s *openapi.Schema) {
	for _, rule := range []struct {
		bound *bound
		into  *json.Number
	}{
		{b.ge, &s.Minimum}, {b.gt, &s.ExclusiveMinimum}, {b.le, &s.Maximum},
		{b.lt, &s.ExclusiveMaximum}, {b.multiple, &s.MultipleOf},
	} {
		if rule.bound != nil {
			*rule.into = rule.bound.text
		}
	}
}

// floatNode is the plan of a float32 or float64.
type floatNode struct {
	bounds
	bits int
	// The bounds as floats. Rounding keeps the order, so a value strictly
	// between them is between the exact bounds, too; one that equals a bound is
	// compared exactly.
	low, high float64
	slow      bool // always compare exactly
}

func (c *compiler) float(t reflect.Type, r *rules, where string) node {
	n := &floatNode{bounds: r.bounds(c, where), bits: t.Bits(), low: math.Inf(-1), high: math.Inf(1)}
	for _, b := range []*bound{n.ge, n.gt} {
		if b != nil {
			n.low = max(n.low, b.exact.InexactFloat64())
		}
	}
	for _, b := range []*bound{n.le, n.lt} {
		if b != nil {
			n.high = min(n.high, b.exact.InexactFloat64())
		}
	}
	// The float64 of a bound says little about where a float32 rounds to.
	n.slow = n.multiple != nil || n.bits == 32
	return n
}

func (n *floatNode) decode(d *decoder, v reflect.Value) bool {
	text, integer, ok := d.token("float_type")
	if text == nil {
		return ok
	}
	n.set(d, text, integer, v)
	return true
}

func (n *floatNode) decodeText(d *decoder, s string, v reflect.Value) {
	inner := decoder{cfg: d.cfg, report: &Report{}, data: []byte(s)}
	text, integer, ok := inner.readNumber()
	switch {
	case !ok || len(text) != len(s):
		d.violate(finiteOr(s, "float_parsing"))
	case len(text) > maxNumberLength:
		d.violate("float_precision")
	default:
		n.set(d, text, integer, v)
	}
}

// finiteOr returns finite_number for the names of infinities and NaN.
func finiteOr(s, code string) string {
	switch strings.TrimLeft(strings.ToLower(s), "+-") {
	case "inf", "infinity", "nan":
		return "finite_number"
	}
	return code
}

func (n *floatNode) set(d *decoder, text []byte, _ bool, v reflect.Value) {
	f, exact := fastFloat(text)
	if !exact || n.bits == 32 {
		var err error
		f, err = strconv.ParseFloat(string(text), n.bits)
		if err != nil {
			d.violate("finite_number")
			return
		}
		if !keepsDigits(text, f, n.bits) {
			d.violate("float_precision")
			return
		}
	}
	v.SetFloat(f)
	if (n.slow || f <= n.low || f >= n.high) && n.any() {
		x, err := exactly(text)
		if err != nil {
			d.violate("finite_number")
			return
		}
		n.check(d, x)
	}
}

// fastFloat returns the float64 of a number of at most 15 digits and a small
// fraction, where one exact division gives the exact result (Clinger 1990).
func fastFloat(text []byte) (float64, bool) {
	i, negative := 0, false
	if text[0] == '-' {
		negative, i = true, 1
	}
	var mantissa int64
	digits, fraction := 0, -1
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case '0' <= c && c <= '9':
			mantissa = mantissa*10 + int64(c-'0')
			if digits++; digits > 15 {
				return 0, false
			}
			if fraction >= 0 {
				fraction++
			}
		case c == '.':
			fraction = 0
		default:
			return 0, false
		}
	}
	f := float64(mantissa)
	if fraction > 0 {
		f /= powersOfTen(fraction)
	}
	if negative {
		f = -f
	}
	return f, true
}

// powersOfTen returns 10^n for n ≤ 15, exactly.
func powersOfTen(n int) float64 {
	return [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}[n]
}

// keepsDigits reports whether f, written as short as possible, is the number
// that text spells. 0.1 is kept, 9007199254740993 is not: a float64 holds the
// neighbour, and an id that is off by one is somebody else's.
func keepsDigits(text []byte, f float64, bits int) bool {
	significant := 0
	for _, c := range text {
		if c|0x20 == 'e' {
			break
		}
		if '0' <= c && c <= '9' && (significant > 0 || c != '0') {
			significant++
		}
	}
	digits, normal := 15, 0x1p-1022
	if bits == 32 {
		digits, normal = 6, 0x1p-126
	}
	// Below the normal numbers digits get lost, and 1e-400 becomes a zero that
	// exclusiveMinimum:"0" would have refused.
	if significant == 0 || significant <= digits && math.Abs(f) >= normal {
		return true
	}
	written, err := exactly(text)
	if err != nil {
		return false
	}
	kept, err := decimal.NewFromString(strconv.FormatFloat(f, 'e', -1, bits))
	return err == nil && kept.Equal(written)
}

func (n *floatNode) encode(e *encoder, v reflect.Value) {
	f := v.Float()
	if e.compares && f == 0 {
		f = 0 // and not -0
	}
	e.float(f, n.bits)
}

func (n *floatNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"number"}, Format: "double"}
	if n.bits == 32 {
		s.Format = "float"
	}
	n.bounds.describe(s)
	return s
}

// maxExponent bounds the exponent of exact numbers: 1e1000000000 is short to
// send and a gigabyte to write down.
const maxExponent = 400

// exactly returns the decimal that text, a JSON number, spells.
func exactly(text []byte) (decimal.Decimal, error) {
	for i, c := range text {
		if c|0x20 != 'e' {
			continue
		}
		if e, err := strconv.Atoi(string(text[i+1:])); err != nil || e > maxExponent || e < -maxExponent {
			return decimal.Decimal{}, strconv.ErrRange
		}
	}
	return decimal.NewFromString(string(text))
}
