package page

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/fastness/fastness/sqldb"
)

// CursorQuery is the parameters of a list whose pages follow each other. Embed it in
// the input of an operation.
type CursorQuery[T Listed[T]] struct {
	Limit  Limit   `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most items of a page."`
	Sort   Sort[T] `query:"sort" required:"false" doc:"The order. A leading - turns it round. The first one is the default."`
	Cursor Cursor  `query:"cursor" required:"false" minLength:"1" maxLength:"4096" pattern:"^[A-Za-z0-9_-]+$" doc:"Where the page begins: next or prev of another page of the same list. Without it the first page is meant."`
	Scope  *Scope
}

var errNoScope = errors.New("page: there is no Scope: an app provides it, and Cursors.Scope makes one")

// Select reads the page. Rows is the SELECT up to WHERE, which the conditions follow:
//
//	in.Select(ctx, in.Tx, sqldb.Constant("SELECT id, name FROM items"), scanItem,
//		sqldb.Condition("tenant = ?", in.Tenant), sqldb.Given("price >= ?", in.MinPrice))
//
// A cursor that is not one of this list is a 422. For a statement of another form use
// [CursorQuery.Window].
func (q CursorQuery[T]) Select(ctx context.Context, from sqldb.Reader, rows sqldb.Fragment, scan func(sqldb.Row) (T, error), where ...sqldb.Fragment) (Page[T], error) {
	w, err := q.Window(ctx)
	if err != nil {
		return Page[T]{}, err
	}
	found, err := from.Query(ctx, "? WHERE ? AND ? ORDER BY ? LIMIT ?", rows, sqldb.And(where...), w.Where(), w.OrderBy(), w.Limit())
	if err != nil {
		return Page[T]{}, err
	}
	all, err := sqldb.All(found, scan)
	if err != nil {
		return Page[T]{}, err
	}
	return w.Page(ctx, all)
}

// Window returns what a statement needs to find the page, or a 422.
func (q CursorQuery[T]) Window(ctx context.Context) (*Window[T], error) {
	order, err := q.Sort.within(q.Scope, q.Limit)
	if err != nil {
		return nil, err
	}
	w := &Window[T]{query: q, order: order}
	w.associated = q.Scope.associated(order.orderBy(false).String()) // Not its name: that may mean something else tomorrow.
	if q.Cursor == "" {
		return w, nil
	}
	if w.at, err = q.Scope.open(ctx, q.Cursor, w.associated); err != nil {
		return nil, err
	}
	if len(w.at.values) != len(order.keys) {
		return nil, invalidCursor(errPosition)
	}
	return w, nil
}

// within returns the order that is asked for, of a list that has a scope and a limit.
func (s Sort[T]) within(scope *Scope, limit Limit) (order[T], error) {
	if scope == nil {
		return order[T]{}, errNoScope
	}
	if limit < 1 || limit > MaxLimit {
		return order[T]{}, fmt.Errorf("page: Limit is %d, want 1 to %d", limit, MaxLimit)
	}
	var row T
	return row.Orders().order(string(s))
}

// Window is the part of a list that a page shows.
type Window[T Listed[T]] struct {
	query      CursorQuery[T]
	order      order[T]
	at         position
	associated []byte
}

// Where returns the condition of the rows from where the page begins. It goes with
// those of the list: WHERE ? AND ?.
func (w *Window[T]) Where() sqldb.Fragment {
	if len(w.at.values) == 0 {
		return sqldb.And()
	}
	return sqldb.And(w.order.beyond(w.at.values, w.at.back))
}

// OrderBy returns the terms of ORDER BY.
func (w *Window[T]) OrderBy() sqldb.Fragment { return w.order.orderBy(w.at.back) }

// Limit returns how many rows to read: one more than the page shows, which tells
// whether there is another page.
func (w *Window[T]) Limit() int { return int(w.query.Limit) + 1 }

// Page makes the page of the rows that were read by [Window.Where], [Window.OrderBy]
// and [Window.Limit].
func (w *Window[T]) Page(ctx context.Context, rows []T) (Page[T], error) {
	more := len(rows) > int(w.query.Limit)
	p := Page[T]{Items: slices.Clone(rows[:min(len(rows), int(w.query.Limit))])}
	if p.Items == nil {
		p.Items = []T{}
	}
	if w.at.back {
		slices.Reverse(p.Items)
	}
	if len(p.Items) == 0 {
		return p, nil
	}
	before, after := len(w.at.values) > 0, more
	if w.at.back {
		before, after = more, true
	}
	var err error
	if before {
		if p.Prev, err = w.cursor(ctx, p.Items[0], true); err != nil {
			return Page[T]{}, err
		}
	}
	if after {
		if p.Next, err = w.cursor(ctx, p.Items[len(p.Items)-1], false); err != nil {
			return Page[T]{}, err
		}
	}
	for _, to := range []struct {
		rel    string
		cursor Cursor
	}{{"next", p.Next}, {"prev", p.Prev}} {
		if to.cursor != "" {
			p.link(to.rel, w.query.Scope.query, "cursor", string(to.cursor))
		}
	}
	return p, nil
}

// cursor returns the cursor of the rows after a row, or before it.
func (w *Window[T]) cursor(ctx context.Context, row T, back bool) (Cursor, error) {
	values, err := w.order.values(row)
	if err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	return w.query.Scope.seal(ctx, position{back: back, values: values}, w.associated)
}

// Query is the parameters of a list whose pages are counted: for lists that are short,
// or that people leaf through. Embed it in the input of an operation.
type Query[T Listed[T]] struct {
	Limit  Limit   `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most items of a page."`
	Offset Offset  `query:"offset" minimum:"0" maximum:"10000" default:"0" doc:"How many items to pass over."`
	Sort   Sort[T] `query:"sort" required:"false" doc:"The order. A leading - turns it round. The first one is the default."`
	Scope  *Scope
}

// Select reads the page; see [CursorQuery.Select].
func (q Query[T]) Select(ctx context.Context, from sqldb.Reader, rows sqldb.Fragment, scan func(sqldb.Row) (T, error), where ...sqldb.Fragment) (Page[T], error) {
	if q.Offset < 0 || q.Offset > MaxOffset {
		return Page[T]{}, fmt.Errorf("page: Offset is %d, want 0 to %d", q.Offset, MaxOffset)
	}
	order, err := q.Sort.within(q.Scope, q.Limit)
	if err != nil {
		return Page[T]{}, err
	}
	found, err := from.Query(ctx, "? WHERE ? ORDER BY ? LIMIT ? OFFSET ?", rows, sqldb.And(where...), order.orderBy(false), int(q.Limit)+1, int(q.Offset))
	if err != nil {
		return Page[T]{}, err
	}
	all, err := sqldb.All(found, scan)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{Items: all[:min(len(all), int(q.Limit))]}
	if len(all) > int(q.Limit) {
		p.link("next", q.Scope.query, "offset", strconv.Itoa(int(q.Offset)+int(q.Limit)))
	}
	if q.Offset > 0 {
		p.link("prev", q.Scope.query, "offset", strconv.Itoa(max(int(q.Offset)-int(q.Limit), 0)))
	}
	return p, nil
}
