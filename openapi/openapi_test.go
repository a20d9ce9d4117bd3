package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
)

var update = flag.Bool("update", false, "write the golden files")

// shop is a document that uses each part of the model at least once.
func shop() *openapi.Document {
	item := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"id", "name"}}
	item.Properties.Set("id", &openapi.Schema{Type: openapi.Types{"string"}, Format: "uuid", ReadOnly: true})
	item.Properties.Set("name", &openapi.Schema{Type: openapi.Types{"string"}, MaxLength: new(120), Pattern: "^[^<>&]+$"})
	item.Properties.Set("price", &openapi.Schema{Type: openapi.Types{"string", "null"}, Default: json.RawMessage("null")})
	item.Properties.Set("status", &openapi.Schema{Enum: []any{"yes", "no", "404", 404, nil}})
	item.Extensions = map[string]any{"x-visible-to": []string{"seller"}}

	id := &openapi.Parameter{Name: "id", In: "path", Required: true, Schema: &openapi.Schema{Type: openapi.Types{"string"}}}
	body := &openapi.RequestBody{Required: true}
	body.Content.Set("application/json", &openapi.MediaType{
		Schema:  &openapi.Schema{Ref: "#/components/schemas/Item"},
		Example: json.RawMessage(`{"name":"Lamp","price":"19.90"}`),
	})
	created := &openapi.Response{Description: "Created"}
	created.Headers.Set("Location", &openapi.Header{Schema: &openapi.Schema{Type: openapi.Types{"string"}, Format: "uri-reference"}})
	created.Content.Set("application/json", &openapi.MediaType{Schema: &openapi.Schema{Ref: "#/components/schemas/Item"}})
	created.Links.Set("read", &openapi.Link{OperationID: "readItem"})
	found := &openapi.Response{Description: "The item"}
	found.Content.Set("application/json", &openapi.MediaType{Schema: &openapi.Schema{Ref: "#/components/schemas/Item"}})

	create := &openapi.Operation{
		OperationID: "createItem", Summary: "Put an item up for sale", Description: "First line.\n\nSecond paragraph: # not a comment.",
		Tags: []string{"items"}, RequestBody: body,
		Security:   []openapi.SecurityRequirement{{"bearer": nil}},
		Extensions: map[string]any{"x-rate": "30/minute", "x-access": map[string]any{"role": "seller"}},
	}
	create.Responses.Set("201", created)
	create.Responses.Set("4XX", &openapi.Response{Ref: "#/components/responses/Problem"})
	read := &openapi.Operation{
		OperationID: "readItem", Summary: "Read an item", Tags: []string{"items"},
		Parameters: []*openapi.Parameter{{Ref: "#/components/parameters/Trace"}},
		Security:   []openapi.SecurityRequirement{},
	}
	read.Responses.Set("200", found)
	read.Responses.Set("404", &openapi.Response{Ref: "#/components/responses/Problem"})

	doc := &openapi.Document{
		Info: openapi.Info{
			Title: "Shop", Version: "1.0", Description: "Things & <stuff>",
			Contact: &openapi.Contact{Name: "Shop", URL: "https://shop.example/contact"},
			License: &openapi.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
		},
		Servers:    []openapi.Server{{URL: "/"}},
		Tags:       []openapi.Tag{{Name: "items", Description: "What is for sale"}},
		Extensions: map[string]any{"x-b": 1, "x-a": true},
	}
	doc.Paths.Set("/items", &openapi.PathItem{Post: create})
	doc.Paths.Set("/items/{id}", &openapi.PathItem{Get: read, Parameters: []*openapi.Parameter{id}})
	doc.Components.Schemas.Set("Item", item)
	doc.Components.Responses.Set("Problem", &openapi.Response{Description: "What went wrong"})
	doc.Components.Parameters.Set("Trace", &openapi.Parameter{
		Name: "traceparent", In: "header", Schema: &openapi.Schema{Type: openapi.Types{"string"}},
	})
	doc.Components.SecuritySchemes.Set("bearer", &openapi.SecurityScheme{Type: "http", Scheme: "bearer", BearerFormat: "JWT"})
	return doc
}

func TestDocumentIsWrittenInItsOrder(t *testing.T) {
	doc := shop()
	for name, write := range map[string]func() ([]byte, error){"shop.json": doc.JSON, "shop.yaml": doc.YAML} {
		got, err := write()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; run with -update and read the difference. Got:\n%s", golden, got)
		}
		for range 5 {
			if again, err := write(); err != nil || !bytes.Equal(again, got) {
				t.Fatalf("%s: the second writing differs from the first (error %v)", name, err)
			}
		}
	}
}

func TestJSONAndYAMLReadBackAsTheSameDocument(t *testing.T) {
	want, err := shop().JSON()
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := shop().YAML()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"JSON": want, "YAML": asYAML} {
		doc, err := openapi.Parse(text)
		if err != nil {
			t.Fatalf("Parse(%s): %v", name, err)
		}
		got, err := doc.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("Parse(%s).JSON() differs. Got:\n%s", name, got)
		}
	}
}

func TestExtensionsAreReadAndKeepTheirNumbers(t *testing.T) {
	doc, err := openapi.Parse([]byte(`{"openapi":"3.1.0","x-big":9007199254740993,"\u0078-escaped":null,"unknown":1,
		"info":{"title":"t","version":"1"},"paths":{"/":{"get":{"x-op":[1.50]}}},
		"components":{"schemas":{"S":{"x-s":{"b":1,"a":2}},"T":{"const":null},"N":null}}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"x-big": 9007199254740993`, `"x-escaped": null`, "1.50", `"x-s": {`, `"const": null`} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("JSON() has no %s:\n%s", want, got)
		}
	}
	if bytes.Contains(got, []byte("unknown")) {
		t.Errorf("JSON() kept an unknown member:\n%s", got)
	}
	if doc.Components.Schemas.Len() != 2 {
		t.Errorf("a null schema was read as one: %d schemas, want 2", doc.Components.Schemas.Len())
	}
}

func TestExtensionThatWouldReplaceAMemberIsRefused(t *testing.T) {
	doc := shop()
	doc.Extensions = map[string]any{"info": "mine"}
	if out, err := doc.JSON(); err == nil {
		t.Errorf("JSON() = %s, want an error", out)
	}
}

func TestSecurityKeepsItsThreeMeanings(t *testing.T) {
	for _, tt := range []struct {
		name     string
		security []openapi.SecurityRequirement
		want     string
	}{
		{"nil inherits", nil, `{}`},
		{"empty is open to everybody", []openapi.SecurityRequirement{}, `{"security":[]}`},
		{"no scopes is an empty array", []openapi.SecurityRequirement{{"b": nil, "a": {"x"}}}, `{"security":[{"a":["x"],"b":[]}]}`},
	} {
		out, err := json.Marshal(&openapi.Operation{Security: tt.security})
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.name, out, err, tt.want)
		}
		var back openapi.Operation
		if err := json.Unmarshal(out, &back); err != nil || (back.Security == nil) != (tt.security == nil) || len(back.Security) != len(tt.security) {
			t.Errorf("%s: read back as %v, %v", tt.name, back.Security, err)
		}
	}
}

// A null in place of a requirement must not become the requirement that
// everybody satisfies.
func TestNullSecurityRequirementIsRefused(t *testing.T) {
	var op openapi.Operation
	if err := json.Unmarshal([]byte(`{"security":[null]}`), &op); err == nil {
		t.Errorf("read as %v, want an error", op.Security)
	}
}

func TestStringsThatLookLikeOtherThingsStayStringsInYAML(t *testing.T) {
	for _, s := range []string{
		"", " ", "200", "1e3", "-1", "+1", ".5", "0x1F", "0o7", "1_000", "12:30:00", "2026-01-01", ".inf", ".NaN", "~",
		"null", "Null", "true", "FALSE", "y", "N", "yes", "No", "on", "OFF", "<<", "=", "- a", "? a", "a: b", "a #b", "#b",
		"'", `"`, `\`, "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "a\nb", "a\n", "\na", "a \nb", " a\nb",
		"a\n  b", "\t", "a\tb", "\r\n", "\u0085", "\u2028", "\ufeff", "\x00", "\x7f", "é", "日本", "😀", "---", "...", "a:", ":a", ",",
	} {
		doc := &openapi.Document{Info: openapi.Info{Title: s, Version: s}, Extensions: map[string]any{"x-": []any{s, map[string]any{s: s}}}}
		out, err := doc.YAML()
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		back, err := openapi.Parse(out)
		if err != nil {
			t.Errorf("%q: %v in\n%s", s, err, out)
			continue
		}
		list, _ := back.Extensions["x-"].([]any)
		if back.Info.Title != s || len(list) != 2 || list[0] != s || list[1].(map[string]any)[s] != s {
			t.Errorf("%q was read back as %q, %q from\n%s", s, back.Info.Title, list, out)
		}
	}
}

func TestNumbersKeepTheirDigitsInYAML(t *testing.T) {
	for _, n := range []json.Number{"0", "-0", "1.0", "1e5", "1E+5", "1e999", "123456789012345678901234567890", "0.10"} {
		doc := &openapi.Document{Extensions: map[string]any{"x-n": n}}
		out, err := doc.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := openapi.Parse(out)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", n, err, out)
		}
		if got := back.Extensions["x-n"]; got != n {
			t.Errorf("%s was read back as %v from\n%s", n, got, out)
		}
	}
}

func TestOperationsAreYieldedByMethodInOneOrder(t *testing.T) {
	var item openapi.PathItem
	for _, method := range []string{"TRACE", "GET", "PATCH"} {
		if !item.SetOperation(method, &openapi.Operation{Summary: method}) {
			t.Errorf("SetOperation(%s) = false, want true", method)
		}
	}
	if item.SetOperation("CONNECT", &openapi.Operation{}) {
		t.Error("SetOperation(CONNECT) = true, want false")
	}
	var got []string
	for method, op := range item.Operations() {
		if op.Summary != method {
			t.Errorf("%s yields the operation of %s", method, op.Summary)
		}
		got = append(got, method)
	}
	if want := []string{"GET", "PATCH", "TRACE"}; !slices.Equal(got, want) {
		t.Errorf("Operations() = %v, want %v", got, want)
	}
}

func TestResolveFollowsReferences(t *testing.T) {
	doc := shop()
	doc.Components.Schemas.Set("Alias", &openapi.Schema{Ref: "#/components/schemas/Item"})
	doc.Components.Schemas.Set("Circle", &openapi.Schema{Ref: "#/components/schemas/Circle"})
	ix := doc.Index()
	for _, tt := range []struct{ ref, want string }{
		{"#/components/schemas/Alias", "object"},
		{"#/components/schemas/Item/properties/name", "string"},
		{"#/paths/~1items~1{id}/parameters/0/schema", "string"},
		{"#/paths/~1items~1%7Bid%7D/parameters/0/schema", "string"},
	} {
		got, err := openapi.Resolve(ix, &openapi.Schema{Ref: tt.ref})
		if err != nil || strings.Join(got.Type, " ") != tt.want {
			t.Errorf("Resolve(%s) = %v, %v, want type %s", tt.ref, got, err, tt.want)
		}
	}
	for _, ref := range []string{"#/components/schemas/Circle", "#/components/responses/Problem", "#/nowhere", "other.json"} {
		if got, err := openapi.Resolve(ix, &openapi.Schema{Ref: ref}); err == nil {
			t.Errorf("Resolve(%s) = %v, want an error", ref, got)
		}
	}
}
