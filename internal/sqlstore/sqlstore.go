// Package sqlstore is what the stores of Fastness share: tables that are brought
// up to date when a store opens, statements that are written once for every
// dialect, and transactions that are safe with several processes.
//
// A statement is written with ? for each argument. In the text of tables, these
// words stand for what differs:
//
//	{int}    a whole number of 64 bits
//	{bytes}  bytes
//	{strict} the end of a table, after its closing parenthesis
//
// Times are stored as microseconds since 1970 in UTC, see [Micros] and [Time].
package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/sqldb"
)

// text is the text of a statement: only a constant becomes one without a
// conversion.
type text string

// Tables are the tables of one store, as a list of steps that were added over
// time. A step that was released is never changed.
type Tables struct {
	// Name names the store among all in the database: "accounts".
	Name string
	// Steps are run once each, in order. Statements within a step end with a
	// semicolon at the end of a line.
	Steps []string
}

// Store is a database as one store uses it.
type Store struct {
	db      *sqldb.DB
	name    string
	rebound sync.Map // text → string
}

// Open brings the tables up to date and returns the store. Several processes may
// open it at once.
func Open(ctx context.Context, db *sqldb.DB, tables Tables) (*Store, error) {
	if db == nil || db.Write == nil {
		return nil, fmt.Errorf("%s: no database", tables.Name)
	}
	s := &Store{db: db, name: tables.Name}
	if err := s.migrate(ctx, tables); err != nil {
		return nil, fmt.Errorf("%s: bring the tables up to date: %w", tables.Name, err)
	}
	return s, nil
}

const versions = `CREATE TABLE IF NOT EXISTS fastness_stores (name TEXT PRIMARY KEY, version {int} NOT NULL) {strict}`

func (s *Store) migrate(ctx context.Context, tables Tables) error {
	if err := s.makeVersions(ctx); err != nil {
		return err
	}
	if _, err := s.db.Write.ExecContext(ctx,
		s.rebind("INSERT INTO fastness_stores (name, version) VALUES (?, 0) ON CONFLICT (name) DO NOTHING"), tables.Name); err != nil {
		return err
	}
	return s.Write(ctx, func(tx *Tx) error {
		var version int
		lock := "UPDATE fastness_stores SET version = version WHERE name = ? RETURNING version"
		if err := tx.tx.QueryRowContext(ctx, s.rebind(text(lock)), tables.Name).Scan(&version); err != nil {
			return err
		}
		if version > len(tables.Steps) {
			return fmt.Errorf("the tables are of version %d, this program knows %d: it is older than the database", version, len(tables.Steps))
		}
		for _, step := range tables.Steps[version:] {
			for statement := range strings.SplitSeq(step, ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				if _, err := tx.tx.ExecContext(ctx, s.translate(statement)); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, "UPDATE fastness_stores SET version = ? WHERE name = ?", len(tables.Steps), tables.Name)
		return err
	})
}

// makeVersions makes the table that the others are counted in.
func (s *Store) makeVersions(ctx context.Context) error {
	tx, err := s.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // Without effect after the commit.
	if s.db.Dialect == sqldb.PostgreSQL {
		// Two that make the same table in the same moment get an error, whatever IF
		// NOT EXISTS says. The number is any that others do not use.
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7309464923418390323)"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, s.translate(versions)); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *Store) translate(statement string) string {
	words := []string{"{int}", "INTEGER", "{bytes}", "BLOB", "{strict}", "STRICT"}
	if s.db.Dialect == sqldb.PostgreSQL {
		words = []string{"{int}", "BIGINT", "{bytes}", "BYTEA", "{strict}", ""}
	}
	return strings.NewReplacer(words...).Replace(statement)
}

// rebind numbers the arguments where the dialect wants that.
func (s *Store) rebind(statement text) string {
	if s.db.Dialect != sqldb.PostgreSQL {
		return string(statement)
	}
	if done, ok := s.rebound.Load(statement); ok {
		return done.(string)
	}
	rebound := s.db.Dialect.Rebind(string(statement))
	s.rebound.Store(statement, rebound)
	return rebound
}

func (s *Store) reader() *sql.DB {
	if s.db.Read != nil {
		return s.db.Read
	}
	return s.db.Write
}

// Query runs a statement that returns rows. Close them.
func (s *Store) Query(ctx context.Context, statement text, args ...any) (*sql.Rows, error) {
	return s.reader().QueryContext(ctx, s.rebind(statement), args...)
}

// QueryRow runs a statement that returns at most one row.
func (s *Store) QueryRow(ctx context.Context, statement text, args ...any) *sql.Row {
	return s.reader().QueryRowContext(ctx, s.rebind(statement), args...)
}

// Newest is [Store.QueryRow], but sees all that was committed before: a replica
// may lag, and let a log-in fail that has just succeeded, or a log-out not count.
func (s *Store) Newest(ctx context.Context, statement text, args ...any) *sql.Row {
	pool := s.db.Write
	if s.db.Dialect == sqldb.SQLite { // One file, and one connection that writes: leave it alone.
		pool = s.reader()
	}
	return pool.QueryRowContext(ctx, s.rebind(statement), args...)
}

// Exec runs one statement that writes, in a transaction of its own.
func (s *Store) Exec(ctx context.Context, statement text, args ...any) (sql.Result, error) {
	return s.db.Write.ExecContext(ctx, s.rebind(statement), args...)
}

// Changed runs one statement that writes and reports whether it changed a row.
func (s *Store) Changed(ctx context.Context, statement text, args ...any) (bool, error) {
	return changed(s.Exec(ctx, statement, args...))
}

func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Tx is a transaction of a store.
type Tx struct {
	store *Store
	tx    *sql.Tx
}

// Write runs f in a transaction, which commits if f returns nil and rolls back
// otherwise. In SQLite it is the only one that writes; in PostgreSQL it is
// serializable with others where they lock the same rows: select what decides
// with [Tx.Lock].
//
// In PostgreSQL a statement that fails ends the transaction, in SQLite it does
// not: use ON CONFLICT where a duplicate is no reason to give up.
func (s *Store) Write(ctx context.Context, f func(tx *Tx) error) error {
	tx, err := s.db.Write.BeginTx(ctx, s.isolation())
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // Without effect after the commit.
	if s.db.Dialect == sqldb.SQLite {
		// A transaction that reads first and then wants to write can find that it is
		// too late. This takes the lock for writing at once.
		if _, err := tx.ExecContext(ctx, "UPDATE fastness_stores SET version = version WHERE name = ?", s.name); err != nil {
			return fmt.Errorf("begin to write: %w", err)
		}
	}
	if err := f(&Tx{s, tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// isolation is what Lock relies on, whatever the database's own default is: a
// stricter level answers a row that was changed while waiting with an error.
func (s *Store) isolation() *sql.TxOptions {
	if s.db.Dialect == sqldb.PostgreSQL {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

// Exec runs a statement that returns no rows.
func (t *Tx) Exec(ctx context.Context, statement text, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.store.rebind(statement), args...)
}

// Changed runs a statement and reports whether it changed a row.
func (t *Tx) Changed(ctx context.Context, statement text, args ...any) (bool, error) {
	return changed(t.Exec(ctx, statement, args...))
}

// Query runs a statement that returns rows. Close them before the next one.
func (t *Tx) Query(ctx context.Context, statement text, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.store.rebind(statement), args...)
}

// QueryRow runs a statement that returns at most one row.
func (t *Tx) QueryRow(ctx context.Context, statement text, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, t.store.rebind(statement), args...)
}

// Lock is [Tx.QueryRow] for a SELECT of one table whose row nobody else may
// change until the transaction ends.
func (t *Tx) Lock(ctx context.Context, statement text, args ...any) *sql.Row {
	query := t.store.rebind(statement)
	if t.store.db.Dialect == sqldb.PostgreSQL {
		query += " FOR UPDATE"
	}
	return t.tx.QueryRowContext(ctx, query, args...)
}

// Duplicate reports whether err is that of a value which must be unique and is
// there already.
func Duplicate(err error) bool {
	return sqldb.PostgreSQL.IsDuplicate(err) || sqldb.SQLite.IsDuplicate(err)
}

// Micros returns t as it is stored. The zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the inverse of [Micros].
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
