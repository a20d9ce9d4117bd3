package explore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// direct sends requests to a handler, and keeps them.
type direct struct {
	handler http.Handler
	sent    []*wire.Exchange
}

func (d *direct) Do(ctx context.Context, r wire.Request) *wire.Exchange {
	req := httptest.NewRequestWithContext(ctx, r.Method, "http://target"+r.Target(), bytes.NewReader(r.Body))
	req.Header = r.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	answer := httptest.NewRecorder()
	d.handler.ServeHTTP(answer, req)
	ex := &wire.Exchange{Seq: len(d.sent) + 1, Request: r, Origin: "http://target", Status: answer.Code, Header: answer.Header(), Body: answer.Body.Bytes()}
	d.sent = append(d.sent, ex)
	return ex
}

// op makes an operation from a method and path.
func op(method, path string, change ...func(*spec.Operation)) *spec.Operation {
	o := &spec.Operation{ID: strings.ToLower(method) + path, Method: method, Path: path, Secured: true, Security: []spec.Requirement{{"user": nil}}}
	for rest := path; ; {
		_, after, found := strings.Cut(rest, "{")
		name, tail, _ := strings.Cut(after, "}")
		if !found {
			break
		}
		o.Params = append(o.Params, &spec.Param{Name: name, In: "path", Required: true, Schema: &spec.Schema{}})
		rest = tail
	}
	for _, f := range change {
		f(o)
	}
	return o
}

// takes gives an operation a body.
func takes(media string, s *spec.Schema) func(*spec.Operation) {
	return func(o *spec.Operation) {
		o.Body = &spec.Body{Required: true, Media: []*spec.Media{{Type: media, Schema: s}}}
	}
}

// open makes an operation one for all.
func open(o *spec.Operation) { o.Security = nil }

// object is a schema of an object: "name", "name:integer", "name!" if it is required.
func object(members ...string) *spec.Schema {
	s := &spec.Schema{Types: []string{"object"}, Properties: map[string]*spec.Schema{}}
	for _, m := range members {
		name, kind, typed := strings.Cut(m, ":")
		if !typed {
			kind = "string"
		}
		if cut, ok := strings.CutSuffix(name, "!"); ok {
			name = cut
			s.Required = append(s.Required, name)
		}
		s.Names = append(s.Names, name)
		s.Properties[name] = &spec.Schema{Types: []string{kind}}
	}
	return s
}

// lab is a target with two users and nobody.
type lab struct {
	*probe.Target
	client     *direct
	alice, bob *login.User
}

func newLab(t testing.TB, handler http.Handler, operations ...*spec.Operation) *lab {
	t.Helper()
	l := &lab{client: &direct{handler: handler}}
	user := func(name string) *login.User {
		u := login.NewUser(name, login.Credential{In: "header", Name: "Authorization", Prefix: "Bearer ", Value: name})
		u.Known = map[string]string{"username": name, "email": name + "@example.org", "password": "secret of " + name}
		return u
	}
	l.alice, l.bob = user("alice"), user("bob")
	l.Target = probe.NewTarget(probe.TargetConfig{
		World:  probe.NewWorld(&spec.API{Operations: operations}, []*login.User{l.alice, l.bob}),
		Client: l.client, Limits: probe.Limits{Write: true}, Seed: 7, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	return l
}

// explored explores a handler.
func explored(t testing.TB, handler http.Handler, operations ...*spec.Operation) *lab {
	t.Helper()
	l := newLab(t, handler, operations...)
	if _, err := explore.Run(t.Context(), l.Target, explore.Config{}); err != nil {
		t.Fatal(err)
	}
	return l
}

// wantReached fails if a user did not reach all operations but some.
func (l *lab) wantReached(t *testing.T, user string, but map[string]string) {
	t.Helper()
	for _, c := range l.Covered() {
		want := explore.OK
		if b, ok := but[c.Op.String()]; ok {
			want = b
		}
		if c.User == user && c.Outcome != want {
			t.Errorf("%s as %s: %s (%d after %d: %s), want %s", c.Op, user, c.Outcome, c.Status, c.Tries, c.Note, want)
		}
	}
}

// caller returns who sends a request, or answers 401 and returns "".
func caller(w http.ResponseWriter, r *http.Request) string {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		answer(w, 401, map[string]any{"error": "log in first"})
	}
	return name
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func read(r *http.Request) map[string]any {
	var m map[string]any
	_ = json.NewDecoder(r.Body).Decode(&m)
	return m
}
