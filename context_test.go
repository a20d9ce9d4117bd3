package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
)

// untilDone waits for the end of its context, however that is asked for.
func untilDone(ctx context.Context, _ none) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestTimeoutEndsTheContext(t *testing.T) {
	pass := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	}
	waiting := func(next http.Handler) http.Handler { // The deadline is asked for before the operation is known.
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
	for name, use := range map[string][]func(http.Handler) http.Handler{"alone": nil, "behind middleware": {pass}, "behind middleware that waits": {waiting}} {
		for which, timeout := range map[string]time.Duration{"shorter": 2 * time.Second, "the app's": 5 * time.Second, "longer": time.Minute} {
			t.Run(which+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					app, public := open(fastness.Config{Timeout: 5 * time.Second})
					app.Use(use...)
					fastness.Get(public, "/", untilDone, fastness.Timeout(timeout))
					fastness.Get(public, "/deadline", func(ctx context.Context, _ none) (time.Duration, error) {
						deadline, _ := ctx.Deadline()
						return time.Until(deadline), nil
					}, fastness.Timeout(timeout))
					fastness.Get(public, "/derived", func(ctx context.Context, _ none) (string, error) {
						ctx, cancel := context.WithTimeout(ctx, time.Hour)
						defer cancel()
						return untilDone(ctx, none{})
					}, fastness.Timeout(timeout))
					api := fastnesstest.New(t, app)
					for _, target := range []string{"/", "/derived"} {
						start := time.Now()
						api.Get(target).WantProblem(503, "timeout").WantHeader("Retry-After", "1")
						if took := time.Since(start); took != timeout {
							t.Errorf("GET %s ended after %v, want %v", target, took, timeout)
						}
					}
					if left := fastnesstest.Get[time.Duration](api, "/deadline"); left != timeout {
						t.Errorf("the deadline is in %v, want %v", left, timeout)
					}
				})
			})
		}
	}
}

func TestContextTellsOfTheDeadlineWithoutAnybodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, public := open(fastness.Config{Timeout: time.Second})
		fastness.Get(public, "/", func(ctx context.Context, _ none) (string, error) {
			if err := ctx.Err(); err != nil {
				t.Errorf("Err() = %v before the deadline", err)
			}
			time.Sleep(time.Second)
			return "", ctx.Err()
		})
		fastnesstest.New(t, app).Get("/").WantProblem(503, "timeout")
	})
}

func TestCallerWhoLeavesEndsTheContext(t *testing.T) {
	app, public := open(fastness.Config{})
	entered := make(chan bool)
	fastness.Get(public, "/", func(ctx context.Context, _ none) (string, error) {
		close(entered)
		return untilDone(ctx, none{})
	})
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() {
		defer close(done)
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "http://localhost/", nil))
	}()
	<-entered
	leave()
	<-done
}

// TestContextMayOutliveItsRequest: an operation that starts something and leaves
// must find its own request in the context, ended, and never the next caller's.
func TestContextMayOutliveItsRequest(t *testing.T) {
	type key struct{}
	app, public := open(fastness.Config{})
	var mu sync.Mutex
	kept := make(map[string]context.Context)
	waited := make(map[string]<-chan struct{})
	fastness.Get(public, "/{wait}", func(ctx context.Context, in struct {
		Wait bool `path:"wait"`
	}) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		kept[fastness.RequestID(ctx)] = ctx
		if in.Wait {
			waited[fastness.RequestID(ctx)] = ctx.Done()
		}
		return "", nil
	})
	api := fastnesstest.New(t, app)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				for _, target := range []string{"/true", "/false"} {
					id := api.Get(target).Want(200).Header.Get("X-Request-Id")
					mu.Lock()
					ctx := kept[id]
					mu.Unlock()
					if ctx == nil {
						t.Errorf("the operation saw another id than %s", id)
						return
					}
					if ctx.Err() != context.Canceled || fastness.RequestID(ctx) != id || ctx.Value(key{}) != nil {
						t.Errorf("Err() = %v, RequestID() = %s after request %s", ctx.Err(), fastness.RequestID(ctx), id)
					}
					<-ctx.Done()
				}
			}
		})
	}
	all.Wait()
	for id, done := range waited {
		<-done
		if got := fastness.RequestID(kept[id]); got != id {
			t.Errorf("RequestID() = %s, want %s", got, id)
		}
	}
}

func TestRequestIDOfAForeignContextIsEmpty(t *testing.T) {
	if got := fastness.RequestID(t.Context()); got != "" {
		t.Errorf("RequestID() = %q, want none", got)
	}
}

// TestRequestIDOfTheCallerIsNotTaken: it would forge another request's log lines.
func TestRequestIDOfTheCallerIsNotTaken(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(ctx context.Context, _ none) (string, error) { return fastness.RequestID(ctx), nil })
	res := fastnesstest.New(t, app).Get("/", fastnesstest.Header("X-Request-Id", "forged")).Want(200)
	if id := res.Header.Get("X-Request-Id"); id == "forged" || string(res.Body) != `"`+id+`"` {
		t.Errorf("request id %s, the operation saw %s", id, res.Body)
	}
}

func TestLogLinesOfAnOperationMayNameTheRequest(t *testing.T) {
	var log bytes.Buffer
	app, public := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	fastness.Get(public, "/{secret}", func(context.Context, struct {
		Secret string `path:"secret"`
		Token  string `query:"token"`
	}) (string, error) {
		return "", errors.New("broken")
	})
	id := fastnesstest.New(t, app).Get("/a?token=canary-token", fastnesstest.Header("Authorization", "Bearer canary-auth")).Want(500).Header.Get("X-Request-Id")
	if got := log.String(); strings.Count(got, id) != 2 || strings.Contains(got, "canary") {
		t.Errorf("log %s, want the id in the error and in the access line, and no secret", got)
	}
}
