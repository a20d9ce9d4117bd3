package discover

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// target serves a handler, and fails the test if it is asked for anything but GET, HEAD
// and OPTIONS.
func target(t *testing.T, h http.Handler) Send {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" && r.Method != "HEAD" && r.Method != "OPTIONS" {
			t.Errorf("was asked %s %s", r.Method, r.URL)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c, err := wire.New(wire.Config{Target: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Do
}

func run(t *testing.T, h http.Handler, config Config) *Result {
	t.Helper()
	config.Send = target(t, h)
	return Run(t.Context(), config)
}

func names(ops []*spec.Operation) []string {
	var out []string
	for _, op := range ops {
		out = append(out, op.String())
	}
	return out
}

// says answers with a text of a type.
func says(media, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		fmt.Fprint(w, text)
	}
}

func mustFind(t *testing.T, r *Result, want ...string) {
	t.Helper()
	got := names(r.Operations)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s was not found in %q", w, got)
		}
	}
}

func onlyFind(t *testing.T, r *Result, want ...string) {
	t.Helper()
	slices.Sort(want)
	got := names(r.Operations)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

const page = `<!doctype html><title>Shop</title><a href="/items/1?sort=asc">one</a> <a href="items/2">two</a> <a href="https://elsewhere.example/x">x</a>
<a href="/logout">bye</a><form action="/login" method="post"><input name="email" type="email" required><input name="password" type="password">
<input type="hidden" name="csrf" value="abc"><button name="go">Go</button></form><form action="/find"><input name="q"></form>
<script src="/app.js"></script>`

const app = "const API = '/api/v1';\nfetch(`${API}/users/${user.id}/orders`);\naxios.post(API + '/orders', {item: 1, quantity: n});\n" +
	"fetch('/api/v1/notes/' + noteId, {\n method: 'DELETE', headers: h });\nconst logo = '/img/logo.png';"

func withoutDocument() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", says("text/html", page))
	mux.HandleFunc("GET /app.js", says("text/javascript", app))
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		says("application/json", `{"id":`+r.PathValue("id")+`,"name":"thing","_links":{"owner":{"href":"/people/alice"},"next":"/people/bob"}}`)(w, r)
	})
	mux.HandleFunc("GET /people/{name}", func(w http.ResponseWriter, r *http.Request) {
		if n := r.PathValue("name"); n != "alice" && n != "bob" {
			http.NotFound(w, r)
			return
		}
		says("application/json", fmt.Sprintf(`{"name":%q,"age":7}`, r.PathValue("name")))(w, r)
	})
	mux.HandleFunc("POST /login", says("text/plain", "ok"))
	mux.HandleFunc("GET /find", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(422)
		fmt.Fprint(w, `{"detail":[{"type":"missing","loc":["query","limit"],"msg":"Field required"}]}`)
	})
	mux.HandleFunc("GET /api/v1/users/{id}/orders", says("application/json", `[]`))
	mux.HandleFunc("POST /api/v1/orders", says("application/json", `{}`))
	mux.HandleFunc("DELETE /api/v1/notes/{id}", says("application/json", `{}`))
	mux.HandleFunc("GET /admin", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	mux.HandleFunc("GET /logout", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /.git/HEAD", says("text/plain", "ref: refs/heads/main"))
	return mux
}

func TestAnAPIWithoutDocumentIsFoundByReading(t *testing.T) {
	r := run(t, withoutDocument(), Config{})
	mustFind(t, r, "GET /items/{id}", "GET /people/{name}", "POST /login", "GET /find", "GET /api/v1/users/{id}/orders", "POST /api/v1/orders",
		"DELETE /api/v1/notes/{noteId}", "GET /admin", "GET /.git/HEAD")
	for _, op := range r.Operations {
		proof := r.Proofs[op.ID]
		if op.Found == "" || proof.Answer == nil || proof.Absent == nil {
			t.Errorf("%s has no proof: %q", op, op.Found)
		}
		switch op.String() {
		case "GET /items/{id}":
			if p := op.Param("path", "id"); !p.Schema.Is("integer") || len(p.Examples) != 2 || op.Param("query", "sort") == nil {
				t.Errorf("%s takes %+v", op, op.Params)
			}
		case "POST /login":
			s := op.Body.Media[0].Schema
			if op.Body.Media[0].Type != "application/x-www-form-urlencoded" || !slices.Equal(s.Names, []string{"email", "password", "csrf"}) || s.Properties["csrf"].Default != "abc" || s.Properties["email"].Format != "email" {
				t.Errorf("%s takes %+v", op, s)
			}
		case "POST /api/v1/orders":
			if s := op.Body.Media[0].Schema; !slices.Equal(s.Names, []string{"item", "quantity"}) {
				t.Errorf("%s takes %q", op, s.Names)
			}
		case "GET /find":
			if op.Param("query", "q") == nil || op.Param("query", "limit") == nil {
				t.Errorf("%s takes %+v", op, op.Params)
			}
		}
	}
}

// catchAlls are targets at which nothing is there, however they say so.
func catchAlls() map[string]http.HandlerFunc {
	var count atomic.Int64
	return map[string]http.HandlerFunc{
		"a page for everything": says("text/html", "<title>App</title><div id=root></div>"),
		"a log-in for everything": func(w http.ResponseWriter, _ *http.Request) {
			n := count.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(401)
			fmt.Fprintf(w, `{"error":"unauthorized","request":%d}`, n)
		},
		"a page that repeats the path": func(w http.ResponseWriter, r *http.Request) {
			n := count.Add(1)
			says("text/html", fmt.Sprintf("<title>No %s</title>Sorry, %s is not here. Visitor %d", r.URL.Path, r.URL.Path, n))(w, r)
		},
		"a redirect to the log-in": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/signin?next="+r.URL.Path, http.StatusFound)
		},
		"no dotfiles": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/.") {
				w.WriteHeader(403)
				return
			}
			http.NotFound(w, r)
		},
		"blocked after many": func(w http.ResponseWriter, r *http.Request) {
			if count.Add(1) > 100 {
				w.WriteHeader(403)
				return
			}
			http.NotFound(w, r)
		},
		"a slash for everything": func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/") {
				http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
				return
			}
			http.NotFound(w, r)
		},
		"OPTIONS for everything": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "OPTIONS" {
				w.Header().Set("Allow", "GET, POST, PUT, DELETE")
				return
			}
			http.NotFound(w, r)
		},
		"times and numbers": func(w http.ResponseWriter, r *http.Request) {
			n := count.Add(1)
			says("application/json", fmt.Sprintf(`{"status":"ok","n":%d,"t":"2026-01-02T03:04:%02d"}`, n*n*n, n%60))(w, r)
		},
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	known := &spec.API{Operations: []*spec.Operation{{ID: "a", Method: "POST", Path: "/api/v2/users"}, {ID: "b", Method: "GET", Path: "/api/v2/users/{id}"}}}
	for name, h := range catchAlls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onlyFind(t, run(t, h, Config{API: known}))
		})
	}
}

func TestWhatIsThereIsFoundAmongCatchAlls(t *testing.T) {
	for name, h := range catchAlls() {
		if !slices.Contains([]string{"a page for everything", "a log-in for everything", "times and numbers"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/metrics" && r.Method == "GET" {
					says("text/plain", "requests_total 7\nmemory 9")(w, r)
					return
				}
				h(w, r)
			}), Config{})
			onlyFind(t, r, "GET /metrics")
		})
	}
}

func TestOldVersionsMethodsAndNeighboursAreFound(t *testing.T) {
	known := &spec.API{Base: "/api", Operations: []*spec.Operation{
		{ID: "a", Method: "POST", Path: "/api/v2/login"}, {ID: "b", Method: "GET", Path: "/api/v2/users/{id}"}, {ID: "c", Method: "GET", Path: "/api/v2/users"},
	}}
	mux := http.NewServeMux()
	for _, pattern := range []string{"POST /api/v2/login", "POST /api/v1/login", "GET /api/v2/users/{id}", "DELETE /api/v2/users/{id}", "GET /api/v2/users", "GET /api/beta/users", "GET /api/v2/users/_debug"} {
		mux.HandleFunc(pattern, says("application/json", `{"pattern":"`+pattern+`"}`))
	}
	r := run(t, mux, Config{API: known})
	onlyFind(t, r, "POST /api/v1/login", "DELETE /api/v2/users/{id}", "GET /api/beta/users", "GET /api/v2/users/_debug")
}

func TestGraphQLIsFoundByAskingForATypename(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("query") == "{__typename}" {
			says("application/json", `{"data":{"__typename":"Query"}}`)(w, r)
			return
		}
		http.Error(w, "no query", 400)
	})
	r := run(t, mux, Config{})
	mustFind(t, r, "POST /graphql")
	if !slices.Equal(r.GraphQL, []string{"/graphql"}) {
		t.Error(r.GraphQL)
	}
}

func TestDangerousPathsAreNotAskedFor(t *testing.T) {
	run(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" && (r.URL.Path == "/logout" || r.URL.Path == "/db/reset") {
			t.Errorf("was asked for %s", r.URL.Path)
		}
		says("text/html", `<a href="/logout">x</a><a href="/db/reset?now=1">y</a>`)(w, r)
	}), Config{MaxRequests: 50})
	for path, want := range map[string]bool{
		"/logout": true, "/api/db/reset": true, "/createdb": true, "/users/v1/deleteAll": true, "/delete_user/1": true, "/shutdown": true, "/log-out": true,
		"/users": false, "/created": true, "/reset-password": true, "/dropdown": false, "/settings": false, "/recreation": false, "/clearance": false, "/items/1": false, "/started": false,
	} {
		if got := Dangerous(path); got != want {
			t.Errorf("Dangerous(%q) = %v", path, got)
		}
	}
}

func TestTheSameTargetGivesTheSameResult(t *testing.T) {
	a, b := run(t, withoutDocument(), Config{Seed: 1}), run(t, withoutDocument(), Config{Seed: 1})
	if !slices.Equal(names(a.Operations), names(b.Operations)) || a.Requests != b.Requests {
		t.Errorf("%d: %q\n%d: %q", a.Requests, names(a.Operations), b.Requests, names(b.Operations))
	}
}

func TestACrawlEnds(t *testing.T) {
	var count atomic.Int64
	r := run(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := count.Add(1)
		says("text/html", fmt.Sprintf(`<a href="/a%d/b">x</a><a href="%s/deeper%d?x%d=1">y</a>`, n, r.URL.Path, n, n))(w, r)
	}), Config{MaxRequests: 300, MaxPages: 40})
	if r.Requests > 300 || !r.Cut {
		t.Errorf("%d requests, cut %v", r.Requests, r.Cut)
	}
}

func TestOnlyTheTargetIsAskedFor(t *testing.T) {
	f := newFinder(Config{Send: func(context.Context, wire.Request) *wire.Exchange { return nil }})
	f.origin = "http://a.example:8080"
	for to, want := range map[string]string{
		"http://a.example:8080/x?y": "/x?y", "http://b.example/x": "", "//b.example/x": "", "javascript:alert(1)": "", "mailto:a@a.example": "",
		"../c": "/c", "d": "/b/d", "?q=1": "/b/?q=1", "#x": "", "http://user@a.example:8080/": "", "/x/{id}{?page,size}": "/x/{id}?page=&size=",
		"http://a.example:9090/x": "", "https://a.example/x": "/x", "data:text/html,x": "", "/a b": "",
	} {
		if got, _ := f.resolve("/b/", to); got != want {
			t.Errorf("%q became %q, want %q", to, got, want)
		}
	}
}
