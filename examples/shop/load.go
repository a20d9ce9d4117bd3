package main

import (
	"context"
	"database/sql"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sqldb"
)

// itemKey is what a request says about the item that it wants.
type itemKey struct {
	ID int64 `path:"item_id" minimum:"1" doc:"The id of the item." example:"7"`
}

type loadItemInput struct {
	itemKey
	Caller *auth.User
	Tx     *sqldb.ReadTx
}

// loadItem provides the item of the path, to callers who may see it: an
// operation that has an Item need not ask again.
func loadItem(ctx context.Context, in loadItemInput) (Item, error) {
	return in.load(ctx, in.Tx, in.Caller)
}

// LockedItem is an item that nobody else changes until the request is over.
type LockedItem struct{ Item }

type lockItemInput struct {
	itemKey
	Caller *auth.User
	Tx     *sqldb.Tx
}

// lockItem provides the item to operations that change it, from the
// transaction in which they do.
func lockItem(ctx context.Context, in lockItemInput) (LockedItem, error) {
	item, err := in.load(ctx, in.Tx.ForUpdate(), in.Caller)
	return LockedItem{item}, err
}

// load judges the caller, too. A draft that is not the caller's is missing, in
// the same words as one that never was: a 403 would tell that it exists.
func (k itemKey) load(ctx context.Context, from sqldb.Reader, caller *auth.User) (Item, error) {
	item, err := selectItem(ctx, from, k.ID)
	if err == nil && item.Draft && !item.OwnedBy(caller) {
		item, err = Item{}, sql.ErrNoRows
	}
	return item, sqldb.NotFound(err, "there is no such item")
}

// isSeller lets those change an item who sell it, and administrators. That it
// exists everybody knows: a 403 tells nothing.
func isSeller(_ context.Context, u auth.User, item LockedItem) error {
	if !item.OwnedBy(&u) {
		return access.Denied()
	}
	return nil
}
