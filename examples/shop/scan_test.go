package main

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/scantest"
)

// scanProfile names the profile of the scan of the shop; make scan runs deep.
const scanProfile = "FASTNESS_SCAN_PROFILE"

// accounts stands for the users of the scan being there.
type accounts struct{}

// The scanner finds nothing in the shop: not as customers, not as who sells, not as who
// runs it. The limits are those of the shop in operation.
func TestScanOfTheShopFindsNothing(t *testing.T) {
	profile := scan.Quick
	if named := os.Getenv(scanProfile); named != "" {
		profile = scan.Profile(named)
	}
	clock := scantest.NewClock()
	app := newApp(limits{general: ratelimit.Config{Now: clock.Now}})
	fastness.ProvideValue(app, inFolder(t, t.TempDir()))
	people := []struct{ name, role string }{{"customer", "customer"}, {"customer2", "customer"}, {"seller", "seller"}, {"admin", "admin"}}
	fastness.ProvideApp(app, func(_ context.Context, in struct{ Core *identity.Core }) (accounts, func(error) error, error) {
		for _, u := range people {
			newAccount(t, in.Core, u.name, mainBranch, u.role)
		}
		return accounts{}, nil, nil
	})
	var users []scan.User
	for _, u := range people {
		users = append(users, scan.User{Username: u.name, Password: password, Roles: []string{u.role}, Admin: u.role == "admin"})
	}
	scantest.Run(t, app, scantest.Profile(profile), scantest.Users(users...), scantest.Time(clock), scantest.Reach(0.6))
}

// What a scan had found: the name of a key was asked for in characters, and kept in bytes
// that can be printed; what lies between was a failure of the server.
func TestNameOfAKeyThatCannotBeKeptIsRefused(t *testing.T) {
	s := openShop(t, t.TempDir()).as(nil)
	u := s.newUser("ann", mainBranch, "customer")
	for _, name := range []string{`a\u0000b`, " ", strings.Repeat("é", 150), `a\u202eb`} {
		if got := s.call(http.MethodPost, "/me/api-keys", `{"name":"`+name+`"}`, u.header...); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "key_name") {
			t.Errorf("name %q: %d %s, want 422", name, got.status, got.body)
		}
	}
}
