package schema

import (
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema/format"
)

// stringNode is the plan of a string.
type stringNode struct {
	min, max int // in code points, -1 for none
	pattern  *pattern
	format   *format.Format
	texts    []string        // the members of an enum in order
	enum     map[string]bool // the same, where there are many
	constant bool

	tooShort, tooLong, mismatch, noChoice *fault
}

func (c *compiler) string(t reflect.Type, r *rules, where string) node {
	n := &stringNode{}
	n.min, n.max = r.pair(c, where, "minLength", "maxLength")
	n.tooShort = newFault("string_too_short", limit("min_length", n.min))
	n.tooLong = newFault("string_too_long", limit("max_length", n.max))
	if text, ok := r.take("pattern"); ok {
		p, err := compilePattern(text)
		if err != nil {
			c.mistake(where, "pattern: %v", err)
		}
		n.pattern = p
		n.mismatch = newFault("string_pattern_mismatch", limit("pattern", text))
	}
	if name, ok := r.take("format"); ok {
		f, known := format.Lookup(name)
		if !known {
			c.mistake(where, "format %q is not known", name)
		}
		n.format = &f
	}
	n.texts, n.constant = r.choices(c, where)
	n.enumerate(c, t, where)
	code := "enum"
	if n.constant {
		code = "literal_error"
	}
	n.noChoice = newFault(code, limit("expected", expected(n.texts)))
	if len(n.texts) > fewChoices {
		n.enum = make(map[string]bool, len(n.texts))
		for _, text := range n.texts {
			n.enum[text] = true
		}
	}
	return n
}

// enumerated types list the texts that they may have.
type enumerated interface{ Enum() []string }

func isEnumerated(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[enumerated]()) // A pointer has the methods of both.
}

// enumerate takes the texts that t lists. The tag of a field may choose among
// them, and not add to them.
func (n *stringNode) enumerate(c *compiler, t reflect.Type, where string) {
	if !isEnumerated(t) {
		return
	}
	all := reflect.New(t).Interface().(enumerated).Enum()
	if len(all) == 0 {
		c.mistake(where, "method Enum of %s lists nothing", t)
	}
	for _, text := range n.texts {
		if !slices.Contains(all, text) {
			c.mistake(where, "enum or const: %q is none of those that %s lists", text, t)
		}
	}
	if n.texts == nil {
		n.texts = all
	}
}

func (n *stringNode) decode(d *decoder, v reflect.Value) bool {
	if d.peek() != '"' {
		d.violate("string_type")
		return d.skip()
	}
	start, end, escaped, ok := d.skipString()
	if !ok {
		return false
	}
	s := d.content(start, end, escaped)
	n.check(d, s, d.ascii && !escaped)
	v.SetString(s)
	return true
}

func (n *stringNode) decodeText(d *decoder, s string, v reflect.Value) {
	n.check(d, s, d.ascii)
	v.SetString(s)
}

// check records every rule that s breaks. Length comes first: a pattern is not
// run on a text that is too long for it.
func (n *stringNode) check(d *decoder, s string, ascii bool) {
	if n.min > 0 || n.max >= 0 {
		length := len(s)
		if !ascii && (length > n.max && n.max >= 0 || length < 4*n.min) {
			length = utf8.RuneCountInString(s)
		}
		if length < n.min {
			d.broken(n.tooShort)
		}
		if n.max >= 0 && length > n.max {
			d.broken(n.tooLong)
			return
		}
	}
	if n.pattern != nil && !n.pattern.match(s) {
		d.broken(n.mismatch)
	}
	if n.format != nil {
		if err := n.format.Check(s); err != nil {
			d.misformed(err, n.format)
		}
	}
	if n.texts != nil && !n.isChoice(s) {
		d.broken(n.noChoice)
	}
}

// fewChoices is how many texts are compared one by one: up to there it is faster
// than hashing.
const fewChoices = 8

func (n *stringNode) isChoice(s string) bool {
	if n.enum != nil {
		return n.enum[s]
	}
	return slices.Contains(n.texts, s)
}

// misformed records that a string does not have the format f, with the reason
// that err gives.
func (d *decoder) misformed(err error, f *format.Format) {
	if d.report.full() {
		return
	}
	v := problem.Violation{
		Path: d.report.place(d.path), Code: f.Code, Detail: f.Message,
		Limits: []problem.Limit{limit("format", f.Name)},
	}
	if m, ok := err.(*format.Mistake); ok {
		v.Code, v.Detail, v.Limits = m.Code(), m.Error(), m.Limits()
	}
	d.report.Add(v)
}

// encode appends v, or the constant where there is only one: a variant of a
// union says which it is even if nobody filled in its tag.
func (n *stringNode) encode(e *encoder, v reflect.Value) {
	if n.constant {
		e.string(n.texts[0])
		return
	}
	e.string(v.String())
}

func (n *stringNode) describe(*Describer, Mode) *openapi.Schema {
	s := &openapi.Schema{Type: openapi.Types{"string"}, MinLength: count(n.min), MaxLength: count(n.max)}
	if n.min == 0 {
		s.MinLength = nil
	}
	if n.pattern != nil {
		s.Pattern = n.pattern.text
	}
	if n.format != nil {
		s.Format = n.format.Name
	}
	for _, text := range n.texts {
		if n.constant {
			s.Const = text
			break
		}
		s.Enum = append(s.Enum, text)
	}
	return s
}

// count returns n for a schema, or nil for -1.
func count(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}
