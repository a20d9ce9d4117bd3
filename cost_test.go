package fastness_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/ratelimit"
)

// BenchmarkStart shows what 200 operations cost at start-up, document included.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		app := costApp()
		for i := range 200 {
			fastness.Post(app, fmt.Sprintf("/r%d/{id}", i), writePath, access.Public)
		}
		if err := app.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// discard is a ResponseWriter that keeps nothing but the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkAnswers compares the refusals with the cheapest 200.
func BenchmarkAnswers(b *testing.B) {
	app := costApp()
	fastness.Get(app, "/items/{id}", readPath, access.Public)
	fastness.Post(app, "/items/{id}", writePath, access.Public, fastness.BodyLimit(10))
	fastness.Get(app, "/seldom", say("seldom"), access.Public, ratelimit.Per("1/day"))
	for _, c := range []struct {
		method, target, body string
		want                 int
	}{
		{"GET", "/items/7", "", 200}, {"GET", "/nope", "", 404}, {"PUT", "/items/7", "", 405},
		{"GET", "/items/%2f", "", 400}, {"POST", "/items/7", `{"name":"more than ten"}`, 413},
		{"POST", "/items/7", `{}`, 415}, {"GET", "/seldom", "", 429},
	} {
		b.Run(fmt.Sprint(c.want), func(b *testing.B) {
			r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
			if c.want == 413 {
				r.Header.Set("Content-Type", "application/json")
			}
			w := &discard{header: make(http.Header)}
			app.ServeHTTP(w, r) // What is seldom allowed is used up.
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				if app.ServeHTTP(w, r); w.status != c.want {
					b.Fatalf("status %d, want %d", w.status, c.want)
				}
			}
		})
	}
}

type pathInput struct {
	ID int `path:"id"`
}

func readPath(_ context.Context, in pathInput) (pathAnswer, error) { return pathAnswer(in), nil }

type pathAnswer struct {
	ID int `json:"id"`
}

type writeInput struct {
	ID   int `path:"id"`
	Body struct {
		Name  string  `json:"name" minLength:"1"`
		Price float64 `json:"price" minimum:"0"`
	}
}

func writePath(_ context.Context, in writeInput) (pathAnswer, error) { return pathAnswer{in.ID}, nil }

func costApp() *fastness.App {
	return fastness.New(fastness.Config{
		Title: "Cost", Version: "1", Hosts: []string{"example.com"}, Logger: slog.New(slog.DiscardHandler),
		RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: "1000000000/second"}},
	})
}
