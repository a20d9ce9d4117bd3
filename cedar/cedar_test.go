package cedar_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cedar"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/openapi"
)

const schema = `
entity Order { owner: User, tenant?: String, total: Long };
action write;
action createItem, deleteItem in [write] appliesTo { principal: User, resource: API };
action readOrder appliesTo { principal: User, resource: Order };
action readUser appliesTo { principal: User, resource: User };
action runJob appliesTo { principal: API, resource: API };
action payOrder appliesTo { principal: User, resource: Order, context: { code: String } };
`

// letters is a scheme for tests: the credential names the user.
type letters map[string]*auth.User

func (letters) Describe() auth.Description {
	return auth.Description{Name: "letter", Challenge: "Letter", Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-Letter"}}
}

func (letters) Present(r *http.Request) bool { return r.Header.Get("X-Letter") != "" }

func (l letters) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	if u := l[r.Header.Get("X-Letter")]; u != nil {
		return u, nil
	}
	return nil, &auth.Refusal{}
}

func people() letters {
	return letters{
		"ann":  {ID: "ann", Roles: auth.SetOf("customer"), Scheme: "letter", Tenant: auth.NewTenant("north")},
		"bob":  {ID: "bob", Roles: auth.SetOf("seller"), Scopes: auth.SetOf("items"), Scheme: "letter"},
		"eve":  {ID: "eve", Roles: auth.SetOf("admin", "seller"), AllScopes: true, Scheme: "letter"},
		"fake": {ID: `x", roles: ["admin`, Roles: auth.SetOf(`seller"`), Scheme: "letter"},
	}
}

type order struct {
	Owner, Tenant string
	Total         int64
}

func entityOf(o order) types.Entity {
	attributes := types.RecordMap{"owner": cedar.User(o.Owner), "total": types.Long(o.Total)}
	if o.Tenant != "" {
		attributes["tenant"] = types.String(o.Tenant)
	}
	return types.Entity{UID: types.NewEntityUID("Order", "1"), Attributes: types.NewRecord(attributes)}
}

func compile(t *testing.T, policies string, log *bytes.Buffer) *cedar.Policies {
	t.Helper()
	p, err := cedar.New(cedar.Config{
		Policies: policies, Schema: schema, Roles: []string{"customer", "seller", "admin"},
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func nothing(context.Context, struct{}) (string, error) { return "done", nil }

// app has one operation, with o as the object that is asked for.
func app(o order, options ...fastness.Option) *fastness.App {
	a := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"customer", "seller", "admin"}, Logger: slog.New(slog.DiscardHandler)})
	a.Authenticate(people())
	fastness.Provide(a, func(context.Context, struct{}) (order, error) { return o, nil })
	fastness.Get(a, "/x", nothing, options...)
	return a
}

func statuses(t *testing.T, a *fastness.App) map[string]int {
	t.Helper()
	api := fastnesstest.New(t, a)
	got := make(map[string]int)
	for name := range people() {
		got[name] = api.Get("/x", fastnesstest.Header("X-Letter", name)).Status
	}
	return got
}

func wantOnly(t *testing.T, got map[string]int, refusal int, allowed ...string) {
	t.Helper()
	for name, status := range got {
		want := refusal
		if strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+name+" ") {
			want = 200
		}
		if status != want {
			t.Errorf("%s gets %d, want %d", name, status, want)
		}
	}
}

func TestPoliciesDecideWhoMayCall(t *testing.T) {
	for _, tt := range []struct {
		name, policies string
		allowed        []string
	}{
		{"nobody whom no policy permits", `permit(principal, action == Action::"deleteItem", resource);`, nil},
		{"a role", `permit(principal in Role::"seller", action == Action::"createItem", resource);`, []string{"bob", "eve"}},
		{"an attribute", `permit(principal is User, action, resource == API::"self") when { principal.roles.contains("customer") };`, []string{"ann"}},
		{"a tenant", `permit(principal, action == Action::"createItem", resource) when { principal has tenant && principal.tenant == "north" };`, []string{"ann"}},
		{"a scope", `permit(principal, action == Action::"createItem", resource) when { principal.allScopes || principal.scopes.contains("items") };`, []string{"bob", "eve"}},
		{"a user", `permit(principal == User::"ann", action == Action::"createItem", resource);`, []string{"ann"}},
		{"a group of actions", `permit(principal in Role::"seller", action in Action::"write", resource);`, []string{"bob", "eve"}},
		{"what is forbidden nobody can permit", `permit(principal is User, action, resource == API::"self"); forbid(principal in Role::"admin", action in Action::"write", resource);`,
			[]string{"ann", "bob", "fake"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			p := compile(t, tt.policies, &log)
			wantOnly(t, statuses(t, app(order{}, p.Action("createItem"))), 403, tt.allowed...)
			wantOnly(t, statuses(t, app(order{}, access.All(access.By("letter"), p.Action("createItem").Condition))), 403, tt.allowed...)
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("log has %s", log.String())
			}
		})
	}
}
