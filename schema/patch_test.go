package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type (
	spot struct {
		Street string  `json:"street" minLength:"1"`
		City   string  `json:"city" minLength:"1"`
		Note   *string `json:"note,omitzero"`
		Code   string  `json:"code" readOnly:"true"`
	}
	light struct {
		ID     int               `json:"id" readOnly:"true"`
		Name   string            `json:"name" minLength:"1" maxLength:"9" alias:"title"`
		Low    int               `json:"low" minimum:"0"`
		High   int               `json:"high" minimum:"0"`
		Unit   string            `json:"unit" default:"W"`
		Short  string            `json:"short,omitzero" minLength:"2"`
		Maker  *spot             `json:"maker"`
		Store  spot              `json:"store"`
		Tags   []string          `json:"tags,omitzero" maxItems:"3"`
		Labels map[string]string `json:"labels,omitzero" maxProperties:"2"`
		Free   any               `json:"free,omitzero"`
		Weight schema.Null[int]  `json:"weight"`
		Stock  schema.Opt[int]   `json:"stock"`
		Margin int               `json:"margin,omitzero" visibleTo:"seller" writableBy:"seller"`
		Key    string            `json:"key,omitzero" writeOnly:"true"`
		_      schema.Computed   `name:"range" method:"Range"`
	}
)

func (l light) Range() int { return l.High - l.Low }

func (l light) Validate(context.Context) error {
	if l.High < l.Low {
		return schema.Invalid("the range is empty").At("high")
	}
	return nil
}

type hasRole string

func (r hasRole) HasRole(name string) bool { return string(r) == name }

func someLight() light {
	return light{
		ID: 7, Name: "Lamp", Low: 10, High: 20, Unit: "W", Short: "ab", Maker: &spot{"Way 1", "Ulm", nil, "x1"}, Store: spot{"Way 2", "Bonn", nil, "x2"},
		Tags: []string{"a"}, Labels: map[string]string{"a": "1", "b": "2"}, Free: map[string]any{"x": json.Number("1"), "y": "z"},
		Weight: schema.NotNull(3), Stock: schema.Some(5), Margin: 40, Key: "hidden",
	}
}

func patchType[T any](t *testing.T) *schema.Type[T] {
	t.Helper()
	plan, err := schema.For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// blamed returns the violations in err, as "pointer code".
func blamed(err error) (list []string) {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return nil
	}
	for _, v := range p.Errors {
		list = append(list, v.Pointer()+" "+v.Code)
	}
	return list
}

func TestMergePatchChangesWhatIsSent(t *testing.T) {
	plan := patchType[schema.MergePatch[light]](t)
	note := "by the door"
	tests := []struct {
		name, patch string
		change      func(*light)
	}{
		{"nothing", `{}`, func(*light) {}},
		{"one member", `{"name":"Torch"}`, func(l *light) { l.Name = "Torch" }},
		{"an alias", `{"title":"Torch"}`, func(l *light) { l.Name = "Torch" }},
		{"null takes an optional member away", `{"short":null}`, func(l *light) { l.Short = "" }},
		{"null gives a default back", `{"unit":null}`, func(l *light) { l.Unit = "W" }},
		{"null of a pointer", `{"maker":null}`, func(l *light) { l.Maker = nil }},
		{"null where null is a value", `{"weight":null}`, func(l *light) { l.Weight = schema.Null[int]{} }},
		{"null of an Opt", `{"stock":null}`, func(l *light) { l.Stock = schema.Opt[int]{} }},
		{"an Opt", `{"stock":6}`, func(l *light) { l.Stock = schema.Some(6) }},
		{"an object is merged", `{"maker":{"city":"Köln"}}`, func(l *light) { l.Maker = &spot{"Way 1", "Köln", nil, "x1"} }},
		{"an object that is no pointer is merged", `{"store":{"note":"by the door"}}`, func(l *light) { l.Store.Note = &note }},
		{"a list is replaced", `{"tags":["b","c"]}`, func(l *light) { l.Tags = []string{"b", "c"} }},
		{"a map is merged", `{"labels":{"a":null,"c":"3"}}`, func(l *light) { l.Labels = map[string]string{"b": "2", "c": "3"} }},
		{"what has no schema is merged", `{"free":{"x":null,"n":{"m":1}}}`, func(l *light) {
			l.Free = map[string]any{"y": "z", "n": map[string]any{"m": json.Number("1")}}
		}},
		{"two members that only together are right", `{"low":30,"high":40}`, func(l *light) { l.Low, l.High = 30, 40 }},
	}
	for _, tt := range tests {
		current, want := someLight(), someLight()
		tt.change(&want)
		patch, err := plan.Decode(t.Context(), []byte(tt.patch))
		if err != nil {
			t.Errorf("%s: %v", tt.name, blamed(err))
			continue
		}
		got, err := patch.Apply(current)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Apply() = %+v, %v, want %+v", tt.name, got, blamed(err), want)
		}
		if !reflect.DeepEqual(current, someLight()) {
			t.Errorf("%s: the value from before has changed: %+v", tt.name, current)
		}
	}
}

func TestMergePatchIsRefusedBeforeAnythingIsLoaded(t *testing.T) {
	plan := patchType[schema.MergePatch[light]](t)
	for patch, want := range map[string]string{
		`{"id":8}`:                       "/id read_only",
		`{"store":{"code":"x"}}`:         "/store/code read_only",
		`{"margin":1}`:                   "/margin read_only",
		`{"range":1}`:                    "/range extra_forbidden",
		`{"Name":"x"}`:                   "/Name extra_forbidden",
		`{"name":""}`:                    "/name string_too_short",
		`{"name":null}`:                  "/name string_type",
		`{"store":null}`:                 "/store model_attributes_type",
		`{"store":{"city":null}}`:        "/store/city string_type",
		`{"low":-1,"tags":[1]}`:          "/low greater_than_equal",
		`{"name":"a","name":"b"}`:        " json_invalid",
		`{"name":"a","title":"b"}`:       " json_invalid",
		`{"labels":{"a":"1","a":null}}`:  " json_invalid",
		`[]`:                             " model_attributes_type",
		`null`:                           " model_attributes_type",
		`{"name":"a"}x`:                  " json_invalid",
		`{"free":{"a":1,"a":2}}`:         " json_invalid",
		`{"tags":["a","b","c","d"]}`:     "/tags too_long",
		`{"maker":{"street":""}}`:        "/maker/street string_too_short",
		`{"short":"a"}`:                  "/short string_too_short",
		`{"weight":"3"}`:                 "/weight int_type",
		`{"maker":{"owner":{"name":1}}}`: "/maker/owner extra_forbidden",
	} {
		_, err := plan.Decode(t.Context(), []byte(patch))
		if got := blamed(err); len(got) == 0 || !slices.Contains(got, want) {
			t.Errorf("%s is answered with %q, want %q", patch, got, want)
		}
	}
}

func TestMergePatchDoesNotGetAroundRulesOfTheWhole(t *testing.T) {
	plan := patchType[schema.MergePatch[light]](t)
	bare := someLight()
	bare.Maker = nil
	for patch, want := range map[string]string{
		`{"low":30}`:                       "/high value_error",
		`{"labels":{"c":"3"}}`:             "/labels too_long",
		`{"maker":{"city":"Ulm"}}`:         "/maker/street missing",
		`{"maker":{"city":"Ulm"},"low":1}`: "/maker/street missing",
	} {
		p, err := plan.Decode(t.Context(), []byte(patch))
		if err != nil {
			t.Errorf("%s: %v", patch, err)
			continue
		}
		got, err := p.Apply(bare)
		if !slices.Contains(blamed(err), want) || !reflect.DeepEqual(got, bare) {
			t.Errorf("%s: Apply() = %+v, %q, want the value from before and %q", patch, got, blamed(err), want)
		}
	}
}

func TestMergePatchKnowsWhatWasSent(t *testing.T) {
	plan := patchType[schema.MergePatch[light]](t)
	p, err := plan.DecodeFor(t.Context(), []byte(`{"title":"x","maker":{"note":null},"labels":{"a/b":null},"margin":3}`), hasRole("seller"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range [][]string{{"name"}, {"maker"}, {"maker", "note"}, {"labels", "a/b"}, {"margin"}} {
		if !p.Sent(path...) {
			t.Errorf("Sent(%q) is false", path)
		}
	}
	for _, path := range [][]string{{"title"}, {"low"}, {"maker", "city"}, {"labels", "a"}, nil} {
		if p.Sent(path...) {
			t.Errorf("Sent(%q) is true", path)
		}
	}
	if got, err := p.Apply(someLight()); err != nil || got.Margin != 3 {
		t.Errorf("a seller's margin became %d, %v", got.Margin, err)
	}
	var none schema.MergePatch[light]
	if got, err := none.Apply(someLight()); err != nil || !reflect.DeepEqual(got, someLight()) || !none.IsZero() || p.IsZero() {
		t.Errorf("no patch makes %+v, %v", got, err)
	}
}

func TestPatchOfWhatItWouldLoseIsAMistake(t *testing.T) {
	type line struct {
		ID  int `json:"id" readOnly:"true"`
		Qty int `json:"qty"`
	}
	type order struct {
		Lines []line `json:"lines"`
	}
	if _, err := schema.For[schema.MergePatch[order]](); err == nil || !strings.Contains(err.Error(), "order.lines as a whole") {
		t.Errorf("a list whose items would lose their ids is %v", err)
	}
	if _, err := schema.For[schema.JSONPatch[order]](); err == nil {
		t.Error("a JSON Patch of it compiles")
	}
	type priced struct {
		Name string `json:"name"`
		Cost int    `json:"cost,omitzero" writableBy:"admin"`
	}
	type sealed struct {
		One schema.Encoded[priced] `json:"one"`
	}
	type sealedList struct {
		All []schema.Encoded[priced] `json:"all"`
	}
	for i, err := range []error{errorOf[schema.MergePatch[sealed]](), errorOf[schema.JSONPatch[sealed]](), errorOf[schema.MergePatch[sealedList]]()} {
		if err == nil || !strings.Contains(err.Error(), " as a whole") {
			t.Errorf("%d: what is encoded already and would lose its cost is %v", i, err)
		}
	}
	if _, err := schema.For[schema.MergePatch[[]int]](); err == nil || !strings.Contains(err.Error(), "want a struct") {
		t.Errorf("a patch of a list is %v", err)
	}
}

func TestJSONPatchChangesWhatIsVisible(t *testing.T) {
	plan := patchType[schema.JSONPatch[light]](t)
	tests := []struct {
		name, patch string
		change      func(*light)
	}{
		{"nothing", `[]`, func(*light) {}},
		{"replace", `[{"op":"replace","path":"/name","value":"Torch"}]`, func(l *light) { l.Name = "Torch" }},
		{"test and replace", `[{"op":"test","path":"/id","value":7.0},{"op":"replace","path":"/low","value":11}]`, func(l *light) { l.Low = 11 }},
		{"remove an optional member", `[{"op":"remove","path":"/short"}]`, func(l *light) { l.Short = "" }},
		{"remove what has a default", `[{"op":"remove","path":"/unit"}]`, func(l *light) { l.Unit = "W" }},
		{"an item", `[{"op":"add","path":"/tags/0","value":"z"},{"op":"add","path":"/tags/-","value":"q"}]`, func(l *light) { l.Tags = []string{"z", "a", "q"} }},
		{"copy", `[{"op":"copy","from":"/store/city","path":"/maker/city"}]`, func(l *light) { l.Maker = &spot{"Way 1", "Bonn", nil, "x1"} }},
		{"move", `[{"op":"move","from":"/labels/a","path":"/labels/c"}]`, func(l *light) { l.Labels = map[string]string{"b": "2", "c": "1"} }},
		{"null", `[{"op":"replace","path":"/weight","value":null}]`, func(l *light) { l.Weight = schema.Null[int]{} }},
		{"a pointer", `[{"op":"remove","path":"/maker"}]`, func(l *light) { l.Maker = nil }},
		{"what nobody sees can be sent", `[{"op":"add","path":"/key","value":"new"}]`, func(l *light) { l.Key = "new" }},
		{"a read-only member that is put back", `[{"op":"replace","path":"/id","value":1},{"op":"replace","path":"/id","value":7}]`, func(*light) {}},
	}
	for _, tt := range tests {
		current, want := someLight(), someLight()
		tt.change(&want)
		patch, err := plan.Decode(t.Context(), []byte(tt.patch))
		if err != nil {
			t.Errorf("%s: %v", tt.name, blamed(err))
			continue
		}
		got, err := patch.Apply(current)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Apply() = %+v, %q, want %+v", tt.name, got, blamed(err), want)
		}
		if !reflect.DeepEqual(current, someLight()) {
			t.Errorf("%s: the value from before has changed: %+v", tt.name, current)
		}
	}
}

func TestJSONPatchIsRefused(t *testing.T) {
	plan := patchType[schema.JSONPatch[light]](t)
	tests := []struct {
		name, patch string
		status      int
		want        string
	}{
		{"a hidden member is not tested", `[{"op":"test","path":"/margin","value":40}]`, http.StatusConflict, "/0/path patch_path_missing"},
		{"a write-only member is not copied", `[{"op":"copy","from":"/key","path":"/name"}]`, http.StatusConflict, "/0/from patch_path_missing"},
		{"a hidden member is not written", `[{"op":"add","path":"/margin","value":1}]`, http.StatusUnprocessableEntity, "/0/path read_only"},
		{"a read-only member", `[{"op":"replace","path":"/id","value":8}]`, http.StatusUnprocessableEntity, "/0/path read_only"},
		{"a read-only member is not removed", `[{"op":"remove","path":"/id"}]`, http.StatusUnprocessableEntity, "/0/path read_only"},
		{"a read-only member inside", `[{"op":"replace","path":"/store","value":{"street":"s","city":"c","code":"y"}}]`, http.StatusUnprocessableEntity, "/0/path read_only"},
		{"a computed member", `[{"op":"replace","path":"/range","value":1}]`, http.StatusUnprocessableEntity, "/0/path read_only"},
		{"a member that nobody declared", `[{"op":"add","path":"/admin","value":true}]`, http.StatusUnprocessableEntity, "/0/path extra_forbidden"},
		{"a required member", `[{"op":"remove","path":"/name"}]`, http.StatusUnprocessableEntity, "/0/path missing"},
		{"a rule", `[{"op":"test","path":"/name","value":"Lamp"},{"op":"replace","path":"/name","value":""}]`, http.StatusUnprocessableEntity, "/1/path string_too_short"},
		{"a rule of the whole", `[{"op":"replace","path":"/high","value":1}]`, http.StatusUnprocessableEntity, "/0/path value_error"},
		{"all of it is another type", `[{"op":"replace","path":"","value":3}]`, http.StatusUnprocessableEntity, "/0/path model_attributes_type"},
		{"a test that fails", `[{"op":"replace","path":"/name","value":"x"},{"op":"test","path":"/low","value":11}]`, http.StatusConflict, "/1/value patch_test_failed"},
		{"a copy of copies", "[" + strings.Repeat(`{"op":"copy","from":"","path":"/free/a"},`, 50) + `{"op":"remove","path":"/free"}]`, http.StatusRequestEntityTooLarge, "/"},
	}
	for _, tt := range tests {
		patch, err := plan.Decode(t.Context(), []byte(tt.patch))
		if err != nil {
			t.Errorf("%s: %v", tt.name, blamed(err))
			continue
		}
		got, err := patch.Apply(someLight())
		if p := problem.From(err); err == nil || p.Status != tt.status || !slices.ContainsFunc(blamed(err), func(v string) bool { return strings.HasPrefix(v, tt.want) }) {
			t.Errorf("%s: Apply() = %d %q, want %d %q", tt.name, p.Status, blamed(err), tt.status, tt.want)
		}
		if !reflect.DeepEqual(got, someLight()) {
			t.Errorf("%s: the value has changed: %+v", tt.name, got)
		}
	}
	for patch, want := range map[string]string{
		`{}`:                             " list_type",
		`[{"op":"spam","path":"/a"}]`:    "/0/op enum",
		`[{"path":"/a"}]`:                "/0/op missing",
		`[{"op":"add","path":"/a"}]`:     "/0/value missing",
		`[{"op":"remove","path":"a"}]`:   "/0/path json_pointer",
		`[{"op":"remove","path":"/~2"}]`: "/0/path json_pointer",
		`[{"op":"move","path":"/a"}]`:    "/0/from missing",
		`[{"op":"remove","path":1}]`:     "/0/path string_type",
		`[3]`:                            "/0 model_attributes_type",
		`[{"op":"test","op":"add"}]`:     " json_invalid",
		"[" + strings.Repeat(`{"op":"remove","path":"/tags/0"},`, 100) + `{"op":"remove","path":"/tags"}]`: " too_long",
		`[{"op":"move","from":"/free","path":"/free/x"}]`:                                                  "/0/path patch_move_inside",
	} {
		_, err := plan.Decode(t.Context(), []byte(patch))
		if got := blamed(err); !slices.Contains(got, want) {
			t.Errorf("%.60s is answered with %q, want %q", patch, got, want)
		}
	}
}

// caps is a map with a rule of its own.
type caps map[string]int

func (l caps) Validate() error {
	total := 0
	for _, n := range l {
		total += n
	}
	if total > 10 {
		return schema.Invalid("they are more than 10 together")
	}
	return nil
}

type quota struct {
	Limits caps `json:"limits"`
	Pet    pets `json:"pet,omitzero"`
}

type pets struct {
	schema.Union `discriminator:"kind"`
	Cat          *tom
	Dog          *rex
}

type (
	tom struct {
		Kind  string `json:"kind" const:"cat"`
		Lives int    `json:"lives" maximum:"9"`
		Name  string `json:"name,omitzero"`
	}
	rex struct {
		Kind string `json:"kind" const:"dog"`
		Bark bool   `json:"bark"`
	}
)

func TestMergePatchOfMapsAndUnions(t *testing.T) {
	plan := patchType[schema.MergePatch[quota]](t)
	current := quota{Limits: caps{"a": 4, "b": 4}, Pet: pets{Cat: &tom{"cat", 9, "Tom"}}}
	for patch, want := range map[string]string{
		`{"limits":{"c":3}}`:                 "/limits value_error",
		`{"limits":{"a":null,"c":6}}`:        "",
		`{"pet":{"lives":8}}`:                "",
		`{"pet":{"kind":"cat","lives":8}}`:   "",
		`{"pet":{"lives":10}}`:               "/pet/lives less_than_equal",
		`{"pet":{"kind":"dog"}}`:             "/pet/bark missing",
		`{"pet":{"bark":true}}`:              "/pet/bark extra_forbidden",
		`{"pet":{"kind":"dog","bark":true}}`: "",
		`{"pet":{"kind":"cow"}}`:             "/pet union_tag_invalid",
		`{"pet":3}`:                          "/pet model_attributes_type",
		`{"pet":null}`:                       "",
	} {
		p, err := plan.Decode(t.Context(), []byte(patch))
		got := current
		if err == nil {
			got, err = p.Apply(current)
		}
		if list := blamed(err); want == "" && err != nil || want != "" && !slices.Contains(list, want) {
			t.Errorf("%s is answered with %q %v, want %q", patch, list, err, want)
		}
		if strings.Contains(patch, `"lives":8`) && (got.Pet.Cat == nil || *got.Pet.Cat != tom{"cat", 8, "Tom"}) {
			t.Errorf("%s makes %+v", patch, got.Pet.Cat)
		}
		if strings.Contains(patch, `"bark":true}}`) && err == nil && (got.Pet.Cat != nil || got.Pet.Dog == nil) {
			t.Errorf("%s makes %+v", patch, got.Pet)
		}
		if current.Limits["a"] != 4 || current.Pet.Cat.Lives != 9 {
			t.Fatalf("%s has changed the value from before: %+v", patch, current)
		}
	}
}
