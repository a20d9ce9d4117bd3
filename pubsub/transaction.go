package pubsub

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/fastness/fastness/sqldb"
)

// TxPublisher is a [Bus] that can publish as a part of a transaction.
type TxPublisher interface {
	// PublishTx is [Bus.Publish] as a part of tx: the event is in the log, and the
	// bell rings, when tx commits.
	PublishTx(ctx context.Context, tx *sqldb.Tx, room string, data []byte) error
}

// PublishTx publishes when tx commits, and not if it rolls back: nobody hears of
// an order that was never placed. An event that cannot be encoded or is too large
// is an error at once, so that the transaction can roll back.
//
// With a bus that is a [TxPublisher], such as that of package database/pgpubsub
// over the same database, the event is a row of the transaction: it is told if
// and only if tx commits, whatever happens to this process. Publish as late in
// the transaction as you can: who publishes in the same room waits for its end.
//
// Otherwise it is published right after the commit. If the process is killed
// between the two, or the bus does not answer, nobody is told; the error goes to
// the log, because it is too late to roll back. Clients that have to know load
// the state from time to time.
func (h *Hub[T]) PublishTx(ctx context.Context, tx *sqldb.Tx, room string, value T) error {
	event, err := h.encode(room, value)
	if err != nil {
		return err
	}
	if bus, ok := h.cfg.Bus.(TxPublisher); ok {
		if h.isClosed() {
			return closed()
		}
		return bus.PublishTx(ctx, tx, h.onBus(room), event.Bytes()) // Its errors are those of the database.
	}
	tx.AfterCommit(func() {
		if err := h.publish(context.WithoutCancel(ctx), room, event); err != nil {
			cmp.Or(h.cfg.Logger, slog.Default()).ErrorContext(ctx, "pubsub: an event of a transaction that committed was not published",
				slog.String("hub", h.cfg.Name), slog.Any("error", err))
		}
	})
	return nil
}
