package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// target is an API under test: a handler, and what was sent to it.
type target struct {
	http.Handler
	mu   sync.Mutex
	sent []*wire.Exchange
}

// Do implements login.Sender, without a network.
func (t *target) Do(ctx context.Context, r wire.Request) *wire.Exchange {
	hr := httptest.NewRequestWithContext(ctx, r.Method, "http://target"+r.Target(), strings.NewReader(string(r.Body)))
	for name, values := range r.Header {
		hr.Header[name] = values
	}
	w := httptest.NewRecorder()
	t.ServeHTTP(w, hr)
	ex := &wire.Exchange{Request: r, Status: w.Code, Header: w.Result().Header, Body: w.Body.Bytes()}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, ex)
	return ex
}

// count returns how many requests went to a path.
func (t *target) count(method, path string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ex := range t.sent {
		if ex.Request.Method == method && ex.Request.Path == path {
			n++
		}
	}
	return n
}

// call sends a request as a user, as a scan does: with Keep, and once more if it says so.
func (t *target) call(k *login.Keeper, u *login.User, method, path string) *wire.Exchange {
	send := func() *wire.Exchange {
		r := wire.Request{Method: method, Path: path, Header: http.Header{}}
		u.Apply(&r)
		return t.Do(context.Background(), r)
	}
	ex := send()
	if k.Keep(context.Background(), u, ex) {
		ex = send()
	}
	return ex
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// readJSON returns the members of a body.
func readJSON(r *http.Request) map[string]any {
	var m map[string]any
	json.NewDecoder(r.Body).Decode(&m)
	return m
}

type object = map[string]any

// op returns an operation without parameters and body.
func op(method, path string) *spec.Operation {
	return &spec.Operation{ID: method + " " + path, Method: method, Path: path}
}

// withBody returns an operation that takes members of these names, all strings, as JSON.
func withBody(method, path string, names ...string) *spec.Operation {
	o := op(method, path)
	s := &spec.Schema{Types: []string{"object"}, Names: names, Required: names, Properties: map[string]*spec.Schema{}}
	for _, name := range names {
		s.Properties[name] = &spec.Schema{Types: []string{"string"}}
	}
	o.Body = &spec.Body{Required: true, Media: []*spec.Media{{Type: "application/json", Schema: s}}}
	return o
}

// api returns an API of operations.
func api(ops ...*spec.Operation) *spec.API {
	return &spec.API{Operations: ops, Schemes: map[string]*spec.Scheme{}}
}

// start logs the accounts of a configuration in, and fails if one is not proven.
func start(t *testing.T, tg *target, config login.Config) (*login.Keeper, []*login.User) {
	t.Helper()
	config.Client = tg
	if config.Wanted == 0 {
		config.NoRegister = true
	}
	k, err := login.New(config)
	if err != nil {
		t.Fatal(err)
	}
	users, err := k.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range k.Identities() {
		t.Logf("%s: %s; proven %v by %s", i.Name, i.How, i.Proven, i.By)
		if !i.Proven {
			t.Errorf("%s is not proven to be logged in", i.Name)
		}
	}
	return k, users
}

// passwords of the users of the targets.
func passwords() map[string]string {
	return map[string]string{"alice": "alice-secret-1", "bob": "bob-secret-2"}
}

func alice() login.Account { return login.Account{Username: "alice", Password: "alice-secret-1"} }
func bob() login.Account   { return login.Account{Username: "bob", Password: "bob-secret-2"} }

// jwt returns a token with claims, and a signature that nobody looks at.
func jwt(claims object) string {
	text, _ := json.Marshal(claims)
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(text) + ".c2lnbmF0dXJl"
}

func claimsOf(token string) (claims object) {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		json.Unmarshal(text, &claims)
	}
	return claims
}
