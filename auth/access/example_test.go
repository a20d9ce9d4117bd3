package access_test

import (
	"context"
	"fmt"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

type none struct{}

func hello(context.Context, none) (string, error) { return "hello", nil }

// An operation for which nobody said who may call it does not start.
func Example() {
	app := fastness.New(fastness.Config{Title: "Greeter", Version: "1.0.0"})
	fastness.Get(app, "/open", hello, access.Public)
	fastness.Get(app, "/forgotten", hello, fastness.OperationID("forgotten"))
	fmt.Println(app.Start(context.Background()))
	// Output:
	// the app cannot start:
	// GET /forgotten: no access rule: say who may call, such as access.Public
}
