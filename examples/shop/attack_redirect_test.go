package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// strangeTargets are addresses with which a stranger would have a browser leave
// the shop: every way to begin one, with every spelling of the other host.
func strangeTargets() (all []string) {
	begins := []string{
		"//", "///", "////", `/\`, `\/`, `\\`, `/\/`, `//\`, "/\t/", "/\n/", "/\r\n/", "\t//", " //", "\x00//", "/\x00/", "\u00a0//", "/.//", "/..//", "/a/..//",
		"/%09/", "/%5c", "/%2f", "/%2f/", "/%0d%0a/", "https://", "http://", "HTTPS://", "https:", "https:/", "https:///", `https:\\`, `https:/\`, "ht\ttps://",
		" https://", "ftp://", "://", "/https://", "//https://", "／／", "/／", "∕∕", "https：//", "@", ".",
	}
	hosts := []string{
		"evil.example", "evil.example/..", "evil.example?localhost", "evil.example#localhost", "localhost@evil.example", "localhost:8443@evil.example", "localhost.evil.example",
		`evil.example\@localhost`, "evil.example%00.localhost", "evil。example", "ｅvil.example", "2130706433",
	}
	for _, begin := range begins {
		for _, host := range hosts {
			all = append(all, begin+host)
		}
	}
	for _, scheme := range []string{"javascript", "JavaScript", "java\tscript", " javascript", "vbscript", "data", "blob", "file", "intent"} {
		all = append(all, scheme+":alert(1)", scheme+"://localhost/%0aalert(1)")
	}
	return append(all, "", "there", "?a=/b", "#/b", "/\r\nSet-Cookie: a=b", "/there\nX: y", "/%0d%0aLocation:%20//evil.example", "/%", "/ ", "/\x7f", "/\u202e/evil.example")
}

// strays reports whether a browser that is led to location from a page of the shop
// might leave it. Browsers drop tabs and line ends, take \ for /, and trim what does
// not print; whatever has any of those is wrong already.
func strays(location string) bool {
	if location == "" || strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
		return true
	}
	base := &url.URL{Scheme: "https", Host: "localhost", Path: "/dir/page"}
	to, err := base.Parse(location)
	return err != nil || to.Scheme != base.Scheme || to.Host != base.Host || to.User != nil || !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//")
}

// wantHere reports an answer that leads elsewhere, or fails, or sets what the
// request asked it to.
func wantHere(t *testing.T, what string, got reply) {
	t.Helper()
	for _, location := range got.header.Values("Location") {
		if strays(location) {
			t.Errorf("%.200q: %d leads to %q", what, got.status, location)
		}
	}
	if got.status >= 500 || got.header.Get("X") != "" || got.cookies()["a"] != "" {
		t.Errorf("%.200q: %d %v", what, got.status, got.header)
	}
}

func TestNoEndpointOfTheShopLeadsElsewhere(t *testing.T) {
	all := strangeTargets()
	if len(all) < 388 {
		t.Fatalf("only %d targets", len(all))
	}
	for _, location := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "https:evil.example", "/\t/evil.example", "there", "", "https://localhost@evil.example"} {
		if !strays(location) {
			t.Errorf("this test does not see where %q leads", location)
		}
	}
	s := openShop(t, t.TempDir()).as(nil)
	ways := []string{
		"/login?next=", "/items?next=", "/passkeys/login?next=", "/login?problem=", "/oauth/continue?request=", "/oauth/resume?next=", "/oauth/consent?request=", "/?next=", "/docs?next=",
	}
	led := 0
	for i, target := range all {
		escaped := url.QueryEscape(target)
		for _, path := range []string{ways[0], ways[1], ways[2+i%(len(ways)-2)]} {
			got := s.get(path+escaped, "Accept", browser)
			wantHere(t, path+target, got)
			for _, field := range []string{`href="` + target, `action="` + target, `url=` + target} {
				if len(target) > 2 && strings.Contains(got.body, field) {
					t.Errorf("%s%q: the page has %s", path, target, field)
				}
			}
			if got.header.Get("Location") != "" {
				led++
			}
		}
		client := []string{"docs", "docs", "shop", "nobody"}[i%4] // Of docs, an address is registered.
		got := s.get("/oauth/authorize?response_type=code&client_id="+client+"&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=s&redirect_uri="+escaped, "Accept", browser)
		wantHere(t, "redirect_uri="+target, got)
		if i%8 != 0 || len(storable([]string{target})) == 0 {
			continue
		}
		got = s.call(http.MethodPost, "/test/items/", `{"price":1,"name":`+quote(strings.ToValidUTF8(target, "?")+".")+`}`)
		wantHere(t, "an item "+target, got)
		if location := got.header.Get("Location"); got.status != http.StatusCreated || strings.Trim(location, "/items0123456789") != "" {
			t.Errorf("an item %q: %d %q", target, got.status, location)
		}
	}
	if led < len(all) {
		t.Errorf("only %d answers led anywhere: the redirects are gone", led)
	}
}

// The redirect to the one way to write a path is made of the path that came.
func TestSlashRedirectOfStrangePathsStaysHere(t *testing.T) {
	s := serveShop(t, plainHTTP[:]...)
	led := 0
	for _, target := range strangeTargets() {
		if strings.ContainsAny(target, " \t\r\n\x00\x7f") || target == "" {
			continue // They end the request line, which has tests of its own.
		}
		for i, path := range []string{target + "/items", "/" + target, target, "/items/1/" + target + "/", "/items/1/?next=" + target, "/items?" + target} {
			if i < 3 && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "http") {
				continue
			}
			got := s.one(t, strings.Replace(getItems(""), "/items/", path, 1))
			wantHere(t, path, got)
			if got.status == http.StatusTemporaryRedirect {
				led++
				if location, _, _ := strings.Cut(got.header.Get("Location"), "?"); location != "/items/" && location != "/items/1" {
					t.Errorf("%q leads to %q", path, got.header.Get("Location"))
				}
			}
		}
	}
	if led < 100 {
		t.Errorf("only %d paths were redirected", led)
	}
}

// A browser that has logged in goes on to a path of the shop, wherever the link to
// the log-in said.
func TestLogInOfAStrangeLinkStaysHere(t *testing.T) {
	s := csrfShop(t)
	all := strangeTargets()
	for i := 0; i < len(all); i += 72 { // Each is a log-in, with its password hash.
		for _, name := range []string{"ann", "nobody"} { // nobody goes back to the page, which has the target again.
			token, cookie := s.token()
			form := url.Values{"username": {name}, "password": {password}, "csrf-token": {token}, "next": {all[i]}}
			got := s.form("/login", form, append(own, "Cookie", cookie, "Accept", browser)...)
			if got.status == http.StatusUnprocessableEntity {
				continue // No text of UTF-8.
			}
			wantHere(t, name+" next="+all[i], got)
			location := got.header.Get("Location")
			if got.status != http.StatusSeeOther || name == "nobody" && !strings.HasPrefix(location, "/login?") {
				t.Errorf("%s, next=%q: %d to %q", name, all[i], got.status, location)
			}
			if u, err := url.Parse(location); err != nil || name == "nobody" && strays(u.Query().Get("next")) {
				t.Errorf("%s, next=%q: back to %q", name, all[i], location)
			}
		}
	}
}

// Links that the shop makes, in documents of discovery, pages and answers, and one
// day in mails, are those of its public URL: who sends the Host does not make them.
func TestNoLinkIsMadeOfTheHostOfARequest(t *testing.T) {
	s := serveShop(t, plainHTTP[:]...)
	paths := []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/login", "/passkeys/login", "/items?x=y", "/oauth/authorize?client_id=docs", "/openapi.json", "/docs", "/nowhere"}
	ask := func(path, host, fields string) reply {
		raw := strings.NewReplacer("/items/", path, "localhost", host).Replace(getItems("Accept: " + browser + "\r\n" + fields))
		got := s.one(t, raw)
		got.body = hiddenToken.ReplaceAllString(strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "ID"), "TOKEN")
		return got
	}
	for _, path := range paths {
		plain := ask(path, "localhost", "")
		if strings.Contains(path, "well-known") && !strings.Contains(plain.body, `"issuer":"https://shop.example"`) {
			t.Errorf("%s is %s, want the public URL in it", path, plain.body)
		}
		for _, host := range []string{"localhost:1", "LOCALHOST", "127.0.0.1:81", "[::1]"} {
			for _, fields := range []string{
				"", "X-Forwarded-Host: evil.example\r\n", "X-Forwarded-Proto: evil\r\nX-Forwarded-Port: 666\r\n", "Forwarded: host=evil.example;proto=http\r\n",
				"X-Original-Host: evil.example\r\nX-Host: evil.example\r\nX-HTTP-Host-Override: evil.example\r\n", "X-Original-URL: //evil.example/\r\nX-Rewrite-URL: /evil\r\n",
				"Origin: https://evil.example\r\nReferer: https://evil.example/\r\n", "X-Forwarded-Prefix: /evil\r\n",
			} {
				got := ask(path, host, fields)
				if got.status != plain.status || got.header.Get("Location") != plain.header.Get("Location") || got.body != plain.body {
					t.Errorf("%s at %s with %q: %d %q %.300s\nwant %d %q %.300s", path, host, fields, got.status, got.header.Get("Location"), got.body, plain.status, plain.header.Get("Location"), plain.body)
				}
				if text := fmt.Sprint(got.header, got.body); strings.Contains(text, "evil") || slices.Contains([]string{"localhost:1", "127.0.0.1:81", "[::1]"}, host) && strings.Contains(text, host) {
					t.Errorf("%s at %s with %q: the answer has it: %.300s", path, host, fields, text)
				}
			}
		}
	}
}
