package cedar_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cedar"
)

// A policy about an action that nobody declared does not start: it would never
// apply.
func ExampleNew() {
	_, err := cedar.New(cedar.Config{
		Roles:    []string{"seller"},
		Schema:   `action createItem appliesTo { principal: User, resource: API };`,
		Policies: `forbid(principal in Role::"selller", action == Action::"createItem", resource);`,
	})
	fmt.Println(err)
	// Output:
	// cedar: Policies:1:1: there is no Role::"selller"
}

// The files would be embedded in a program.
func Example() {
	policies, err := cedar.New(cedar.Config{
		Roles:  []string{"seller"},
		Logger: slog.New(slog.DiscardHandler),
		Files: fstest.MapFS{
			"shop.cedarschema": {Data: []byte(`
				entity Order { owner: User };
				action createItem appliesTo { principal: User, resource: API };
				action readOrder appliesTo { principal: User, resource: Order };`)},
			"shop.cedar": {Data: []byte(`
				permit(principal in Role::"seller", action == Action::"createItem", resource);
				permit(principal, action == Action::"readOrder", resource) when { resource.owner == principal };
				forbid(principal, action, resource) when { principal.client == "old-app" };`)},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"seller"}})
	app.Authenticate(people())
	fastness.Provide(app, func(context.Context, struct{}) (order, error) { return order{Owner: "bob"}, nil })
	fastness.Post(app, "/items", nothing, policies.Action("createItem"))
	fastness.Get(app, "/orders/1", nothing, access.Authenticated, cedar.Object(policies, "readOrder", func(o order) types.Entity {
		return types.Entity{
			UID:        types.NewEntityUID("Order", "1"),
			Attributes: types.NewRecord(types.RecordMap{"owner": cedar.User(o.Owner)}),
		}
	}))
	fmt.Println(app.Start(context.Background()))
	// Output:
	// <nil>
}
