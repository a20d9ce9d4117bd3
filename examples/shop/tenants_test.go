package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
)

// sold is an order as the model of the test knows it.
type sold struct{ tenant, customer, note, status string }

// crowded is a shop with users of several tenants, who do what they may and what
// they may not, and what should have come of it.
type crowded struct {
	*shop
	rand   *rand.Rand
	users  []*auth.User
	orders map[int64]*sold
}

// mayKnow reports whether u may know of the order: the rule in one line.
func (o *sold) mayKnow(u *auth.User) bool {
	return o.tenant == u.Tenant.String() && (o.customer == u.ID || u.HasRole("admin"))
}

// Nobody ever sees or changes an order of another tenant, whatever the order of
// what users of all tenants do. The same ids are in use in several tenants.
func TestNoOrderCrossesTenants(t *testing.T) {
	t.Parallel()
	const steps = 1500
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("FASTNESS_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if t.Failed() {
			t.Logf("again with FASTNESS_TEST_SEED=%d", seed)
		}
	}()
	c := &crowded{shop: openShop(t, t.TempDir()), rand: rand.New(rand.NewPCG(seed, 1)), orders: make(map[int64]*sold)}
	for _, tenant := range []string{"castle", "keep", "Castle", "castle ", "%", "c_stle"} {
		for _, id := range []string{"u1", "u2", "U1", "u%", "u1 "} {
			c.users = append(c.users, caller(id, tenant, "customer"))
		}
		c.users = append(c.users, caller("u1", tenant, "seller"), caller("boss", tenant, "admin"))
	}
	for range steps {
		u := c.users[c.rand.IntN(len(c.users))]
		switch n := c.rand.IntN(10); {
		case n < 4 || len(c.orders) < 20:
			c.buy(u)
		case n < 6:
			c.read(u)
		case n < 8:
			c.change(u)
		default:
			c.list(u)
		}
		if t.Failed() {
			return
		}
	}
	for _, u := range c.users { // In the end everybody looks at everything.
		for id, o := range c.orders {
			c.see(u, id, o)
		}
		c.list(u)
	}
}

func (c *crowded) buy(u *auth.User) {
	note := fmt.Sprintf("%q of %q", u.ID, u.Tenant)
	path := c.as(u).order(note)
	id, err := strconv.ParseInt(strings.TrimPrefix(path, "/orders/"), 10, 64)
	if err != nil || c.orders[id] != nil {
		c.t.Fatalf("the new order %s: %v, or its id is not new", path, err)
	}
	c.orders[id] = &sold{tenant: u.Tenant.String(), customer: u.ID, note: note, status: "open"}
}

func (c *crowded) any() (int64, *sold) {
	ids := slices.Sorted(maps.Keys(c.orders))
	id := ids[c.rand.IntN(len(ids))]
	return id, c.orders[id]
}

func (c *crowded) read(u *auth.User) {
	id, o := c.any()
	c.see(u, id, o)
}

// see wants that u sees the order as it is, or nothing.
func (c *crowded) see(u *auth.User, id int64, o *sold) {
	c.t.Helper()
	got := c.as(u).get(fmt.Sprintf("/orders/%d", id))
	c.judge(u, "GET", id, o, got)
}

func (c *crowded) judge(u *auth.User, what string, id int64, o *sold, got reply) {
	c.t.Helper()
	if !o.mayKnow(u) {
		if got.status != http.StatusNotFound || strings.Contains(got.body, "note") {
			c.t.Errorf("%s of order %d, %+v, by %q of %q %v = %d %s, want 404", what, id, *o, u.ID, u.Tenant, u.Roles, got.status, got.body)
		}
		return
	}
	var order Order
	err := json.Unmarshal([]byte(got.body), &order)
	if err != nil || got.status != http.StatusOK || order.ID != id || order.Customer != o.customer || order.Note != o.note || string(order.Status) != o.status {
		c.t.Errorf("%s of order %d, %+v, by %q of %q %v = %d %s, want it", what, id, *o, u.ID, u.Tenant, u.Roles, got.status, got.body)
	}
}

func (c *crowded) change(u *auth.User) {
	id, o := c.any()
	note := fmt.Sprintf("changed by %q of %q", u.ID, u.Tenant)
	body, after := `{"note":`+quote(note)+`}`, *o
	after.note = note
	if u.HasRole("admin") && c.rand.IntN(2) == 0 {
		after.status = []string{"open", "sent", "cancelled"}[c.rand.IntN(3)]
		body = `{"note":` + quote(note) + `,"status":` + quote(after.status) + `}`
	}
	got := c.as(u).call(http.MethodPatch, fmt.Sprintf("/orders/%d", id), body, "If-Match", "*")
	if o.mayKnow(u) {
		*o = after
	}
	c.judge(u, "PATCH", id, o, got)
}

// list wants all that u may know, in order, page by page.
func (c *crowded) list(u *auth.User) {
	var want, got []int64
	for id, o := range c.orders {
		if o.mayKnow(u) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	slices.Reverse(want)
	limit := 1 + c.rand.IntN(100)
	target := fmt.Sprintf("/orders?limit=%d", limit)
	for len(got) <= len(want) {
		page, next := orderPage(c.t, c.as(u).get(target))
		for _, o := range page {
			got = append(got, o.ID)
		}
		if next == "" {
			break
		}
		target = fmt.Sprintf("/orders?limit=%d&cursor=%s", limit, next)
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("the list for %q of %q %v is %v, want %v", u.ID, u.Tenant, u.Roles, got, want)
	}
}

// An administrator looks after the users of their tenant, and cannot tell others
// from users that there are not; an operator, who has no tenant, looks after all.
func TestAdministratorsLookAfterTheirOwnTenant(t *testing.T) {
	s := openShop(t, t.TempDir()).as(nil)
	victim := newAccount(t, s.core, "victim", "castle", "customer")
	boss, stranger, operator := s.newUser("boss", "castle", "admin"), s.newUser("stranger", "keep", "admin"), s.newUser("operator", "", "admin")
	for _, tt := range []struct {
		who  user
		want string
	}{{boss, "boss victim"}, {stranger, "stranger"}, {operator, "boss operator stranger victim"}} {
		for _, q := range []string{"", "?limit=500", "?after=a", "?tenant=castle", "?tenant=", "?all=true"} {
			got := s.get("/users"+q, tt.who.header...)
			if got.status == http.StatusBadRequest || got.status == http.StatusUnprocessableEntity {
				continue
			}
			var names []string
			for _, match := range userName.FindAllStringSubmatch(got.body, -1) {
				names = append(names, match[1])
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("GET /users%s by %s lists %q, want %q", q, tt.who.name, got, tt.want)
			}
		}
	}
	for _, id := range []string{victim, boss.id, operator.id} {
		for method, body := range map[string]string{
			http.MethodGet: "", http.MethodDelete: "", http.MethodPatch: `{"password":` + quote(password) + `,"roles":["customer"],"disabled":true}`,
		} {
			got, never := s.call(method, "/users/"+id, body, stranger.header...), s.call(method, "/users/NOBODY", body, stranger.header...)
			if got.status != http.StatusNotFound || anonymous(got) != anonymous(never) {
				t.Errorf("%s of a user of another tenant = %d %s, want 404 as for nobody: %s", method, got.status, got.body, never.body)
			}
		}
	}
	for _, tenant := range []string{`"castle"`, `"Keep"`, `"keep "`} {
		body := `{"name":"spy","password":` + quote(password) + `,"roles":["admin"],"tenant":` + tenant + `}`
		if got := s.call(http.MethodPost, "/users", body, stranger.header...); got.status < 400 {
			t.Errorf("an account in the tenant %s by an administrator of keep = %d %s", tenant, got.status, got.body)
		}
	}
	for _, by := range []user{stranger, boss} { // Nobody moves, not even oneself.
		got := s.call(http.MethodPatch, "/users/"+by.id, `{"tenant":"castle"}`, by.header...)
		wantProblem(t, by.name, got, http.StatusUnprocessableEntity)
	}
	if got := s.get("/users/"+victim, boss.header...); !strings.Contains(got.body, `"disabled":false`) {
		t.Errorf("after all attempts the user is %s", got.body)
	}
}

var userName = regexp.MustCompile(`"name":"([^"]*)"`)
