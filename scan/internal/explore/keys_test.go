package explore_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
)

// library is an API whose things are named by what their makers called them, and that
// answers creation with a sentence. What one has of it is in no list but one's own.
func library() http.Handler {
	var books, users store
	mux := http.NewServeMux()
	mux.HandleFunc("POST /users/v1/register", func(w http.ResponseWriter, r *http.Request) {
		body := read(r)
		if users.find("username", body["username"]) != nil {
			answer(w, 400, map[string]any{"status": "fail", "message": "User already exists."})
			return
		}
		users.add(body)
		answer(w, 200, map[string]any{"status": "success", "message": "Successfully registered."})
	})
	mux.HandleFunc("GET /users/v1/{username}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("username")
		if name == "alice" || name == "bob" || users.find("username", name) != nil {
			answer(w, 200, map[string]any{"username": name, "email": name + "@example.org"})
			return
		}
		answer(w, 404, map[string]any{"status": "fail", "message": "User not found"})
	})
	mux.HandleFunc("POST /books/v1", func(w http.ResponseWriter, r *http.Request) {
		name := caller(w, r)
		body := read(r)
		if body["book_title"] == nil || body["secret"] == nil {
			answer(w, 400, map[string]any{"status": "fail", "message": "'secret' is a required property"})
			return
		}
		books.add(map[string]any{"book_title": body["book_title"], "secret": body["secret"], "owner": name})
		answer(w, 200, map[string]any{"status": "success", "message": "Book has been added."})
	})
	mux.HandleFunc("GET /books/v1", func(w http.ResponseWriter, r *http.Request) {
		titles := []map[string]any{}
		for _, b := range books.list {
			titles = append(titles, map[string]any{"book_title": b["book_title"], "user": b["owner"]})
		}
		answer(w, 200, map[string]any{"Books": titles})
	})
	mux.HandleFunc("GET /books/v1/{book_title}", func(w http.ResponseWriter, r *http.Request) {
		if name := caller(w, r); name != "" {
			if b := books.find("book_title", r.PathValue("book_title")); b != nil && b["owner"] == name {
				answer(w, 200, b)
				return
			}
			answer(w, 404, map[string]any{"status": "fail", "message": "Book not found!"})
		}
	})
	return mux
}

func TestThingsThatAreNamedByTheirTitleAreFoundAgain(t *testing.T) {
	l := explored(t, library(),
		op("GET", "/users/v1/{username}", open), op("POST", "/users/v1/register", open, takes("application/json", object("username!", "password!", "email!"))),
		op("GET", "/books/v1", open), op("POST", "/books/v1", takes("application/json", object("book_title!"))), op("GET", "/books/v1/{book_title}"))
	l.wantReached(t, "bob", map[string]string{"POST /users/v1/register": explore.Skipped})
	for _, u := range l.Users {
		found := false
		for _, o := range l.Objects(u) {
			if o.Resource != "book" {
				continue
			}
			found = true
			if o.Shared || o.Field != "/secret" || fmt.Sprint(o.ID) == "" || len(o.Readers) == 0 || !probe.Holds(o.Readers[0].Exchange, o.Marker) {
				t.Errorf("%s's book: %+v", u.Name, o)
			}
		}
		if !found {
			t.Errorf("%s has no book", u.Name)
		}
	}
}

// garage is an API without a description of bodies, that says "ok" to everything, and
// whose objects were there before: who is asking sees only his own.
func garage() http.Handler {
	cars := map[string][]map[string]any{
		"alice": {{"uuid": "11111111-0000-4000-8000-000000000001", "vin": "1HGCM82633A004352", "model": "Kombi"}},
		"bob":   {{"uuid": "22222222-0000-4000-8000-000000000002", "vin": "2HGCM82633A004353", "model": "Coupe"}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /vehicle/vehicles", func(w http.ResponseWriter, r *http.Request) {
		if name := caller(w, r); name != "" {
			answer(w, 200, cars[name])
		}
	})
	mux.HandleFunc("GET /vehicle/{vehicleId}/location", func(w http.ResponseWriter, r *http.Request) {
		for _, list := range cars {
			if list[0]["uuid"] == r.PathValue("vehicleId") && caller(w, r) != "" {
				answer(w, 200, map[string]any{"vehicleLocation": map[string]any{"latitude": "48.2"}})
				return
			}
		}
		answer(w, 404, map[string]any{"message": "no such car"})
	})
	mux.HandleFunc("GET /user/dashboard", func(w http.ResponseWriter, r *http.Request) {
		if name := caller(w, r); name != "" {
			answer(w, 200, map[string]any{"id": len(name), "name": name, "email": name + "@example.org"})
		}
	})
	mux.HandleFunc("GET /service/{vin}/reports", func(w http.ResponseWriter, r *http.Request) {
		if name := caller(w, r); name != "" && r.PathValue("vin") == cars[name][0]["vin"] {
			answer(w, 200, []any{})
			return
		}
		answer(w, 404, map[string]any{"message": "no such car"})
	})
	return mux
}

func TestWhatUsersHadBeforeIsFound(t *testing.T) {
	l := explored(t, garage(), op("GET", "/vehicle/vehicles"), op("GET", "/vehicle/{vehicleId}/location"), op("GET", "/user/dashboard"), op("GET", "/service/{vin}/reports"))
	l.wantReached(t, "alice", nil)
	l.wantReached(t, "bob", nil)
	for i, u := range l.Users {
		var cars, selves int
		for _, o := range l.Objects(u) {
			switch o.Resource {
			case "vehicle":
				cars++
				if !o.Private() || o.Keys["vin"] == nil || o.ID.(string)[0] != "12"[i] {
					t.Errorf("%+v", o)
				}
			case "user":
				selves++
			}
		}
		if cars != 1 || selves != 1 {
			t.Errorf("%s has %d cars and is %d times there", u.Name, cars, selves)
		}
	}
}

func TestAnObjectOfAnotherIsAimedAt(t *testing.T) {
	l := explored(t, orders(), ordersDocument()...)
	x := explore.For(l.Target)
	for _, o := range l.Objects(l.alice) {
		if o.Resource != "item" {
			continue
		}
		for _, to := range x.Consumers(o) {
			r := x.Aim(to, o, l.bob).Request()
			if want := fmt.Sprintf("/orders/%v/items/%v", o.Parents["order_id"], o.ID); to.Op.Method == "GET" && r.Path != want {
				t.Errorf("%s, want %s", r.Path, want)
			}
		}
	}
	for _, o := range l.Objects(l.alice)[:1] {
		fresh, err := x.Fresh(t.Context(), l.alice, o)
		if err != nil || fresh.Marker == o.Marker || fresh.Marker == "" || probe.Text(fresh.ID) == probe.Text(o.ID) {
			t.Errorf("%v %+v", err, fresh)
		}
	}
}
