// Package pgpubsub carries events between processes over PostgreSQL: rows that
// are kept for a while, and NOTIFY to say that there are new ones.
//
//	bus, err := pgpubsub.New(ctx, db, pgpubsub.Config{})
//	hub, err := pubsub.New[Bid](pubsub.Config{Name: "bids", Bus: bus})
//
// # Transactions
//
// An event that is published in a transaction ([pubsub.Hub.PublishTx]) is a row
// of that transaction. If it commits, every process hears of the event, whatever
// happens to the one that published it; if it rolls back, nobody does.
//
// The ids of a room are given one after the other, so that no reader can pass an
// event whose transaction is still open: who publishes in a room waits for the
// end of a transaction that has published there before. Publish last. Two
// transactions that publish in two rooms in different orders can wait for each
// other; the server ends one of them, which is a 503.
//
// # What it costs
//
// Publishing is one statement. Each process holds one connection more than the
// pool, and hears of the events of all rooms; it reads those that somebody here
// listens to. To read and to publish it has up to eight more, while it does: those
// of the pool may all be in transactions of requests that wait for it.
//
// PostgreSQL lets transactions that notify commit one after the other, so this is
// for hundreds of events a second; for many thousands there is the bus of package
// redis.
//
// The connection has to be to the server itself: a pooler that gives each
// transaction another connection (PgBouncer's transaction mode) loses what
// LISTEN asked for.
//
// # Tables
//
// fastness_events and fastness_event_rooms, which New makes. Events are deleted
// when they are too old or too many, and rooms after a day of silence.
package pgpubsub

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Config configures a [Bus]. The zero value is fine. All processes give the same
// bus the same configuration.
type Config struct {
	// History is how many events of a room are kept, and up to 64 more, for
	// processes and clients that come back. The default is 1024.
	History int
	// HistoryAge is how long an event is kept. The default is five minutes.
	HistoryAge time.Duration
	// MaxData is how large the JSON of an event may be. The default is 64 KiB.
	MaxData int
	// Logger is told when the server does not answer. The default is
	// [slog.Default] at that time.
	Logger *slog.Logger
}

// Bus is a [pubsub.Bus] and a [pubsub.TxPublisher], safe for concurrent use.
type Bus struct {
	cfg Config
	db  *sqldb.DB
	// reads and writes are the bus's own pools. Who subscribes or publishes may hold a
	// connection of the application's, in the transaction of a request: if all waited for
	// another one of the same pool, none would get it. Who writes may wait for a room, and
	// who reads must not wait for them.
	reads, writes *sql.DB
	bells         *bells
	stop          context.CancelFunc
	ended         sync.WaitGroup
}

const (
	remember = 24 * time.Hour  // for how long the last id of a room is known
	onePage  = 64              // events that one read returns
	pruned   = 64              // events of a room after which those that are too many are deleted
	patience = 5 * time.Second // for one statement

	connections = 4 // of each of the bus's own pools
)

// tables are those of the bus. The ids are times of the server's clock in
// microseconds; each event has that of the one before it, so that whoever reads
// can tell whether something between is gone.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "events", Steps: []string{`
CREATE TABLE fastness_event_rooms (
	room      TEXT PRIMARY KEY,
	last      {int} NOT NULL,
	before    {int} NOT NULL,
	published {int} NOT NULL
) {strict};
CREATE TABLE fastness_events (
	room   TEXT    NOT NULL,
	id     {int}   NOT NULL,
	before {int}   NOT NULL,
	data   {bytes} NOT NULL,
	PRIMARY KEY (room, id)
) {strict};
CREATE INDEX fastness_events_id ON fastness_events (id);
CREATE INDEX fastness_event_rooms_last ON fastness_event_rooms (last);
`}}
}

// New makes the tables if they are missing and returns a bus, or an error that
// names every mistake in cfg. It listens as soon as somebody subscribes. Close it
// before db.
func New(ctx context.Context, db *sqldb.DB, cfg Config) (*Bus, error) {
	cfg.History = cmp.Or(cfg.History, 1024)
	cfg.HistoryAge = cmp.Or(cfg.HistoryAge, 5*time.Minute)
	cfg.MaxData = cmp.Or(cfg.MaxData, 64<<10)
	if err := errors.Join(cfg.mistakes(db)...); err != nil {
		return nil, fmt.Errorf("pgpubsub config: %w", err)
	}
	if _, err := sqlstore.Open(ctx, db, tables()); err != nil {
		return nil, fmt.Errorf("pgpubsub: %w", err)
	}
	server, err := serverOf(ctx, db.Write)
	if err != nil {
		return nil, fmt.Errorf("pgpubsub: %w", err)
	}
	life, stop := context.WithCancel(context.Background())
	b := &Bus{cfg: cfg, db: db, stop: stop, reads: poolOf(server), writes: poolOf(server), bells: newBells(server, cfg.Logger)}
	b.ended.Go(func() { b.prune(life) })
	return b, nil
}

func (cfg *Config) mistakes(db *sqldb.DB) (errs []error) {
	if db == nil || db.Write == nil || db.Dialect != sqldb.PostgreSQL {
		errs = append(errs, errors.New("the database is none of PostgreSQL: one process needs no bus, and several need a server"))
	}
	if cfg.History < 1 || cfg.History > 1<<20 {
		errs = append(errs, fmt.Errorf("History is %d, want 1 to %d", cfg.History, 1<<20))
	}
	if cfg.HistoryAge < time.Second || cfg.HistoryAge > remember {
		errs = append(errs, fmt.Errorf("HistoryAge is %v, want 1s to %v", cfg.HistoryAge, remember))
	}
	if cfg.MaxData < 1 || cfg.MaxData > 16<<20 {
		errs = append(errs, fmt.Errorf("MaxData is %d, want 1 to %d", cfg.MaxData, 16<<20))
	}
	return errs
}

// Close stops to listen and to delete what is old. It does not close the
// database.
func (b *Bus) Close() error {
	b.stop()
	b.bells.close()
	b.ended.Wait()
	return errors.Join(b.reads.Close(), b.writes.Close())
}

func poolOf(server *pgx.ConnConfig) *sql.DB {
	pool := stdlib.OpenDB(*server.Copy())
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(1)
	return pool
}

// Follow is [pubsub.Bus.Follow].
func (b *Bus) Follow(room string, ring func()) (stop func()) { return b.bells.follow(room, ring) }

// now is the time of the server as an id.
const now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"

// The statements of events number their arguments as PostgreSQL does: they need not be
// rebound for each event.

// publish gives the room its next id, which locks the room until the transaction
// ends, stores the event and rings.
const publish = `
WITH room AS (
	INSERT INTO fastness_event_rooms AS known (room, last, before, published) VALUES ($1, ` + now + `, 0, 1)
	ON CONFLICT (room) DO UPDATE
	SET before = known.last, last = GREATEST(known.last + 1, ` + now + `), published = known.published + 1
	RETURNING room, last, before, published
), event AS (
	INSERT INTO fastness_events (room, id, before, data) SELECT room, last, before, $2 FROM room
)
SELECT published, pg_notify('fastness_events', room) FROM room`

const shorten = `
DELETE FROM fastness_events WHERE room = $1
AND id < (SELECT id FROM fastness_events WHERE room = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`

// Publish is [pubsub.Bus.Publish]. It is one statement without a transaction
// around it, so that who publishes in the same room does not wait for the network
// between here and the server.
func (b *Bus) Publish(ctx context.Context, room string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := b.publish(data,
		func() sqldb.Row { return b.writes.QueryRowContext(ctx, publish, room, data) },
		func(keep int) error {
			_, err := b.writes.ExecContext(ctx, shorten, room, keep)
			return err
		})
	return b.db.Dialect.Explain(err)
}

// PublishTx is [pubsub.TxPublisher.PublishTx]. The transaction must be one of the
// database that the bus is over.
func (b *Bus) PublishTx(ctx context.Context, tx *sqldb.Tx, room string, data []byte) error {
	return b.publish(data,
		func() sqldb.Row { return tx.QueryRow(ctx, publish, room, data) },
		func(keep int) error {
			_, err := tx.Exec(ctx, shorten, room, keep)
			return err
		})
}

// publish runs the statement, and now and then the one that deletes what is too
// much.
func (b *Bus) publish(data []byte, insert func() sqldb.Row, remove func(keep int) error) error {
	if len(data) > b.cfg.MaxData {
		return fmt.Errorf("%w: %d bytes, and the bus takes %d", pubsub.ErrTooLarge, len(data), b.cfg.MaxData)
	}
	var published int64
	var void any
	if err := insert().Scan(&published, &void); err != nil {
		return fmt.Errorf("publish in a room: %w", err)
	}
	if published%pruned != 0 {
		return nil
	}
	if err := remove(b.cfg.History - 1); err != nil {
		return fmt.Errorf("delete old events: %w", err)
	}
	return nil
}

// enter makes a room that is not known yet. If a transaction is about to make it,
// it waits for that: the time of the server would be an id that the event of that
// transaction is before.
const enter = `
INSERT INTO fastness_event_rooms (room, last, before, published) VALUES ($1, ` + now + `, 0, 0) ON CONFLICT (room) DO NOTHING`

const read = `
SELECT r.last, e.id, e.before, e.data
FROM fastness_event_rooms r LEFT JOIN LATERAL (
	SELECT id, before, data FROM fastness_events
	WHERE room = r.room AND id > $2 AND id > ` + now + ` - $3
	ORDER BY id LIMIT $4
) e ON true
WHERE r.room = $1 ORDER BY e.id`

// Read is [pubsub.Bus.Read].
func (b *Bus) Read(ctx context.Context, room string, after pubsub.ID) (pubsub.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	after = min(after, 1<<62) // The database has no larger number.
	found, err := b.read(ctx, room, after)
	if err == nil && found.Last == 0 {
		if _, err = b.writes.ExecContext(ctx, enter, room); err == nil {
			found, err = b.read(ctx, room, after)
		}
	}
	if err == nil && found.Last == 0 {
		err = errors.New("a room was deleted as soon as it was made")
	}
	if err != nil {
		return pubsub.Page{}, fmt.Errorf("read events: %w", b.db.Dialect.Explain(err))
	}
	return found.Page(), nil
}

// read reads from the database that is written to: another may lag.
func (b *Bus) read(ctx context.Context, room string, after pubsub.ID) (found pubsub.Log, err error) {
	found = pubsub.Log{Memory: remember}
	rows, err := b.reads.QueryContext(ctx, read, room, int64(after), b.cfg.HistoryAge.Microseconds(), onePage)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var last int64
		var id, before sql.NullInt64
		var data []byte
		if err := rows.Scan(&last, &id, &before, &data); err != nil {
			return found, err
		}
		found.Last = pubsub.ID(last)
		if !id.Valid {
			continue
		}
		if len(found.Messages) == 0 {
			found.Before = pubsub.ID(before.Int64)
		}
		found.Messages = append(found.Messages, pubsub.Message{ID: pubsub.ID(id.Int64), Data: data})
	}
	return found, rows.Err()
}

// prune deletes what is too old, from time to time.
func (b *Bus) prune(ctx context.Context) {
	tick := time.NewTicker(min(b.cfg.HistoryAge, time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.deleteOld(ctx); err != nil && ctx.Err() == nil {
			cmp.Or(b.cfg.Logger, slog.Default()).Error("pgpubsub: old events are not deleted", slog.Any("error", err))
		}
	}
}

func (b *Bus) deleteOld(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return b.db.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fastness_events WHERE id < "+now+" - ?", b.cfg.HistoryAge.Microseconds()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM fastness_event_rooms WHERE last < "+now+" - ?", remember.Microseconds())
		return err
	})
}
