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

// intNode is the plan of a signed or unsigned integer.
type intNode struct {
	bounds
	bits     int
	unsigned bool
	// low and high are the limits of the declaration and of the Go type,
	// together. For uint64 high is unused: its limit is the type's.
	low, high int64
	slow      bool // a bound that only the exact check can decide
	// under and over are what is wrong with a value beyond low or high, where
	// that is one bound alone.
	under, over *fault
	choices
}

func (c *compiler) int(t reflect.Type, r *rules, where string) node {
	n := &intNode{bounds: r.bounds(c, where), bits: t.Bits(), choices: r.choicesOf(c, where, canonicalInteger)}
	n.low, n.high = -1<<(n.bits-1), 1<<(n.bits-1)-1
	n.narrow(c, where, decimal.NewFromInt(n.low), decimal.NewFromInt(n.high))
	n.fit()
	return n
}

func (c *compiler) uint(t reflect.Type, r *rules, where string) node {
	n := &intNode{bounds: r.bounds(c, where), bits: t.Bits(), unsigned: true, high: math.MaxInt64}
	n.choices = r.choicesOf(c, where, canonicalInteger)
	if n.bits < 64 {
		n.high = 1<<n.bits - 1
	}
	n.narrow(c, where, decimal.Zero, decimal.NewFromUint64(math.MaxUint64>>(64-n.bits)))
	n.fit()
	return n
}

// narrow makes the limits of the Go type rules of the schema, so that they are
// published and so that 300 in an int8 is refused, not wrapped to 44.
func (n *intNode) narrow(c *compiler, where string, low, high decimal.Decimal) {
	for _, b := range []*bound{n.ge, n.gt, n.le, n.lt} {
		if b != nil && (b.exact.LessThan(low) || b.exact.GreaterThan(high)) {
			c.mistake(where, "bound %s is outside the type, %s to %s", b.text, low, high)
		}
	}
	if n.ge == nil && n.gt == nil && (n.bits < 64 || n.unsigned) {
		n.ge = bounding("minimum", low)
	}
	if n.le == nil && n.lt == nil && n.bits < 64 {
		n.le = bounding("maximum", high)
	}
}

// bounding returns the bound that a Go type sets.
func bounding(rule string, x decimal.Decimal) *bound {
	text := json.Number(x.String())
	return &bound{text, x, faultOf(rule, text)}
}

// fit moves whole-number bounds into low and high.
func (n *intNode) fit() {
	for _, b := range []struct {
		bound *bound
		open  int64
		low   bool
	}{{n.ge, 0, true}, {n.gt, 1, true}, {n.le, 0, false}, {n.lt, -1, false}} {
		if b.bound == nil {
			continue
		}
		if !b.bound.exact.IsInteger() || !b.bound.exact.BigInt().IsInt64() {
			n.slow = true
			continue
		}
		x := b.bound.exact.IntPart()
		if b.open == 1 && x == math.MaxInt64 || b.open == -1 && x == math.MinInt64 {
			n.slow = true // Nothing is beyond; the sum would wrap to everything.
			continue
		}
		x += b.open
		if b.low {
			n.low = max(n.low, x)
		} else {
			n.high = min(n.high, x)
		}
	}
	n.slow = n.slow || n.multiple != nil
	n.under, n.over = onlyFault(n.ge, n.gt), onlyFault(n.le, n.lt)
}

// onlyFault returns the violation of the one bound there is, or nil.
func onlyFault(closed, open *bound) *fault {
	switch {
	case closed != nil && open == nil:
		return closed.broken
	case closed == nil && open != nil:
		return open.broken
	default:
		return nil
	}
}

func (n *intNode) decode(d *decoder, v reflect.Value) bool {
	text, integer, ok := d.token("int_type")
	if text == nil {
		return ok
	}
	if !integer {
		d.violate("int_from_float")
		return true
	}
	n.set(d, text, v)
	return true
}

// decodeText takes decimal digits as a person would write them: no sign but a
// minus, no leading zeros, no spaces, no underscores. Two spellings of one id
// are two cache keys, and two rows in a log that are one object.
func (n *intNode) decodeText(d *decoder, s string, v reflect.Value) {
	if s == "" || len(s) > maxNumberLength || !canonicalInteger(s) {
		if len(s) > maxNumberLength {
			d.violate("int_parsing_size")
			return
		}
		d.violate("int_parsing")
		return
	}
	n.set(d, []byte(s), v)
}

func canonicalInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (n *intNode) set(d *decoder, text []byte, v reflect.Value) {
	if n.texts != nil {
		n.choices.check(d, string(text))
	}
	if len(text) == 2 && text[0] == '-' && text[1] == '0' {
		d.violate("int_parsing")
		return
	}
	x, ok := parseInt64(text)
	if !ok && n.unsigned && n.bits == 64 {
		n.setUint64(d, text, v)
		return
	}
	if !ok {
		if n.bits < 64 {
			n.checkExactly(d, text)
		} else {
			d.violate("int_parsing_size")
		}
		return
	}
	switch {
	case n.slow:
	case x >= n.low && x <= n.high:
		n.store(x, v)
		return
	case x < n.low && n.under != nil:
		d.broken(n.under)
		return
	case x > n.high && n.over != nil:
		d.broken(n.over)
		return
	}
	if n.checkExactly(d, text) {
		n.store(x, v)
	}
}

func (n *intNode) store(x int64, v reflect.Value) {
	if n.unsigned {
		v.SetUint(uint64(x))
	} else {
		v.SetInt(x)
	}
}

// setUint64 handles what is above the range of int64.
func (n *intNode) setUint64(d *decoder, text []byte, v reflect.Value) {
	x, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		if text[0] == '-' {
			n.checkExactly(d, text)
			return
		}
		d.violate("int_parsing_size")
		return
	}
	if n.checkExactly(d, text) {
		v.SetUint(x)
	}
}

// checkExactly decides the bounds by exact arithmetic and reports whether they
// hold.
func (n *intNode) checkExactly(d *decoder, text []byte) bool {
	x, err := exactly(text)
	if err != nil {
		d.violate("int_parsing_size")
		return false
	}
	before := d.report.count()
	n.bounds.check(d, x)
	return d.report.count() == before
}

// parseInt64 reads decimal digits that readNumber or canonicalInteger passed.
func parseInt64(text []byte) (int64, bool) {
	negative := text[0] == '-'
	digits := text
	if negative {
		digits = text[1:]
	}
	if len(digits) > 19 {
		return 0, false
	}
	var x uint64
	for _, c := range digits {
		x = x*10 + uint64(c-'0')
	}
	switch {
	case negative && x <= 1<<63:
		return -int64(x), true
	case !negative && x < 1<<63:
		return int64(x), true
	}
	return 0, false
}

func (n *intNode) encode(e *encoder, v reflect.Value) {
	if n.unsigned {
		e.buf = strconv.AppendUint(e.buf, v.Uint(), 10)
		return
	}
	e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
}

// describe says the limits of the Go type where the declaration has none: a
// format binds no validator. The format is the smallest one that all generators
// know and that every value of the type fits.
func (n *intNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"integer"}, Format: "int32"}
	switch {
	case n.bits == 64 && n.unsigned:
		s.Format = "uint64"
	case n.bits == 64, n.bits == 32 && n.unsigned:
		s.Format = "int64"
	}
	n.bounds.describe(s)
	n.choices.describe(s)
	if n.texts == nil {
		n.describeLimits(s)
	}
	return s
}

func (n *intNode) describeLimits(s *openapi.Schema) {
	if n.ge == nil && n.gt == nil {
		s.Minimum = json.Number(strconv.FormatInt(n.low, 10))
	}
	switch {
	case n.le != nil || n.lt != nil:
	case n.bits == 64 && n.unsigned:
		s.Maximum = json.Number(strconv.FormatUint(math.MaxUint64, 10))
	default:
		s.Maximum = json.Number(strconv.FormatInt(n.high, 10))
	}
}
