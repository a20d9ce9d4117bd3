package schema_test

import (
	"testing"

	"github.com/fastness/fastness/schema"
)

type pet struct {
	schema.Union `discriminator:"kind"`
	Cat          *cat
	Dog          *dog
}

type cat struct {
	Kind  string `json:"kind" const:"cat"`
	Lives int    `json:"lives" minimum:"0" maximum:"9"`
}

type dog struct {
	Kind string `json:"kind" const:"dog"`
	Name string `json:"name" minLength:"1"`
	Pups []pet  `json:"pups,omitzero"`
}

func TestUnionsByDiscriminator(t *testing.T) {
	testSent(t, []sentCase[pet]{
		{"one variant", `{"kind":"cat","lives":9}`, pet{Cat: &cat{"cat", 9}}},
		{"the other", `{"kind":"dog","name":"Rex"}`, pet{Dog: &dog{Kind: "dog", Name: "Rex"}}},
		{"the tag may come last", `{"lives":9,"kind":"cat"}`, pet{Cat: &cat{"cat", 9}}},
		{"the tag may be escaped", `{"\u006bind":"c\u0061t","lives":9}`, pet{Cat: &cat{"cat", 9}}},
		{"a union inside itself", `{"kind":"dog","name":"Rex","pups":[{"kind":"dog","name":"Max"},{"kind":"cat","lives":1}]}`,
			pet{Dog: &dog{"dog", "Rex", []pet{{Dog: &dog{Kind: "dog", Name: "Max"}}, {Cat: &cat{"cat", 1}}}}}},
		{"the variant's rules hold", `{"kind":"cat","lives":10}`, refused("/lives less_than_equal")},
		{"the variant's members alone", `{"kind":"cat","lives":9,"name":"Rex"}`, refused("/name extra_forbidden")},
		{"no tag", `{"lives":9}`, refused("union_tag_not_found")},
		{"a tag that is no text", `{"kind":1,"lives":9}`, refused("union_tag_not_found")},
		{"a tag of nobody", `{"kind":"bird"}`, refused("union_tag_invalid")},
		{"a tag in capitals", `{"kind":"CAT","lives":9}`, refused("union_tag_invalid")},
		{"a name in capitals is no tag", `{"KIND":"cat","lives":9}`, refused("union_tag_not_found")},
		{"a tag deeper down is not the tag", `{"x":{"kind":"cat"}}`, refused("union_tag_not_found")},
		{"no object", `[]`, refused("model_attributes_type")},
		{"null", `null`, refused("model_attributes_type")},
		{"two tags, of which each reader may see another", `{"kind":"cat","lives":9,"kind":"dog"}`, malformed("Duplicate member name")},
		{"two tags, one escaped", `{"kind":"cat","lives":9,"\u006bind":"dog"}`, malformed("Duplicate member name")},
		{"broken JSON after the tag", `{"kind":"cat","lives":}`, malformed("Expecting value")},
	})
}

type amount struct {
	schema.Union
	Exact  *float64 `minimum:"0"`
	Words  *string  `maxLength:"5"`
	Range  *[]int   `minItems:"2" maxItems:"2"`
	Flag   *bool
	Object *map[string]int
}

func TestUnionsByJSONType(t *testing.T) {
	number, words, truth := 1.5, "few", true
	testSent(t, []sentCase[amount]{
		{"a number", `1.5`, amount{Exact: &number}},
		{"a text", `"few"`, amount{Words: &words}},
		{"a list", `[1,2]`, amount{Range: &[]int{1, 2}}},
		{"a boolean", `true`, amount{Flag: &truth}},
		{"an object", `{"a":1}`, amount{Object: &map[string]int{"a": 1}}},
		{"each with its rules", `-1`, refused("greater_than_equal")},
		{"each with its rules, too", `"many more"`, refused("string_too_long")},
		{"null is none of them", `null`, refused("union_tag_invalid")},
		{"what is no JSON is none of them", `?`, malformed("Expecting value")},
	})
}

func TestUnionsAreEncodedAsTheirVariant(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{pet{Cat: &cat{Lives: 9}}, `{"kind":"cat","lives":9}`}, // The tag needs no filling in.
		{pet{Dog: &dog{Name: "Rex", Pups: []pet{}}}, `{"kind":"dog","name":"Rex","pups":[]}`},
		{amount{Range: &[]int{1, 2}}, `[1,2]`},
		{amount{Flag: new(bool)}, `false`},
	} {
		if got, err := encode(plan(t, c.value, ""), c.value); err != nil || got != c.want {
			t.Errorf("Append(%#v) = %s (%v), want %s", c.value, got, err, c.want)
		}
	}
	for _, empty := range []any{pet{}, amount{}, []pet{{}}} {
		if got, err := encode(plan(t, empty, ""), empty); err == nil {
			t.Errorf("Append(%#v) = %s, want an error", empty, got)
		}
	}
}

// tree has its tag behind the member that leads back to the union.
type tree struct {
	schema.Union `discriminator:"kind"`
	Leaf         *leaf
	Branch       *branch
}

type leaf struct {
	Value int    `json:"value"`
	Kind  string `json:"kind" const:"leaf"`
}

type branch struct {
	Kids []tree `json:"kids"`
	Kind string `json:"kind" const:"branch"`
}

func TestRecursiveUnions(t *testing.T) {
	want := branch{[]tree{{Leaf: &leaf{1, "leaf"}}, {Branch: &branch{[]tree{}, "branch"}}}, "branch"}
	const body = `{"kind":"branch","kids":[{"kind":"leaf","value":1},{"kind":"branch","kids":[]}]}`
	testSent(t, []sentCase[tree]{{"from the union", body, tree{Branch: &want}}})
	testSent(t, []sentCase[branch]{{"from a variant", body, want}})
}
