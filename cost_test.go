package fastness_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// costs are the cheapest 200 and the refusals that a flood can ask for. The last
// ones have used up what they are allowed.
func costs(tb testing.TB) (all []cost) {
	generous, strict := costApp(), limitedApp("1/day")
	for _, app := range []*fastness.App{generous, strict} {
		app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
		fastness.Get(app, "/items/{id}", readPath, access.Public)
		fastness.Post(app, "/items/{id}", writePath, access.Public, fastness.BodyLimit(10))
		fastness.Get(app, "/mine", say("mine"), access.Authenticated)
		fastness.Get(app, "/admin", say("admin"), access.Role("admin"))
		fastness.Get(app, "/seldom", say("seldom"), access.Public, ratelimit.Per("1/day"))
	}
	for _, c := range []struct {
		name, method, target, body string
		header                     http.Header
		app                        *fastness.App
	}{
		{"200", "GET", "/items/7", "", nil, generous},
		{"404", "GET", "/nope", "", nil, generous},
		{"405", "PUT", "/items/7", "", nil, generous},
		{"400 path", "GET", "/items/%2f", "", nil, generous},
		{"401 nobody", "GET", "/mine", "", nil, generous},
		{"401 credential", "GET", "/mine", "", http.Header{"X-Letter": {"nobody"}}, generous},
		{"403 role", "GET", "/admin", "", http.Header{"X-Letter": {"ann"}}, generous},
		{"403 cross-site", "POST", "/items/7", `{}`, http.Header{"Sec-Fetch-Site": {"cross-site"}}, generous},
		{"413", "POST", "/items/7", `{"name":"more than ten"}`, http.Header{"Content-Type": {"application/json"}}, generous},
		{"415", "POST", "/items/7", `{}`, nil, generous},
		{"429 of the operation", "GET", "/seldom", "", nil, generous},
		{"429 of all", "GET", "/items/7", "", nil, strict},
	} {
		want, err := strconv.Atoi(c.name[:3])
		if err != nil {
			tb.Fatal(err)
		}
		r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		maps.Copy(r.Header, c.header)
		w := &discard{header: make(http.Header)}
		c.app.ServeHTTP(w, r)
		all = append(all, cost{c.name, w, func() {
			clear(w.header)
			if c.app.ServeHTTP(w, r); w.status != want {
				tb.Fatalf("status %d, want %d", w.status, want)
			}
		}})
	}
	return all
}

type cost struct {
	name string
	w    *discard
	ask  func()
}

// TestRefusalsAllocateLittle: with the race detector pools forget at random what they
// are given, so the least of some runs counts.
func TestRefusalsAllocateLittle(t *testing.T) {
	for _, c := range costs(t) {
		most, least := 10.0, 1000.0
		for range 50 {
			least = min(least, testing.AllocsPerRun(1, c.ask))
		}
		if least > most {
			t.Errorf("%s: %v allocations, want at most %v", c.name, least, most)
		}
		if c.w.status == http.StatusTooManyRequests && c.w.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After in %v", c.name, c.w.header)
		}
	}
}

// BenchmarkAnswers compares the refusals with the cheapest 200: a flood of them
// must cost less than the answers that it asks for.
func BenchmarkAnswers(b *testing.B) {
	for _, c := range costs(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.ask()
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

func costApp() *fastness.App { return limitedApp("1000000000/second") }

// limitedApp has this general limit.
func limitedApp(limit string) *fastness.App {
	return fastness.New(fastness.Config{
		Title: "Cost", Version: "1", Hosts: []string{"example.com"}, Roles: []string{"admin"}, Logger: slog.New(slog.DiscardHandler),
		RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: limit}},
	})
}
