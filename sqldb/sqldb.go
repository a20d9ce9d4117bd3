// Package sqldb gives each request a transaction of its own, which commits if
// the operation succeeds and rolls back if it does not.
//
//	fastness.ProvideApp(app, openDB)              // a *sqldb.DB, closed when the app stops
//	fastness.ProvideCleanup(app, sqldb.Begin)     // fills fields of type *sqldb.Tx
//	fastness.ProvideCleanup(app, sqldb.BeginRead) // fills fields of type *sqldb.ReadTx
//
// An operation asks for what it needs and returns. It cannot forget to commit,
// commit half of its work, or leak the connection:
//
//	type createItem struct {
//		Tx   *sqldb.Tx
//		Body NewItem
//	}
//
// Whoever asks for one transaction in several places gets the same one: an
// operation changes the row that its provider has loaded, and nobody else
// changes it in between.
//
// # How it ends
//
// The transaction ends after the operation and before a byte of the answer is
// sent, so "201 Created" is never said of a row that was not stored. An error, a
// panic, a time limit and a caller who went away roll back. A commit that fails
// is an error of the request.
//
// # Queries
//
// The text of a statement is a constant of the program. What a caller sent is
// an argument and cannot become SQL: text put together at run time, and the
// injection in it, do not compile.
//
// The package imports no driver.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// DB is a database as requests use it. The two pools may be one: they are two
// where writing and reading go different ways, as with SQLite, which has one
// writer and many readers, or with a replica.
type DB struct {
	// Dialect is the SQL that the database speaks. Stores of Fastness need to
	// know; transactions do not.
	Dialect Dialect
	// Write is the pool of connections that may write.
	Write *sql.DB
	// Read is the pool for reading. Nil means Write.
	Read *sql.DB
}

// Dialect is a kind of SQL.
type Dialect int

const (
	// SQLite is that of SQLite 3.35 and later.
	SQLite Dialect = iota
	// PostgreSQL is that of PostgreSQL 12 and later.
	PostgreSQL
)

// String returns the name of the database system.
func (d Dialect) String() string {
	if d == PostgreSQL {
		return "PostgreSQL"
	}
	return "SQLite"
}

// Close closes both pools.
func (db *DB) Close() error {
	var errs []error
	if db.Read != nil && db.Read != db.Write {
		errs = append(errs, db.Read.Close())
	}
	return errors.Join(append(errs, db.Write.Close())...)
}

// From is what a transaction is made from; a provider of *DB fills it.
type From struct {
	DB *DB
}

// Begin begins a transaction that may write. The returned function ends it: it
// commits if it gets nil and rolls back otherwise. The end of ctx rolls back
// too, and a commit after that is an error.
//
// Its type is that of a provider, for fastness.ProvideCleanup.
func Begin(ctx context.Context, from From) (*Tx, func(error) error, error) {
	tx, err := from.DB.Write.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{tx}, end(ctx, tx), nil
}

// BeginRead begins a transaction that only reads, and sees the database as it
// is at one moment. How firmly a write is refused is up to the driver and to
// the Read pool.
func BeginRead(ctx context.Context, from From) (*ReadTx, func(error) error, error) {
	pool := from.DB.Read
	if pool == nil {
		pool = from.DB.Write
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, fmt.Errorf("begin to read: %w", err)
	}
	return &ReadTx{tx}, end(ctx, tx), nil
}

func end(ctx context.Context, tx *sql.Tx) func(error) error {
	return func(failure error) error {
		if failure == nil {
			err := tx.Commit()
			if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // The caller went away, and that has rolled back.
				err = ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("commit: %w", err)
			}
			return nil
		}
		// Done already means that the end of the context has rolled back.
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			return fmt.Errorf("roll back: %w", err)
		}
		return nil
	}
}
