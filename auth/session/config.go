package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/sqldb"
)

const (
	day = 24 * time.Hour
	// freshness is how old an answer of the cache may be. With the time of a
	// query it stays below the 5 seconds that auth.Sessions allows.
	freshness = 4 * time.Second
	// cached is how many sessions are kept in memory, at about 600 bytes each.
	cached = 20_000
)

// Config configures [Sessions]. DB, Accounts and Events are required; the zero
// value of the rest is the secure choice.
type Config struct {
	// DB is where the sessions are. The tables fastness_sessions and
	// fastness_session_secrets are made when they are missing.
	DB *sqldb.DB
	// Accounts knows the users: a session counts only while its user is active
	// and of the [auth.Standing.Epoch] that they had when it began.
	Accounts auth.Accounts
	// Events takes what happens to sessions.
	Events auditlog.Recorder

	// Idle is how long a browser's session lasts without a request: by default
	// 30 minutes, from 2 minutes to 24 hours.
	Idle time.Duration
	// Absolute is how long a browser's session lasts at most: by default 12
	// hours, up to 30 days.
	Absolute time.Duration
	// RefreshIdle is how long a refresh token is good for: by default 7 days, up
	// to a year.
	RefreshIdle time.Duration
	// RefreshAbsolute is how long an app's session lasts at most, however often
	// it refreshes: by default 30 days, up to a year.
	RefreshAbsolute time.Duration
	// Grace is how long after its use a refresh token that comes again is only
	// refused, and does not end the session: for clients that send a request
	// twice on a bad network. For that long, a thief is not noticed. The default
	// is none, the most 10 seconds.
	Grace time.Duration
	// Keep is how long [Sessions.Purge] leaves what has ended, for
	// investigations: by default 30 days.
	Keep time.Duration
	// Now tells the time. The default is time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&c.Idle, 30*time.Minute)
	set(&c.Absolute, 12*time.Hour)
	set(&c.RefreshIdle, 7*day)
	set(&c.RefreshAbsolute, 30*day)
	set(&c.Keep, 30*day)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c *Config) mistakes() error {
	var errs []error
	missing := func(name string, is bool) {
		if is {
			errs = append(errs, fmt.Errorf("%s is nil", name))
		}
	}
	missing("DB", c.DB == nil)
	missing("Accounts", c.Accounts == nil)
	missing("Events", c.Events == nil)
	within := func(name string, d, least, most time.Duration) {
		if d < least || d > most {
			errs = append(errs, fmt.Errorf("%s is %v, want %v to %v", name, d, least, most))
		}
	}
	// Below two minutes, a user could be idle before their use is written down.
	within("Idle", c.Idle, 2*time.Minute, day)
	within("Absolute", c.Absolute, 2*time.Minute, 30*day)
	within("RefreshIdle", c.RefreshIdle, time.Minute, 366*day)
	within("RefreshAbsolute", c.RefreshAbsolute, time.Minute, 366*day)
	within("Grace", c.Grace, 0, 10*time.Second)
	within("Keep", c.Keep, time.Hour, 10*366*day)
	if c.Idle > c.Absolute {
		errs = append(errs, fmt.Errorf("Idle is %v, longer than Absolute, %v", c.Idle, c.Absolute))
	}
	if c.RefreshIdle > c.RefreshAbsolute {
		errs = append(errs, fmt.Errorf("RefreshIdle is %v, longer than RefreshAbsolute, %v", c.RefreshIdle, c.RefreshAbsolute))
	}
	return errors.Join(errs...)
}

// Sessions are all log-ins. They are safe for concurrent use, also by several
// processes on one database.
type Sessions struct {
	cfg     Config
	store   *sqlstore.Store
	ends    *sqlstore.Recent[string, end]     // by id
	cookies *sqlstore.Recent[digest, *cookie] // by hash
}

// Open returns the sessions of a database, or an error that names every mistake
// in cfg.
func Open(ctx context.Context, cfg Config) (*Sessions, error) {
	cfg = cfg.withDefaults()
	if err := cfg.mistakes(); err != nil {
		return nil, fmt.Errorf("session config: %w", err)
	}
	store, err := sqlstore.Open(ctx, cfg.DB, tables())
	if err != nil {
		return nil, err
	}
	s := &Sessions{cfg: cfg, store: store}
	s.ends = sqlstore.NewRecent(cached, freshness, cfg.Now, s.loadEnd)
	s.cookies = sqlstore.NewRecent(cached, freshness, cfg.Now, s.loadCookie)
	return s, nil
}

// now returns the time as the database keeps it.
func (s *Sessions) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

// lifetimes returns how long a session of a kind lasts.
func (s *Sessions) lifetimes(k Kind) (idle, absolute time.Duration) {
	if k == Browser {
		return s.cfg.Idle, s.cfg.Absolute
	}
	return s.cfg.RefreshIdle, s.cfg.RefreshAbsolute
}

// extend notes that the session was used, which moves its end.
func (s *Sessions) extend(to *Session, now time.Time) {
	idle, _ := s.lifetimes(to.Kind)
	to.LastUsed, to.Until = now, now.Add(idle)
	if to.Until.After(to.Absolute) {
		to.Until = to.Absolute
	}
}
