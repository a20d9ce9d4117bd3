package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// innocence is how each trap is shown to be harmless.
func innocence() map[string]func(*target) {
	const script = "<script>alert(1)</script>"
	return map[string]func(*target){
		"TR-01": func(x *target) {
			x.want(x.get(nil, "/v2/items").text == x.get(x.bob, "/v2/items").text, "all get the same")
		},
		"TR-02": func(x *target) {
			x.want(x.get(x.alice, "/v2/announcements").text == x.get(x.bob, "/v2/announcements").text, "all users get the same")
		},
		"TR-03": func(x *target) {
			_, note := x.order(x.alice)
			x.want(strings.Contains(x.get(x.admin, "/v2/admin/orders").text, note) && x.get(x.bob, "/v2/admin/orders").status == 403, "administrators only")
		},
		"TR-04": func(x *target) {
			u := x.user()
			x.order(u)
			id := x.get(u, "/v2/deliveries").at(0, "id")
			theirs, none := x.get(x.bob, "/v2/deliveries/"+id), x.get(x.bob, "/v2/deliveries/d-none")
			x.want(x.get(u, "/v2/deliveries/"+id).at("id") == id && theirs.status == 200 && theirs.text == none.text && theirs.at("error") == "not found", "as if there were none", theirs)
		},
		"TR-05": func(x *target) {
			path, note := x.order(x.alice)
			a, none := x.get(x.bob, path+"/tracking"), x.get(x.bob, "/v2/orders/987654/tracking")
			id := strings.TrimPrefix(path, "/v2/orders/")
			x.want(!strings.Contains(a.text, note) && strings.Replace(a.text, id, "987654", 1) == none.text, "nothing but the id", a, none)
		},
		"TR-06": func(x *target) {
			ask := func(q string) answer { return x.get(nil, "/v2/items?q="+url.QueryEscape(q)) }
			x.want(ask("horn signal").at("items", 0, "name") == "Signal horn" && ask(`"horn signal"`).at("items", 0) == "", "quotes mean a phrase")
			for _, end := range []string{"' AND 1=%d --", "%%' AND 1=%d --", "' OR 1=%d --", "\" AND 1=%d --"} {
				yes, no := ask("horn"+fmt.Sprintf(end, 1)), ask("horn"+fmt.Sprintf(end, 2))
				x.want(yes.status == 200 && yes.text == no.text, "true and false are the same: "+end, yes, no)
			}
		},
		"TR-07": func(x *target) {
			began := time.Now()
			x.get(x.alice, "/v2/recommendations")
			x.want(time.Since(began) > 800*time.Millisecond, "it is slow without any reason")
		},
		"TR-08": func(x *target) {
			a := x.get(nil, "/v2/carriers?postcode=1'%20AND%20sleep(5)%20--")
			x.want(a.text == x.get(nil, "/v2/carriers").text, "nobody reads the postcode")
		},
		"TR-09": func(x *target) {
			a := x.get(nil, "/v2/echo?text="+script)
			x.want(a.at("text") == script && a.header.Get("Content-Type") == "application/json" && a.header.Get("X-Content-Type-Options") == "nosniff", "JSON", a)
		},
		"TR-10": func(x *target) {
			a := x.get(nil, "/v2/echo.txt?text="+script)
			x.want(strings.Contains(a.text, script) && strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") && a.header.Get("X-Content-Type-Options") == "nosniff", "plain text", a)
		},
		"TR-11": func(x *target) {
			a := x.get(nil, "/search?q="+url.QueryEscape(script+`" onfocus='x'`))
			x.want(strings.Contains(a.text, "&lt;script&gt;") && !strings.Contains(a.text, "<script") && !strings.Contains(a.text, `" onfocus`), "escaped", a)
		},
		"TR-12": func(x *target) {
			for to, want := range map[string]string{"/items/1/page": "/items/1/page", "https://evil.example": "/", "//evil.example": "/", "//evil.example/x": "/", `/\evil.example`: "/", "/%2f/evil.example": "/%2f/evil.example", "javascript:alert(1)": "/", "https:evil.example": "/", "////evil.example": "/"} {
				a := x.get(nil, "/back?to="+url.QueryEscape(to))
				x.want(a.header.Get("Location") == want, to+" leads to "+a.header.Get("Location"))
			}
		},
		"TR-13": func(x *target) {
			address, visits := x.listener("")
			a := x.send(x.user(), "PUT", "/v2/me/homepage", `{"homepage_url":"`+address+`"}`)
			x.want(a.at("homepage_url") == address && visits.Load() == 0, "nobody visits it", a)
		},
		"TR-14": func(x *target) {
			a := x.get(nil, "/app/settings")
			x.want(a.text == x.send(nil, "DELETE", "/app/admin/users", "").text && a.text == x.send(nil, "JUMP", "/app/.git/HEAD", "").text, "one page", a)
		},
		"TR-15": func(x *target) {
			u := x.user()
			a := x.send(u, "POST", "/v2/sellers/apply", `{"shop_name":"Hers","role":"admin"}`)
			x.want(a.status == 200 && a.at("role") == "customer" && x.get(u, "/v2/me").at("role") == "customer" && x.get(u, "/v2/admin/users").status == 403, "still a customer", a)
		},
		"TR-16": func(x *target) {
			u := x.user()
			for i := range 120 {
				x.make(u, "/v2/items", fmt.Sprintf(`{"name":"Nail %d","price":1}`, i))
			}
			a := x.get(nil, "/v2/items?limit=1000000")
			x.want(a.at("limit") == "100" && a.at("items", 99, "id") != "" && a.at("items", 100, "id") == "", "a hundred")
		},
		"TR-17": func(x *target) {
			for _, method := range []string{"GET", "OPTIONS"} {
				a := x.send(nil, method, "/v2/open/prices", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET")
				x.want(a.header.Get("Access-Control-Allow-Origin") == "*" && a.header.Get("Access-Control-Allow-Credentials") == "", "no credentials", a)
			}
		},
		"TR-18": func(x *target) {
			one, two := x.send(x.alice, "POST", "/v2/me/invites", ""), x.send(x.bob, "POST", "/v2/me/invites", "")
			x.want(len(one.at("code")) == 26 && one.at("code") != two.at("code") && x.get(&who{token: one.at("code")}, "/v2/me").status == 401, "a code, and no token", one)
		},
		"TR-19": func(x *target) {
			x.want(strings.Contains(x.get(nil, "/v2/sellers/4").at("contact_email"), "gisela@") && x.get(nil, fmt.Sprintf("/v2/sellers/%d", x.alice.id)).status == 404, "sellers only")
		},
		"TR-20": func(x *target) {
			u, id := x.user(), x.make(x.alice, "/v2/items", `{"name":"Liked","price":1}`)
			atOnce(func() { x.send(u, "POST", "/v2/items/"+id+"/like", "") })
			x.want(x.send(u, "POST", "/v2/items/"+id+"/like", "").at("likes") == "1", "one like")
		},
		"TR-21": func(x *target) {
			u := x.user()
			path := "/v2/tickets/" + x.make(u, "/v2/tickets", `{"text":"mine"}`)
			x.want(x.send(x.bob, "PATCH", path, `{"text":"his"}`).status == 200 && x.send(x.bob, "DELETE", path, "").status == 204, "bob is told that it worked")
			x.want(x.get(u, path).at("text") == "mine" && x.get(x.bob, path).status == 404, "nothing has changed")
			x.want(x.send(u, "PATCH", path, `{"text":"new"}`).status == 200 && x.get(u, path).at("text") == "new", "the owner may")
		},
		"TR-22": func(x *target) {
			x.want(strings.Contains(string(document), "security: [{}, {bearer: []}]") && x.get(nil, "/v2/items/1").text == x.get(x.bob, "/v2/items/1").text, "declared, and the same for all")
		},
		"TR-23": func(x *target) {
			ask := func(text string) answer { return x.get(nil, "/v2/calculator?expression="+url.QueryEscape(text)) }
			x.want(ask("41*271").at("result") == "11111", "it computes")
			for _, text := range []string{"{{41*271}}", "${41*271}", "; echo $((41*271))", "<%= 41*271 %>", "41*271; id", "`41*271`"} {
				x.want(ask(text).status == 400 && !strings.Contains(ask(text).text, "11111"), "refused: "+text)
			}
		},
		"TR-24": func(x *target) {
			last, tries := 0, 0
			for ; tries < 40 && last != 429; tries++ { // A window may end in between.
				last = x.send(nil, "POST", "/v2/auth/pin", `{"pin":"1"}`, "X-Forwarded-For", random()).status
			}
			x.want(last == 429, "limited whatever the header says")
		},
		"TR-25": func(x *target) {
			marker := random()
			x.make(x.alice, "/v2/items/4/reviews", `{"stars":1,"title":"<b>`+marker+`</b>","text":"x"}`)
			page := x.get(nil, "/items/4/page").text
			x.want(strings.Contains(page, "&lt;b&gt;"+marker) && !strings.Contains(page, "<b>"+marker), "escaped in the page")
		},
		"TR-26": func(x *target) {
			began := time.Now()
			a := x.get(nil, "/v2/items/match?pattern="+strings.Repeat("*a", 1000)+"b")
			x.want(a.status == 200 && time.Since(began) < 2*time.Second, fmt.Sprint(time.Since(began)), a)
			x.want(x.get(nil, "/v2/items/match?pattern=*h?rn").at("names", 0) == "Signal horn", "it finds")
		},
		"TR-27": func(x *target) {
			a := x.get(nil, "/v2/auth/jwks.json")
			x.want(a.at("keys", 0, "kty") == "RSA" && a.at("keys", 0, "d") == "" && a.at("keys", 0, "p") == "", "the public half only", a)
		},
	}
}
