package limits_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

const posts = `"/notes": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object",
	"required": ["text"], "properties": {"text": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}}`

// notes takes bodies of at most so many bytes.
func notes(limit int64) http.Handler {
	n := 0
	return locked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, limit)
		if !ok {
			return
		}
		if text, _ := in["text"].(string); text == "" {
			answer(w, 422, map[string]any{"error": "text is required"})
			return
		}
		n++
		answer(w, 201, map[string]any{"id": n, "text": in["text"]})
	}))
}

func TestBodyWithoutABoundIsFound(t *testing.T) {
	found(t, scanned(t, "RC-02", notes(1<<40), posts), "POST /notes (body)")
}

func TestBodiesWithABoundAreLeftAlone(t *testing.T) {
	for name, h := range map[string]http.Handler{
		"100 kB": notes(100 << 10), "1 MiB": notes(1 << 20), "10 MiB": notes(10 << 20),
		"nobody reads it": locked(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 201, map[string]any{"id": 1}) })),
		"read, and not understood": locked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			answer(w, 201, map[string]any{"id": 1})
		})),
		"no more than its first value is read": locked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first, _ := bufio.NewReaderSize(r.Body, 4096).Peek(1)
			if string(first) != "{" {
				answer(w, 400, map[string]any{"error": "no object"})
				return
			}
			answer(w, 201, map[string]any{"id": 1})
		})),
		"200 for everything": locked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var in map[string]any
			if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in) != nil {
				answer(w, 200, map[string]any{"success": false, "error": "bad request"})
				return
			}
			answer(w, 200, map[string]any{"success": true, "data": map[string]any{"id": 1}})
		})),
	} {
		t.Run(name, func(t *testing.T) { silent(t, scanned(t, "RC-02", h, posts), "POST /notes") })
	}
}
