package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// page begins a page.
func page(w http.ResponseWriter, title string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html>\n<title>%s – Leaky shop</title>\n", html.EscapeString(title))
}

func (s *shop) home(w http.ResponseWriter, _ *http.Request) {
	page(w, "Welcome")
	_, _ = fmt.Fprint(w, "<h1>Leaky shop</h1>\n<p>VULNERABLE ON PURPOSE.</p>\n<script src=\"/static/config.js\"></script>\n<script src=\"/static/app.js\"></script>\n<p><a href=\"/openapi.json\">The API</a>, <a href=\"/search?q=lantern\">search</a>.</p>\n<ul>\n")
	for _, item := range s.all("SELECT id, name FROM items WHERE draft = 0 ORDER BY id LIMIT 20") {
		_, _ = fmt.Fprintf(w, "<li><a href=\"/items/%d/page\">%s</a></li>\n", item["id"], html.EscapeString(item["name"].(string)))
	}
	_, _ = fmt.Fprint(w, "</ul>\n")
}

// searchPage shows what was looked for, escaped as it should be.
func (s *shop) searchPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query().Get("q")
	page(w, "Search")
	_, _ = fmt.Fprintf(w, "<form><input name=\"q\" value=\"%s\"></form><p>Items called %s:</p>\n", html.EscapeString(q), html.EscapeString(q))
	for _, item := range s.all("SELECT name FROM items WHERE draft = 0 AND name LIKE ? LIMIT 20", "%"+q+"%") {
		_, _ = fmt.Fprintf(w, "<p>%s</p>\n", html.EscapeString(item["name"].(string)))
	}
}

// findPage is the search of last year.
func (s *shop) findPage(w http.ResponseWriter, r *http.Request) {
	page(w, "Find")
	// FLAW LK-72 (XS-01, API8:2023, CWE-79): what was looked for is part of the page as it came
	_, _ = fmt.Fprintf(w, "<p>Nothing is called %s.</p>\n", r.URL.Query().Get("q"))
}

func (s *shop) itemPage(w http.ResponseWriter, r *http.Request) {
	item := s.row("SELECT * FROM items WHERE id = ? AND draft = 0", number(r, "item_id"))
	if item == nil {
		http.NotFound(w, r)
		return
	}
	page(w, item["name"].(string))
	_, _ = fmt.Fprintf(w, "<h1>%s</h1>\n<p>%s</p>\n", html.EscapeString(item["name"].(string)), html.EscapeString(item["description"].(string)))
	for _, review := range s.all("SELECT title, text FROM reviews WHERE item_id = ? ORDER BY id DESC LIMIT 100", item["id"]) {
		// FLAW LK-73 (XS-02, API8:2023, CWE-79): the text of a review is part of the page as it was written; the title is escaped
		_, _ = fmt.Fprintf(w, "<h2>%s</h2>\n<div>%v</div>\n", html.EscapeString(review["title"].(string)), review["text"])
	}
}

// leave leads to a shop of a partner.
func (s *shop) leave(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-74 (RD-01, API8:2023, CWE-601): it leads anywhere
	w.Header().Set("Location", r.URL.Query().Get("to"))
	w.WriteHeader(http.StatusFound)
}

// back leads to a page of the shop, and to no other.
func (s *shop) back(w http.ResponseWriter, r *http.Request) {
	to, err := url.Parse(r.URL.Query().Get("to"))
	path := "/"
	if err == nil && to.Scheme == "" && to.Host == "" && strings.HasPrefix(to.Path, "/") && !strings.HasPrefix(to.EscapedPath(), "//") && !strings.Contains(to.Path, "\\") {
		path = to.EscapedPath()
	}
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusFound)
}

// language sets a cookie, for an old app that wants the head in this very order.
func (s *shop) language(w http.ResponseWriter, r *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	must(err)
	// FLAW LK-75 (HD-01, API8:2023, CWE-113): a line break in the language begins another header
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\nSet-Cookie: language=%s\r\n\r\nok\n", r.URL.Query().Get("set"))
	_ = conn.Close()
}

// frontEnd is one page for all paths: its own router reads the address.
func (s *shop) frontEnd(w http.ResponseWriter, _ *http.Request) {
	page(w, "App")
	_, _ = fmt.Fprint(w, "<div id=\"app\"></div>\n")
}
