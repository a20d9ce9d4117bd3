// Package sqlkeys keeps idempotency keys in the database of the app, SQLite or
// PostgreSQL, and in the transaction of what they protect:
//
//	func openKeys(ctx context.Context, in struct{ DB *sqldb.DB }) (*idempotency.Keys, func(error) error, error) {
//		store, err := sqlkeys.Open(ctx, in.DB)
//		if err != nil {
//			return nil, nil, err
//		}
//		keys, err := idempotency.New(idempotency.Config{Store: store})
//		return keys, nil, err
//	}
//
// The transaction of the operation must be one of the same database. A second request
// with the same key waits for the first one to end, within the limits that the
// database has for waiting, and then gets its answer.
package sqlkeys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "idempotency", Steps: []string{`
CREATE TABLE fastness_idempotency (
	id TEXT PRIMARY KEY,
	fingerprint {bytes} NOT NULL,
	answer {bytes},
	until {int} NOT NULL
) {strict};
CREATE INDEX fastness_idempotency_until ON fastness_idempotency (until);
`}}
}

// Store keeps keys in a database. It is safe for concurrent use, also by several
// processes.
type Store struct {
	db    *sqldb.DB
	store *sqlstore.Store
	swept atomic.Int64 // when entries that have expired were last removed
}

// Open brings the tables up to date and returns the store.
func Open(ctx context.Context, db *sqldb.DB) (*Store, error) {
	store, err := sqlstore.Open(ctx, db, tables())
	if err != nil {
		return nil, err
	}
	return &Store{db: db, store: store}, nil
}

// transaction returns tx as one of this package's, or nil if there is none.
func (s *Store) transaction(tx any) (*sqldb.Tx, error) {
	if tx == nil {
		return nil, nil
	}
	if serial, ok := tx.(*sqldb.SerialTx); ok {
		tx = serial.Tx
	}
	t, ok := tx.(*sqldb.Tx)
	if !ok || t == nil {
		return nil, fmt.Errorf("the transaction is a %T, want a *sqldb.Tx", tx)
	}
	return t, nil
}

// Begin keeps e, or returns the entry that is there.
func (s *Store) Begin(ctx context.Context, tx any, e idempotency.Entry) (found *idempotency.Entry, err error) {
	t, err := s.transaction(tx)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		err = s.db.Tx(ctx, func(own *sqldb.Tx) error {
			found, err = s.begin(ctx, own, e, math.MaxInt32)
			return err
		})
		return found, err
	}
	return s.begin(ctx, t, e, mostAtOnce)
}

// mostAtOnce is how many entries that have expired a transaction of the application
// removes.
const mostAtOnce = 1000

func (s *Store) begin(ctx context.Context, tx *sqldb.Tx, e idempotency.Entry, most int) (*idempotency.Entry, error) {
	now := sqlstore.Micros(e.Now)
	if last := s.swept.Load(); now-last > int64(time.Minute/time.Microsecond) && s.swept.CompareAndSwap(last, now) {
		if err := sweep(ctx, tx, s.db.Dialect, now, most); err != nil {
			return nil, err
		}
	}
	result, err := insert(ctx, tx, e)
	if err != nil {
		return nil, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return nil, err
	}
	found := &idempotency.Entry{ID: e.ID}
	var until int64
	if err := find(ctx, tx, e.ID).Scan(&found.Fingerprint, &found.Answer, &until); err != nil {
		return nil, err
	}
	found.Until = sqlstore.Time(until)
	return found, nil
}

var errForgotten = errors.New("the entry of the request is gone")

// Finish adds the answer.
func (s *Store) Finish(ctx context.Context, tx any, id string, answer []byte) error {
	t, err := s.transaction(tx)
	if err != nil {
		return err
	}
	var result sql.Result
	if t == nil {
		result, err = s.store.Exec(ctx, "UPDATE fastness_idempotency SET answer = ? WHERE id = ?", answer, id)
	} else {
		result, err = t.Exec(ctx, "UPDATE fastness_idempotency SET answer = ? WHERE id = ?", answer, id)
	}
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errForgotten, err)
	}
	return nil
}

// Abandon forgets an entry. One of a transaction goes with it.
func (s *Store) Abandon(ctx context.Context, tx any, id string) error {
	if tx != nil {
		return nil
	}
	_, err := s.store.Exec(ctx, "DELETE FROM fastness_idempotency WHERE id = ?", id)
	return err
}
