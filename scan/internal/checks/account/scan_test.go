package account_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
)

const document = `{"openapi": "3.1.0", "info": {"title": "Harbour", "version": "1"},
"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
	"schemas": {"LogIn": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string", "format": "password"}}},
	"Forgot": {"type": "object", "required": ["username"], "properties": {"username": {"type": "string"}}},
	"Refresh": {"type": "object", "required": ["refresh_token"], "properties": {"refresh_token": {"type": "string"}}},
	"Change": {"type": "object", "required": ["old_password", "new_password"], "properties": {"old_password": {"type": "string"}, "new_password": {"type": "string"}}},
	"Reset": {"type": "object", "required": ["username", "code", "new_password"], "properties": {"username": {"type": "string"}, "code": {"type": "string"}, "new_password": {"type": "string"}}}}},
"paths": {
"/register": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/LogIn"}}}}, "responses": {"201": {"description": "made"}}}},
"/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/LogIn"}}}}, "responses": {"200": {"description": "in"}}}},
"/logout": {"post": {"security": [{"bearer": []}], "responses": {"204": {"description": "out"}}}},
"/refresh": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refresh"}}}}, "responses": {"200": {"description": "in"}}}},
"/me/password": {"post": {"security": [{"bearer": []}], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}}, "responses": {"204": {"description": "changed"}}}},
"/forgot": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Forgot"}}}}, "responses": {"202": {"description": "sent"}}}},
"/reset": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reset"}}}}, "responses": {"204": {"description": "set"}}}},
"/me": {"get": {"security": [{"bearer": []}], "responses": {"200": {"description": "who is asking"}}}}}}`

// site is a small API with users. Each field makes it weak, or strong in an odd way.
type site struct {
	mu        sync.Mutex
	passwords map[string]string
	tokens    map[string]string
	refreshes map[string]string
	codes     map[string]string
	failures  map[string]int
	serial    int

	limit      int                                // failures, by the key below; 0 is no limit
	key        func(*http.Request, string) string // what failures are counted by
	lockQuiet  int                                // failures after which a user is locked, and nobody says so
	tarpit     time.Duration                      // more for each failure
	says       bool                               // whether a user exists
	weak       func(password string) bool         // which passwords are refused
	keepTokens bool                               // a log-out ends nothing
	keepOld    bool                               // a new password ends no token
	keepFresh  bool                               // refresh tokens are good for ever
	tellCode   bool                               // the answer to /forgot has the code
	noRegister bool
	newToken   func(s *site, name string) string
	polite     bool // refusals are 200 with an error in them
}

func newSite() *site {
	return &site{
		passwords: map[string]string{"alice": "Lantern-Alice-1", "bob": "Lantern-Bob-1"}, tokens: map[string]string{}, refreshes: map[string]string{}, codes: map[string]string{}, failures: map[string]int{},
		weak: func(p string) bool {
			return len(p) < 8 || strings.HasPrefix("password1234", p) || strings.HasPrefix("1234567890", p)
		},
	}
}

func (s *site) random() string {
	s.serial++
	return fmt.Sprintf("%x-%d", []byte(fmt.Sprint(s.serial*7919%10007, "salt")), s.serial*104729%1000003)
}

func (s *site) fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	if s.polite {
		status = 200
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": text})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *site) welcome(w http.ResponseWriter, name string) {
	token, refresh := s.random(), "r-"+s.random()
	if s.newToken != nil {
		token = s.newToken(s, name)
	}
	s.tokens[token], s.refreshes[refresh] = name, name
	reply(w, 200, map[string]any{"access_token": token, "refresh_token": refresh, "token_type": "Bearer"})
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	name, password := in["username"], in["password"]
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	caller := s.tokens[token]
	switch r.Method + " " + r.URL.Path {
	case "POST /register":
		s.register(w, name, password)
	case "POST /login":
		s.logIn(w, r, name, password)
	case "POST /refresh":
		owner := s.refreshes[in["refresh_token"]]
		if owner == "" {
			s.fail(w, 401, "no such token")
			return
		}
		if !s.keepFresh {
			delete(s.refreshes, in["refresh_token"])
		}
		s.welcome(w, owner)
	case "POST /forgot":
		s.forgot(w, name)
	case "POST /reset":
		s.reset(w, r, in)
	case "GET /me", "POST /logout", "POST /me/password":
		if caller == "" {
			s.fail(w, 401, "log in first")
			return
		}
		s.own(w, r, caller, token, in)
	default:
		s.fail(w, 404, "not found")
	}
}

func (s *site) register(w http.ResponseWriter, name, password string) {
	switch {
	case s.noRegister:
		s.fail(w, 403, "closed")
	case name == "" || s.passwords[name] != "":
		s.fail(w, 409, "the name is taken")
	case s.weak(password):
		s.fail(w, 422, "the password is too weak: at least 8 characters")
	default:
		s.passwords[name] = password
		reply(w, 201, map[string]any{"username": name})
	}
}

func (s *site) logIn(w http.ResponseWriter, r *http.Request, name, password string) {
	key := name
	if s.key != nil {
		key = s.key(r, name)
	}
	if s.limit > 0 && s.failures[key] >= s.limit {
		reply(w, 429, map[string]any{"error": "too many tries"})
		return
	}
	have, exists := s.passwords[name]
	if exists && have == password && (s.lockQuiet == 0 || s.failures[name] < s.lockQuiet) {
		s.welcome(w, name)
		return
	}
	s.failures[key]++
	if s.lockQuiet > 0 && key != name {
		s.failures[name]++
	}
	time.Sleep(s.tarpit * time.Duration(s.failures[key]))
	if s.says && !exists {
		s.fail(w, 404, "there is no user "+name)
		return
	}
	s.fail(w, 401, "wrong name or password")
}

func (s *site) forgot(w http.ResponseWriter, name string) {
	if s.passwords[name] == "" {
		if s.says {
			s.fail(w, 404, "no such user")
			return
		}
		reply(w, 202, map[string]any{"sent": true})
		return
	}
	s.codes[name] = fmt.Sprintf("%04d", s.serial*7919%10000)
	out := map[string]any{"sent": true}
	if s.tellCode {
		out["code"] = s.codes[name]
	}
	reply(w, 202, out)
}

func (s *site) reset(w http.ResponseWriter, r *http.Request, in map[string]string) {
	key := "reset"
	if s.key != nil {
		key += s.key(r, in["username"])
	}
	if s.limit > 0 && s.failures[key] >= s.limit {
		reply(w, 429, map[string]any{"error": "too many tries"})
		return
	}
	if code := s.codes[in["username"]]; code == "" || code != in["code"] {
		s.failures[key]++
		s.fail(w, 400, "wrong code")
		return
	}
	delete(s.codes, in["username"])
	s.passwords[in["username"]] = in["new_password"]
	w.WriteHeader(204)
}

func (s *site) own(w http.ResponseWriter, r *http.Request, caller, token string, in map[string]string) {
	switch r.URL.Path {
	case "/me":
		reply(w, 200, map[string]any{"username": caller})
	case "/logout":
		if !s.keepTokens {
			delete(s.tokens, token)
		}
		w.WriteHeader(204)
	case "/me/password":
		if s.passwords[caller] != in["old_password"] {
			s.fail(w, 403, "wrong password")
			return
		}
		s.passwords[caller] = in["new_password"]
		for t, owner := range s.tokens {
			if owner == caller && !s.keepOld {
				delete(s.tokens, t)
			}
		}
		w.WriteHeader(204)
	}
}

// findings runs checks and returns what they say.
func findings(t *testing.T, s *site, checks ...string) []string {
	t.Helper()
	return findingsOf(t, s, checks...)
}

func findingsOf(t *testing.T, h http.Handler, checks ...string) []string {
	t.Helper()
	r, err := scan.Run(context.Background(), scan.Config{
		Profile: scan.CI, Handler: h, Text: []byte(document), Checks: checks,
		Users: []scan.User{{Username: "alice", Password: "Lantern-Alice-1"}, {Username: "bob", Password: "Lantern-Bob-1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range r.Findings {
		says := f.Kind.ID + " " + f.Places[0].String() + ": " + f.Claim
		if !f.Proven {
			says = "hint " + says
		}
		out = append(out, says)
	}
	slices.Sort(out)
	return out
}

// wants fails unless the findings are as many as said, each with its part.
func wants(t *testing.T, got []string, parts ...string) {
	t.Helper()
	if len(got) != len(parts) {
		t.Fatalf("got %d findings %q, want %d", len(got), got, len(parts))
	}
	for i, part := range parts {
		if !strings.Contains(got[i], part) {
			t.Errorf("got %q, want a text with %q", got[i], part)
		}
	}
}
