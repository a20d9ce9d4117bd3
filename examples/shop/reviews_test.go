package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
)

func reviewer(id string) *auth.User { return caller(id, "castle", "customer") }

// post sends a form of the shop's caller.
func (s *shop) post(target string, form url.Values) reply {
	r := httptest.NewRequestWithContext(auth.With(s.t.Context(), s.caller), http.MethodPost, target, strings.NewReader(form.Encode()))
	return s.send(r, "Content-Type", "application/x-www-form-urlencoded", "Accept", browser)
}

// review writes a review of an item and returns its path.
func (s *shop) review(item, body string) (path string) {
	s.t.Helper()
	got := s.call(http.MethodPost, item+"/reviews", body)
	if got.status != http.StatusCreated {
		s.t.Fatalf("POST %s/reviews %s = %d %s, want 201", item, body, got.status, got.body)
	}
	return fmt.Sprintf("%s/reviews/%v", item, got.decode(s.t)["review_id"])
}

const goodReview = `{"stars":4,"title":"Bright","text":"<p>Lit the <em>whole</em> gatehouse.</p>"}`

func TestReviewIsWrittenListedAndRemoved(t *testing.T) {
	s := openShop(t, t.TempDir()).as(reviewer("c1"))
	path := s.review("/items/5", goodReview)
	s.as(reviewer("c2")).review("/items/5", `{"stars":1,"title":"Dim","text":"No."}`)
	got := s.as(nil).get("/items/5/reviews?limit=1&offset=1")
	for _, want := range []string{`"stars":4`, `"title":"Bright"`, `\u003cem\u003ewhole\u003c/em\u003e`, `"author":"c1"`, `"total":2`, `"average":2.5`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the list is %s, want %s in it", got.body, want)
		}
	}
	if strings.Contains(got.body, "Dim") {
		t.Error("the second part of the list has the newest review")
	}
	if got := s.call(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("DELETE by the author = %d %s", got.status, got.body)
	}
	if got := s.call(http.MethodDelete, path, ""); got.status != http.StatusNotFound {
		t.Errorf("a second DELETE = %d, want 404", got.status)
	}
	s.review("/items/5", goodReview) // The author may write another one.
}

func TestReviewOutsideTheRulesIsRefused(t *testing.T) {
	s := openShop(t, t.TempDir()).as(reviewer("c1"))
	for body, at := range map[string]string{
		`{"stars":0,"title":"x","text":"x"}`:                                  "/stars",
		`{"stars":6,"title":"x","text":"x"}`:                                  "/stars",
		`{"stars":4.5,"title":"x","text":"x"}`:                                "/stars",
		`{"title":"x","text":"x"}`:                                            "/stars",
		`{"stars":3,"title":"<b>x</b>","text":"x"}`:                           "/title",
		`{"stars":3,"title":"a\u202eb","text":"x"}`:                           "/title",
		`{"stars":3,"title":"   ","text":"x"}`:                                "/title",
		`{"stars":3,"title":"x","text":"<script>x()</script>"}`:               "/text",
		`{"stars":3,"title":"x","text":"` + strings.Repeat("x", 4001) + `"}`:  "/text",
		`{"stars":3,"title":"x","text":"x","author":"c2"}`:                    "/author",
		`{"stars":3,"title":"x","text":"x","created":"2020-01-01T00:00:00Z"}`: "/created",
		`{"stars":3,"title":"x","text":"x","item_id":1}`:                      "/item_id",
		`{"stars":3,"title":"` + strings.Repeat("x", 121) + `","text":"x"}`:   "/title",
		`{"stars":9223372036854775808,"title":"x","text":"x"}`:                "/stars",
	} {
		if got := s.call(http.MethodPost, "/items/1/reviews", body); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `"`+at+`"`) {
			t.Errorf("%.80s = %d %s, want 422 at %s", body, got.status, got.body, at)
		}
	}
	if got := s.get("/items/1/reviews").decode(t)["total"]; got != json.Number("0") {
		t.Errorf("there are %v reviews, want none", got)
	}
}

func TestReviewOfSomebodyElseIsNotRemoved(t *testing.T) {
	s := openShop(t, t.TempDir())
	item, _ := s.create(`{"name":"Lamp","price":1}`) // The seller's, of castle.
	path := s.as(reviewer("c1")).review(item, goodReview)
	narrow := *reviewer("c1")
	narrow.AllScopes, narrow.Scopes = false, auth.SetOf("orders")
	for name, u := range map[string]*auth.User{
		"another customer": reviewer("c2"), "the seller of the item": seller(), "an administrator of another tenant": caller("a2", "keep", "admin"),
		"the author with a token for orders": &narrow,
	} {
		for _, got := range []reply{s.as(u).call(http.MethodDelete, path, ""), s.as(u).post(path+"/delete", url.Values{"next": {"/"}})} {
			if got.status != http.StatusForbidden {
				t.Errorf("%s: %d %s, want 403", name, got.status, got.body)
			}
		}
	}
	if got := s.as(nil).call(http.MethodDelete, path, ""); got.status != http.StatusUnauthorized {
		t.Errorf("nobody: %d, want 401", got.status)
	}
	if got := s.as(admin()).call(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("an administrator: %d %s, want 204", got.status, got.body)
	}
}

func TestReviewUnderAnotherItemIsNotFound(t *testing.T) {
	s := openShop(t, t.TempDir()).as(reviewer("c1"))
	path := s.review("/items/1", goodReview)
	other := strings.Replace(path, "/items/1/", "/items/2/", 1)
	if got := s.call(http.MethodDelete, other, ""); got.status != http.StatusNotFound {
		t.Errorf("DELETE %s = %d, want 404", other, got.status)
	}
	if got := s.as(admin()).post(other+"/delete", url.Values{"next": {"/"}}); got.status != http.StatusNotFound {
		t.Errorf("the form of %s = %d, want 404", other, got.status)
	}
	if got := s.call(http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("DELETE %s = %d, want it to be there still", path, got.status)
	}
}

func TestReviewsOfADraftAreThoseOfNoItem(t *testing.T) {
	s := openShop(t, t.TempDir())
	draft, _ := s.create(`{"name":"Lamp","price":1,"draft":true}`)
	if got := s.get(draft + "/reviews"); got.status != http.StatusOK {
		t.Errorf("its seller gets %d, want 200", got.status)
	}
	missing := s.as(nil).get("/items/999/reviews")
	for _, target := range []string{draft + "/reviews", draft + "/page"} {
		if got := s.as(reviewer("c1")).get(target); got.status != http.StatusNotFound || got.decode(t)["detail"] != missing.decode(t)["detail"] {
			t.Errorf("GET %s by a customer = %d %s, want it as if there were none", target, got.status, got.body)
		}
	}
	if got := s.as(reviewer("c1")).call(http.MethodPost, draft+"/reviews", goodReview); got.status != http.StatusNotFound {
		t.Errorf("POST by a customer = %d, want 404", got.status)
	}
}

func TestOfManyReviewsAtOnceOneIsKept(t *testing.T) {
	s := openShop(t, t.TempDir()).as(reviewer("c1"))
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got := s.call(http.MethodPost, "/items/1/reviews", goodReview)
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
		})
	}
	all.Wait()
	if statuses[201] != 1 || statuses[409] != 19 {
		t.Errorf("the answers are %v, want one 201 and nineteen 409", statuses)
	}
	if got := s.get("/items/1/reviews").decode(t)["total"]; got != json.Number("1") {
		t.Errorf("there are %v reviews, want 1", got)
	}
}

func TestReviewsGoWithTheirItem(t *testing.T) {
	s := openShop(t, t.TempDir())
	item, _ := s.create(`{"name":"Lamp","price":1}`)
	s.as(reviewer("c1")).review(item, goodReview)
	if got := s.call(http.MethodDelete, item, ""); got.status != http.StatusNoContent {
		t.Fatalf("DELETE = %d %s", got.status, got.body)
	}
	var left int
	if err := s.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM reviews").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d reviews are left of an item that is gone (%v)", left, err)
	}
}

func TestReviewsAreLimitedByUserOverBothWays(t *testing.T) {
	s := &shop{t: t, app: newApp(limits{reviews: "3/hour"})}
	fastness.ProvideValue(s.app, inFolder(t, t.TempDir()))
	if err := s.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	c1 := s.as(reviewer("c1"))
	for i := range 5 {
		item := fmt.Sprintf("/items/%d", i+1)
		var got reply
		if i%2 == 0 {
			got = c1.call(http.MethodPost, item+"/reviews", goodReview)
		} else {
			got = c1.post(item+"/reviews/form", url.Values{"stars": {"3"}, "title": {"x"}, "text": {"x"}})
		}
		if limited := got.status == http.StatusTooManyRequests; limited != (i >= 3) {
			t.Errorf("review %d = %d %s", i+1, got.status, got.body)
		}
	}
	s.as(reviewer("c2")).review("/items/1", goodReview)
}

// hostile is markup that would run, load or disguise something.
func hostile() []string {
	return append(payloads(),
		`<svg><style><img src=x onerror=alert(1)>`, `<math><mtext><table><mglyph><style><img src onerror=alert(1)>`,
		`<a href="jav&#x09;ascript:alert(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`,
		`<form action="https://evil.example"><input name=password><button>Log in</button></form>`,
		`<iframe srcdoc="<script>alert(1)</script>"></iframe>`, `<base href="https://evil.example/">`, `<meta http-equiv=refresh content="0;url=https://evil.example">`,
		`<div style="position:fixed;inset:0;background:url(https://evil.example/x)">x</div>`, `<p id=review-1 class=button name=forms>x</p>`,
		`</div></article></main><script>alert(1)</script>`, `<!--<img src="--><img src=x onerror=alert(1)>">`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
		`<textarea></textarea><img src=x onerror=alert(1)>`, `<link rel=stylesheet href=https://evil.example/x.css>`, `<template><script>alert(1)</script></template>`)
}

// dangerous finds what a browser would make of markup that must not be in a review.
func dangerous(t *testing.T, markup string) (found []string) {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(markup), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Fields("script style iframe form input button svg math object embed base meta link template textarea noscript select title video marquee")
	for _, root := range nodes {
		for n := range allOf(root) {
			if n.Type == html.ElementNode && slices.Contains(bad, n.Data) {
				found = append(found, n.Data)
			}
			for _, a := range n.Attr {
				address, err := url.Parse(a.Val)
				leads := (a.Key == "href" || a.Key == "src") && (err != nil || !slices.Contains([]string{"", "http", "https", "mailto", "tel"}, address.Scheme))
				if leads || strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"style", "class", "id", "name", "srcdoc"}, a.Key) {
					found = append(found, n.Data+" "+a.Key+"="+a.Val)
				}
			}
		}
	}
	return found
}

func allOf(root *html.Node) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		if !yield(root) {
			return
		}
		for n := range root.Descendants() {
			if !yield(n) {
				return
			}
		}
	}
}

func TestHostileReviewIsStoredCleanAndShownInert(t *testing.T) {
	s := openShop(t, t.TempDir())
	for i, markup := range hostile() {
		byJSON, byForm := s.as(reviewer(fmt.Sprintf("j%d", i))), s.as(reviewer(fmt.Sprintf("f%d", i)))
		byJSON.review("/items/1", `{"stars":1,"title":"x","text":`+quote("kept"+markup)+`}`)
		got := byForm.post("/items/1/reviews/form", url.Values{"stars": {"1"}, "title": {"x"}, "text": {"kept" + markup}})
		if got.status != http.StatusSeeOther {
			t.Errorf("the form with %q = %d %s", markup, got.status, got.body)
		}
	}
	rows, err := s.db.Read.QueryContext(t.Context(), "SELECT text FROM reviews ORDER BY author")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n int
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		n++
		if found := dangerous(t, text); found != nil || !strings.HasPrefix(text, "kept") {
			t.Errorf("the database has %q in %q", found, text)
		}
	}
	if err := rows.Err(); err != nil || n != 2*len(hostile()) {
		t.Errorf("%d reviews are stored, want %d (%v)", n, 2*len(hostile()), err)
	}
	for offset := 0; offset < n; offset += reviewsOnPage {
		page := s.as(nil).get(fmt.Sprintf("/items/1/page?offset=%d", offset), "Accept", browser)
		texts := strings.Split(page.body, `<div class="prose">`)[1:]
		if page.status != http.StatusOK || len(texts) == 0 {
			t.Fatalf("the page = %d without reviews", page.status)
		}
		for _, text := range texts {
			text, _, _ = strings.Cut(text, "</article>")
			if found := dangerous(t, text); found != nil {
				t.Errorf("the page has %q in %q", found, text)
			}
		}
	}
}

// What another program wrote into the table is cleaned when it is read.
func TestReviewThatWasStoredUncleanIsShownClean(t *testing.T) {
	s := openShop(t, t.TempDir())
	_, err := s.db.Write.ExecContext(t.Context(), "INSERT INTO reviews (item_id, author, author_name, stars, title, text, created) VALUES (1, 'x', '<b>x', 5, '<i>t', '<img src=x onerror=alert(1)>kept', 0)")
	if err != nil {
		t.Fatal(err)
	}
	page := s.as(nil).get("/items/1/page", "Accept", browser).body
	if strings.Contains(page, "onerror") || strings.Contains(page, "<b>x") || strings.Contains(page, "<i>t") || !strings.Contains(page, "kept") {
		t.Errorf("the page is %s", page)
	}
}

func TestWhoMayRemoveAReview(t *testing.T) {
	review, item := Review{Author: "c1"}, Item{Tenant: "castle", Seller: "s1"}
	narrow := func(u *auth.User) *auth.User {
		u.AllScopes, u.Scopes = false, auth.SetOf("items", "orders", "account", "users")
		return u
	}
	for _, c := range []struct {
		who  string
		user *auth.User
		want bool
	}{
		{"nobody", nil, false}, {"the author", reviewer("c1"), true}, {"another", reviewer("c2"), false}, {"the seller", seller(), false},
		{"an administrator", admin(), true}, {"one of another tenant", caller("a2", "keep", "admin"), false}, {"one without a tenant", caller("a3", "", "admin"), true},
		{"the author by a token for other things", narrow(reviewer("c1")), false}, {"an administrator by such a token", narrow(admin()), false},
	} {
		if got := review.RemovableBy(c.user, item); got != c.want {
			t.Errorf("%s may remove it: %t, want %t", c.who, got, c.want)
		}
	}
}
