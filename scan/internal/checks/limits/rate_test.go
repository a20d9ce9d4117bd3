package limits

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// claimed shows the check n answers, one each so often, and returns its claims.
func claimed(t *testing.T, n int, every time.Duration, change func(i int, ex *wire.Exchange)) (claims []check.Claim) {
	t.Helper()
	api := &spec.API{Operations: []*spec.Operation{{ID: "list", Method: "GET", Path: "/list"}}}
	target := probe.NewTarget(probe.TargetConfig{World: probe.NewWorld(api, []*login.User{login.NewUser("alice"), login.NewUser("bob")})})
	c := rate()
	report := func(claim check.Claim) { claims = append(claims, claim) }
	for i := range n {
		ex := &wire.Exchange{Status: 200, Header: http.Header{}, At: time.Unix(0, 0).Add(time.Duration(i) * every)}
		ex.Request.User = "alice"
		if change != nil {
			change(i, ex)
		}
		c.Look(target, ex, report)
	}
	if err := c.Run(context.Background(), target, report); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestThousandsOfAnswersWithoutALimitAreNoted(t *testing.T) {
	if got := claimed(t, 1200, 10*time.Millisecond, nil); len(got) != 1 {
		t.Errorf("want one claim, got %v", got)
	}
}

func TestCallersWithALimitAreLeftAlone(t *testing.T) {
	for name, x := range map[string]struct {
		n      int
		every  time.Duration
		change func(i int, ex *wire.Exchange)
	}{
		"not so many":        {990, time.Millisecond, nil},
		"not so fast":        {5000, 100 * time.Millisecond, nil},
		"each a little":      {1800, time.Millisecond, func(i int, ex *wire.Exchange) { ex.Request.User = []string{"alice", "bob"}[i%2] }},
		"strangers":          {1800, time.Millisecond, func(_ int, ex *wire.Exchange) { ex.Request.User = "" }},
		"no answers":         {1800, time.Millisecond, func(_ int, ex *wire.Exchange) { ex.Status = 0 }},
		"one was refused":    {1800, time.Millisecond, func(i int, ex *wire.Exchange) { ex.Status = map[bool]int{true: 429, false: 200}[i == 1500] }},
		"a limit is told of": {1800, time.Millisecond, func(i int, ex *wire.Exchange) { ex.Header.Set("X-RateLimit-Remaining", fmt.Sprint(10_000-i)) }},
	} {
		if got := claimed(t, x.n, x.every, x.change); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
