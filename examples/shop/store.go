package main

import (
	"context"
	"slices"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/filestore"
	"github.com/fastness/fastness/sqldb"
)

const itemColumns = "id, name, description, price, tax, cost, stock, picture, seller, tenant, draft"

func scanItem(from sqldb.Row) (item Item, err error) {
	err = from.Scan(&item.ID, &item.Name, &item.Description, &item.Price, &item.Tax, &item.Cost, &item.Stock, &item.Picture, &item.Seller, &item.Tenant, &item.Draft)
	return item, err
}

func selectItem(ctx context.Context, from sqldb.Reader, id int64) (Item, error) {
	return scanItem(from.QueryRow(ctx, "SELECT "+itemColumns+" FROM items WHERE id = ?", id))
}

// selectItems returns items that are for sale, the newest first.
func selectItems(ctx context.Context, from sqldb.Reader, limit, offset int) ([]Item, error) {
	rows, err := from.Query(ctx,
		"SELECT "+itemColumns+" FROM items WHERE NOT draft ORDER BY id DESC LIMIT ? OFFSET ?", limit, offset)
	if err != nil {
		return nil, err
	}
	return sqldb.All(rows, scanItem)
}

// selectOwnItems returns items of a seller, or those that an administrator looks after,
// the oldest first.
func selectOwnItems(ctx context.Context, from sqldb.Reader, u *auth.User, after int64, limit int) ([]Item, error) {
	rows, err := from.Query(ctx, "SELECT "+itemColumns+" FROM items WHERE id > ? AND (seller = ? OR ? AND (? OR tenant = ?)) ORDER BY id LIMIT ?",
		after, u.ID, u.HasRole("admin"), u.Tenant.IsZero(), u.Tenant.String(), limit)
	if err != nil {
		return nil, err
	}
	items, err := sqldb.All(rows, scanItem)
	// The statement is quick, and OwnedBy decides: there is one rule of whose an item is.
	return slices.DeleteFunc(items, func(i Item) bool { return !i.OwnedBy(u) }), err
}

// countItems counts the items that are for sale.
func countItems(ctx context.Context, from sqldb.Reader) (n int, err error) {
	err = from.QueryRow(ctx, "SELECT count(*) FROM items WHERE NOT draft").Scan(&n)
	return n, err
}

func insertItem(ctx context.Context, tx *sqldb.Tx, i Item) (id int64, err error) {
	err = tx.QueryRow(ctx,
		"INSERT INTO items (name, description, price, tax, cost, stock, seller, tenant, draft) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
		i.Name, i.Description, i.Price, i.Tax, i.Cost, i.Stock, i.Seller, i.Tenant, i.Draft).Scan(&id)
	return id, err
}

// updateItem leaves the stock alone: others buy while a seller writes.
func updateItem(ctx context.Context, tx *sqldb.Tx, i Item) error {
	_, err := tx.Exec(ctx,
		"UPDATE items SET name = ?, description = ?, price = ?, tax = ?, cost = ?, draft = ? WHERE id = ?",
		i.Name, i.Description, i.Price, i.Tax, i.Cost, i.Draft, i.ID)
	return err
}

func updateStock(ctx context.Context, tx *sqldb.Tx, id int64, stock *int) error {
	_, err := tx.Exec(ctx, "UPDATE items SET stock = ? WHERE id = ?", stock, id)
	return err
}

func updatePicture(ctx context.Context, tx *sqldb.Tx, id int64, key filestore.Key) error {
	_, err := tx.Exec(ctx, "UPDATE items SET picture = ? WHERE id = ?", key, id)
	return err
}

// hasPicture reports whether an item has the picture of this key.
func hasPicture(ctx context.Context, from sqldb.Reader, key filestore.Key) (there bool, err error) {
	err = from.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE picture = ?)", key).Scan(&there)
	return there, err
}

// takeStock takes n pieces of an item off the shelf, if there are as many. It is one
// statement: between a look and a change somebody else would have bought the last
// piece.
func takeStock(ctx context.Context, tx *sqldb.Tx, id int64, n int) error {
	result, err := tx.Exec(ctx, "UPDATE items SET stock = stock - ? WHERE id = ? AND (stock IS NULL OR stock >= ?)", n, id, n)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 1 {
		return err
	}
	return soldOut()
}

// returnStock puts n pieces back, if the item is still there.
func returnStock(ctx context.Context, tx *sqldb.Tx, id int64, n int) error {
	_, err := tx.Exec(ctx, "UPDATE items SET stock = stock + ? WHERE id = ?", n, id)
	return err
}

func removeItem(ctx context.Context, tx *sqldb.Tx, id int64) error {
	_, err := tx.Exec(ctx, "DELETE FROM items WHERE id = ?", id)
	return err
}
