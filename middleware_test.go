package fastness_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

type middleware = func(http.Handler) http.Handler

// eitherWay runs the test with m around the whole app and around its operations.
func eitherWay(t *testing.T, m middleware, test func(*testing.T, *fastness.App, *fastness.Group)) {
	cfg := fastness.Config{Title: "Middleware", Version: "1", Logger: slog.New(slog.DiscardHandler)}
	t.Run("around the app", func(t *testing.T) {
		app := fastness.New(cfg)
		app.Use(m)
		test(t, app, app.Group("", access.Public))
	})
	t.Run("around an operation", func(t *testing.T) {
		app := fastness.New(cfg)
		test(t, app, app.Group("", access.Public, fastness.Middleware(m)))
	})
}

// serving serves app on loopback and returns its URL.
func serving(t *testing.T, app *fastness.App) string {
	t.Helper()
	server := httptest.NewServer(started(t, app))
	t.Cleanup(server.Close)
	return server.URL
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, text := exchange(t, http.DefaultTransport, r)
	return res.StatusCode, string(text)
}

// TestLateAnswerIsNobodyElses gives up on an operation, as http.TimeoutHandler
// does, and lets it answer while another request is served.
func TestLateAnswerIsNobodyElses(t *testing.T) {
	entered, release, over := make(chan bool), make(chan bool), make(chan bool)
	abandon := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/slow" {
				next.ServeHTTP(w, r)
				return
			}
			go func() {
				next.ServeHTTP(httptest.NewRecorder(), r)
				over <- true
			}()
			<-entered
			http.Error(w, "late", http.StatusServiceUnavailable)
		})
	}
	eitherWay(t, abandon, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/slow", func(context.Context, struct{}) (string, error) {
			entered <- true
			<-release
			return "slow", nil
		})
		fastness.Get(group, "/fast", func(context.Context, struct{}) (string, error) {
			release <- true
			<-over
			return "fast", nil
		})
		url := serving(t, app)
		for range 20 {
			if status, body := fetch(t, url+"/slow"); status != 503 || body != "late\n" {
				t.Fatalf("GET /slow: %d %q, want 503 late", status, body)
			}
			if status, body := fetch(t, url+"/fast"); status != 200 || body != `"fast"` {
				t.Fatalf(`GET /fast: %d %q, want 200 "fast"`, status, body)
			}
		}
	})
}

// TestValuesOfMiddlewareReachTheOperation puts a value into the context, as
// tracing and session middleware do.
func TestValuesOfMiddlewareReachTheOperation(t *testing.T) {
	type key struct{}
	give := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "value")))
		})
	}
	eitherWay(t, give, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		fastness.Get(group, "/", func(ctx context.Context, _ struct{}) (string, error) {
			text, _ := ctx.Value(key{}).(string)
			if fastness.RequestID(ctx) == "" {
				text = "no request id"
			}
			return text, nil
		})
		if _, body := fetch(t, serving(t, app)+"/"); body != `"value"` {
			t.Errorf("the operation saw %s, want the value of the middleware", body)
		}
	})
}

// TestPanicBehindMiddlewareRollsBack checks that clean-ups hear of a panic.
func TestPanicBehindMiddlewareRollsBack(t *testing.T) {
	type tx struct{}
	type input struct{ Tx tx }
	pass := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	}
	eitherWay(t, pass, func(t *testing.T, app *fastness.App, group *fastness.Group) {
		var cleaned []error
		fastness.ProvideCleanup(group, func(context.Context, struct{}) (tx, func(error) error, error) {
			return tx{}, func(err error) error {
				cleaned = append(cleaned, err)
				return nil
			}, nil
		})
		fastness.Get(group, "/", func(context.Context, input) (string, error) { panic("no") })
		status, body := fetch(t, serving(t, app)+"/")
		if status != 500 || strings.Contains(body, "no\"") {
			t.Errorf("GET /: %d %s, want a 500 that says nothing", status, body)
		}
		if len(cleaned) != 1 || cleaned[0] == nil {
			t.Errorf("clean-ups got %v, want one error", cleaned)
		}
	})
}

// TestPanicInTheMiddleOfAnAnswerGivesBackItsPlace cuts more answers than may be
// in flight.
func TestPanicInTheMiddleOfAnAnswerGivesBackItsPlace(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Cut", Version: "1", Logger: slog.New(slog.DiscardHandler), MaxInFlight: 1})
	fastness.Mount(app, "/cut", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an ans")
		panic("no")
	}), access.Public)
	fastness.Get(app, "/whole", func(context.Context, struct{}) (string, error) { return "whole", nil }, access.Public)
	started(t, app)
	answer := func(path string) (w *httptest.ResponseRecorder, aborted any) {
		defer func() { aborted = recover() }()
		w = httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "localhost"
		app.ServeHTTP(w, r)
		return w, nil
	}
	for range 3 {
		if _, aborted := answer("/cut/"); aborted != http.ErrAbortHandler {
			t.Fatalf("GET /cut/ ended with %v, want a cut connection", aborted)
		}
	}
	if w, _ := answer("/whole"); w.Code != 200 {
		t.Errorf("GET /whole: %d %s, want 200", w.Code, w.Body)
	}
}

// TestAccessLogKnowsTheRouteBehindMiddleware checks what is found behind it.
func TestAccessLogKnowsTheRouteBehindMiddleware(t *testing.T) {
	var log bytes.Buffer
	app := fastness.New(fastness.Config{Title: "Log", Version: "1", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	app.Use(func(next http.Handler) http.Handler { return next })
	fastness.Get(app, "/items/{id}", func(context.Context, struct {
		ID int `path:"id"`
	}) (fastness.NoContent, error) {
		return fastness.NoContent{}, nil
	}, access.Public)
	r := httptest.NewRequest("GET", "/items/7", nil)
	r.Host = "localhost"
	app.ServeHTTP(httptest.NewRecorder(), r)
	if !strings.Contains(log.String(), "/items/{id}") {
		t.Errorf("log %q, want the route /items/{id}", log.String())
	}
}
