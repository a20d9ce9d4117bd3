package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/schema"
)

// as is a caller with roles.
type as []string

func (a as) HasRole(name string) bool {
	for _, role := range a {
		if role == name {
			return true
		}
	}
	return false
}

// good is an item of a shop: what it costs is for those who sell it, and what
// becomes of it for admins to say.
type good struct {
	Name   string   `json:"name"`
	Cost   uint16   `json:"cost,omitzero" visibleTo:"admin, seller"`
	Status string   `json:"status" alias:"state,phase" enum:"draft,open,sold" default:"draft" writableBy:"admin"`
	Audit  *audit   `json:"audit" visibleTo:"admin" writableBy:"admin"`
	Parts  []good   `json:"parts,omitzero"`
	Also   *pack    `json:"also"`
	_      struct{} // Not a member.
}

type audit struct {
	By   string `json:"by"`
	Note string `json:"note" default:"none" writableBy:"auditor"`
}

// pack leads to a good in every way.
type pack struct {
	tagged
	ByName map[string]good                 `json:"by_name,omitzero"`
	Listed []*good                         `json:"listed,omitzero"`
	Pair   [1]good                         `json:"pair,omitzero"`
	Choice *choice                         `json:"choice"`
	Opt    schema.Opt[schema.Null[good]]   `json:"opt"`
	Null   schema.Opt[schema.Null[[]good]] `json:"null"`
	Any    any                             `json:"any,omitzero"`
	Lone   struct {
		Good good `json:"good"`
	} `json:"lone,omitzero"`
	_ schema.Computed `name:"best" method:"Best"`
	_ schema.Computed `name:"profit" method:"Profit" visibleTo:"admin"`
}

// tagged is embedded.
type tagged struct {
	Tag    string `json:"tag,omitzero"`
	Secret string `json:"secret,omitzero" visibleTo:"admin" writableBy:"admin"`
}

func (p pack) Best() *good {
	if len(p.Listed) > 0 {
		return p.Listed[0]
	}
	return nil
}

func (p pack) Profit() uint16 { return uint16(len(p.Listed)) }

type choice struct {
	schema.Union `discriminator:"kind"`
	Lamp         *lamp
	Chair        *chair
}

type lamp struct {
	Kind string `json:"kind" const:"lamp"`
	Cost int    `json:"cost,omitzero" visibleTo:"seller" writableBy:"seller"`
}

type chair struct {
	Kind string `json:"kind" const:"chair"`
	Good good   `json:"good"`
}

func TestRoleFieldIsNotShownToOthers(t *testing.T) {
	goods := typed[good](t)
	item := good{Name: "Lamp", Cost: 7, Status: "open", Audit: &audit{"Ann", "ok"}, Parts: []good{{Name: "Bulb", Cost: 1}}}
	for _, c := range []struct {
		name   string
		viewer schema.Viewer
		want   string
	}{
		{"nobody", nil, `{"name":"Lamp","status":"open","parts":[{"name":"Bulb","status":"","also":null}],"also":null}`},
		{"a caller without roles", as{}, `{"name":"Lamp","status":"open","parts":[{"name":"Bulb","status":"","also":null}],"also":null}`},
		{"a caller with another role", as{"Admin", "admin, seller", "sell", ""}, `{"name":"Lamp","status":"open","parts":[{"name":"Bulb","status":"","also":null}],"also":null}`},
		{"the second of the roles", as{"buyer", "seller"}, `{"name":"Lamp","cost":7,"status":"open","parts":[{"name":"Bulb","cost":1,"status":"","also":null}],"also":null}`},
		{"the first of the roles", as{"admin"}, `{"name":"Lamp","cost":7,"status":"open","audit":{"by":"Ann","note":"ok"},` +
			`"parts":[{"name":"Bulb","cost":1,"status":"","audit":null,"also":null}],"also":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := goods.AppendFor(nil, item, c.viewer)
			if err != nil || string(got) != c.want {
				t.Errorf("AppendFor() = %s (%v), want %s", got, err, c.want)
			}
		})
	}
	got, err := goods.Append(nil, item)
	if err != nil || strings.Contains(string(got), "cost") || strings.Contains(string(got), "audit") {
		t.Errorf("Append() = %s (%v), want what nobody gets", got, err)
	}
}

// TestRoleFieldIsNotShownThroughNesting: every way from one struct to another
// keeps the viewer, or loses it to nobody.
func TestRoleFieldIsNotShownThroughNesting(t *testing.T) {
	item := good{Name: "Lamp", Cost: 7777}
	for name, p := range map[string]pack{
		"an embedded struct": {tagged: tagged{"a", "7777"}}, "a map": {ByName: map[string]good{"7": item}}, "a list of pointers": {Listed: []*good{&item}},
		"an array": {Pair: [1]good{item}}, "a variant": {Choice: &choice{Lamp: &lamp{"lamp", 7777}}}, "a good in a variant": {Choice: &choice{Chair: &chair{"chair", item}}},
		"an Opt of a Null": {Opt: schema.Some(schema.NotNull(item))}, "a list in an Opt": {Null: schema.Some(schema.NotNull([]good{item}))},
		"an interface": {Any: item}, "a pointer in an interface": {Any: []any{map[string]any{"x": &item}}}, "a struct without a name": {Lone: struct {
			Good good `json:"good"`
		}{item}},
	} {
		packs := typed[pack](t)
		for _, viewer := range []schema.Viewer{nil, as{"buyer"}} {
			if got, err := packs.AppendFor(nil, p, viewer); err != nil || !json.Valid(got) || strings.Contains(string(got), "7777") || strings.Contains(string(got), "profit") {
				t.Errorf("%s: %v gets %s (%v)", name, viewer, got, err)
			}
		}
		if got, err := packs.AppendFor(nil, p, as{"admin", "seller"}); err != nil || strings.Count(string(got), "7777") != max(1, 2*len(p.Listed)) || !strings.Contains(string(got), "profit") {
			t.Errorf("%s: an admin gets %s (%v)", name, got, err)
		}
	}
}

// TestAnOmittedStructDoesNotTellOfHiddenFields: left out where all that the
// caller gets of it is zero, it does not tell that what they do not get is not.
func TestAnOmittedStructDoesNotTellOfHiddenFields(t *testing.T) {
	type account struct {
		Note     string `json:"note,omitzero"`
		Password string `json:"password" writeOnly:"true"`
	}
	type box struct {
		Tagged  tagged                   `json:"tagged,omitzero"`
		Pair    [2]struct{ Lamp hiding } `json:"pair,omitzero"`
		Account account                  `json:"account,omitzero"`
		Shown   account                  `json:"shown,omitzero"`
	}
	value := box{Tagged: tagged{Secret: "s"}, Account: account{Password: "p"}, Shown: account{"n", "p"}}
	value.Pair[1].Lamp.Cost = 1
	for _, c := range []struct {
		viewer schema.Viewer
		want   string
	}{
		{nil, `{"shown":{"note":"n"}}`},
		{as{"admin"}, `{"tagged":{"secret":"s"},"pair":[{"Lamp":{}},{"Lamp":{"cost":1}}],"shown":{"note":"n"}}`},
	} {
		if got, err := typed[box](t).AppendFor(nil, value, c.viewer); err != nil || string(got) != c.want {
			t.Errorf("%v gets %s (%v), want %s", c.viewer, got, err, c.want)
		}
	}
	if value.Tagged.Secret != "s" || value.Account.Password != "p" || value.Pair[1].Lamp.Cost != 1 {
		t.Errorf("the value itself is now %+v", value)
	}
}

// TestNobodyIsNotTheCallerBefore: encoders are pooled.
func TestNobodyIsNotTheCallerBefore(t *testing.T) {
	goods := typed[good](t)
	for range 100 {
		if _, err := goods.AppendFor(nil, good{Cost: 7}, as{"admin"}); err != nil {
			t.Fatal(err)
		}
		if got, err := goods.Append(nil, good{Cost: 7}); err != nil || strings.Contains(string(got), "cost") {
			t.Fatalf("Append() = %s (%v) after an admin's", got, err)
		}
	}
}

func TestAClientLeavesRolesToTheServer(t *testing.T) {
	type needed struct {
		Cost   *int   `json:"cost" required:"true" visibleTo:"admin"`
		Secret int    `json:"secret" visibleTo:"admin"`
		Status string `json:"status" default:"draft" writableBy:"admin"`
	}
	p, err := schema.NewTypes(schema.Config{Client: true}).Plan(reflect.TypeFor[needed](), "")
	if err != nil || p.Restricted(schema.Input) || p.Restricted(schema.Output) {
		t.Fatalf("Plan() = %v", err)
	}
	if got := decode(p, `{}`); !reflect.DeepEqual(got, needed{Status: "draft"}) {
		t.Errorf("a client reads %v of an answer without hidden members", got)
	}
	if got := decode(p, `{"secret":1,"cost":2,"status":"open"}`); !reflect.DeepEqual(got, needed{new(2), 1, "open"}) {
		t.Errorf("a client reads %v of an answer with all members", got)
	}
	for value, want := range map[needed]string{{}: `{"cost":null,"secret":0}`, {Secret: 1, Status: "open"}: `{"cost":null,"secret":1,"status":"open"}`} {
		if got, err := encode(p, value); err != nil || got != want {
			t.Errorf("a client sends %s (%v), want %s", got, err, want)
		}
	}
}

func TestItemsThatDifferOnlyInAHiddenMemberDiffer(t *testing.T) {
	type lot struct {
		Goods []lamp `json:"goods" uniqueItems:"true"`
	}
	const same, other = `{"goods":[{"kind":"lamp","cost":1},{"kind":"lamp","cost":1}]}`, `{"goods":[{"kind":"lamp","cost":1},{"kind":"lamp","cost":2}]}`
	if got := send[lot](t, same, as{"seller"}); got != refused("/goods unique_items") {
		t.Errorf("the same item twice = %v", got)
	}
	if got, ok := send[lot](t, other, as{"seller"}).(lot); !ok {
		t.Errorf("two items = %v", got)
	}
}
