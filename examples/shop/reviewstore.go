package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

const reviewColumns = "r.id, r.item_id, r.author, r.author_name, r.stars, r.title, r.text, r.created"

func scanReview(from sqldb.Row, more ...any) (r Review, err error) {
	var created int64
	err = from.Scan(append([]any{&r.ID, &r.ItemID, &r.Author, &r.AuthorName, &r.Stars, &r.Title, &r.Text, &created}, more...)...)
	r.Created = time.Unix(created, 0).UTC()
	return r, err
}

// selectReview finds a review of this item: the id of one of another item is none.
func selectReview(ctx context.Context, from sqldb.Reader, itemID, id int64) (Review, error) {
	return scanReview(from.QueryRow(ctx, "SELECT "+reviewColumns+" FROM reviews r WHERE item_id = ? AND id = ?", itemID, id))
}

// selectReviews returns reviews of an item, the newest first, and what holds of all.
func selectReviews(ctx context.Context, from sqldb.Reader, itemID int64, limit, offset int) (list ReviewList, err error) {
	err = from.QueryRow(ctx, "SELECT count(*), coalesce(avg(stars), 0) FROM reviews WHERE item_id = ?", itemID).Scan(&list.Total, &list.Average)
	if err != nil {
		return list, err
	}
	rows, err := from.Query(ctx, "SELECT "+reviewColumns+" FROM reviews r WHERE item_id = ? ORDER BY id DESC LIMIT ? OFFSET ?", itemID, limit, offset)
	if err != nil {
		return list, err
	}
	list.Reviews, err = sqldb.All(rows, func(row sqldb.Row) (Review, error) { return scanReview(row) })
	return list, err
}

// hasReviewed reports whether a user has written a review of an item.
func hasReviewed(ctx context.Context, from sqldb.Reader, itemID int64, author string) (yes bool, err error) {
	err = from.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM reviews WHERE item_id = ? AND author = ?)", itemID, author).Scan(&yes)
	return yes, err
}

// insertReview stores a review. The database says whether the author has written
// one before: of two requests at once, one finds the other's.
func insertReview(ctx context.Context, tx *sqldb.Tx, r Review) (id int64, err error) {
	err = tx.QueryRow(ctx, "INSERT INTO reviews (item_id, author, author_name, stars, title, text, created)"+
		" VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (item_id, author) DO NOTHING RETURNING id",
		r.ItemID, r.Author, r.AuthorName, r.Stars, r.Title, r.Text, r.Created.Unix()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, problem.New(http.StatusConflict, "you have reviewed this item already").Named("already_reviewed")
	}
	return id, err
}

func removeReview(ctx context.Context, tx *sqldb.Tx, id int64) error {
	_, err := tx.Exec(ctx, "DELETE FROM reviews WHERE id = ?", id)
	return err
}

// latestReviews returns the newest reviews of items that the administrators of a
// tenant look after, or of all for those who have none.
func latestReviews(ctx context.Context, from sqldb.Reader, tenant auth.Tenant, limit int) ([]LatestReview, error) {
	rows, err := from.Query(ctx, "SELECT "+reviewColumns+", i.name FROM reviews r JOIN items i ON i.id = r.item_id"+
		" WHERE ? OR i.tenant = ? ORDER BY r.id DESC LIMIT ?", tenant.IsZero(), tenant.String(), limit)
	if err != nil {
		return nil, err
	}
	return sqldb.All(rows, func(row sqldb.Row) (latest LatestReview, err error) {
		latest.Review, err = scanReview(row, &latest.ItemName)
		return latest, err
	})
}

// countAll counts what belongs to a tenant, or all for those who have none.
func countAll(ctx context.Context, from sqldb.Reader, tenant auth.Tenant) (n Numbers, err error) {
	all, own := tenant.IsZero(), tenant.String()
	err = from.QueryRow(ctx, "SELECT (SELECT count(*) FROM items WHERE ? OR tenant = ?), (SELECT count(*) FROM orders WHERE ? OR tenant = ?),"+
		" (SELECT count(*) FROM reviews r JOIN items i ON i.id = r.item_id WHERE ? OR i.tenant = ?)",
		all, own, all, own, all, own).Scan(&n.Items, &n.Orders, &n.Reviews)
	return n, err
}
