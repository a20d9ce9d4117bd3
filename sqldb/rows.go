package sqldb

import (
	"database/sql"
	"errors"
)

// Row is what a statement has found: the row of [Tx.QueryRow], or one of [Rows].
type Row interface{ Scan(dest ...any) error }

// Rows are what a statement has found, as [sql.Rows]. Their errors are those of
// [Dialect.Explain].
type Rows struct {
	rows    *sql.Rows
	explain func(error) error
}

// Next makes the next row ready for Scan, and reports whether there is one.
func (r *Rows) Next() bool { return r.rows.Next() }

// Scan copies the columns of the row into dest, as [sql.Rows.Scan].
func (r *Rows) Scan(dest ...any) error { return r.explain(r.rows.Scan(dest...)) }

// Err returns what ended the rows early, or nil.
func (r *Rows) Err() error { return r.explain(r.rows.Err()) }

// Close gives the connection back to the transaction. It may be called twice.
func (r *Rows) Close() error { return r.explain(r.rows.Close()) }

// row is the one row of a statement.
type row struct {
	row     *sql.Row
	explain func(error) error
}

func (r row) Scan(dest ...any) error { return r.explain(r.row.Scan(dest...)) }

// steps are what [Rows] and [sql.Rows] have besides.
type steps interface {
	Next() bool
	Err() error
	Close() error
}

// All reads and closes rows. What it returns without an error is not nil.
//
//	rows, err := tx.Query(ctx, "SELECT id, name FROM items")
//	if err != nil {
//		return nil, err
//	}
//	return sqldb.All(rows, scanItem)
func All[T any](rows interface {
	Row
	steps
}, scan func(Row) (T, error)) (all []T, err error) {
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
