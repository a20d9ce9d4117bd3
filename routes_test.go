package fastness_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
)

// What a route says of roles and scopes is what nobody passes without, also where a rule
// is made of others: a scan takes it for the truth.
func TestRoutesSayWhatNobodyPassesWithout(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Routes", Version: "1.0.0", Roles: []string{"a", "b", "c"}})
	basic, err := auth.NewBasic(auth.BasicConfig{Realm: "test", Verify: func(context.Context, *http.Request, string, string) (*auth.User, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	app.Authenticate(basic)
	answer := func(context.Context, struct{}) (string, error) { return "", nil }
	open := access.If("if it rains", func(context.Context, auth.User) error { return nil })
	rules := map[string]struct {
		rule   fastness.Option
		caller bool
		roles  []string
		scopes []string
	}{
		"/public":        {access.Public, false, nil, nil},
		"/known":         {access.Authenticated, true, nil, nil},
		"/role":          {access.Role("a", "b"), true, []string{"a", "b"}, nil},
		"/roles":         {access.AllRoles("a", "b"), true, []string{"a", "b"}, nil},
		"/scope":         {access.Scope("x", "y"), true, nil, []string{"x", "y"}},
		"/all":           {access.All(open, access.Role("a"), access.Scope("x"), access.Scope("y")), true, []string{"a"}, []string{"x", "y"}},
		"/either-role":   {access.Any(access.Role("a"), access.Role("b")), true, []string{"a", "b"}, nil},
		"/role-or-other": {access.Any(access.Role("a"), open), true, nil, nil},
		"/shared-scope":  {access.Any(access.Scope("x", "y"), access.Scope("y", "z")), true, nil, []string{"y"}},
		"/scope-or-role": {access.Any(access.Scope("x"), access.Role("c")), true, nil, nil},
	}
	for path, c := range rules {
		fastness.Get(app, path, answer, c.rule, fastness.Hidden())
	}
	routes, err := app.Routes()
	if err != nil {
		t.Fatal(err)
	}
	for path, c := range rules {
		i := slices.IndexFunc(routes, func(r fastness.Route) bool { return r.Path == path })
		if i < 0 {
			t.Errorf("%s is not among the routes", path)
			continue
		}
		if got, want := fmt.Sprint(routes[i].Caller, routes[i].Roles, routes[i].Scopes), fmt.Sprint(c.caller, c.roles, c.scopes); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestRoutesOfAppsBelowHaveTheirWholePath(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Outer", Version: "1.0.0", RootPath: "/api"})
	inner := fastness.New(fastness.Config{Title: "Inner", Version: "1.0.0"})
	fastness.Get(inner, "/thing", func(context.Context, struct{}) (string, error) { return "", nil }, access.Public)
	fastness.Mount(app, "/inner", inner)
	routes, err := app.Routes()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(routes, func(r fastness.Route) bool { return r.Kind == "operation" && r.Path == "/inner/thing" }) {
		t.Errorf("routes: %v", routes)
	}
}
