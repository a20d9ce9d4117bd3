package scantest_test

import (
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/scantest"
)

// TestScan is how a project has its API scanned by go test.
func TestScan(t *testing.T) {
	app, keys := newNotebook(notebook{})
	scantest.Run(t, app, scantest.Profile(scan.CI), scantest.Users(
		scan.User{Name: "alice", Token: keys["alice"], Roles: []string{"writer"}},
		scan.User{Name: "bob", Token: keys["bob"], Roles: []string{"writer"}},
		scan.User{Name: "root", Token: keys["root"], Roles: []string{"admin"}, Admin: true},
	))
}

// Example shows what a test of a project looks like.
func Example() {
	test := func(t *testing.T) {
		app := fastness.New(fastness.Config{Title: "Notes", Version: "1.0.0"})
		scantest.Run(t, app, scantest.Users(
			scan.User{Username: "alice", Password: "…", Roles: []string{"writer"}},
			scan.User{Username: "bob", Password: "…", Roles: []string{"writer"}},
		))
	}
	_ = test
	// Output:
}
