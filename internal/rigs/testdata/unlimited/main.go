// Command shop is the shop with limits that a tool does not reach which asks thousands
// of times a minute. Where FASTNESS_RIG_INJECTABLE is the URL of a database it is the
// opposite of the shop; see injectable.go. The rig sqlmap builds the shop with these
// files beside its own, and this one in the place of main.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
)

func main() {
	if url := os.Getenv("FASTNESS_RIG_INJECTABLE"); url != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := serveInjectable(ctx, url); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	const many = "1000000/second"
	fastness.Main(newApp(limits{
		items: many, reviews: many, general: ratelimit.Config{Rule: ratelimit.Rule{Limit: many}},
		identity: identity.Limits{LogIn: many, SignUp: many, Tokens: many},
	}))
}
