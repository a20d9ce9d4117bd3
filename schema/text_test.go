package schema_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"reflect"

	"github.com/fastness/fastness/schema"
)

func TestParameters(t *testing.T) {
	three := 3
	for _, c := range []struct {
		name  string
		into  any
		tag   reflect.StructTag
		texts []string
		want  any
	}{
		{"text", "", "", []string{"a b"}, "a b"},
		{"text has its rules", "", `maxLength:"2"`, []string{"日本語"}, refused("string_too_long")},
		{"text that is no UTF-8", "", "", []string{"a\xff"}, refused("string_unicode")},
		{"an integer", 0, "", []string{"-12"}, -12},
		{"an integer has its rules", 0, `maximum:"9"`, []string{"10"}, refused("less_than_equal")},
		{"nothing is no integer", 0, "", []string{""}, refused("int_parsing")},
		{"a plus sign is a second spelling", 0, "", []string{"+1"}, refused("int_parsing")},
		{"a zero before it is a second spelling", 0, "", []string{"01"}, refused("int_parsing")},
		{"a space before it is a second spelling", 0, "", []string{" 1"}, refused("int_parsing")},
		{"an underscore is a second spelling", 0, "", []string{"1_0"}, refused("int_parsing")},
		{"digits of another script", 0, "", []string{"١"}, refused("int_parsing")},
		{"-0 is a second spelling", 0, "", []string{"-0"}, refused("int_parsing")},
		{"a minus alone", 0, "", []string{"-"}, refused("int_parsing")},
		{"hexadecimal", 0, "", []string{"0x10"}, refused("int_parsing")},
		{"1.0 is no integer", 0, "", []string{"1.0"}, refused("int_parsing")},
		{"300 in an int8", int8(0), "", []string{"300"}, refused("less_than_equal")},
		{"beyond an int64", 0, "", []string{"9223372036854775808"}, refused("int_parsing_size")},
		{"a million digits", 0, "", []string{strings.Repeat("9", 1e6)}, refused("int_parsing_size")},
		{"the largest uint64", uint64(0), "", []string{"18446744073709551615"}, uint64(math.MaxUint64)},
		{"a float", 0.0, "", []string{"-1.5e3"}, -1500.0},
		{"a float with a space", 0.0, "", []string{"1.5 "}, refused("float_parsing")},
		{"a float in hexadecimal", 0.0, "", []string{"0x1p-2"}, refused("float_parsing")},
		{"NaN", 0.0, "", []string{"nan"}, refused("finite_number")},
		{"infinity", 0.0, "", []string{"-Infinity"}, refused("finite_number")},
		{"beyond a float", 0.0, "", []string{"1e400"}, refused("finite_number")},
		{"true", false, "", []string{"Yes"}, true},
		{"false", true, "", []string{"off"}, false},
		{"neither", false, "", []string{"maybe"}, refused("bool_parsing")},
		{"a number as it was written", json.Number(""), "", []string{"1.50"}, json.Number("1.50")},
		{"a time", time.Time{}, "", []string{"2026-02-28T10:00:00Z"}, time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)},
		{"a duration", time.Duration(0), "", []string{"PT1S"}, time.Second},
		{"an address", netip.Addr{}, "", []string{"::1"}, netip.IPv6Loopback()},
		{"a type that reads text", grade(0), "", []string{"C"}, grade(2)},
		{"bytes", []byte{}, "", []string{"aGk="}, []byte("hi")},
		{"a type that writes itself", token(""), "", []string{"abc"}, token("abc")},
		{"a type with the last word", even(0), "", []string{"3"}, refused("value_error")},
		{"a pointer", new(int), "", []string{"3"}, &three},
		{"the word null is no null", new(int), "", []string{"null"}, refused("int_parsing")},
		{"an Opt", schema.Opt[int]{}, "", []string{"3"}, schema.Some(3)},
		{"a Null", schema.Null[int]{}, "", []string{"3"}, schema.NotNull(3)},
		{"a list", []int{}, "", []string{"1", "2"}, []int{1, 2}},
		{"a list of one", []int{}, "", []string{"1"}, []int{1}},
		{"a list of none", []int{}, "", nil, []int{}},
		{"a list has its rules", []int{}, `minItems:"3" maximum:"1"`, []string{"1", "2"}, refused("/1 less_than_equal, too_short")},
		{"a list too long is not read to its end", []int{}, `maxItems:"1"`, []string{"1", "x"}, refused("too_long")},
		{"the same item twice", []string{}, `uniqueItems:"true"`, []string{"a", "a"}, refused("unique_items")},
		{"a list behind a pointer", new([]int), "", []string{"1", "2"}, &[]int{1, 2}},
		{"a list of pointers", []*int{}, "", []string{"3"}, []*int{&three}},
		{"a text of none", "", "", nil, refused("missing")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decodeText(plan(t, c.into, c.tag), c.texts...); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%T with %s from %.60q = %#v, want %#v", c.into, c.tag, c.texts, got, c.want)
			}
		})
	}
}

// TestOneParameterIsReadAlike: the short way for one text says what the general
// way says.
func TestOneParameterIsReadAlike(t *testing.T) {
	for _, into := range []any{"", 0, uint8(0), 0.5, false, new(int), schema.Opt[string]{}, []int{}, new([]string), grade(0), even(0), token("")} {
		p := plan(t, into, "")
		for _, text := range []string{"", "1", "300", "true", "B", "é", "a\xff", "null"} {
			v := newOf(p)
			report := schema.Report{In: "query"}
			p.DecodeString(&report, text, v)
			var got any = v.Interface()
			if err := report.Err(); err != nil {
				got = verdict(err)
			}
			if want := decodeText(p, text); !reflect.DeepEqual(got, want) {
				t.Errorf("%T from %q: DecodeString = %#v, DecodeText = %#v", into, text, got, want)
			}
		}
	}
}

// TestAnArrayIsNotReadFromTexts: its length is fixed, so it has no slice to grow.
func TestAnArrayIsNotReadFromTexts(t *testing.T) {
	for _, into := range []any{[2]int{}, new([2]int), schema.Opt[[2]int]{}} {
		if got := decodeText(plan(t, into, ""), "1", "2"); got != refused("list_type") {
			t.Errorf("%T from two texts = %v, want list_type", into, got)
		}
	}
}

func TestPlansTellWhatTheyRead(t *testing.T) {
	for _, c := range []struct {
		into                  any
		text, list, mayAbsent bool
	}{
		{0, true, false, false}, {"", true, false, false}, {new(int), true, false, true}, {schema.Opt[int]{}, true, false, true},
		{schema.Null[int]{}, true, false, false}, {[]int{}, true, true, false}, {new([]int), true, true, true}, {[2]int{}, false, false, false},
		{member{}, false, false, false}, {map[string]int{}, false, false, false}, {[]member{}, false, true, false}, {grade(0), true, false, false},
		{even(0), true, false, false}, {token(""), true, false, false}, {[]token{}, true, true, false}, {[][]int{}, false, true, false},
	} {
		p := plan(t, c.into, "")
		if p.ReadsText() != c.text || p.TakesList() != c.list || p.Optional() != c.mayAbsent {
			t.Errorf("%T: ReadsText %v, TakesList %v, Optional %v; want %v, %v, %v", c.into, p.ReadsText(), p.TakesList(), p.Optional(), c.text, c.list, c.mayAbsent)
		}
	}
}
