// Package page answers lists in pages: sorted by what is allowed, filtered by typed
// parameters, and never more than is allowed at once.
//
// A type says by what its lists may be sorted, once:
//
//	func (Item) Orders() page.Orders[Item] {
//		return page.Orders[Item]{
//			Default: "-created",
//			By: map[string][]page.Column[Item]{
//				"created": {page.By(sqldb.Constant("created_at"), func(i Item) time.Time { return i.Created })},
//				"price":   {page.By(sqldb.Constant("price"), func(i Item) int64 { return i.Price })},
//			},
//			Unique: page.By(sqldb.Constant("id"), func(i Item) int64 { return i.ID }),
//		}
//	}
//
// and an operation embeds the parameters:
//
//	type listItemsInput struct {
//		page.CursorQuery[Item]        // limit, sort, cursor
//		MinPrice *int64 `query:"min_price" minimum:"0"`
//		Tx       *sqldb.ReadTx
//	}
//
//	func listItems(ctx context.Context, in listItemsInput) (page.Page[Item], error) {
//		return in.Select(ctx, in.Tx, sqldb.Constant("SELECT id, name, price, created_at FROM items"), scanItem,
//			sqldb.Given("price >= ?", in.MinPrice))
//	}
//
//	GET /items?sort=-price&min_price=100&limit=20
//	Link: <?cursor=…&limit=20&min_price=100&sort=-price>; rel="next"
//	{"items": [ … ], "next": "…"}
//
// # Cursors and offsets
//
// A [CursorQuery] goes on after the last row that was shown: each page costs the same,
// and rows that come or go in between make no other row appear twice or not at all. A
// [Query] passes over a number of rows, which is for lists that people leaf through.
// The database reads what is passed over, so the offset is bounded.
//
// # What a cursor is
//
// A cursor holds the values of the last row by which the list is sorted, encrypted and
// authenticated (AES-256-GCM): nobody can write one, and nobody can read in one a
// column that the answer does not show. It counts for the same path, filters, order
// and caller only, and for [Config].MaxAge. All else is a 422, invalid_cursor. It grants
// nothing: who may see which rows is a condition of the statement, each time.
//
// # Sorting
//
// What a caller sends is looked up among the orders that there are, and is not text of
// a statement. All of an order is turned round by a leading "-". Each order ends with a
// column that no two rows share. Null counts as larger than any value, as PostgreSQL has
// it, in SQLite too.
//
// # Filters
//
// Filters are parameters with types and rules of their own, which become conditions
// with arguments: [sqldb.Given], [sqldb.OneOf], [sqldb.Condition] and [sqldb.Like].
//
// # Other bounds
//
// Who wants other bounds than 1 to 100 declares a struct with the same fields and other
// tags, and converts it:
//
//	type manyAtOnce struct {
//		Limit  page.Limit      `query:"limit" minimum:"1" maximum:"500" default:"100"`
//		Sort   page.Sort[Item] `query:"sort" required:"false"`
//		Cursor page.Cursor     `query:"cursor" required:"false"`
//		Scope  *page.Scope
//	}
//
//	page.CursorQuery[Item](in.manyAtOnce).Select(…)
//
// # Without an app
//
// [Parse] reads the parameters of any *http.Request, and [Page.LinkHeader] is the Link field
// of the answer.
package page
