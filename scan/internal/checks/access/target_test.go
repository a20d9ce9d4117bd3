package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
)

// desk keeps the tickets of its users. Each flag takes a defence out.
type desk struct {
	readAny, writeAny, deleteAny, listAll, anonymous, anonymousWrite bool
	ownerFromBody, mass, massUpdate, adminOpen, roleInSignUp         bool
	roleInProfile, passwordOfOthers, filter, crossed                 bool
	// What is meant to be so.
	catalogue, feed, errors200, wiki bool

	mu      sync.Mutex
	tickets map[int]map[string]any
	users   map[string]map[string]any // by name
	notes   []map[string]any
	next    int
}

func newDesk(change func(*desk)) *desk {
	d := &desk{tickets: map[int]map[string]any{}, users: map[string]map[string]any{}, next: 100}
	for i, name := range []string{"alice", "bob", "root"} {
		d.users[name] = map[string]any{"id": i + 1, "username": name, "password": name + "-secret", "email": name + "@example.org", "role": "user", "credit": 5}
	}
	d.users["root"]["role"] = "admin"
	change(d)
	return d
}

func (d *desk) reply(w http.ResponseWriter, status int, v any) {
	if status >= 400 && d.errors200 {
		status = 200
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (d *desk) no(w http.ResponseWriter, status int, why string) {
	d.reply(w, status, map[string]any{"error": why})
}

func (d *desk) caller(r *http.Request) map[string]any {
	return d.users[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")]
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", d.logIn)
	mux.HandleFunc("POST /register", d.register)
	routes := map[string]func(w http.ResponseWriter, r *http.Request, u map[string]any){
		"GET /me": d.me, "PATCH /me": d.changeMe, "PUT /users/{username}/password": d.password,
		"GET /tickets": d.list, "POST /tickets": d.create, "GET /tickets/{id}": d.read, "PATCH /tickets/{id}": d.change, "DELETE /tickets/{id}": d.remove,
		"GET /users/{username}/tickets/{id}": d.nested, "GET /admin/users": d.adminUsers,
		"GET /announcements": d.announce, "POST /admin/announcements": d.announcing,
	}
	for pattern, f := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			u := d.caller(r)
			open := d.anonymous && r.Method == "GET" || d.anonymousWrite && pattern == "POST /tickets" || d.catalogue && strings.HasPrefix(pattern, "GET /tickets")
			if u == nil && !open {
				d.no(w, 401, "log in first")
				return
			}
			if u == nil {
				u = map[string]any{"id": 0, "username": "", "role": ""}
			}
			f(w, r, u)
		})
	}
	mux.ServeHTTP(w, r)
}

func body(r *http.Request) map[string]any {
	in := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&in)
	return in
}

func (d *desk) logIn(w http.ResponseWriter, r *http.Request) {
	in := body(r)
	u := d.users[fmt.Sprint(in["username"])]
	if u == nil || u["password"] != in["password"] {
		d.no(w, 401, "wrong")
		return
	}
	d.reply(w, 200, map[string]any{"access_token": "token-of-" + u["username"].(string)})
}

func (d *desk) register(w http.ResponseWriter, r *http.Request) {
	in := body(r)
	name, _ := in["username"].(string)
	password, _ := in["password"].(string)
	if name == "" || password == "" || d.users[name] != nil {
		d.no(w, 422, "username and password are required")
		return
	}
	d.next++
	u := map[string]any{"id": d.next, "username": name, "password": password, "email": in["email"], "role": "user", "credit": 5}
	if role, ok := in["role"].(string); ok && d.roleInSignUp {
		u["role"] = role
	}
	d.users[name] = u
	d.reply(w, 201, d.shown(u))
}

func (d *desk) shown(u map[string]any) map[string]any {
	out := maps.Clone(u)
	delete(out, "password")
	return out
}

func (d *desk) me(w http.ResponseWriter, _ *http.Request, u map[string]any) {
	d.reply(w, 200, d.shown(u))
}

func (d *desk) changeMe(w http.ResponseWriter, r *http.Request, u map[string]any) {
	in := body(r)
	for name, v := range in {
		if name == "email" || d.roleInProfile && (name == "role" || name == "credit") {
			u[name] = v
		}
	}
	d.reply(w, 200, d.shown(u))
}

func (d *desk) password(w http.ResponseWriter, r *http.Request, u map[string]any) {
	name, in := r.PathValue("username"), body(r)
	next, _ := in["password"].(string)
	if d.users[name] == nil || next == "" || name != u["username"] && !d.passwordOfOthers {
		d.no(w, 403, "not yours")
		return
	}
	d.users[name]["password"] = next
	d.reply(w, 200, map[string]any{"changed": true})
}

func (d *desk) list(w http.ResponseWriter, r *http.Request, u map[string]any) {
	owner := u["id"]
	if id, err := strconv.Atoi(r.URL.Query().Get("owner_id")); err == nil && (d.filter || u["role"] == "admin") {
		owner = id
	}
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(d.tickets)) {
		if t := d.tickets[id]; t["owner_id"] == owner || d.listAll || d.feed || d.catalogue || u["role"] == "admin" {
			out = append(out, t)
		}
	}
	d.reply(w, 200, map[string]any{"tickets": out})
}

func (d *desk) create(w http.ResponseWriter, r *http.Request, u map[string]any) {
	in := body(r)
	subject, _ := in["subject"].(string)
	if subject == "" {
		d.no(w, 422, "subject is required")
		return
	}
	d.next++
	t := map[string]any{"id": d.next, "subject": subject, "owner_id": u["id"], "approved": false}
	if owner, ok := in["owner_id"].(float64); ok && d.ownerFromBody {
		t["owner_id"] = int(owner)
	}
	if approved, ok := in["approved"].(bool); ok && d.mass {
		t["approved"] = approved
	}
	d.tickets[d.next] = t
	d.reply(w, 201, t)
}

// mine returns the ticket of a request, if the caller may have it.
func (d *desk) mine(r *http.Request, u map[string]any, anybody bool) map[string]any {
	id, _ := strconv.Atoi(r.PathValue("id"))
	if t := d.tickets[id]; t != nil && (t["owner_id"] == u["id"] || anybody || u["role"] == "admin") {
		return t
	}
	return nil
}

func (d *desk) read(w http.ResponseWriter, r *http.Request, u map[string]any) {
	if t := d.mine(r, u, d.readAny || d.feed || d.catalogue || d.wiki || d.anonymous); t != nil {
		d.reply(w, 200, t)
		return
	}
	d.no(w, 404, "no such ticket")
}

func (d *desk) change(w http.ResponseWriter, r *http.Request, u map[string]any) {
	t := d.mine(r, u, d.writeAny)
	if t == nil {
		d.no(w, 404, "no such ticket")
		return
	}
	in := body(r)
	if subject, ok := in["subject"].(string); ok && subject != "" {
		t["subject"] = subject
	}
	if approved, ok := in["approved"].(bool); ok && d.massUpdate {
		t["approved"] = approved
	}
	d.reply(w, 200, t)
}

func (d *desk) remove(w http.ResponseWriter, r *http.Request, u map[string]any) {
	if t := d.mine(r, u, d.deleteAny); t != nil {
		delete(d.tickets, t["id"].(int))
		w.WriteHeader(204)
		return
	}
	d.no(w, 404, "no such ticket")
}

func (d *desk) nested(w http.ResponseWriter, r *http.Request, u map[string]any) {
	if r.PathValue("username") != u["username"] {
		d.no(w, 403, "not you")
		return
	}
	if t := d.mine(r, u, d.crossed); t != nil {
		d.reply(w, 200, t)
		return
	}
	d.no(w, 404, "no such ticket")
}

func (d *desk) adminUsers(w http.ResponseWriter, _ *http.Request, u map[string]any) {
	if u["role"] != "admin" && !d.adminOpen {
		d.no(w, 403, "administrators only")
		return
	}
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(d.users)) {
		out = append(out, d.shown(d.users[name]))
	}
	d.reply(w, 200, out)
}

func (d *desk) announce(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
	d.reply(w, 200, map[string]any{"announcements": d.notes})
}

func (d *desk) announcing(w http.ResponseWriter, r *http.Request, u map[string]any) {
	if u["role"] != "admin" {
		d.no(w, 403, "administrators only")
		return
	}
	d.next++
	note := map[string]any{"id": d.next, "text": body(r)["text"]}
	d.notes = append(d.notes, note)
	d.reply(w, 201, note)
}

const document = `
openapi: 3.0.3
info: {title: Desk, version: "1"}
security: [{bearer: []}]
paths:
  /login: {post: {security: [], requestBody: {content: {application/json: {schema: {type: object, required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}, responses: {"200": {description: in}}}}
  /register: {post: {security: [], requestBody: {content: {application/json: {schema: {type: object, required: [username, password], properties: {username: {type: string}, password: {type: string}, email: {type: string, format: email}}}}}}, responses: {"201": {description: made}}}}
  /me:
    get: {responses: {"200": {description: you}}}
    patch: {requestBody: {content: {application/json: {schema: {type: object, properties: {email: {type: string, format: email}}}}}}, responses: {"200": {description: you}}}
  /users/{username}/password: {put: {parameters: [{name: username, in: path, required: true, schema: {type: string}}], requestBody: {content: {application/json: {schema: {type: object, required: [password], properties: {password: {type: string}}}}}}, responses: {"200": {description: changed}}}}
  /tickets:
    get: {parameters: [{name: owner_id, in: query, description: for administrators, schema: {type: integer}}], responses: {"200": {description: yours}}}
    post: {requestBody: {content: {application/json: {schema: {type: object, required: [subject], properties: {subject: {type: string}}}}}}, responses: {"201": {description: made}}}
  /tickets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {responses: {"200": {description: it}}}
    patch: {requestBody: {content: {application/json: {schema: {type: object, properties: {subject: {type: string}}}}}}, responses: {"200": {description: it}}}
    delete: {responses: {"204": {description: gone}}}
  /users/{username}/tickets/{id}: {get: {parameters: [{name: username, in: path, required: true, schema: {type: string}}, {name: id, in: path, required: true, schema: {type: integer}}], responses: {"200": {description: it}}}}
  /announcements: {get: {responses: {"200": {description: for all}}}}
  /admin/users: {get: {responses: {"200": {description: all}, "403": {description: no}}}}
  /admin/announcements: {post: {requestBody: {content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string}}}}}}, responses: {"201": {description: made}, "403": {description: no}}}}
`

// ids are those of the group.
func ids() []string {
	return []string{"AZ-01", "AZ-02", "AZ-03", "AZ-04", "AZ-05", "AZ-06", "AZ-07", "AZ-08", "AU-01", "AU-11", "BP-01", "BP-02"}
}

// found returns what a scan of a target finds, as "ID METHOD path".
func found(t *testing.T, handler http.Handler) (out []string) {
	t.Helper()
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: handler, Text: []byte(document), Checks: ids(),
		Users: []scan.User{{Username: "alice", Password: "alice-secret"}, {Username: "bob", Password: "bob-secret"}, {Username: "root", Password: "root-secret", Admin: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Failed != "" {
			t.Errorf("%s failed: %s", c.Kind.ID, c.Failed)
		}
	}
	for _, f := range r.Findings {
		if !f.Proven {
			continue
		}
		for _, p := range f.Places {
			out = append(out, f.Kind.ID+" "+p.Method+" "+p.Path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
