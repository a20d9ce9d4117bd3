package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

// club has members. Who may remove one: "any", "self" (whatever the id is), "admin"; "pretend"
// answers 204 and removes nobody.
func club(path, may string) http.Handler {
	var mu sync.Mutex
	type member struct {
		id   int
		word string
	}
	members, next := map[string]*member{"ida": {1, "pw-of-ida"}, "jon": {2, "pw-of-jon"}}, 2
	reply := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request, who string)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			who := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
			if members[who] == nil && !strings.HasPrefix(pattern, "POST") {
				reply(w, 401, map[string]string{"error": "log in"})
				return
			}
			f(w, r, who)
		})
	}
	handle("POST /register", func(w http.ResponseWriter, r *http.Request, _ string) {
		var b map[string]string
		_ = json.NewDecoder(r.Body).Decode(&b)
		if b["username"] == "" || members[b["username"]] != nil {
			reply(w, 409, map[string]string{"error": "taken"})
			return
		}
		next++
		members[b["username"]] = &member{next, b["password"]}
		reply(w, 201, map[string]any{"id": next, "username": b["username"]})
	})
	handle("POST /login", func(w http.ResponseWriter, r *http.Request, _ string) {
		var b map[string]string
		_ = json.NewDecoder(r.Body).Decode(&b)
		if m := members[b["username"]]; m == nil || m.word != b["password"] {
			reply(w, 401, map[string]string{"error": "wrong"})
			return
		}
		reply(w, 200, map[string]string{"token": "token-of-" + b["username"]})
	})
	handle("GET /me", func(w http.ResponseWriter, _ *http.Request, who string) {
		reply(w, 200, map[string]any{"id": members[who].id, "username": who})
	})
	handle("DELETE "+path+"/{id}", func(w http.ResponseWriter, r *http.Request, who string) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		if may == "admin" {
			reply(w, 403, map[string]string{"error": "administrators only"})
			return
		}
		for name, m := range members {
			if may == "any" && m.id == id || may == "self" && name == who {
				delete(members, name)
			}
		}
		w.WriteHeader(204)
	})
	return mux
}

const clubDocument = `{"openapi":"3.0.0","info":{"title":"Club","version":"1"},"components":{"securitySchemes":{"b":{"type":"http","scheme":"bearer"}}},"paths":{
"/register":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["username","password"],"properties":{"username":{"type":"string"},"password":{"type":"string"}}}}}},"responses":{"201":{"description":"in"}}}},
"/login":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["username","password"],"properties":{"username":{"type":"string"},"password":{"type":"string"}}}}}},"responses":{"200":{"description":"in"}}}},
"/me":{"get":{"security":[{"b":[]}],"responses":{"200":{"description":"me"}}}},
"%s/{id}":{"delete":{"security":[{"b":[]}],"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],"responses":{"204":{"description":"gone"}}}}}}`

func TestAccountsThatAnybodyMayRemove(t *testing.T) {
	for _, c := range []struct{ path, may, want string }{
		{"/admin/users", "any", "AZ-06"}, {"/members", "any", "AZ-03"}, {"/members", "self", ""}, {"/admin/users", "admin", ""}, {"/members", "pretend", ""},
	} {
		r, err := scan.Run(context.Background(), scan.Config{
			Handler: club(c.path, c.may), Text: fmt.Appendf(nil, clubDocument, c.path), Checks: []string{"AZ-03", "AZ-06"},
			Users: []scan.User{{Name: "ida", Username: "ida", Password: "pw-of-ida"}, {Name: "jon", Username: "jon", Password: "pw-of-jon"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range r.Findings {
			if strings.Contains(f.Claim, "log in no more") {
				got += f.Kind.ID
			} else {
				t.Errorf("%s, %s: %s: %s", c.path, c.may, f.Kind.ID, f.Claim)
			}
		}
		if got != c.want {
			t.Errorf("%s, %s: found %q, want %q; %v", c.path, c.may, got, c.want, r.Notes)
		}
	}
}
