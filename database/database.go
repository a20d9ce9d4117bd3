// Package database opens the database that a URL names, SQLite or PostgreSQL,
// with limits on everything, and brings its tables up to date.
//
//	//go:embed migrations
//	var migrations embed.FS
//
//	func openDB(ctx context.Context, in struct{ Settings fastness.Settings }) (*sqldb.DB, func(error) error, error) {
//		db, err := database.Open(ctx, in.Settings.DB, database.Config{Migrations: migrations})
//		if err != nil {
//			return nil, nil, err
//		}
//		return db, func(error) error { return db.Close() }, nil
//	}
//
//	fastness.ProvideApp(app, openDB)
//	fastness.ProvideCleanup(app, sqldb.Begin)
//	app.Ready("database", …db.Ping)
//
// # URLs
//
//	sqlite:///var/lib/shop/shop.db      an absolute path
//	sqlite:shop.db                      one relative to the working directory
//	file:shop.db                        the same
//	postgres://shop:…@db.internal/shop  also postgresql://
//
// No error and no log line has the password in it.
//
// # SQLite
//
// The file and its folder are made if they are missing, for their owner only. One
// connection writes and takes the lock for that when its transaction begins, so
// writers queue in the program, where their time limits count, and none finds
// half-way that it is too late. Readers see the last commit and wait for nobody. A
// statement ends with the context that it was given: that of the request.
//
// # PostgreSQL
//
// The server ends a statement, a wait for a lock and an idle transaction after
// their limits. A server that is not on this machine must show a certificate for
// its name (sslmode=verify-full); what is less has to be asked for with
// [Config].InsecureTLS. Statements are prepared by the server: arguments never
// become part of their text.
//
// # Migrations
//
// They are files of github.com/pressly/goose, such as 00001_items.sql, in one
// folder if one text serves both databases, or else in the folders sqlite and
// postgres. Of several processes that start at once, one runs them and the others
// wait. Each file is a transaction: one that fails, or is killed, leaves nothing
// half-done, and is run again at the next start. A program that is older than the
// database does not start.
package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Config says how a database is used. The zero value is the secure one.
type Config struct {
	// Migrations are the files that make the tables, if any: an embedded folder. It
	// may hold one for each kind of database: sqlite and postgres.
	Migrations fs.FS
	// Schema is the schema of PostgreSQL that the tables are in, so that several
	// programs, or parts of one, share a database without sharing names. It is made
	// if it is missing. The default is that of the server: public. SQLite ignores
	// it: there, use another file.
	Schema string
	// Connections is how many connections there are at most. The default is 16 for
	// PostgreSQL and 8 for reading from SQLite, where one writes.
	Connections int
	// Wait is how long a request waits for one of them, before it is answered with
	// 503. The default is 5 seconds.
	Wait time.Duration
	// StatementTimeout is how long PostgreSQL works on one statement. The default is
	// 10 seconds. Migrations have no such limit.
	StatementTimeout time.Duration
	// LockTimeout is how long a statement waits for a lock: of a row or a table in
	// PostgreSQL, of the file in SQLite, where another process has it. The default is
	// 5 seconds.
	LockTimeout time.Duration
	// IdleTimeout is how long PostgreSQL keeps a transaction in which nothing
	// happens. The default is 30 seconds.
	IdleTimeout time.Duration
	// InsecureTLS, if not empty, says why the connection to a PostgreSQL server
	// elsewhere needs no certificate that is valid for its name: then the sslmode of
	// the URL counts.
	InsecureTLS string
}

// Open opens the database that the URL names and runs the migrations that it
// lacks. Its error names every mistake of the URL and of the configuration.
//
// The DB is closed by whoever opened it.
func Open(ctx context.Context, name secret.Text, cfg Config) (*sqldb.DB, error) {
	errs := cfg.mistakes()
	cfg.withDefaults()
	files, err := foldersOf(cfg.Migrations)
	errs = append(errs, err)
	target, err := parse(name, &cfg)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("database config: %w", err)
	}
	db, err := target.open(&cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", target, err)
	}
	if err := db.Write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", target, err), db.Close())
	}
	if err := target.migrate(ctx, files.of(db.Dialect), &cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate %s: %w", target, err), db.Close())
	}
	return db, nil
}

// target is a database that a URL names.
type target interface {
	fmt.Stringer // without the password
	open(cfg *Config) (*sqldb.DB, error)
	// migrate runs the files, if there are any.
	migrate(ctx context.Context, files fs.FS, cfg *Config) error
}

// parse returns what the URL names. Its errors never quote the URL: it may hold a
// password, and one that cannot be parsed holds it anywhere.
func parse(name secret.Text, cfg *Config) (target, error) {
	plain := name.Reveal()
	if plain == "" {
		return nil, errors.New("there is no URL, want one such as sqlite:///var/lib/shop/shop.db or postgres://user@host/database")
	}
	u, err := url.Parse(plain)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed; a sign of the password that means something in a URL is written in percent, such as %2F for /")
	}
	switch u.Scheme {
	case "sqlite", "file":
		return parseSQLite(u)
	case "postgres", "postgresql":
		return parsePostgres(u, cfg)
	}
	return nil, errors.New("the URL is of no kind that is known, want sqlite: or postgres:")
}

func (c *Config) mistakes() (errs []error) {
	if c.Connections < 0 {
		errs = append(errs, fmt.Errorf("Connections is %d, want more than 0", c.Connections))
	}
	for _, limit := range []struct {
		name  string
		value time.Duration
	}{{"Wait", c.Wait}, {"StatementTimeout", c.StatementTimeout}, {"LockTimeout", c.LockTimeout}, {"IdleTimeout", c.IdleTimeout}} {
		if limit.value < 0 || limit.value > 0 && limit.value < time.Millisecond { // Less than one is "no limit" to a server.
			errs = append(errs, fmt.Errorf("%s is %v, want 1ms or more", limit.name, limit.value))
		}
	}
	if !isSchema(c.Schema) {
		errs = append(errs, fmt.Errorf("Schema is %q, want small letters, digits and _ that begin with a letter, 63 at most, and not pg_", c.Schema))
	}
	return errs
}

func (c *Config) withDefaults() {
	c.Wait = cmp.Or(c.Wait, 5*time.Second)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 10*time.Second)
	c.LockTimeout = cmp.Or(c.LockTimeout, 5*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 30*time.Second)
}
