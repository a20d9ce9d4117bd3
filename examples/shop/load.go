package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"

	"github.com/fastness/fastness/sqldb"
)

// itemKey is what a request says about the item that it wants.
type itemKey struct {
	ID    int64   `path:"item_id" minimum:"1" doc:"The id of the item." example:"7"`
	Token *string `header:"X-Preview-Token" maxLength:"64" doc:"The preview token of a draft. Without it there is no such item."`
}

type loadItemInput struct {
	itemKey
	Tx *sqldb.ReadTx
}

// loadItem provides the item of the path, to callers who may see it: an
// operation that has an Item need not ask again.
func loadItem(ctx context.Context, in loadItemInput) (Item, error) {
	return in.load(ctx, in.Tx)
}

// LockedItem is an item that nobody else changes until the request is over.
type LockedItem struct{ Item }

type lockItemInput struct {
	itemKey
	Tx *sqldb.Tx
}

// lockItem provides the item to operations that change it, from the
// transaction in which they do.
func lockItem(ctx context.Context, in lockItemInput) (LockedItem, error) {
	item, err := in.load(ctx, in.Tx)
	return LockedItem{item}, err
}

// load judges the caller, too. A draft that is not the caller's is missing, in
// the same words as one that never was: a 403 would tell that it exists.
func (k itemKey) load(ctx context.Context, from sqldb.Reader) (Item, error) {
	item, err := selectItem(ctx, from, k.ID)
	if err == nil && item.Draft() && !k.opens(item.Preview) {
		item, err = Item{}, sql.ErrNoRows
	}
	return item, sqldb.NotFound(err, "there is no such item")
}

// opens reports whether the caller's token is the one that preview was made of.
func (k itemKey) opens(preview []byte) bool {
	if k.Token == nil {
		return false
	}
	hash := sha256.Sum256([]byte(*k.Token))
	return subtle.ConstantTimeCompare(hash[:], preview) == 1
}

// newPreview returns a token that nobody can guess, and what to keep of it: a
// copy of the database opens no draft. One round of SHA-256 will do for 130
// random bits; it would not for a password.
func newPreview() (token string, preview []byte) {
	token = rand.Text()
	hash := sha256.Sum256([]byte(token))
	return token, hash[:]
}
