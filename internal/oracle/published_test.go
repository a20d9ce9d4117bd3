package oracle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/schema/format"
)

// contractOf is what is promised about a type: the engine that decides, and
// the published schemas by which others foretell the decision.
type contractOf struct {
	plan       *schema.Plan
	root       map[string]any
	components map[string]any
	input      *jsonschema.Schema
	// lenient is input with the formats checked as the engine does. What the
	// two say differently is a deviation of a format, for which TestFormatsAgree
	// answers.
	lenient *jsonschema.Schema
	output  *jsonschema.Schema
}

func newContract(t *testing.T, typ reflect.Type) *contractOf {
	t.Helper()
	plan, err := schema.NewTypes(schema.Config{}).Plan(typ, "")
	if err != nil {
		t.Fatal(err)
	}
	c := &contractOf{plan: plan}
	in, out := publish(t, plan, schema.Input), publish(t, plan, schema.Output)
	c.root = in["allOf"].([]any)[0].(map[string]any)
	c.components, _ = in["components"].(map[string]any)["schemas"].(map[string]any)
	c.input, c.lenient, c.output = validator(t, in, false), validator(t, in, true), validator(t, out, true)
	return c
}

// publish returns the JSON Schema document of a plan.
func publish(t *testing.T, plan *schema.Plan, mode schema.Mode) map[string]any {
	t.Helper()
	d := schema.NewDescriber()
	root := d.Describe(plan, mode)
	components := d.Components()
	text, err := json.Marshal(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": []*openapi.Schema{root},
		"components": map[string]any{"schemas": components},
	})
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document.(map[string]any)
}

// validator compiles a document, which is checked against the meta-schema, too.
// Formats of which JSON Schema knows nothing are the engine's own.
func validator(t *testing.T, document map[string]any, ownFormats bool) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	standard := []string{"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "json-pointer", "regex", "time", "uri", "uri-reference", "uuid"}
	for _, name := range format.Names() {
		if f, _ := format.Lookup(name); ownFormats || !slices.Contains(standard, name) {
			c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
				if s, ok := v.(string); ok {
					return f.Check(s)
				}
				return nil
			}})
		}
	}
	if err := c.AddResource("published.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("published.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// differs is a reason why the two verdicts on a document may not be the same.
type differs struct {
	name string
	// code is what the engine refuses with. Empty means that the engine accepts
	// what the validator refuses.
	code string
	// shows reports whether the document has what the reason is about.
	shows   func(text string) bool
	witness func() (subject any, text string)
}

func has(expr string) func(string) bool { return regexp.MustCompile(expr).MatchString }

// repeatsName reports whether an object in text has a name twice.
func repeatsName(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	type level struct {
		names  map[string]bool // nil in an array
		inName bool
	}
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		last := len(stack) - 1
		if name, ok := token.(string); ok && last >= 0 && stack[last].inName {
			if stack[last].names[name] {
				return true
			}
			stack[last].names[name] = true
			stack[last].inName = false
			continue
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
			continue
		case json.Delim('['):
			stack = append(stack, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:last]
			last--
		}
		if last >= 0 && stack[last].names != nil {
			stack[last].inName = true // What ended was a member's value.
		}
	}
}

func witness(subject any, text string) func() (any, string) {
	return func() (any, string) { return subject, text }
}

const (
	leastIntegers  = `{"int8":0,"uint8":0,"int16":0`
	leastFractions = `{"float":0,"free":0,"price":0`
	leastFormats   = `{"time":"2026-02-28T10:00:00Z","address":"::1","network":"10.0.0.0/8","url":"http://a.b"`
)

// deviations from the published schema. Each is a limit of what JSON Schema can
// say, or a strictness that is worth the difference.
func deviations() []differs {
	return []differs{
		{"duplicate names are gone before a validator sees the document", "json_invalid: Duplicate member name", repeatsName, witness(cat{}, `{"kind":"cat","kind":"cat","lives":1}`)},
		{"and beyond maxProperties they are not compared, only counted", "too_long", repeatsName, witness(dictionaries{}, `{"some":{"a":1,"b":1,"c":1,"a":1}}`)},
		{"so are lone surrogates", "json_invalid: Lone surrogate", has(`\\u[dD]8`), witness(anything{}, `{"any":"\ud800","raw":1,"null":1,"flag":true}`)},
		{"nesting is bounded", "json_invalid: Too deeply nested", has(`\[{30}`), witness(anything{}, `{"any":`+strings.Repeat("[", 80)+strings.Repeat("]", 80)+`,"raw":1,"null":1,"flag":true}`)},
		{"1.0 and 1e2 are integers to JSON Schema", "int_from_float", has(`\d[.eE]`), witness(integers{}, leastIntegers[:len(leastIntegers)-1]+`1.0}`)},
		{"-0 is a second spelling of 0", "int_parsing", has(`-0`), witness(integers{}, leastIntegers+`,"int32":-0}`)},
		{"digits that a float cannot keep", "float_precision", has(`\d{7}|e-\d{2,}|\.\d{7}`), witness(fractions{}, `{"float":0,"free":9007199254740993,"price":0}`)},
		{"a number's length is bounded", "float_precision", has(`\d{512}`), witness(anything{}, `{"any":`+strings.Repeat("9", 600)+`,"raw":1,"null":1,"flag":true}`)},
		{"the range of floats is published as a format", "finite_number", has(`\d{38}|e\d{2,}`), witness(fractions{}, `{"float":0,"free":1e400,"price":0}`)},
		{"exact arithmetic has bounded exponents", "finite_number", has(`e[+-]?\d{3,}`), witness(fractions{}, leastFractions+`,"as_written":0e500}`)},
		{"JSON Schema has no rule for the number of digits", "decimal_max_digits", has(`\d{5}|\d\.\d{3}|e[+-]?\d`), witness(fractions{}, leastFractions+`,"digits":123456}`)},
		{"bytes are counted decoded, by the validator in steps of three", "bytes_too_long", has(`="`), witness(formats{}, leastFormats+`,"bytes":"AAAAAAAAAAA="}`)},
		{"bytes are counted decoded, by the validator in steps of three", "bytes_too_short", has(`="`), witness(formats{}, leastFormats+`,"bytes":"AAA="}`)},
		{"a duration of years or months has no fixed length", "time_delta_parsing", has(`P\d*[YM]|P1Y`), witness(formats{}, leastFormats+`,"bytes":"AAAA","length":"P1Y"}`)},
		{"a duration of more than 292 years does not fit", "time_delta_parsing", has(`P9{6}W|\d{7}`), witness(formats{}, leastFormats+`,"bytes":"AAAA","length":"P999999W"}`)},
		{"a leap second does not fit into a time", "datetime_parsing", has(`:60`), witness(formats{}, `{"time":"2016-12-31T23:59:60Z"`+leastFormats[strings.Index(leastFormats, ","):]+`,"bytes":"AAAA"}`)},
		{"items are compared as they were decoded: two spellings of a time are one", "unique_items", has(`imes":`), witness(lists{}, `{"two":[1,2],"unique":[],"times":["2026-01-01T00:00:00Z","2026-01-01t00:00:00.0z"]}`)},
		{"a negative duration is written as others do", "", has(`"-P`), witness(formats{}, leastFormats+`,"bytes":"AAAA","length":"-PT1H"}`)},
		{"an alias is not published", "", has(`"title"`), witness(accounts{}, `{"one":{"title":"a","password":"abc"}}`)},
	}
}

// verdict is what the engine says: nothing, or the codes of its violations.
func (c *contractOf) verdict(text []byte) (reflect.Value, []string) {
	v := reflect.New(c.plan.Type()).Elem()
	report := schema.Report{In: "body"}
	c.plan.Decode(&report, text, v)
	err := report.Err()
	if err == nil {
		return v, nil
	}
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return v, []string{err.Error()}
	}
	var codes []string
	for _, violation := range p.Errors {
		code := violation.Code
		if code == "json_invalid" {
			code += fmt.Sprint(": ", violation.Limits[0].Value)
		}
		codes = append(codes, code)
	}
	return v, codes
}

// everyOther change of a document is tried: one in so many.
const everyOther = 3

// tally counts what happened to the documents of a subject.
type tally struct {
	accepted, refused, excused int
	reasons                    map[string]int
}

// compare holds the engine's verdict on text against the validator's.
func (c *contractOf) compare(t failer, text []byte, list []differs, n *tally) {
	value, codes := c.verdict(text)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	there := err
	if err == nil {
		there = c.input.Validate(instance)
	}
	if codes == nil {
		n.accepted++
		c.compareAnswer(t, value, text)
	} else {
		n.refused++
	}
	if (codes == nil) == (there == nil) {
		return
	}
	n.excused++
	if err == nil && (c.lenient.Validate(instance) == nil) == (codes == nil) {
		n.reasons["a format: see TestFormatsAgree"]++
		return
	}
	if codes == nil {
		codes = []string{""}
	}
	for _, code := range codes {
		reason := explain(list, code, string(text))
		if reason == "" {
			t.Fatalf("%s from %.300s:\nhere  %q\nthere %v", c.plan.Type(), text, codes, there)
		}
		n.reasons[reason]++
	}
}

func explain(list []differs, code, text string) string {
	for _, d := range list {
		if d.code == code && d.shows(text) {
			return d.name
		}
	}
	return ""
}

// compareAnswer expects that what is encoded has the published schema of answers.
func (c *contractOf) compareAnswer(t failer, value reflect.Value, sent []byte) {
	text, err := c.plan.Append(nil, value)
	if err != nil {
		t.Fatalf("%s from %.300s: Append() = %v", c.plan.Type(), sent, err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = c.output.Validate(instance)
	}
	if err != nil && !has(`"-P`)(string(text)) {
		t.Fatalf("%s answers %.300s to %.300s: %v", c.plan.Type(), text, sent, err)
	}
}

// TestTheEngineDoesAsPublished: what the engine accepts the published schema
// accepts, and the reverse. Each document that is drawn is tried as it is and in
// a share of the versions that are one change away. More documents are drawn
// with -rapid.checks=1000.
func TestTheEngineDoesAsPublished(t *testing.T) {
	list := deviations()
	total := tally{reasons: map[string]int{}}
	for _, typ := range subjects() {
		t.Run(typ.Name(), func(t *testing.T) {
			c := newContract(t, typ)
			n := tally{reasons: map[string]int{}}
			rapid.Check(t, func(t *rapid.T) {
				drawn := generator{c.components}.draw(t, c.root, 0)
				var buf []byte
				turn := rapid.IntRange(0, everyOther-1).Draw(t, "turn")
				drawn.eachChange(func() {
					if turn = (turn + 1) % everyOther; turn == 0 {
						buf = drawn.append(buf[:0])
						c.compare(t, buf, list, &n)
					}
				})
				c.compare(t, drawn.append(nil), list, &n)
			})
			if few := (n.accepted + n.refused) / 50; n.accepted <= few || n.refused <= few {
				t.Errorf("%d documents were accepted and %d refused: the generator misses the rules", n.accepted, n.refused)
			}
			total.accepted, total.refused, total.excused = total.accepted+n.accepted, total.refused+n.refused, total.excused+n.excused
			for reason, count := range n.reasons {
				total.reasons[reason] += count
			}
		})
	}
	t.Logf("%d documents: %d accepted, %d refused, %d of them by a deviation", total.accepted+total.refused, total.accepted, total.refused, total.excused)
	for _, reason := range slices.Sorted(maps.Keys(total.reasons)) {
		t.Logf("%7d  %s", total.reasons[reason], reason)
	}
}

// TestPublishedDeviationsAreReal keeps the list honest: each deviation must show
// in its witness.
func TestPublishedDeviationsAreReal(t *testing.T) {
	for _, d := range deviations() {
		subject, text := d.witness()
		c := newContract(t, reflect.TypeOf(subject))
		_, codes := c.verdict([]byte(text))
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		there := c.input.Validate(instance) == nil
		if there == (codes == nil) || d.code != strings.Join(codes, ",") || !d.shows(text) {
			t.Errorf("%s: %.200s is %q here, %v there", d.name, text, codes, c.input.Validate(instance))
		}
	}
}
