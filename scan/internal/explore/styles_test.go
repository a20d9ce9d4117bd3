package explore_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// store is what test targets keep.
type store struct{ list []map[string]any }

func (s *store) add(m map[string]any) map[string]any {
	s.list = append(s.list, m)
	return m
}

func (s *store) find(key string, v any) map[string]any {
	for _, m := range s.list {
		if fmt.Sprint(m[key]) == fmt.Sprint(v) {
			return m
		}
	}
	return nil
}

func (s *store) of(key, v string) []map[string]any {
	return slices.DeleteFunc(slices.Clone(s.list), func(m map[string]any) bool { return m[key] != v })
}

// orders is an API in snake case with whole numbers as identifiers: orders of products,
// items below orders; only who made an order sees it in the list, but everybody can read
// it by its id.
func orders() http.Handler {
	var made, items store
	next := 1000
	products := []map[string]any{{"product_id": 501, "title": "Lamp"}, {"product_id": 502, "title": "Table"}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, r *http.Request) { answer(w, 200, products) })
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		name := caller(w, r)
		body := read(r)
		if name == "" {
			return
		}
		if id := fmt.Sprint(body["product_id"]); id != "501" && id != "502" {
			answer(w, 422, map[string]any{"product_id": []string{"No such product."}})
			return
		}
		next++
		answer(w, 201, made.add(map[string]any{"id": next, "note": body["note"], "product_id": body["product_id"], "owner": name}))
	})
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		if name := caller(w, r); name != "" {
			answer(w, 200, map[string]any{"orders": made.of("owner", name), "count": len(made.of("owner", name))})
		}
	})
	mux.HandleFunc("GET /orders/{order_id}", func(w http.ResponseWriter, r *http.Request) {
		if m := made.find("id", r.PathValue("order_id")); m == nil {
			answer(w, 404, map[string]any{"error": "no such order"})
		} else if caller(w, r) != "" {
			answer(w, 200, m)
		}
	})
	mux.HandleFunc("POST /orders/{order_id}/items", func(w http.ResponseWriter, r *http.Request) {
		m := made.find("id", r.PathValue("order_id"))
		if m == nil || m["owner"] != caller(w, r) {
			answer(w, 404, nil)
			return
		}
		answer(w, 201, items.add(map[string]any{"id": 70 + len(items.list), "text": read(r)["text"], "order_id": m["id"]}))
	})
	mux.HandleFunc("GET /orders/{order_id}/items/{item_id}", func(w http.ResponseWriter, r *http.Request) {
		m := items.find("id", r.PathValue("item_id"))
		if m == nil || fmt.Sprint(m["order_id"]) != r.PathValue("order_id") {
			answer(w, 404, nil)
			return
		}
		answer(w, 200, m)
	})
	mux.HandleFunc("DELETE /orders/{order_id}", func(w http.ResponseWriter, r *http.Request) {
		name := caller(w, r)
		before := len(made.list)
		made.list = slices.DeleteFunc(made.list, func(m map[string]any) bool {
			return m["owner"] == name && fmt.Sprint(m["id"]) == r.PathValue("order_id")
		})
		if len(made.list) == before {
			answer(w, 404, nil)
			return
		}
		w.WriteHeader(204)
	})
	return mux
}

func ordersDocument() []*spec.Operation {
	return []*spec.Operation{
		op("DELETE", "/orders/{order_id}"), op("GET", "/orders/{order_id}/items/{item_id}"), op("GET", "/orders/{order_id}"),
		op("POST", "/orders/{order_id}/items", takes("application/json", object("text!"))),
		op("POST", "/orders", takes("application/json", object("note", "product_id:integer!"))),
		op("GET", "/orders"), op("GET", "/products", open),
	}
}

func TestOrdersOfProductsAreMadeByEachUserInTheOrderInWhichTheyCan(t *testing.T) {
	l := explored(t, orders(), ordersDocument()...)
	l.wantReached(t, "alice", nil)
	l.wantReached(t, "bob", nil)
	for _, u := range l.Users {
		var own []*probe.Object
		for _, o := range l.Objects(u) {
			if o.Resource == "order" {
				own = append(own, o)
			}
		}
		if len(own) != 2 {
			t.Fatalf("%s has %d orders, want 2", u.Name, len(own))
		}
		for _, o := range own {
			if !o.Private() || o.Shared || o.Marker == "" || o.Field != "/note" || o.Evidence.OwnerField != "/owner" || len(o.Readers) < 2 {
				t.Errorf("%s's order %v: private %v shared %v marker %q in %q, %d readers, %+v", u.Name, o.ID, o.Private(), o.Shared, o.Marker, o.Field, len(o.Readers), o.Evidence)
			}
		}
	}
	for _, o := range l.Objects(l.alice) {
		if o.Resource == "item" && fmt.Sprint(o.Parents["order_id"]) == "" {
			t.Errorf("the item does not know its order: %+v", o)
		}
	}
}

// posts is an API in camel case with UUIDs and envelopes, whose lists show everybody's
// posts to everybody; a secret of each is for its author.
func posts() http.Handler {
	var made store
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/blogPosts", func(w http.ResponseWriter, r *http.Request) {
		name := caller(w, r)
		body := read(r)
		missing := []map[string]any{}
		for _, field := range []string{"headline", "bodyText", "contactEmail", "visibility"} {
			if _, ok := body[field]; !ok {
				missing = append(missing, map[string]any{"loc": []string{"body", field}, "msg": "Field required", "type": "missing"})
			}
		}
		if v, ok := body["visibility"]; ok && v != "members" && v != "all" {
			missing = append(missing, map[string]any{"loc": []string{"body", "visibility"}, "msg": "Input should be 'members' or 'all'", "type": "enum"})
		}
		if v, ok := body["contactEmail"].(string); ok && !strings.Contains(v, "@") {
			missing = append(missing, map[string]any{"loc": []string{"body", "contactEmail"}, "msg": "value is not a valid email address", "type": "value_error"})
		}
		if _, ok := body["extra"]; ok {
			missing = append(missing, map[string]any{"loc": []string{"body", "extra"}, "msg": "Extra inputs are not permitted", "type": "extra_forbidden"})
		}
		if len(missing) > 0 {
			answer(w, 422, map[string]any{"detail": missing})
			return
		}
		m := made.add(map[string]any{"postId": fmt.Sprintf("0b9c2a60-0000-4000-8000-%012d", len(made.list)), "headline": body["headline"], "bodyText": body["bodyText"], "author": name})
		answer(w, 201, map[string]any{"data": map[string]any{"postId": m["postId"]}, "status": "created"})
	})
	mux.HandleFunc("GET /api/v2/blogPosts", func(w http.ResponseWriter, r *http.Request) {
		short := []map[string]any{}
		for _, m := range made.list {
			short = append(short, map[string]any{"postId": m["postId"], "headline": m["headline"]})
		}
		answer(w, 200, map[string]any{"data": short})
	})
	mux.HandleFunc("GET /api/v2/blogPosts/{postId}", func(w http.ResponseWriter, r *http.Request) {
		name := caller(w, r)
		if name == "" {
			return
		}
		if m := made.find("postId", r.PathValue("postId")); m == nil || m["author"] != name {
			answer(w, 404, map[string]any{"detail": "Not Found"})
		} else {
			answer(w, 200, map[string]any{"data": m})
		}
	})
	return mux
}

func TestARefusedBodyIsRepairedByWhatTheAnswerSays(t *testing.T) {
	l := explored(t, posts(),
		op("POST", "/api/v2/blogPosts", takes("application/json", object("headline", "extra"))),
		op("GET", "/api/v2/blogPosts"), op("GET", "/api/v2/blogPosts/{postId}"))
	l.wantReached(t, "alice", nil)
	l.wantReached(t, "bob", nil)
	for _, o := range l.Objects(l.alice) {
		if o.Resource != "blogpost" {
			continue
		}
		if o.Shared || o.Field == "/headline" || o.Marker == "" || len(o.Evidence.OtherLists) == 0 {
			t.Errorf("the marker is one that all lists show: %q, shared %v, %+v", o.Field, o.Shared, o.Evidence)
		}
	}
}

// tickets is an API with form bodies that tells the identifier in Location only, has no
// schema of anything, and says what is wrong in plain text.
func tickets() http.Handler {
	var made store
	mux := http.NewServeMux()
	mux.HandleFunc("POST /support-tickets", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			http.Error(w, "send a form", http.StatusUnsupportedMediaType)
			return
		}
		name := caller(w, r)
		for _, field := range []string{"subject", "priority"} {
			if r.FormValue(field) == "" {
				http.Error(w, field+" is required", http.StatusBadRequest)
				return
			}
		}
		if p := r.FormValue("priority"); p != "low" && p != "high" {
			http.Error(w, "priority must be one of: low, high", http.StatusBadRequest)
			return
		}
		m := made.add(map[string]any{"id": fmt.Sprintf("T-%d", len(made.list)+1), "subject": r.FormValue("subject"), "owner": name})
		w.Header().Set("Location", fmt.Sprintf("http://other.example/support-tickets/%v", m["id"]))
		w.WriteHeader(201)
	})
	mux.HandleFunc("GET /support-tickets/{ref}", func(w http.ResponseWriter, r *http.Request) {
		if m := made.find("id", r.PathValue("ref")); m != nil && m["owner"] == caller(w, r) {
			answer(w, 200, m)
			return
		}
		http.NotFound(w, r)
	})
	return mux
}

func TestAFormIsFoundOutAndTheLocationTellsTheIdentifier(t *testing.T) {
	l := explored(t, tickets(), op("POST", "/support-tickets", takes("application/json", nil)), op("GET", "/support-tickets/{ref}"))
	l.wantReached(t, "alice", nil)
	l.wantReached(t, "bob", nil)
	if o := l.Objects(l.bob); len(o) == 0 || o[0].Marker == "" || len(o[0].Readers) == 0 {
		t.Errorf("%+v", o)
	}
}
