package schema

import (
	"encoding/json"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// ruleNames are the tag keys that constrain a value, with the names that JSON
// Schema gives them.
func ruleNames() []string {
	return []string{
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "pattern", "format", "enum", "const",
		"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
		"maxDigits", "decimalPlaces",
	}
}

// RuleNames returns the keys of the tags that are rules.
func RuleNames() []string { return ruleNames() }

// rules are the constraints of one field. Each node takes those that fit it;
// what nobody takes is a mistake in the declaration.
type rules struct {
	values map[string]string
	used   map[string]bool
	typos  []typo
}

// typo is a tag key that looks like a rule and is none.
type typo struct{ wrote, meant string }

func parseRules(tag reflect.StructTag) *rules {
	r := &rules{used: make(map[string]bool)}
	for _, name := range ruleNames() {
		if value, ok := tag.Lookup(name); ok {
			if r.values == nil {
				r.values = make(map[string]string)
			}
			r.values[name] = value
		}
	}
	for key := range tagKeys(tag) {
		if meant := misspelt(key); meant != "" {
			r.typos = append(r.typos, typo{key, meant})
		}
	}
	return r
}

// misspelt returns the key that was meant, if key is not one of ours but nearly:
// a rule that is spelt wrong checks nothing, and nobody sees it.
func misspelt(key string) string {
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
	known := append(ruleNames(), "readOnly", "writeOnly", "visibleTo", "writableBy", "deprecated", "default", "example", "required", "alias", "out", "title", "doc")
	for _, name := range known {
		if key == name {
			return ""
		}
	}
	for _, name := range known {
		if plain == strings.ToLower(name) {
			return name
		}
	}
	switch plain {
	case "min", "ge":
		return "minimum"
	case "max", "le":
		return "maximum"
	case "gt":
		return "exclusiveMinimum"
	case "lt":
		return "exclusiveMaximum"
	case "minlen":
		return "minLength"
	case "maxlen":
		return "maxLength"
	case "regex", "regexp":
		return "pattern"
	case "visible", "visiblefor", "visibleby", "readableby", "readableto", "read":
		return "visibleTo"
	case "writable", "writeable", "writeableby", "writableto", "writablefor", "write":
		return "writableBy"
	case "description", "desc":
		return "doc"
	case "examples":
		return "example"
	case "in", "validationalias", "aliases":
		return "alias"
	case "serializationalias":
		return "out"
	}
	return ""
}

// tagKeys yields the keys of a struct tag in the conventional form.
func tagKeys(tag reflect.StructTag) iter.Seq[string] {
	return func(yield func(string) bool) {
		rest := string(tag)
		for {
			rest = strings.TrimLeft(rest, " ")
			key, after, ok := strings.Cut(rest, ":")
			if !ok || key == "" || strings.ContainsAny(key, " \"") {
				return
			}
			quoted, err := strconv.QuotedPrefix(after)
			if err != nil || !yield(key) {
				return
			}
			rest = after[len(quoted):]
		}
	}
}

// take returns the rule's text and marks it as used.
func (r *rules) take(name string) (string, bool) {
	value, ok := r.values[name]
	if ok {
		r.used[name] = true
	}
	return value, ok
}

// without returns the rules for what is inside: those that are not about the
// container itself.
func (r *rules) without(names ...string) *rules {
	inner := &rules{values: maps.Clone(r.values), used: r.used}
	for _, name := range names {
		delete(inner.values, name)
	}
	return inner
}

func (r *rules) reportUnused(c *compiler, where string) {
	for _, typo := range r.typos {
		c.mistake(where, "tag %s is not known, did you mean %s?", typo.wrote, typo.meant)
	}
	for _, name := range ruleNames() {
		if _, ok := r.values[name]; ok && !r.used[name] {
			c.mistake(where, "rule %s does not fit the type", name)
		}
	}
}

// count takes a rule that is a whole number ≥ 0, or returns -1.
func (r *rules) count(c *compiler, where, name string) int {
	text, ok := r.take(name)
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		c.mistake(where, "%s is %q, want a whole number from 0", name, text)
		return -1
	}
	return n
}

// pair takes a lower and an upper bound and compares them.
func (r *rules) pair(c *compiler, where, low, high string) (minimum, maximum int) {
	minimum, maximum = r.count(c, where, low), r.count(c, where, high)
	if maximum >= 0 && minimum > maximum {
		c.mistake(where, "%s is %d, above %s, which is %d", low, minimum, high, maximum)
	}
	return minimum, maximum
}

// bound is a limit of a number: as it was written, and exactly.
type bound struct {
	text   json.Number
	exact  decimal.Decimal
	broken *fault
}

// faultOf returns the violation of a bound by the name of its rule.
func faultOf(rule string, text json.Number) *fault {
	switch rule {
	case "minimum":
		return newFault("greater_than_equal", numberLimit("ge", text))
	case "exclusiveMinimum":
		return newFault("greater_than", numberLimit("gt", text))
	case "maximum":
		return newFault("less_than_equal", numberLimit("le", text))
	case "exclusiveMaximum":
		return newFault("less_than", numberLimit("lt", text))
	default:
		return newFault("multiple_of", numberLimit("multiple_of", text))
	}
}

// number takes a rule that is a JSON number, or returns nil.
func (r *rules) number(c *compiler, where, name string) *bound {
	text, ok := r.take(name)
	if !ok {
		return nil
	}
	exact, err := decimal.NewFromString(text)
	if err != nil || len(text) > 64 || !json.Valid([]byte(text)) {
		c.mistake(where, "%s is %q, want a number", name, text)
		return nil
	}
	return &bound{json.Number(text), exact, faultOf(name, json.Number(text))}
}

// bounds are the limits of a number.
type bounds struct {
	ge, gt, le, lt, multiple *bound
}

func (r *rules) bounds(c *compiler, where string) bounds {
	b := bounds{
		ge: r.number(c, where, "minimum"), gt: r.number(c, where, "exclusiveMinimum"),
		le: r.number(c, where, "maximum"), lt: r.number(c, where, "exclusiveMaximum"),
		multiple: r.number(c, where, "multipleOf"),
	}
	if b.multiple != nil && !b.multiple.exact.IsPositive() {
		c.mistake(where, "multipleOf is %s, want more than 0", b.multiple.text)
		b.multiple = nil
	}
	for _, low := range []*bound{b.ge, b.gt} {
		for _, high := range []*bound{b.le, b.lt} {
			if low != nil && high != nil && low.exact.GreaterThan(high.exact) {
				c.mistake(where, "the lower bound %s is above the upper bound %s", low.text, high.text)
			}
		}
	}
	return b
}

// choices takes the rules enum and const as a list of texts.
func (r *rules) choices(c *compiler, where string) (texts []string, constant bool) {
	if text, ok := r.take("const"); ok {
		return []string{text}, true
	}
	text, ok := r.take("enum")
	if !ok {
		return nil, false
	}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if slices.Contains(texts, item) {
			c.mistake(where, "enum lists %q twice", item)
		}
		texts = append(texts, item)
	}
	return texts, false
}

// expected renders choices as FastAPI does: 'a', 'b' or 'c'.
func expected(texts []string) string {
	var b strings.Builder
	for i, text := range texts {
		switch {
		case i > 0 && i == len(texts)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString("'" + text + "'")
	}
	return b.String()
}
