package inject_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
)

// field is a parameter or member of a body, as "string", "integer" or "uri".
func schemaOf(kind string) string {
	switch kind {
	case "uri":
		return `{"type": "string", "format": "uri"}`
	case "file":
		return `{"type": "string", "format": "binary"}`
	}
	return fmt.Sprintf(`{"type": %q}`, kind)
}

// query documents a GET with one parameter, which succeeds with an example.
func query(path, name, kind, example string) string {
	return fmt.Sprintf(`%q: {"get": {"parameters": [{"name": %q, "in": "query", "required": true, "example": %q, "schema": %s}], "responses": {"200": {"description": "it"}}}}`,
		path, name, example, schemaOf(kind))
}

// body documents a POST with one member of a body.
func body(path, media, name, kind, example string) string {
	return fmt.Sprintf(`%q: {"post": {"requestBody": {"required": true, "content": {%q: {"schema": {"type": "object", "required": [%q], "properties": {%q: %s}}, "example": {%q: %q}}}}, "responses": {"200": {"description": "it"}}}}`,
		path, media, name, name, schemaOf(kind), name, example)
}

// found scans a handler for some checks, and returns what was proven, as "IN-01 GET /x".
func found(t *testing.T, handler http.Handler, checks []string, paths ...string) []string {
	t.Helper()
	text := `{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {` + strings.Join(paths, ",\n") + `}}`
	r, err := scan.Run(t.Context(), scan.Config{Handler: handler, Text: []byte(text), Checks: checks, NoRegister: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range r.Findings {
		if f.Proven && f.Severity > finding.Info {
			for _, p := range f.Places {
				out = append(out, f.Kind.ID+" "+p.Method+" "+p.Path)
			}
			t.Logf("%s %s: %s (%s)", f.Kind.ID, f.Places[0], f.Claim, f.Control)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// twin is a handler that has a flaw, or only looks as if it had.
type twin struct {
	name    string
	path    string // its documentation
	handler http.HandlerFunc
	want    string // "IN-01 GET /x", or empty for none
}

// try scans each twin for itself.
func try(t *testing.T, checks []string, twins []twin) {
	t.Helper()
	for _, twin := range twins {
		t.Run(twin.name, func(t *testing.T) {
			t.Parallel()
			got := found(t, twin.handler, checks, twin.path)
			if twin.want == "" && len(got) > 0 {
				t.Errorf("%v is reported, and there is no flaw", got)
			}
			if twin.want != "" && !slices.Contains(got, twin.want) {
				t.Errorf("found %v, want %s", got, twin.want)
			}
		})
	}
}

// say answers with JSON.
func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// sent returns a member of a JSON body, or of a form.
func sent(r *http.Request, name string) any {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var m map[string]any
		if json.NewDecoder(r.Body).Decode(&m) != nil {
			return nil
		}
		return m[name]
	}
	return r.FormValue(name)
}

// read returns the body.
func read(r *http.Request) string {
	text, _ := io.ReadAll(r.Body)
	return string(text)
}
