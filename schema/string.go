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
}

func (c *compiler) string(t reflect.Type, r *rules, where string) node {
	n := &stringNode{}
	n.min, n.max = r.pair(c, where, "minLength", "maxLength")
	if text, ok := r.take("pattern"); ok {
		p, err := compilePattern(text)
		if err != nil {
			c.mistake(where, "pattern: %v", err)
		}
		n.pattern = p
	}
	if name, ok := r.take("format"); ok {
		f, known := format.Lookup(name)
		if !known {
			c.mistake(where, "format %q is not known", name)
		}
		n.format = &f
	}
	n.texts, n.constant = r.choices(c, where)
	if e, ok := reflect.Zero(t).Interface().(interface{ Enum() []string }); ok && n.texts == nil {
		n.texts = e.Enum()
	}
	if len(n.texts) > fewChoices {
		n.enum = make(map[string]bool, len(n.texts))
		for _, text := range n.texts {
			n.enum[text] = true
		}
	}
	return n
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
			d.violate("string_too_short", limit("min_length", n.min))
		}
		if n.max >= 0 && length > n.max {
			d.violate("string_too_long", limit("max_length", n.max))
			return
		}
	}
	if n.pattern != nil && !n.pattern.match(s) {
		d.violate("string_pattern_mismatch", limit("pattern", n.pattern.text))
	}
	if n.format != nil {
		checkFormat(d, n.format, s)
	}
	if n.texts != nil && !n.isChoice(s) {
		code := "enum"
		if n.constant {
			code = "literal_error"
		}
		d.violate(code, limit("expected", expected(n.texts, true)))
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

func checkFormat(d *decoder, f *format.Format, s string) {
	if err := f.Check(s); err != nil {
		d.report.Add(problem.Violation{
			In: d.report.In, Path: d.where(), Code: f.Code, Detail: f.Message,
			Limits: []problem.Limit{limit("format", f.Name)},
		})
	}
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
