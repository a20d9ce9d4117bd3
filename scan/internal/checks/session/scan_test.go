package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

const document = `{"openapi": "3.1.0", "info": {"title": "Harbour", "version": "1"},
"components": {"securitySchemes": {"cookie": {"type": "apiKey", "in": "cookie", "name": "session"}}},
"paths": {
"/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/note": {"get": {"security": [{"cookie": []}], "responses": {"200": {"description": "it"}}},
	"post": {"security": [{"cookie": []}], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}}}, "responses": {"200": {"description": "kept"}}}}}}`

// site keeps a note of each user, who is known by a cookie.
type site struct {
	mu    sync.Mutex
	notes map[string]string

	sameSite http.SameSite
	media    bool // other types than JSON are refused
	origin   bool // other origins are refused
	forgets  bool // says that it keeps notes, and does not
	open     bool // needs no log-in
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in map[string]string
	_ = json.Unmarshal(body, &in)
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/login" {
		if in["password"] != "Lantern-1-"+in["username"] {
			http.Error(w, `{"error": "no"}`, http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s-0123456789-" + in["username"], Path: "/", HttpOnly: true, SameSite: s.sameSite})
		fmt.Fprint(w, `{"ok": true}`)
		return
	}
	c, err := r.Cookie("session")
	if s.open && err != nil && r.Method == "POST" {
		c, err = &http.Cookie{Value: "s-0123456789-anybody"}, nil
	}
	if err != nil || !strings.HasPrefix(c.Value, "s-0123456789-") {
		http.Error(w, `{"error": "log in first"}`, http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path != "/note":
		http.NotFound(w, r)
	case r.Method == "GET":
		_ = json.NewEncoder(w).Encode(map[string]any{"owner": c.Value[13:], "text": s.notes[c.Value]})
	case s.media && r.Header.Get("Content-Type") != "application/json":
		http.Error(w, `{"error": "JSON is wanted"}`, http.StatusUnsupportedMediaType)
	case s.origin && r.Header.Get("Origin") != "":
		http.Error(w, `{"error": "from where?"}`, http.StatusForbidden)
	default:
		if !s.forgets {
			s.notes[c.Value] = in["text"]
		}
		_ = json.NewEncoder(w).Encode(in)
	}
}

func findings(t *testing.T, s *site) int {
	t.Helper()
	s.notes = map[string]string{}
	r, err := scan.Run(context.Background(), scan.Config{
		Profile: scan.CI, Handler: s, Text: []byte(document), Checks: []string{"CS-01", "CSRF-03"},
		Users: []scan.User{{Username: "alice", Password: "Lantern-1-alice"}, {Username: "bob", Password: "Lantern-1-bob"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Findings)
}

func TestWritesOfOtherSitesAreFound(t *testing.T) {
	t.Parallel()
	if n := findings(t, &site{}); n != 1 {
		t.Errorf("%d findings", n)
	}
}

func TestWhatKeepsOtherSitesOutIsNoFinding(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*site{
		"SameSite": {sameSite: http.SameSiteLaxMode}, "the media type": {media: true}, "the origin": {origin: true},
		"nothing is kept": {forgets: true}, "it is for everybody": {open: true},
	} {
		if n := findings(t, s); n != 0 {
			t.Errorf("%s: %d findings", name, n)
		}
	}
}
