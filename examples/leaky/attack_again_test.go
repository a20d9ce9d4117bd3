package main

import "strings"

// againAttacks are what the flaws of other groups look like at a second place.
func againAttacks() map[string]func(*target) {
	const object = `{"a":1}`
	return map[string]func(*target){
		"LK-92": func(x *target) {
			path, note := x.order(x.alice)
			a := x.get(nil, strings.Replace(path, "/v2/", "/v1/", 1))
			x.want(a.at("note") == note, "a stranger reads the order", a)
		},
		"LK-93": func(x *target) {
			a := x.get(nil, "/.env")
			x.want(strings.Contains(a.text, "\nDB_PASSWORD=") && strings.Contains(a.text, "\nJWT_SECRET="), "the secrets are there", a)
		},
		"LK-94": func(x *target) {
			a := x.send(x.user(), "POST", "/v2/me/address", "address=Tower", "Content-Type", "application/x-www-form-urlencoded")
			x.want(strings.HasPrefix(a.at("password_hash"), "$2a$") && strings.HasPrefix(a.at("api_key"), "lk_"), "both are in the answer", a)
		},
		"LK-95": func(x *target) {
			u := x.user()
			x.want(x.send(u, "PUT", "/v2/users/"+x.get(u, "/v2/me").at("id")+"/password", `{"new_password":"Another-1"}`).status == 204, "changed")
			x.want(x.get(u, "/v2/me").at("username") == u.name && x.get(nil, "/v2/me", "Cookie", u.cookie).at("username") == u.name, "token and cookie go on")
			x.want(x.logIn(u.name, "Another-1").id > 0, "the new password counts")
		},
		"LK-96": func(x *target) {
			few, many := x.get(nil, "/v2/items?q="+strings.Repeat("a+", 100)), x.get(nil, "/v2/items?q="+strings.Repeat("a+", 1200))
			x.want(few.status == 200 && many.status == 500, "many words fail", few, many)
		},
		"LK-97": func(x *target) {
			u := x.user(`,"role":"seller"`)
			path := "/v2/items/" + x.make(u, "/v2/items", `{"name":"Drawbridge","price":5,"stock":1}`)
			a := x.send(u, "PATCH", path, `{"description":`+object+`}`)
			x.want(a.status == 500 && x.send(u, "PATCH", path, `{"description":"oak"}`).status == 200, "an object fails, a text does not", a)
		},
		"LK-98": func(x *target) {
			u := x.user()
			a := x.send(u, "PATCH", "/v2/me", `{"address":`+object+`}`)
			x.want(a.status == 500 && x.send(u, "PATCH", "/v2/me", `{"address":"Tower"}`).status == 200, "an object fails, a text does not", a)
		},
		"LK-99": func(x *target) {
			_, token, found := strings.Cut(x.get(x.alice, "/v2/me/downloads").text, "access_token=")
			token, _, _ = strings.Cut(token, `"`)
			x.want(found, "the answer has a token in an address")
			x.passes(token)
		},
		"LK-100": func(x *target) {
			known, unknown := x.send(nil, "POST", "/v2/auth/forgot", `{"username":"alice"}`), x.send(nil, "POST", "/v2/auth/forgot", `{"username":"nobody"}`)
			x.want(known.status == 200 && unknown.status == 404, "the answers differ", known, unknown)
		},
		"LK-102": func(x *target) {
			item, u := x.make(x.user(`,"role":"seller"`), "/v2/items", `{"name":"Moat","price":-17,"stock":1}`), x.user()
			before := x.get(u, "/v2/me").at("credit")
			x.make(u, "/v2/orders", `{"item_id":`+item+`,"quantity":1}`)
			x.want(before == "0" && x.get(u, "/v2/me").at("credit") == "17", "who buys is paid; before it was "+before, x.get(u, "/v2/me"))
		},
		"LK-101": func(x *target) {
			a := x.send(nil, "POST", "/v2/auth/register", `{"username":"`+random()+`","password":"x"}`)
			x.want(a.status == 201 && a.at("verified") == "0", "it is a number", a)
		},
	}
}
