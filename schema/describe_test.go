package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// stamp says what schema it has, always the same one.
type stamp struct{}

var stampSchema = openapi.Schema{Type: openapi.Types{"string"}, Pattern: "^[0-9]+$"} // Only read: a test below sees to it.

func (stamp) JSONSchema() *openapi.Schema  { return &stampSchema }
func (*stamp) UnmarshalJSON([]byte) error  { return nil }
func (stamp) MarshalJSON() ([]byte, error) { return []byte(`"1"`), nil }

// published returns the schemas of p as JSON: the root and the components.
func published(t *testing.T, p *schema.Plan, mode schema.Mode) (root, components string) {
	t.Helper()
	d := schema.NewDescriber()
	s := d.Describe(p, mode)
	c := d.Components()
	return marshal(t, s), marshal(t, c)
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSchemas(t *testing.T) {
	for _, c := range []struct {
		name string
		into any
		tag  string
		want string
	}{
		{"a text with its rules", "", `minLength:"1" maxLength:"3" pattern:"^a" format:"email"`, `{"type":"string","format":"email","minLength":1,"maxLength":3,"pattern":"^a"}`},
		{"a choice", "", `enum:"a,b"`, `{"type":"string","enum":["a","b"]}`},
		{"a constant", "", `const:"a"`, `{"type":"string","const":"a"}`},
		{"a choice that may be null", new(string), `enum:"a,b"`, `{"anyOf":[{"type":"string","enum":["a","b"]},{"type":"null"}]}`},
		{"a text that may be null", schema.Null[string]{}, `maxLength:"3"`, `{"type":["string","null"],"maxLength":3}`},
		{"an Opt is what is in it", schema.Opt[bool]{}, ``, `{"type":"boolean"}`},
		{"the range of the type", int8(0), ``, `{"type":"integer","format":"int32","minimum":-128,"maximum":127}`},
		{"the range of the largest type", uint64(0), ``, `{"type":"integer","format":"uint64","minimum":0,"maximum":18446744073709551615}`},
		{"a bound in the words of its tag", 0.0, `minimum:"1e2" exclusiveMaximum:"2e2"`, `{"type":"number","format":"double","minimum":1e2,"exclusiveMaximum":2e2}`},
		{"an integer's choice", 0, `enum:"1,2"`, `{"type":"integer","format":"int64","enum":[1,2]}`},
		{"decimal places", decimal.Decimal{}, `decimalPlaces:"2"`, `{"type":"number","format":"decimal","multipleOf":0.01}`},
		{"a number as it is written", json.Number(""), `maximum:"1"`, `{"type":"number","maximum":1}`},
		{"a list with its rules", []string{}, `minItems:"1" uniqueItems:"true" maxLength:"2"`, `{"type":"array","items":{"type":"string","maxLength":2},"minItems":1,"uniqueItems":true}`},
		{"an array", [2]bool{}, ``, `{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":2}`},
		{"a map", map[string]bool{}, `maxProperties:"2"`, `{"type":"object","additionalProperties":{"type":"boolean"},"maxProperties":2}`},
		{"anything", []any{}, ``, `{"type":"array","items":{}}`},
		{"raw JSON that may be null", new(json.RawMessage), ``, `{}`},
		{"a type that describes itself", stamp{}, ``, `{"type":"string","pattern":"^[0-9]+$"}`},
		{"a type that describes itself and may be null", new(stamp), ``, `{"type":["string","null"],"pattern":"^[0-9]+$"}`},
		{"a type that reads itself and says nothing", point{}, ``, `{}`},
		{"a struct that may be null", new(member), ``, `{"anyOf":[{"$ref":"#/components/schemas/member"},{"type":"null"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := typesPlan(c.into, c.tag)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // What is described twice is described alike.
				if got, _ := published(t, p, schema.Input); got != c.want {
					t.Errorf("schema of %T with %s = %s, want %s", c.into, c.tag, got, c.want)
				}
			}
		})
	}
}

func TestRequestsAndAnswersAreDescribedApart(t *testing.T) {
	type shownOrder struct {
		Order sale `json:"order" title:"The order" deprecated:"true"`
	}
	p := plan(t, shownOrder{}, "")
	for mode, want := range map[schema.Mode]string{
		schema.Input: `{"sale":{"type":"object","properties":{"price":{"type":"number","format":"decimal"},"tax":{"type":"number","format":"decimal"}},` +
			`"required":["price","tax"],"additionalProperties":false},` +
			`"shownOrder":{"type":"object","properties":{"order":{"$ref":"#/components/schemas/sale","title":"The order","deprecated":true}},"required":["order"],"additionalProperties":false}}`,
		schema.Output: `{"sale":{"type":"object","properties":{"price":{"type":"number","format":"decimal"},"tax":{"type":"number","format":"decimal"},` +
			`"total":{"type":"number","format":"decimal","readOnly":true},"label":{"type":"string","readOnly":true}},` +
			`"required":["price","tax","total","label"],"additionalProperties":false},` +
			`"shownOrder":{"type":"object","properties":{"order":{"$ref":"#/components/schemas/sale","title":"The order","deprecated":true}},"required":["order"],"additionalProperties":false}}`,
	} {
		if _, got := published(t, p, mode); got != want {
			t.Errorf("mode %d: components %s, want %s", mode, got, want)
		}
	}
}

// writesText is shown as text and read by its kind.
type writesText int

func (writesText) MarshalText() ([]byte, error) { return []byte("<text>"), nil }

func TestATypeThatWritesItselfIsDescribedAsRead(t *testing.T) {
	type page struct {
		Token token      `json:"token" maxLength:"9"`
		Text  writesText `json:"text" maximum:"9"`
	}
	p := plan(t, page{}, "")
	if _, got := published(t, p, schema.Input); got != `{"page":{"type":"object","properties":{"token":{"type":"string","maxLength":9},`+
		`"text":{"type":"integer","format":"int64","minimum":-9223372036854775808,"maximum":9}},"required":["token","text"],"additionalProperties":false}}` {
		t.Errorf("requests: %s", got)
	}
	if _, got := published(t, p, schema.Output); got != `{"page":{"type":"object","properties":{"token":{},"text":{"type":"string"}},"required":["token","text"],"additionalProperties":false}}` {
		t.Errorf("answers: %s", got)
	}
	if got, err := encode(p, page{Text: 3}); err != nil || got != `{"token":"hidden","text":"\u003ctext\u003e"}` {
		t.Errorf("Append() = %s (%v)", got, err)
	}
}

// TestComponentsOfBothModesHaveTwoNames: one document describes requests and
// answers.
func TestComponentsOfBothModesHaveTwoNames(t *testing.T) {
	type box struct {
		Account account `json:"account"`
		Member  member  `json:"member"`
	}
	d := schema.NewDescriber()
	p := plan(t, box{}, "")
	in, out := d.Describe(p, schema.Input), d.Describe(p, schema.Output)
	components := d.Components()
	var names []string
	for name := range components.All() {
		names = append(names, name)
	}
	if in.Ref != "#/components/schemas/boxInput" || out.Ref != "#/components/schemas/box" {
		t.Errorf("requests refer to %s and answers to %s", in.Ref, out.Ref)
	}
	if got := marshal(t, names); got != `["account","accountInput","box","boxInput","member"]` {
		t.Errorf("components are %s", got)
	}
}

func TestJSONSchemaDescribesWhatDecodeAccepts(t *testing.T) {
	root, components := typed[pet](t).JSONSchema()
	const want = `{"oneOf":[{"$ref":"#/components/schemas/cat"},{"$ref":"#/components/schemas/dog"}],` +
		`"discriminator":{"propertyName":"kind","mapping":{"cat":"#/components/schemas/cat","dog":"#/components/schemas/dog"}}}`
	if got := marshal(t, root); got != want {
		t.Errorf("JSONSchema() = %s, want %s", got, want)
	}
	if _, ok := components.Get("dog"); !ok {
		t.Error("the variant has no component")
	}
}
