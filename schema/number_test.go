package schema_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestIntegers(t *testing.T) {
	testRules(t, []ruleCase{
		{"the largest int8", int8(0), "", "127", int8(127)},
		{"the smallest int8", int8(0), "", "-128", int8(-128)},
		{"300 in an int8 is refused, not wrapped to 44", int8(0), "", "300", refused("less_than_equal")},
		{"one more than an int8 holds", int8(0), "", "128", refused("less_than_equal")},
		{"one less than an int8 holds", int8(0), "", "-129", refused("greater_than_equal")},
		{"an integer of 30 digits in an int8", int8(0), "", strings.Repeat("9", 30), refused("less_than_equal")},
		{"the largest uint8", uint8(0), "", "255", uint8(255)},
		{"256 in a uint8 is refused, not wrapped to 0", uint8(0), "", "256", refused("less_than_equal")},
		{"-1 in a uint8 is refused, not wrapped to 255", uint8(0), "", "-1", refused("greater_than_equal")},
		{"the largest int16", int16(0), "", "32767", int16(math.MaxInt16)},
		{"one more than an int16 holds", int16(0), "", "32768", refused("less_than_equal")},
		{"the largest uint16", uint16(0), "", "65535", uint16(math.MaxUint16)},
		{"one more than a uint16 holds", uint16(0), "", "65536", refused("less_than_equal")},
		{"the smallest int32", int32(0), "", "-2147483648", int32(math.MinInt32)},
		{"one less than an int32 holds", int32(0), "", "-2147483649", refused("greater_than_equal")},
		{"one more than a uint32 holds", uint32(0), "", "4294967296", refused("less_than_equal")},
		{"the largest int64", int64(0), "", "9223372036854775807", int64(math.MaxInt64)},
		{"the smallest int64", int64(0), "", "-9223372036854775808", int64(math.MinInt64)},
		{"one more than an int64 holds", int64(0), "", "9223372036854775808", refused("int_parsing_size")},
		{"one less than an int64 holds", int64(0), "", "-9223372036854775809", refused("int_parsing_size")},
		{"an integer of 20 digits does not overflow into range", int64(0), "", "18446744073709551617", refused("int_parsing_size")},
		{"2^53+1 is exact in an int64", int64(0), "", "9007199254740993", int64(9007199254740993)},
		{"an int is 64 bits", int(0), "", "9223372036854775807", math.MaxInt64},
		{"the largest uint64 is exact", uint64(0), "", "18446744073709551615", uint64(math.MaxUint64)},
		{"one less than the largest uint64 is exact", uint64(0), "", "18446744073709551614", uint64(math.MaxUint64 - 1)},
		{"one more than a uint64 holds", uint64(0), "", "18446744073709551616", refused("int_parsing_size")},
		{"-1 in a uint64", uint64(0), "", "-1", refused("greater_than_equal")},
		{"a negative integer of 30 digits in a uint64", uint64(0), "", "-" + strings.Repeat("9", 30), refused("greater_than_equal")},

		{"1.0 is written as no integer", int(0), "", "1.0", refused("int_from_float")},
		{"1e2 is written as no integer", int(0), "", "1e2", refused("int_from_float")},
		{"1.5 is no integer", int(0), "", "1.5", refused("int_from_float")},
		{"-0 is a second spelling of 0", int(0), "", "-0", refused("int_parsing")},
		{"0 is 0", int(0), "", "0", 0},
		{"a string is no integer", int(0), "", `"1"`, refused("int_type")},
		{"true is no integer", int(0), "", "true", refused("int_type")},
		{"null is no integer", int(0), "", "null", refused("int_type")},
		{"an array is no integer", int(0), "", "[1]", refused("int_type")},
		{"leading zeros are no JSON", int(0), "", "01", malformed("Expecting value")},
		{"a plus sign is no JSON", int(0), "", "+1", malformed("Expecting value")},
		{"hexadecimal is no JSON", int(0), "", "0x10", malformed("Extra data")},
		{"a million digits are refused at once", int64(0), "", strings.Repeat("9", 1e6), refused("float_precision")},
	})
}

func TestIntegerBounds(t *testing.T) {
	testRules(t, []ruleCase{
		{"minimum admits the bound", int(0), `minimum:"3"`, "3", 3},
		{"minimum refuses one less", int(0), `minimum:"3"`, "2", refused("greater_than_equal")},
		{"exclusiveMinimum refuses the bound", int(0), `exclusiveMinimum:"3"`, "3", refused("greater_than")},
		{"exclusiveMinimum admits one more", int(0), `exclusiveMinimum:"3"`, "4", 4},
		{"maximum admits the bound", int(0), `maximum:"3"`, "3", 3},
		{"maximum refuses one more", int(0), `maximum:"3"`, "4", refused("less_than_equal")},
		{"exclusiveMaximum refuses the bound", int(0), `exclusiveMaximum:"3"`, "3", refused("less_than")},
		{"exclusiveMaximum admits one less", int(0), `exclusiveMaximum:"3"`, "2", 2},
		{"a fraction as a bound refuses below it", int(0), `minimum:"0.5"`, "0", refused("greater_than_equal")},
		{"a fraction as a bound admits above it", int(0), `minimum:"0.5"`, "1", 1},
		{"multipleOf admits a multiple", int(0), `multipleOf:"3"`, "-9", -9},
		{"multipleOf admits 0", int(0), `multipleOf:"3"`, "0", 0},
		{"multipleOf refuses what is none", int(0), `multipleOf:"3"`, "10", refused("multiple_of")},
		{"two broken bounds are two violations", int(0), `minimum:"5" multipleOf:"2"`, "3", refused("greater_than_equal, multiple_of")},
		{"a bound above int64 is exact in a uint64", uint64(0), `maximum:"18446744073709551614"`, "18446744073709551615", refused("less_than_equal")},
		{"a bound above int64 admits itself", uint64(0), `maximum:"18446744073709551614"`, "18446744073709551614", uint64(math.MaxUint64 - 1)},
		{"an int64 bound is exact beyond 2^53", int64(0), `maximum:"9007199254740992"`, "9007199254740993", refused("less_than_equal")},
		{"the own bound of an int8 replaces the type's", int8(0), `maximum:"10"`, "11", refused("less_than_equal")},
		{"the type's other bound stays", int8(0), `maximum:"10"`, "-129", refused("greater_than_equal")},
		{"one of the choices", 0, `enum:"1, 2,-3"`, "-3", -3},
		{"none of the choices", 0, `enum:"1,2,-3"`, "3", refused("literal_error")},
		{"none of the choices, beyond int64", uint64(0), `enum:"1,2"`, "18446744073709551615", refused("literal_error")},
		{"the constant", uint8(0), `const:"7"`, "7", uint8(7)},
		{"not the constant", uint8(0), `const:"7"`, "8", refused("literal_error")},
		{"true where only true will do", false, `const:"true"`, "true", true},
		{"false where only true will do", false, `const:"true"`, "false", refused("literal_error")},
		{"a list's items are bounded", []int{}, `minimum:"1"`, "[1,0]", refused("/1 greater_than_equal")},
		{"a map's values are bounded", map[string]int{}, `maximum:"1"`, `{"a":2}`, refused("/a less_than_equal")},
		{"rules reach through a pointer", new(int), `maximum:"1"`, "2", refused("less_than_equal")},
	})
}

func TestFloats(t *testing.T) {
	testRules(t, []ruleCase{
		{"an integer is a number", 0.0, "", "3", 3.0},
		{"a fraction", 0.0, "", "-0.25", -0.25},
		{"an exponent", 0.0, "", "1E+2", 100.0},
		{"the largest", 0.0, "", "1.7976931348623157e308", math.MaxFloat64},
		{"the smallest", 0.0, "", "5e-324", math.SmallestNonzeroFloat64},
		{"1e400 is beyond the largest", 0.0, "", "1e400", refused("finite_number")},
		{"-1e400 is beyond the largest", 0.0, "", "-1e400", refused("finite_number")},
		{"1e-400 would become zero", 0.0, "", "1e-400", refused("float_precision")},
		{"4e-324 would become its neighbour", 0.0, "", "4e-324", refused("float_precision")},
		{"zero with an exponent is zero", 0.0, "", "0.0e-500", 0.0},
		{"2^53+1 would become its neighbour", 0.0, "", "9007199254740993", refused("float_precision")},
		{"2^53 is kept", 0.0, "", "9007199254740992", 9007199254740992.0},
		{"0.1 is kept as written", 0.0, "", "0.1", 0.1},
		{"zeros at the end are no digits to keep", 0.0, "", "0.100000000000000000000", 0.1},
		{"20 digits cannot be kept", 0.0, "", "0.12345678901234567890", refused("float_precision")},
		{"a million digits are refused at once", 0.0, "", "0." + strings.Repeat("1", 1e6), refused("float_precision")},
		{"a float32 keeps 6 digits", float32(0), "", "0.123456", float32(0.123456)},
		{"2^24+1 would become its neighbour in a float32", float32(0), "", "16777217", refused("float_precision")},
		{"1e39 is beyond a float32", float32(0), "", "1e39", refused("finite_number")},
		{"1e-50 would become zero in a float32", float32(0), "", "1e-50", refused("float_precision")},
		{"a string is no number", 0.0, "", `"1.5"`, refused("float_type")},
		{"a string that says NaN", 0.0, "", `"NaN"`, refused("finite_number")},
		{"NaN is no JSON", 0.0, "", "NaN", malformed("Expecting value")},
		{"Infinity is no JSON", 0.0, "", "-Infinity", malformed("Expecting value")},
		{"a point needs digits after it", 0.0, "", "1.", malformed("Expecting value")},
		{"a point needs digits before it", 0.0, "", ".5", malformed("Expecting value")},
		{"an exponent needs digits", 0.0, "", "1e", malformed("Expecting value")},

		{"0.3 is a multiple of 0.1", 0.0, `multipleOf:"0.1"`, "0.3", 0.3},
		{"0.35 is no multiple of 0.1", 0.0, `multipleOf:"0.1"`, "0.35", refused("multiple_of")},
		{"19.99 is a multiple of 0.01", 0.0, `multipleOf:"0.01"`, "19.99", 19.99},
		{"a bound that no float has is exact above it", 0.0, `maximum:"0.1"`, "0.10000000000000001", refused("float_precision")},
		{"a bound that no float has admits itself", 0.0, `maximum:"0.1"`, "0.1", 0.1},
		{"exclusiveMinimum refuses the bound however it is written", 0.0, `exclusiveMinimum:"100"`, "1e2", refused("greater_than")},
		{"what is above zero does not become zero", 0.0, `exclusiveMinimum:"0"`, "1e-350", refused("float_precision")},
		{"minus zero is not below zero", 0.0, `minimum:"0"`, "-0", math.Copysign(0, -1)},
		{"a float32 is compared with the bound as written", float32(0), `maximum:"0.69999999"`, "0.7", refused("less_than_equal")},
		{"a float32 at a bound passes", float32(0), `maximum:"0.7"`, "0.7", float32(0.7)},
	})
}

func TestDecimals(t *testing.T) {
	of := decimal.RequireFromString
	for _, c := range []struct {
		name, json string
		tag        string
		want       any
	}{
		{"a price", "19.99", "", of("19.99")},
		{"what no float can hold", "1234567890123456789012345678901.234", "", of("1234567890123456789012345678901.234")},
		{"an exponent", "1.5e3", "", of("1500")},
		{"35 digits", strings.Repeat("9", 35), "", refused("decimal_max_digits")},
		{"maxDigits counts the digits before the point", "1234", `maxDigits:"3"`, refused("decimal_max_digits")},
		{"maxDigits counts the digits after the point", "0.0012", `maxDigits:"3"`, refused("decimal_max_digits")},
		{"maxDigits counts the zeros of an exponent", "1e3", `maxDigits:"3"`, refused("decimal_max_digits")},
		{"as many digits as allowed", "99.9", `maxDigits:"3"`, of("99.9")},
		{"as many places as allowed", "0.25", `decimalPlaces:"2"`, of("0.25")},
		{"a place too many", "0.255", `decimalPlaces:"2"`, refused("decimal_max_places")},
		{"zeros at the end are no places", "0.2500", `decimalPlaces:"2"`, of("0.25")},
		{"no places at all", "1.0", `decimalPlaces:"0"`, of("1")},
		{"a multiple", "0.3", `multipleOf:"0.1"`, of("0.3")},
		{"no multiple", "0.35", `multipleOf:"0.1"`, refused("multiple_of")},
		{"below the minimum by the last digit", "0.0099999999999999999999", `minimum:"0.01"`, refused("greater_than_equal")},
		{"1e1000000000 is refused without writing it down", "1e1000000000", "", refused("finite_number")},
		{"1e-1000000000 is refused without writing it down", "1e-1000000000", "", refused("finite_number")},
		{"an exponent that no int holds", "1e99999999999999999999", "", refused("finite_number")},
		{"a million digits are refused at once", strings.Repeat("9", 1e6), "", refused("float_precision")},
		{"a string is no number", `"19.99"`, "", refused("float_type")},
		{"null is no number", "null", "", refused("float_type")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := typesPlan(decimal.Decimal{}, c.tag)
			if err != nil {
				t.Fatal(err)
			}
			got := decode(p, c.json)
			if want, ok := c.want.(decimal.Decimal); ok {
				if x, ok := got.(decimal.Decimal); !ok || !x.Equal(want) {
					t.Errorf("decimal with %s from %s = %v, want %v", c.tag, c.json, got, want)
				}
				return
			}
			if got != c.want {
				t.Errorf("decimal with %s from %.40s = %v, want %v", c.tag, c.json, got, c.want)
			}
		})
	}
}

func TestMoneyAddsUp(t *testing.T) {
	type bill struct {
		Net decimal.Decimal `json:"net"`
		Tax decimal.Decimal `json:"tax"`
	}
	bills := typed[bill](t)
	b, err := bills.Decode(t.Context(), []byte(`{"net":0.1,"tax":0.2}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := bills.Append(nil, bill{Net: b.Net.Add(b.Tax), Tax: b.Tax})
	if err != nil || string(got) != `{"net":0.3,"tax":0.2}` {
		t.Errorf("0.1 + 0.2 = %s (%v), want exactly 0.3", got, err)
	}
}

func TestJSONNumbersKeepTheirSpelling(t *testing.T) {
	testRules(t, []ruleCase{
		{"as it was written", json.Number(""), "", "1.50e0", json.Number("1.50e0")},
		{"beyond every Go number", json.Number(""), "", "1e400", json.Number("1e400")},
		{"a bound", json.Number(""), `maximum:"1"`, "1.0000000000000000000000000000001", refused("less_than_equal")},
		{"a bound without writing the number down", json.Number(""), `maximum:"1"`, "1e1000000000", refused("finite_number")},
		{"513 digits", json.Number(""), "", strings.Repeat("1", 513), refused("float_precision")},
		{"512 digits", json.Number(""), "", strings.Repeat("1", 512), json.Number(strings.Repeat("1", 512))},
		{"a string is no number", json.Number(""), "", `"1"`, refused("float_type")},
	})
}

func TestLaxNumbersAreNumbersInStrings(t *testing.T) {
	lax := func(value any) func(text string) any {
		p, err := laxTypes().Plan(typeOf(value), "")
		if err != nil {
			t.Fatal(err)
		}
		return func(text string) any { return decode(p, text) }
	}
	for _, c := range []struct {
		name string
		into any
		json string
		want any
	}{
		{"an integer in a string", 0, `"12"`, 12},
		{"a float in a string", 0.0, `"1.5"`, 1.5},
		{"a fraction is still no integer", 0, `"1.5"`, refused("int_from_float")},
		{"spaces are no digits", 0, `" 12"`, refused("int_parsing")},
		{"letters are no digits", 0.0, `"abc"`, refused("float_parsing")},
		{"300 is still too large", int8(0), `"300"`, refused("less_than_equal")},
		{"true is still no integer", 0, `true`, refused("int_type")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lax(c.into)(c.json); got != c.want {
				t.Errorf("%T from %s = %v, want %v", c.into, c.json, got, c.want)
			}
		})
	}
}
