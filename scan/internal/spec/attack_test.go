package spec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// within fails if f takes long, or much memory.
func within(t *testing.T, limit time.Duration, megabytes uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	f()
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	if took > limit {
		t.Errorf("it took %v", took)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > megabytes {
		t.Errorf("it took %d MB", used)
	}
}

func TestAnAliasBombIsNotExpanded(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	b.WriteString("paths: {/a: {get: {parameters: [{name: q, in: query, example: *a29, schema: {enum: *a29, default: *a29}}]}}}\n")
	within(t, 3*time.Second, 50, func() {
		api := parsed(t, b.String(), ParseConfig{})
		equal(t, "the operations", len(api.Operations), 1)
	})
}

func TestAMergeKeyBombIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 {k: 1}\n")
	for i := 1; i < 1000; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: *a%d, k%d: 1}\n", i, i, i-1, i)
	}
	b.WriteString("paths: {/a: {get: {}}}\n")
	within(t, 5*time.Second, 100, func() {
		r := reader{limit: 100_000}
		if _, err := r.read([]byte(b.String())); !errors.Is(err, errTooLarge) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestDeepNestingIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"JSON lists":   `{"paths":{},"x":` + strings.Repeat("[", 1_000_000),
		"JSON objects": strings.Repeat(`{"paths":`, 100_000),
		"YAML":         "paths: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 3*time.Second, 200, func() {
				if _, err := Parse([]byte(text), ParseConfig{}); err == nil {
					t.Error("it was read")
				}
			})
		})
	}
}

func TestAnEnormousDocumentIsRefused(t *testing.T) {
	if _, err := Parse(make([]byte, maxBytes+1), ParseConfig{}); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
	// Two bytes each, but a hundred in memory.
	text := `{"paths":{"/a":{"get":{}}},"x":[` + strings.Repeat("0,", 10_000) + `0]}`
	for _, text := range []string{text, text[:len(text)-1], "# YAML\n" + text} {
		r := reader{limit: 10_000}
		if _, err := r.read([]byte(text)); !errors.Is(err, errTooLarge) {
			t.Error(err)
		}
		r = reader{limit: 11_000}
		if _, err := r.read([]byte(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestLongChainsOfSchemasAreBounded(t *testing.T) {
	for name, schema := range map[string]string{
		"references": `"S%d":{"$ref":"#/components/schemas/S%d"}`,
		"parts":      `"S%d":{"allOf":[{"$ref":"#/components/schemas/S%d"}],"properties":{"p%[1]d":{}}}`,
		"properties": `"S%d":{"properties":{"p":{"$ref":"#/components/schemas/S%d"}}}`,
		"conflicts":  `"S%d":{"allOf":[{"$ref":"#/components/schemas/S%d"},{"properties":{"p":{"properties":{"q%[1]d":{}}}}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			list := make([]string, 5_000)
			for i := range list {
				list[i] = fmt.Sprintf(schema, i, (i+1)%len(list))
			}
			within(t, 10*time.Second, 1000, func() {
				api := parsed(t, `{"paths":{"/a":{"get":{}}},"components":{"schemas":{`+strings.Join(list, ",")+`}}}`, ParseConfig{})
				equal(t, "schemas", len(api.Schemas), len(list))
			})
		})
	}
}

func TestACircularPartIsLeftOut(t *testing.T) {
	s := schemaOf(t, `{"allOf":[{"$ref":"#/components/schemas/S"},{"allOf":[{"$ref":"#/components/schemas/S"}],"properties":{"a":{}}}],"properties":{"b":{}}}`)
	equal(t, "names", s.Names, []string{"b", "a"})
}

func TestCheckOfAlternativesOfItselfEnds(t *testing.T) {
	s := schemaOf(t, `{"anyOf":[{"anyOf":[{"$ref":"#/components/schemas/S"},{"$ref":"#/components/schemas/S"}]},{"allOf":[{"$ref":"#/components/schemas/S"}],"items":{"$ref":"#/components/schemas/S"},"x":1}]}`)
	deep := any("x")
	for range 100 {
		deep = []any{deep, deep}
	}
	within(t, 3*time.Second, 200, func() { s.Check(deep) })
	within(t, 3*time.Second, 200, func() { s.Fields(); s.Property("x"); s.IsObject(); s.List() })
}

func TestOtherHostsAndFoldersAreNotFetched(t *testing.T) {
	for _, test := range []struct{ source, ref, fetched string }{
		{"http://target.test/api/openapi.json", "http://evil.test/x.json", ""},
		{"http://target.test/api/openapi.json", "//evil.test/x.json", ""},
		{"http://target.test/api/openapi.json", "https://target.test/x.json", ""},
		{"http://target.test/api/openapi.json", "http://target.test:81/x.json", ""},
		{"http://target.test/api/openapi.json", "http://target.test@evil.test/x.json", ""},
		{"http://target.test/api/openapi.json", "http://u:p@target.test/x.json", ""},
		{"http://target.test/api/openapi.json", "file:///etc/passwd", ""},
		{"http://target.test/api/openapi.json", "\\\\evil.test/x", "http://target.test/api/%5C%5Cevil.test/x"},
		{"http://target.test/api/openapi.json", "../x.json#/a", "http://target.test/x.json"},
		{"http://target.test/api/openapi.json", "http://target.test/y.json", "http://target.test/y.json"},
		{"/etc/api/openapi.json", "/etc/passwd", ""},
		{"/etc/api/openapi.json", "../passwd", ""},
		{"/etc/api/openapi.json", "a/../../passwd", ""},
		{"/etc/api/openapi.json", "%2e%2e/passwd", ""},
		{"/etc/api/openapi.json", "..\\passwd", ""},
		{"/etc/api/openapi.json", "file:///etc/passwd", ""},
		{"/etc/api/openapi.json", "http://evil.test/x.json", ""},
		{"/etc/api/openapi.json", "C:\\x", ""},
		{"/etc/api/openapi.json", "./parts/../x.yaml#/a", "x.yaml"},
		{"", "x%20y.yaml", "x y.yaml"},
	} {
		var fetched []string
		api := parsed(t, `{"paths":{"/a":{"$ref":`+fmt.Sprintf("%q", test.ref)+`}}}`, ParseConfig{Source: test.source, Fetch: func(_ context.Context, ref string) ([]byte, error) {
			fetched = append(fetched, ref)
			return nil, os.ErrNotExist
		}})
		if got := strings.Join(fetched, " "); got != test.fetched {
			t.Errorf("%s of %s: fetched %q, not %q", test.ref, test.source, got, test.fetched)
		}
		if len(api.Complaints) == 0 {
			t.Errorf("%s of %s: no complaint", test.ref, test.source)
		}
	}
}

func TestFilesThatLeadToMoreFilesAreBounded(t *testing.T) {
	n := 0
	within(t, 5*time.Second, 200, func() {
		parsed(t, `{"paths":{"/a":{"$ref":"f0.json"}},"components":{"schemas":{"S":{"$ref":"s0.json"}}}}`, ParseConfig{Source: "x.json", Fetch: func(context.Context, string) ([]byte, error) {
			n++
			return fmt.Appendf(nil, `{"get":{},"properties":{"a":{"$ref":"f%d.json"},"b":{"$ref":"g%d.json"}}}`, n, n), nil
		}})
	})
	if n > maxFiles || n < 50 {
		t.Errorf("%d files were read", n)
	}
}

func TestFetchesHaveATimeLimit(t *testing.T) {
	within(t, 5*time.Second, 100, func() {
		api := parsed(t, `{"paths":{"/a":{"$ref":"f0.json"},"/b":{"get":{}}}}`, ParseConfig{Source: "x.json", MaxTime: time.Millisecond, Fetch: func(ctx context.Context, _ string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		equal(t, "the operations", len(api.Operations), 1)
	})
}

func TestFilesAreReadTogether(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("api/paths/pets.yaml", "get: {parameters: [{$ref: '../common.yaml#/params/limit'}], responses: {200: {content: {application/json: {schema: {$ref: ../models/Pet.yaml}}}}}}")
	write("api/common.yaml", "params: {limit: {name: limit, in: query, schema: {type: integer}}}")
	write("api/models/Pet.yaml", "properties: {mother: {$ref: Pet.yaml}, owner: {$ref: '../openapi.yaml#/components/schemas/Owner'}}")
	write("secret.yaml", "get: {}")
	if err := os.Symlink("../secret.yaml", filepath.Join(dir, "api", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	main := "paths: {/pets: {$ref: paths/pets.yaml}, /link: {$ref: link.yaml}, /dir: {$ref: paths}}\ncomponents: {schemas: {Owner: {title: me}}}"
	write("api/openapi.yaml", main)
	root, err := os.OpenRoot(filepath.Join(dir, "api"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	api := parsed(t, main, ParseConfig{Source: filepath.Join(dir, "api", "openapi.yaml"), Fetch: Folder(root)})
	equal(t, "the operations", len(api.Operations), 1)
	o := api.Operations[0]
	pet := o.Result()
	equal(t, "the parameter", o.Params[0].Name, "limit")
	equal(t, "the pet", []any{pet.Name, pet.Properties["mother"] == pet, pet.Properties["owner"] == api.Schemas["Owner"]}, []any{"Pet", true, true})
	if !slices.ContainsFunc(api.Complaints, func(c Complaint) bool { return c.Where == "/paths/~1link" }) {
		t.Error("the link led out of the folder")
	}
}
