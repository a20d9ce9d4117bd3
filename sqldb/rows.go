package sqldb

import (
	"database/sql"
	"errors"
)

// Row is what a statement has found: a [sql.Row], or one of [sql.Rows].
type Row interface{ Scan(dest ...any) error }

// All reads and closes rows. What it returns without an error is not nil.
//
//	rows, err := tx.Query(ctx, "SELECT id, name FROM items")
//	if err != nil {
//		return nil, err
//	}
//	return sqldb.All(rows, scanItem)
func All[T any](rows *sql.Rows, scan func(Row) (T, error)) (all []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	all = []T{}
	for rows.Next() {
		found, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, found)
	}
	return all, rows.Err()
}
