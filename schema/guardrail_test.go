package schema_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// A rule that is spelt wrong would check nothing.
func TestMisspeltRulesAreMistakes(t *testing.T) {
	for tag, meant := range map[string]string{
		`minlength:"3"`: "minLength", `min_length:"3"`: "minLength", `max:"3"`: "maximum", `Minimum:"1"`: "minimum",
		`regex:"^a"`: "pattern", `description:"x"`: "doc", `readonly:"true"`: "readOnly", `ge:"1"`: "minimum",
	} {
		typ := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`json:"a" ` + tag)}})
		_, err := schema.NewTypes(schema.Config{}).Plan(typ, "")
		if err == nil || !strings.Contains(err.Error(), "did you mean "+meant+"?") {
			t.Errorf("tag %s: Plan() = %v, want a question for %s", tag, err, meant)
		}
	}
	typ := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: `json:"a" validate:"required" db:"a" minLength:"1"`}})
	if _, err := schema.NewTypes(schema.Config{}).Plan(typ, ""); err != nil {
		t.Errorf("tags of others: Plan() = %v, want none of our business", err)
	}
}

// Each pair of braces costs the sender three bytes and the server a struct.
func TestItemsCannotTakeAllMemory(t *testing.T) {
	type item struct {
		A *[128]int64     `json:"a,omitzero"`
		B map[string]any  `json:"b,omitzero"`
		C [16]float64     `json:"c,omitzero"`
		D []string        `json:"d,omitzero"`
		E schema.Opt[int] `json:"e"`
	}
	items, err := schema.For[[]item]()
	if err != nil {
		t.Fatal(err)
	}
	body := "[" + strings.TrimSuffix(strings.Repeat("{},", 340_000), ",") + "]"
	_, err = items.Decode(t.Context(), []byte(body))
	if p := problem.From(err); err == nil || p.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d bytes of empty objects: Decode() = %v, want 413", len(body), err)
	}
	anything, err := schema.For[any]()
	if err != nil {
		t.Fatal(err)
	}
	_, err = anything.Decode(t.Context(), []byte("["+strings.TrimSuffix(strings.Repeat("[],", 1_000_000), ",")+"]"))
	if p := problem.From(err); err == nil || p.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a million empty lists: Decode() = %v, want 413", err)
	}
}

type plainChecked struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (p plainChecked) Validate() error {
	if p.To < p.From {
		return schema.Invalid("to must not be before from").At("to")
	}
	return nil
}

func TestValidateWithoutContextIsCalled(t *testing.T) {
	spans, err := schema.For[plainChecked]()
	if err != nil {
		t.Fatal(err)
	}
	_, err = spans.Decode(t.Context(), []byte(`{"from":2,"to":1}`))
	if p := problem.From(err); err == nil || len(p.Errors) != 1 || p.Errors[0].Pointer() != "/to" {
		t.Errorf("Decode() = %v, want a violation at /to", err)
	}
}

type page[T any] struct {
	Items []T `json:"items"`
}

type petal struct {
	ID int `json:"id"`
}

// Two schemas under one name are one schema lost.
func TestNoTwoTypesShareAComponent(t *testing.T) {
	types, d := schema.NewTypes(schema.Config{}), schema.NewDescriber()
	refs := make(map[string]reflect.Type)
	var described []func()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[page[petal]](), reflect.TypeFor[page[[]petal]](), reflect.TypeFor[page[*petal]](),
		reflect.TypeFor[page[map[string]petal]](), reflect.TypeFor[page[page[petal]]](),
	} {
		plan, err := types.Plan(typ, "")
		if err != nil {
			t.Fatal(err)
		}
		s := d.Describe(plan, schema.Output)
		described = append(described, func() {
			if first, taken := refs[s.Ref]; taken || s.Ref == "" {
				t.Errorf("%s and %s are both %q", typ, first, s.Ref)
			}
			refs[s.Ref] = typ
		})
	}
	components := d.Components()
	for _, check := range described {
		check()
	}
	if _, ok := components.Get("page_ListOfpetal"); !ok {
		t.Errorf("components are %v, want page_ListOfpetal among them", refs)
	}
}

// What has no name is described where it stands, so it can share none.
func TestAnonymousStructsAreInline(t *testing.T) {
	types, d := schema.NewTypes(schema.Config{}), schema.NewDescriber()
	plan, err := types.Plan(reflect.TypeFor[struct {
		Name string `json:"name" minLength:"2"`
	}](), "")
	if err != nil {
		t.Fatal(err)
	}
	s := d.Describe(plan, schema.Input)
	if d.Components().Len() != 0 || s.Ref != "" || s.Properties.Len() != 1 {
		t.Errorf("Describe() = %+v, want it inline", s)
	}
}
