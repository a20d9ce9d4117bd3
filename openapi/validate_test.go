package openapi_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
)

func TestValidDocumentHasNoMistakes(t *testing.T) {
	if err := shop().Validate(); err != nil {
		t.Errorf("Validate() = %v, want nil", err)
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	doc, err := openapi.Parse([]byte(`
openapi: 3.1.0
info: {title: "", version: ""}
tags: [{name: a}, {name: a}]
security: [{missing: []}]
paths:
  items:
    get: {operationId: same}
  /a/{x}:
    parameters:
      - {name: y, in: path, schema: {type: string}}
    get:
      operationId: same
      responses: {"600": {description: odd}}
  /a/{z}:
    $ref: '#/components/pathItems/Missing'
  /b:
    post:
      parameters:
        - {name: q, in: query}
        - {name: q, in: query, schema: {}, content: {text/plain: {}}}
        - {name: "", in: body, schema: {}}
        - {$ref: '#/components/schemas/S'}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Missing'}}}}
components:
  schemas: {"odd name": {}, S: {properties: {self: {$ref: '#/components/schemas/S'}, root: {$ref: other.json}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	err = doc.Validate()
	if err == nil {
		t.Fatal("Validate() = nil, want mistakes")
	}
	want := []string{
		"#/info/title: is empty",
		"#/info/version: is empty",
		`#/tags/1: tag "a" is described twice`,
		`#/security/0: security scheme "missing" is not in components`,
		`#/components/schemas: name "odd name"`,
		"#/paths/items: path does not begin with a slash",
		`#/paths/~1a~1{x}/parameters/0: path parameter "y" is not required`,
		`#/paths/~1a~1{x}/get: operationId "same" is that of #/paths/items/get too`,
		`#/paths/~1a~1{x}/get/responses: status "600"`,
		`#/paths/~1a~1{x}/get: path parameter "y" is not in the path`,
		"#/paths/~1a~1{x}/get: {x} of the path is not declared",
		"#/paths/~1a~1{z}: path matches the same requests as /a/{x}",
		`#/paths/~1b/post/parameters/0: parameter "q": want a schema`,
		`#/paths/~1b/post/parameters/1: parameter "q" in query is declared twice`,
		`#/paths/~1b/post/parameters/1: parameter "q": want a schema`,
		`#/paths/~1b/post/parameters/2: in is "body"`,
		"#/paths/~1b/post/parameters/2: name is empty",
		`#/paths/~1a~1{z}: "#/components/pathItems/Missing": reference leads nowhere`,
		`#/paths/~1b/post/parameters/3: "#/components/schemas/S": reference leads nowhere`,
		`#/paths/~1b/post/requestBody/content/application~1json/schema: "#/components/schemas/Missing": reference leads nowhere`,
	}
	got := strings.Split(err.Error(), "\n")
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("unexpected: %s", got[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Errorf("mistake %d = %s, want %s", i, got[i], want[i])
		}
	}
}

func TestHandMadeDocumentWithHolesDoesNotPanic(t *testing.T) {
	doc := &openapi.Document{Info: openapi.Info{Title: "t", Version: "1"}}
	op := &openapi.Operation{Parameters: []*openapi.Parameter{nil}}
	op.Responses.Set("200", nil)
	doc.Paths.Set("/", nil)
	doc.Paths.Set("/a", &openapi.PathItem{Get: op})
	doc.Components.Schemas.Set("S", nil)
	if err := doc.Validate(); err != nil {
		t.Errorf("Validate() = %v, want nil", err)
	}
}
