package database_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

// thing is a row with columns of every kind, of which few values are different.
type thing struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Price   *int64    `json:"price"`
	Rating  float64   `json:"rating"`
	Sold    bool      `json:"sold"`
	Created time.Time `json:"created"`
}

// Orders has one column, several of one direction, mixed directions, and nulls.
func (thing) Orders() page.Orders[thing] {
	name := page.By(sqldb.Constant("name"), func(t thing) string { return t.Name })
	price := page.By(sqldb.Constant("price"), func(t thing) *int64 { return t.Price })
	rating := page.By(sqldb.Constant("rating"), func(t thing) float64 { return t.Rating })
	sold := page.By(sqldb.Constant("sold"), func(t thing) bool { return t.Sold })
	created := page.By(sqldb.Constant("created"), func(t thing) time.Time { return t.Created })
	return page.Orders[thing]{
		Default: "name",
		By: map[string][]page.Column[thing]{
			"name": {name}, "price": {price}, "rating": {rating, created}, "created": {created}, "sold": {sold, name},
			"mixed": {rating.Descending(), name}, "nulls": {name, price.Descending(), created.Descending()},
		},
		Unique: page.By(sqldb.Constant("id"), func(t thing) int64 { return t.ID }),
	}
}

var things = fstest.MapFS{"migrations/00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL, price BIGINT, rating DOUBLE PRECISION NOT NULL, sold BOOLEAN NOT NULL, created TIMESTAMP NOT NULL);
-- +goose Down
DROP TABLE things;`)}}

var selectThings = sqldb.Constant("SELECT id, name, price, rating, sold, created FROM things")

func scanThing(row sqldb.Row) (t thing, err error) {
	return t, row.Scan(&t.ID, &t.Name, &t.Price, &t.Rating, &t.Sold, &t.Created)
}

func anyThing(r *rand.Rand, id int64) thing {
	t := thing{
		ID: id, Name: []string{"", "a", "B", "ä", "Lamp 'x'"}[r.IntN(5)], Rating: []float64{-1.5, 0, 0.1, 1e300}[r.IntN(4)], Sold: r.IntN(2) == 0,
		Created: time.Date(2026, 1, 1, 0, 0, r.IntN(3), []int{0, 500_000_000, 123_456_000}[r.IntN(3)], time.UTC),
	}
	if r.IntN(3) > 0 {
		price := int64(r.IntN(3) - 1)
		t.Price = &price
	}
	return t
}

func insertThing(ctx context.Context, tx *sqldb.Tx, t thing) error {
	_, err := tx.Exec(ctx, "INSERT INTO things (id, name, price, rating, sold, created) VALUES (?, ?, ?, ?, ?, ?)", t.ID, t.Name, t.Price, t.Rating, t.Sold, t.Created)
	return err
}

// walker reads a list page by page.
type walker struct {
	t       *testing.T
	db      *sqldb.DB
	cursors *page.Cursors
	sort    page.Sort[thing]
}

func (w *walker) page(limit int, cursor page.Cursor) (p page.Page[thing]) {
	w.t.Helper()
	q := page.CursorQuery[thing]{
		Limit: page.Limit(limit), Sort: w.sort, Cursor: cursor, Scope: w.cursors.Scope(httptest.NewRequest(http.MethodGet, "/things", nil)),
	}
	err := w.db.ReadTx(w.t.Context(), func(tx *sqldb.ReadTx) (err error) {
		p, err = q.Select(w.t.Context(), tx, selectThings, scanThing, sqldb.Condition("id >= ?", 0))
		return err
	})
	if err != nil {
		w.t.Fatalf("sort %s: %v", w.sort, err)
	}
	if len(p.Items) > limit {
		w.t.Fatalf("%d items, want at most %d", len(p.Items), limit)
	}
	return p
}

func (w *walker) change(f func(tx *sqldb.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func ids(items []thing) (all []int64) {
	for _, t := range items {
		all = append(all, t.ID)
	}
	return all
}

// TestWalkingAllPagesShowsEachRowOnce: forwards and backwards, in every order, the
// pages put together are the list.
func TestWalkingAllPagesShowsEachRowOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		cursors, err := page.New(page.Config{Keys: page.EphemeralKeys()})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		for i, sort := range page.Sort[thing]("").Enum() {
			w := &walker{t, db, cursors, page.Sort[thing](sort)}
			w.change(func(tx *sqldb.Tx) error {
				for n := range 20 {
					if i == 0 {
						if err := insertThing(t.Context(), tx, anyThing(r, int64(n))); err != nil {
							return err
						}
					}
				}
				return nil
			})
			want := ids(w.page(100, "").Items)
			if len(want) != 20 {
				t.Fatalf("%s: %d rows, want 20", sort, len(want))
			}
			var got []int64
			var last page.Page[thing]
			for cursor := page.Cursor(""); ; cursor = last.Next {
				last = w.page(3, cursor)
				if got = append(got, ids(last.Items)...); last.Next == "" {
					break
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: forwards %v, want %v", sort, got, want)
			}
			got = ids(last.Items)
			for last.Prev != "" {
				last = w.page(4, last.Prev)
				got = append(ids(last.Items), got...)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: backwards %v, want %v", sort, got, want)
			}
		}
	}, things)
}

// TestRowsThatComeAndGoHideNoOther: whatever is inserted and deleted between two
// pages, what was there all the time is shown once, and nothing twice.
func TestRowsThatComeAndGoHideNoOther(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		cursors, err := page.New(page.Config{Keys: page.EphemeralKeys()})
		if err != nil {
			t.Fatal(err)
		}
		sorts := page.Sort[thing]("").Enum()
		for seed := range uint64(14) {
			w := &walker{t, db, cursors, page.Sort[thing](sorts[int(seed)%len(sorts)])}
			w.churn(rand.New(rand.NewPCG(seed, 1)), fmt.Sprintf("seed %d, sort %s", seed, w.sort))
		}
	}, things)
}

func (w *walker) churn(r *rand.Rand, name string) {
	const rows = 40
	next := int64(1)
	var stays, others []int64
	w.change(func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(w.t.Context(), "DELETE FROM things"); err != nil {
			return err
		}
		for range rows {
			if err := insertThing(w.t.Context(), tx, anyThing(r, next)); err != nil {
				return err
			}
			if r.IntN(2) == 0 {
				stays = append(stays, next)
			} else {
				others = append(others, next)
			}
			next++
		}
		return nil
	})
	seen := map[int64]bool{}
	for cursor := page.Cursor(""); ; {
		p := w.page(1+r.IntN(7), cursor)
		for _, id := range ids(p.Items) {
			if seen[id] {
				w.t.Errorf("%s: %d is shown twice", name, id)
			}
			seen[id] = true
		}
		if cursor = p.Next; cursor == "" {
			break
		}
		at := p.Items[len(p.Items)-1].ID
		w.change(func(tx *sqldb.Tx) error {
			for range r.IntN(4) {
				if r.IntN(2) == 0 && len(others) > 0 {
					i := r.IntN(len(others))
					if here := slices.Index(others, at); here >= 0 { // The row that the cursor is at.
						i = here
					}
					if _, err := tx.Exec(w.t.Context(), "DELETE FROM things WHERE id = ?", others[i]); err != nil {
						return err
					}
					others = slices.Delete(others, i, i+1)
					continue
				}
				if err := insertThing(w.t.Context(), tx, anyThing(r, next)); err != nil {
					return err
				}
				others = append(others, next)
				next++
			}
			return nil
		})
	}
	for _, id := range stays {
		if !seen[id] {
			w.t.Errorf("%s: %d was there all the time and is not shown", name, id)
		}
	}
}
