package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestFormOfAnOrderLeadsToTheOrder(t *testing.T) {
	s := people(t, "ann", "bob")
	cookie := s.enter("ann")
	page := s.get("/items/3/page", "Accept", browser, "Cookie", cookie)
	for _, want := range []string{`action="/items/3/buy"`, `>3 left</p>`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	got := s.fillIn("/items/3/buy", cookie, url.Values{"quantity": {"2"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/orders/history#order-1" || got.body != "" {
		t.Fatalf("the form = %d to %q %s, want 303 to the order", got.status, got.header.Get("Location"), got.body)
	}
	history := s.get("/orders/history", "Accept", browser, "Cookie", cookie)
	for _, want := range []string{`id="order-1"`, `href="/items/3/page">Signal horn</a>`, `<td class="number">128.00</td>`, `<span class="status open">open</span>`, "Your orders"} {
		if !strings.Contains(history.body, want) {
			t.Errorf("the history has no %s: %s", want, history.body)
		}
	}
	if cc := history.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control of the history is %q", cc)
	}
	if others := s.get("/orders/history", "Accept", browser, "Cookie", s.enter("bob")); others.status != http.StatusOK || strings.Contains(others.body, "Signal horn") {
		t.Errorf("the history of somebody else = %d %s", others.status, others.body)
	}
	if nobody := s.get("/orders/history", "Accept", browser); nobody.status != http.StatusSeeOther || nobody.header.Get("Location") != "/login?next=%2Forders%2Fhistory" {
		t.Errorf("the history for nobody = %d to %q, want the log-in", nobody.status, nobody.header.Get("Location"))
	}
}

func TestOrderOfTooManyShowsTheFormAgain(t *testing.T) {
	s := people(t, "ann")
	cookie := s.enter("ann")
	for _, test := range []struct {
		quantity string
		status   int
		says     string
	}{
		{"4", http.StatusConflict, "There are not as many left."},
		{"0", http.StatusUnprocessableEntity, "Please order 1 to 1000 pieces."},
		{"-1", http.StatusUnprocessableEntity, "Please order 1 to 1000 pieces."},
		{"1e2", http.StatusUnprocessableEntity, "Please order 1 to 1000 pieces."},
		{"<b>", http.StatusUnprocessableEntity, "Please order 1 to 1000 pieces."},
	} {
		got := s.fillIn("/items/3/buy", cookie, url.Values{"quantity": {test.quantity}})
		if got.status != test.status || !strings.Contains(got.body, `role="alert">`+test.says) || !strings.Contains(got.body, "3 left") {
			t.Errorf("an order of %s = %d %s, want %d and the form", test.quantity, got.status, got.body, test.status)
		}
	}
	s.fillIn("/items/3/buy", cookie, url.Values{"quantity": {"3"}})
	if page := s.get("/items/3/page", "Accept", browser); !strings.Contains(page.body, "Sold out") || strings.Contains(page.body, "/buy") {
		t.Error("what is sold out is not shown as such, or nobody gets the form")
	}
}

func TestHistoryOfOrdersEndsAndShowsEachOnce(t *testing.T) {
	s := openShop(t, t.TempDir())
	mine := s.as(customer(1))
	for i := range 45 {
		mine.order(fmt.Sprint(i))
	}
	seen, target := make(map[int64]bool), "/orders/history"
	for range 3 {
		page := mine.get(target)
		var part OrderHistory
		decodeInto(t, page, &part)
		for _, o := range part.Orders.Items {
			if seen[o.ID] {
				t.Errorf("order %d is on two pages", o.ID)
			}
			seen[o.ID] = true
		}
		target = "/orders/history?cursor=" + string(part.Orders.Next)
	}
	if len(seen) != 45 || !strings.HasSuffix(target, "=") {
		t.Errorf("three pages have %d orders, and lead on to %s; want 45 and the end", len(seen), target)
	}
}
