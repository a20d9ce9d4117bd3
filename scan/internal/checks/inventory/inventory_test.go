package inventory_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/checks/inventory"
)

func Example() {
	for _, c := range inventory.Checks()[:2] {
		fmt.Println(c.Kind.ID, c.Kind.Title)
	}
	// Output:
	// IV-01 An operation that no document names answers everybody
	// IV-02 An old version of the API is alive and less guarded
}

func document(paths string) []byte {
	return []byte(`{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {` + paths + `}}`)
}

func get(path string) string {
	return `"` + path + `": {"get": {"responses": {"200": {"description": "it"}}}}`
}

func people() []scan.User {
	return []scan.User{
		{Name: "alice", Username: "alice", Password: "Lantern-Alice-1", Token: "alices-key", Known: map[string]string{"email": "alice@castle.example"}},
		{Name: "bob", Username: "bob", Password: "Lantern-Bob-1", Token: "bobs-key", Known: map[string]string{"email": "bob@castle.example"}},
	}
}

func found(t *testing.T, id, paths string, h http.HandlerFunc) []*finding.Finding {
	t.Helper()
	r, err := scan.Run(t.Context(), scan.Config{Handler: h, Text: document(paths), Users: people(), Checks: []string{id}, NoRegister: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Failed != "" {
			t.Fatal(c.Failed)
		}
	}
	return r.Findings
}

func want(t *testing.T, list []*finding.Finding, place string) {
	t.Helper()
	if len(list) != 1 || !strings.HasPrefix(list[0].Places[0].String(), place) {
		t.Errorf("%d findings, want one at %s", len(list), place)
		for _, f := range list {
			t.Errorf("  %s: %s", f.Places[0], f.Claim)
		}
	}
}

func silent(t *testing.T, list []*finding.Finding) {
	t.Helper()
	for _, f := range list {
		t.Errorf("%s: %s", f.Places[0], f.Claim)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

func in(r *http.Request) string {
	if user, ok := strings.CutSuffix(r.Header.Get("X-User"), "s-key"); ok {
		return user
	}
	return ""
}

// guarded is an API of one operation, and whatever else h answers.
func guarded(path string, h func(w http.ResponseWriter, r *http.Request) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case h(w, r):
		case r.URL.Path != path:
			answer(w, 404, `{"error": "nothing here"}`)
		case in(r) == "":
			answer(w, 401, `{"error": "log in"}`)
		default:
			answer(w, 200, `{"email": "`+in(r)+`@castle.example", "id": 7}`)
		}
	}
}

func TestAnOperationThatNobodyNamesIsFound(t *testing.T) {
	want(t, found(t, "IV-01", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/internal/users" {
			answer(w, 200, `[{"id": 1, "email": "carol@castle.example"}]`)
			return true
		}
		return false
	})), "GET /internal/users")
}

func TestPathsThatOnlySeemToBeThereAreSilent(t *testing.T) {
	for name, h := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"all paths answer": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/me" {
				answer(w, 200, `{"page": "`+r.URL.Path+`"}`)
			}
			return r.URL.Path != "/me"
		},
		"guarded": func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/internal/users") && in(r) == "" {
				answer(w, 401, `{"error": "log in"}`)
				return true
			}
			return false
		},
		"all below a folder answer": func(w http.ResponseWriter, r *http.Request) bool {
			// They differ in more than the name, so that discovering takes them for there.
			if strings.HasPrefix(r.URL.Path, "/internal/") {
				text := `{"email": "none@castle.example", "asked": "` + r.URL.Path + `"}`
				if in(r) != "" && r.URL.Path == "/internal/users" {
					text = `{"mine": [1, 2, 3]}`
				}
				answer(w, 200, text)
				return true
			}
			return false
		},
		"health": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/health" {
				answer(w, 200, `{"status": "up"}`)
			}
			return r.URL.Path == "/health"
		},
		"a page": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/admin" {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, "<form>log in</form>")
			}
			return r.URL.Path == "/admin"
		},
	} {
		t.Run(name, func(t *testing.T) { silent(t, found(t, "IV-01", get("/me"), guarded("/me", h))) })
	}
}

const logIn = `"/v2/login": {"post": {"security": [], "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["username", "password"], "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}, "responses": {"200": {"description": "in"}}}}`

func TestAnOldVersionThatAsksNobodyToLogInIsFound(t *testing.T) {
	old := func(open bool) http.HandlerFunc {
		return guarded("/v2/orders", func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/orders" {
				return false
			}
			if in(r) == "" && !open {
				answer(w, 401, `{"error": "log in"}`)
			} else {
				answer(w, 200, `{"orders": [{"id": 1, "total": 30}]}`)
			}
			return true
		})
	}
	want(t, found(t, "IV-02", get("/v2/orders"), old(true)), "GET /v1/orders")
	silent(t, found(t, "IV-02", get("/v2/orders"), old(false)))
}

func TestAnOldLogInThatTakesAnyPasswordIsFound(t *testing.T) {
	logs := func(checks bool) http.HandlerFunc {
		return guarded("/v2/me", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || r.URL.Path != "/v1/login" && r.URL.Path != "/v2/login" {
				return false
			}
			var c struct{ Username, Password string }
			_ = json.NewDecoder(r.Body).Decode(&c)
			good := c.Username == "alice" || c.Username == "bob"
			if r.URL.Path == "/v2/login" || checks {
				good = good && strings.HasPrefix(c.Password, "Lantern-")
			}
			if !good {
				answer(w, 401, `{"error": "no"}`)
			} else {
				answer(w, 200, `{"access_token": "0123456789abcdef0123456789"}`)
			}
			return true
		})
	}
	want(t, found(t, "IV-02", logIn+","+get("/v2/me"), logs(false)), "POST /v1/login")
	silent(t, found(t, "IV-02", logIn+","+get("/v2/me"), logs(true)))
}

func TestLeftoversAreFoundByTheirContent(t *testing.T) {
	for path, body := range map[string]string{
		"/.git/HEAD": "ref: refs/heads/main\n", "/.env": "PORT=80\nDB_PASSWORD=q1w2e3\n", "/metrics": "# HELP x y\n# TYPE x counter\nx 1\n",
		"/actuator/env": `{"activeProfiles": [], "propertySources": [{"name": "systemEnvironment"}]}`, "/backup.sql": "CREATE TABLE users (id int);\n",
		"/debug/vars": `{"cmdline": ["x"], "memstats": {"Alloc": 1}}`,
	} {
		t.Run(path, func(t *testing.T) {
			want(t, found(t, "IV-04", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == path {
					w.Header().Set("Content-Type", "text/plain")
					fmt.Fprint(w, body)
				}
				return r.URL.Path == path
			})), "GET "+path)
		})
	}
}

func TestPagesAtThePathsOfLeftoversAreSilent(t *testing.T) {
	for name, body := range map[string]string{"a front end": "<!doctype html><div id=app></div>", "a text about it": "<p>Write DB_PASSWORD=secret into .env. ref: refs/heads/main</p>", "JSON": `{"ok": true}`} {
		t.Run(name, func(t *testing.T) {
			silent(t, found(t, "IV-04", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/me" {
					w.Header().Set("Content-Type", map[bool]string{true: "text/html", false: "application/json"}[body[0] == '<'])
					fmt.Fprint(w, body)
				}
				return r.URL.Path != "/me"
			})))
		})
	}
}

// allowing answers with fields of CORS for the origins that ok allows.
func allowing(ok func(origin string) bool, credentials bool) http.HandlerFunc {
	return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		if origin := r.Header.Get("Origin"); origin != "" && ok(origin) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			if credentials {
				w.Header().Set("Access-Control-Allow-Credentials", "true")
			}
		}
		return false
	})
}

func TestOriginsThatNobodyAllowedAreFound(t *testing.T) {
	for name, ok := range map[string]func(string) bool{
		"every":      func(string) bool { return true },
		"null":       func(o string) bool { return o == "null" },
		"the begin":  func(o string) bool { return strings.HasPrefix(o, "https://localhost") },
		"the ending": func(o string) bool { return strings.HasSuffix(o, "localhost") },
	} {
		t.Run(name, func(t *testing.T) { want(t, found(t, "CO-01", get("/me"), allowing(ok, true)), "GET /me") })
	}
}

func TestOriginsThatAreAllowedForGoodAreSilent(t *testing.T) {
	silent(t, found(t, "CO-01", get("/me"), allowing(func(o string) bool { return o == "https://app.example.com" }, true)))
	silent(t, found(t, "CO-01", get("/me"), allowing(func(string) bool { return true }, false)))
	silent(t, found(t, "CO-01", get("/me"), guarded("/me", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return false
	})))
}

func TestAnotherHostIsFound(t *testing.T) {
	inside := func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.Host, "internal.") && r.URL.Path == "/" {
			answer(w, 200, `{"staff": true}`)
			return true
		}
		return false
	}
	want(t, found(t, "IV-03", get("/me"), guarded("/me", inside)), "GET /")
	// Whatever name is not the usual one leads to one page.
	silent(t, found(t, "IV-03", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		if r.Host != "localhost" && r.URL.Path == "/" {
			answer(w, 200, `{"parked": true, "text": "nobody lives here"}`)
			return true
		}
		return false
	})))
	silent(t, found(t, "IV-03", get("/me"), guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/" { // The name is only repeated.
			answer(w, 200, `{"host": "`+r.Host+`"}`)
		}
		return r.URL.Path == "/"
	})))
}

func TestACacheThatKeepsByTheEndingIsFound(t *testing.T) {
	caching := func(keeps bool) http.HandlerFunc {
		var mu sync.Mutex
		kept := map[string]string{}
		return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/me/") {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			if text := kept[r.URL.Path]; text != "" {
				answer(w, 200, text)
				return true
			}
			if in(r) == "" {
				answer(w, 401, `{"error": "log in"}`)
				return true
			}
			text := `{"email": "` + in(r) + `@castle.example"}`
			if keeps && strings.HasSuffix(r.URL.Path, ".css") {
				kept[r.URL.Path] = text
			}
			answer(w, 200, text)
			return true
		})
	}
	want(t, found(t, "CA-01", get("/me"), caching(true)), "GET /me")
	silent(t, found(t, "CA-01", get("/me"), caching(false)))
}

func TestLinksToAForeignHostAreFound(t *testing.T) {
	linking := func(field string, echo bool) http.HandlerFunc {
		return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/me" || in(r) == "" {
				return false
			}
			host, more := "api.example.com", ""
			if v := r.Header.Get(field); v != "" {
				host = v
			}
			if echo {
				more = fmt.Sprint(r.Header["X-Fastness-Probe"])
			}
			answer(w, 200, `{"next": "https://`+host+`/me", "sent": "`+more+`"}`)
			return true
		})
	}
	want(t, found(t, "HTTP-01", get("/me"), linking("X-Forwarded-Host", false)), "GET /me")
	silent(t, found(t, "HTTP-01", get("/me"), linking("X-Nothing", false)))
	silent(t, found(t, "HTTP-01", get("/me"), linking("X-Forwarded-Host", true))) // An echo repeats all.
}

const wish = `"/wish/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "example": 7}}], "responses": {"200": {"description": "it"}}},
"put": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "example": 7}}], "responses": {"200": {"description": "set"}}}}`

func TestAMethodThatNobodyDeclaredIsFoundByItsEffect(t *testing.T) {
	wishes := func(removes bool) http.HandlerFunc {
		var mu sync.Mutex
		set := map[string]bool{}
		return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/wish/") || in(r) == "" {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			key := in(r) + r.URL.Path
			switch {
			case r.Method == http.MethodPut:
				set[key] = true
			case r.Method != http.MethodGet && removes:
				delete(set, key)
			}
			answer(w, 200, fmt.Sprintf(`{"wanted": %v}`, set[key]))
			return true
		})
	}
	want(t, found(t, "IV-05", get("/me")+","+wish, wishes(true)), "DELETE /wish/{id}")
	silent(t, found(t, "IV-05", get("/me")+","+wish, wishes(false))) // 200 to everything, and nothing happens.
}

func TestGraphQLThatAnswersStrangersIsFound(t *testing.T) {
	speaking := func(open bool) http.HandlerFunc {
		return guarded("/me", func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/graphql" {
				return false
			}
			var q struct{ Query string }
			_ = json.NewDecoder(r.Body).Decode(&q)
			switch {
			case r.Method == http.MethodGet, !open:
				answer(w, 400, `{"errors": [{"message": "GraphQL: this query is not allowed"}]}`)
			case strings.Contains(q.Query, "__schema"):
				answer(w, 200, `{"data": {"__schema": {"queryType": {"name": "Query"}, "types": [{"kind": "OBJECT", "name": "Query", "fields": [{"name": "people", "args": [], "type": {"kind": "LIST", "ofType": {"kind": "OBJECT", "name": "Person"}}}]}, {"kind": "OBJECT", "name": "Person", "fields": [{"name": "email", "args": [], "type": {"kind": "SCALAR", "name": "String"}}]}]}}}`)
			default:
				answer(w, 200, `{"data": {"people": [{"email": "carol@castle.example"}]}}`)
			}
			return true
		})
	}
	if list := found(t, "GQ-01", get("/me"), speaking(true)); len(list) != 2 {
		t.Errorf("%d findings, want two: the schema and the people", len(list))
	}
	silent(t, found(t, "GQ-01", get("/me"), speaking(false)))
}
