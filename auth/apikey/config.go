package apikey

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
	// freshness is how old an answer of the cache may be; see auth.Accounts.
	freshness = 4 * time.Second
	// cached is how many keys are kept in memory, at about 600 bytes each.
	cached = 20_000
	// defaultLifetime and maxLifetime are how long keys are good for.
	defaultLifetime = 90 * day
	maxLifetime     = 366 * day
	// perOwner is how many live keys a user may have by default.
	perOwner = 100
)

// Config configures [Keys]. DB, Accounts and Events are required; the zero value
// of the rest is the secure choice.
type Config struct {
	// DB is where the keys are. The table fastness_api_keys is made when it is
	// missing.
	DB *sqldb.DB
	// Accounts knows the owners.
	Accounts auth.Accounts
	// Events takes what happens to keys.
	Events auditlog.Recorder
	// Prefix begins every key, so that scanners for secrets know whose it is: 2
	// to 16 lower-case letters and digits, a letter first. Choose one that nobody
	// else has. The default is "key". Keys of another prefix are not taken.
	Prefix string
	// Lifetime is how long a key is good for if its [Request] does not say: by
	// default 90 days. No key is good for more than a year.
	Lifetime time.Duration
	// InsecureLifetime, if not empty, says why keys may be good for longer than a
	// year: nobody remembers then where they are.
	InsecureLifetime string
	// PerOwner is how many live keys a user may have, by default 100.
	PerOwner int
	// Keep is how long [Keys.Purge] leaves keys that are over: by default 90 days.
	Keep time.Duration
	// Now tells the time. The default is time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Prefix == "" {
		c.Prefix = "key"
	}
	if c.Lifetime == 0 {
		c.Lifetime = defaultLifetime
	}
	if c.PerOwner == 0 {
		c.PerOwner = perOwner
	}
	if c.Keep == 0 {
		c.Keep = 90 * day
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c *Config) mistakes() error {
	var errs []error
	if c.DB == nil {
		errs = append(errs, errors.New("DB is nil"))
	}
	if c.Accounts == nil {
		errs = append(errs, errors.New("Accounts is nil"))
	}
	if c.Events == nil {
		errs = append(errs, errors.New("Events is nil"))
	}
	if !isPrefix(c.Prefix) {
		errs = append(errs, fmt.Errorf("Prefix is %q, want 2 to 16 of a-z and 0-9, a letter first", c.Prefix))
	}
	if err := c.lifetime(c.Lifetime); err != nil {
		errs = append(errs, err)
	}
	if c.PerOwner < 1 {
		errs = append(errs, fmt.Errorf("PerOwner is %d, want at least 1", c.PerOwner))
	}
	if c.Keep < time.Hour {
		errs = append(errs, fmt.Errorf("Keep is %v, want at least 1h", c.Keep))
	}
	return errors.Join(errs...)
}

func (c *Config) lifetime(d time.Duration) error {
	switch {
	case d < time.Minute:
		return fmt.Errorf("Lifetime is %v, want at least 1m", d)
	case d > maxLifetime && c.InsecureLifetime == "":
		return fmt.Errorf("Lifetime is %v, want at most %v; say why in InsecureLifetime", d, maxLifetime)
	}
	return nil
}

func isPrefix(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(s) >= 2 && len(s) <= 16
}

// Keys are the keys of a database. They are safe for concurrent use, also by
// several processes on one database.
type Keys struct {
	cfg    Config
	store  *sqlstore.Store
	recent *sqlstore.Recent[string, *entry] // by id
}

// Open returns the keys of a database, or an error that names every mistake in
// cfg.
func Open(ctx context.Context, cfg Config) (*Keys, error) {
	cfg = cfg.withDefaults()
	if err := cfg.mistakes(); err != nil {
		return nil, fmt.Errorf("API key config: %w", err)
	}
	store, err := sqlstore.Open(ctx, cfg.DB, tables())
	if err != nil {
		return nil, err
	}
	k := &Keys{cfg: cfg, store: store}
	k.recent = sqlstore.NewRecent(cached, freshness, cfg.Now, k.load)
	return k, nil
}

// now returns the time as the database keeps it.
func (k *Keys) now() time.Time { return k.cfg.Now().UTC().Truncate(time.Microsecond) }
