package oracle_test

import (
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestAsyncAPIDocumentsAreThoseOfTheSpecification holds the document of an app with a
// WebSocket of each kind against the specification's own JSON Schema
// (github.com/asyncapi/spec-json-schemas, schemas/3.0.0-without-$id.json, Apache-2.0).
func TestAsyncAPIDocumentsAreThoseOfTheSpecification(t *testing.T) {
	read := func(name string) any {
		t.Helper()
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return value
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("asyncapi.json", read("testdata/asyncapi-3.0.0.json")); err != nil {
		t.Fatal(err)
	}
	specification, err := compiler.Compile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	document := read("../../testdata/asyncapi.golden.json").(map[string]any)
	if err := specification.Validate(document); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(){ // The specification sees what is wrong.
		"an action that is none":   func() { dig(document, "operations", "chatSend")["action"] = "shout" },
		"a channel without a name": func() { dig(document, "channels", "chat")["adress"] = "/ws" },
		"a discriminator that is an object": func() {
			dig(document, "components", "schemas", "chatMessage")["discriminator"] = map[string]any{"propertyName": "kind"}
		},
		"a type that is none": func() { dig(document, "components", "schemas", "chatEvent")["type"] = "text" },
	} {
		document = read("../../testdata/asyncapi.golden.json").(map[string]any)
		if spoil(); specification.Validate(document) == nil {
			t.Errorf("%s is not seen", name)
		}
	}
}

func dig(v map[string]any, names ...string) map[string]any {
	for _, name := range names {
		v = v[name].(map[string]any)
	}
	return v
}
