package passkey_test

import (
	"github.com/fastness/fastness"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/passkey"
)

// Passkeys need an identity, whose pages, sessions and database they use.
func Example() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"admin", "customer"}})
	users := identity.New(identity.Config{
		Open:   openUsers,
		Issuer: "https://shop.example",
		Roles:  []string{"admin", "customer"},
	})
	users.Declare(app)
	passkey.New(passkey.Config{Identity: users, RPName: "Shop"}).Declare(app)
	fastness.Main(app)
}
