package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// send decodes text as viewer sends it, and gives the value or the verdict.
func send[T any](t *testing.T, text string, viewer schema.Viewer) any {
	t.Helper()
	value, err := typed[T](t).DecodeFor(t.Context(), []byte(text), viewer)
	if err != nil {
		return verdict(err)
	}
	return value
}

func TestRoleFieldCannotBeSentByOthers(t *testing.T) {
	draft := good{Name: "a", Status: "draft"}
	open := good{Name: "a", Status: "open"}
	for _, c := range []struct {
		name, text string
		viewer     schema.Viewer
		want       any
	}{
		{"what is not sent has its default", `{"name":"a"}`, nil, draft},
		{"nobody", `{"name":"a","status":"open"}`, nil, refused("/status read_only")},
		{"another role", `{"name":"a","status":"open"}`, as{"seller", "Admin"}, refused("/status read_only")},
		{"the role", `{"name":"a","status":"open"}`, as{"admin"}, open},
		{"the rule holds for the role", `{"name":"a","status":"won"}`, as{"admin"}, refused("/status enum")},
		{"the rule is not told to others", `{"name":"a","status":"won"}`, nil, refused("/status read_only")},
		{"first", `{"status":"open","name":"a"}`, nil, refused("/status read_only")},
		{"an alias", `{"name":"a","phase":"open"}`, nil, refused("/phase read_only")},
		{"an alias for the role", `{"name":"a","phase":"open"}`, as{"admin"}, open},
		{"an escape", `{"name":"a","st\u0061tus":"open"}`, nil, refused("/status read_only")},
		{"an escaped alias", `{"name":"a","\u0070hase":"open"}`, nil, refused("/phase read_only")},
		{"white space", "{\"name\":\"a\" , \"status\" : \"open\" }", nil, refused("/status read_only")},
		{"the default itself", `{"name":"a","status":"draft"}`, nil, refused("/status read_only")},
		{"null", `{"name":"a","status":null,"audit":null}`, nil, refused("/status read_only, /audit read_only")},
		{"an object", `{"name":"a","status":{"status":"open"}}`, nil, refused("/status read_only")},
		{"twice", `{"name":"a","status":"open","status":"open"}`, nil, refused("/status read_only, /status read_only")},
		{"the name and an alias", `{"name":"a","status":"open","state":"open"}`, nil, refused("/status read_only, /state read_only")},
		{"twice by the role", `{"name":"a","status":"open","state":"open"}`, as{"admin"}, malformed("Duplicate member name")},
		{"in capitals it is another name", `{"name":"a","Status":"open"}`, nil, refused("/Status extra_forbidden")},
		{"in capitals it is another name for the role, too", `{"name":"a","STATUS":"open"}`, as{"admin"}, refused("/STATUS extra_forbidden")},
		{"a letter that folds to one of the name", `{"name":"a","ſtatus":"open"}`, nil, refused("/ſtatus extra_forbidden")},
		{"what others may see all may send", `{"name":"a","cost":7}`, nil, good{Name: "a", Cost: 7, Status: "draft"}},
		{"broken inside", `{"name":"a","audit":{"by":}}`, nil, malformed("Expecting value")},
		{"a role inside a role", `{"name":"a","audit":{"by":"b","note":"x"}}`, as{"admin"}, refused("/audit/note read_only")},
		{"both roles", `{"name":"a","audit":{"by":"b","note":"x"}}`, as{"auditor", "admin"}, good{Name: "a", Status: "draft", Audit: &audit{"b", "x"}}},
		{"the inner role alone", `{"name":"a","audit":{"by":"b","note":"x"}}`, as{"auditor"}, refused("/audit read_only")},
		{"with what else is wrong", `{"status":"open","more":1}`, nil, refused("/status read_only, /more extra_forbidden, /name missing")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := send[good](t, c.text, c.viewer); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s by %v = %+v, want %+v", c.text, c.viewer, got, c.want)
			}
		})
	}
}

func TestHiddenFieldCannotBeWrittenThroughNesting(t *testing.T) {
	const item = `{"name":"a","status":"open"}`
	for _, c := range []struct{ name, text, at string }{
		{"a list", `{"name":"x","parts":[{"name":"b"},` + item + `]}`, "/parts/1/status"},
		{"lists in lists", `{"name":"x","parts":[{"name":"b","parts":[` + item + `]}]}`, "/parts/0/parts/0/status"},
		{"an embedded struct", `{"name":"x","also":{"secret":"s"}}`, "/also/secret"},
		{"a map", `{"name":"x","also":{"by_name":{"k":` + item + `}}}`, "/also/by_name/k/status"},
		{"a key of the member's name", `{"name":"x","also":{"by_name":{"status":` + item + `}}}`, "/also/by_name/status/status"},
		{"a list of pointers", `{"name":"x","also":{"listed":[null,` + item + `]}}`, "/also/listed/1/status"},
		{"an array", `{"name":"x","also":{"pair":[` + item + `]}}`, "/also/pair/0/status"},
		{"a variant", `{"name":"x","also":{"choice":{"kind":"lamp","cost":1}}}`, "/also/choice/cost"},
		{"a variant whose tag comes last", `{"name":"x","also":{"choice":{"cost":1,"kind":"lamp"}}}`, "/also/choice/cost"},
		{"a good in a variant", `{"name":"x","also":{"choice":{"kind":"chair","good":` + item + `}}}`, "/also/choice/good/status"},
		{"an Opt of a Null", `{"name":"x","also":{"opt":` + item + `}}`, "/also/opt/status"},
		{"a list in an Opt", `{"name":"x","also":{"null":[` + item + `]}}`, "/also/null/0/status"},
		{"a struct without a name", `{"name":"x","also":{"lone":{"good":` + item + `}}}`, "/also/lone/good/status"},
		{"null for a struct that is hidden", `{"name":"x","parts":[{"name":"b","audit":null}]}`, "/parts/0/audit"},
	} {
		for _, viewer := range []schema.Viewer{nil, as{}, as{"buyer"}} {
			if got, want := send[good](t, c.text, viewer), refused(c.at+" read_only"); got != want {
				t.Errorf("%s by %v = %+v, want %v", c.name, viewer, got, want)
			}
		}
		if got, ok := send[good](t, c.text, as{"admin", "seller"}).(good); !ok {
			t.Errorf("%s by an admin = %+v, want a good", c.name, got)
		}
	}
}

// TestHiddenFieldIsRefusedWhereUnknownOnesAreDropped: what is dropped in silence
// its sender would believe to be set.
func TestHiddenFieldIsRefusedWhereUnknownOnesAreDropped(t *testing.T) {
	p, err := schema.NewTypes(schema.Config{InsecureIgnoreUnknown: "a client that we cannot change"}).Plan(reflect.TypeFor[good](), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := decode(p, `{"name":"a","Status":"open","x":1}`), (good{Name: "a", Status: "draft"}); !reflect.DeepEqual(got, want) {
		t.Errorf("unknown members: %+v, want %+v", got, want)
	}
	if got, want := decode(p, `{"name":"a","phase":"open","audit":{"by":"me"}}`), refused("/phase read_only, /audit read_only"); got != want {
		t.Errorf("hidden members: %+v, want %v", got, want)
	}
}

func TestPartialUpdatesObeyRoles(t *testing.T) {
	type update struct {
		schema.Fields
		Name   schema.Opt[string]              `json:"name"`
		Status schema.Opt[schema.Null[string]] `json:"status" writableBy:"admin"`
		Limit  *int                            `json:"limit" writableBy:"admin"`
	}
	updates := typed[update](t)
	for _, text := range []string{`{"status":"open"}`, `{"status":null}`, `{"name":"a","limit":null}`, `{"limit":1}`} {
		if got, err := updates.DecodeFor(t.Context(), []byte(text), as{"seller"}); err == nil {
			t.Errorf("%s by a seller = %+v", text, got)
		}
		if got, err := updates.DecodeFor(t.Context(), []byte(text), as{"admin"}); err != nil || len(got.Names()) != strings.Count(text, ":") {
			t.Errorf("%s by an admin = %+v (%v)", text, got, err)
		}
	}
	if got, err := updates.Decode(t.Context(), []byte(`{"name":"a"}`)); err != nil || got.Has("status") || got.Has("limit") || !got.Status.IsZero() {
		t.Errorf("a name by nobody = %+v (%v)", got, err)
	}
}

func TestParametersObeyRoles(t *testing.T) {
	for _, c := range []struct {
		into  any
		texts []string
		want  any
	}{{"", []string{"x"}, "x"}, {new(int), []string{"1"}, new(1)}, {[]int{}, []string{"1", "2"}, []int{1, 2}}, {[]int{}, nil, []int{}}} {
		p := plan(t, c.into, `writableBy:"admin"`)
		read := func(viewer schema.Viewer, f func(*schema.Report, reflect.Value)) any {
			report, v := schema.Report{In: "form", Viewer: viewer}, newOf(p)
			if f(&report, v); !report.OK() {
				return verdict(report.Err())
			}
			return v.Interface()
		}
		all := func(r *schema.Report, v reflect.Value) { p.DecodeText(r, c.texts, v) }
		for _, viewer := range []schema.Viewer{nil, as{"seller"}} {
			if got := read(viewer, all); got != refused("read_only") || p.WritableBy(viewer) {
				t.Errorf("%T from %q by %v = %v", c.into, c.texts, viewer, got)
			}
			if got := read(viewer, func(r *schema.Report, v reflect.Value) { p.DecodeString(r, "1", v) }); got != refused("read_only") {
				t.Errorf("%T from one text by %v = %v", c.into, viewer, got)
			}
		}
		if got := read(as{"admin"}, all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T from %q by an admin = %v, want %v", c.into, c.texts, got, c.want)
		}
		if got := read(nil, func(r *schema.Report, v reflect.Value) { p.DecodeDefault(r, c.texts, v) }); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T from the default %q = %v, want %v", c.into, c.texts, got, c.want)
		}
	}
	if got := decode(plan(t, 0, `writableBy:"admin"`), "1"); got != refused("read_only") {
		t.Errorf("a body by nobody = %v", got)
	}
}

// TestDefaultsMaySetWhatTheirCallersMayNot: they are the declaration's word.
func TestDefaultsMaySetWhatTheirCallersMayNot(t *testing.T) {
	type filed struct {
		Audit audit `json:"audit" default:"{\"by\":\"system\",\"note\":\"new\"}"`
	}
	if got, want := send[filed](t, `{}`, nil), (filed{audit{"system", "new"}}); got != want {
		t.Errorf("the default = %+v, want %+v", got, want)
	}
}

// priced objects to a price below what the good costs.
type priced struct {
	Price int        `json:"price"`
	Cost  int        `json:"cost" default:"10" visibleTo:"seller" writableBy:"seller"`
	Rate  int        `json:"rate" default:"2" writableBy:"seller"`
	Hint  int        `json:"hint,omitzero" visibleTo:"seller"`
	Stock int        `json:"stock" readOnly:"true" visibleTo:"seller"`
	Inner []priced   `json:"inner,omitzero"`
	Kind  *choice    `json:"kind"`
	More  *pricedTwo `json:"more"`
}

type pricedTwo struct{ priced }

func (p priced) Validate(context.Context) error {
	var wrong []error
	for path, at := range map[int][]any{1: {"price"}, 2: {"cost"}, 3: {"rate"}, 4: {"hint"}, 5: {"stock"}, 6: {"inner", 0, "cost"}, 7: {}, 8: {"kind", "cost"}, 9: {"kind", "good", "name"}} {
		if p.Price == path {
			wrong = append(wrong, schema.Invalid("must be above 10").At(at...).Named("cost_bound").With("cost", 10))
		}
	}
	return errors.Join(wrong...)
}

// TestValidateDoesNotTellOfHiddenFields: neither the place, nor the text, nor
// the code, nor the limits.
func TestValidateDoesNotTellOfHiddenFields(t *testing.T) {
	const hidden = " value_error: Value error, for a reason that is not shown []"
	const shown = " cost_bound: must be above 10 [{cost 10}]"
	for _, c := range []struct {
		name, text, others, sellers string
	}{
		{"a member for all", `{"price":1}`, "/price" + shown, "/price" + shown},
		{"a hidden one", `{"price":2}`, hidden, "/cost" + shown},
		{"one that others see", `{"price":3}`, "/rate" + shown, "/rate" + shown},
		{"one that others send", `{"price":4}`, "/hint" + shown, "/hint" + shown},
		{"one that nobody sends", `{"price":5}`, hidden, "/stock" + shown},
		{"one further down", `{"price":6}`, "/inner/0" + hidden, "/inner/0/cost" + shown},
		{"no member", `{"price":7}`, shown, shown},
		{"one of a variant", `{"price":8}`, "/kind" + hidden, "/kind/cost" + shown},
		{"one for all of a variant", `{"price":9}`, "/kind/good/name" + shown, "/kind/good/name" + shown},
		{"found further down", `{"price":0,"inner":[{"price":2}]}`, "/inner/0" + hidden, "/inner/0/cost" + shown},
		{"found in an embedded struct", `{"price":0,"more":{"price":2}}`, "/more" + hidden, "/more/cost" + shown},
	} {
		for viewer, want := range map[string]string{"buyer": c.others, "seller": c.sellers} {
			_, err := typed[priced](t).DecodeFor(t.Context(), []byte(c.text), as{viewer})
			p, ok := errors.AsType[*problem.Problem](err)
			if !ok || len(p.Errors) != 1 {
				t.Fatalf("%s by a %s: %v, want one violation", c.name, viewer, err)
			}
			v := p.Errors[0]
			if got := v.Pointer() + " " + v.Code + ": " + v.Detail + " " + limits(v); got != want {
				t.Errorf("%s: a %s is told %q, want %q", c.name, viewer, got, want)
			}
		}
	}
}

func limits(v problem.Violation) string {
	var b strings.Builder
	for _, l := range v.Limits {
		b.WriteString("{" + l.Name + " " + marshalled(l.Value) + "}")
	}
	return "[" + b.String() + "]"
}

func marshalled(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// TestValidateOfTheWholeInputDoesNotTellOfHiddenFields: it is asked when all
// parts have been read, one of them perhaps in a report of its own.
func TestValidateOfTheWholeInputDoesNotTellOfHiddenFields(t *testing.T) {
	p := plan(t, priced{}, "")
	for viewer, want := range map[string]refused{
		"buyer":  "/part value_error, value_error, /part value_error, /price value_error",
		"seller": "/part/cost cost_bound, /cost value_error, /part/cost value_error, /price value_error",
	} {
		report := schema.Report{In: "body", Viewer: as{viewer}}
		p.Decode(&report, []byte(`{"price":0}`), newOf(p))
		part := schema.Report{In: "body", Viewer: as{viewer}, Prefix: []problem.Segment{problem.Name("part")}}
		p.Decode(&part, []byte(`{"price":2}`), newOf(p)) // It objects by itself.
		report.Merge(&part)
		report.Reject(errors.Join(
			schema.Invalid("above 10").At("cost"), schema.Invalid("above 10").At("part", "cost"), schema.Invalid("above 10").At("price"),
		), func(string) string { return "body" })
		if got := verdict(report.Err()); got != want {
			t.Errorf("a %s is told %v, want %v", viewer, got, want)
		}
	}
}
