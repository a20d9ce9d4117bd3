package schema_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/schema"
)

func TestEncoding(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"text that would end a script", "</script><!--&\u2028\u2029", `"\u003c/script\u003e\u003c!--\u0026\u2028\u2029"`},
		{"control characters", "\x00\x1f\b\f\n\r\t\"\\/\x7f", `"\u0000\u001f\u0008\u000c\n\r\t\"\\/` + "\x7f" + `"`},
		{"text beyond the basic plane", "é😀", `"é😀"`},
		{"bytes that are no text", "a\xffb", `"a` + "\ufffd" + `b"`},
		{"names that would end a script", map[string]int{"</script>": 1}, `{"\u003c/script\u003e":1}`},
		{"raw JSON that would end a script", json.RawMessage(`{"a":"</script>"}`), `{"a":"\u003c/script\u003e"}`},
		{"no raw JSON", json.RawMessage(nil), `null`},
		{"members of a map in order", map[string]int{"b": 2, "a": 1, "": 0, "é": 3}, `{"":0,"a":1,"b":2,"é":3}`},
		{"no list", []int(nil), `[]`},
		{"no map", map[string]int(nil), `{}`},
		{"no bytes", []byte(nil), `""`},
		{"no pointer", (*int)(nil), `null`},
		{"lists of no lists", [][]int{nil, {}}, `[[],[]]`},
		{"bytes", []byte("hi"), `"aGk="`},
		{"the largest integers", []any{int64(math.MaxInt64), int64(math.MinInt64), uint64(math.MaxUint64)}, `[9223372036854775807,-9223372036854775808,18446744073709551615]`},
		{"floats as ECMAScript has them", []float64{0, 1, -0.5, 1e20, 1e21, 1e-6, 1e-7, 0.1, math.MaxFloat64, 5e-324}, `[0,1,-0.5,100000000000000000000,1e+21,0.000001,1e-7,0.1,1.7976931348623157e+308,5e-324]`},
		{"float32", []float32{0.1, 16777216}, `[0.1,16777216]`},
		{"a decimal without an exponent", decimal.RequireFromString("1e3"), `1000`},
		{"a decimal without zeros at the end", decimal.RequireFromString("1.50"), `1.5`},
		{"a time with its offset", time.Date(2026, 2, 28, 10, 0, 0, 5e6, time.FixedZone("", 3600)), `"2026-02-28T10:00:00.005+01:00"`},
		{"a time with an offset that RFC 3339 cannot write", time.Date(1890, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 19*60+32)), `"1889-12-31T23:40:28Z"`},
		{"a time with an offset of more than a day", time.Date(2026, 1, 2, 6, 0, 0, 0, time.FixedZone("", 30*3600)), `"2026-01-01T00:00:00Z"`},
		{"a duration", -90 * time.Minute, `"-PT1H30M"`},
		{"an address", netip.MustParseAddr("::1"), `"::1"`},
		{"a URL", url.URL{Scheme: "https", Host: "example.com", RawQuery: "a=1&b=<"}, `"https://example.com?a=1\u0026b=\u003c"`},
		{"booleans", []bool{true, false}, `[true,false]`},
		{"anything", []any{nil, 1, "x", []string{"y"}, map[string]any{"a": &member{Role: "user"}}}, `[null,1,"x",["y"],{"a":{"role":"user"}}]`},
		{"an array", [2]bool{true}, `[true,false]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := encode(plan(t, c.value, ""), c.value)
			if err != nil || got != c.want {
				t.Errorf("Append(%#v) = %s (%v), want %s", c.value, got, err, c.want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("%s is no JSON", got)
			}
		})
	}
}

func TestAppendAppends(t *testing.T) {
	got, err := typed[int](t).Append([]byte("n="), 1)
	if err != nil || string(got) != "n=1" {
		t.Errorf("Append() = %s (%v), want n=1", got, err)
	}
}

func TestWhatJSONCannotHoldIsAnError(t *testing.T) {
	for _, value := range []any{
		math.NaN(), math.Inf(1), float32(math.Inf(-1)), []float64{1, math.NaN()}, map[string]any{"a": math.NaN()},
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		decimal.New(1, 1_000_000_000), decimal.New(1, -1_000_000_000),
		json.Number("x"), json.Number("01"), json.Number("1 "), json.RawMessage("{"), json.RawMessage("1 2"),
		map[string]any{"f": func() {}}, []any{make(chan int)}, []any{map[int]int{1: 1}},
	} {
		if text, err := encode(plan(t, value, ""), value); err == nil {
			t.Errorf("Append(%#v) = %.60s, want an error", value, text)
		}
	}
}

type node struct {
	Left, Right *node
	Any         any
	List        []*node
	Map         map[string]*node
}

// TestAValueThatContainsItselfIsAnError: it would fill the memory or the stack,
// which no recover catches. Two ways back would take forever instead.
func TestAValueThatContainsItselfIsAnError(t *testing.T) {
	both := &node{}
	both.Left, both.Right = both, both
	boxed := &node{}
	boxed.Any = boxed
	listed := &node{}
	listed.List = []*node{listed, listed}
	mapped := &node{}
	mapped.Map = map[string]*node{"a": mapped, "b": mapped}
	list := []any{nil, nil}
	list[0], list[1] = list, list
	object := map[string]any{}
	object["a"], object["b"] = object, object
	for _, value := range []any{both, boxed, listed, mapped, list, object} {
		if text, err := encode(plan(t, value, ""), value); err == nil || !strings.Contains(err.Error(), "contains itself") {
			t.Errorf("Append(%T) = %d bytes (%v), want an error", value, len(text), err)
		}
	}
}

func TestDeepValuesThatEndAreEncoded(t *testing.T) {
	var deepest *node
	for range 900 {
		deepest = &node{Left: deepest}
	}
	if _, err := encode(plan(t, deepest, ""), deepest); err != nil {
		t.Errorf("Append() = %v", err)
	}
}

func TestOmission(t *testing.T) {
	type page struct {
		Zero      int             `json:"zero,omitzero"`
		Empty     []int           `json:"empty,omitempty"`
		EmptyMap  map[string]int  `json:"empty_map,omitempty"`
		ZeroTime  time.Time       `json:"zero_time,omitzero"`
		EmptyTime time.Time       `json:"empty_time,omitempty"` // As in encoding/json: a struct is never empty.
		Price     decimal.Decimal `json:"price,omitzero"`
		Pointer   *int            `json:"pointer,omitzero"`
		Struct    member          `json:"struct,omitzero"`
		Nothing   [0]int          `json:"nothing,omitempty"`
	}
	pages := typed[page](t)
	for _, c := range []struct {
		name  string
		value page
		want  string
	}{
		{"all left out", page{}, `{"empty_time":"0001-01-01T00:00:00Z"}`},
		{"empty is not zero", page{Empty: []int{}, EmptyMap: map[string]int{}, Pointer: new(int)}, `{"empty_time":"0001-01-01T00:00:00Z","pointer":0}`},
		{"a zero time in another zone is zero", page{ZeroTime: time.Time{}.In(time.FixedZone("", 3600))}, `{"empty_time":"0001-01-01T00:00:00Z"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := pages.Append(nil, c.value); err != nil || string(got) != c.want {
				t.Errorf("Append() = %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

type sale struct {
	Price decimal.Decimal `json:"price"`
	Tax   decimal.Decimal `json:"tax"`
	_     schema.Computed `name:"total" method:"Total"`
	_     schema.Computed `name:"label" method:"Label"`
}

func (s sale) Total() decimal.Decimal { return s.Price.Add(s.Tax) }

func (s *sale) Label() string { return "<" + s.Price.String() + ">" }

func TestComputedMembersAreInAnswersOnly(t *testing.T) {
	value := sale{Price: decimal.RequireFromString("0.1"), Tax: decimal.RequireFromString("0.2")}
	const want = `{"price":0.1,"tax":0.2,"total":0.3,"label":"\u003c0.1\u003e"}`
	for _, into := range []any{value, &value, []sale{value}[0]} {
		if got, err := encode(plan(t, into, ""), into); err != nil || got != want {
			t.Errorf("Append(%T) = %s (%v), want %s", into, got, err, want)
		}
	}
	if got, err := encode(plan(t, []any{}, ""), []any{value}); err != nil || got != "["+want+"]" {
		t.Errorf("in an interface: Append() = %s (%v), want [%s]", got, err, want)
	}
	got := decode(plan(t, value, ""), `{"price":1,"tax":1,"total":9}`)
	if _, ok := got.(refused); !ok || got == refused("") {
		t.Errorf("a computed member that is sent: Decode() = %v", got)
	}
}
