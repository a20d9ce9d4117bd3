// Package sqljobs keeps the leases of periodic jobs in a database, so that one of
// several processes runs each of them: SQLite for processes of one machine, PostgreSQL
// for those of many.
//
//	fastness.ProvideApp(app, openDB)       // a *sqldb.DB
//	fastness.ProvideApp(app, sqljobs.Open) // the jobs.Store of the app
//	fastness.Job(app, "sweep", jobs.Schedule{Every: time.Hour}, sweep)
//
// The clock of the database counts, so those of the processes may differ. When a job is
// due next survives all of them.
//
// A process that is paused while it runs a job comes back after its lease is over, and
// perhaps in the middle of a transaction. [Hold] keeps such a transaction from being
// committed:
//
//	func sweep(ctx context.Context, in struct{ DB *sqldb.DB }) (err error) {
//		tx, end, err := sqldb.Begin(ctx, sqldb.From{DB: in.DB})
//		if err != nil {
//			return err
//		}
//		defer func() { err = errors.Join(err, end(err)) }()
//		if err := sqljobs.Hold(ctx, tx); err != nil {
//			return err
//		}
//		…
//	}
package sqljobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/sqldb"
)

// Store is a [jobs.Store] in a database. It is safe for concurrent use.
type Store struct {
	db      *sqlstore.Store
	dialect sqldb.Dialect
}

// tables are the leases, and apart from them the fencing tokens: who holds a token in a
// transaction must not keep the lease from being renewed.
func tables() sqlstore.Tables {
	return sqlstore.Tables{Name: "jobs", Steps: []string{`
CREATE TABLE fastness_jobs (
	name TEXT PRIMARY KEY,
	due {int} NOT NULL,
	leased_until {int} NOT NULL,
	failures {int} NOT NULL
) {strict};
CREATE TABLE fastness_job_tokens (
	name TEXT PRIMARY KEY,
	token {int} NOT NULL
) {strict}`}}
}

// Open brings the tables up to date and returns the store. Its type is that of a
// provider, for fastness.ProvideApp.
func Open(ctx context.Context, from sqldb.From) (jobs.Store, func(error) error, error) {
	s, err := New(ctx, from.DB)
	if err != nil {
		return nil, nil, err
	}
	return s, nil, nil
}

// New brings the tables up to date and returns the store. Several processes may do so at
// once.
func New(ctx context.Context, db *sqldb.DB) (*Store, error) {
	s, err := sqlstore.Open(ctx, db, tables())
	if err != nil {
		return nil, err
	}
	return &Store{s, db.Dialect}, nil
}

// now returns the time of the database.
func (s *Store) now(ctx context.Context, tx *sqlstore.Tx) (time.Time, error) {
	var micros int64
	var err error
	if s.dialect == sqldb.PostgreSQL { // Not now(), which is when the transaction began: it may have waited.
		err = tx.QueryRow(ctx, "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)").Scan(&micros)
	} else {
		err = tx.QueryRow(ctx, "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)").Scan(&micros)
	}
	return sqlstore.Time(micros), err
}

// lease is a row.
type lease struct {
	due, until time.Time
	failures   int
	token      int64
}

// read locks the row of a job and returns it, and the time.
func (s *Store) read(ctx context.Context, tx *sqlstore.Tx, name string) (l lease, now time.Time, err error) {
	var due, until int64
	err = tx.Lock(ctx, "SELECT due, leased_until, failures FROM fastness_jobs WHERE name = ?", name).Scan(&due, &until, &l.failures)
	if err != nil {
		return l, now, err
	}
	l.due, l.until = sqlstore.Time(due), sqlstore.Time(until)
	if err = tx.QueryRow(ctx, "SELECT token FROM fastness_job_tokens WHERE name = ?", name).Scan(&l.token); err != nil {
		return l, now, err
	}
	now, err = s.now(ctx, tx)
	return l, now, err
}

// Claim implements [jobs.Store].
func (s *Store) Claim(ctx context.Context, name string, schedule jobs.Schedule, length time.Duration) (c jobs.Claim, err error) {
	err = s.db.Write(ctx, func(tx *sqlstore.Tx) error {
		l, now, err := s.read(ctx, tx, name)
		if errors.Is(err, sql.ErrNoRows) {
			l, now, err = s.add(ctx, tx, name, schedule)
		}
		if err != nil {
			return err
		}
		if latest := schedule.Latest(now); l.due.After(latest) {
			l.due = latest
		}
		c = jobs.Claim{Due: l.due, Now: now, Failures: l.failures}
		from := l.due
		if l.until.After(from) {
			from = l.until
		}
		if from.After(now) {
			c.Wait = from.Sub(now)
			return nil
		}
		c.Held, c.Token = true, l.token+1
		if _, err := tx.Exec(ctx, "UPDATE fastness_job_tokens SET token = ? WHERE name = ?", c.Token, name); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE fastness_jobs SET due = ?, leased_until = ? WHERE name = ?", sqlstore.Micros(l.due), sqlstore.Micros(now.Add(length)), name)
		return err
	})
	if err != nil {
		return jobs.Claim{}, fmt.Errorf("claim a job: %w", err)
	}
	return c, nil
}

// add makes the rows of a job that nobody knew, or finds that another process just did.
func (s *Store) add(ctx context.Context, tx *sqlstore.Tx, name string, schedule jobs.Schedule) (lease, time.Time, error) {
	now, err := s.now(ctx, tx)
	if err != nil {
		return lease{}, now, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO fastness_jobs (name, due, leased_until, failures) VALUES (?, ?, 0, 0) ON CONFLICT (name) DO NOTHING", name, sqlstore.Micros(schedule.First(now))); err != nil {
		return lease{}, now, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO fastness_job_tokens (name, token) VALUES (?, 0) ON CONFLICT (name) DO NOTHING", name); err != nil {
		return lease{}, now, err
	}
	return s.read(ctx, tx, name)
}

// Renew implements [jobs.Store].
func (s *Store) Renew(ctx context.Context, name string, token int64, length time.Duration) (ours bool, err error) {
	err = s.db.Write(ctx, func(tx *sqlstore.Tx) error {
		l, now, err := s.read(ctx, tx, name)
		if ours = err == nil && l.token == token && l.until.After(now); !ours {
			return known(err)
		}
		_, err = tx.Exec(ctx, "UPDATE fastness_jobs SET leased_until = ? WHERE name = ?", sqlstore.Micros(now.Add(length)), name)
		return err
	})
	return ours && err == nil, err
}

// Finish implements [jobs.Store].
func (s *Store) Finish(ctx context.Context, name string, token int64, next jobs.Next) (ours bool, err error) {
	err = s.db.Write(ctx, func(tx *sqlstore.Tx) error {
		l, _, err := s.read(ctx, tx, name)
		if ours = err == nil && l.token == token; !ours {
			return known(err)
		}
		_, err = tx.Exec(ctx, "UPDATE fastness_jobs SET due = ?, leased_until = 0, failures = ? WHERE name = ?", sqlstore.Micros(next.Due), next.Failures, name)
		return err
	})
	return ours && err == nil, err
}

// known returns err unless it says that there is no such job.
func known(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// Hold makes sure that a transaction which belongs to the run of a job commits only
// while no later run has begun: until it ends, no other process can claim the job. If
// one has, the error is [jobs.ErrLeaseLost]. The database must be that of the store.
//
// Keep such a transaction short: the job of a process that dies waits for the database
// to notice.
func Hold(ctx context.Context, tx *sqldb.Tx) error {
	name, token := jobs.Token(ctx)
	if name == "" {
		return errors.New("sqljobs: the context is not that of a job")
	}
	result, err := tx.Exec(ctx, "UPDATE fastness_job_tokens SET token = token WHERE name = $1 AND token = $2", name, token)
	if err != nil {
		return fmt.Errorf("hold a job: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(jobs.ErrLeaseLost, err)
	}
	return nil
}
