package fastness_test

import (
	"testing"

	"github.com/fastness/fastness"
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
