package login_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/login"
)

// whoami answers with the user that a token belongs to, "<user>-token-…".
func whoami(token func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, _, ok := strings.Cut(token(r), "-token-")
		if _, known := passwords()[name]; !ok || !known {
			writeJSON(w, 401, object{"error": "not authenticated"})
			return
		}
		writeJSON(w, 200, object{"username": name, "id": 7})
	}
}

func bearer(prefix string) func(*http.Request) string {
	return func(r *http.Request) string {
		after, _ := strings.CutPrefix(r.Header.Get("Authorization"), prefix)
		return after
	}
}

func TestTheOAuth2FormLogsIn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") != "password" || r.FormValue("scope") != "all" || passwords()[r.FormValue("username")] != r.FormValue("password") {
			writeJSON(w, 400, object{"error": "invalid_grant"})
			return
		}
		writeJSON(w, 200, object{"access_token": r.FormValue("username") + "-token-1", "token_type": "bearer"})
	})
	mux.HandleFunc("GET /me", whoami(bearer("Bearer ")))
	_, users := start(t, &target{Handler: mux}, login.Config{
		API: api(op("GET", "/me")), Accounts: []login.Account{alice(), bob()},
		LogIn: &login.Method{OAuth2: &login.OAuth2{URL: "https://elsewhere.example/token", Scope: "all"}},
	})
	if len(users) != 2 || users[1].Credentials()[0].Value != "bob-token-1" {
		t.Errorf("users are %+v, want alice and bob with their tokens", users)
	}
}

func TestAnyJSONLogsIn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/session", func(w http.ResponseWriter, r *http.Request) {
		inner, _ := readJSON(r)["user"].(object)
		name, _ := inner["login"].(string)
		if passwords()[name] != inner["pass"] || inner["device"] != "scan" || name == "" {
			writeJSON(w, 422, object{"error": "no"})
			return
		}
		writeJSON(w, 201, object{"data": object{"tokens": []any{object{"kind": "a", "v": name + "-token-1"}}}})
	})
	mux.HandleFunc("GET /me", whoami(func(r *http.Request) string {
		after, _ := strings.CutPrefix(r.Header.Get("X-Key"), "Key=")
		return after
	}))
	start(t, &target{Handler: mux}, login.Config{
		API: api(op("GET", "/me")), Accounts: []login.Account{alice()},
		LogIn: &login.Method{
			Request: &login.Step{Method: "put", Path: "/api/session", JSON: object{"user": object{"login": "{{username}}", "pass": "{{password}}", "device": "scan"}}},
			Token:   "body:/data/tokens/0/v",
			Send:    []login.Credential{{In: "header", Name: "X-Key", Prefix: "Key="}},
		},
	})
}

func TestATokenNeedsNoLogIn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me", whoami(bearer("Bearer ")))
	_, users := start(t, &target{Handler: mux}, login.Config{
		API: api(op("GET", "/me")), Accounts: []login.Account{{Name: "alice", Token: "alice-token-9"}},
	})
	if secrets := users[0].Secrets(); len(secrets) != 1 || secrets[0] != "alice-token-9" {
		t.Errorf("secrets are %q, want the token", secrets)
	}
}

func TestBasicIsSentWithEachRequest(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things", func(w http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		if !ok || passwords()[name] != password || password == "" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(401)
			return
		}
		writeJSON(w, 200, []any{})
	})
	_, users := start(t, &target{Handler: mux}, login.Config{
		API: api(op("GET", "/things")), Accounts: []login.Account{alice()}, LogIn: &login.Method{Basic: true},
	})
	want := base64.StdEncoding.EncodeToString([]byte("alice:alice-secret-1"))
	if got := users[0].Credentials()[0]; got.Value != want || got.Prefix != "Basic " {
		t.Errorf("the credential is %+v, want %s", got, want)
	}
}

func TestAWrongConfigurationIsNamedWhole(t *testing.T) {
	_, err := login.New(login.Config{Accounts: []login.Account{
		{Name: "a"}, {Name: "a", Username: "x", LogIn: &login.Method{Basic: true, OAuth2: &login.OAuth2{}}},
		{Username: "b", LogIn: &login.Method{Steps: []login.Step{{Path: "x", JSON: object{"p": "{{nothing}}"}, Extract: map[string]string{"t": "moon:x"}}}}},
		{Username: "c", LogIn: &login.Method{Send: []login.Credential{{In: "body"}}, Check: "me", Token: "regex:("}},
	}})
	for _, want := range []string{"Client is nil", "two of this name", "neither username nor token", "more than one of oauth2", "oauth2 has no url",
		"want one with a slash", "{{nothing}}", "moon", "a credential is in", "GET /me", "regex:("} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}
