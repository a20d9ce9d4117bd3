package page_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

// Item is a row.
type Item struct {
	ID      int64
	Price   *int64 // nil if nobody knows
	Name    string
	Created time.Time
}

// Orders says by what lists of items may be sorted.
func (Item) Orders() page.Orders[Item] {
	created := page.By(sqldb.Constant("created_at"), func(i Item) time.Time { return i.Created })
	return page.Orders[Item]{
		Default: "-created",
		By: map[string][]page.Column[Item]{
			"created": {created},
			"price":   {page.By(sqldb.Constant("price"), func(i Item) *int64 { return i.Price })},
			"name":    {page.By(sqldb.Constant("name"), func(i Item) string { return i.Name }), created.Descending()},
		},
		Unique: page.By(sqldb.Constant("id"), func(i Item) int64 { return i.ID }),
	}
}

// Without an app: the parameters of a request, and what a statement needs.
func Example() {
	cursors, err := page.New(page.Config{Keys: page.EphemeralKeys()})
	if err != nil {
		panic(err)
	}
	window := func(target string) *page.Window[Item] {
		r := httptest.NewRequest("GET", target, nil)
		query, err := page.Parse[Item](r, cursors.Scope(r, "the tenant", "the user"))
		if err != nil {
			panic(err)
		}
		window, err := query.Window(r.Context())
		if err != nil {
			panic(err)
		}
		return window
	}

	w := window("/items?limit=1")
	fmt.Println(w.Where(), "ORDER BY", w.OrderBy(), "LIMIT", w.Limit())

	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, err := w.Page(context.Background(), []Item{{ID: 2, Name: "Lamp", Created: created}, {ID: 1, Name: "Desk", Created: created}})
	if err != nil {
		panic(err)
	}
	w = window("/items?limit=1&cursor=" + string(first.Next))
	fmt.Println(w.Where(), "ORDER BY", w.OrderBy(), "LIMIT", w.Limit())
	// Output:
	// TRUE ORDER BY created_at DESC, id DESC LIMIT 2
	// ((created_at, id) < (?, ?)) ORDER BY created_at DESC, id DESC LIMIT 2
}
