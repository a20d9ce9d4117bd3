package exposure_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
)

// document is one of operations that need a log-in. What follows are its paths.
func document(paths string) []byte {
	return []byte(`{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {` + paths + `}}`)
}

// get describes an operation whose answer nobody describes.
func get(path string) string {
	return `"` + path + `": {"get": {"responses": {"200": {"description": "it"}}}}`
}

// people are the users of the tests; their keys are their names.
func people() []scan.User {
	return []scan.User{
		{Name: "alice", Username: "alice", Password: "Lantern-Alice-1", Token: "alices-key", Known: map[string]string{"email": "alice@castle.example", "phone": "+49 30 1234567"}},
		{Name: "bob", Username: "bob", Password: "Lantern-Bob-1", Token: "bobs-key", Known: map[string]string{"email": "bob@castle.example"}},
	}
}

// found scans a handler behind a log-in with one check.
func found(t *testing.T, id, paths string, handler http.HandlerFunc) []*finding.Finding {
	t.Helper()
	r, err := scan.Run(t.Context(), scan.Config{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if key := r.Header.Get("X-User"); key != "alices-key" && key != "bobs-key" && !strings.HasPrefix(r.URL.Path, "/open") {
				http.Error(w, `{"error":"log in"}`, http.StatusUnauthorized)
				return
			}
			handler(w, r)
		}),
		Text: document(paths), Users: people(), Checks: []string{id}, NoRegister: true,
	})
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

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

// only answers one path and 404 to all others.
func only(path string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			answer(w, 404, `{"error":"nothing here"}`)
			return
		}
		h(w, r)
	}
}

func token() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := "q8Zk2mLx7Tn4Vb1Rc9Ds6Wf3Yh5Jg0"
	sum := []byte("000000")
	for i, n := 5, crc32.ChecksumIEEE([]byte(text)); n > 0; i, n = i-1, n/62 {
		sum[i] = digits[n%62]
	}
	return "ghp_" + text + string(sum)
}

const bcrypt = `$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW`

func TestSecretsInAnswersAreFoundByTheirForm(t *testing.T) {
	for name, body := range map[string]string{
		"a hash":                   `{"id": 1, "login": "alice", "pw": "` + bcrypt + `"}`,
		"a digest":                 `{"id": 1, "passwordHash": "5f4dcc3b5aa765d61d8327deb882cf99"}`,
		"Argon2":                   `{"data": [{"credentials": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21l$RdescudvJCsgt3ub+b8R1qsgKY9nFC7rPK4vX5rpl0M"}]}`,
		"Werkzeug":                 `{"u": {"pass": "pbkdf2:sha256:260000$V0Mmh2Xw$4d5a1e2f3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6"}}`,
		"the password itself":      `{"profile": {"secret_word": "Lantern-Alice-1"}}`,
		"passwords of accounts":    `[{"email": "carol@castle.example", "password": "tulip77"}]`,
		"a private key":            `{"pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq1nBZf0Jc2Yx8m3kT5vQ9wXh4LrD6sUe2Pj7NyFgKcAoHi\nMIIEpAIBAAKCAQEA7bq1nBZf0Jc2Yx8m3kT5vQ9wXh4LrD6sUe2Pj7NyFgKcAoHi\n"}`,
		"a token with a checksum":  `{"ci": "` + token() + `"}`,
		"the environment":          `{"env": {"JWT_SECRET": "hunter22", "PORT": "80"}}`,
		"a database":               `{"dsn": "postgres://shop:q1w2e3r4@db.internal:5432/shop"}`,
		"an API key of an account": `{"id": 12, "username": "alice", "email": "alice@castle.example", "api_key": "9f8a7b6c5d4e3f2a1b0c9d8e"}`,
	} {
		t.Run(name, func(t *testing.T) {
			list := found(t, "DE-01", get("/profile"), only("/profile", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, body) }))
			if len(list) != 1 || list[0].Places[0].Path != "/profile" || !list[0].Proven {
				t.Errorf("%d findings, want one at /profile: %v", len(list), list)
			}
		})
	}
}

func TestWhatOnlyLooksLikeASecretIsSilent(t *testing.T) {
	for name, body := range map[string]string{
		"texts of a form":         `{"labels": {"username": "Benutzername", "password": "Passwort", "email": "E-Mail"}}`,
		"masked":                  `{"id": 1, "email": "alice@castle.example", "password": "********", "api_key": "sk_****1234"}`,
		"nothing":                 `{"id": 1, "password": null, "password_hash": ""}`,
		"a flag":                  `{"id": 1, "password": true, "has_password": true}`,
		"a rule":                  `{"password_policy": "at least 8 characters", "password_min_length": 8}`,
		"a wrong checksum":        `{"sample": "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
		"an example of AWS":       `{"hint": "AKIAIOSFODNN7EXAMPLE"}`,
		"a placeholder":           `{"dsn": "postgres://user:password@localhost/db"}`,
		"a digest of a file":      `{"id": 1, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "etag": "5f4dcc3b5aa765d61d8327deb882cf99"}`,
		"a public key":            `{"pem": "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bq1nBZf0Jc2Yx8m3kT5\n"}`,
		"random texts":            `{"id": "5b1e7c", "nonce": "q8Zk2mLx7Tn4Vb1Rc9Ds6Wf3Yh5Jg0", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}`,
		"a page to continue with": `{"items": [], "next_token": "eyJwYWdlIjoyLCJzaXplIjo1MH0abcdef123456", "token_type": "bearer"}`,
	} {
		t.Run(name, func(t *testing.T) {
			list := found(t, "DE-01", get("/profile"), only("/profile", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, body) }))
			for _, f := range list {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
	t.Run("an echo", func(t *testing.T) {
		paths := `"/echo": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"hash": {"type": "string", "example": "` + bcrypt + `"}}}}}}, "responses": {"200": {"description": "it"}}}}`
		list := found(t, "DE-01", paths, only("/echo", func(w http.ResponseWriter, r *http.Request) {
			var v any
			_ = json.NewDecoder(r.Body).Decode(&v)
			text, _ := json.Marshal(map[string]any{"you_sent": v})
			answer(w, 200, string(text))
		}))
		for _, f := range list {
			t.Errorf("%s: %s", f.Places[0], f.Claim)
		}
	})
}

func TestContactDataOfOthersIsFound(t *testing.T) {
	for name, path := range map[string]string{"by other users": "/people", "by strangers": "/open/reviews"} {
		t.Run(name, func(t *testing.T) {
			list := found(t, "DE-02", get(path), only(path, func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 200, `{"list": [{"name": "A", "email": "alice@castle.example"}, {"name": "B", "mail": "bob@castle.example"}]}`)
			}))
			if len(list) != 1 {
				t.Errorf("%d findings, want one: %v", len(list), list)
			}
		})
	}
	t.Run("cards", func(t *testing.T) {
		list := found(t, "DE-02", get("/wallet"), only("/wallet", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"cards": [{"number": "4556 7375 8689 9855", "cvc": "123"}]}`)
		}))
		if len(list) != 1 {
			t.Errorf("%d findings, want one: %v", len(list), list)
		}
	})
}

func TestContactDataThatIsOnesOwnOrPublicIsSilent(t *testing.T) {
	own := func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"email": "`+strings.TrimSuffix(r.Header.Get("X-User"), "s-key")+`@castle.example"}`)
	}
	silent := map[string]http.HandlerFunc{
		"one's own": own,
		"a public": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"shop": {"contact_email": "alice@castle.example"}}`)
		},
		"no card": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"order": "4556737586899856", "cvc": "123"}`)
		},
		"a card no code": func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"tracking": "4556737586899855"}`) },
		"an error at 200": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"success": false, "error": "alice@castle.example"}`)
		},
	}
	for name, h := range silent {
		t.Run(name, func(t *testing.T) {
			for _, f := range found(t, "DE-02", get("/thing"), only("/thing", h)) {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
}
