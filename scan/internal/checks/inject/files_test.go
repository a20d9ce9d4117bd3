package inject_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesOutsideOfTheFolderAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := func(name string, w http.ResponseWriter) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			http.Error(w, "no such file", 404)
			return
		}
		say(w, 200, map[string]string{"content": string(data)})
	}
	try(t, []string{"IN-07"}, []twin{
		{"a name in a query", query("/invoices", "file", "string", "a.txt"), func(w http.ResponseWriter, r *http.Request) { serve(r.FormValue("file"), w) }, "IN-07 GET /invoices"},
		{"a name in a body", body("/render", "application/json", "template", "string", "a.txt"), func(w http.ResponseWriter, r *http.Request) {
			name, _ := sent(r, "template").(string)
			serve(name, w)
		}, "IN-07 POST /render"},
		{"a name in a path", `"/files/{name}": {"get": {"parameters": [{"name": "name", "in": "path", "required": true, "example": "a.txt", "schema": {"type": "string"}}], "responses": {"200": {"description": "it"}}}}`,
			func(w http.ResponseWriter, r *http.Request) { serve(strings.TrimPrefix(r.URL.Path, "/files/"), w) }, "IN-07 GET /files/{name}"},
		{"dots that are removed once", query("/invoices", "file", "string", "a.txt"), func(w http.ResponseWriter, r *http.Request) {
			serve(strings.ReplaceAll(r.FormValue("file"), "../", ""), w)
		}, "IN-07 GET /invoices"},
	})
}

func TestWhatOnlyLooksLikeTraversalIsSilent(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	try(t, []string{"IN-07"}, []twin{
		{"a root that cannot be left", query("/invoices", "file", "string", "a.txt"), func(w http.ResponseWriter, r *http.Request) {
			data, err := root.ReadFile(r.FormValue("file"))
			if err != nil {
				http.Error(w, err.Error(), 404)
				return
			}
			say(w, 200, map[string]string{"content": string(data)})
		}, ""},
		{"a manual about passwd", query("/manual", "page", "string", "passwd"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]string{"about": "a line is root:x:0:0:root:/root:/bin/sh", "page": r.FormValue("page")})
		}, ""},
		{"an honest echo", query("/invoices", "file", "string", "a.txt"), func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "no file "+r.FormValue("file"), 404)
		}, ""},
	})
}

func TestEntitiesThatNameFilesAreFound(t *testing.T) {
	t.Parallel()
	documented := `"/import": {"post": {"requestBody": {"required": true, "content": {"application/xml": {"schema": {"type": "object"}, "example": "<items><item><name>a</name></item></items>"}}}, "responses": {"200": {"description": "it"}}}}`
	try(t, []string{"IN-08"}, []twin{
		{"what is in the file comes back", documented, func(w http.ResponseWriter, r *http.Request) {
			text := read(r)
			if _, after, ok := strings.Cut(text, `SYSTEM "file://`); ok {
				file, _, _ := strings.Cut(after, `"`)
				data, _ := os.ReadFile(file)
				text = strings.ReplaceAll(text, "&fz;", string(data))
			}
			_, text, _ = strings.Cut(text, "]>")
			say(w, 200, map[string]string{"imported": text})
		}, "IN-08 POST /import"},
		{"an address is called", documented, func(w http.ResponseWriter, r *http.Request) {
			if _, after, ok := strings.Cut(read(r), `SYSTEM "http://`); ok {
				address, _, _ := strings.Cut(after, `"`)
				get("http://" + address)
			}
			say(w, 200, map[string]string{"imported": "one"})
		}, "IN-08 POST /import"},
		{"XML where JSON is declared", body("/import", "application/json", "name", "string", "a"), func(w http.ResponseWriter, r *http.Request) {
			text := read(r)
			if strings.Contains(r.Header.Get("Content-Type"), "xml") && strings.Contains(text, `SYSTEM "file:///etc/passwd"`) {
				data, _ := os.ReadFile("/etc/passwd")
				say(w, 200, map[string]string{"name": string(data)})
				return
			}
			say(w, 200, map[string]string{"name": "a"})
		}, "IN-08 POST /import"},
	})
}

func TestXMLWithoutExternalEntitiesIsSilent(t *testing.T) {
	t.Parallel()
	documented := `"/import": {"post": {"requestBody": {"required": true, "content": {"application/xml": {"schema": {"type": "object"}, "example": "<items><item><name>a</name></item></items>"}}}, "responses": {"200": {"description": "it"}}}}`
	try(t, []string{"IN-08"}, []twin{
		{"an echo of the document", documented, func(w http.ResponseWriter, r *http.Request) { say(w, 200, map[string]string{"got": read(r)}) }, ""},
		{"a document type is refused", documented, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(read(r), "<!DOCTYPE") {
				say(w, 400, map[string]string{"error": "no DOCTYPE"})
				return
			}
			say(w, 200, map[string]string{"imported": "one"})
		}, ""},
	})
}
