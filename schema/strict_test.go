package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type member struct {
	Role string `json:"role" enum:"user,editor"`
	Name string `json:"name,omitzero" minLength:"3"`
}

// TestCaseVariantDoesNotSmuggleAValue: where the validator looks for "role" and
// the decoder takes "ROLE" as well, the rules hold for the first and the
// handler gets the second.
func TestCaseVariantDoesNotSmuggleAValue(t *testing.T) {
	testSent(t, []sentCase[member]{
		{"the declared name", `{"role":"user"}`, member{Role: "user"}},
		{"a second spelling after it", `{"role":"user","ROLE":"admin"}`, refused("/ROLE extra_forbidden")},
		{"a second spelling before it", `{"Role":"admin","role":"user"}`, refused("/Role extra_forbidden")},
		{"the Go name", `{"Role":"user"}`, refused("/Role extra_forbidden, /role missing")},
		{"a letter that folds to another", `{"role":"user","ro\u017fe":"admin"}`, refused("/roſe extra_forbidden")},
		{"a Kelvin sign", `{"role":"user","\u212a":1}`, refused("/\u212a extra_forbidden")},
		{"a short value past minLength", `{"role":"user","name":"abc","NAME":"a"}`, refused("/NAME extra_forbidden")},
		{"a name with a space", `{"role":"user","role ":"admin"}`, refused("/role  extra_forbidden")},
		{"a name with a NUL", `{"role":"user","role\u0000":"admin"}`, refused("/role\x00 extra_forbidden")},
	})
}

// TestIgnoredMembersSmuggleNothing: what is dropped must not reach a field.
func TestIgnoredMembersSmuggleNothing(t *testing.T) {
	p, err := schema.NewTypes(schema.Config{InsecureIgnoreUnknown: "old clients send more"}).Plan(typeOf(member{}), "")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]any{
		`{"role":"user","ROLE":"admin"}`:                 member{Role: "user"},
		`{"role":"user","x":{"role":"admin"}}`:           member{Role: "user"},
		`{"ROLE":"user"}`:                                refused("/role missing"),
		`{"role":"user","x":1,"role":"admin"}`:           malformed("Duplicate member name"),
		`{"role":"user","x":[1,]}`:                       malformed("Expecting value"),
		`{"role":"user","x":` + deep(100_000, "[") + `}`: malformed("Too deeply nested"),
	} {
		if got := decode(p, body); got != want {
			t.Errorf("%.60s = %v, want %v", body, got, want)
		}
	}
}

// TestDuplicateNamesAreRefused: one reader takes the first value, the next one
// the last.
func TestDuplicateNamesAreRefused(t *testing.T) {
	twice := malformed("Duplicate member name")
	testSent(t, []sentCase[member]{
		{"plain", `{"role":"user","role":"admin"}`, twice},
		{"the same value", `{"role":"user","role":"user"}`, twice},
		{"through an escape", `{"role":"user","r\u006fle":"admin"}`, twice},
		{"through an escape first", `{"r\u006Fle":"admin","role":"user"}`, twice},
		{"after a violation", `{"x":1,"role":"user","role":"admin"}`, twice},
	})
	anything := typed[any](t)
	for _, body := range []string{
		`{"na\u006de":1,"name":2}`, `[{"a":{"b":1,"b":2}}]`, `{"😀":1,"\ud83d\ude00":2}`, `{"":1,"":2}`, `{"/":1,"\/":2}`,
	} {
		if _, err := anything.Decode(t.Context(), []byte(body)); verdict(err) != twice {
			t.Errorf("%s = %v, want %s", body, verdict(err), twice)
		}
	}
}

func TestOnlyOneJSONTextInUTF8IsRead(t *testing.T) {
	value := malformed("Expecting value")
	for _, c := range []struct {
		name, body string
		want       malformed
	}{
		{"a byte order mark", "\ufeff{}", value},
		{"UTF-16, big-endian", "\x00{\x00}", value},
		{"UTF-16, little-endian", "{\x00}\x00", "Expecting property name enclosed in double quotes"},
		{"UTF-16 with its mark", "\xff\xfe{\x00}\x00", "Invalid UTF-8"},
		{"UTF-32", "{\x00\x00\x00}\x00\x00\x00", "Expecting property name enclosed in double quotes"},
		{"a byte that begins nothing", `{"a":"` + "\xff" + `"}`, "Invalid UTF-8"},
		{"an overlong slash", `{"a":"` + "\xc0\xaf" + `"}`, "Invalid UTF-8"},
		{"a surrogate as three bytes", `{"a":"` + "\xed\xa0\x80" + `"}`, "Invalid UTF-8"},
		{"beyond Unicode", `{"a":"` + "\xf4\x90\x80\x80" + `"}`, "Invalid UTF-8"},
		{"half a character", `{"a":"` + "\xe2\x82" + `"}`, "Invalid UTF-8"},
		{"invalid UTF-8 after the value", `{} ` + "\xff", "Invalid UTF-8"},
		{"a high surrogate alone", `"\ud800"`, "Lone surrogate"},
		{"a low surrogate alone", `"\udc00"`, "Lone surrogate"},
		{"two high surrogates", `"\ud800\ud800"`, "Lone surrogate"},
		{"surrogates in the wrong order", `"\udc00\ud800"`, "Lone surrogate"},
		{"a high surrogate and a letter", `"\ud800x"`, "Lone surrogate"},
		{"a high surrogate and a letter's escape", `"\ud800\u0061"`, "Lone surrogate"},
		{"a lone surrogate as a name", `{"\udead":1}`, "Lone surrogate"},
		{"a second value", `{}{}`, "Extra data"},
		{"a second value on the next line", "1\n2", "Extra data"},
		{"a NUL after the value", "{}\x00", "Extra data"},
		{"a form feed is no white space", "\f{}", value},
		{"a no-break space is no white space", "\u00a0{}", value},
		{"a line end in a string", "\"a\nb\"", "Invalid control character"},
		{"a NUL in a string", "\"a\x00b\"", "Invalid control character"},
		{"an unknown escape", `"\x41"`, `Invalid \escape`},
		{"a short escape", `"\u00g0"`, `Invalid \uXXXX escape`},
		{"an escape at the end", `"\`, "Unterminated string"},
		{"a string without end", `"abc`, "Unterminated string"},
		{"half a literal", `tru`, value},
		{"a literal in capitals", `True`, value},
		{"half a surrogate pair at the end", `"\ud800\u`, "Lone surrogate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := typed[any](t).Decode(t.Context(), []byte(c.body)); verdict(err) != c.want {
				t.Errorf("any from %q = %v, want %v", c.body, verdict(err), c.want)
			}
			if _, err := typed[member](t).Decode(t.Context(), []byte(c.body)); err == nil {
				t.Errorf("struct from %q was accepted", c.body)
			}
		})
	}
}

func deep(n int, s string) string { return strings.Repeat(s, n) }

func TestDepthIsBounded(t *testing.T) {
	tooDeep := malformed("Too deeply nested")
	for _, c := range []struct {
		name string
		into any
		body string
		want any
	}{
		{"100,000 brackets into anything", []any{}, deep(100_000, "["), tooDeep},
		{"100,000 objects into anything", map[string]any{}, deep(100_000, `{"a":`), tooDeep},
		{"100,000 brackets where a text was wanted", "", deep(100_000, "["), tooDeep},
		{"100,000 brackets in a member of nobody", member{}, `{"x":` + deep(100_000, "["), tooDeep},
		{"100,000 brackets for raw JSON", json.RawMessage{}, deep(100_000, "["), tooDeep},
		{"100,000 structs inside each other", customer{}, deep(100_000, `{"friend":`), tooDeep},
		{"100,000 unions inside each other", pet{}, deep(100_000, `{"kind":"dog","pups":[`), tooDeep},
		{"65 levels", json.RawMessage{}, deep(65, "[") + deep(65, "]"), tooDeep},
		{"64 levels", json.RawMessage{}, deep(64, "[") + deep(64, "]"), json.RawMessage(deep(64, "[") + deep(64, "]"))},
		{"many lists side by side are not deep", [][]int{}, "[" + deep(99, "[],") + "[]]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(plan(t, c.into, ""), c.body)
			if c.want == nil {
				if _, ok := got.(refused); ok {
					t.Errorf("%.30s… = %v, want it accepted", c.body, got)
				}
				return
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%.30s… = %.60v, want %.60v", c.body, got, c.want)
			}
		})
	}
	shallow, err := schema.NewTypes(schema.Config{MaxDepth: 2}).Plan(typeOf([]any{}), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(shallow, `[[[]]]`); got != tooDeep {
		t.Errorf("three levels of two = %v", got)
	}
}

// TestPrototypeNamesAreOrdinary: they are dangerous to JavaScript that merges
// objects, and ordinary text to everybody else. They come back as they were.
func TestPrototypeNamesAreOrdinary(t *testing.T) {
	const body = `{"__proto__":{"admin":true},"constructor":1}`
	for _, into := range []any{map[string]any{}, json.RawMessage{}} {
		p := plan(t, into, "")
		got, err := encode(p, decode(p, body))
		if err != nil || got != body {
			t.Errorf("%T: %s (%v) came back, want %s", into, got, err, body)
		}
	}
	if got := decode(plan(t, member{}, ""), `{"role":"user","__proto__":{"name":"x"}}`); got != refused("/__proto__ extra_forbidden") {
		t.Errorf("a struct got %v", got)
	}
}

// TestManyViolationsAreCounted: an answer must not grow with the attack.
func TestManyViolationsAreCounted(t *testing.T) {
	var names, items strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&names, `,"k%d":0`, i)
		items.WriteString(`,"x"`)
	}
	for _, c := range []struct {
		name string
		into any
		body string
		want int
	}{
		{"100,000 unknown members", member{}, `{"role":"user"` + names.String() + `}`, 100_000},
		{"100,000 bad items", []int{}, `["x"` + items.String() + `]`, 100_001},
		{"100,000 bad values", map[string]string{}, `{"a":1` + names.String() + `}`, 100_001},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := schema.Report{In: "body"}
			p := plan(t, c.into, "")
			p.Decode(&report, []byte(c.body), newOf(p))
			shown, ok := errors.AsType[*problem.Problem](report.Err())
			if !ok || len(shown.Errors) != schema.DefaultMaxViolations || len(shown.Errors)+shown.Omitted != c.want {
				t.Fatalf("Err() = %v, want %d violations of which %d are shown", report.Err(), c.want, schema.DefaultMaxViolations)
			}
			if size := len(shown.AppendJSON(nil)); size > 4096 {
				t.Errorf("the answer has %d bytes", size)
			}
		})
	}
}

func TestLongNamesAreCut(t *testing.T) {
	_, err := typed[member](t).Decode(t.Context(), []byte(`{"role":"user","`+strings.Repeat("é", 100_000)+`":1}`))
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || len(p.Errors) != 1 {
		t.Fatalf("Decode() = %v", err)
	}
	if name := p.Errors[0].Path[0].Name; name != strings.Repeat("é", 32)+"…" {
		t.Errorf("the name is shown as %q", name)
	}
}

type vault struct {
	Text     string           `json:"text" maxLength:"3" pattern:"^[0-9]+$" format:"email"`
	Short    string           `json:"short" minLength:"99"`
	Choice   string           `json:"choice" enum:"a,b"`
	Const    string           `json:"const" const:"a"`
	Int      int8             `json:"int" multipleOf:"2"`
	Uint     uint64           `json:"uint"`
	Float    float64          `json:"float"`
	Decimal  decimal.Decimal  `json:"decimal" maxDigits:"3"`
	Number   json.Number      `json:"number" maximum:"1"`
	Bool     bool             `json:"bool"`
	Time     time.Time        `json:"time"`
	Duration time.Duration    `json:"duration"`
	Bytes    []byte           `json:"bytes"`
	Addr     netip.Addr       `json:"addr"`
	Prefix   netip.Prefix     `json:"prefix"`
	URL      url.URL          `json:"url"`
	Grade    grade            `json:"grade"`
	Point    point            `json:"point"`
	List     []int            `json:"list"`
	Unique   []string         `json:"unique" uniqueItems:"true"`
	Map      map[string]int   `json:"map" maxProperties:"1"`
	Struct   member           `json:"struct"`
	Pet      pet              `json:"pet"`
	Amount   amount           `json:"amount"`
	Opt      schema.Opt[int]  `json:"opt"`
	Null     schema.Null[int] `json:"null"`
	Checked  checked          `json:"checked"`
	ReadOnly string           `json:"read_only" readOnly:"true"`
}

type checked struct {
	A string `json:"a,omitzero"`
}

func (checked) Validate(context.Context) error { return schema.Invalid("is not welcome").At("a") }

// TestValuesAreNeverEchoed puts a secret into every member as every kind of
// JSON and looks for it in what the caller and the log get to see.
func TestValuesAreNeverEchoed(t *testing.T) {
	const canary = "7303014197"
	bodies := []string{
		`"` + canary + `"`, `"x` + canary + `é"`, canary, "-" + canary, canary + ".5", "1e" + canary, `[` + canary + `]`, `["` + canary + `","` + canary + `"]`,
		`{"a":"` + canary + `","b":` + canary + `}`, `{"kind":"` + canary + `"}`, `{"role":"` + canary + `","name":"` + canary[:2] + `"}`,
		`"https://` + canary + `@["`, `"2026-02-30T` + canary + `"`, `"` + canary + `\x"`, `"` + canary, canary + "x", `{"kind":"cat","lives":` + canary + `}`,
	}
	vaults := typed[vault](t)
	seen := 0
	fields := typeOf(vault{})
	for i := range fields.NumField() {
		name := fields.Field(i).Tag.Get("json")
		for _, body := range bodies {
			_, err := vaults.Decode(t.Context(), []byte(`{"`+name+`":`+body+`}`))
			p, ok := errors.AsType[*problem.Problem](err)
			if !ok || p.Status != http.StatusUnprocessableEntity && p.Status != http.StatusBadRequest {
				t.Fatalf("%s as %s: Decode() = %v, want a problem", body, name, err)
			}
			if document := string(p.AppendJSON(nil)); strings.Contains(document, canary) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s as %s is repeated: %s, %v", body, name, document, err)
			}
			seen++
		}
	}
	if seen < 400 {
		t.Errorf("only %d values were tried", seen)
	}
}

func TestParametersAreNeverEchoed(t *testing.T) {
	const canary = "7303014197x"
	for _, into := range []any{0, uint8(0), 0.5, false, time.Time{}, time.Duration(0), []byte{}, netip.Addr{}, netip.Prefix{}, url.URL{}, grade(0), decimal.Decimal{}, json.Number(""), []int{}, new(int), schema.Opt[bool]{}} {
		p := plan(t, into, "")
		report := schema.Report{In: "query"}
		p.DecodeText(&report, []string{canary}, newOf(p))
		shown, ok := errors.AsType[*problem.Problem](report.Err())
		if !ok {
			t.Errorf("%T from %s: Err() = %v, want a problem", into, canary, report.Err())
			continue
		}
		if document := string(shown.AppendJSON(nil)); strings.Contains(document, canary) {
			t.Errorf("%T repeats %s", into, document)
		}
	}
}
