package schema_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type (
	// ware has members that answers call otherwise.
	ware struct {
		schema.Fields
		ID    int             `json:"id" readOnly:"true"`
		Net   int             `json:"net_price" out:"net" minimum:"0"`
		Gross int             `json:"gross_price" alias:"brutto,total" out:"gross"`
		Maker *wareMaker      `json:"maker_of" out:"maker"`
		Parts []part          `json:"parts_in,omitzero" out:"parts"`
		Bins  map[string]part `json:"bins,omitzero"`
		Key   string          `json:"key,omitzero" writeOnly:"true"`
		Same  string          `json:"same,omitzero"`
	}
	wareMaker struct {
		Name string `json:"maker_name" out:"name" maxLength:"5"`
	}
	part struct {
		No  int `json:"part_no" out:"no" minimum:"1"`
		Qty int `json:"qty,omitzero"`
	}
)

func (w ware) Validate() error {
	var wrong []error
	if w.Gross < w.Net {
		wrong = append(wrong, schema.Invalid("below net").At("gross_price"))
	}
	for i, p := range w.Parts {
		if p.Qty > 9 {
			wrong = append(wrong, schema.Invalid("too many").At("parts_in", i, "part_no"))
		}
	}
	return errors.Join(wrong...)
}

const (
	wareSent     = `{"net_price":5,"gross_price":6,"maker_of":{"maker_name":"Ada"},"parts_in":[{"part_no":1}],"bins":{"no":{"part_no":3}},"key":"k"}`
	wareAnswered = `{"id":0,"net":5,"gross":6,"maker":{"name":"Ada"},"parts":[{"no":1}],"bins":{"no":{"no":3}}}`
)

func TestAnswersCallMembersByTheirOutName(t *testing.T) {
	wares := typed[ware](t)
	w, err := wares.Decode(t.Context(), []byte(wareSent))
	if err != nil {
		t.Fatal(err)
	}
	got, err := wares.Append(nil, w)
	if string(got) != wareAnswered || err != nil {
		t.Errorf("Append() = %s, %v, want %s", got, err, wareAnswered)
	}
	if !w.Has("net_price") || w.Has("net") {
		t.Errorf("Go code knows %q, want the names of requests", w.Names())
	}
	once, err := wares.Encode(w)
	if string(once.Bytes()) != wareAnswered || err != nil {
		t.Errorf("Encode() = %s, %v", once.Bytes(), err)
	}
}

// TestAnOutNameIsNoNameInRequests: a member has its names, and no others by chance.
func TestAnOutNameIsNoNameInRequests(t *testing.T) {
	for sent, want := range map[string]string{
		`{"net":5,"gross_price":6,"maker_of":null}`:                     "/net extra_forbidden, /net_price missing",
		`{"net_price":-1,"total":"x","maker_of":null}`:                  "/net_price greater_than_equal, /total int_type",
		`{"net_price":1,"brutto":2,"total":2,"maker_of":null}`:          "",
		`{"net_price":7,"brutto":2,"maker_of":null}`:                    "/brutto value_error",
		`{"net_price":7,"gross_price":2,"maker_of":null}`:               "/gross_price value_error",
		`{"net_price":1,"total":2,"parts_in":[{"part_no":1,"qty":10}]}`: "/parts_in/0/part_no value_error",
		`{"net_price":1,"total":2,"maker_of":{"maker_name":"Augusta"}}`: "/maker_of/maker_name string_too_long",
		`{"net_price":1,"total":2,"bins":{"no":{"no":3}}}`:              "/bins/no/no extra_forbidden, /bins/no/part_no missing",
		`{"id":1,"net_price":1,"gross_price":2}`:                        "/id read_only",
	} {
		_, err := typed[ware](t).Decode(t.Context(), []byte(sent))
		if want == "" {
			if p := problem.From(err); err == nil || p.Status != 400 {
				t.Errorf("%s = %v, want 400: one member under two names", sent, err)
			}
			continue
		}
		if got := blamed(err); strings.Join(got, ", ") != want {
			t.Errorf("%s = %q, want %q", sent, got, want)
		}
	}
}

// TestWhatIsReadCanBePatched: a patch is about what its caller has read, and what
// is wrong is told by the same names.
func TestWhatIsReadCanBePatched(t *testing.T) {
	current := ware{ID: 1, Net: 5, Gross: 6, Maker: &wareMaker{"Ada"}, Parts: []part{{No: 1}}, Bins: map[string]part{"a": {No: 3}}, Key: "k", Same: "s"}
	merges := patchType[schema.MergePatch[ware]](t)
	patches := patchType[schema.JSONPatch[ware]](t)
	merge := func(text string) (ware, schema.MergePatch[ware], error) {
		p, err := merges.Decode(t.Context(), []byte(text))
		if err != nil {
			return ware{}, p, err
		}
		w, err := p.Apply(current)
		return w, p, err
	}
	apply := func(text string) (ware, error) {
		p, err := patches.Decode(t.Context(), []byte(text))
		if err != nil {
			return ware{}, err
		}
		return p.Apply(current)
	}
	got, p, err := merge(`{"net":6,"brutto":9,"maker":{"name":"Bob"},"parts":[{"no":2}],"bins":{"b":{"no":4}},"key":"n"}`)
	if err != nil || got.Net != 6 || got.Gross != 9 || got.Maker.Name != "Bob" || got.Parts[0].No != 2 || got.Bins["b"].No != 4 || got.Key != "n" {
		t.Errorf("a merge patch makes %+v, %v", got, err)
	}
	for _, path := range [][]string{{"net_price"}, {"gross_price"}, {"maker_of", "maker_name"}, {"parts_in"}, {"bins", "b", "part_no"}} {
		if !p.Sent(path...) {
			t.Errorf("Sent(%q) is false", path)
		}
	}
	if p.Sent("net") || p.Sent("maker", "name") {
		t.Error("Sent knows the names of answers")
	}
	got, err = apply(`[{"op":"test","path":"/net","value":5},{"op":"replace","path":"/maker/name","value":"Bob"},
		{"op":"add","path":"/parts/-","value":{"no":7}},{"op":"add","path":"/bins/b","value":{"no":4}},{"op":"replace","path":"/maker","value":{"name":"Eve"}}]`)
	if err != nil || got.Maker.Name != "Eve" || len(got.Parts) != 2 || got.Parts[1].No != 7 || got.Bins["b"].No != 4 || got.Key != "k" || got.ID != 1 {
		t.Errorf("a JSON Patch makes %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		`{"net_price":6}`:                    "/net_price extra_forbidden",
		`{"net":-1}`:                         "/net greater_than_equal",
		`{"net":null}`:                       "/net int_type",
		`{"net":8}`:                          "/gross value_error",
		`{"brutto":2}`:                       "/brutto value_error",
		`{"maker":{"maker_name":"x"}}`:       "/maker/maker_name extra_forbidden",
		`{"parts":[{"no":0},{"part_no":1}]}`: "/parts/0/no greater_than_equal, /parts/1/part_no extra_forbidden, /parts/1/no missing",
		`{"parts":[{"no":1,"qty":10}]}`:      "/parts/0/no value_error",
		`{"id":2}`:                           "/id read_only",
	} {
		if _, _, err := merge(text); strings.Join(blamed(err), ", ") != want {
			t.Errorf("%s = %q, want %q", text, blamed(err), want)
		}
	}
	for text, want := range map[string]string{
		`[{"op":"replace","path":"/net_price","value":6}]`:       "/0/path",
		`[{"op":"add","path":"/brutto","value":6}]`:              "/0/path extra_forbidden",
		`[{"op":"add","path":"/net_price","value":6}]`:           "/0/path extra_forbidden",
		`[{"op":"add","path":"/parts/0","value":{"part_no":6}}]`: "/0/path extra_forbidden",
		`[{"op":"replace","path":"/net","value":60}]`:            "value_error",
		`[{"op":"replace","path":"/id","value":60}]`:             "/0/path read_only",
	} {
		if _, err := apply(text); !strings.Contains(strings.Join(blamed(err), ", "), want) {
			t.Errorf("%s = %q, want %q", text, blamed(err), want)
		}
	}
	_, err = apply(`[{"op":"replace","path":"/net","value":60}]`)
	if v := problem.From(err).Errors; len(v) != 1 || v[0].Limits[len(v[0].Limits)-1].Value != "/gross" {
		t.Errorf("a rule about the whole blames %+v, want the member /gross", v)
	}
}

func TestBothSidesAreDescribedByTheirNames(t *testing.T) {
	wares, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeFor[ware](), "")
	if err != nil {
		t.Fatal(err)
	}
	merges := patchType[schema.MergePatch[ware]](t)
	_ = merges
	patch, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeFor[schema.MergePatch[ware]](), "")
	if err != nil {
		t.Fatal(err)
	}
	d := schema.NewDescriber()
	in, out, change := d.Describe(wares, schema.Input), d.Describe(wares, schema.Output), d.Describe(patch, schema.Input)
	components := d.Components()
	for _, c := range []struct {
		ref   *openapi.Schema
		name  string
		names string
	}{
		{in, "wareInput", "net_price gross_price maker_of parts_in bins key same"},
		{out, "ware", "id net gross maker parts bins same"},
		{change, "warePatch", "net gross maker parts bins key same"},
	} {
		s, ok := components.Get(c.name)
		var names []string
		if ok {
			for name := range s.Properties.All() {
				names = append(names, name)
			}
		}
		if c.ref.Ref != "#/components/schemas/"+c.name || strings.Join(names, " ") != c.names {
			t.Errorf("%s at %s has %q, want %q", c.name, c.ref.Ref, names, c.names)
		}
		for _, name := range s.Required {
			if _, ok := s.Properties.Get(name); !ok {
				t.Errorf("%s requires %q, which it does not have", c.name, name)
			}
		}
	}
	for name, want := range map[string]string{"wareMakerInput": "maker_name", "wareMaker": "name", "wareMakerPatch": "name", "part": "no", "partInput": "part_no"} {
		s, _ := components.Get(name)
		if _, ok := s.Properties.Get(want); !ok {
			t.Errorf("%s has no %q", name, want)
		}
	}
}

// TestAClientReadsAndWritesTheOtherWayRound: what a client sends a server reads, and
// back.
func TestAClientReadsTheNamesOfAnswers(t *testing.T) {
	client, err := schema.NewTypes(schema.Config{Client: true}).Plan(reflect.TypeFor[ware](), "")
	if err != nil {
		t.Fatal(err)
	}
	var w ware
	report := &schema.Report{In: "body"}
	client.Decode(report, []byte(strings.Replace(wareAnswered, `"id":0`, `"id":1`, 1)), reflect.ValueOf(&w).Elem())
	if err := report.Err(); err != nil || w.Net != 5 || w.Maker.Name != "Ada" || w.Parts[0].No != 1 {
		t.Errorf("a client reads %+v, %v", w, err)
	}
	report = &schema.Report{In: "body"}
	client.Decode(report, []byte(`{"brutto":1}`), reflect.New(reflect.TypeFor[ware]()).Elem())
	if !slices.Contains(blamed(report.Err()), "/brutto extra_forbidden") {
		t.Errorf("a client takes an alias in an answer: %v", blamed(report.Err()))
	}
	w.Key = "k"
	sent, err := client.Append(nil, reflect.ValueOf(&w).Elem())
	if string(sent) != wareSent || err != nil {
		t.Errorf("a client sends %s, %v, want %s", sent, err, wareSent)
	}
}

// TestWhatWasSentIsNotAnsweredUnderItsNameInRequests: an Encoded keeps texts, and one
// of a request is none of an answer.
func TestWhatWasSentIsNotAnsweredUnderItsNameInRequests(t *testing.T) {
	type note struct {
		Text schema.Encoded[wareMaker] `json:"text"`
	}
	notes := typed[note](t)
	n, err := notes.Decode(t.Context(), []byte(`{"text":{"maker_name":"Ada"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := notes.Append(nil, n); string(got) != `{"text":{"name":"Ada"}}` || err != nil {
		t.Errorf("Append() = %s, %v", got, err)
	}
}

// TestNamesThatWouldMixMembersUpAreMistakes: who reads an object and sends it back
// must not write one member into another.
func TestNamesThatWouldMixMembersUpAreMistakes(t *testing.T) {
	for want, value := range map[string]any{
		`member "b" is declared twice: struct { A int "json:\"a\" out:\"b\""`: struct {
			A int `json:"a" out:"b"`
			B int `json:"b"`
		}{},
		`member "a" is declared twice`: struct {
			A int `json:"a" out:"b"`
			B int `json:"c" out:"a"`
		}{},
		`member "x" is declared twice`: struct {
			A int `json:"a" alias:"x"`
			B int `json:"b" out:"x"`
		}{},
		`member "id" is declared twice`: struct {
			ID  int `json:"id" readOnly:"true"`
			Ref int `json:"ref" alias:"id"`
		}{},
		`out on a member that only requests or only answers have`: struct {
			A int `json:"a" out:"b" readOnly:"true"`
		}{},
		`out on a member that only requests`: struct {
			A int `json:"a" out:"b" writeOnly:"true"`
		}{},
		`out is empty`: struct {
			A int `json:"a" out:""`
		}{},
		`member name "a\"b" needs escaping`: struct {
			A int `json:"a" out:"a\"b"`
		}{},
		`alias "a" is the name of the member`: struct {
			A int `json:"a" alias:"a"`
		}{},
		`writes itself: out of schema_test.selfRenamed.A names nothing`:          selfRenamed{},
		`reads or writes itself: out of schema_test.readRenamed.A names nothing`: readRenamed{},
		`out is for members of objects`: struct {
			wareMaker `out:"x"`
		}{},
		`did you mean out?`: struct {
			A int `json:"a" serialization_alias:"b"`
		}{},
		`did you mean alias?`: struct {
			A int `json:"a" in:"b"`
		}{},
		`the member "kind" tells the variants apart, so it has one name`: struct {
			Pet renamedPet `json:"pet"`
		}{},
	} {
		_, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeOf(value), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v, want %s", value, err, want)
		}
	}
}

type selfRenamed struct {
	A int `json:"a" out:"b"`
}

func (selfRenamed) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

type readRenamed struct {
	A int `json:"a" out:"b"`
}

func (*readRenamed) UnmarshalJSON([]byte) error { return nil }

type renamedPet struct {
	schema.Union `discriminator:"kind"`
	Cat          *struct {
		Kind string `json:"kind" const:"cat" out:"type"`
	}
}

// TestABodyOfAliasesFillsNoMemory: only so many are remembered as a person reads.
func TestABodyOfAliasesFillsNoMemory(t *testing.T) {
	type item struct {
		A int `json:"a" alias:"b"`
	}
	body, _ := json.Marshal(make([]struct{}, 100_000))
	body = []byte(strings.ReplaceAll(string(body), "{}", `{"b":1}`))
	items := typed[[]item](t)
	allocated := testing.AllocsPerRun(2, func() {
		if _, err := items.Decode(t.Context(), body); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations for 100,000 aliases", allocated)
	}
}

// FuzzWhatIsReadCanBeSentBack: what a server reads and answers, a client reads as the
// same, and a patch of all that it has read changes nothing.
func FuzzWhatIsReadCanBeSentBack(f *testing.F) {
	f.Add(wareSent)
	f.Add(`{"net_price":5,"total":6,"maker_of":null,"parts_in":[{"part_no":1,"qty":9}],"same":"x"}`)
	f.Add(`{"net_price":0,"brutto":0,"maker_of":{"maker_name":""},"bins":{"net":{"part_no":1},"":{"part_no":2}}}`)
	wares, err := schema.For[ware]()
	if err != nil {
		f.Fatal(err)
	}
	patches, err := schema.For[schema.MergePatch[ware]]()
	if err != nil {
		f.Fatal(err)
	}
	client, err := schema.NewTypes(schema.Config{Client: true}).Plan(reflect.TypeFor[ware](), "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		sent, err := wares.Decode(t.Context(), []byte(body))
		if err != nil {
			return
		}
		answer, err := wares.Append(nil, sent)
		if err != nil {
			t.Fatal(err)
		}
		var got ware
		report := &schema.Report{In: "body"}
		client.Decode(report, answer, reflect.ValueOf(&got).Elem())
		if err := report.Err(); err != nil {
			t.Fatalf("a client cannot read %s: %v", answer, err)
		}
		again, err := wares.Append(nil, got)
		if err != nil || string(again) != string(answer) {
			t.Errorf("%s was read as %s, %v", answer, again, err)
		}
		patch, err := patches.Decode(t.Context(), []byte(strings.Replace(string(answer), `"id":0,`, "", 1)))
		if err != nil {
			t.Fatalf("what was read is no patch: %s, %v", answer, err)
		}
		changed, err := patch.Apply(sent)
		if after, encodeErr := wares.Append(nil, changed); err != nil || encodeErr != nil || string(after) != string(answer) {
			t.Errorf("a patch of %s makes %s: %v", answer, after, err)
		}
	})
}
