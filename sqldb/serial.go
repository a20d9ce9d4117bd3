package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"fmt"
	"time"
)

// SerialTx is a transaction that sees nothing of others, as if all ran one after
// the other. Use it where what is decided by rows that were read must still hold
// when others are written: the last seat, a limit over several rows.
//
//	fastness.ProvideCleanup(app, sqldb.BeginSerial) // fills fields of type *sqldb.SerialTx
//
// In PostgreSQL it is serializable. Of two that collide one fails; the framework
// rolls it back and runs its providers and its operation again, at most three
// times, and answers 503 after that. So the operation does nothing that a rollback
// does not undo: a mail is sent by a fastness.Background, which forgets what a run
// that failed has asked for. It changes nothing that its input points to. It does
// not matter whether it returns the error of a collision or hides it.
//
// All that write the same rows must use it: a [Tx] beside it is not looked at. In
// SQLite there is one writer at a time, and a SerialTx is a Tx.
type SerialTx struct{ *Tx }

// Writes says that the transaction may change something; see [Tx.Writes].
func (*SerialTx) Writes() bool { return true }

// RunsAgain reports whether the transaction failed because of another one: the
// framework then runs the operation again.
func (t *SerialTx) RunsAgain(err error) bool {
	if t != nil && t.collided.Load() {
		return true
	}
	return PostgreSQL.Retryable(err) || SQLite.Retryable(err)
}

// BeginSerial begins a transaction that sees nothing of others; see [Begin].
func BeginSerial(ctx context.Context, from From) (*SerialTx, func(error) error, error) {
	tx := new(Tx)
	end, err := tx.begin(ctx, from.DB, from.DB.Write, from.DB.isolation(sql.LevelSerializable, false))
	if err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return &SerialTx{tx}, end, nil
}

// maxAgain is how often a transaction is tried again.
const maxAgain = 3

// SerialTx runs f in a transaction that sees nothing of others, and again if it
// collided with another one, at most three times; see [SerialTx] and [DB.Tx].
func (db *DB) SerialTx(ctx context.Context, f func(tx *SerialTx) error) error {
	for times := 1; ; times++ {
		tx, end, err := BeginSerial(ctx, From{db})
		if err == nil {
			err = ended(end, func() error { return f(tx) })
		}
		if err == nil || times > maxAgain || !tx.RunsAgain(err) {
			return err
		}
		timer := time.NewTimer(backOff(times))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// backOff returns how long to wait before the given time: 10 to 20 milliseconds,
// and twice as long each time. That none knows how long keeps two apart.
func backOff(times int) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // It never fails.
	least := 10 * time.Millisecond << (times - 1)
	return least + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(least))
}
