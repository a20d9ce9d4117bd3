package main

import (
	"context"
	"slices"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/sqldb"
)

// maxExport is how many items one file holds.
const maxExport = 10_000

type exportItemsInput struct {
	Seller auth.User
	After  int64 `query:"after" minimum:"0" default:"0" doc:"Only items with a larger id: the last one of the file before."`
	Tx     *sqldb.ReadTx
}

// exportItems exports the caller's own items for a spreadsheet, the oldest first.
//
// Drafts are among them. For an administrator these are the items of their tenant, with
// what the sellers paid. A file holds 10,000 items at most.
func exportItems(ctx context.Context, in exportItemsInput) (fastness.CSV[ItemView], error) {
	items, err := selectOwnItems(ctx, in.Tx, &in.Seller, in.After)
	return fastness.CSV[ItemView]{Name: "items.csv", Rows: viewsOf(items, &in.Seller)}, err
}

func selectOwnItems(ctx context.Context, from sqldb.Reader, u *auth.User, after int64) ([]Item, error) {
	rows, err := from.Query(ctx, "SELECT "+itemColumns+" FROM items WHERE id > ? AND (seller = ? OR ? AND (? OR tenant = ?)) ORDER BY id LIMIT ?",
		after, u.ID, u.HasRole("admin"), u.Tenant.IsZero(), u.Tenant.String(), maxExport)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Item
	for rows.Next() {
		item, err := scanItem(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	// The statement is quick, and OwnedBy decides: there is one rule of whose an item is.
	return slices.DeleteFunc(items, func(i Item) bool { return !i.OwnedBy(u) }), rows.Err()
}
