package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// marks returns how many values are attacked.
func (t target) marks() int {
	return strings.Count(t.line+strings.Join(t.head, "\n")+t.body, "*")
}

// request writes the target as sqlmap reads it from the log of a proxy.
func (t target) request(port string) string {
	const edge = "==========\n"
	head := t.line + " HTTP/1.1\nHost: localhost:" + port + "\n"
	for _, field := range t.head {
		head += field + "\n"
	}
	return edge + head + "\n" + t.body + "\n" + edge
}

// plain returns the request of a target as it is without the attack.
func (t target) plain(ctx context.Context, s *shop) (*http.Request, error) {
	method, path, _ := strings.Cut(strings.ReplaceAll(t.line, "*", ""), " ")
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(strings.ReplaceAll(t.body, "*", "")))
	if err != nil {
		return nil, err
	}
	for _, field := range t.head {
		name, value, _ := strings.Cut(strings.ReplaceAll(field, "*", ""), ": ")
		request.Header.Set(name, value)
	}
	return request, nil
}

// asker sends requests to a shop, as somebody, and finds things in the answers.
type asker struct {
	ctx    context.Context
	s      *shop
	client *http.Client
	err    error
}

// ask returns what a request is answered with. The body is an object, or nothing.
func (a *asker) ask(t target) (head http.Header, body map[string]any) {
	request, err := t.plain(a.ctx, a.s)
	var response *http.Response
	if err == nil {
		response, err = a.client.Do(request)
	}
	if err != nil {
		a.err = errors.Join(a.err, err)
		return nil, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if t.status != 0 && response.StatusCode != t.status {
		a.err = errors.Join(a.err, fmt.Errorf("%s: %s, want %d: %s", t.op, response.Status, t.status, bytes.TrimSpace(text)))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&body) // It may be none.
	return response.Header, body
}

// prepare makes what the targets are about, fills it in, and sends each once as it is.
func (s *shop) prepare(ctx context.Context, targets []target) (ready []target, err error) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	a := &asker{ctx: ctx, s: s, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	fill := strings.NewReplacer(s.values(a)...)
	for _, t := range targets {
		if t.line == "" {
			continue
		}
		t.line, t.body = fill.Replace(t.line), fill.Replace(t.body)
		t.head = strings.Split(fill.Replace(strings.Join(t.head, "\n")), "\n")
		if t.head[0] == "" {
			t.head = nil
		}
		a.ask(t)
		ready = append(ready, t)
	}
	return ready, a.err
}

// values makes users, items and orders, and returns names in braces and what they
// stand for.
func (s *shop) values(a *asker) []string {
	text := func(v any) string { return fmt.Sprint(v) }
	logIn := func(name string) (token, refresh string) {
		_, body := a.ask(target{op: "log-in", line: "POST /token", head: []string{isForm}, body: "client_id=shop&username=" + name + "&password=" + rootPassword, status: 200})
		return text(body["access_token"]), text(body["refresh_token"])
	}
	token, _ := logIn(rootName)
	as := func(method, path, body string, status int) (http.Header, map[string]any) {
		return a.ask(target{op: method + " " + path, line: method + " " + path, head: []string{"Authorization: Bearer " + token, isJSON}, body: body, status: status})
	}
	for _, name := range []string{"buyer", "victim"} {
		as("POST", "/users", `{"name":"`+name+`","password":"`+rootPassword+`","roles":["customer"],"tenant":"castle"}`, 201)
	}
	victim, refresh := logIn("victim")
	_, user := as("POST", "/users", `{"name":"patient","password":"`+rootPassword+`","roles":["customer"],"tenant":"castle"}`, 201)
	_, item := as("POST", "/items/", `{"name":"Lamp","price":42,"stock":900000}`, 201)
	_, other := as("POST", "/items/", `{"name":"Candle","price":1,"stock":900000}`, 201)
	var order map[string]any
	for range 3 {
		_, order = as("POST", "/orders", `{"item_id":`+text(item["item_id"])+`}`, 201)
	}
	head, _ := as("GET", "/orders/"+text(order["order_id"]), "", 200)
	_, page := as("GET", "/orders?limit=1&sort=-created", "", 200)
	_, history := as("GET", "/orders/history?limit=1&sort=-created", "", 200)
	orders, _ := history["orders"].(map[string]any)
	_, key := as("POST", "/me/api-keys", `{"name":"rig","scopes":null,"days":1}`, 201)
	session, _ := a.ask(target{op: "session", line: "POST /session", head: []string{isJSON, ownPage}, body: `{"username":"` + rootName + `","password":"` + rootPassword + `"}`, status: 204})
	csrf, form := a.ask(target{op: "token", line: "GET /csrftoken/", status: 200})
	return []string{
		"{token}", token, "{victim}", victim, "{refresh}", refresh, "{user}", text(user["id"]), "{url}", s.url,
		"{item}", text(item["item_id"]), "{other}", text(other["item_id"]), "{order}", text(order["order_id"]), "{etag}", head.Get("ETag"),
		"{cursor}", text(page["next"]), "{history}", text(orders["next"]), "{key}", text(key["key"]), "{session}", cookieOf(session), "{csrf}", text(form["csrf_token"]), "{csrfcookie}", cookieOf(csrf),
	}
}

// cookieOf returns the value of the first cookie that is set.
func cookieOf(head http.Header) string {
	pair, _, _ := strings.Cut(head.Get("Set-Cookie"), ";")
	_, value, _ := strings.Cut(pair, "=")
	return value
}

// apiDocument is what is read of an OpenAPI document.
type apiDocument struct {
	Paths map[string]map[string]struct {
		Parameters  []struct{ Name string }
		RequestBody struct {
			Content map[string]struct{ Schema apiSchema }
		}
	}
	Components struct{ Schemas map[string]apiSchema }
}

type apiSchema struct {
	Ref        string `json:"$ref"`
	Properties map[string]json.RawMessage
}

// inputs returns how many values each operation takes: its parameters, and the members
// of its body.
func (d *apiDocument) inputs() map[string]int {
	all := make(map[string]int)
	for path, methods := range d.Paths {
		for method, op := range methods {
			members := 0
			for _, content := range op.RequestBody.Content {
				schema := content.Schema
				if name, ok := strings.CutPrefix(schema.Ref, "#/components/schemas/"); ok {
					schema = d.Components.Schemas[name]
				}
				members = max(members, len(schema.Properties))
			}
			all[strings.ToUpper(method)+" "+path] = len(op.Parameters) + members
		}
	}
	return all
}
