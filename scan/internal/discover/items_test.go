package discover

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/spec"
)

func TestWhatIsInAListIsAskedForByItsID(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/boats", says("application/json", `{"count": 1, "results": [{"name": "Tern", "id": 41}]}`))
	mux.HandleFunc("GET /api/boats/41", says("application/json", `{"name": "Tern", "id": 41}`))
	mux.HandleFunc("GET /api/ports/", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/ports/":
			says("application/json", `[{"slug": "old-town"}]`)(w, r)
		case "/api/ports/old-town/":
			says("application/json", `{"slug": "old-town"}`)(w, r)
		default:
			http.NotFound(w, r)
		}
	})
	mux.HandleFunc("GET /api/logs", says("application/json", `[{"id": 7, "text": "nothing stands below"}]`))
	api := &spec.API{Operations: []*spec.Operation{{Method: "GET", Path: "/api/boats"}, {Method: "GET", Path: "/api/ports/"}, {Method: "GET", Path: "/api/logs"}}}
	r := run(t, mux, Config{API: api})
	mustFind(t, r, "GET /api/boats/{id}", "GET /api/ports/{id}/")
	for _, op := range r.Operations {
		if strings.HasPrefix(op.Path, "/api/logs/") {
			t.Errorf("%s was found, which is not there", op)
		}
		if op.Path == "/api/boats/{id}" && op.Params[0].Examples[0] != "41" {
			t.Errorf("the example is %v, want the id of the list", op.Params[0].Examples)
		}
	}
}

func TestAListOfRoutesForDevelopersIsRead(t *testing.T) {
	const page = `<html><p>Using the URLconf defined in <code>site</code>, these were tried:</p><ol>
<li> <code> api/ </code> <code> boats/&lt;int:pk&gt;/ [name='boat'] </code> </li> <li> ^harbour/(?P&lt;slug&gt;[a-z]+)$ </li></ol></html>`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/boats/1/", "/harbour/1":
			says("application/json", `{"name": "Tern"}`)(w, r)
		default:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(404)
			_, _ = w.Write([]byte(page))
		}
	})
	mustFind(t, run(t, h, Config{}), "GET /api/boats/{id}/", "GET /harbour/{slug}")
}

func TestWhatWasFoundGetsTheParametersOfLaterLinks(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", says("text/html", `<a href="/card?text=A1">card</a><a href="/boats/77">Tern</a>`))
	mux.HandleFunc("GET /card", says("text/plain", "A1"))
	mux.HandleFunc("GET /boats/77", says("text/html", "Tern"))
	card := &spec.Operation{Method: "GET", Path: "/card", Found: "earlier"}
	boat := &spec.Operation{Method: "GET", Path: "/boats/{id}", Found: "earlier", Params: []*spec.Param{{Name: "id", In: "path", Schema: &spec.Schema{}}}}
	declared := &spec.Operation{Method: "GET", Path: "/"}
	run(t, mux, Config{API: &spec.API{Operations: []*spec.Operation{card, boat, declared}}})
	if card.Param("query", "text") == nil || len(boat.Params) != 1 || len(boat.Params[0].Examples) != 1 || len(declared.Params) != 0 {
		t.Errorf("the parameters are %v and %v", card.Params, boat.Params[0])
	}
}

func TestWhatShowsAnAccountMayChangeIt(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/account", says("application/json", `{"id": 4, "username": "alice", "email": "a@b.example", "full_name": "Alice", "is_staff": false}`))
	mux.HandleFunc("GET /api/me", says("application/json", `{"id": 4, "username": "alice"}`))
	r := run(t, mux, Config{API: &spec.API{Operations: []*spec.Operation{{Method: "GET", Path: "/api/account"}, {Method: "GET", Path: "/api/me"}}}})
	if got := names(r.Unproven); len(got) != 1 || got[0] != "PATCH /api/account" {
		t.Fatalf("expected are %q", got)
	}
	if members := r.Unproven[0].Body.Media[0].Schema.Names; len(members) != 1 || members[0] != "full_name" {
		t.Errorf("the members are %q, want what nobody logs in with", members)
	}
}
