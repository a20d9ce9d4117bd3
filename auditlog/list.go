package auditlog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/sqldb"
)

// Query says which events [Log.List] returns: those that fit every field that is
// not zero.
type Query struct {
	// Name, Actor and Subject are those of the [Event].
	Name, Actor, Subject string
	// Since and Until are the first moment and the first one after the last.
	Since, Until time.Time
	// Before is the Seq of the last event of the page before.
	Before int64
	// Limit is how many to return. The default is 100, the most 1000.
	Limit int
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// entryColumns are what scanEntry reads.
const entryColumns = "SELECT seq, time, name, actor, subject, address, request, refused, details, hash FROM audit_events"

// List returns events, the newest first. For the next page, set Before to the Seq
// of the last one.
func (l *Log) List(ctx context.Context, q Query) ([]Entry, error) {
	if q.Limit < 0 || q.Limit > maxLimit || q.Before < 0 {
		return nil, fmt.Errorf("audit: Limit is %d and Before %d, want 0 to %d and not less than 0", q.Limit, q.Before, maxLimit)
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	rows, err := l.query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("audit: list events: %w", err)
	}
	entries, err := sqldb.All(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("audit: list events: %w", err)
	}
	return entries, nil
}

// query begins with the index of what is asked for, subjects first: there are
// more of them than names. The rest filters what that finds.
func (l *Log) query(ctx context.Context, q Query) (*sql.Rows, error) {
	until := int64(math.MaxInt64)
	if !q.Until.IsZero() {
		until = sqlstore.Micros(q.Until)
	}
	since := int64(math.MinInt64)
	if !q.Since.IsZero() {
		since = sqlstore.Micros(q.Since)
	}
	before := int64(math.MaxInt64)
	if q.Before > 0 {
		before = q.Before
	}
	const rest = " AND time >= ? AND time < ? ORDER BY seq DESC LIMIT ?"
	name, actor, subject := observe.Printable(q.Name, maxName), observe.Printable(q.Actor, maxID), observe.Printable(q.Subject, maxID)
	switch {
	case q.Subject != "":
		return l.events.Query(ctx, entryColumns+" WHERE subject = ? AND seq < ? AND (? = '' OR actor = ?) AND (? = '' OR name = ?)"+rest,
			subject, before, actor, actor, name, name, since, until, q.Limit)
	case q.Actor != "":
		return l.events.Query(ctx, entryColumns+" WHERE actor = ? AND seq < ? AND (? = '' OR name = ?)"+rest,
			actor, before, name, name, since, until, q.Limit)
	case q.Name != "":
		return l.events.Query(ctx, entryColumns+" WHERE name = ? AND seq < ?"+rest, name, before, since, until, q.Limit)
	}
	return l.events.Query(ctx, entryColumns+" WHERE seq < ?"+rest, before, since, until, q.Limit)
}

func scanEntry(row sqldb.Row) (Entry, error) {
	var e Entry
	var micros, refused int64
	var details string
	var hash []byte
	if err := row.Scan(&e.Seq, &micros, &e.Name, &e.Actor, &e.Subject, &e.Address, &e.Request, &refused, &details, &hash); err != nil {
		return e, err
	}
	e.Time, e.Details, e.Hash = sqlstore.Time(micros), json.RawMessage(details), hashOf(hash)
	if e.Refused = refused != 0; refused>>1 != 0 {
		e.Hash = Hash{} // Nothing is recorded with a 2, so what has it was changed.
	}
	return e, nil
}
