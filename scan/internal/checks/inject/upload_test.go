package inject_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestPagesAmongUploadsAreFound(t *testing.T) {
	t.Parallel()
	store := func(serve func(w http.ResponseWriter, name string)) http.HandlerFunc {
		var mu sync.Mutex
		files := map[string][]byte{}
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if name, ok := strings.CutPrefix(r.URL.Path, "/files/"); ok {
				if files[name] == nil {
					http.NotFound(w, r)
					return
				}
				serve(w, name)
				_, _ = w.Write(files[name])
				return
			}
			file, head, err := r.FormFile("picture")
			if err != nil {
				http.Error(w, "a file", 400)
				return
			}
			files[head.Filename], _ = io.ReadAll(file)
			say(w, 201, map[string]string{"url": "/files/" + head.Filename})
		}
	}
	path := `"/pictures": {"post": {"requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {"type": "object", "required": ["picture"], "properties": {"picture": {"type": "string", "format": "binary"}}}}}}, "responses": {"201": {"description": "it"}}}}`
	try(t, []string{"UP-01"}, []twin{
		{"shown as what the name says", path, store(func(w http.ResponseWriter, name string) {
			if strings.HasSuffix(name, ".html") {
				w.Header().Set("Content-Type", "text/html")
			}
		}), "UP-01 POST /pictures"},
		{"sent as an attachment", path, store(func(w http.ResponseWriter, name string) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Disposition", `attachment; filename="x"`)
		}), ""},
		{"sent as bytes", path, store(func(w http.ResponseWriter, name string) { w.Header().Set("Content-Type", "application/octet-stream") }), ""},
	})
}

func TestPollutedPrototypesAreFound(t *testing.T) {
	t.Parallel()
	program := func(member string) http.HandlerFunc {
		var mu sync.Mutex
		indent := 0
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPost {
				if m, ok := sent(r, member).(map[string]any); ok {
					if n, ok := m["json spaces"].(float64); ok {
						indent = int(n)
					}
				}
				say(w, 200, map[string]bool{"ok": true})
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if indent > 0 {
				fmt.Fprintf(w, "{\n%s\"name\": \"Ada\"\n}", strings.Repeat(" ", indent))
				return
			}
			fmt.Fprint(w, `{"name":"Ada"}`)
		}
	}
	path := body("/notes", "application/json", "text", "string", "a") + `, "/me": {"get": {"responses": {"200": {"description": "it"}}}}`
	try(t, []string{"INJ-09"}, []twin{
		{"a merge of all members", path, program("__proto__"), "INJ-09 POST /notes"},
		{"a merge of none", path, program("nothing"), ""},
	})
}
