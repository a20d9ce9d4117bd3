package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jsonpatch"
	"github.com/fastness/fastness/schema"
)

type (
	loose struct {
		Any   any            `json:"any,omitzero"`
		Raw   any            `json:"raw,omitzero"`
		Map   map[string]any `json:"map,omitzero"`
		Inner *looser        `json:"inner,omitzero"`
		ID    string         `json:"id,omitzero" readOnly:"true"`
		Key   string         `json:"key,omitzero" visibleTo:"admin" writableBy:"admin"`
	}
	looser struct {
		X   any    `json:"x,omitzero"`
		Key string `json:"key,omitzero" visibleTo:"admin" writableBy:"admin"`
	}
)

func someLoose() loose {
	return loose{
		Any: map[string]any{"a": json.Number("1"), "b": []any{"c"}}, Map: map[string]any{"m": true}, Inner: &looser{X: "x", Key: "inner secret"},
		ID: "fixed", Key: "a secret",
	}
}

func readJSON(text string) (value any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// What a merge patch makes of a Go value is what RFC 7396 makes of its JSON.
func FuzzMergePatch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"any":{"a":null,"z":[1]}}`, `{"inner":null,"map":{"m":null,"n":{"o":null}}}`, `{"inner":{"x":{"y":null}}}`, `{"key":"x"}`, `{"map":null,"any":null}`} {
		f.Add(seed)
	}
	patches, err := schema.For[schema.MergePatch[loose]]()
	if err != nil {
		f.Fatal(err)
	}
	values, err := schema.For[loose]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		patch, err := patches.Decode(t.Context(), []byte(text))
		if err != nil {
			return
		}
		before, err := values.Append(nil, someLoose())
		if err != nil {
			t.Fatal(err)
		}
		changed, err := patch.Apply(someLoose())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if changed.ID != "fixed" || changed.Key != "a secret" || changed.Inner != nil && strings.Contains(text, "inner") == false && changed.Inner.Key != "inner secret" {
			t.Errorf("%s has changed what its caller does not send: %+v", text, changed)
		}
		got, err := values.Append(nil, changed)
		if err != nil {
			t.Fatal(err)
		}
		target, err := readJSON(string(before))
		if err != nil {
			t.Fatal(err)
		}
		change, err := readJSON(text)
		if err != nil {
			t.Fatalf("%s was taken: %v", text, err)
		}
		after, err := readJSON(string(got))
		if err != nil {
			t.Fatal(err)
		}
		if want := jsonpatch.Merge(target, change); !jsonpatch.Equal(after, want) {
			t.Errorf("%s makes %v, want %v", text, after, want)
		}
	})
}

func FuzzJSONPatch(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"op":"remove","path":"/any"}]`, `[{"op":"copy","from":"/inner","path":"/map/m"},{"op":"move","from":"/map","path":"/any/a"}]`,
		`[{"op":"replace","path":"","value":{"id":"fixed"}}]`, `[{"op":"replace","path":"/id","value":"other"}]`, `[{"op":"test","path":"/key","value":"a secret"}]`} {
		f.Add(seed)
	}
	patches, err := schema.For[schema.JSONPatch[loose]]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		patch, err := patches.Decode(t.Context(), []byte(text))
		if err != nil {
			return
		}
		current := someLoose()
		changed, err := patch.Apply(current)
		if changed.ID != "fixed" || changed.Key != "a secret" || changed.Inner != nil && current.Inner == nil {
			t.Errorf("%s has changed what its caller does not send: %+v", text, changed)
		}
		if err != nil && strings.Contains(err.Error(), "secret") || !reflect.DeepEqual(current, someLoose()) {
			t.Errorf("%s has changed the value from before, or tells of it: %v", text, err)
		}
		if shown, _ := json.Marshal([]any{changed.Any, changed.Raw, changed.Map}); strings.Contains(string(shown), "inner secret") {
			t.Errorf("%s has copied what its caller does not see: %s", text, shown)
		}
	})
}
