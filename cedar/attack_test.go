package cedar_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cedar"
)

func TestObjectsAreTheirOwners(t *testing.T) {
	var log bytes.Buffer
	p := compile(t, `permit(principal, action == Action::"readOrder", resource) when { resource.owner == principal };`, &log)
	wantOnly(t, statuses(t, app(order{Owner: "bob"}, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403, "bob")
	wantOnly(t, statuses(t, app(order{Owner: "bob"}, access.Authenticated, cedar.HiddenObject(p, "readOrder", entityOf))), 404, "bob")
}

// Two who have no tenant are not of the same tenant.
func TestNoTenantIsNobodysTenant(t *testing.T) {
	var log bytes.Buffer
	p := compile(t, `permit(principal, action == Action::"readOrder", resource)
		when { principal has tenant && resource has tenant && principal.tenant == resource.tenant };`, &log)
	wantOnly(t, statuses(t, app(order{}, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403)
	wantOnly(t, statuses(t, app(order{Tenant: "north"}, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403, "ann")
	blank := func(order) types.Entity {
		return types.Entity{UID: types.NewEntityUID("Order", "1"), Attributes: types.NewRecord(types.RecordMap{
			"owner": cedar.User("x"), "total": types.Long(1), "tenant": types.String("")})}
	}
	wantOnly(t, statuses(t, app(order{}, access.Authenticated, cedar.Object(p, "readOrder", blank))), 403)

	_, err := cedar.New(cedar.Config{Schema: schema, Policies: `permit(principal, action == Action::"readOrder", resource)
		when { principal.tenant == resource.tenant };`})
	if err == nil || !strings.Contains(err.Error(), "tenant") {
		t.Errorf("error is %v, want that a tenant may be missing", err)
	}
}

// Cedar skips a policy that fails. If that one forbids, skipping lets callers in.
func TestForbidThatCannotBeEvaluatedDenies(t *testing.T) {
	var log bytes.Buffer
	p := compile(t, `permit(principal, action == Action::"readOrder", resource);
		forbid(principal, action == Action::"readOrder", resource) when { resource.total * 2 > 100 };`, &log)
	wantOnly(t, statuses(t, app(order{Total: 10}, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403, "ann", "bob", "eve", "fake")
	if strings.Contains(log.String(), "level=ERROR") {
		t.Fatalf("log has %s", log.String())
	}
	overflow := order{Total: 1<<63 - 1}
	wantOnly(t, statuses(t, app(overflow, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403)
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "Policies:2:3") {
		t.Errorf("log does not name the policy: %s", log.String())
	}
}

// A row of the database must not make somebody an administrator.
func TestObjectCannotBeTheCaller(t *testing.T) {
	var log bytes.Buffer
	p := compile(t, `permit(principal in Role::"admin", action == Action::"readOrder", resource);`, &log)
	for name, resource := range map[string]types.Entity{
		"a user with roles":  {UID: cedar.User("ann"), Parents: types.NewEntityUIDSet(types.NewEntityUID("Role", "admin"))},
		"nothing":            {},
		"another type":       {UID: types.NewEntityUID("Invoice", "1")},
		"too few attributes": {UID: types.NewEntityUID("Order", "1")},
		"another attribute type": {UID: types.NewEntityUID("Order", "1"), Attributes: types.NewRecord(types.RecordMap{
			"owner": types.String("ann"), "total": types.Long(1)})},
	} {
		log.Reset()
		got := statuses(t, app(order{}, access.Authenticated, cedar.Object(p, "readOrder", func(order) types.Entity { return resource })))
		wantOnly(t, got, 403)
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("%s: nothing in the log", name)
		}
	}
	wantOnly(t, statuses(t, app(order{}, access.Authenticated, cedar.Object(p, "readOrder", entityOf))), 403, "eve")
}

// A policy about what does not exist would never apply, and one that forbids
// would be missed by nobody.
func TestPoliciesAboutNothingDoNotStart(t *testing.T) {
	for _, tt := range []struct{ name, policy, want string }{
		{"an action", `forbid(principal, action == Action::"deletItem", resource);`, `deletItem`},
		{"an action in a list", `forbid(principal, action in [Action::"createItem", Action::"deletItem"], resource);`, `deletItem`},
		{"an action in a condition", `forbid(principal, action, resource) when { action == Action::"deletItem" };`, `there is no Action::"deletItem"`},
		{"a role", `forbid(principal in Role::"amdin", action, resource);`, `there is no Role::"amdin"`},
		{"a role in a condition", `forbid(principal, action, resource) when { principal in [Role::"seller", Role::"amdin"] };`, `there is no Role::"amdin"`},
		{"a type", `forbid(principal, action, resource is Oder);`, `Oder`},
		{"an attribute", `forbid(principal, action, resource) when { principal.rols.contains("admin") };`, `rols`},
		{"another api", `forbid(principal, action, resource == API::"other");`, `there is no API::"other"`},
		{"an action without that resource", `forbid(principal, action == Action::"createItem", resource is Order);`, `applicable action`},
		{"another type of value", `permit(principal, action == Action::"readOrder", resource) when { resource.owner == "ann" };`, `not compatible`},
		{"broken syntax", `forbid(principal, action, resource`, `Policies: `},
		{"a comment only", `// nothing`, `Policies: no policy`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cedar.New(cedar.Config{Schema: schema, Policies: tt.policy, Roles: []string{"seller"}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want it to say %s", err, tt.want)
			}
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := cedar.New(cedar.Config{Schema: schema, Roles: []string{"seller"}, Files: fstest.MapFS{
		"policies/a.cedar":       {Data: []byte("permit(principal in Role::\"x\", action, resource);\nforbid(principal, action == Action::\"y\", resource);")},
		"policies/b.cedar":       {Data: []byte("permit(")},
		"policies/forbid.cedr":   {Data: []byte("forbid(principal, action, resource);")},
		"policies/c.cedarschema": {Data: []byte("entity Invoice;")},
	}})
	for _, want := range []string{"policies/a.cedar:1:1", "policies/a.cedar:2:1", "policies/b.cedar: ", "policies/forbid.cedr: want a name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %q:\n%v", want, err)
		}
	}
	_, err = cedar.New(cedar.Config{Roles: []string{""}, Schema: "entity User;", Files: fstest.MapFS{"x.cedarschema": {Data: []byte("action")}}})
	for _, want := range []string{"a role has no name", "x.cedarschema:1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not name %q:\n%v", want, err)
		}
	}
	for schema, want := range map[string]string{
		"entity User { roles: String };":                             `"User" is declared twice`,
		"action x appliesTo { principal: User, resource: Missing };": "Missing",
		"": "there is no policy",
	} {
		if _, err := cedar.New(cedar.Config{Schema: schema}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("schema %q: error is %v, want %s", schema, err, want)
		}
	}
}

func TestActionsThatPoliciesCannotKnowDoNotStart(t *testing.T) {
	var log bytes.Buffer
	p := compile(t, `permit(principal, action == Action::"createItem", resource);`, &log)
	for _, tt := range []struct {
		name, want string
		option     fastness.Option
	}{
		{"an action that nobody declared", "policy creatItem: the schema has no such action", p.Action("creatItem")},
		{"an action about objects, without one", "policy readOrder: by the schema it is not about the API", p.Action("readOrder")},
		{"an action that users do not do", "policy runJob: by the schema no User does that", p.Action("runJob")},
		{"a group of actions", "policy write: by the schema no User does that", p.Action("write")},
		{"an action with a context", "policy payOrder: by the schema it has a context", cedar.Object(p, "payOrder", entityOf)},
		{"an action about users", "policy readUser: by the schema it is not about objects alone", cedar.Object(p, "readUser", entityOf)},
		{"an action about the API, with an object", "policy createItem: by the schema it is not about objects alone", cedar.Object(p, "createItem", entityOf)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := app(order{}, access.Authenticated, tt.option).Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
	// Inside of another condition nobody asks at start, so nobody gets in.
	wantOnly(t, statuses(t, app(order{}, access.All(p.Action("creatItem").Condition))), 403)
}
