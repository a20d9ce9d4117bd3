package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

const lendingDocument = `{"openapi": "3.0.3", "info": {"title": "Lending", "version": "1"}, "security": [{"bearer": []}],
"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
"paths": {
"/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/me": {"get": {"responses": {"200": {"description": "me"}}}},
"/loans": {"get": {"responses": {"200": {"description": "mine"}}}},
"/loans/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "one"}}}},
"/loans/{id}/renew": {"post": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "renewed"}}}},
"/members": {"get": {"responses": {"200": {"description": "all"}}}},
"/members/{id}/block": {"post": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "suspended"}}}},
"/members/{id}/follow": {"post": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "followed"}}}},
"/fines": {"get": {"parameters": [{"name": "member", "in": "query", "schema": {"type": "integer"}}], "responses": {"200": {"description": "mine"}}}},
"/notices": {"get": {"responses": {"200": {"description": "all"}}}, "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/notices/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "one"}}},
	"delete": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"204": {"description": "gone"}}}},
"/notices/{id}/read": {"post": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "read"}}}}}}`

// lending has loans and fines that nobody can make, and notices that only admins make.
type lending struct {
	renewAny, fineOfAny, removeAny, blockAny bool
	// open lets everybody make notices: then whoever removes one breaks no rule of admins.
	open bool

	mu      sync.Mutex
	due     map[int]int
	owner   map[int]int
	notices map[int]map[string]any
	next    int
}

func newLending(change func(*lending)) *lending {
	l := &lending{due: map[int]int{}, owner: map[int]int{11: 1, 12: 2}, notices: map[int]map[string]any{}, next: 100}
	if change != nil {
		change(l)
	}
	return l
}

func (l *lending) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reply := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	names := []string{"", "alice", "bob", "root"}
	if r.URL.Path == "/login" {
		in := body(r)
		if name := fmt.Sprint(in["username"]); slices.Contains(names[1:], name) && in["password"] == name+"-secret" {
			reply(200, map[string]any{"token": "token-of-" + name})
			return
		}
		reply(401, map[string]any{"error": "wrong"})
		return
	}
	me := slices.Index(names, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-"))
	if me < 1 {
		reply(401, map[string]any{"error": "log in first"})
		return
	}
	loan := func(id int) map[string]any {
		return map[string]any{"id": id, "title": fmt.Sprintf("Atlas of harbours, volume %d", id), "due": fmt.Sprintf("2031-%02d-01", l.due[id]+1)}
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id := 0
	if len(parts) > 1 {
		id, _ = strconv.Atoi(parts[1])
	}
	mine := l.owner[id] == me
	switch route := r.Method + " " + parts[0] + strings.Repeat("/", len(parts)-1); route {
	case "GET me":
		reply(200, map[string]any{"id": me, "username": names[me]})
	case "GET loans":
		out := []any{}
		for _, n := range []int{11, 12} {
			if l.owner[n] == me {
				out = append(out, loan(n))
			}
		}
		reply(200, out)
	case "GET loans/", "POST loans//":
		if l.owner[id] == 0 || !mine && (route == "GET loans/" || !l.renewAny) {
			reply(404, map[string]any{"error": "no such loan"})
			return
		}
		if route == "POST loans//" {
			l.due[id] = (l.due[id] + 1) % 12
		}
		reply(200, loan(id))
	case "GET members":
		if me != 3 {
			reply(403, map[string]any{"error": "admins only"})
			return
		}
		reply(200, []any{map[string]any{"id": 1, "card": "A-1"}, map[string]any{"id": 2, "card": "A-2"}})
	case "POST members//":
		switch {
		case parts[2] == "block" && me != 3 && !l.blockAny:
			reply(403, map[string]any{"error": "admins only"})
		case id < 1 || id > 2:
			reply(404, map[string]any{"error": "no such member"})
		default:
			reply(200, map[string]any{"id": id, "done": parts[2]})
		}
	case "GET fines":
		of := me
		if n, err := strconv.Atoi(r.URL.Query().Get("member")); err == nil && l.fineOfAny {
			of = n
		}
		if of > 2 || of < 1 {
			reply(200, []any{})
			return
		}
		reply(200, []any{map[string]any{"cents": 100 * of, "reason": "damaged: the " + []string{"red", "blue"}[of-1] + " atlas"}})
	case "GET notices":
		out := []any{}
		for n := range l.next {
			if l.notices[n] != nil {
				out = append(out, l.notices[n])
			}
		}
		reply(200, out)
	case "POST notices":
		title, _ := body(r)["title"].(string)
		switch {
		case me != 3 && !l.open:
			reply(403, map[string]any{"error": "admins only"})
		case title == "":
			reply(422, map[string]any{"error": "title is required"})
		default:
			l.next++
			l.notices[l.next-1] = map[string]any{"id": l.next - 1, "title": title, "readers": 0}
			reply(201, l.notices[l.next-1])
		}
	case "GET notices/", "DELETE notices/", "POST notices//":
		n := l.notices[id]
		switch {
		case n == nil:
			reply(404, map[string]any{"error": "no such notice"})
		case r.Method == "DELETE" && me != 3 && !l.removeAny:
			reply(403, map[string]any{"error": "admins only"})
		case r.Method == "DELETE":
			delete(l.notices, id)
			w.WriteHeader(204)
		case r.Method == "POST":
			n["readers"] = n["readers"].(int) + 1
			reply(200, n)
		default:
			reply(200, n)
		}
	default:
		reply(404, map[string]any{"error": "no such path"})
	}
}

func lends(t *testing.T, l *lending) []string {
	t.Helper()
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: l, Text: []byte(lendingDocument), Checks: []string{"AZ-01", "AZ-02", "AZ-03", "AZ-06", "AU-01"},
		Users: []scan.User{{Username: "alice", Password: "alice-secret"}, {Username: "bob", Password: "bob-secret"}, {Username: "root", Password: "root-secret", Admin: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Kind.ID+" "+f.Places[0].Method+" "+f.Places[0].Path)
	}
	slices.Sort(out)
	return out
}

func TestWhatNobodyMadeIsHeldAgainstStrangers(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*lending){
		"AZ-02 POST /loans/{id}/renew":   func(l *lending) { l.renewAny = true },
		"AZ-01 GET /fines":               func(l *lending) { l.fineOfAny = true },
		"AZ-06 DELETE /notices/{id}":     func(l *lending) { l.removeAny = true },
		"AZ-06 POST /members/{id}/block": func(l *lending) { l.blockAny = true },
		"":                               nil,
		"also nothing: open to members":  func(l *lending) { l.open, l.removeAny = true, true },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var expected []string
			if strings.HasPrefix(want, "AZ") {
				expected = []string{want}
			}
			got := lends(t, newLending(change))
			if strings.HasPrefix(want, "also") {
				got = slices.DeleteFunc(got, func(f string) bool { return strings.HasPrefix(f, "AZ-03") })
			}
			if !slices.Equal(got, expected) {
				t.Errorf("found %q, want %q", got, expected)
			}
		})
	}
}
