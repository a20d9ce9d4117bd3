package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

// quiet returns an app that logs nothing and serves example.com.
func quiet(cfg fastness.Config) *fastness.App {
	cfg.Title, cfg.Version = "Test", "1"
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Hosts = []string{"example.com"}
	return fastness.New(cfg)
}

// do sends a request to example.com.
func do(t *testing.T, h http.Handler, method, target, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// open returns an app that serves localhost, and a group of operations that
// everybody may call.
func open(cfg fastness.Config) (*fastness.App, *fastness.Group) {
	cfg.Title, cfg.Version = "Test", "1"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	app := fastness.New(cfg)
	return app, app.Group("", access.Public)
}

// none is the input of an operation that needs nothing.
type none = struct{}

// say is an operation that answers text.
func say(text string) func(context.Context, none) (string, error) {
	return func(context.Context, none) (string, error) { return text, nil }
}

// through is an operation that answers with its input.
func through[In any](_ context.Context, in In) (In, error) { return in, nil }

func TestStartOfAnAppIsRememberedAndNotRepeated(t *testing.T) {
	app, public := open(fastness.Config{})
	starts := 0
	app.OnStart(func(context.Context) error { starts++; return nil })
	fastness.Get(public, "/", say("hello"))
	api := fastnesstest.New(t, app)
	api.Get("/").Want(200)
	if err := app.Start(t.Context()); err != nil || starts != 1 {
		t.Errorf("second Start() = %v after %d starts, want nil after 1", err, starts)
	}
}

// TestFirstCallerWhoLeavesDoesNotStopTheStart: an app that starts with its
// first request must not depend on whether that caller waits for it.
func TestFirstCallerWhoLeavesDoesNotStopTheStart(t *testing.T) {
	app, public := open(fastness.Config{})
	app.OnStart(func(ctx context.Context) error { return ctx.Err() })
	fastness.Get(public, "/", say("hello"))
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, ctx := range []context.Context{gone, t.Context()} {
		r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost/", nil)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("GET /: %d %s, want 200", w.Code, w.Body)
		}
	}
}

// TestPanicAtTheStartIsNotForgotten: what is half started must not serve.
func TestPanicAtTheStartIsNotForgotten(t *testing.T) {
	app, public := open(fastness.Config{})
	app.OnStart(func(context.Context) error { panic("no database") })
	fastness.Get(public, "/", say("hello"))
	for range 2 {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
		if w.Code != 500 || strings.Contains(w.Body.String(), "database") {
			t.Errorf("GET /: %d %s, want a 500 that says nothing", w.Code, w.Body)
		}
	}
	if err := app.Start(t.Context()); err == nil {
		t.Error("Start() = nil after a panic, want an error")
	}
}

func TestAppThatCannotStartAnswersAnOpaque500(t *testing.T) {
	app, public := open(fastness.Config{})
	app.OnStart(func(context.Context) error { return errors.New("dial tcp 10.0.0.7") })
	fastness.Get(public, "/", say("hello"))
	for range 2 {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
		if w.Code != 500 || strings.Contains(w.Body.String(), "10.0.0.7") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET /: %d %s %v, want a 500 that says nothing, with security headers", w.Code, w.Body, w.Header())
		}
	}
}

func TestMiddlewareAroundTheWholeAppIsOrdinary(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", say("hello"))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Outer", "yes")
		app.ServeHTTP(w, r)
	})
	w := httptest.NewRecorder()
	outer.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	if w.Code != 200 || w.Header().Get("X-Outer") != "yes" {
		t.Errorf("GET /: %d %v, want 200 with X-Outer", w.Code, w.Header())
	}
}
