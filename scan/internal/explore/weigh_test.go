package explore_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/probe"
)

// wall is an API where everybody reads all lines; an inner line is for its author. A line
// can be replaced, and GET …/cancel removes it.
func wall(lists func(m map[string]any) map[string]any) http.Handler {
	var made store
	mux := http.NewServeMux()
	mux.HandleFunc("POST /lines", func(w http.ResponseWriter, r *http.Request) {
		body := read(r)
		body["id"], body["owner"] = len(made.list)+1, caller(w, r)
		answer(w, 201, made.add(body))
	})
	mux.HandleFunc("PUT /lines/{id}", func(w http.ResponseWriter, r *http.Request) {
		if m := made.find("id", r.PathValue("id")); m != nil && m["owner"] == caller(w, r) {
			body := read(r)
			m["outer"], m["inner"] = body["outer"], body["inner"]
			answer(w, 200, m)
			return
		}
		answer(w, 404, nil)
	})
	mux.HandleFunc("GET /lines/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		if m := made.find("id", r.PathValue("id")); m != nil {
			m["cancelled"] = fmt.Sprint(m["cancelled"]) + "x"
		}
		answer(w, 200, map[string]any{"ok": true})
	})
	mux.HandleFunc("GET /lines", func(w http.ResponseWriter, r *http.Request) {
		out := []any{}
		for _, m := range made.list {
			out = append(out, lists(m))
		}
		answer(w, 200, out)
	})
	mux.HandleFunc("GET /lines/{id}", func(w http.ResponseWriter, r *http.Request) {
		if m := made.find("id", r.PathValue("id")); m != nil && m["owner"] == caller(w, r) {
			answer(w, 200, m)
		}
	})
	return mux
}

func exploredWall(t *testing.T, lists func(m map[string]any) map[string]any) *lab {
	body := takes("application/json", object("outer!", "inner!"))
	return explored(t, wall(lists), op("POST", "/lines", body), op("PUT", "/lines/{id}", body), op("GET", "/lines"), op("GET", "/lines/{id}"), op("GET", "/lines/{id}/cancel"))
}

func TestWhatAllListsShowIsShared(t *testing.T) {
	l := exploredWall(t, func(m map[string]any) map[string]any { return m })
	for _, o := range l.Objects(l.alice) {
		if o.Resource == "line" && (!o.Shared || o.Private()) {
			t.Errorf("%+v", o)
		}
	}
}

func TestTheMarkerIsTheOneThatOthersDoNotSee(t *testing.T) {
	for shown, hidden := range map[string]string{"outer": "/inner", "inner": "/outer"} {
		l := exploredWall(t, func(m map[string]any) map[string]any { return map[string]any{"id": m["id"], shown: m[shown]} })
		for _, o := range l.Objects(l.alice) {
			if o.Resource == "line" && (o.Field != hidden || o.Shared) {
				t.Errorf("lists show %s, and the marker is that of %s, shared %v", shown, o.Field, o.Shared)
			}
		}
	}
}

func TestAChangedObjectIsKnownByItsNewMarker(t *testing.T) {
	l := exploredWall(t, func(m map[string]any) map[string]any { return map[string]any{"id": m["id"]} })
	for _, o := range l.Objects(l.alice) {
		if o.Resource == "line" && (len(o.Readers) == 0 || !probe.Holds(o.Readers[0].Exchange, o.Marker) || o.Evidence.OwnerField != "/owner") {
			t.Errorf("line %v is not read back: %+v", o.ID, o.Evidence)
		}
	}
	for _, ex := range l.client.sent {
		if ex.Request.User == "alice" && ex.Request.Operation == "get/lines/{id}/cancel" {
			if ex.Request.Path != "/lines/2/cancel" {
				t.Errorf("%s: not once, and not on the last", ex.Request.Path)
			}
		}
	}
	for _, o := range l.Objects(nil) {
		for _, r := range o.Readers {
			if r.Case.Op.Path == "/lines/{id}/cancel" {
				t.Error("what cancels is taken for a reader")
			}
		}
	}
}

func TestWhoRemovesTheCallerIsHeldBack(t *testing.T) {
	for _, path := range []string{"/me", "/api/profile", "/users/self", "/session"} {
		if explore.Dangerous(op("DELETE", path)) == "" {
			t.Errorf("DELETE %s is not held back", path)
		}
	}
}
