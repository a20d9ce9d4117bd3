package inject_test

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestElementsInPagesAreFound(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var texts []string
	book := func(show func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPost {
				text, _ := sent(r, "text").(string)
				texts = append(texts, text)
				say(w, 201, map[string]any{"id": len(texts)})
				return
			}
			w.Header().Set("Content-Type", "text/html")
			for _, text := range texts {
				fmt.Fprintf(w, "<p>%s</p>", show(text))
			}
		}
	}
	guests := body("/book", "application/json", "text", "string", "hello") + `, "/book/page": {"get": {"responses": {"200": {"description": "a page"}}}}`
	page := func(media string, show func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", media)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			fmt.Fprint(w, "<p>", show(r.FormValue("q")), "</p>")
		}
	}
	same := func(text string) string { return text }
	try(t, []string{"XS-01", "XS-02"}, []twin{
		{"a value in a page", query("/find", "q", "string", "a"), page("text/html", same), "XS-01 GET /find"},
		{"JSON that says it is a page", query("/find", "q", "string", "a"), page("text/html; charset=utf-8", func(s string) string { return `{"q": "` + s + `"}` }), "XS-01 GET /find"},
		{"a value that is escaped", query("/find", "q", "string", "a"), page("text/html", html.EscapeString), ""},
		{"a value in a text", query("/find", "q", "string", "a"), page("text/plain", same), ""},
		{"a value in JSON", query("/find", "q", "string", "a"), page("application/json", same), ""},
		{"what is written is in a page", guests, book(same), "XS-02 POST /book"},
		{"what is written is escaped", guests, book(html.EscapeString), ""},
	})
}

func TestWaysOutAreFound(t *testing.T) {
	t.Parallel()
	lead := func(to func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", to(r.FormValue("next")))
			w.WriteHeader(302)
		}
	}
	path := query("/go", "next", "string", "/home")
	try(t, []string{"RD-01"}, []twin{
		{"anywhere", path, lead(func(s string) string { return s }), "RD-01 GET /go"},
		{"what begins with one slash", path, lead(func(s string) string {
			if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
				return "/"
			}
			return s
		}), "RD-01 GET /go"},
		{"a path below the own host", path, lead(func(s string) string { return "http://localhost/leave?to=" + s }), ""},
		{"home, whatever is asked", path, lead(func(string) string { return "/home" }), ""},
	})
}
