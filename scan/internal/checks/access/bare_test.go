package access_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

// yard keeps boats that are named by ?id= and by a field of a form, behind programs of a
// folder, as older servers have them.
func yard(guarded bool) http.Handler {
	type boat struct {
		ID    int    `json:"id"`
		Owner string `json:"owner"`
		Hull  string `json:"hull"`
		State string `json:"state"`
	}
	var mu sync.Mutex
	boats, next := map[int]*boat{}, 40
	for _, name := range []string{"ann", "ben", "zoe"} {
		next++
		boats[next] = &boat{next, name, "oak of " + name, "dry"}
	}
	caller := func(r *http.Request) string {
		return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	}
	reply := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login.php", func(w http.ResponseWriter, r *http.Request) {
		var b map[string]string
		_ = json.NewDecoder(r.Body).Decode(&b)
		if b["password"] != "pw-of-"+b["username"] {
			reply(w, 401, map[string]string{"error": "wrong"})
			return
		}
		reply(w, 200, map[string]string{"token": "token-of-" + b["username"]})
	})
	with := func(f func(w http.ResponseWriter, r *http.Request, who string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if caller(r) == "" {
				reply(w, 401, map[string]string{"error": "log in"})
				return
			}
			f(w, r, caller(r))
		}
	}
	find := func(w http.ResponseWriter, r *http.Request, who string) *boat {
		id, _ := strconv.Atoi(r.FormValue("id"))
		b := boats[id]
		if b == nil || guarded && b.Owner != who {
			reply(w, 404, map[string]string{"error": "no such boat"})
			return nil
		}
		return b
	}
	mux.HandleFunc("GET /yard/boats.php", with(func(w http.ResponseWriter, r *http.Request, who string) {
		out := []*boat{}
		for i := 40; i <= next; i++ {
			if b := boats[i]; b != nil && b.Owner == who {
				out = append(out, b)
			}
		}
		reply(w, 200, map[string]any{"boats": out})
	}))
	mux.HandleFunc("POST /yard/boats.php", with(func(w http.ResponseWriter, r *http.Request, who string) {
		if r.FormValue("hull") == "" {
			reply(w, 422, map[string]string{"error": "hull is required"})
			return
		}
		next++
		boats[next] = &boat{next, who, r.FormValue("hull"), "dry"}
		reply(w, 201, boats[next])
	}))
	mux.HandleFunc("GET /yard/boat.php", with(func(w http.ResponseWriter, r *http.Request, who string) {
		if b := find(w, r, who); b != nil {
			reply(w, 200, b)
		}
	}))
	mux.HandleFunc("POST /yard/boat_update.php", with(func(w http.ResponseWriter, r *http.Request, who string) {
		if b := find(w, r, who); b != nil {
			b.Hull = r.FormValue("hull")
			reply(w, 200, map[string]bool{"ok": true})
		}
	}))
	return mux
}

const yardDocument = `{"openapi":"3.0.0","info":{"title":"Yard","version":"1"},"paths":{
"/login.php":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"username":{"type":"string"},"password":{"type":"string"}}}}}},"responses":{"200":{"description":"in"}}}},
"/yard/boats.php":{"get":{"responses":{"200":{"description":"mine"}}},"post":{"requestBody":{"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object","required":["hull"],"properties":{"hull":{"type":"string"}}}}}},"responses":{"201":{"description":"made"}}}},
"/yard/boat.php":{"get":{"parameters":[{"name":"id","in":"query","required":true,"schema":{"type":"integer"}}],"responses":{"200":{"description":"one"}}}},
"/yard/boat_update.php":{"post":{"requestBody":{"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object","required":["id","hull"],"properties":{"id":{"type":"integer"},"hull":{"type":"string"}}}}}},"responses":{"200":{"description":"done"}}}}}}`

func TestObjectsThatAQueryOrAFormNamesByABareID(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		r, err := scan.Run(context.Background(), scan.Config{
			Handler: yard(guarded), Text: []byte(yardDocument), NoRegister: true, Checks: []string{"AZ-01", "AZ-02"},
			Users: []scan.User{{Name: "ann", Username: "ann", Password: "pw-of-ann"}, {Name: "ben", Username: "ben", Password: "pw-of-ben"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, f := range r.Findings {
			found[f.Kind.ID+" "+f.Places[0].Path] = true
			if guarded {
				t.Errorf("guarded: %s: %s", f.Places[0], f.Claim)
			}
		}
		if guarded {
			continue
		}
		for _, want := range []string{"AZ-01 /yard/boat.php", "AZ-02 /yard/boat_update.php"} {
			if !found[want] {
				t.Errorf("%s is not found in %v", want, found)
			}
		}
		for _, o := range r.Operations {
			if !o.Reached() {
				t.Errorf("%s %s: %s", o.Method, o.Path, o.Word())
			}
		}
	}
}
