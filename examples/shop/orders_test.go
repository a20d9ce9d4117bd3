package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
)

func customer(n int) *auth.User { return caller("c"+strconv.Itoa(n), "castle", "customer") }

// order lets the shop's caller order the first item and returns its path.
func (s *shop) order(note string) (path string) {
	s.t.Helper()
	got := s.call(http.MethodPost, "/orders", `{"item_id":1,"note":`+quote(note)+`}`)
	if got.status != http.StatusCreated {
		s.t.Fatalf("POST /orders by %s = %d %s, want 201", s.caller.ID, got.status, got.body)
	}
	return got.header.Get("Location")
}

// ordersOf reads a page of orders.
func ordersOf(t *testing.T, r reply) []Order {
	t.Helper()
	list, _ := orderPage(t, r)
	return list
}

// orderPage reads a page of orders, and the cursor of the next one.
func orderPage(t *testing.T, r reply) (list []Order, next string) {
	t.Helper()
	var page struct {
		Items []Order
		Next  string
	}
	decodeInto(t, r, &page)
	return page.Items, page.Next
}

func TestOrderLivesFromPostToSent(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine := s.as(customer(1))
	made := mine.call(http.MethodPost, "/orders", `{"item_id":5,"quantity":3,"note":"by the gate"}`)
	path := made.header.Get("Location")
	want := map[string]any{
		"order_id": json.Number("1"), "customer": "c1", "item_id": json.Number("5"), "name": "Watchman's lantern",
		"price": json.Number("42.5"), "quantity": json.Number("3"), "note": "by the gate", "status": "open",
	}
	wantOrder := func(what string, got reply, status int) {
		t.Helper()
		object := got.decode(t)
		for name, value := range want {
			if object[name] != value {
				t.Errorf("%s: %s is %v, want %v", what, name, object[name], value)
			}
		}
		if got.status != status || object["created"] == nil {
			t.Errorf("%s = %d %s, want %d", what, got.status, got.body, status)
		}
	}
	wantOrder("POST", made, http.StatusCreated)
	wantOrder("GET", mine.get(path), http.StatusOK)
	want["note"] = "at the door"
	wantOrder("PATCH of the note", mine.call(http.MethodPatch, path, `{"note":"at the door"}`, "If-Match", mine.get(path).header.Get("ETag")), http.StatusOK)
	want["status"] = "sent"
	wantOrder("PATCH of the status", s.as(admin()).call(http.MethodPatch, path, `{"status":"sent"}`, "If-Match", mine.get(path).header.Get("ETag")), http.StatusOK)
	// The item may go: the order says what it was.
	s.as(admin()).call(http.MethodDelete, "/items/5", "")
	wantOrder("GET", mine.get(path), http.StatusOK)
	if got := ordersOf(t, mine.get("/orders")); len(got) != 1 || got[0].Note != "at the door" {
		t.Errorf("the list is %v, want the order", got)
	}
}

// Case 54: whatever is put in the place of an id, it leads to nothing of others.
func TestGuessedIDsLeadNowhere(t *testing.T) {
	s := openShop(t, t.TempDir())
	s.as(customer(1)).order("a secret")
	s.create(draftLamp)
	thief := s.as(customer(2))
	for _, id := range []string{
		"0", "-1", "-0", "+1", "01", "1.0", "1e0", "0x1", "1_0", " 1", "1 ", "٣", "१", "1,2", "1;2", "1|2", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "18446744073709551617", "340282366920938463463374607431768211457", strings.Repeat("9", 1000), "[1]", "[]", "{}", `{"$gt":0}`, `{"order_id":1}`,
		"null", "undefined", "true", "NaN", "*", "%", "_", "1 OR 1=1", "1'--", "me", "all", "latest", "00000000-0000-0000-0000-000000000001", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"1\x00", "1\n", "..", "../1", "1/..", "c1", "gid://shop/Order/1", "MQ==",
	} {
		for _, where := range []string{"/orders/", "/items/"} {
			target := where + url.PathEscape(id)
			for _, method := range []string{http.MethodGet, http.MethodPatch} {
				body := ""
				if method == http.MethodPatch {
					body = `{"note":"taken"}`
				}
				got := thief.call(method, target, body, "If-Match", "*")
				if got.status < 400 || got.status >= 500 || strings.Contains(strings.ToLower(got.body), "secret") {
					t.Errorf("%s %s = %d %s, want it refused", method, target, got.status, got.body)
				}
			}
		}
	}
	// An id in the query or in the body is none.
	for _, target := range []string{"/orders?order_id=1", "/orders?id=1", "/orders?customer=c1", "/orders?customer[]=c1", "/orders/999?order_id=1"} {
		if got := thief.get(target); strings.Contains(got.body, "secret") {
			t.Errorf("%s shows another's order: %s", target, got.body)
		}
	}
	if got := ordersOf(t, s.as(customer(1)).get("/orders")); len(got) != 1 || got[0].Note != "a secret" {
		t.Errorf("after all attempts the orders are %v", got)
	}
}

// Case 55: to others an order is as if it were not there, in every word.
func TestOrderOfSomebodyElseIsMissing(t *testing.T) {
	s := openShop(t, t.TempDir())
	path := s.as(customer(1)).order("a secret")
	for name, who := range map[string]*auth.User{
		"another customer": customer(2), "a customer whose id is longer": customer(11), "a seller": seller(),
		"who has the same id elsewhere": caller("c1", "keep", "customer"), "an administrator elsewhere": caller("a2", "keep", "admin"),
	} {
		other := s.as(who)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPatch} {
			body := ""
			if method == http.MethodPatch {
				body = `{"note":"taken"}`
			}
			got, never := other.call(method, path, body, "If-Match", "*"), other.call(method, "/orders/999999", body, "If-Match", "*")
			if got.status != http.StatusNotFound || never.status != http.StatusNotFound || anonymous(got) != anonymous(never) {
				t.Errorf("%s by %s = %d %s, want 404 as for no order: %s", method, name, got.status, got.body, never.body)
			}
			for _, field := range []string{"Content-Type", "Content-Length", "Cache-Control", "Vary"} {
				if got, never := got.header.Get(field), never.header.Get(field); got != never {
					t.Errorf("%s by %s: %s is %q, and %q for no order", method, name, field, got, never)
				}
			}
		}
		if got := ordersOf(t, other.get("/orders?limit=100")); len(got) != 0 {
			t.Errorf("the list for %s is %v, want none", name, got)
		}
	}
	if got := s.as(customer(1)).get(path).decode(t); got["note"] != "a secret" {
		t.Errorf("after all attempts the note is %v", got["note"])
	}
}

func TestCallerWithoutATenantHasNoOrders(t *testing.T) {
	s := openShop(t, t.TempDir())
	path := s.as(customer(1)).order("a secret")
	for _, who := range []*auth.User{caller("c1", "", "customer"), caller("a3", "", "admin")} {
		for _, got := range []reply{s.as(who).get("/orders"), s.as(who).get(path), s.as(who).call(http.MethodPost, "/orders", `{"item_id":1}`)} {
			wantProblem(t, who.ID, got, http.StatusForbidden)
		}
	}
}

// Case 56: parameters that other APIs have, and those that this one has.
func TestListParametersLeakNothing(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine, other := s.as(customer(1)), s.as(customer(2))
	for i := range 3 {
		mine.order("mine " + strconv.Itoa(i))
		other.order("a secret")
	}
	plain := mine.get("/orders?limit=100")
	if got := ordersOf(t, plain); len(got) != 3 {
		t.Fatalf("the list has %d orders, want 3", len(got))
	}
	for _, q := range []string{
		"before=9007199254740991", "limit=1", "limit=100", "sort=status", "sort=customer", "sort=-price", "sort=created;customer", "order=customer", "orderby=note",
		"filter=customer=c2", "filter[customer]=c2", "customer=c2", "tenant=keep", "q=secret", "expand=customer", "include=customer", "embed=all", "count=true", "total=1", "fields=tenant,customer",
		"select=*", "where=1%3D1", "group=customer", "offset=0", "page=1", "cursor=", "all=true", "admin=true", "scope=all", "user=c2", "as=c2", "on_behalf_of=c2", "deleted=true", "$filter=1",
	} {
		got := mine.get("/orders?" + q)
		if got.status == http.StatusUnprocessableEntity || got.status == http.StatusBadRequest {
			continue
		}
		for _, order := range ordersOf(t, got) {
			if order.Customer != "c1" || !strings.HasPrefix(order.Note, "mine") {
				t.Errorf("?%s shows an order of %s", q, order.Customer)
			}
		}
		for name := range got.header {
			if strings.Contains(name, "Total") || strings.Contains(name, "Count") || name == "Content-Range" {
				t.Errorf("?%s answers with %s: %s", q, name, got.header.Get(name))
			}
		}
	}
	for _, q := range []string{"limit=0", "limit=101", "limit=-1", "limit=1e9", "limit=9223372036854775808", "limit=1&limit=2", "limit=null", "cursor=x", "cursor=", "cursor=a&cursor=b", "cursor=" + strings.Repeat("A", 5000), "sort=customer", "sort=1", "sort=id+desc", "sort="} {
		wantProblem(t, q, mine.get("/orders?"+q), http.StatusUnprocessableEntity)
	}
	// Pages one by one are what the whole list is, and end where it does.
	var paged []int64
	target := "/orders?limit=1"
	for range 10 {
		list, next := orderPage(t, mine.get(target))
		for _, order := range list {
			paged = append(paged, order.ID)
		}
		if next == "" {
			break
		}
		target = "/orders?limit=1&cursor=" + next
	}
	if want := []int64{5, 3, 1}; !slices.Equal(paged, want) {
		t.Errorf("page by page the orders are %v, want %v", paged, want)
	}
	// A cursor is its caller's, and of its list.
	_, cursor := orderPage(t, mine.get("/orders?limit=1"))
	wantProblem(t, "the cursor of somebody else", other.get("/orders?limit=1&cursor="+cursor), http.StatusUnprocessableEntity)
	wantProblem(t, "a cursor in another order", mine.get("/orders?sort=status&cursor="+cursor), http.StatusUnprocessableEntity)
	wantProblem(t, "a cursor of another list", mine.get("/orders/history?cursor="+cursor), http.StatusUnprocessableEntity)
	wantProblem(t, "a cursor that was changed", mine.get("/orders?cursor=A"+cursor[1:]), http.StatusUnprocessableEntity)
}

// Cases 57 and 58: what is not a caller's to set is not a member of the request.
func TestOwnerStatusAndPriceCannotBeSet(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine := s.as(customer(1))
	path := mine.order("mine")
	before := mine.get(path).body
	members := map[string]string{
		"order_id": `2`, "id": `2`, "customer": `"c2"`, "tenant": `"keep"`, "item_id": `2`, "name": `"x"`, "price": `0`, "quantity": `9`,
		"status": `"sent"`, "created": `"2000-01-01T00:00:00Z"`, "Status": `"sent"`, "STATUS": `"sent"`, "st\\u0061tus": `"sent"`, "roles": `["admin"]`, "__proto__": `{"status":"sent"}`,
	}
	for name, value := range members {
		for _, body := range []string{`{"` + name + `":` + value + `}`, `{"note":"changed","` + name + `":` + value + `}`, `{"` + name + `":null}`} {
			got := mine.call(http.MethodPatch, path, body, "If-Match", "*")
			wantProblem(t, body, got, http.StatusUnprocessableEntity)
			code := "extra_forbidden"
			if name == "status" || name == "st\\u0061tus" {
				code = "read_only" // For a customer.
			}
			if !strings.Contains(got.body, `"code":"`+code+`"`) {
				t.Errorf("PATCH %s = %s, want %s", body, got.body, code)
			}
		}
	}
	for _, body := range []string{`[{"op":"replace","path":"/status","value":"sent"}]`, `"sent"`, `null`} {
		for _, media := range []string{"application/json", "application/merge-patch+json", "application/json-patch+json"} {
			r := mine.call(http.MethodPatch, path, body, "Content-Type", media, "If-Match", "*")
			wantProblem(t, media+" "+body, r, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType, http.StatusBadRequest)
		}
	}
	if got := mine.get(path).body; got != before {
		t.Errorf("after all attempts the order is %s, want %s", got, before)
	}
	for name, value := range map[string]string{
		"customer": `"c2"`, "tenant": `"keep"`, "price": `0`, "name": `"x"`, "status": `"sent"`, "order_id": `1`, "created": `"2000-01-01T00:00:00Z"`,
	} {
		got := mine.call(http.MethodPost, "/orders", `{"item_id":1,"`+name+`":`+value+`}`)
		wantProblem(t, "a new order with "+name, got, http.StatusUnprocessableEntity)
	}
	// An administrator may set the status, and nothing else of these.
	boss := s.as(admin())
	for name, value := range members {
		if name == "status" || name == "st\\u0061tus" {
			continue
		}
		wantProblem(t, "an administrator's "+name, boss.call(http.MethodPatch, path, `{"`+name+`":`+value+`}`, "If-Match", "*"), http.StatusUnprocessableEntity)
	}
	for _, status := range []string{`"gone"`, `""`, `"SENT"`, `null`, `1`, `["sent"]`} {
		wantProblem(t, "status "+status, boss.call(http.MethodPatch, path, `{"status":`+status+`}`, "If-Match", "*"), http.StatusUnprocessableEntity)
	}
	if got := boss.call(http.MethodPatch, path, `{"st\u0061tus":"cancelled"}`, "If-Match", "*").decode(t); got["status"] != "cancelled" || got["customer"] != "c1" {
		t.Errorf("an administrator's status = %v, want cancelled, of c1", got)
	}
}

func TestItemsOwnersCannotBeSet(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1}`)
	for _, who := range []*auth.User{seller(), admin()} {
		for name, value := range map[string]string{"seller": `"s2"`, "item_id": `2`, "id": `2`, "price_with_tax": `0`, "owner": `"s2"`, "tenant": `"keep"`} {
			for method, body := range map[string]string{
				http.MethodPatch: `{"` + name + `":` + value + `}`, http.MethodPut: `{"name":"x","price":1,"` + name + `":` + value + `}`,
			} {
				wantProblem(t, method+" "+body, s.as(who).call(method, path, body), http.StatusUnprocessableEntity)
			}
		}
	}
	if got := s.get(path).decode(t); got["seller"] != "s1" || got["name"] != "Lamp" {
		t.Errorf("after all attempts the item is %v", got)
	}
}

// Case 58: nothing that is hidden comes out by asking for it.
func TestHiddenMembersCannotBeAskedFor(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":5,"cost":3.25}`)
	for _, target := range []string{path, "/items/"} {
		for _, q := range []string{"fields=cost", "fields=*", "select=cost", "include=cost", "expand=seller", "view=admin", "role=admin", "debug=1", "format=xml", "format=csv", "sort=cost", "cost=3.25", "cost[gt]=3", "min_cost=3"} {
			for _, header := range [][]string{nil, {"Accept", "*/*;role=admin"}, {"X-Role", "admin"}, {"X-User", "a1"}, {"X-Forwarded-User", "a1"}, {"X-Roles", "admin"}, {"Prefer", "return=representation"}, {"X-Fields", "cost"}} {
				got := s.get(target+"?"+q, header...)
				if strings.Contains(got.body, "3.25") || strings.Contains(got.body, `"cost"`) {
					t.Errorf("%s?%s with %v = %s, want no cost", target, q, header, got.body)
				}
			}
		}
	}
	if got := s.as(admin()).get(path); !strings.Contains(got.body, `"cost":3.25`) {
		t.Errorf("an administrator sees %s, want the cost", got.body)
	}
}

// Case 60: a rule that breaks lets nobody in.
func TestPanicInARuleDenies(t *testing.T) {
	reached := false
	handle := func(context.Context, struct{ Item LockedItem }) (fastness.NoContent, error) {
		reached = true
		return fastness.NoContent{}, nil
	}
	s := openShop(t, t.TempDir(), func(app *fastness.App) {
		broken := func(context.Context, auth.User) error { panic("a broken rule") }
		fastness.Put(app, "/test/{item_id}/caller", handle, access.If("a broken rule", broken), fastness.OperationID("brokenCaller"))
		fastness.Put(app, "/test/{item_id}/any", handle, access.Any(access.If("a broken rule", broken), access.Role("seller")), fastness.OperationID("brokenAny"))
		fastness.Put(app, "/test/{item_id}/object", handle, access.Role("seller"), fastness.OperationID("brokenObject"),
			access.Object("a broken rule", func(context.Context, auth.User, LockedItem) error { panic("a broken rule") }))
	})
	for _, path := range []string{"/test/1/caller", "/test/1/any", "/test/1/object"} {
		got := s.call(http.MethodPut, path, "")
		wantProblem(t, path, got, http.StatusInternalServerError)
		if reached || strings.Contains(got.body, "broken") {
			t.Errorf("%s: the operation ran: %t, and the answer is %s", path, reached, got.body)
		}
	}
	// The shop has statements of its own now and then.
	if !eventually(func() bool { return s.db.Write.Stats().InUse == 0 }) {
		t.Errorf("%d transactions are open after the panics", s.db.Write.Stats().InUse)
	}
}

// Case 59: no other way to say the same walks around the rules.
func TestOtherMethodsObeyTheSameRules(t *testing.T) {
	s := openShop(t, t.TempDir())
	path := s.as(customer(1)).order("a secret")
	draft, _ := s.create(draftLamp)
	item, _ := s.create(`{"name":"Lamp","price":1}`)
	overrides := [][]string{nil}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		for _, method := range []string{"DELETE", "PATCH", "PUT", "GET"} {
			overrides = append(overrides, []string{name, method})
		}
	}
	for name, who := range map[string]*auth.User{"nobody": nil, "another customer": customer(2)} {
		for _, target := range []string{path, draft, item, "/orders", "/items/", "/users", "/protected_route"} {
			for _, method := range []string{"HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "COPY", "MOVE", "SEARCH", "QUERY", "get", "GET ", "X"} {
				if method == "GET " || method == "CONNECT" {
					continue // No request line can hold the one; the other has no path.
				}
				for _, header := range overrides {
					body := ""
					if method == "PUT" || method == "PATCH" || method == "POST" {
						body = `{"note":"taken","_method":"DELETE"}`
					}
					got := s.as(who).call(method, target+"?_method=DELETE", body, header...)
					if strings.Contains(strings.ToLower(got.body), "secret") {
						t.Errorf("%s %s with %v by %s shows %s", method, target, header, name, got.body)
					}
					public := target == item || target == "/items/"
					if got.status < 400 && method != "OPTIONS" && !(method == "HEAD" && (public || who != nil && target == "/orders")) {
						t.Errorf("%s %s with %v by %s = %d %s, want it refused", method, target, header, name, got.status, got.body)
					}
				}
			}
			// What there is a browser may ask before it asks, and learns what everybody
			// can read in the document, alike for what exists and what does not.
			never := fmt.Sprint(s.as(who).call("OPTIONS", digits.ReplaceAllString(target, "999999"), "").header["Allow"])
			if got := fmt.Sprint(s.as(who).call("OPTIONS", target, "").header["Allow"]); got != never {
				t.Errorf("OPTIONS %s by %s allows %s, and %s for what does not exist", target, name, got, never)
			}
		}
	}
	if got := s.get(item); got.status != http.StatusOK {
		t.Errorf("the item is gone: %d", got.status)
	}
	if got := s.as(customer(1)).get(path).decode(t); got["note"] != "a secret" {
		t.Errorf("the note is %v", got["note"])
	}
}

// Two who open the same order: the second change does not undo the first unseen.
func TestChangeOfAnOrderNamesTheVersionSeen(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine, boss := s.as(customer(1)), s.as(admin())
	path := mine.order("by the gate")
	seen := mine.get(path)
	tag := seen.header.Get("ETag")
	wantProblem(t, "a PATCH without a version", mine.call(http.MethodPatch, path, `{"note":"x"}`), http.StatusPreconditionRequired)
	if got := boss.call(http.MethodPatch, path, `{"status":"sent"}`, "If-Match", boss.get(path).header.Get("ETag")); got.status != http.StatusOK {
		t.Fatalf("PATCH with the version seen = %d %s", got.status, got.body)
	}
	wantProblem(t, "a PATCH of what is not so any more", mine.call(http.MethodPatch, path, `{"note":"at the door"}`, "If-Match", tag), http.StatusPreconditionFailed)
	if got := mine.get(path, "If-None-Match", tag); got.status != http.StatusOK {
		t.Errorf("GET of another version = %d, want 200", got.status)
	}
	if got := mine.get(path, "If-None-Match", mine.get(path).header.Get("ETag")); got.status != http.StatusNotModified || got.body != "" {
		t.Errorf("GET of the same version = %d %s, want 304", got.status, got.body)
	}
}

func TestOrderThatIsSentAgainIsMadeOnce(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine := s.as(customer(1))
	const key = `"8e03978e-40d5-43e8-bc93-6894a57f9324"`
	first := mine.call(http.MethodPost, "/orders", `{"item_id":3}`, "Idempotency-Key", key)
	got := parallel(10, func(int) int {
		return mine.call(http.MethodPost, "/orders", `{"item_id":3}`, "Idempotency-Key", key).status
	})
	if first.status != http.StatusCreated || got[http.StatusCreated]+got[http.StatusConflict] != 10 {
		t.Errorf("the order = %d, and again %v", first.status, got)
	}
	again := mine.call(http.MethodPost, "/orders", `{"item_id":3}`, "Idempotency-Key", key)
	if again.body != first.body || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the same order again = %d %s, want the first answer %s", again.status, again.body, first.body)
	}
	wantProblem(t, "another order with the key", mine.call(http.MethodPost, "/orders", `{"item_id":4}`, "Idempotency-Key", key), http.StatusUnprocessableEntity)
	if left := s.stockOf("/items/3"); left != json.Number("2") {
		t.Errorf("%v horns are left of 3, want 2", left)
	}
	if other := s.as(customer(2)).call(http.MethodPost, "/orders", `{"item_id":3}`, "Idempotency-Key", key); other.status != http.StatusCreated || other.body == first.body {
		t.Errorf("the key of somebody else = %d %s, want an order of one's own", other.status, other.body)
	}
}
