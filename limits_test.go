package fastness_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/ratelimit"
)

// What one operation is called must not make it share the budget of another's second
// rule: callers of the one would use up what those of the other have.
func TestRulesOfOperationsWithSimilarNamesHaveBudgetsOfTheirOwn(t *testing.T) {
	app, public := open(fastness.Config{})
	hourly := ratelimit.Per("1/hour", ratelimit.ByClient)
	fastness.Get(public, "/a", say("a"), fastness.OperationID("list"), ratelimit.Per("9/minute", ratelimit.ByClient), hourly)
	fastness.Get(public, "/b", say("b"), fastness.OperationID("list-2"), hourly)
	api := fastnesstest.New(t, app)
	api.Get("/a").Want(200)
	api.Get("/a").Want(429)
	api.Get("/b").Want(200)
	api.Get("/b").Want(429)
}

// Who guesses at credentials is refused before any rule of the operation is asked: the
// general limit is the only one.
func TestWrongCredentialsAreLimitedWhateverTheOperationsRules(t *testing.T) {
	rule := ratelimit.Rule{Limit: "5/minute", Key: ratelimit.ByClient}
	overriding := rule
	overriding.Override = true
	app, _ := open(fastness.Config{})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Get(app, "/own", say("own"), access.Authenticated, overriding)
	fastness.Get(app, "/public", say("public"), access.Public, overriding)
	fastness.Get(app, "/exempt", say("exempt"), access.Authenticated, rule, ratelimit.InsecureExempt("a proxy limits it"))
	fastness.Mount(app, "/mounted", http.NotFoundHandler(), access.Authenticated, overriding)
	if err := app.Start(t.Context()); err == nil || strings.Count(err.Error(), "Override takes away") != 2 ||
		!strings.Contains(err.Error(), "GET /own") || !strings.Contains(err.Error(), "mount /mounted") {
		t.Errorf("Start() = %v", err)
	}

	app, _ = open(fastness.Config{RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: "3/minute"}}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Get(app, "/own", say("own"), access.Authenticated, rule)
	api := fastnesstest.New(t, app)
	for i, want := range []int{401, 401, 401, 429} {
		if got := api.Get("/own", fastnesstest.Header("X-Letter", fmt.Sprint("guess ", i))).Status; got != want {
			t.Errorf("guess %d: %d, want %d", i+1, got, want)
		}
	}
}

func TestRulesOfOneScopeHaveOneLimit(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/a", say("a"), ratelimit.Rule{Limit: "10/minute", Scope: "heavy"})
	fastness.Get(public, "/b", say("b"), ratelimit.Rule{Limit: "10/minut e", Scope: "heavy"})
	fastness.Get(public, "/c", say("c"), ratelimit.Rule{Limit: "100/minute", Scope: "heavy"})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `GET /c: rate limit "100/minute": scope "heavy" has the limit "10/minute" elsewhere`) {
		t.Errorf("Start() = %v", err)
	}
}
