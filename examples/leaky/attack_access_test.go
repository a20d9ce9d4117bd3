package main

import (
	"fmt"
	"maps"
	"strings"
	"sync"
)

// attacks are how each flaw is shown.
func attacks() map[string]func(*target) {
	all := map[string]func(*target){}
	for _, group := range []map[string]func(*target){objectAttacks(), fieldAttacks(), logInAttacks(), tokenAttacks(), injectionAttacks(), fetchAttacks(), pageAttacks(), flowAttacks(), inventoryAttacks(), serverAttacks(), againAttacks()} {
		maps.Copy(all, group)
	}
	return all
}

// objectAttacks are on what belongs to others.
func objectAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-14": func(x *target) {
			victim := x.user()
			a := x.get(x.bob, fmt.Sprintf("/v2/users/%d", victim.id))
			x.want(strings.Contains(a.at("phone"), victim.name) && strings.HasPrefix(a.at("password_hash"), "$2a$"), "bob reads the account of another", a)
			x.want(x.get(nil, fmt.Sprintf("/v2/users/%d", victim.id)).status == 401, "strangers do not")
		},
		"LK-15": func(x *target) {
			victim := x.user()
			a := x.send(x.bob, "PUT", fmt.Sprintf("/v2/users/%d/password", victim.id), `{"new_password":"taken over"}`)
			x.want(a.status == 204 && x.logIn(victim.name, "taken over").id == victim.id, "bob logs in as the victim", a)
		},
		"LK-16": func(x *target) {
			victim, line := x.user(), random()
			id := x.make(victim, fmt.Sprintf("/v2/users/%d/addresses", victim.id), `{"line":"`+line+`"}`)
			a := x.get(x.bob, fmt.Sprintf("/v2/users/%d/addresses/%s", x.bob.id, id))
			x.want(a.at("line") == line, "bob reads the address below his own id", a)
			x.want(x.get(x.bob, fmt.Sprintf("/v2/users/%d/addresses/%s", victim.id, id)).status == 403, "below hers he may not")
		},
		"LK-33": func(x *target) {
			victim := x.user()
			_, note := x.order(victim)
			a := x.get(x.bob, fmt.Sprintf("/v2/orders?customer_id=%d", victim.id))
			x.want(strings.Contains(a.text, note), "bob lists the orders of another", a)
			x.want(!strings.Contains(x.get(x.bob, "/v2/orders").text, note), "without the filter he does not")
		},
		"LK-34": func(x *target) {
			_, note := x.order(x.user())
			a := x.get(x.bob, "/v2/orders/branch", "X-Branch", "castle")
			x.want(strings.Contains(a.text, note), "bob of the harbour reads the orders of the castle", a)
			x.want(!strings.Contains(x.get(x.bob, "/v2/orders/branch").text, note), "without the header he does not")
		},
		"LK-36": func(x *target) {
			victim, note := x.user(), random()
			a := x.send(x.bob, "POST", "/v2/orders", fmt.Sprintf(`{"item_id":6,"quantity":1,"note":%q,"customer_id":%d}`, note, victim.id))
			x.want(a.status == 201 && strings.Contains(x.get(victim, "/v2/orders").text, note), "the order is the victim's", a)
		},
		"LK-39": func(x *target) {
			path, note := x.order(x.user())
			a := x.get(x.bob, path)
			x.want(a.at("note") == note, "bob reads it", a)
			x.want(x.get(nil, path).status == 401, "strangers do not")
		},
		"LK-40": func(x *target) {
			victim := x.user()
			path, _ := x.order(victim)
			x.send(x.bob, "PATCH", path, `{"note":"bob was here"}`)
			x.want(x.get(victim, path).at("note") == "bob was here", "the victim reads what bob wrote")
		},
		"LK-41": func(x *target) {
			victim := x.user()
			path, _ := x.order(victim)
			x.want(x.send(x.bob, "DELETE", path, "").status == 204 && x.get(victim, path).status == 404, "the order is gone")
		},
		"LK-42": func(x *target) {
			path, note := x.order(x.user())
			a := x.send(x.bob, "POST", "/v2/orders/lookup", `{"order_id":`+strings.TrimPrefix(path, "/v2/orders/")+`}`)
			x.want(a.at("note") == note, "bob gets it", a)
		},
		"LK-49": func(x *target) {
			victim := x.user()
			path := "/v2/items/" + x.make(victim, "/v2/items", `{"name":"Hers","price":3}`)
			x.send(x.bob, "PUT", path, `{"name":"His","price":1}`)
			x.want(x.get(victim, path).at("name") == "His", "the item has bob's name")
			x.want(x.send(x.bob, "PATCH", path, `{"name":"His"}`).status == 403, "PATCH is right")
		},
		"LK-54": func(x *target) {
			victim, text := x.user(), random()
			id := x.make(victim, "/v2/items/1/reviews", `{"stars":4,"title":"a","text":"`+text+`"}`)
			a := x.send(x.bob, "DELETE", "/v2/items/1/reviews/"+id, "")
			x.want(a.status == 204 && !strings.Contains(x.get(nil, "/v2/items/1/reviews").text, text), "the review is gone", a)
		},
		"LK-55": func(x *target) {
			a := x.get(nil, "/v2/admin/reports/sales")
			x.want(a.status == 200 && a.at("report", "revenue") != "", "a stranger reads the revenue", a)
		},
		"LK-56": func(x *target) {
			title := random()
			x.make(x.user(), "/v2/announcements", `{"title":"`+title+`","text":"free bread"}`)
			x.want(strings.Contains(x.get(x.alice, "/v2/announcements").text, title), "alice reads it")
		},
		"LK-57": func(x *target) {
			code := random()
			x.send(x.admin, "POST", "/v2/admin/coupons", `{"code":"`+code+`","amount":1}`)
			a := x.send(x.bob, "PUT", "/v2/admin/coupons/"+code, `{"amount":77}`)
			x.want(a.at("amount") == "77" && x.get(x.bob, "/v2/admin/coupons").status == 403, "bob changes what he may not see", a)
		},
	}
}

// fieldAttacks are on members of what one may otherwise read or write.
func fieldAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-10": func(x *target) {
			a := x.get(x.alice, "/v2/me")
			x.want(strings.HasPrefix(a.at("password_hash"), "$2a$") && strings.HasPrefix(a.at("api_key"), "lk_"), "hash and key are there", a)
		},
		"LK-11": func(x *target) { x.becomesAdmin("PUT") },
		"LK-12": func(x *target) {
			x.becomesAdmin("PATCH")
			u := x.user()
			x.send(u, "PATCH", "/v2/me", `{"credit":1000000,"verified":1}`)
			a := x.get(u, "/v2/me")
			x.want(a.at("credit") == "1e+06" || a.at("credit") == "1000000", "the credit is what was sent", a)
		},
		"LK-13": func(x *target) {
			victim := x.user()
			x.want(strings.Contains(x.get(x.bob, "/v2/users").text, victim.name+"@example.com"), "bob reads the address of another")
		},
		"LK-18": func(x *target) {
			u := x.user(`,"role":"admin","credit":999`)
			x.want(x.get(u, "/v2/admin/users").status == 200 && x.get(u, "/v2/me").at("credit") == "999", "the new user is an administrator")
			u = x.user()
			x.want(x.get(u, "/v2/admin/users").status == 403 && x.get(u, "/v2/me").at("credit") == "0", "without role they are not")
		},
		"LK-35": func(x *target) {
			a := x.send(x.user(), "POST", "/v2/orders", `{"item_id":1,"quantity":1,"price":0.01}`)
			x.want(a.at("total") == "0.01", "the total is of the price that was sent", a)
		},
		"LK-48": func(x *target) {
			a := x.get(nil, "/v2/items/3")
			x.want(a.at("cost") == "31" && strings.Contains(a.at("supplier_notes"), "Gisela"), "cost and notes are there", a)
		},
		"LK-50": func(x *target) {
			u := x.user()
			path := "/v2/items/" + x.make(u, "/v2/items", `{"name":"Advertised","price":3}`)
			x.want(x.get(u, path).at("featured") == "0" && x.send(u, "PATCH", path, `{"featured":1}`).at("featured") == "1", "it is featured")
		},
		"LK-53": func(x *target) {
			a := x.get(nil, "/v2/items/5/reviews")
			x.want(strings.Contains(a.text, "@castle.example"), "a stranger reads the address", a)
		},
	}
}

func (x *target) becomesAdmin(method string) {
	x.Helper()
	u := x.user()
	x.want(x.get(u, "/v2/admin/users").status == 403, "a customer may not")
	x.send(u, method, "/v2/me", `{"role":"admin"}`)
	x.want(x.get(u, "/v2/admin/users").status == 200, "an administrator may")
}

// atOnce does something eight times at the same time.
func atOnce(do func()) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(do)
	}
	all.Wait()
}

// flowAttacks are on what the shop is about.
func flowAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-37": func(x *target) {
			u := x.user()
			a := x.send(u, "POST", "/v2/orders", `{"item_id":5,"quantity":-5}`)
			x.want(a.status == 201 && x.get(u, "/v2/me").at("credit") == "212.5", "the credit grows", a)
		},
		"LK-38": func(x *target) {
			seller, u := x.user(), x.user()
			id := x.make(seller, "/v2/items", `{"name":"The last one","price":1,"stock":1}`)
			taken := make(chan bool, 8)
			atOnce(func() {
				taken <- x.send(u, "POST", "/v2/orders", `{"item_id":`+id+`,"quantity":1}`).status == 201
			})
			n := 0
			for range 8 {
				if <-taken {
					n++
				}
			}
			x.want(n > 1, fmt.Sprintf("%d orders of one piece", n))
		},
		"LK-61": func(x *target) {
			u := x.user()
			for range 3 {
				x.send(u, "POST", "/v2/coupons/redeem", `{"code":"WELCOME10"}`)
			}
			x.want(x.get(u, "/v2/me").at("credit") == "30", "it counts three times")
		},
		"LK-62": func(x *target) {
			u := x.user()
			card := x.send(u, "POST", "/v2/gift-cards", `{"amount":1}`).at("code")
			atOnce(func() { x.send(u, "POST", "/v2/gift-cards/"+card+"/redeem", "") })
			credit := 0
			_, _ = fmt.Sscan(x.get(u, "/v2/me").at("credit"), &credit)
			x.want(credit > 0, "the credit is more than it was before the card was bought")
			x.want(x.send(u, "POST", "/v2/gift-cards/"+card+"/redeem", "").status == 409, "one after the other it is refused")
		},
	}
}
