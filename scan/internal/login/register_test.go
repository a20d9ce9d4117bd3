package login_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// club is a target where one can register.
type club struct {
	mu      sync.Mutex
	members map[string]string // passwords
	// wrong answers what is wrong with a registration, with false, or lets it pass.
	wrong func(w http.ResponseWriter, m object) bool
	user  string // what the name of the user is called
	login string // what it is called by the log-in
}

func (c *club) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members == nil {
		c.members = map[string]string{}
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /register":
		m := readJSON(r)
		if c.wrong != nil && !c.wrong(w, m) {
			return
		}
		name, _ := m[c.user].(string)
		password, _ := m["password"].(string)
		if name == "" || password == "" {
			writeJSON(w, 400, object{"error": c.user + " and password are required"})
			return
		}
		if c.members[name] != "" {
			writeJSON(w, 409, object{"error": "this name is taken"})
			return
		}
		c.members[name] = password
		writeJSON(w, 201, object{"id": 100 + len(c.members), c.user: name})
	case "POST /login":
		m := readJSON(r)
		name, _ := m[c.login].(string)
		if name == "" || c.members[name] != m["password"] {
			writeJSON(w, 401, object{"error": "wrong"})
			return
		}
		writeJSON(w, 200, object{"token": name + "-token-123456"})
	case "GET /me":
		name, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-token-")
		if c.members[name] == "" {
			writeJSON(w, 401, object{"error": "no"})
			return
		}
		writeJSON(w, 200, object{"username": name, "id": len(name) + 1000, "email": name})
	default:
		w.WriteHeader(404)
	}
}

// named answers the errors of a registration that is not as it must be.
func must(w http.ResponseWriter, ok bool, v any) bool {
	if !ok {
		writeJSON(w, 422, v)
	}
	return ok
}

func text(m object, name string) string {
	s, _ := m[name].(string)
	return s
}

func TestUsersAreRegisteredDespiteRulesThatNoDocumentTells(t *testing.T) {
	for name, wrong := range map[string]func(http.ResponseWriter, object) bool{
		"no rules": nil,
		"a member more, by loc": func(w http.ResponseWriter, m object) bool {
			return must(w, text(m, "first_name") != "", object{"detail": []any{object{"loc": []any{"body", "first_name"}, "msg": "field required", "type": "value_error.missing"}}})
		},
		"a member more, by a sentence": func(w http.ResponseWriter, m object) bool {
			return must(w, text(m, "phone") != "", object{"message": "phone is required"})
		},
		"a member more, after a colon": func(w http.ResponseWriter, m object) bool {
			return must(w, text(m, "phone") != "", object{"error": "field missing: phone"})
		},
		"several, by a map": func(w http.ResponseWriter, m object) bool {
			return must(w, text(m, "country") != "" && m["terms"] == true, object{"errors": object{"country": []any{"can't be blank"}, "terms": []any{"must be accepted, is required"}}})
		},
		"a long password": func(w http.ResponseWriter, m object) bool {
			return must(w, len(text(m, "password")) >= 20, object{"errors": []any{object{"field": "password", "message": "must be at least 20 characters"}}})
		},
		"a short name": func(w http.ResponseWriter, m object) bool {
			return must(w, len(text(m, "username")) <= 10, object{"errors": []any{object{"pointer": "/username", "detail": "should have at most 10 characters"}}})
		},
		"the password twice": func(w http.ResponseWriter, m object) bool {
			return must(w, m["passwordConfirmation"] == m["password"], object{"error": `"passwordConfirmation" must match password`})
		},
		"no unknown members": func(w http.ResponseWriter, m object) bool {
			return must(w, m["email"] == nil, object{"message": []any{"property email should not exist"}})
		},
		"a plain password": func(w http.ResponseWriter, m object) bool {
			return must(w, regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(text(m, "password")), object{"errors": []any{object{"param": "password", "msg": "must be alphanumeric"}}})
		},
		"a typical policy": func(w http.ResponseWriter, m object) bool {
			p := text(m, "password")
			for _, class := range []string{"[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]", "^.{12,}$"} {
				if !regexp.MustCompile(class).MatchString(p) {
					return must(w, false, object{"error": "weak"})
				}
			}
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &club{wrong: wrong, user: "username", login: "username"}
			tg := &target{Handler: c}
			register := withBody("POST", "/register", "username", "email", "password")
			k, users := start(t, tg, login.Config{Wanted: 2, API: api(op("GET", "/me"), withBody("POST", "/login", "username", "password"), register)})
			if len(users) != 2 || !users[0].Registered || users[0].Name == users[1].Name {
				t.Fatalf("users are %v, want two that are registered", users)
			}
			u, err := k.Register(t.Context(), "logout")
			if err != nil || !strings.HasPrefix(u.Name, "fz") || u.Known["password"] == "" {
				t.Errorf("Register() = %v, %v, want a user", u, err)
			}
		})
	}
}

func TestUsersWithoutADocumentedBodyAreRegistered(t *testing.T) {
	c := &club{user: "email", login: "email"}
	_, users := start(t, &target{Handler: c}, login.Config{Wanted: 2, API: api(op("GET", "/me"), op("POST", "/login"), op("POST", "/register"))})
	if len(users) != 2 || !strings.HasSuffix(users[0].Known["email"], "@example.com") || users[0].Known["id"] == "" {
		t.Errorf("users know %v, want e-mail addresses and ids", users[0].Known)
	}
}

func TestAPINAloneIsWhatTheUserLogsInWith(t *testing.T) {
	pins := map[string]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {
		m := readJSON(r)
		if !regexp.MustCompile(`^[0-9]{4}$`).MatchString(text(m, "pin")) || text(m, "email") == "" {
			writeJSON(w, 422, object{"error": "pin must have 4 digits"})
			return
		}
		pins[text(m, "email")] = text(m, "pin")
		writeJSON(w, 201, object{"email": text(m, "email")})
	})
	mux.HandleFunc("POST /signin", func(w http.ResponseWriter, r *http.Request) {
		m := readJSON(r)
		if pin := pins[text(m, "email")]; pin == "" || pin != text(m, "pin") {
			writeJSON(w, 401, object{"error": "wrong"})
			return
		}
		writeJSON(w, 200, object{"token": text(m, "email") + "-token-123456"})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		email, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-token-")
		if pins[email] == "" {
			writeJSON(w, 401, object{"error": "no"})
			return
		}
		writeJSON(w, 200, object{"email": email})
	})
	a := api(op("GET", "/me"), withBody("POST", "/signin", "email", "pin"), withBody("POST", "/signup", "email", "pin"))
	if _, users := start(t, &target{Handler: mux}, login.Config{Wanted: 2, API: a}); len(users) != 2 {
		t.Errorf("users are %+v, want two with a PIN", users)
	}
}

func TestTheSameSeedFindsNamesOfAnEarlierScanTaken(t *testing.T) {
	c := &club{user: "username", login: "username"}
	a := api(op("GET", "/me"), withBody("POST", "/login", "username", "password"), withBody("POST", "/register", "username", "password"))
	for range 4 {
		start(t, &target{Handler: c}, login.Config{Wanted: 2, API: a, Seed: 7})
	}
}

func TestAKeyFromTheRegistrationIsTaken(t *testing.T) {
	mux := http.NewServeMux()
	keys := 0
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {
		if m := readJSON(r); text(m, "email") == "" {
			writeJSON(w, 400, object{"error": "email is required"})
			return
		}
		keys++
		writeJSON(w, 201, object{"data": object{"id": keys, "api_key": fmt.Sprintf("key-%08d", keys)}})
	})
	mux.HandleFunc("GET /things", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("X-API-Key"), "key-0000") {
			w.WriteHeader(401)
			return
		}
		writeJSON(w, 200, []any{})
	})
	a := withScheme(api(secured(op("GET", "/things"), "key"), withBody("POST", "/signup", "email")), "key", &spec.Scheme{Type: "apiKey", In: "header", Name: "X-API-Key"})
	_, users := start(t, &target{Handler: mux}, login.Config{Wanted: 2, API: a})
	if len(users) != 2 || users[0].Credentials()[0].Name != "X-API-Key" || users[0].Known["id"] != "1" {
		t.Errorf("users are %+v, want two with keys", users)
	}
}

func TestAConfirmationByMailIsSaidToBeOutOfReach(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, 201, object{"message": "Please confirm your email address"})
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, 403, object{"error": "account not activated"})
	})
	k, err := login.New(login.Config{Client: &target{Handler: mux}, API: api(withBody("POST", "/login", "email", "password"), withBody("POST", "/register", "email", "password"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "confirmed") {
		t.Errorf("Start() = %v, want that the address must be confirmed", err)
	}
}

func TestNobodyIsRegisteredWhereItIsForbidden(t *testing.T) {
	c := &club{user: "username", login: "username"}
	tg := &target{Handler: c}
	k, err := login.New(login.Config{Client: tg, NoRegister: true, API: api(withBody("POST", "/register", "username", "password"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Register(t.Context(), "x"); err == nil || len(tg.sent) > 0 {
		t.Errorf("Register() = %v after %d requests, want an error and none", err, len(tg.sent))
	}
}
