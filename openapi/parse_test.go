package openapi_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
)

func TestParseRefuses(t *testing.T) {
	bomb := "openapi: 3.1.0\nx-0: &a0 [" + strings.Repeat("lol,", 10) + "]\n"
	for i := 1; i < 12; i++ {
		n := string(rune('a' + i))
		prev := "a0"
		if i > 1 {
			prev = string(rune('a' + i - 1))
		}
		bomb += "x-" + n + ": &" + n + " [" + strings.Repeat("*"+prev+",", 10) + "]\n"
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "EOF"},
		{"a list", "[1]", "want an object"},
		{"null", "null", "3.1"},
		{"Swagger 2", `{"swagger":"2.0"}`, "3.1"},
		{"OpenAPI 3.0", "openapi: 3.0.3\n", "3.1"},
		{"a version that is a number", "openapi: 3.1\n", "3.1"},
		{"text after the value", `{"openapi":"3.1.0"} x`, "more after it"},
		{"two YAML documents", "openapi: 3.1.0\n---\na: b\n", "more after it"},
		{"invalid UTF-8", "{\"openapi\":\"3.1.0\",\"x-a\":\"\xff\"}", "UTF-8"},
		{"a name twice in JSON", `{"openapi":"3.1.0","paths":{"/":{},"/":{}}}`, "twice"},
		{"a name twice in JSON, once escaped", `{"openapi":"3.1.0","paths":{"/":{},"\u002f":{}}}`, "twice"},
		{"a name twice in YAML", "openapi: 3.1.0\npaths: {/: {}, '/': {}}\n", "twice"},
		{"a merge key", "openapi: 3.1.0\nx-a: &a {b: c}\nx-b: {<<: *a}\n", "merge"},
		{"a name that is a list", "openapi: 3.1.0\n? [a]\n: b\n", "name that is a string"},
		{"nesting that costs in JSON", `{"openapi":"3.1.0","x-a":` + deep + `}`, "deeper"},
		{"nesting that costs in YAML", "openapi: 3.1.0\nx-a: " + deep, "deeper"},
		{"an anchor inside itself", "openapi: 3.1.0\nx-a: &a [*a]\n", "deeper"},
		{"a billion laughs", bomb, "expand"},
		{"a number beyond JSON", "openapi: 3.1.0\nx-a: .inf\n", "unsupported value"},
		{"a member of another type", `{"openapi":"3.1.0","paths":{"/a":{"get":{"deprecated":"yes"}}}}`, `"/a"`},
	} {
		doc, err := openapi.Parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Parse() = %v, %v, want an error with %q", tt.name, doc, err, tt.want)
		}
	}
	if _, err := openapi.Parse([]byte("openapi: 3.0.3\n")); !errors.Is(err, openapi.ErrVersion) {
		t.Errorf("OpenAPI 3.0: error is %v, want ErrVersion", err)
	}
}

func TestParseReadsYAMLAsOpenAPIMeansIt(t *testing.T) {
	doc, err := openapi.Parse([]byte("\ufeff" + `# a comment
openapi: 3.1.0
info: {title: Shop, version: "1.10"}
paths:
  /items:
    get:
      responses:
        200: &ok {description: yes}
        404: *ok
x-date: 2026-01-01
x-hex: 0x1F
x-on: on
x-true: true
`))
	if err != nil {
		t.Fatal(err)
	}
	out, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"version": "1.10"`, `"200": {`, `"description": "yes"`, `"404": {`,
		`"x-date": "2026-01-01"`, `"x-hex": 31`, `"x-on": "on"`, `"x-true": true`,
	} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func FuzzParse(f *testing.F) {
	doc := shop()
	for _, write := range []func() ([]byte, error){doc.JSON, doc.YAML} {
		text, err := write()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/":null,"/a":{"parameters":[null],"get":{"security":[{}],"responses":{"200":{}}}}}}`))
	f.Add([]byte(`{"openapi":"3.1.0","components":{"schemas":{"A":true,"B":{"const":null,"enum":[1e400,null],"type":[]}}}}`))
	f.Add([]byte("openapi: 3.1.0\nx-a: &a [1, 0x2, ~, on, \"\\0\"]\nx-b: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := openapi.Parse(data)
		if err != nil {
			return
		}
		_ = doc.Validate()
		first, err := doc.JSON()
		if err != nil {
			t.Fatalf("a document that was read cannot be written: %v", err)
		}
		for name, write := range map[string]func() ([]byte, error){"JSON": doc.JSON, "YAML": doc.YAML} {
			text, err := write()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			back, err := openapi.Parse(text)
			if err != nil {
				t.Fatalf("%s that was written cannot be read: %v\n%s", name, err, text)
			}
			second, err := back.JSON()
			if err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%s is not stable: %v\n%s\n%s", name, err, first, second)
			}
		}
	})
}
