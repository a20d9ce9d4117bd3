package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/rules"
)

const ordersDocument = `{"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "paths": {
"/orders": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}], "responses": {"200": {"description": "all"}}}}}}`

// orders shows the queries of its database to whoever sends X-Debug.
func orders(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/orders" && r.URL.Path != "/.env" {
		http.NotFound(w, r)
		return
	}
	if r.URL.Path == "/.env" {
		_, _ = w.Write([]byte("DB_PASSWORD=hunter2\n"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"orders": []string{}}
	if r.Header.Get("X-Debug") != "" {
		answer["debug"] = "SELECT * FROM orders -- " + r.URL.Query().Get("q")
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func Example() {
	own, err := rules.Parse("debug.yaml", []byte(`
rules:
  - id: OWN-01
    title: The debug view is open to everybody
    severity: high
    owasp: API8:2023
    cwe: 489
    seed: {operations: ["GET /orders*"]}
    send: {as: anonymous, set: {header X-Debug: "1"}}
    detect:
      all:
        - status: [200]
        - body: {matches: "(?i)select .* from"}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: http.HandlerFunc(orders), Text: []byte(ordersDocument), Own: own, Checks: []string{"OWN-01"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Println(f.Severity, f.Kind.ID, f.Places[0])
	}
	// Output: high OWN-01 GET /orders (header X-Debug)
}
