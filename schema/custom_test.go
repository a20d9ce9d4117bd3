package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// grade reads itself from text.
type grade int

func (g grade) MarshalText() ([]byte, error) { return []byte{'A' + byte(g)}, nil }

func (g *grade) UnmarshalText(text []byte) error {
	switch {
	case len(text) != 1:
		return fmt.Errorf("grade %q is not one letter", text)
	case text[0] < 'A' || text[0] > 'F':
		return schema.Invalid("a grade is a letter from A to F").Named("grade")
	}
	*g = grade(text[0] - 'A')
	return nil
}

// point reads itself from JSON.
type point struct{ x, y int }

func (p point) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[ %d, %d ]", p.x, p.y), nil
}

func (p *point) UnmarshalJSON(data []byte) error {
	var xy []int
	if err := json.Unmarshal(data, &xy); err != nil || len(xy) != 2 {
		return fmt.Errorf("point %s: %w", data, err)
	}
	p.x, p.y = xy[0], xy[1]
	return nil
}

// token shows itself to nobody.
type token string

func (token) MarshalJSON() ([]byte, error) { return []byte(`"hidden"`), nil }

// label shows itself as text, and only through a pointer.
type label struct{ text string }

func (l *label) MarshalText() ([]byte, error) { return []byte("<" + l.text + ">"), nil }

func (l *label) UnmarshalText(text []byte) error {
	l.text = strings.Trim(string(text), "<>")
	return nil
}

func TestTypesThatReadThemselves(t *testing.T) {
	testRules(t, []ruleCase{
		{"from text", grade(0), "", `"B"`, grade(1)},
		{"from text that says why not", grade(0), "", `"Z"`, refused("grade")},
		{"from text that would repeat the input", grade(0), "", `"secret"`, refused("value_error")},
		{"a number where text is wanted", grade(0), "", `1`, refused("string_type")},
		{"text has the rules of strings first", grade(0), `maxLength:"1"`, `"secret"`, refused("string_too_long")},
		{"from JSON", point{}, "", `[3,4]`, point{3, 4}},
		{"from JSON that would repeat the input", point{}, "", `["secret"]`, refused("value_error")},
		{"they see no duplicate names", point{}, "", `[{"a":1,"a":2}]`, malformed("Duplicate member name")},
		{"they see no broken JSON", point{}, "", `[1,]`, malformed("Expecting value")},
		{"they see no deep JSON", point{}, "", strings.Repeat("[", 65), malformed("Too deeply nested")},
		{"through a pointer", label{}, "", `"<x>"`, label{"x"}},
	})
}

// maybePoint takes null, and says so.
type maybePoint struct{ point }

func (m *maybePoint) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return m.point.UnmarshalJSON(data)
}

func (maybePoint) JSONSchema() *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"array", "null"}}
}

// TestNullDoesNotPassForAValueOfATypeThatReadsItself: most such methods ignore
// null, and the member that was required is left out after all.
func TestNullDoesNotPassForAValueOfATypeThatReadsItself(t *testing.T) {
	testRules(t, []ruleCase{
		{"null", big.Int{}, "", `null`, refused("none_forbidden")},
		{"null in a list", []big.Int{}, "", `[null]`, refused("/0 none_forbidden")},
		{"null in an Opt", schema.Opt[point]{}, "", `null`, refused("none_forbidden")},
		{"broken null", point{}, "", `nul`, malformed("Expecting value")},
		{"null in a Null", schema.Null[point]{}, "", `null`, schema.Null[point]{}},
		{"null in a pointer", new(point), "", `null`, (*point)(nil)},
		{"null where the type says so", maybePoint{}, "", `null`, maybePoint{}},
	})
}

// sweats says that it was asked.
type sweats struct{}

func (s *sweats) UnmarshalJSON([]byte) error {
	return schema.Invalid("it was asked").Named("asked")
}

// TestATypeThatReadsItselfIsNotAskedAboutWhatIsRefused: big.Int takes seconds
// for a number of a million digits.
func TestATypeThatReadsItselfIsNotAskedAboutWhatIsRefused(t *testing.T) {
	testRules(t, []ruleCase{
		{"it is asked", sweats{}, "", `1`, refused("asked")},
		{"a number that is too long", sweats{}, "", strings.Repeat("1", 1_000_000), refused("float_precision")},
		{"inside a list", sweats{}, "", `[` + strings.Repeat("1", 1_000_000) + `]`, refused("float_precision")},
	})
}

// ruledPoint reads itself, so nobody reads the rules of its fields.
type ruledPoint struct {
	X int `json:"x" minimum:"0" maximum:"9"`
}

func (*ruledPoint) UnmarshalJSON([]byte) error { return nil }

type ruledText struct {
	Name string `minLength:"1"`
}

func (ruledText) MarshalText() ([]byte, error) { return nil, nil }
func (*ruledText) UnmarshalText([]byte) error  { return nil }

func TestRulesInsideATypeThatReadsItselfAreAMistake(t *testing.T) {
	type outer struct {
		Points []ruledPoint `json:"points"`
		Text   ruledText    `json:"text"`
	}
	_, err := typesPlan(outer{}, "")
	for _, want := range []string{
		"schema_test.ruledPoint reads itself: rule maximum of its field X checks nothing",
		"schema_test.ruledPoint reads itself: rule minimum of its field X checks nothing",
		"schema_test.ruledText reads itself: rule minLength of its field Name checks nothing",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Plan() = %v, want %q", err, want)
		}
	}
}

func TestTypesThatWriteThemselves(t *testing.T) {
	type page struct {
		Grade  grade             `json:"grade"`
		Point  point             `json:"point"`
		Token  token             `json:"token"`
		Tokens []token           `json:"tokens"`
		ByName map[string]token  `json:"by_name"`
		Label  label             `json:"label"`
		Far    *label            `json:"far"`
		Big    *big.Int          `json:"big"`
		Any    any               `json:"any"`
		Raw    json.RawMessage   `json:"raw"`
		Number json.Number       `json:"number"`
		Labels map[string]*label `json:"labels"`
	}
	pages := typed[page](t)
	value := page{
		Grade: 1, Point: point{1, 2}, Token: "secret", Tokens: []token{"secret"}, ByName: map[string]token{"a": "secret"},
		Label: label{"x"}, Far: &label{"y"}, Big: big.NewInt(7), Any: token("secret"), Raw: json.RawMessage(`{ "a" : "<" }`),
		Labels: map[string]*label{"l": {"z"}},
	}
	got, err := pages.Append(nil, value)
	const want = `{"grade":"B","point":[1,2],"token":"hidden","tokens":["hidden"],"by_name":{"a":"hidden"},` +
		`"label":"\u003cx\u003e","far":"\u003cy\u003e","big":7,"any":"hidden","raw":{"a":"\u003c"},"number":0,"labels":{"l":"\u003cz\u003e"}}`
	if err != nil || string(got) != want {
		t.Errorf("Append() = %s (%v), want %s", got, err, want)
	}
}

func TestATypeThatOnlyWritesItselfIsReadByItsKind(t *testing.T) {
	testRules(t, []ruleCase{
		{"with the rules of its kind", token(""), `maxLength:"3"`, `"abc"`, token("abc")},
		{"and no others", token(""), `maxLength:"3"`, `"abcd"`, refused("string_too_long")},
	})
}

type brokenJSON struct{}

func (brokenJSON) MarshalJSON() ([]byte, error) { return []byte(`{"a":`), nil }
func (*brokenJSON) UnmarshalJSON([]byte) error  { return nil }

type failingText struct{}

func (failingText) MarshalText() ([]byte, error) { return nil, errors.New("no text") }
func (*failingText) UnmarshalText([]byte) error  { return nil }

func TestABrokenPartDoesNotBreakTheAnswer(t *testing.T) {
	for _, value := range []any{brokenJSON{}, failingText{}, json.RawMessage(`{"a":`), json.Number("1,2"), json.Number("NaN")} {
		if text, err := encode(plan(t, value, ""), value); err == nil {
			t.Errorf("Append(%T) = %s, want an error", value, text)
		}
	}
}

func TestAnything(t *testing.T) {
	anything := typed[any](t)
	got, err := anything.Decode(t.Context(), []byte(` {"a":[1.50,true,null,"x",{}],"__proto__":{"constructor":1}} `))
	want := map[string]any{
		"a":         []any{json.Number("1.50"), true, nil, "x", map[string]any{}},
		"__proto__": map[string]any{"constructor": json.Number("1")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("Decode() = %#v (%v), want %#v", got, err, want)
	}
	text, err := anything.Append(nil, got)
	if want := `{"__proto__":{"constructor":1},"a":[1.50,true,null,"x",{}]}`; err != nil || string(text) != want {
		t.Errorf("Append() = %s (%v), want %s", text, err, want)
	}
}

func TestRawJSONIsKeptAndChecked(t *testing.T) {
	testRules(t, []ruleCase{
		{"as it was written", json.RawMessage{}, "", ` { "a" : 1.0 } `, json.RawMessage(`{ "a" : 1.0 }`)},
		{"null is a value", json.RawMessage{}, "", `null`, json.RawMessage(`null`)},
		{"duplicate names are refused", json.RawMessage{}, "", `{"a":1,"\u0061":2}`, malformed("Duplicate member name")},
		{"lone surrogates are refused", json.RawMessage{}, "", `"\ud800"`, malformed("Lone surrogate")},
		{"depth is bounded", json.RawMessage{}, "", strings.Repeat("[", 65) + strings.Repeat("]", 65), malformed("Too deeply nested")},
	})
}
