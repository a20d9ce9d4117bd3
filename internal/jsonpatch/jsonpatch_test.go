package jsonpatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jsonpatch"
)

func parse(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func Example() {
	read := func(text string) (value any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		_ = d.Decode(&value) // It is JSON.
		return value
	}
	patch, wrong := jsonpatch.Compile(read(`[{"op": "test", "path": "/stock", "value": 3}, {"op": "replace", "path": "/stock", "value": 2}]`))
	after, err := patch.Apply(read(`{"stock": 3}`), 1<<20)
	fmt.Println(after, err, wrong)
	_, err = patch.Apply(after, 1<<20)
	fmt.Println(err)
	// Output:
	// map[stock:2] <nil> []
	// operation 0: The value is another one
}

// What RFC 6902 says, mostly in its appendix A. An empty result is a refusal.
func TestPatchDoesAsTheRFCSays(t *testing.T) {
	for _, tt := range []struct{ name, document, patch, want string }{
		{"A.1 an object member", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`},
		{"A.2 an array element", `{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`},
		{"A.3 remove a member", `{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`},
		{"A.4 remove an element", `{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`},
		{"A.5 replace", `{"baz":"qux","foo":"bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`},
		{"A.6 move a value", `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`, `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`,
			`{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`},
		{"A.7 move an element", `{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`},
		{"A.8 a test that holds", `{"baz":"qux","foo":["a",2,"c"]}`, `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz":"qux","foo":["a",2,"c"]}`},
		{"A.9 a test that fails", `{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, ``},
		{"A.10 a nested object", `{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"child":{"grandchild":{}},"foo":"bar"}`},
		{"A.11 members that nobody knows", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"baz":"qux","foo":"bar"}`},
		{"A.12 into what is not there", `{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, ``},
		{"A.14 ~ in a pointer", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`},
		{"A.15 a text is no number", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, ``},
		{"A.16 add an array", `{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`},
		{"numbers by value", `{"a":1.50e1}`, `[{"op":"test","path":"/a","value":15}]`, `{"a":1.50e1}`},
		{"a number that nobody can hold", `{"a":1e999999999999999999999}`, `[{"op":"test","path":"/a","value":1}]`, ``},
		{"zero has one value", `[0]`, `[{"op":"test","path":"/0","value":-0.0e7}]`, `[0]`},
		{"null is a value", `{"a":null}`, `[{"op":"test","path":"/a","value":null},{"op":"move","from":"/a","path":"/b"}]`, `{"b":null}`},
		{"null is not false", `{"a":null}`, `[{"op":"test","path":"/a","value":false}]`, ``},
		{"the whole document", `{"a":1}`, `[{"op":"test","path":"","value":{"a":1.0}},{"op":"replace","path":"","value":[]}]`, `[]`},
		{"an empty name", `{}`, `[{"op":"add","path":"/","value":1}]`, `{"":1}`},
		{"to its own place", `{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1}`},
		{"the last element to its own place", `[1,2]`, `[{"op":"move","from":"/1","path":"/1"}]`, `[1,2]`},
		{"all to its own place", `{"a":1}`, `[{"op":"move","from":"","path":""}]`, `{"a":1}`},
		{"one behind the end", `[1]`, `[{"op":"add","path":"/2","value":1}]`, ``},
		{"- is no element", `[1]`, `[{"op":"remove","path":"/-"}]`, ``},
		{"a leading zero", `[1,2]`, `[{"op":"test","path":"/01","value":2}]`, ``},
		{"an exponent", `[1,2]`, `[{"op":"remove","path":"/1e0"}]`, ``},
		{"a minus", `[1,2]`, `[{"op":"remove","path":"/-1"}]`, ``},
		{"a member of a list", `[1,2]`, `[{"op":"add","path":"/x","value":1}]`, ``},
		{"a member of a text", `"a"`, `[{"op":"add","path":"/x","value":1}]`, ``},
		{"replace what is not there", `{}`, `[{"op":"replace","path":"/a","value":1}]`, ``},
		{"remove what is not there", `{}`, `[{"op":"remove","path":"/a"}]`, ``},
		{"a list in a list", `[[1],[2]]`, `[{"op":"move","from":"/0/0","path":"/1/0"},{"op":"remove","path":"/0"}]`, `[[1,2]]`},
		{"all or nothing", `{"a":1}`, `[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]`, ``},
		{"a copy is one of its own", `{"a":[1]}`, `[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}]`, `{"a":[1],"b":[1,2]}`},
		{"an order of members", `{"a":{"x":1,"y":2}}`, `[{"op":"test","path":"/a","value":{"y":2,"x":1}}]`, `{"a":{"x":1,"y":2}}`},
		{"a part is not the whole", `{"a":[1,2]}`, `[{"op":"test","path":"/a","value":[1]}]`, ``},
	} {
		document := parse(t, tt.document)
		patch, wrong := jsonpatch.Compile(parse(t, tt.patch))
		if wrong != nil {
			t.Errorf("%s: %v", tt.name, wrong[0])
			continue
		}
		got, err := patch.Apply(document, 1<<20)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s: Apply() = %v, want an error", tt.name, got)
		case tt.want != "" && (err != nil || !jsonpatch.Equal(got, parse(t, tt.want))):
			t.Errorf("%s: Apply() = %v, %v, want %s", tt.name, got, err, tt.want)
		}
		if !jsonpatch.Equal(document, parse(t, tt.document)) {
			t.Errorf("%s: the document has changed: %v", tt.name, document)
		}
	}
}

func TestCopiesOfCopiesAreBounded(t *testing.T) {
	double := `{"op":"copy","from":"","path":"/a"},{"op":"copy","from":"/a","path":"/b"}`
	patch, wrong := jsonpatch.Compile(parse(t, "["+double+strings.Repeat(","+double, 40)+"]"))
	if wrong != nil {
		t.Fatal(wrong[0])
	}
	_, err := patch.Apply(parse(t, `{"a":"`+strings.Repeat("x", 1000)+`"}`), 1<<20)
	if e, ok := errors.AsType[*jsonpatch.Error](err); !ok || e.Kind != jsonpatch.TooLarge {
		t.Errorf("Apply() = %v, want TooLarge", err)
	}
	patch, wrong = jsonpatch.Compile(parse(t, "["+strings.TrimSuffix(strings.Repeat(`{"op":"copy","from":"/a","path":"/b/-"},`, 90), ",")+"]"))
	if wrong != nil {
		t.Fatal(wrong[0])
	}
	wide := `{"b":[],"a":"` + strings.Repeat("x", 20_000) + `"}`
	if _, err = patch.Apply(parse(t, wide), 1<<20); err == nil {
		t.Error("1.8 MB fit into 1 MiB")
	}
}

// What RFC 7396 says, in its appendix A.
func TestMergeDoesAsTheRFCSays(t *testing.T) {
	for _, tt := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		target := parse(t, tt[0])
		if got := jsonpatch.Merge(target, parse(t, tt[1])); !jsonpatch.Equal(got, parse(t, tt[2])) {
			t.Errorf("Merge(%s, %s) = %v, want %s", tt[0], tt[1], got, tt[2])
		}
		if !jsonpatch.Equal(target, parse(t, tt[0])) {
			t.Errorf("Merge(%s, %s) has changed the target: %v", tt[0], tt[1], target)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `[{"op":"move","from":"/a/0","path":"/a/-"},{"op":"copy","from":"","path":"/c"}]`)
	f.Add(`[]`, `[{"op":"add","path":"/0","value":1e5},{"op":"test","path":"/0","value":100000}]`)
	f.Add(`{"~":1}`, `[{"op":"remove","path":"/~0"},{"op":"replace","path":"","value":{}}]`)
	f.Fuzz(func(t *testing.T, document, patch string) {
		var values [2]any
		for i, text := range []string{document, patch} {
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if d.Decode(&values[i]) != nil {
				return
			}
		}
		before, err := json.Marshal(values[0])
		if err != nil {
			t.Fatal(err)
		}
		compiled, wrong := jsonpatch.Compile(values[1])
		if (compiled == nil) == (wrong == nil) {
			t.Fatalf("Compile() = %v, %v", compiled, wrong)
		}
		if compiled != nil {
			after, err := compiled.Apply(values[0], 1<<16)
			if text, failed := json.Marshal(after); failed != nil || err == nil && len(text) > len(before)+len(patch)+1<<17 {
				t.Errorf("%d bytes became %d, %v", len(before), len(text), failed)
			}
		}
		if merged := jsonpatch.Merge(values[0], values[1]); !jsonpatch.Equal(merged, jsonpatch.Merge(merged, values[1])) {
			t.Errorf("a merge done twice is another one: %v", merged)
		}
		if now, err := json.Marshal(values[0]); err != nil || !bytes.Equal(now, before) {
			t.Errorf("the document has changed: %s", now)
		}
	})
}
