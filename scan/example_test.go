package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/scan"
)

const notes = `{"openapi": "3.1.0", "info": {"title": "Notes", "version": "1"},
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {
"/notes": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object",
	"required": ["text"], "properties": {"text": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/notes/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
	"responses": {"200": {"description": "it"}}}}}}`

// notebook keeps notes, and shows each to everybody who is logged in.
func notebook() http.Handler {
	var texts []string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Text string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Text == "" {
			http.Error(w, "text is required", http.StatusBadRequest)
			return
		}
		texts = append(texts, in.Text)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id": %d}`, len(texts))
	})
	mux.HandleFunc("GET /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		var id int
		if _, err := fmt.Sscan(r.PathValue("id"), &id); err != nil || id < 1 || id > len(texts) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "text": texts[id-1]})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get("X-User"); key != "alices-key" && key != "bobs-key" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func Example() {
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: notebook(), Text: []byte(notes), Checks: []string{"AZ-01"},
		Users: []scan.User{{Name: "alice", Token: "alices-key"}, {Name: "bob", Token: "bobs-key"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Println(f.Severity, f.Kind.ID, f.Places[0])
	}
	// Output: high AZ-01 GET /notes/{id} (path id)
}
