package schema_test

import (
	"reflect"
	"testing"

	"github.com/fastness/fastness/schema"
)

type presence struct {
	Required string                           `json:"required"`
	Zero     string                           `json:"zero,omitzero"`
	Empty    []int                            `json:"empty,omitempty"`
	Pointer  *string                          `json:"pointer"`
	Asked    *string                          `json:"asked" required:"true"`
	Null     schema.Null[string]              `json:"null"`
	Opt      schema.Opt[string]               `json:"opt"`
	Both     schema.Opt[schema.Null[string]]  `json:"both"`
	Preset   schema.Null[string]              `json:"preset" default:"Lamp"`
	List     schema.Opt[[]schema.Null[int]]   `json:"list" maxItems:"2" maximum:"9"`
	Nested   *struct{ A schema.Opt[float64] } `json:"nested"`
}

func TestAbsentNullAndPresent(t *testing.T) {
	with := func(change func(*presence)) presence {
		p := presence{Preset: schema.NotNull("Lamp")}
		change(&p)
		return p
	}
	const least = `{"required":"","asked":null,"null":null`
	text := "x"
	testSent(t, []sentCase[presence]{
		{"the least", least + `}`, with(func(*presence) {})},
		{"nothing at all", `{}`, refused("/required missing, /asked missing, /null missing")},
		{"null where a value is required", `{"required":null,"asked":"x","null":"x"}`, refused("/required string_type")},
		{"null for what may only be absent", least + `,"zero":null,"empty":null}`, refused("/zero string_type, /empty list_type")},
		{"null for a pointer is absent", least + `,"pointer":null}`, with(func(*presence) {})},
		{"a value for a pointer", least + `,"pointer":"x"}`, with(func(p *presence) { p.Pointer = &text })},
		{"null for an Opt", least + `,"opt":null}`, refused("/opt string_type")},
		{"the empty text for an Opt is a value", least + `,"opt":""}`, with(func(p *presence) { p.Opt = schema.Some("") })},
		{"null for an Opt of a Null", least + `,"both":null}`, with(func(p *presence) { p.Both = schema.Some(schema.Null[string]{}) })},
		{"a value for an Opt of a Null", least + `,"both":"x"}`, with(func(p *presence) { p.Both = schema.Some(schema.NotNull("x")) })},
		{"null keeps the default away", least + `,"preset":null}`, with(func(p *presence) { p.Preset = schema.Null[string]{} })},
		{"the rules of a list go to its items", least + `,"list":[9,null,1]}`, refused("/list too_long")},
		{"the rules of numbers go through a list and a Null", least + `,"list":[10]}`, refused("/list/0 less_than_equal")},
		{"a list of values that may be null", least + `,"list":[9,null]}`, with(func(p *presence) {
			p.List = schema.Some([]schema.Null[int]{schema.NotNull(9), {}})
		})},
		{"deep inside", least + `,"nested":{"A":1.5}}`, with(func(p *presence) { p.Nested = &struct{ A schema.Opt[float64] }{schema.Some(1.5)} })},
		{"null deep inside", least + `,"nested":{"A":null}}`, refused("/nested/A float_type")},
	})
}

func TestAbsentMembersAreLeftOut(t *testing.T) {
	all := typed[presence](t)
	text := "x"
	for _, c := range []struct {
		name  string
		value presence
		want  string
	}{
		{"the zero value", presence{}, `{"required":"","pointer":null,"asked":null,"null":null,"preset":null,"nested":null}`},
		{"everything", presence{
			Required: "r", Zero: "z", Empty: []int{1}, Pointer: &text, Asked: &text, Null: schema.NotNull("n"), Opt: schema.Some("o"),
			Both: schema.Some(schema.Null[string]{}), Preset: schema.NotNull("p"), List: schema.Some([]schema.Null[int]{{}}), Nested: &struct{ A schema.Opt[float64] }{},
		}, `{"required":"r","zero":"z","empty":[1],"pointer":"x","asked":"x","null":"n","opt":"o","both":null,"preset":"p","list":[null],"nested":{}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := all.Append(nil, c.value)
			if err != nil || string(got) != c.want {
				t.Errorf("Append() = %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

func TestOptAndNullTellWhatTheyHold(t *testing.T) {
	if v, ok := schema.Some(3).Get(); v != 3 || !ok || schema.Some(3).Or(4) != 3 || schema.Some(3).IsZero() {
		t.Errorf("Some(3).Get() = %v, %v", v, ok)
	}
	var absent schema.Opt[int]
	if v, ok := absent.Get(); v != 0 || ok || absent.Or(4) != 4 || !absent.IsZero() {
		t.Errorf("Opt{}.Get() = %v, %v", v, ok)
	}
	if v, ok := schema.NotNull(3).Get(); v != 3 || !ok || schema.NotNull(3).Or(4) != 3 {
		t.Errorf("NotNull(3).Get() = %v, %v", v, ok)
	}
	var null schema.Null[int]
	if v, ok := null.Get(); v != 0 || ok || null.Or(4) != 4 {
		t.Errorf("Null{}.Get() = %v, %v", v, ok)
	}
	for _, c := range []struct {
		value interface{ MarshalJSON() ([]byte, error) }
		want  string
	}{{absent, "null"}, {schema.Some(3), "3"}, {null, "null"}, {schema.NotNull("x"), `"x"`}} {
		if got, err := c.value.MarshalJSON(); err != nil || string(got) != c.want {
			t.Errorf("MarshalJSON(%#v) = %s (%v), want %s", c.value, got, err, c.want)
		}
	}
}

type presets struct {
	Name   string         `json:"name" default:"Lamp"`
	Count  int            `json:"count" default:"3" minimum:"0"`
	Live   bool           `json:"live" default:"true"`
	Tags   []string       `json:"tags" default:"[\"a\"]"`
	Ratio  *float64       `json:"ratio" default:"0.5"`
	Limits map[string]int `json:"limits" default:"{\"a\":1}"`
}

func TestDefaultsApplyOnlyWhereAbsent(t *testing.T) {
	half, none := 0.5, 0.0
	all := presets{"Lamp", 3, true, []string{"a"}, &half, map[string]int{"a": 1}}
	testSent(t, []sentCase[presets]{
		{"absent", `{}`, all},
		{"explicit zero values stay", `{"name":"","count":0,"live":false,"tags":[],"ratio":0,"limits":{}}`, presets{"", 0, false, []string{}, &none, map[string]int{}}},
		{"explicit null stays null", `{"ratio":null}`, presets{"Lamp", 3, true, []string{"a"}, nil, map[string]int{"a": 1}}},
		{"null is still no string", `{"name":null}`, refused("/name string_type")},
	})
}

// TestDefaultsAreNotShared: what one request does to its default must not show
// in the next one.
func TestDefaultsAreNotShared(t *testing.T) {
	all := typed[presets](t)
	first, err := all.Decode(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	first.Tags[0], first.Limits["a"], *first.Ratio = "changed", 9, 9
	second, err := all.Decode(t.Context(), []byte(`{}`))
	if err != nil || second.Tags[0] != "a" || second.Limits["a"] != 1 || *second.Ratio != 0.5 {
		t.Errorf("the second request got %+v (%v), which the first one changed", second, err)
	}
}

type change struct {
	schema.Fields
	Name  string `json:"name,omitzero" alias:"title,label"`
	Price int    `json:"price" default:"5"`
	Note  *string
}

func TestFieldsTellWhatWasSent(t *testing.T) {
	changes := typed[change](t)
	for _, c := range []struct {
		name, json string
		want       []string
	}{
		{"nothing", `{}`, nil},
		{"a default was not sent", `{"name":"a"}`, []string{"name"}},
		{"null was sent", `{"Note":null}`, []string{"Note"}},
		{"zero values were sent, in the order of the declaration", `{"price":0,"name":""}`, []string{"name", "price"}},
		{"an alias counts as the name", `{"label":"a"}`, []string{"name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := changes.Decode(t.Context(), []byte(c.json))
			if err != nil || !reflect.DeepEqual(got.Names(), c.want) {
				t.Errorf("%s: Names() = %q (%v), want %q", c.json, got.Names(), err, c.want)
			}
			for _, name := range []string{"name", "price", "Note", "title", "missing"} {
				want := false
				for _, n := range c.want {
					want = want || n == name
				}
				if got.Has(name) != want {
					t.Errorf("%s: Has(%q) = %v, want %v", c.json, name, got.Has(name), want)
				}
			}
		})
	}
	got, err := changes.Append(nil, change{Name: "a"})
	if want := `{"name":"a","price":0,"Note":null}`; err != nil || string(got) != want {
		t.Errorf("Append() = %s (%v), want %s", got, err, want)
	}
}

func TestAnAliasAndItsNameAreOneMember(t *testing.T) {
	testSent(t, []sentCase[change]{
		{"both", `{"name":"a","title":"b"}`, malformed("Duplicate member name")},
		{"two aliases", `{"title":"a","label":"b"}`, malformed("Duplicate member name")},
		{"an alias with a bad value is reported as it was sent", `{"title":1}`, refused("/title string_type")},
	})
}

type account struct {
	ID       int    `json:"id" readOnly:"true"`
	Name     string `json:"name"`
	Password string `json:"password" writeOnly:"true" minLength:"8"`
}

func TestReadOnlyMembersCannotBeSent(t *testing.T) {
	testSent(t, []sentCase[account]{
		{"without", `{"name":"a","password":"12345678"}`, account{Name: "a", Password: "12345678"}},
		{"with", `{"id":1,"name":"a","password":"12345678"}`, refused("/id read_only")},
		{"with null", `{"id":null,"name":"a","password":"12345678"}`, refused("/id read_only")},
		{"through an escape", `{"\u0069d":1,"name":"a","password":"12345678"}`, refused("/id read_only")},
	})
}

func TestWriteOnlyMembersAreNeverEncoded(t *testing.T) {
	value := account{7, "a", "12345678"}
	for _, c := range []struct {
		name string
		into any
		send any
		want string
	}{
		{"alone", account{}, value, `{"id":7,"name":"a"}`},
		{"in a list", []account{}, []account{value}, `[{"id":7,"name":"a"}]`},
		{"behind a pointer", map[string]*account{}, map[string]*account{"x": &value}, `{"x":{"id":7,"name":"a"}}`},
		{"behind an interface", map[string]any{}, map[string]any{"x": value}, `{"x":{"id":7,"name":"a"}}`},
		{"behind a pointer in an interface", []any{}, []any{&value}, `[{"id":7,"name":"a"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := encode(plan(t, c.into, ""), c.send); err != nil || got != c.want {
				t.Errorf("Append() = %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

func TestAClientReadsAndWritesTheOtherWayRound(t *testing.T) {
	p, err := schema.NewTypes(schema.Config{Client: true}).Plan(reflect.TypeFor[account](), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encode(p, account{7, "a", "12345678"}); err != nil || got != `{"name":"a","password":"12345678"}` {
		t.Errorf("a client sends %s (%v)", got, err)
	}
	if got, want := decode(p, `{"id":7,"name":"a"}`), (account{ID: 7, Name: "a"}); got != want {
		t.Errorf("a client reads %v, want %v", got, want)
	}
}
