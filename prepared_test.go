package fastness_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
)

// prepare writes what belongs to an answer that will not be given.
func prepare(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Set-Cookie", "prepared=1")
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("ETag", `"prepared"`)
}

type opened struct{}

// openFailing has a clean-up that fails: the answer is ready then.
func openFailing(context.Context, struct{}) (opened, func(error) error, error) {
	return opened{}, func(error) error { return errors.New("the clean-up fails") }, nil
}

// An error that comes with the header of another answer is not understood, or gives
// a session to whom the operation has refused.
func TestAnErrorHasNothingOfTheAnswerThatWasPrepared(t *testing.T) {
	before := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			prepare(w, r)
			next.ServeHTTP(w, r)
		})
	}
	for _, tt := range []struct {
		name, target string
		declare      func(*fastness.App) http.Handler
		want         int
	}{
		{"by a handler around the app", "/nothing", func(app *fastness.App) http.Handler { return before(app) }, 404},
		{"by middleware of the app", "/nothing", func(app *fastness.App) http.Handler {
			app.Use(before)
			return app
		}, 404},
		{"by middleware that panics", "/nothing", func(app *fastness.App) http.Handler {
			app.Use(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					prepare(w, r)
					panic("after the header")
				})
			})
			return app
		}, 500},
		{"by middleware of the operation", "/x", func(app *fastness.App) http.Handler {
			fastness.Get(app, "/x", func(context.Context, none) (string, error) { return "", errors.New("no") }, access.Public, fastness.Middleware(before))
			return app
		}, 500},
		{"by a mounted handler that panics", "/m/x", func(app *fastness.App) http.Handler {
			fastness.Mount(app, "/m/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				prepare(w, r)
				panic("after the header")
			}), access.Public)
			return app
		}, 500},
		{"by a token for a form", "/x", func(app *fastness.App) http.Handler {
			fastness.Get(app, "/x", func(ctx context.Context, in struct{ Opened opened }) (fastness.Result[fastness.CSRFToken], error) {
				return fastness.NewCSRFToken(ctx, struct{}{})
			}, access.Public)
			return app
		}, 500},
		{"by an answer that cannot be sent", "/x", func(app *fastness.App) http.Handler {
			fastness.Get(app, "/x", func(context.Context, none) (fastness.Result[string], error) {
				return fastness.Result[string]{
					Body: "x", Header: http.Header{"Etag": {`"prepared"`}, "X-Panic": {"1"}}, Cookies: []*http.Cookie{{Name: "prepared", Value: "1"}},
				}, nil
			}, access.Public)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(panicky{w}, r) })
		}, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := fastness.New(fastness.Config{Title: "T", Version: "1", Hosts: []string{"example.com"}, CSRF: csrf.Config{Keys: csrf.EphemeralKeys()}})
			fastness.ProvideCleanup(app, openFailing)
			h := tt.declare(app)
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", tt.target, nil))
			if w.Code != tt.want {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			for _, name := range []string{"Set-Cookie", "Content-Encoding", "ETag"} {
				if value := w.Header().Get(name); value != "" {
					t.Errorf("%s is %q, want none", name, value)
				}
			}
		})
	}
}

// panicky panics when an answer has the header X-Panic, before it is sent.
type panicky struct{ http.ResponseWriter }

func (p panicky) WriteHeader(status int) {
	if p.Header().Get("X-Panic") != "" {
		p.Header().Del("X-Panic")
		panic("the header cannot be sent")
	}
	p.ResponseWriter.WriteHeader(status)
}

// counting is an encoder that adds to each problem.
type counting struct {
	fastness.ErrorFormat
	n *atomic.Int64
}

func (c counting) Encode(buf []byte, p *problem.Problem) ([]byte, int, string) {
	return c.ErrorFormat.Encode(buf, p.Extend("seen-"+strconv.FormatInt(c.n.Add(1), 10), true))
}

// The refusals of a flood are made once. What an encoder adds for one caller, the next
// one must not see.
func TestWhatAnEncoderAddsIsForOneAnswer(t *testing.T) {
	app := fastness.New(fastness.Config{
		Title: "T", Version: "1", Hosts: []string{"example.com"}, Errors: counting{n: new(atomic.Int64)},
		RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/day"}},
	})
	var last string
	for range 3 {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "/nothing", nil))
		last = w.Body.String()
	}
	if !strings.Contains(last, `"status":429`) || !strings.Contains(last, `"seen-3"`) || strings.Contains(last, `"seen-2"`) {
		t.Errorf("the third answer is %s, want a 429 with seen-3 alone", last)
	}
}

// A cache that keeps the refusal of another site's page must not show it to the
// app's own pages.
func TestARefusalSaysThatItDependsOnThePage(t *testing.T) {
	for _, tt := range []struct {
		origins []string
		want    string
	}{
		{nil, "Sec-Fetch-Site, Origin"},
		{[]string{"https://app.example.com"}, "Origin, Sec-Fetch-Site, Origin"},
	} {
		app := fastness.New(fastness.Config{Title: "T", Version: "1", Hosts: []string{"example.com"}, CORS: cors.Config{Origins: tt.origins}})
		fastness.Post(app, "/x", func(context.Context, none) (string, error) { return "", nil }, access.Public)
		for range 2 {
			r := httptest.NewRequest("POST", "/x", nil)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			if got := strings.Join(w.Header()["Vary"], ", "); w.Code != 403 || got != tt.want {
				t.Errorf("origins %v: status %d, Vary %q, want 403 and %q", tt.origins, w.Code, got, tt.want)
			}
		}
	}
}
