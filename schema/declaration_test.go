package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/schema"
)

func TestRulesThatFitNothingAreMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		into any
		tag  string
		want string // part of the error
	}{
		{"a length of an integer", 0, `minLength:"1"`, "rule minLength does not fit"},
		{"a bound of a text", "", `minimum:"1"`, "rule minimum does not fit"},
		{"a bound of a boolean", false, `maximum:"1"`, "rule maximum does not fit"},
		{"a number of items of a text", "", `maxItems:"1"`, "rule maxItems does not fit"},
		{"a number of members of a list", []int{}, `maxProperties:"1"`, "rule maxProperties does not fit"},
		{"digits of a float", 0.5, `maxDigits:"3"`, "rule maxDigits does not fit"},
		{"a rule of a struct", member{}, `minLength:"1"`, "rule minLength does not fit"},
		{"a rule of anything", []any{}, `pattern:"a"`, "rule pattern does not fit"},
		{"a choice of a boolean that is none", false, `const:"yes"`, "does not fit the type"},
		{"a choice of an integer that is none", 0, `enum:"1,two"`, "does not fit the type"},
		{"a choice of a float", 0.5, `enum:"1,2"`, "rule enum does not fit"},
		{"a negative length", "", `minLength:"-1"`, `minLength is "-1", want a whole number from 0`},
		{"a length in words", "", `maxLength:"ten"`, `maxLength is "ten"`},
		{"lengths the wrong way round", "", `minLength:"3" maxLength:"2"`, "minLength is 3, above maxLength, which is 2"},
		{"items the wrong way round", []int{}, `minItems:"3" maxItems:"2"`, "minItems is 3, above maxItems"},
		{"members the wrong way round", map[string]int{}, `minProperties:"3" maxProperties:"2"`, "minProperties is 3, above maxProperties"},
		{"a bound in words", 0, `minimum:"zero"`, `minimum is "zero", want a number`},
		{"a bound that is no JSON", 0, `minimum:"01"`, `minimum is "01", want a number`},
		{"bounds the wrong way round", 0, `minimum:"3" maximum:"2"`, "the lower bound 3 is above the upper bound 2"},
		{"a multiple of nothing", 0, `multipleOf:"0"`, "multipleOf is 0, want more than 0"},
		{"a multiple of less than nothing", 0, `multipleOf:"-1"`, "multipleOf is -1, want more than 0"},
		{"a bound outside an int8", int8(0), `maximum:"128"`, "bound 128 is outside the type, -128 to 127"},
		{"a bound outside a uint8", uint8(0), `minimum:"-1"`, "bound -1 is outside the type, 0 to 255"},
		{"a bound outside an int64", int64(0), `maximum:"9223372036854775808"`, "bound 9223372036854775808 is outside the type"},
		{"a bound outside a uint64", uint64(0), `minimum:"-1"`, "bound -1 is outside the type, 0 to 18446744073709551615"},
		{"an open bound outside a uint64", uint64(0), `exclusiveMinimum:"-1"`, "bound -1 is outside the type"},
		{"a pattern that does not parse", "", `pattern:"("`, "pattern: error parsing regexp"},
		{"a pattern that RE2 does not have", "", `pattern:"(?=a)"`, "pattern: error parsing regexp"},
		{"a format of nobody", "", `format:"e-mail"`, `format "e-mail" is not known`},
		{"a choice listed twice", "", `enum:"a,b,a"`, `enum lists "a" twice`},
		{"uniqueItems in words", []int{}, `uniqueItems:"yes"`, `uniqueItems is "yes", want true or false`},
		{"places that are no number", 0, `decimalPlaces:"2"`, "rule decimalPlaces does not fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := typesPlan(c.into, c.tag)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T with %s: Plan() = %v, want %q", c.into, c.tag, err, c.want)
			}
		})
	}
}

func TestTypesThatCannotBeDeclared(t *testing.T) {
	type loop []loop
	type ring map[string][]ring
	type alternating struct {
		schema.Union
		One  *string
		Many *[]alternating
	}
	type unnamed struct {
		_ schema.Computed
	}
	type noMethod struct {
		_ schema.Computed `name:"a" method:"Nothing"`
	}
	type embedded struct{ *member }
	for _, c := range []struct {
		name string
		into any
		want string
	}{
		{"a channel", make(chan int), "values of type chan int cannot be encoded"},
		{"a function", func() {}, "cannot be encoded"},
		{"a complex number", 1i, "cannot be encoded"},
		{"an interface with methods", []error{}, "values of type error cannot be encoded"},
		{"a map by integers", map[int]string{}, "map keys are of type int, want strings"},
		{"a pointer to a pointer", new(*int), "JSON cannot tell apart"},
		{"a pointer to an Opt", new(schema.Opt[int]), "JSON cannot tell apart"},
		{"a Null of an Opt", schema.Null[schema.Opt[int]]{}, "JSON cannot tell apart"},
		{"an Opt of a pointer", schema.Opt[*int]{}, "JSON cannot tell apart"},
		{"an Opt of an Opt", schema.Opt[schema.Opt[int]]{}, "JSON cannot tell apart"},
		{"a list of itself", loop{}, "contains itself without a struct between"},
		{"a map of itself", ring{}, "contains itself without a struct between"},
		{"a union of itself", alternating{}, "contains itself without a struct between"},
		{"a member without a name", struct {
			A int `json:"B"`
			B int
		}{}, `member "B" is declared twice`},
		{"an embedded member of the same name", struct {
			member
			Role string `json:"role"`
		}{}, `member "role" is declared twice`},
		{"an alias that is taken", struct {
			A int `json:"a" alias:"b"`
			B int `json:"b"`
		}{}, `member "b" is declared twice`},
		{"a name that needs escaping", struct {
			A int `json:"a<b"`
		}{}, "needs escaping"},
		{"an option of encoding/json that would change the type", struct {
			A int `json:"a,string"`
		}{}, `json option "string" is not supported`},
		{"read-only and write-only", struct {
			A int `readOnly:"true" writeOnly:"true"`
		}{}, "leave nothing"},
		{"a flag in words", struct {
			A int `readOnly:"yes"`
		}{}, `readOnly is "yes", want true or false`},
		{"a default that is no JSON", struct {
			A int `default:"three"`
		}{}, `default "three" is not JSON`},
		{"a default that breaks the field's own rule", struct {
			A int `default:"3" maximum:"2"`
		}{}, `default "3": Input should be less than or equal to 2`},
		{"a default of another type", struct {
			A []int `default:"{}"`
		}{}, `default "{}": Input should be a valid list`},
		{"an example that is no JSON", struct {
			A int `example:"three"`
		}{}, `example "three" is not JSON`},
		{"an embedded pointer", embedded{}, "an embedded pointer has no members"},
		{"a computed member without a name", unnamed{}, "needs the tags name and method"},
		{"a computed member without its method", noMethod{}, "method Nothing of schema_test.noMethod must exist"},
		{"a union without variants", struct{ schema.Union }{}, "a union needs variants"},
		{"a variant that is no pointer", struct {
			schema.Union
			A int
		}{}, "a variant of a union is an exported pointer"},
		{"variants of the same JSON type", struct {
			schema.Union
			A *int
			B *float64
		}{}, `cannot be told from the others ("number")`},
		{"a variant without the discriminator", struct {
			schema.Union `discriminator:"kind"`
			A            *member
		}{}, `needs a string member "kind" with a const`},
		{"variants with the same constant", struct {
			schema.Union `discriminator:"kind"`
			A, B         *cat
		}{}, `cannot be told from the others ("cat")`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := typesPlan(c.into, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Plan(%T) = %v, want %q", c.into, err, c.want)
			}
		})
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	type inner struct {
		C string `json:"c" pattern:"("`
	}
	type wrong struct {
		A int      `json:"a" minLength:"1" minimum:"x"`
		B chan int `json:"b"`
		I []inner  `json:"i" maxItems:"-1"`
	}
	types := schema.NewTypes(schema.Config{})
	for range 2 { // A type that was refused is refused again.
		_, err := types.Plan(reflect.TypeFor[wrong](), "")
		if err == nil {
			t.Fatal("Plan() = nil")
		}
		for _, want := range []string{"wrong.A: rule minLength", "wrong.A: minimum", "wrong.B: values of type chan int", "wrong.I: maxItems", "inner.C: pattern"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Plan() = %v, without %q", err, want)
			}
		}
	}
	if _, err := types.Plan(reflect.TypeFor[member](), ""); err != nil {
		t.Errorf("a type after it: Plan() = %v", err)
	}
	if _, err := schema.For[wrong](); err == nil {
		t.Error("For() = nil")
	}
}

// TestAValueOfAWrongTypeIsAnErrorEachTime: what an interface holds is only
// known when it is encoded.
func TestAValueOfAWrongTypeIsAnErrorEachTime(t *testing.T) {
	type wrong struct{ C chan int }
	anything := typed[map[string]any](t)
	for range 2 {
		if text, err := anything.Append(nil, map[string]any{"a": wrong{make(chan int)}}); err == nil {
			t.Errorf("Append() = %s, want an error", text)
		}
	}
	if text, err := anything.Append(nil, map[string]any{"a": json.Number("1")}); err != nil || string(text) != `{"a":1}` {
		t.Errorf("a value after it: Append() = %s (%v)", text, err)
	}
}
