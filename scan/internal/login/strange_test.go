package login_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// jsonLogIn answers a log-in of members of a JSON body.
func jsonLogIn(user, password string, answer func(w http.ResponseWriter, name string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := readJSON(r)
		name, _ := m[user].(string)
		if len(m) != 2 || name == "" || passwords()[name] != m[password] {
			writeJSON(w, 401, object{"error": "invalid credentials"})
			return
		}
		answer(w, name)
	}
}

// strange is an API with a log-in, and what its document says.
type strange struct {
	name     string
	api      *spec.API
	handlers map[string]http.HandlerFunc
	accounts []login.Account
}

func (s strange) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range s.handlers {
		mux.HandleFunc(pattern, h)
	}
	return mux
}

func secured(o *spec.Operation, scheme string) *spec.Operation {
	o.Security, o.Secured = []spec.Requirement{{scheme: nil}}, true
	return o
}

func withScheme(a *spec.API, name string, s *spec.Scheme) *spec.API {
	a.Schemes[name] = s
	return a
}

func header(name string) func(*http.Request) string {
	return func(r *http.Request) string { return r.Header.Get(name) }
}

func cookie(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
}

func withQuery(method, path string, names ...string) *spec.Operation {
	o := op(method, path)
	for _, name := range names {
		o.Params = append(o.Params, &spec.Param{In: "query", Name: name, Required: true, Schema: &spec.Schema{Types: []string{"string"}}})
	}
	return o
}

func token(name string) string { return name + "-token-" + "k3j4h5" }

func inBody(path ...string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, name string) {
		var v any = token(name)
		for i := len(path) - 1; i >= 0; i-- {
			v = object{path[i]: v}
		}
		writeJSON(w, 200, v)
	}
}

func strangeLogIns() []strange {
	return append(strangeTokens(), strangeForms()...)
}

func strangeTokens() []strange {
	me := op("GET", "/me")
	loginOp := withBody("POST", "/login", "username", "password")
	cases := []strange{
		{name: "the token is in a nested member", api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", inBody("data", "auth", "jwt")), "GET /me": whoami(bearer("Bearer "))}},
		{name: "the token is in a header", api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", func(w http.ResponseWriter, name string) {
				w.Header().Set("Authorization", "Bearer "+token(name))
				writeJSON(w, 200, object{"message": "welcome"})
			}), "GET /me": whoami(bearer("Bearer "))}},
		{name: "the token is in a cookie only, and the answer is empty", api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", func(w http.ResponseWriter, name string) {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: token(name), Path: "/", HttpOnly: true})
				w.WriteHeader(204)
			}), "GET /me": whoami(cookie("sid"))}},
		{name: "201 with a cookie, and a body that tells nothing", api: api(me, withBody("POST", "/sessions", "email", "password")), handlers: map[string]http.HandlerFunc{
			"POST /sessions": jsonLogIn("email", "password", func(w http.ResponseWriter, name string) {
				http.SetCookie(w, &http.Cookie{Name: "connect.sid", Value: token(name)})
				writeJSON(w, 201, object{"user": object{"name": name}})
			}), "GET /me": whoami(cookie("connect.sid"))}},
		{name: "a login by GET and query", api: api(me, withQuery("GET", "/user/login", "username", "password")), handlers: map[string]http.HandlerFunc{
			"GET /user/login": func(w http.ResponseWriter, r *http.Request) {
				if q := r.URL.Query(); q.Get("username") != "" && passwords()[q.Get("username")] == q.Get("password") {
					inBody("token")(w, q.Get("username"))
					return
				}
				writeJSON(w, 400, object{"error": "no"})
			}, "GET /me": whoami(bearer("Bearer "))}},
		{name: "refresh tokens beside access tokens", api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", func(w http.ResponseWriter, name string) {
				writeJSON(w, 200, object{"refresh": "aaaaaaaaaa.bbbbbbbb.cccccccc", "refresh_token": "x-refresh-1234567", "token_type": "Bearer", "access": token(name)})
			}), "GET /me": whoami(bearer("Bearer "))}},
		{name: "the whole body is the token", api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", func(w http.ResponseWriter, name string) { fmt.Fprint(w, token(name)) }), "GET /me": whoami(bearer("Bearer "))}},
		{name: "the document has the wrong scheme", api: withScheme(api(secured(op("GET", "/me"), "key"), loginOp), "key", &spec.Scheme{Type: "apiKey", In: "header", Name: "X-API-Key"}),
			handlers: map[string]http.HandlerFunc{"POST /login": jsonLogIn("username", "password", inBody("token")), "GET /me": whoami(bearer("Token "))}},
		{name: "200 with success false for wrong names of members", api: api(me, op("POST", "/api/auth")), handlers: map[string]http.HandlerFunc{
			"POST /api/auth": func(w http.ResponseWriter, r *http.Request) {
				m := readJSON(r)
				name, _ := m["login"].(string)
				if name == "" || passwords()[name] != m["password"] {
					writeJSON(w, 200, object{"success": false, "token": "none-of-yours-1234"})
					return
				}
				writeJSON(w, 200, object{"success": true, "token": token(name)})
			}, "GET /me": whoami(bearer("Bearer "))}},
		{name: "anonymous callers see a page that asks for nothing", api: api(op("GET", "/"), loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", inBody("token")),
			"GET /{$}": func(w http.ResponseWriter, r *http.Request) {
				name, _, _ := strings.Cut(r.Header.Get("Authorization"), "-token-")
				writeJSON(w, 200, object{"user": strings.TrimPrefix(name, "Bearer ")})
			}}},
	}
	for _, prefix := range []string{"JWT ", "Token ", ""} {
		cases = append(cases, strange{name: "the prefix is " + prefix, api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", inBody("token")), "GET /me": func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.Header.Get("Authorization"), prefix+"alice") && !strings.HasPrefix(r.Header.Get("Authorization"), prefix+"bob") {
					writeJSON(w, 401, object{"error": "no"})
					return
				}
				whoami(bearer(prefix))(w, r)
			}}})
	}
	for _, name := range []string{"X-Access-Token", "X-Auth-Token", "X-Token"} {
		cases = append(cases, strange{name: "the header is " + name, api: api(me, loginOp), handlers: map[string]http.HandlerFunc{
			"POST /login": jsonLogIn("username", "password", inBody("accessToken")), "GET /me": whoami(header(name))}})
	}
	return cases
}

func strangeForms() []strange {
	me := op("GET", "/me")
	var cases []strange
	for _, name := range []string{"login", "user_name", "email", "phone", "mobile", "userName", "identifier"} {
		cases = append(cases, strange{name: "the user is called " + name, api: api(me, withBody("POST", "/auth", name, "passwd")), handlers: map[string]http.HandlerFunc{
			"POST /auth": jsonLogIn(name, "passwd", inBody("token")), "GET /me": whoami(bearer("Bearer "))}})
	}
	pin := withBody("POST", "/login", "phone", "pin")
	pin.Body.Media[0].Schema.Properties["pin"] = &spec.Schema{Types: []string{"integer"}}
	cases = append(cases,
		strange{name: "a PIN instead of a password", api: api(me, pin), accounts: []login.Account{{Name: "alice", Known: map[string]string{"phone": "+1555", "pin": "4711"}}},
			handlers: map[string]http.HandlerFunc{"POST /login": func(w http.ResponseWriter, r *http.Request) {
				if m := readJSON(r); m["phone"] == "+1555" && m["pin"] == 4711.0 {
					inBody("token")(w, "alice")
					return
				}
				writeJSON(w, 403, object{"error": "no"})
			}, "GET /me": whoami(bearer("Bearer "))}},
		strange{name: "Basic on all, which the document does not say", api: api(op("GET", "/things")), handlers: map[string]http.HandlerFunc{
			"GET /things": func(w http.ResponseWriter, r *http.Request) {
				name, password, _ := r.BasicAuth()
				if passwords()[name] != password || password == "" {
					w.Header().Set("WWW-Authenticate", `Basic realm="things"`)
					w.WriteHeader(401)
					return
				}
				writeJSON(w, 200, []any{name})
			}}},
		strange{name: "a log-in that takes Basic and answers with a token", api: api(me, op("POST", "/token")), handlers: map[string]http.HandlerFunc{
			"POST /token": func(w http.ResponseWriter, r *http.Request) {
				name, password, ok := r.BasicAuth()
				if !ok {
					writeJSON(w, 400, object{"error": "Basic, please"})
					return
				}
				if passwords()[name] != password {
					writeJSON(w, 401, object{"error": "no"})
					return
				}
				inBody("token")(w, name)
			}, "GET /me": whoami(bearer("Bearer "))}},
		strange{name: "there is no document", api: api(), handlers: map[string]http.HandlerFunc{
			"POST /api/auth/login": jsonLogIn("username", "password", inBody("token")), "GET /api/me": whoami(bearer("Bearer "))}},
		strange{name: "only writes want a log-in", api: api(op("GET", "/things"), withBody("POST", "/things", "name"), withBody("POST", "/login", "username", "password")),
			handlers: map[string]http.HandlerFunc{"POST /login": jsonLogIn("username", "password", inBody("token")),
				"GET /things": func(w http.ResponseWriter, r *http.Request) { writeJSON(w, 200, []any{1}) },
				"POST /things": func(w http.ResponseWriter, r *http.Request) {
					if !strings.Contains(r.Header.Get("Authorization"), "-token-") || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer alice") && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer bob") {
						writeJSON(w, 403, object{"detail": "Not authenticated"})
						return
					}
					if readJSON(r)["name"] == nil {
						writeJSON(w, 422, object{"error": "name"})
						return
					}
					panic("the proof has made a thing")
				}}},
	)
	return cases
}

func TestStrangeLogInsAreFoundOut(t *testing.T) {
	for _, c := range strangeLogIns() {
		t.Run(c.name, func(t *testing.T) {
			accounts := c.accounts
			if accounts == nil {
				accounts = []login.Account{alice(), bob()}
			}
			tg := &target{Handler: c.mux()}
			_, users := start(t, tg, login.Config{API: c.api, Accounts: accounts})
			t.Logf("%d requests", len(tg.sent))
			if len(users) != len(accounts) {
				t.Errorf("%d users are logged in, want %d", len(users), len(accounts))
			}
		})
	}
}
