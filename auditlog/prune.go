package auditlog

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
)

// EventPruned is the name of the event that [Log.Prune] records. Its details are
// the anchor of the last event that was removed.
const EventPruned = "audit_pruned"

// maxPrune is how many events one transaction removes: others wait for it.
const maxPrune = 5000

// Prune removes the events before the first one that is not older than before,
// and returns how many. What stays can be verified still: the chain begins behind
// the last event that was removed, and an event at its end says so. A beginning
// that was cut off in another way has no such event.
//
// An anchor from before is no use afterwards: get a new one from [Log.Verify].
func (l *Log) Prune(ctx context.Context, before time.Time) (removed int64, err error) {
	for {
		n, more, err := l.prune(ctx, before)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("audit: remove old events: %w", err)
		}
		if !more {
			return removed, nil
		}
	}
}

func (l *Log) prune(ctx context.Context, before time.Time) (removed int64, more bool, err error) {
	var entry *Entry
	err = l.events.Write(ctx, func(tx *sqlstore.Tx) error {
		c, err := scanChain(tx.Lock(ctx, chainColumns))
		if err != nil {
			return err
		}
		// Clocks differ, so times need not be in order. The chain is: it ends where
		// the first event has to stay.
		var first sql.NullInt64
		if err := tx.QueryRow(ctx, "SELECT MIN(seq) FROM audit_events WHERE time >= ?", sqlstore.Micros(before)).Scan(&first); err != nil {
			return err
		}
		last := c.head.Seq
		if first.Valid {
			last = first.Int64 - 1
		}
		if most := c.start.Seq + maxPrune; last > most {
			last, more = most, true
		}
		if last <= c.start.Seq {
			return nil
		}
		entry, err = l.cut(ctx, tx, last)
		removed = last - c.start.Seq
		return err
	})
	if err != nil {
		return 0, false, err
	}
	if entry != nil {
		l.log(ctx, entry, nil)
	}
	return removed, more, nil
}

// cut removes all events up to last and records that.
func (l *Log) cut(ctx context.Context, tx *sqlstore.Tx, last int64) (*Entry, error) {
	var stored []byte
	if err := tx.QueryRow(ctx, "SELECT hash FROM audit_events WHERE seq = ?", last).Scan(&stored); err != nil {
		return nil, err // The chain is broken there; Verify says so.
	}
	start := Anchor{last, hashOf(stored)}
	entry, err := newEntry(Event{Name: EventPruned, Details: pruneDetails(start)}, l.cfg.Now())
	if err != nil {
		return nil, err
	}
	if err := appendTo(ctx, tx, entry); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM audit_events WHERE seq <= ?", last); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "UPDATE audit_chain SET start_seq = ?, start_hash = ? WHERE id = 1", start.Seq, start.Hash[:])
	return entry, err
}

func pruneDetails(start Anchor) []slog.Attr { return []slog.Attr{slog.String("last", start.String())} }

// prunedTo reports whether e records that the chain begins behind start.
func (e *Entry) prunedTo(start Anchor) bool {
	return e.Name == EventPruned && string(e.Details) == string(encodeDetails(pruneDetails(start)))
}
