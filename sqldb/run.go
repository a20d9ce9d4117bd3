package sqldb

import (
	"context"
	"errors"
)

// Tx runs f in a transaction that may write, for code outside of requests: jobs,
// commands, messages. It commits if f returns nil, and rolls back if f returns an
// error or panics, and when ctx ends.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	tx, end, err := Begin(ctx, From{db})
	if err != nil {
		return err
	}
	return ended(end, func() error { return f(tx) })
}

// ReadTx runs f in a transaction that only reads; see [DB.Tx].
func (db *DB) ReadTx(ctx context.Context, f func(tx *ReadTx) error) error {
	tx, end, err := BeginRead(ctx, From{db})
	if err != nil {
		return err
	}
	return ended(end, func() error { return f(tx) })
}

var errPanicked = errors.New("panic")

// ended runs f and ends the transaction as it did.
func ended(end func(error) error, f func() error) (err error) {
	failure := errPanicked // Unless f returns.
	defer func() {
		if failed := end(failure); err == nil {
			err = failed
		}
	}()
	failure = f()
	return failure
}
