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

const accountsDocument = `{"openapi": "3.0.3", "info": {"title": "Accounts", "version": "1"}, "security": [{"bearer": []}],
"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
"paths": {
"/register": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}},
"/me": {"get": {"responses": {"200": {"description": "me"}}}},
"/admin/users/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "one"}}},
	"delete": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "gone"}}}}}}`

func TestAccountsAreRemovedByAdminsOnly(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		var mu sync.Mutex
		users := map[int]string{1: "alice", 2: "bob", 3: "root"}
		passwords := map[string]string{"alice": "alice-secret", "bob": "bob-secret", "root": "root-secret"}
		next := 3
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			reply := func(status int, v any) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(v)
			}
			me := 0
			for id, name := range users {
				if r.Header.Get("Authorization") == "Bearer token-of-"+name {
					me = id
				}
			}
			id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/admin/users/"))
			switch in := body(r); {
			case r.URL.Path == "/register":
				name := fmt.Sprint(in["username"])
				if passwords[name] != "" || in["username"] == nil || in["password"] == nil {
					reply(422, map[string]any{"error": "username and password are required"})
					return
				}
				next++
				users[next], passwords[name] = name, fmt.Sprint(in["password"])
				reply(201, map[string]any{"id": next, "username": name})
			case r.URL.Path == "/login":
				if p := passwords[fmt.Sprint(in["username"])]; p == "" || p != in["password"] {
					reply(401, map[string]any{"error": "wrong"})
					return
				}
				reply(200, map[string]any{"token": "token-of-" + fmt.Sprint(in["username"])})
			case me == 0:
				reply(401, map[string]any{"error": "log in first"})
			case r.URL.Path == "/me":
				reply(200, map[string]any{"id": me, "username": users[me]})
			case id == 0:
				reply(404, map[string]any{"error": "no such path"})
			case me != 3 && (r.Method != "DELETE" || !open):
				reply(403, map[string]any{"error": "admins only"})
			case users[id] == "":
				reply(404, map[string]any{"error": "no such user"})
			case r.Method == "DELETE":
				if id > 3 {
					delete(passwords, users[id])
					delete(users, id)
				} else {
					t.Errorf("an account was removed that the scan had not made")
				}
				reply(200, map[string]any{"deleted": id})
			default:
				reply(200, map[string]any{"id": id, "username": users[id]})
			}
		})
		r, err := scan.Run(context.Background(), scan.Config{
			Handler: h, Text: []byte(accountsDocument), Checks: []string{"AZ-06"},
			Users: []scan.User{{Username: "alice", Password: "alice-secret"}, {Username: "bob", Password: "bob-secret"}, {Username: "root", Password: "root-secret", Admin: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if found := len(r.Findings) == 1 && r.Findings[0].Places[0].Method == "DELETE"; found != open || len(r.Findings) > 1 {
			t.Errorf("open %t: %d findings", open, len(r.Findings))
		}
	}
}
