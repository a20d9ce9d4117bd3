package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// text is the text of a statement. The type has no name outside this package,
// so only a constant becomes one without a conversion, and nobody can convert.
type text string

// Reader is what reads: a *Tx or a *ReadTx.
type Reader interface {
	// Query runs a statement that returns rows. Close them.
	Query(ctx context.Context, statement text, args ...any) (*sql.Rows, error)
	// QueryRow runs a statement that returns at most one row.
	QueryRow(ctx context.Context, statement text, args ...any) *sql.Row
}

// Tx is a transaction that may write. It has no Commit: it ends with its
// request.
type Tx struct{ tx *sql.Tx }

// Writes says that the transaction may change something: an app does not start if
// an operation whose method is safe gets one.
func (*Tx) Writes() bool { return true }

// Exec runs a statement that returns no rows.
func (t *Tx) Exec(ctx context.Context, statement text, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, string(statement), args...)
}

// Query runs a statement that returns rows. Close them.
func (t *Tx) Query(ctx context.Context, statement text, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, string(statement), args...)
}

// QueryRow runs a statement that returns at most one row.
func (t *Tx) QueryRow(ctx context.Context, statement text, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, string(statement), args...)
}

// ReadTx is a transaction that only reads.
type ReadTx struct{ tx *sql.Tx }

// Query runs a statement that returns rows. Close them.
func (t *ReadTx) Query(ctx context.Context, statement text, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, string(statement), args...)
}

// QueryRow runs a statement that returns at most one row.
func (t *ReadTx) QueryRow(ctx context.Context, statement text, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, string(statement), args...)
}

// NotFound returns a 404 with detail for [sql.ErrNoRows], and any other error as
// it is.
func NotFound(err error, detail string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(http.StatusNotFound, detail).Wrap(err)
	}
	return err
}
