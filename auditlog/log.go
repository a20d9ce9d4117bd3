package auditlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

// Config configures a [Log].
type Config struct {
	// DB is the database with the table "audit_events". See the package comment
	// for which one.
	DB *sqldb.DB
	// Logger also gets each event: at level Info, Warn if it was refused, and Error
	// if it could not be stored. The attribute "event" is its name, "anchor" its
	// [Anchor]. The default is slog.Default() at the time of the call to Open.
	Logger *slog.Logger
	// Now is the clock. The default is time.Now.
	Now func() time.Time
	// Retention is how long events are kept. Older ones are removed by Open and,
	// once an hour, by Record, see [Log.Prune]. The default, 0, keeps all.
	Retention time.Duration
	// Timeout is how long one event may wait to be stored. The default is 5
	// seconds.
	Timeout time.Duration
}

func (cfg Config) withDefaults() Config {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	return cfg
}

func (cfg Config) validate() error {
	var mistakes []error
	if cfg.DB == nil || cfg.DB.Write == nil {
		mistakes = append(mistakes, errors.New("DB is nil, want a database"))
	}
	if cfg.Retention < 0 {
		mistakes = append(mistakes, fmt.Errorf("Retention is %v, want how long to keep events, or 0 for ever", cfg.Retention))
	}
	if cfg.Timeout < 0 {
		mistakes = append(mistakes, fmt.Errorf("Timeout is %v, want a time limit", cfg.Timeout))
	}
	return errors.Join(mistakes...)
}

// Log is the audit log in a database. It implements [Recorder].
type Log struct {
	cfg    Config
	events *sqlstore.Store

	turn chan struct{} // holds one while somebody writes
	mu   sync.Mutex    // guards following
	// waiting are the events that nobody has begun to write.
	waiting []*pending
	pruned  time.Time
}

var _ Recorder = (*Log)(nil)

// tables returns the tables. The row of audit_chain is what those who append
// wait for: the last event, and the last one that was removed.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "audit", Steps: []string{`
CREATE TABLE audit_events (
	seq {int} NOT NULL PRIMARY KEY,
	time {int} NOT NULL,
	name TEXT NOT NULL,
	actor TEXT NOT NULL,
	subject TEXT NOT NULL,
	address TEXT NOT NULL,
	request TEXT NOT NULL,
	refused {int} NOT NULL,
	details TEXT NOT NULL,
	hash {bytes} NOT NULL
) {strict};
CREATE INDEX audit_events_time ON audit_events (time);
CREATE INDEX audit_events_name ON audit_events (name, seq);
CREATE INDEX audit_events_actor ON audit_events (actor, seq);
CREATE INDEX audit_events_subject ON audit_events (subject, seq);
CREATE TABLE audit_chain (
	id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
	head_seq {int} NOT NULL,
	head_hash {bytes} NOT NULL,
	start_seq {int} NOT NULL,
	start_hash {bytes} NOT NULL
) {strict};
`}}
}

// Open returns the log in cfg.DB, or an error that names every mistake in cfg.
// Several processes may have it open at once.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("auditlog config: %w", err)
	}
	store, err := sqlstore.Open(ctx, cfg.DB, tables())
	if err != nil {
		return nil, err
	}
	var none Hash
	if _, err := store.Exec(ctx, `INSERT INTO audit_chain (id, head_seq, head_hash, start_seq, start_hash)
		VALUES (1, 0, ?, 0, ?) ON CONFLICT (id) DO NOTHING`, none[:], none[:]); err != nil {
		return nil, fmt.Errorf("audit: begin the chain: %w", err)
	}
	l := &Log{cfg: cfg, events: store, turn: make(chan struct{}, 1)}
	return l, l.retain(ctx)
}

// chain is the row of audit_chain.
type chain struct{ head, start Anchor }

// chainColumns are what scanChain reads.
const chainColumns = "SELECT head_seq, head_hash, start_seq, start_hash FROM audit_chain WHERE id = 1"

func scanChain(row sqldb.Row) (c chain, err error) {
	var head, start []byte
	if err := row.Scan(&c.head.Seq, &head, &c.start.Seq, &start); err != nil {
		return chain{}, fmt.Errorf("audit: read the end of the chain: %w", err)
	}
	c.head.Hash, c.start.Hash = hashOf(head), hashOf(start)
	return c, nil
}

// hashOf returns what is stored as a hash. What has another length becomes a hash
// that nothing has.
func hashOf(stored []byte) (h Hash) {
	if len(stored) == len(h) {
		copy(h[:], stored)
	}
	return h
}

// Head returns the anchor of the newest event.
func (l *Log) Head(ctx context.Context) (Anchor, error) {
	c, err := scanChain(l.events.QueryRow(ctx, chainColumns))
	return c.head, err
}
