// Command shop is the shop with limits that a tool does not reach which asks thousands
// of times a minute. The rig sqlmap builds the shop with this file in the place of its
// main.go.
package main

import (
	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
)

func main() {
	const many = "1000000/second"
	fastness.Main(newApp(limits{
		items: many, reviews: many, general: ratelimit.Config{Rule: ratelimit.Rule{Limit: many}},
		identity: identity.Limits{LogIn: many, SignUp: many, Tokens: many},
	}))
}
