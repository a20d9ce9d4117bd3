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
// injection in it, do not compile. What has to be chosen at run time, such as a
// column to sort by, is a [Fragment], and what a caller may leave out is a [Condition]
// among others; what is searched for is a [Like].
//
// Arguments are written as ? whatever the database is, so one statement serves
// SQLite and PostgreSQL.
//
// # Errors
//
// What fails is answered by [Dialect.Explain]: 404 for a row that is not there,
// 409 for one that is there already, 503 for a database that is busy, and never a
// word of the driver's.
//
// # Transactions that collide
//
// A [SerialTx] sees nothing of others, as if it ran alone. Where two collide, one
// fails, and the framework runs its operation again.
//
// # Outside of requests
//
// Jobs, commands and messages use [DB.Tx], [DB.ReadTx] and [DB.SerialTx].
//
// The package imports no driver.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"
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
	// Wait is how long a transaction waits for a connection, and to begin. After
	// that a request is answered with 503. The default is 5 seconds.
	Wait time.Duration

	statements rebinder
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

// Ping reports whether the database answers. An app that provides the database asks it
// for GET /health/ready.
func (db *DB) Ping(ctx context.Context) error {
	pool := db.Write
	if db.Dialect == SQLite { // Its one connection that writes may be at work for others.
		pool = db.reader()
	}
	return pool.PingContext(ctx)
}
