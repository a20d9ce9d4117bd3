package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sqldb"
)

// inner is what a panic says, which is for the log alone.
const inner = "what is inside must not be seen"

// Those that panic, each at its own place of the chain.
type (
	brokenProvider struct{}
	brokenCleanUp  struct{}
	brokenAnswer   struct{ Name string }
	brokenBody     struct {
		Name string `json:"name"`
	}
)

func (brokenAnswer) MarshalText() ([]byte, error)     { panic(inner) }
func (brokenBody) Validate(context.Context) error     { panic(inner) }
func (*brokenAnswer) UnmarshalText(text []byte) error { return nil }

// brokenApp has operations that panic, under the name of where.
func brokenApp(t *testing.T) *fastness.App {
	t.Helper()
	app := newApp(unlimited())
	fail := func() { panic(inner) }
	app.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic/use" {
				fail()
			}
			next.ServeHTTP(w, r)
		})
	})
	fastness.Provide(app, func(context.Context, struct{}) (brokenProvider, error) { panic(inner) })
	fastness.ProvideCleanup(app, func(context.Context, struct{}) (brokenCleanUp, func(error) error, error) {
		return brokenCleanUp{}, func(error) error { panic(inner) }, nil
	})
	panics := app.Group("/panic", access.Public)
	nothing := func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil }
	named := fastness.OperationID
	fastness.Get(panics, "/use", nothing, named("panicUse"))
	fastness.Get(panics, "/handler", func(context.Context, struct{}) (string, error) { panic(inner) }, named("panicHandler"))
	fastness.Get(panics, "/error", func(context.Context, struct{}) (string, error) { panic(errors.New(inner)) }, named("panicError"))
	fastness.Get(panics, "/runtime", func(context.Context, struct{}) (string, error) {
		return strings.Fields(inner)[len(inner)], nil
	}, named("panicRuntime"))
	fastness.Get(panics, "/middleware", nothing, named("panicMiddleware"), fastness.Middleware(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fail() })
	}))
	fastness.Get(panics, "/provider", func(context.Context, struct{ P brokenProvider }) (string, error) { return "", nil }, named("panicProvider"))
	fastness.Get(panics, "/cleanup", func(context.Context, struct{ P brokenCleanUp }) (string, error) { return "sent too early", nil }, named("panicCleanUp"))
	fastness.Get(panics, "/answer", func(context.Context, struct{}) (brokenAnswer, error) { return brokenAnswer{}, nil }, named("panicAnswer"))
	fastness.Post(panics, "/body", func(context.Context, struct{ Body brokenBody }) (string, error) { return "", nil }, named("panicBody"))
	fastness.Post(panics, "/transaction", func(ctx context.Context, in struct{ Tx *sqldb.Tx }) (string, error) {
		if _, err := createItem(ctx, createItemInput{Seller: *seller(), Tx: in.Tx, Body: NewItem{ItemContents: ItemContents{Name: "half an item"}}}); err != nil {
			return "", err
		}
		panic(inner)
	}, named("panicTransaction"))
	fastness.Mount(app, "/panic/mount", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fail() }), access.Public)
	return app
}

// Wherever something panics, the request gets an opaque 500 and the log its cause;
// nothing was stored, nobody else notices, and the server goes on.
func TestPanicEndsOneRequestAndNothingElse(t *testing.T) {
	for _, args := range [][]string{nil, plainHTTP[:]} {
		t.Run(fmt.Sprint(len(args), " settings"), func(t *testing.T) {
			s := serveApp(t, brokenApp(t), args...)
			s.log.excused = "panic"
			c := s.client(t)
			before := c.total()
			for _, where := range []string{"use", "handler", "error", "runtime", "middleware", "provider", "cleanup", "answer", "body", "transaction", "mount/x"} {
				got := c.get("/panic/" + where)
				if slices.Contains([]string{"body", "transaction"}, where) {
					got = c.post("/panic/"+where, `{"name":"x"}`)
				}
				wantProblem(t, where, got, http.StatusInternalServerError)
				if strings.Contains(got.body, inner) || strings.Contains(got.body, "panic") || strings.Contains(got.body, ".go") {
					t.Errorf("%s: the answer tells why: %s", where, got.body)
				}
				id, lines := got.header.Get("X-Request-Id"), 0
				if !eventually(func() bool { return lineOf(s, id, "request") != "" }) { // Which is written after the answer.
					t.Errorf("%s: the log has no line of the request", where)
				}
				for line := range strings.Lines(s.log.String()) {
					if strings.Contains(line, id) && (strings.Contains(line, inner) || strings.Contains(line, "index out of range")) {
						lines++
					}
				}
				if lines == 0 {
					t.Errorf("%s: the log does not say why", where)
				}
				if got := c.get("/items/1"); got.status != http.StatusOK {
					t.Errorf("after %s: %d, want 200", where, got.status)
				}
			}
			if after := c.total(); after != before {
				t.Errorf("%s items are for sale, want the %s of before", after, before)
			}
		})
	}
}

// lineOf returns the line of the log with this request id and message.
func lineOf(s *stack, id, message string) string {
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, id) && strings.Contains(line, `"msg":"`+message+`"`) {
			return line
		}
	}
	return ""
}
