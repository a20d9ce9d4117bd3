package spec

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzParse has documents of all kinds as seeds, and one that refers to itself.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	for _, text := range hostile() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		begin := time.Now()
		fetches := 0
		api, err := Parse(data, ParseConfig{Source: "http://target.test/api/openapi.json", Fetch: func(context.Context, string) ([]byte, error) {
			fetches++
			return data, nil
		}})
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(data), took)
		}
		if fetches > maxFiles {
			t.Fatalf("%d files were fetched", fetches)
		}
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, o := range api.Operations {
			sane(t, "fuzzed", o)
			if ids[o.ID] {
				t.Fatalf("two operations are called %s", o.ID)
			}
			ids[o.ID] = true
			for _, a := range o.Answers {
				for _, m := range a.Media {
					m.Schema.Check(map[string]any{"id": json.Number("1"), "list": []any{nil, "x"}})
					m.Schema.Check([]any{1.5, true})
					for _, e := range m.Examples {
						m.Schema.Check(e)
					}
				}
			}
		}
		for _, s := range api.Schemas {
			s.Fields()
			s.List()
			s.IsObject()
			s.Property("id")
			s.Check("x")
		}
	})
}

// hostile are texts that have broken readers of documents before.
func hostile() []string {
	return []string{
		"", "{", "[]", "null", "\xef\xbb\xbf{}", "%YAML 1.1\n---\n{}", "&a [*a]", "a: &a {<<: *a}\npaths: *a", "{\"paths\":{\"/\":{\"get\":{}}},}",
		"paths: &p\n  /a: &i\n    get: {parameters: *p, responses: *i, requestBody: *i, security: *p, servers: *p}\n",
		"paths: {/a: {$ref: '#/paths/~1a'}}",
		"paths: {/a: {get: {$ref: ''}}}",
		"components: {schemas: {A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}, C: {allOf: [{$ref: '#/components/schemas/C'}], properties: {c: {$ref: '#/components/schemas/C'}}}, D: {anyOf: [{$ref: '#/components/schemas/D'}, {$ref: '#/components/schemas/D'}], x: 1}}}\npaths: {/a: {get: {responses: {200: {content: {a/b: {schema: {$ref: '#/components/schemas/D'}}}}}}}}",
		"paths: {/{a}{b}/{{c}}/<int:d>/:e: {GET: }}",
		"swagger: 2\npaths: {/a: {get: {parameters: [{$ref: 'x.yaml#/paths'}, {in: body, schema: {$ref: 'openapi.json'}}]}}}",
		"paths: {/a: {get: {responses: [200, {status: 404}], tags: {}, operationId: []}}}",
		"a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\npaths: {/a: {get: {parameters: [{name: q, in: query, example: *d}]}}}",
	}
}
