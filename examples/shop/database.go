package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/sqldb"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// maxReaders is how many requests read at once. More would wait for the disk
// and the processors instead.
const maxReaders = 8

// openDB provides the database: the file shop.db in the data directory, brought
// up to date.
//
// SQLite has one writer at a time. The pool for writing is one connection that
// takes the lock when its transaction begins, so writers queue in the program,
// where their time limit counts, and none finds half-way that it is too late.
// Readers see the last commit and wait for nobody.
func openDB(ctx context.Context, in struct{ Settings fastness.Settings }) (*sqldb.DB, func(error) error, error) {
	path, err := makeFile(in.Settings.DataDir, "shop.db")
	if err != nil {
		return nil, nil, err
	}
	db := new(sqldb.DB)
	closeDB := func(error) error { return db.Close() }
	if db.Write, err = openPool(path, 1, url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}}); err != nil {
		return nil, nil, err
	}
	if err := migrate(ctx, db.Write); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("migrate %s: %w", path, err), db.Close())
	}
	if db.Read, err = openPool(path, maxReaders, url.Values{"mode": {"ro"}}); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, closeDB, nil
}

// openUsers opens the file users.db, for accounts, sessions, keys and events. It
// is not shop.db: a request that holds the one transaction that writes there
// would wait for itself if it logged somebody out.
func openUsers(_ context.Context, settings fastness.Settings) (*sqldb.DB, error) {
	path, err := makeFile(settings.DataDir, "users.db")
	if err != nil {
		return nil, err
	}
	db := new(sqldb.DB)
	if db.Write, err = openPool(path, 1, url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}}); err != nil {
		return nil, err
	}
	if db.Read, err = openPool(path, maxReaders, url.Values{}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeFile makes a file that only its owner may read, where there is none.
// SQLite gives its other files the same mode.
func makeFile(dir, name string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if path, err = filepath.Abs(filepath.Join(dir, name)); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, file.Close()
}

// openPool opens up to n connections, which stay open.
func openPool(path string, n int, params url.Values) (*sql.DB, error) {
	params.Set("_busy_timeout", "5000") // milliseconds, for writers in other processes
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

func migrate(ctx context.Context, pool *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
