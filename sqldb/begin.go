package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fastness/fastness/problem"
)

// Begin begins a transaction that may write. The returned function ends it: it
// commits if it gets nil and rolls back otherwise. The end of ctx rolls back
// too, and a commit after that is an error.
//
// Its type is that of a provider, for fastness.ProvideCleanup.
func Begin(ctx context.Context, from From) (*Tx, func(error) error, error) {
	tx := new(Tx)
	end, err := tx.begin(ctx, from.DB, from.DB.Write, from.DB.isolation(sql.LevelReadCommitted, false))
	if err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return tx, end, nil
}

// BeginRead begins a transaction that only reads, and sees the database as it
// is at one moment. How firmly a write is refused is up to the driver and to
// the Read pool.
func BeginRead(ctx context.Context, from From) (*ReadTx, func(error) error, error) {
	tx := new(ReadTx)
	end, err := tx.begin(ctx, from.DB, from.DB.reader(), from.DB.isolation(sql.LevelRepeatableRead, true))
	if err != nil {
		return nil, nil, fmt.Errorf("begin to read: %w", err)
	}
	return tx, end, nil
}

func (db *DB) reader() *sql.DB {
	if db.Read != nil {
		return db.Read
	}
	return db.Write
}

// isolation says how much a transaction sees of others, whatever the default of
// the server is. In SQLite a transaction sees nothing of others anyway.
func (db *DB) isolation(level sql.IsolationLevel, readOnly bool) *sql.TxOptions {
	if db.Dialect != PostgreSQL {
		level = sql.LevelDefault
	}
	return &sql.TxOptions{Isolation: level, ReadOnly: readOnly}
}

// errNoConnection is why a transaction was given up before it began.
var errNoConnection = errors.New("no connection within the time to wait for one")

// begin begins the transaction and returns what ends it.
func (t *transaction) begin(ctx context.Context, db *DB, pool *sql.DB, opts *sql.TxOptions) (func(error) error, error) {
	t.db = db
	// The context is that of the whole transaction, and its end rolls back. Until it
	// has begun, the time to wait ends it, too.
	begun, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(cmp.Or(db.Wait, 5*time.Second), func() { cancel(errNoConnection) })
	tx, err := pool.BeginTx(begun, opts)
	late := !timer.Stop()
	if late {
		cancel(errNoConnection) // The timer has begun to, in a goroutine of its own.
	}
	if err == nil && late {
		err = errors.Join(begun.Err(), tx.Rollback())
	}
	if err != nil {
		waited := context.Cause(begun) == errNoConnection
		cancel(nil)
		if waited {
			return nil, problem.New(http.StatusServiceUnavailable, "too many requests need the database at once").
				Named("database_busy").With("Retry-After", "1").Wrap(errors.Join(errNoConnection, err))
		}
		return nil, db.Dialect.Explain(err)
	}
	t.tx = tx
	return func(failure error) error {
		defer cancel(nil)
		return t.end(ctx, failure)
	}, nil
}

// end commits if failure is nil, and rolls back otherwise.
func (t *transaction) end(ctx context.Context, failure error) error {
	gone := failure == nil && ctx.Err() != nil // The caller went away, or the time is over.
	if failure == nil && !gone {
		err := t.tx.Commit()
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // The caller went away, and that has rolled back.
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("commit: %w", t.explainEnd(err))
		}
		t.committed()
		return nil
	}
	// Done already means that the end of the context has rolled back.
	if err := t.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", t.db.Dialect.Explain(err))
	}
	if gone {
		return fmt.Errorf("commit: %w", ctx.Err())
	}
	return nil
}

// explainEnd is explain for a commit. Of a transaction that a collision has ended
// earlier the driver only says that it is over.
func (t *transaction) explainEnd(err error) error {
	if t.collided.Load() && t.db.Dialect.kind(err) == 0 {
		return collision(err)
	}
	return t.explain(err)
}
