package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
)

const draftLamp = `{"name":"Secret lamp","price":1,"draft":true}`

var instance = regexp.MustCompile(`"instance":"[^"]*"`)

// anonymous returns the body of a problem without its request id.
func anonymous(r reply) string { return instance.ReplaceAllString(r.body, "") }

// strangers are callers who must not know of a draft of s1.
func strangers() map[string]*auth.User {
	former := caller("s1", "castle", "customer")
	return map[string]*auth.User{
		"nobody": nil, "a customer": caller("c1", "castle", "customer"), "another seller": caller("s2", "castle", "seller"),
		"a seller whose id is longer": caller("s11", "castle", "seller"), "who was a seller once": former,
		"a seller of another tenant": caller("s3", "keep", "seller"), "an administrator of another tenant": caller("a2", "keep", "admin"), "nobody's seller": caller("s1 ", "castle", "seller"),
	}
}

func TestDraftsAreTheirSellersAlone(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, item := s.create(draftLamp)
	if item["draft"] != true || item["seller"] != "s1" {
		t.Fatalf("POST of a draft = %v, want a draft of s1", item)
	}
	for name, who := range strangers() {
		other := s.as(who)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			never, got := other.call(method, "/items/999999", bodyFor(method)), other.call(method, path, bodyFor(method))
			if got.status != never.status || anonymous(got) != anonymous(never) {
				t.Errorf("%s by %s = %d %s, which tells a draft from no item: %d %s", method, name, got.status, got.body, never.status, never.body)
			}
			if got.status < 400 || strings.Contains(got.body, "Secret") {
				t.Errorf("%s by %s = %d %s, want a refusal", method, name, got.status, got.body)
			}
		}
		for _, target := range []string{"/items/?limit=100", "/", "/orders"} {
			if got := other.get(target, "Accept", "text/html"); strings.Contains(got.body, "Secret") {
				t.Errorf("%s shows the draft to %s", target, name)
			}
		}
		if got := other.total(); got != fmt.Sprint(samples) {
			t.Errorf("total is %s for %s with a draft, want %d: the number tells of it", got, name, samples)
		}
	}
	for name, who := range map[string]*auth.User{"its seller": seller(), "an administrator": admin(), "an operator": caller("o1", "", "admin")} {
		got := s.as(who).get(path)
		if got.status != http.StatusOK || got.decode(t)["name"] != "Secret lamp" {
			t.Errorf("GET by %s after all attempts = %d %s, want the draft as it was", name, got.status, got.body)
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET of a draft has %v, want no-store: a cache would show it to anybody", got.header)
		}
	}
}

func TestDraftCannotBeOrdered(t *testing.T) {
	s := openShop(t, t.TempDir())
	_, item := s.create(draftLamp)
	for _, who := range []*auth.User{caller("c1", "castle", "customer"), seller(), admin()} {
		never := s.as(who).call(http.MethodPost, "/orders", `{"item_id":999999}`)
		got := s.as(who).call(http.MethodPost, "/orders", fmt.Sprintf(`{"item_id":%v}`, item["item_id"]))
		if got.status != http.StatusNotFound || anonymous(got) != anonymous(never) {
			t.Errorf("an order of a draft by %s = %d %s, want 404 as for no item: %s", who.ID, got.status, got.body, never.body)
		}
	}
}

func TestDraftStaysADraftUntilItIsPublished(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(draftLamp)
	if got := s.call(http.MethodPut, path, `{"name":"Better lamp","price":2}`); got.decode(t)["draft"] != true {
		t.Errorf("PUT = %d %s, want a draft still", got.status, got.body)
	}
	if got := s.as(nil).get(path); got.status != http.StatusNotFound {
		t.Errorf("GET by nobody after PUT = %d, want 404", got.status)
	}
	if got := s.call(http.MethodPatch, path, `{"draft":false}`); got.decode(t)["draft"] != false {
		t.Fatalf("PATCH draft false = %d %s, want an item for sale", got.status, got.body)
	}
	if got := s.as(nil).get(path); got.status != http.StatusOK {
		t.Errorf("GET by nobody of what is for sale = %d, want 200", got.status)
	}
	if got := s.total(); got != fmt.Sprint(samples+1) {
		t.Errorf("%s items are for sale, want %d", got, samples+1)
	}
}

// That an item is for sale everybody knows, so others are told that it is not
// theirs.
func TestItemsAreChangedByTheirSellerAlone(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, want := s.create(`{"name":"Lamp","price":1}`)
	for name, who := range strangers() {
		status := http.StatusForbidden
		if who == nil {
			status = http.StatusUnauthorized
		}
		for _, target := range []string{path, "/items/1"} { // The second is the shop's own.
			for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
				if got := s.as(who).call(method, target, bodyFor(method)); got.status != status {
					t.Errorf("%s %s by %s = %d %s, want %d", method, target, name, got.status, got.body, status)
				}
			}
		}
	}
	if got := s.get(path).decode(t); got["name"] != want["name"] {
		t.Errorf("after all attempts the item is %v, want %v", got, want)
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other, _ := s.create(`{"name":"Lamp","price":1}`)
		for _, target := range []string{other, "/items/2"} {
			if got := s.as(admin()).call(method, target, bodyFor(method)); got.status >= 300 {
				t.Errorf("%s %s by an administrator = %d %s, want it done", method, target, got.status, got.body)
			}
		}
	}
	if got := s.get(path).decode(t); got["seller"] != "s1" {
		t.Errorf("the seller is %v, want s1", got["seller"])
	}
}

// An administrator who changes somebody's item does not become its seller.
func TestItemStaysItsSellers(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(`{"name":"Lamp","price":1}`)
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		if got := s.as(admin()).call(method, path, bodyFor(method)).decode(t); got["seller"] != "s1" {
			t.Errorf("after %s by an administrator the seller is %v, want s1", method, got["seller"])
		}
	}
	if got := s.call(http.MethodPatch, path, `{"name":"Lantern"}`); got.status != http.StatusOK {
		t.Errorf("PATCH by the seller = %d, want 200", got.status)
	}
}

// What a seller paid is between them and the administrators, who alone see it.
func TestCostIsForAdministrators(t *testing.T) {
	s := openShop(t, t.TempDir())
	boss := s.as(admin())
	lists := func(s *shop, what string) reply {
		got := s.get(what)
		if got.status != http.StatusOK {
			t.Fatalf("GET %s = %d %s", what, got.status, got.body)
		}
		return got
	}
	const sent = `{"name":"Lamp","price":5,"cost":3.25}`
	made := s.call(http.MethodPost, "/items/", sent)
	path := made.header.Get("Location")
	answers := map[string]reply{
		"its seller's POST": made, "its seller's GET": s.get(path), "its seller's list": lists(s, "/items/?limit=100"),
		"its seller's PUT": s.call(http.MethodPut, path, sent), "its seller's PATCH": s.call(http.MethodPatch, path, `{"cost":3.25}`),
	}
	for name, who := range strangers() {
		answers["GET by "+name] = s.as(who).get(path)
		answers["the list for "+name] = lists(s.as(who), "/items/?limit=100")
		answers["the page for "+name] = s.as(who).get("/", "Accept", browser)
	}
	for name, got := range answers {
		if got.status >= 300 || strings.Contains(got.body, "cost") || strings.Contains(got.body, "3.25") {
			t.Errorf("%s = %d %s, want no cost", name, got.status, got.body)
		}
	}
	for name, got := range map[string]reply{
		"GET": boss.get(path), "the list": lists(boss, "/items/?limit=100"), "PATCH": boss.call(http.MethodPatch, path, `{"price":6}`),
		"PUT": boss.call(http.MethodPut, path, sent), "POST": boss.call(http.MethodPost, "/items/", sent),
	} {
		if !strings.Contains(got.body, `"cost":3.25`) {
			t.Errorf("an administrator's %s = %d %s, want the cost", name, got.status, got.body)
		}
	}
	// A cost that was taken away is not told from one that nobody set.
	if got := s.call(http.MethodPatch, path, `{"cost":null}`); got.status != http.StatusOK || strings.Contains(got.body, "cost") {
		t.Errorf("PATCH cost null = %d %s, want 200 without it", got.status, got.body)
	}
	if got := boss.get(path); strings.Contains(got.body, "3.25") {
		t.Errorf("after PATCH cost null an administrator sees %s", got.body)
	}
}
