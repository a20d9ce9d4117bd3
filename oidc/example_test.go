package oidc_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/oidc"
	"github.com/fastness/fastness/sqldb"
)

// openUsers opens the database with a driver that the application has chosen.
func openUsers(context.Context, fastness.Settings) (*sqldb.DB, error) {
	return nil, fmt.Errorf("left out of the example")
}

// An app that lets a web shop, a phone app and somebody else's program log its
// users in, and its own docs page.
func Example() {
	roles := []string{"admin", "customer"}
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: roles})
	users := identity.New(identity.Config{
		Open: openUsers, Roles: roles,
		Scopes: []identity.Scope{{Name: "orders", Description: "Order items."}},
		Clients: []identity.Client{
			{ID: "web", Name: "The shop", FirstParty: true, RedirectURIs: []string{"https://shop.example/callback"}},
			{ID: "phone", Name: "The shop's app", FirstParty: true, RedirectURIs: []string{"example.shop:/callback"}},
			{ID: "stats", Name: "Statistics Inc.", RedirectURIs: []string{"https://stats.example/cb"}},
		},
	})
	users.Declare(app)
	oidc.New(oidc.Config{Identity: users, DocsClient: "docs"}).Declare(app)
	fastness.Main(app)
}

// Users who have an account with another issuer log in with that.
func ExampleLogin() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"admin", "customer"}})
	users := identity.New(identity.Config{Open: openUsers, Roles: []string{"admin", "customer"}})
	users.Declare(app)

	acme := oidc.NewLogin(oidc.LoginConfig{
		Identity: users, Label: "Log in with Acme",
		Name: "acme", Issuer: "https://login.acme.example", ClientID: "shop",
		Register: func(_ context.Context, who oidc.Stranger) (account.New, error) {
			return account.New{Name: "acme." + strings.ToLower(who.Subject), Roles: auth.SetOf("customer")}, nil
		},
	})
	acme.Declare(app)
	fmt.Println(acme.Path())
	// Output: /login/acme
}
