package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/sqldb"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteFile is the path of a database in a file.
type sqliteFile string

func (f sqliteFile) String() string { return string(f) }

func parseSQLite(u *url.URL) (target, error) {
	path := u.Path
	if u.Opaque != "" {
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return nil, errors.New("the path in the URL cannot be read")
		}
	}
	switch {
	case u.Host != "":
		return nil, errors.New("the URL of a SQLite database has a host, want three slashes before an absolute path (sqlite:///var/lib/shop.db) or none before a relative one (sqlite:shop.db)")
	case strings.HasPrefix(path, "/./") || strings.HasPrefix(path, "/../"):
		return nil, errors.New("the path of the SQLite database is absolute after three slashes, want none before a relative one: sqlite:shop.db")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, errors.New("the URL of a SQLite database has more than a path: a ? or a # that belongs to the path is written in percent, and options are those of the Config")
	case path == "" || strings.HasSuffix(path, "/") || strings.Contains(path, ":memory:"):
		return nil, errors.New("the URL of a SQLite database names no file; one in memory cannot be shared between connections")
	case strings.Contains(path, "\x00"):
		return nil, errors.New("the path of the SQLite database holds a null byte")
	}
	absolute, err := filepath.Abs(filepath.FromSlash(path))
	return sqliteFile(absolute), err
}

func (f sqliteFile) open(cfg *Config) (*sqldb.DB, error) {
	if err := makeFile(string(f)); err != nil {
		return nil, err
	}
	db := &sqldb.DB{Dialect: sqldb.SQLite, Wait: cfg.Wait}
	var err error
	if db.Write, err = f.openWriter(cfg); err != nil {
		return nil, err
	}
	if db.Read, err = openFile(string(f), cmp.Or(cfg.Connections, 8), cfg.LockTimeout, url.Values{"mode": {"ro"}}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openWriter opens the one connection that writes. The write-ahead log keeps readers and
// it out of each other's way.
func (f sqliteFile) openWriter(cfg *Config) (*sql.DB, error) {
	return openFile(string(f), 1, cfg.LockTimeout, url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}})
}

// makeFile makes a file that only its owner may read, where there is none.
// SQLite gives its other files the same mode.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// openFile opens up to n connections, which stay open.
func openFile(path string, n int, lock time.Duration, params url.Values) (*sql.DB, error) {
	params.Set("_busy_timeout", strconv.FormatInt(lock.Milliseconds(), 10)) // for writers in other processes
	params.Set("_foreign_keys", "1")
	params.Set("_defensive", "1")
	params.Set("_dqs", "0")
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: params.Encode()}
	pool, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	return pool, nil
}

// patience is how long a process waits for another one that migrates.
const patience = 10 * time.Minute

// migrate holds a lock meanwhile. It is that of another file beside the database:
// each migration is a transaction of its own, between which the database's own
// lock is free, and a second process would run one again. The system gives the
// lock back when its holder is killed.
func (f sqliteFile) migrate(ctx context.Context, files fs.FS, cfg *Config) (err error) {
	if files == nil {
		return nil
	}
	beside := string(f) + ".lock"
	if err := makeFile(beside); err != nil {
		return err
	}
	locks, err := openFile(beside, 1, patience, url.Values{"_txlock": {"exclusive"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, locks.Close()) }()
	lock, err := locks.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("wait for another process that migrates: %w", err)
	}
	defer lock.Rollback() // It has written nothing.
	pool, err := f.openWriter(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return migrate(ctx, goose.DialectSQLite3, pool, files)
}
