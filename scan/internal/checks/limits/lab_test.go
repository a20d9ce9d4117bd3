package limits_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/report"
)

// document returns a document of some paths, whose callers have a key.
func document(paths string) []byte {
	return []byte(`{"openapi": "3.1.0", "info": {"title": "A lab", "version": "1"},
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {` + paths + `}}`)
}

// who returns the caller, or "".
func who(r *http.Request) string {
	name, ok := strings.CutSuffix(r.Header.Get("X-User"), "s-key")
	if !ok {
		return ""
	}
	return name
}

// locked lets nobody in who has no key.
func locked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who(r) != "alice" && who(r) != "bob" {
			answer(w, 401, map[string]any{"error": "who are you?"})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// body decodes the body of a request of at most so many bytes, or answers that it cannot.
func body(w http.ResponseWriter, r *http.Request, limit int64) (in map[string]any, ok bool) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		answer(w, 413, map[string]any{"error": "too large"})
		return nil, false
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		answer(w, 400, map[string]any{"error": err.Error()})
		return nil, false
	}
	return in, true
}

// scanned runs one check against a handler and returns the report.
func scanned(t *testing.T, id string, h http.Handler, paths string, change ...func(*scan.Config)) *report.Report {
	t.Helper()
	c := scan.Config{
		Handler: h, Text: document(paths), Checks: []string{id}, MaxTime: time.Minute,
		Users: []scan.User{{Name: "alice", Token: "alices-key"}, {Name: "bob", Token: "bobs-key"}},
	}
	if testing.Verbose() {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for _, f := range change {
		f(&c)
	}
	r, err := scan.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range r.Publish().Checks {
		if run.ID == id && run.State != "ran" {
			t.Fatalf("the check did not run: %+v", run)
		}
	}
	return r
}

// found wants a proof at a place.
func found(t *testing.T, r *report.Report, place string) {
	t.Helper()
	for _, f := range r.Findings {
		for _, p := range f.Places {
			if f.Proven && p.String() == place {
				if f.Control == "" || len(f.Evidence) == 0 {
					t.Errorf("%s: a proof without a control or evidence", place)
				}
				return
			}
		}
	}
	t.Errorf("nothing is proven at %s; found: %s", place, all(r))
}

// silent wants no finding, and that the operation was reached.
func silent(t *testing.T, r *report.Report, op string) {
	t.Helper()
	if len(r.Findings) > 0 {
		t.Errorf("found in what is sound: %s", all(r))
	}
	reached(t, r, op)
}

func reached(t *testing.T, r *report.Report, op string) {
	t.Helper()
	for _, o := range r.Publish().Operations {
		if o.Method+" "+o.Path == op {
			for _, a := range o.Answers {
				if a.Status >= 200 && a.Status < 300 {
					return
				}
			}
		}
	}
	t.Errorf("%s was not reached: the test tells nothing", op)
}

func all(r *report.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s %s proven=%v %s: %s", f.Severity, f.Kind.ID, f.Proven, f.Places[0], f.Claim)
	}
	return b.String() + "."
}
