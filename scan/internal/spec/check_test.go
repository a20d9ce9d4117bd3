package spec

import (
	"encoding/json"
	"strings"
	"testing"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// schemaOf reads a schema with {"$ref": "#/components/schemas/S"} as itself.
func schemaOf(t *testing.T, text string) *Schema {
	t.Helper()
	return parsed(t, `{"paths":{},"components":{"schemas":{"S":`+text+`}}}`, ParseConfig{}).Schemas["S"]
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ schema, value, want string }{
		{`{"type":"integer"}`, `"1"`, " is of type string, not integer"},
		{`{"type":"integer"}`, `1.5`, " is of type number, not integer"},
		{`{"type":"string"}`, `null`, " is null, not string"},
		{`{"enum":["a","b"]}`, `"c"`, " is none of the 2 values that are allowed"},
		{`{"const":1}`, `2`, " is none of the 1 values that are allowed"},
		{`{"required":["a"]}`, `{}`, " has no a, which is required"},
		{`{"properties":{"a/b":{"type":"string"}}}`, `{"a/b":1}`, "/a~1b is of type integer, not string"},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"a":1,"b":2}`, "/b is not declared, and nothing else is allowed"},
		{`{"additionalProperties":{"type":"integer"}}`, `{"b":"x"}`, "/b is of type string, not integer"},
		{`{"items":{"type":"integer"},"maxItems":2}`, `[1,"x",2]`, " has 3 elements, more than 2;/1 is of type string, not integer"},
		{`{"minItems":1}`, `[]`, " has 0 elements, fewer than 1"},
		{`{"minimum":1,"maximum":2,"multipleOf":0.1}`, `2.55`, " is more than 2; is no multiple of 0.1"},
		{`{"exclusiveMinimum":1}`, `1`, " is less than 1"},
		{`{"minimum":1,"exclusiveMinimum":true}`, `1`, " is less than 1"},
		{`{"minLength":2,"pattern":"^b"}`, `"ä"`, " has 1 characters, fewer than 2; does not match the pattern ^b"},
		{`{"maxLength":1}`, `"ab"`, " has 2 characters, more than 1"},
		{`{"format":"date-time"}`, `"yesterday evening"`, " is no date-time"},
		{`{"format":"uuid"}`, `"7"`, " is no uuid"},
		{`{"format":"email"}`, `"ann"`, " is no email"},
		{`{"format":"ipv4"}`, `"::1"`, " is no ipv4"},
		{`{"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}}}]}`, `{"a":"x"}`, "/a is of type string, not integer"},
		{`{"anyOf":[{"type":"string"},{"type":"integer"}]}`, `true`, " fits none of 2 alternatives; the nearest: is of type boolean, not string"},
		{`{"discriminator":{"propertyName":"k","mapping":{"s":"S"}},"properties":{"k":{},"n":{"type":"integer"}},"oneOf":[{"properties":{"n":{}}},{"type":"object"}]}`, `{"k":"s","n":1}`, ""},
		{`{"allOf":[{"properties":{"a":{}},"additionalProperties":false},{"properties":{"b":{"type":"string"}}}]}`, `{"a":1,"b":2,"c":3}`, "/b is of type integer, not string;/c is not declared, and nothing else is allowed"},
		{`{"properties":{"self":{"$ref":"#/components/schemas/S"},"n":{"type":"integer"}}}`, `{"self":{"self":{"n":"x"}}}`, "/self/self/n is of type string, not integer"},
		{`{"items":false}`, `[1]`, "/0 nothing may be here"},
		{`{"enum":["a",null]}`, `null`, ""},
		{`{"type":"number"}`, `1`, ""},
		{`{"type":"integer"}`, `1.0`, ""},
		{`{"const":1.0}`, `1`, ""},
		{`{"nullable":true,"type":"string"}`, `null`, ""},
		{`{"$ref":"#/components/schemas/none"}`, `[]`, ""},
		{`{"anyOf":[{"type":"integer"},{"type":"null"}]}`, `null`, ""},
		{`{"required":["w"],"properties":{"w":{"writeOnly":true}}}`, `{}`, ""},
		{`{"format":"date-time"}`, `"2024-02-03 04:05:06"`, ""},
		{`{"pattern":"(?<!x)y"}`, `"n"`, ""},
		{`{"properties":{"a":{}},"oneOf":[{"properties":{"b":{}},"additionalProperties":false}, {"type":"string"}]}`, `{"a":1,"b":2}`, ""},
		{`{}`, `{"a":[1]}`, ""},
	} {
		var got []string
		for _, m := range schemaOf(t, test.schema).Check(decoded(t, test.value)) {
			got = append(got, m.Pointer+" "+m.What)
		}
		if text := strings.ReplaceAll(strings.Join(got, ";"), "; ", "; "); strings.TrimPrefix(text, " ") != strings.TrimPrefix(test.want, " ") {
			t.Errorf("%s of %s:\n got %q\nwant %q", test.value, test.schema, text, test.want)
		}
	}
}

func TestCheckTakesNumbersOfAllKinds(t *testing.T) {
	s := schemaOf(t, `{"type":"integer","minimum":5}`)
	for _, v := range []any{1, int64(1), 1.0, json.Number("1")} {
		if got := s.Check(v); len(got) != 1 || got[0].What != "is less than 5" {
			t.Errorf("%T: %v", v, got)
		}
	}
	var none *Schema
	if got := none.Check("x"); got != nil {
		t.Error(got)
	}
}
