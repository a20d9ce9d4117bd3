package auditlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
)

// maxBatch is how many events share one transaction at most.
const maxBatch = 256

// pending is an event that waits to be written.
type pending struct {
	entry *Entry
	done  chan struct{} // closed when it was written, or not
	err   error
}

// Record stores e and returns when it is stored. The end of ctx does not stop it:
// who hangs up in time would otherwise leave no trace. It gives up after the
// Timeout of [Config].
//
// Events that are recorded at once share a transaction, so what a commit costs is
// paid once for all of them.
func (l *Log) Record(ctx context.Context, e Event) error {
	entry, err := newEntry(e, l.cfg.Now())
	if err != nil {
		return err
	}
	written, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.Timeout)
	defer cancel()
	p := &pending{entry: entry, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, p)
	l.mu.Unlock()
	err = l.await(written, p)
	l.log(ctx, entry, err)
	if err != nil {
		return fmt.Errorf("audit: record an event: %w", err)
	}
	l.retainHourly(written)
	return nil
}

// await returns when p is written. Whoever gets the turn writes all that wait,
// and so perhaps p of another.
func (l *Log) await(ctx context.Context, p *pending) error {
	for {
		select {
		case <-p.done:
			return p.err
		default:
		}
		select {
		case <-p.done:
			return p.err
		case l.turn <- struct{}{}:
			l.writeWaiting()
		case <-ctx.Done():
			return l.abandon(ctx, p)
		}
	}
}

// abandon takes p out of those that wait. If somebody is writing it already, it
// waits for the outcome: an event must not be both an error and in the log.
func (l *Log) abandon(ctx context.Context, p *pending) error {
	l.mu.Lock()
	for i, other := range l.waiting {
		if other == p {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			l.mu.Unlock()
			return ctx.Err()
		}
	}
	l.mu.Unlock()
	<-p.done
	return p.err
}

// writeWaiting writes what waits, at most maxBatch of it, and ends the turn. Its
// time is its own, not that of one of those whose events it writes.
func (l *Log) writeWaiting() {
	defer func() { <-l.turn }()
	l.mu.Lock()
	n := min(len(l.waiting), maxBatch)
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	l.mu.Unlock()
	if n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.cfg.Timeout)
	defer cancel()
	entries := make([]*Entry, n)
	for i, p := range batch {
		entries[i] = p.entry
	}
	err := errors.New("the writing panicked")
	defer func() {
		for _, p := range batch {
			p.err = err
			close(p.done)
		}
	}()
	err = l.events.Write(ctx, func(tx *sqlstore.Tx) error { return appendTo(ctx, tx, entries...) })
}

// appendTo puts entries at the end of the chain and gives them their numbers and
// hashes. Nobody else appends until the transaction ends.
func appendTo(ctx context.Context, tx *sqlstore.Tx, entries ...*Entry) error {
	c, err := scanChain(tx.Lock(ctx, chainColumns))
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.Seq = c.head.Seq + 1
		e.Hash = e.chained(c.head.Hash)
		refused := 0
		if e.Refused {
			refused = 1
		}
		if _, err := tx.Exec(ctx, `INSERT INTO audit_events (seq, time, name, actor, subject, address, request, refused, details, hash)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Seq, sqlstore.Micros(e.Time), e.Name, e.Actor, e.Subject, e.Address,
			e.Request, refused, string(e.Details), e.Hash[:]); err != nil {
			return err
		}
		c.head = e.Anchor()
	}
	_, err = tx.Exec(ctx, "UPDATE audit_chain SET head_seq = ?, head_hash = ? WHERE id = 1", c.head.Seq, c.head.Hash[:])
	return err
}

// log writes the line of an event. Its time is that of the event.
func (l *Log) log(ctx context.Context, e *Entry, failure error) {
	level := slog.LevelInfo
	if e.Refused {
		level = slog.LevelWarn
	}
	if failure != nil {
		level = slog.LevelError
	}
	if !l.cfg.Logger.Enabled(ctx, level) {
		return
	}
	line := slog.NewRecord(e.Time, level, "security event", 0)
	line.AddAttrs(slog.String("event", e.Name), slog.String("actor", e.Actor), slog.String("subject", e.Subject),
		slog.String("address", e.Address), slog.String("request_id", e.Request), slog.Bool("refused", e.Refused),
		slog.Any("details", e.Details))
	if failure != nil {
		line.AddAttrs(slog.Bool("stored", false), slog.Any("error", failure))
	} else {
		line.AddAttrs(slog.String("anchor", e.Anchor().String()))
	}
	_ = l.cfg.Logger.Handler().Handle(ctx, line) // As slog does; there is nobody to tell.
}

// retainEvery is how often Record looks for events that are too old.
const retainEvery = time.Hour

// retainHourly applies the retention now and then. That it fails is no failure of
// the event that was recorded.
func (l *Log) retainHourly(ctx context.Context) {
	if l.cfg.Retention == 0 {
		return
	}
	l.mu.Lock()
	now := l.cfg.Now()
	due := now.Sub(l.pruned) >= retainEvery
	if due {
		l.pruned = now
	}
	l.mu.Unlock()
	if due {
		if _, err := l.Prune(ctx, now.Add(-l.cfg.Retention)); err != nil {
			l.cfg.Logger.ErrorContext(ctx, "old security events were not removed", "error", err)
		}
	}
}

func (l *Log) retain(ctx context.Context) error {
	if l.cfg.Retention == 0 {
		return nil
	}
	l.pruned = l.cfg.Now()
	_, err := l.Prune(ctx, l.pruned.Add(-l.cfg.Retention))
	return err
}
