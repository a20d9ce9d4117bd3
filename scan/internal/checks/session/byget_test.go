package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
)

const berths = `{"openapi": "3.1.0", "info": {"title": "Harbour", "version": "1"},
"components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}, "security": [{"key": []}],
"paths": {
"/bookings": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["ship"], "properties": {"ship": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/bookings/{booking_id}": {"get": {"parameters": [{"name": "booking_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "it"}}}},
"/bookings/{booking_id}/cancel": {"get": {"parameters": [{"name": "booking_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "it"}}}}}}`

// booking is a thing whose cancellation is behind a GET.
type booking map[string]any

// harbour keeps bookings. What a GET does to one is for the test to say.
type harbour struct {
	mu       sync.Mutex
	bookings map[string]booking
	n        int
	cancel   func(b booking)        // by the GET that acts
	read     func(b booking, n int) // by each GET of a booking
}

func (h *harbour) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	user, known := strings.CutSuffix(r.Header.Get("Authorization"), "s-key")
	if !known {
		http.Error(w, `{"error": "who?"}`, http.StatusUnauthorized)
		return
	}
	h.n++
	id, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bookings/"), "/")
	switch b := h.bookings[id]; {
	case r.URL.Path == "/bookings" && r.Method == "POST":
		var in struct{ Ship string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Ship == "" {
			http.Error(w, `{"error": "ship is required"}`, http.StatusUnprocessableEntity)
			return
		}
		id = fmt.Sprintf("b-%d", 100+len(h.bookings))
		h.bookings[id] = booking{"id": id, "ship": in.Ship, "owner": user, "state": "open", "made": h.n}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(h.bookings[id])
	case b == nil || b["owner"] != user:
		http.Error(w, `{"error": "no such booking"}`, http.StatusNotFound)
	case action == "cancel" && r.Method == "GET":
		h.cancel(b)
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "booking": id})
	case action == "" && r.Method == "GET":
		h.read(b, h.n)
		_ = json.NewEncoder(w).Encode(b)
	default:
		http.Error(w, `{"error": "not that"}`, http.StatusMethodNotAllowed)
	}
}

func byGet(t *testing.T, h *harbour) []*finding.Finding {
	t.Helper()
	h.bookings = map[string]booking{}
	if h.read == nil {
		h.read = func(booking, int) {}
	}
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: h, Text: []byte(berths), Checks: []string{"CSRF-03"}, NoRegister: true,
		Users: []scan.User{{Name: "alice", Token: "alices-key"}, {Name: "bob", Token: "bobs-key"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

func nothing(booking) {}

func TestAGetThatChangesSomethingIsFound(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]*harbour{
		"state":              {cancel: func(b booking) { b["state"] = "cancelled" }},
		"beside a counter":   {cancel: func(b booking) { b["state"] = "cancelled" }, read: func(b booking, n int) { b["nonce"] = n }},
		"it is gone":         {cancel: func(b booking) { b["owner"] = "" }},
		"a member appears":   {cancel: func(b booking) { b["state"], b["cancelled_by"] = "void", b["owner"] }},
		"a number goes down": {cancel: func(b booking) { b["made"] = 0 }},
	} {
		r := byGet(t, h)
		if len(r) != 1 || !strings.HasPrefix(r[0].Places[0].String(), "GET /bookings/{booking_id}/cancel") {
			t.Errorf("%s: %d findings", name, len(r))
		}
	}
}

func TestAGetThatOnlyLooksIsNoFinding(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	for name, h := range map[string]*harbour{
		"a page that asks":            {cancel: nothing},
		"a counter of each read":      {cancel: nothing, read: func(b booking, n int) { b["turn"] = n }},
		"a counter of this page":      {cancel: func(b booking) { b["view_count"] = b["view_count"].(int) + 1 }, read: setDefault("view_count", 0)},
		"the moment of the last look": {cancel: func(b booking) { b["updated_at"] = start.Add(time.Hour).Format(time.RFC3339) }, read: setDefault("updated_at", start.Format(time.RFC3339))},
		"others change it, the oldest first": {cancel: nothing, read: func(b booking, n int) {
			b["state"] = map[bool]string{true: "moored", false: "open"}[n-b["made"].(int) > 4]
		}},
	} {
		for _, f := range byGet(t, h) {
			t.Errorf("%s: %s", name, f.Claim)
		}
	}
}

func setDefault(name string, v any) func(booking, int) {
	return func(b booking, _ int) {
		if b[name] == nil {
			b[name] = v
		}
	}
}
