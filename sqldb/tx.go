package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/fastness/fastness/problem"
)

// text is the text of a statement. The type has no name outside this package,
// so only a constant becomes one without a conversion, and nobody can convert.
type text string

// Reader is what reads: a *Tx or a *ReadTx.
type Reader interface {
	// Query runs a statement that returns rows. Close them.
	Query(ctx context.Context, statement text, args ...any) (*Rows, error)
	// QueryRow runs a statement that returns at most one row.
	QueryRow(ctx context.Context, statement text, args ...any) Row
}

// transaction is what a Tx and a ReadTx have in common.
type transaction struct {
	db *DB
	tx *sql.Tx
	// collided says that a statement failed because of another transaction: the
	// commit of what an operation made of that does not count.
	collided atomic.Bool
	after    []func() // the commit
}

// explain maps an error, and remembers those that another try may not meet.
func (t *transaction) explain(err error) error {
	if err == nil {
		return nil
	}
	if t.db.Dialect.Retryable(err) {
		t.collided.Store(true)
	}
	return t.db.Dialect.Explain(err)
}

// prepare returns a statement as the driver wants it.
func (t *transaction) prepare(statement text, args []any) (string, []any) {
	if hasFragment(args) {
		spliced, rest := splice(statement, args)
		return t.db.Dialect.Rebind(string(spliced)), rest
	}
	return t.db.statements.rebind(t.db.Dialect, statement), args
}

func (t *transaction) query(ctx context.Context, statement text, args []any) (*Rows, error) {
	query, args := t.prepare(statement, args)
	rows, err := t.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, t.explain(err)
	}
	return &Rows{rows, t.explain}, nil
}

func (t *transaction) queryRow(ctx context.Context, statement text, args []any) Row {
	query, args := t.prepare(statement, args)
	return row{t.tx.QueryRowContext(ctx, query, args...), t.explain}
}

// Tx is a transaction that may write. It has no Commit: it ends with its
// request.
//
// In PostgreSQL a statement that fails ends the transaction, in SQLite it does
// not: where a failure is no reason to give up, avoid it (ON CONFLICT DO NOTHING).
type Tx struct{ transaction }

// Writes says that the transaction may change something: an app does not start if
// an operation whose method is safe gets one.
func (*Tx) Writes() bool { return true }

// Exec runs a statement that returns no rows.
func (t *Tx) Exec(ctx context.Context, statement text, args ...any) (sql.Result, error) {
	query, args := t.prepare(statement, args)
	result, err := t.tx.ExecContext(ctx, query, args...)
	return result, t.explain(err)
}

// Query runs a statement that returns rows. Close them.
func (t *Tx) Query(ctx context.Context, statement text, args ...any) (*Rows, error) {
	return t.query(ctx, statement, args)
}

// QueryRow runs a statement that returns at most one row.
func (t *Tx) QueryRow(ctx context.Context, statement text, args ...any) Row {
	return t.queryRow(ctx, statement, args)
}

// ForUpdate returns the same transaction for a SELECT of one table whose rows
// nobody else changes until the transaction ends: what is decided by them still
// holds when they are written. SQLite has one writer anyway; in PostgreSQL it is
// SELECT … FOR UPDATE.
//
//	item, err := selectItem(ctx, tx.ForUpdate(), id)
func (t *Tx) ForUpdate() Reader { return locking{t} }

// locking is the Reader of [Tx.ForUpdate].
type locking struct{ tx *Tx }

func (l locking) Query(ctx context.Context, statement text, args ...any) (*Rows, error) {
	return l.tx.query(ctx, l.locked(statement), args)
}

func (l locking) QueryRow(ctx context.Context, statement text, args ...any) Row {
	return l.tx.queryRow(ctx, l.locked(statement), args)
}

func (l locking) locked(statement text) text {
	if l.tx.db.Dialect == PostgreSQL {
		return statement + " FOR UPDATE"
	}
	return statement
}

// InsecureSQL returns the transaction underneath, for code that others wrote or
// generated: sqlc, an ORM. Nothing holds the text of statements to constants
// there, errors are those of the driver (see [Dialect.Explain]), and whoever calls
// Commit or Rollback on it ends the request's transaction. The reason says why
// no text of a caller becomes SQL; without one the answer is nil.
func (t *Tx) InsecureSQL(reason text) *sql.Tx {
	if reason == "" {
		return nil
	}
	return t.tx
}

// ReadTx is a transaction that only reads.
type ReadTx struct{ transaction }

// Query runs a statement that returns rows. Close them.
func (t *ReadTx) Query(ctx context.Context, statement text, args ...any) (*Rows, error) {
	return t.query(ctx, statement, args)
}

// QueryRow runs a statement that returns at most one row.
func (t *ReadTx) QueryRow(ctx context.Context, statement text, args ...any) Row {
	return t.queryRow(ctx, statement, args)
}

// InsecureSQL is [Tx.InsecureSQL].
func (t *ReadTx) InsecureSQL(reason text) *sql.Tx {
	if reason == "" {
		return nil
	}
	return t.tx
}

// NotFound returns a 404 with detail for [sql.ErrNoRows], and any other error as
// it is.
func NotFound(err error, detail string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(http.StatusNotFound, detail).Wrap(err)
	}
	return err
}
