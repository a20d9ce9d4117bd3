package login_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/wire"
)

// site is a target with pages: its log-in form has a token that only its cookie fits.
type site struct {
	*http.ServeMux
	n int
}

func newSite() *site {
	s := &site{ServeMux: http.NewServeMux()}
	s.HandleFunc("GET /account/login", func(w http.ResponseWriter, r *http.Request) {
		s.n++
		http.SetCookie(w, &http.Cookie{Name: "csrf_cookie", Value: fmt.Sprintf("t%08d", s.n), HttpOnly: true})
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<html><form action="search"><input name=q></form>
			<form method=post action="login?next=%%2Fhome"><input type="hidden" name="_csrf" value="t%08d">
			<input name="user[email]" type="email"><input name="user[password]" type=password><input type=checkbox name=keep><button>Go</button></form>`, s.n)
	})
	s.HandleFunc("POST /account/login", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("csrf_cookie")
		if err != nil || c.Value != r.FormValue("_csrf") || r.URL.Query().Get("next") != "/home" {
			w.WriteHeader(403)
			return
		}
		name := strings.TrimSuffix(r.FormValue("user[email]"), "@example.com")
		if passwords()[name] == "" || passwords()[name] != r.FormValue("user[password]") {
			w.Header().Set("Location", "/account/login")
			w.WriteHeader(303)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: name + "-token-1", HttpOnly: true})
		w.Header().Set("Location", "/home")
		w.WriteHeader(303)
	})
	s.HandleFunc("GET /home", func(w http.ResponseWriter, r *http.Request) {
		name, _, ok := strings.Cut(cookie("sid")(r), "-token-")
		if _, known := passwords()[name]; !ok || !known {
			w.Header().Set("Location", "/account/login?next=/home")
			w.WriteHeader(302)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<meta name="csrf-token" content="write-%s"><p>Hello %s</p>`, name, name)
	})
	s.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(cookie("sid")(r), "-token-")
		if r.Header.Get("X-CSRF-Token") != "write-"+name {
			w.WriteHeader(403)
			return
		}
		w.WriteHeader(201)
	})
	return s
}

func mailAccounts() []login.Account {
	return []login.Account{{Name: "alice", Username: "alice@example.com", Password: "alice-secret-1"}, {Name: "bob", Username: "bob@example.com", Password: "bob-secret-2"}}
}

func TestAFormWithAHiddenTokenLogsIn(t *testing.T) {
	for name, config := range map[string]login.Config{
		"as configured": {API: api(op("GET", "/home")), LogIn: &login.Method{Page: &login.Page{Path: "/account/login"}}},
		"as found out":  {API: api(op("GET", "/home"))},
	} {
		t.Run(name, func(t *testing.T) {
			config.Accounts = mailAccounts()
			tg := &target{Handler: newSite()}
			_, users := start(t, tg, config)
			r := wire.Request{Method: "POST", Path: "/things", Header: http.Header{}}
			users[1].Apply(&r)
			if ex := tg.Do(t.Context(), r); ex.Status != 201 {
				t.Errorf("a write is answered %d, want 201: the token of the page is missing", ex.Status)
			}
		})
	}
}

func TestACookieIsRepeatedInAHeader(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", jsonLogIn("username", "password", func(w http.ResponseWriter, name string) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: token(name)})
		http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: "a%3D1"})
		w.WriteHeader(200)
	}))
	mux.HandleFunc("GET /me", whoami(cookie("sid")))
	_, users := start(t, &target{Handler: mux}, login.Config{API: api(op("GET", "/me"), withBody("POST", "/login", "username", "password")), Accounts: []login.Account{alice()}})
	var guard *login.Credential
	for _, c := range users[0].Credentials() {
		if c.Guard {
			guard = &c
		}
	}
	if guard == nil || guard.Name != "X-XSRF-TOKEN" || guard.Value != "a=1" {
		t.Errorf("the guard is %+v, want X-XSRF-TOKEN a=1", guard)
	}
}

func TestAGuardIsAddedToForms(t *testing.T) {
	u := login.NewUser("a", login.Credential{In: "form", Name: "_csrf", Value: "x y", Guard: true})
	r := wire.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("a=1")}
	u.Apply(&r)
	if string(r.Body) != "a=1&_csrf=x+y" {
		t.Errorf("the body is %q", r.Body)
	}
	again := r
	u.Apply(&again)
	if string(again.Body) != "a=1&_csrf=x+y" {
		t.Errorf("the body is %q after another time", again.Body)
	}
	foreign := wire.Request{Header: r.Header, Body: []byte("_csrf=of+somebody&a=1")}
	u.Apply(&foreign)
	if string(foreign.Body) != "a=1&_csrf=x+y" {
		t.Errorf("the body is %q, want the guard of the user in it", foreign.Body)
	}
}

func TestASessionThatRollsIsFollowed(t *testing.T) {
	current, n := "", 0
	next := func(w http.ResponseWriter) {
		n++
		current = fmt.Sprintf("session-%06d", n)
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: current})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", jsonLogIn("username", "password", func(w http.ResponseWriter, name string) { next(w); w.WriteHeader(204) }))
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if current == "" || cookie("sid")(r) != current {
			writeJSON(w, 401, object{"error": "no session"})
			return
		}
		writeJSON(w, 200, object{"username": "alice"})
	})
	mux.HandleFunc("POST /rotate", func(w http.ResponseWriter, r *http.Request) { next(w); w.WriteHeader(204) })
	mux.HandleFunc("POST /login/as/bob", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "session-of-bob"})
	})
	mux.HandleFunc("POST /other", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "session-of-bob"})
	})
	tg := &target{Handler: mux}
	k, users := start(t, tg, login.Config{API: api(op("GET", "/me"), withBody("POST", "/login", "username", "password")), Accounts: []login.Account{alice()}})
	tg.call(k, users[0], "POST", "/rotate")
	if got := users[0].Credentials()[0].Value; got != current {
		t.Errorf("the session is %s, want %s", got, current)
	}
	tg.call(k, users[0], "POST", "/login/as/bob")
	tg.call(k, users[0], "POST", "/other")
	if got := users[0].Credentials()[0].Value; got != current {
		t.Errorf("the session is %s, want %s: that of another user was taken", got, current)
	}
}

func TestAScriptLogsInWithSeveralSteps(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /start", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Flow", "flow-7")
		http.SetCookie(w, &http.Cookie{Name: "f", Value: "c1"})
		fmt.Fprintf(w, "your code=4242 for %s", text(readJSON(r), "user"))
	})
	mux.HandleFunc("PUT /finish/{flow}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("flow") != "flow-7" || r.FormValue("code") != "4242" || r.Header.Get("X-C") != "c1" || r.FormValue("pw") != "alice-secret-1" {
			w.WriteHeader(403)
			return
		}
		writeJSON(w, 200, object{"result": []any{object{"s": "alice-token-5", "key": "k-1"}}})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "k-1" {
			w.WriteHeader(400)
			return
		}
		whoami(header("X-S"))(w, r)
	})
	start(t, &target{Handler: mux}, login.Config{API: api(op("GET", "/me")), Accounts: []login.Account{alice()}, LogIn: &login.Method{
		Steps: []login.Step{
			{Path: "/start", JSON: object{"user": "{{username}}"}, Extract: map[string]string{"code": "regex:code=([0-9]+)", "flow": "header:X-Flow", "c": "cookie:f"}},
			{Method: "PUT", Path: "/finish/{{flow}}", Headers: map[string]string{"X-C": "{{c}}"}, Form: map[string]string{"code": "{{code}}", "pw": "{{password}}"},
				Extract: map[string]string{"token": "body:result.0.s", "key": "body:/result/0/key"}},
		},
		Send:  []login.Credential{{In: "header", Name: "X-S"}, {In: "header", Name: "X-Key", Value: "{{key}}"}},
		Check: "GET /me",
	}})
}
