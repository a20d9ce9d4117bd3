package main

import (
	"context"

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
	items, err := selectOwnItems(ctx, in.Tx, &in.Seller, in.After, maxExport)
	return fastness.CSV[ItemView]{Name: "items.csv", Rows: viewsOf(items, &in.Seller)}, err
}
