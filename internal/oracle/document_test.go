package oracle_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// document is a JSON text that can be changed in ways a Go value cannot: with
// names twice, numbers in any spelling, and broken text.
type document struct {
	open  byte     // '[' or '{'; 0 for what text holds
	text  string   // of a string, a number, true, false or null
	names []string // of an object, as JSON strings
	items []*document
}

func literal(text string) *document { return &document{text: text} }

func quoted(s string) *document {
	text, _ := json.Marshal(s)
	return literal(string(text))
}

func (d *document) append(buf []byte) []byte {
	if d.open == 0 {
		return append(buf, d.text...)
	}
	buf = append(buf, d.open)
	for i, item := range d.items {
		if i > 0 {
			buf = append(buf, ',')
		}
		if d.open == '{' {
			buf = append(append(buf, d.names[i]...), ':')
		}
		buf = item.append(buf)
	}
	return append(buf, d.open+2) // The closing bracket is two further on.
}

// substitutes are what any value may be replaced by.
var substitutes = []*document{
	literal("null"), literal("true"), literal("false"), literal("0"), literal("-1"), literal("1.0"), literal("1.5"), literal("-0"), literal("1e2"), literal("300"), literal("70000"),
	literal("2147483648"), literal("9007199254740993"), literal("9223372036854775808"), literal("-9223372036854775809"), literal("18446744073709551615"), literal("18446744073709551616"),
	literal("1e-400"), literal("1e400"), literal("0.30000000000000004"), literal("123456789012345678901234567890123456"),
	literal(`""`), literal(`"x"`), literal(`"1"`), literal(`"日本語"`), literal(`"\u0061\ud83d\ude00"`), quoted(strings.Repeat("é", 40)), literal(`"cat"`), literal(`"2026-02-28T10:00:00Z"`), literal(`"2016-12-31T23:59:60Z"`), literal(`"aGk="`),
	literal(`"P1Y"`), literal(`"-PT1H"`), literal(`"P999999W"`), literal(`"AAAAAAAAAAA="`), quoted("::1%eth0"), quoted("http://a.b/#c#d"),
	{open: '['}, {open: '{'}, {open: '[', items: []*document{literal("null")}}, {open: '{', names: []string{`"x"`}, items: []*document{literal("1")}},
}

// eachChange calls visit for every version of d that is one change away, while
// d is changed.
func (d *document) eachChange(visit func()) {
	old := *d
	changes := scalarChanges(d.text)
	if d.open != 0 {
		changes = d.containerChanges()
	}
	for _, s := range substitutes {
		changes = append(changes, *s)
	}
	for _, c := range changes {
		*d = c
		visit()
		*d = old
	}
	for _, item := range d.items {
		item.eachChange(visit)
	}
}

func (d *document) containerChanges() (changes []document) {
	for i := range d.items {
		without := document{open: d.open, items: slices.Delete(slices.Clone(d.items), i, i+1)}
		twice := document{open: d.open, items: append(slices.Clone(d.items), d.items[i])}
		if d.open == '{' {
			without.names = slices.Delete(slices.Clone(d.names), i, i+1)
			twice.names = append(slices.Clone(d.names), d.names[i])
			other := document{open: '{', items: d.items, names: slices.Clone(d.names)}
			other.names[i] = strings.ToUpper(other.names[i])
			escaped := document{open: '{', items: d.items, names: slices.Clone(d.names)}
			if name := escaped.names[i]; len(name) > 2 && name[1] != '\\' && name[1] < 0x80 {
				escaped.names[i] = `"\u00` + hexByte(name[1]) + name[2:]
			}
			changes = append(changes, other, escaped)
		}
		changes = append(changes, without, twice)
	}
	more := document{open: d.open, items: append(slices.Clone(d.items), literal("1"))}
	if d.open == '{' {
		for _, name := range []string{`"unknown"`, `"title"`, `"id"`, `"size"`, `"__proto__"`} {
			changes = append(changes, document{open: '{', items: more.items, names: append(slices.Clone(d.names), name)})
		}
		return changes
	}
	return append(changes, more)
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// scalarChanges returns the texts next to text: one less, one more, the same in
// another spelling.
func scalarChanges(text string) (changes []document) {
	add := func(texts ...string) {
		for _, text := range texts {
			changes = append(changes, *literal(text))
		}
	}
	if strings.HasPrefix(text, `"`) {
		inner := text[1 : len(text)-1]
		add(`"`+inner+`x"`, `"`+inner+`é"`, `"`+inner+inner+`"`, `"x`+inner+`"`, `"`+strings.ToUpper(inner)+`"`, `"`+inner+`\ud800"`)
		var s string
		if json.Unmarshal([]byte(text), &s) == nil && s != "" {
			runes := []rune(s)
			add(quoted(string(runes[1:])).text, quoted(string(runes[:len(runes)-1])).text)
		}
		return changes
	}
	x, err := decimal.NewFromString(text)
	if err != nil || x.NumDigits() > 40 || x.Exponent() > 40 || x.Exponent() < -40 {
		return changes
	}
	for _, step := range []string{"1", "-1", "0.1", "-0.01", "0.00000001"} {
		add(x.Add(decimal.RequireFromString(step)).String())
	}
	add(x.String()+"e0", x.Neg().String())
	if x.IsInteger() {
		add(x.String()+".0", x.String()+".000")
	}
	return changes
}

// generator draws documents from a published schema: mostly valid ones, near
// the limits of its rules.
type generator struct{ components map[string]any }

func (g generator) draw(t *rapid.T, s map[string]any, depth int) *document {
	if ref, ok := s["$ref"].(string); ok {
		return g.draw(t, g.components[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any), depth)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		if list, ok := s[key].([]any); ok {
			return g.draw(t, rapid.SampledFrom(list).Draw(t, key).(map[string]any), depth)
		}
	}
	if value, ok := s["const"]; ok {
		return constant(value)
	}
	if values, ok := s["enum"].([]any); ok {
		return constant(rapid.SampledFrom(values).Draw(t, "enum"))
	}
	switch kind := kindOf(t, s); kind {
	case "object":
		return g.object(t, s, depth)
	case "array":
		return g.array(t, s, depth)
	case "string":
		return quoted(text(t, s))
	case "integer", "number":
		return literal(number(t, s, kind == "integer"))
	case "boolean":
		return literal(rapid.SampledFrom([]string{"true", "false"}).Draw(t, "boolean"))
	case "null":
		return literal("null")
	default:
		return rapid.SampledFrom(substitutes[:8]).Draw(t, "anything")
	}
}

func constant(value any) *document {
	text, _ := json.Marshal(value)
	return literal(string(text))
}

func kindOf(t *rapid.T, s map[string]any) string {
	switch kind := s["type"].(type) {
	case string:
		return kind
	case []any:
		if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			return "null"
		}
		return kind[0].(string)
	default:
		return ""
	}
}

func (g generator) object(t *rapid.T, s map[string]any, depth int) *document {
	d := &document{open: '{'}
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range sortedNames(properties) {
		if !slices.Contains(required, any(name)) && (depth > 2 || rapid.Bool().Draw(t, "leave out")) {
			continue
		}
		d.names = append(d.names, quoted(name).text)
		d.items = append(d.items, g.draw(t, properties[name].(map[string]any), depth+1))
	}
	values, ok := s["additionalProperties"].(map[string]any)
	if !ok {
		return d
	}
	for _, name := range []string{"a", "é", "", "a/b", "__proto__"}[:between(t, s, "minProperties", "maxProperties", depth)] {
		d.names = append(d.names, quoted(name).text)
		d.items = append(d.items, g.draw(t, values, depth+1))
	}
	return d
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (g generator) array(t *rapid.T, s map[string]any, depth int) *document {
	d := &document{open: '['}
	items, _ := s["items"].(map[string]any)
	for range between(t, s, "minItems", "maxItems", depth) {
		d.items = append(d.items, g.draw(t, items, depth+1))
	}
	return d
}

// between draws a number of items, at most 3 more than there must be.
func between(t *rapid.T, s map[string]any, low, high string, depth int) int {
	least, most := whole(s, low, 0), whole(s, high, 3)
	if depth > 2 {
		return least
	}
	return rapid.IntRange(least, min(most, least+3)).Draw(t, "items")
}

func whole(s map[string]any, name string, otherwise int) int {
	if n, ok := s[name].(json.Number); ok {
		x, _ := n.Int64()
		return int(x)
	}
	return otherwise
}

var formatExamples = map[string][]string{
	"uuid": {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, "date": {"2026-02-28", "2024-02-29"},
	"date-time": {"2026-02-28T10:00:00Z", "2024-02-29t23:59:59.123456789-01:30", "2026-02-28T10:00:00.000z"}, "duration": {"PT1H30M", "P2W", "P1DT0.5S"},
	"email": {"a@b.co"}, "hostname": {"example.com"}, "uri": {"urn:a:b", "http://a.b/c?d#e"}, "ipv4": {"192.0.2.1"}, "ip": {"::1", "10.0.0.1"},
	"cidr": {"10.0.0.0/8", "2001:db8::/32"}, "http-url": {"https://example.com/a?b=c", "http://[::1]:8080/"},
}

func text(t *rapid.T, s map[string]any) string {
	if s["contentEncoding"] == "base64" {
		raw := rapid.SliceOfN(rapid.Byte(), 2, 7).Draw(t, "bytes")
		return base64.StdEncoding.EncodeToString(raw)
	}
	if name, ok := s["format"].(string); ok {
		return rapid.SampledFrom(formatExamples[name]).Draw(t, "format")
	}
	if pattern, ok := s["pattern"].(string); ok {
		return rapid.StringMatching(pattern).Draw(t, "pattern")
	}
	least := whole(s, "minLength", 0)
	n := rapid.IntRange(least, min(whole(s, "maxLength", least+4), least+4)).Draw(t, "length")
	return string(rapid.SliceOfN(rapid.SampledFrom([]rune("aé日😀 \"\x00")), n, n).Draw(t, "text"))
}

// number draws a number at, near or between the limits of s.
func number(t *rapid.T, s map[string]any, integer bool) string {
	step := decimal.New(1, -2)
	if integer {
		step = decimal.NewFromInt(1)
	}
	if n, ok := s["multipleOf"].(json.Number); ok {
		step = decimal.RequireFromString(n.String())
	}
	from, inward := decimal.Zero, int64(1)
	for i, name := range []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"} {
		if n, ok := s[name].(json.Number); ok && rapid.Bool().Draw(t, name) {
			from = decimal.RequireFromString(n.String())
			if i > 1 {
				inward = -1
			}
		}
	}
	from = from.Div(step).Floor().Mul(step) // A multiple near the limit.
	steps := rapid.SampledFrom([]int64{1, 1, 2, 2, 3, 0, -1}).Draw(t, "steps")
	return from.Add(step.Mul(decimal.NewFromInt(inward * steps))).String()
}
