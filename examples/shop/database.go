package main

import (
	"context"
	"embed"
	"net/url"
	"path/filepath"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/idempotency/sqlkeys"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

//go:embed migrations
var migrations embed.FS

// openDB provides the database of the shop, brought up to date: the one that
// --db names, or else the file shop.db in the data directory.
func openDB(ctx context.Context, in struct{ Settings fastness.Settings }) (*sqldb.DB, func(error) error, error) {
	url, err := databaseURL(in.Settings, "shop.db")
	if err != nil {
		return nil, nil, err
	}
	db, err := database.Open(ctx, url, database.Config{Migrations: migrations, Schema: "shop"})
	if err != nil {
		return nil, nil, err
	}
	return db, func(error) error { return db.Close() }, nil
}

// openKeys provides the idempotency keys of orders. They are in the database of the
// orders, and so in the transaction of each.
func openKeys(ctx context.Context, in struct{ DB *sqldb.DB }) (*idempotency.Keys, func(error) error, error) {
	store, err := sqlkeys.Open(ctx, in.DB)
	if err != nil {
		return nil, nil, err
	}
	keys, err := idempotency.New(idempotency.Config{Store: store})
	return keys, nil, err
}

// openUsers opens the database of accounts, sessions, keys and events. It has
// connections of its own, and in SQLite a file: a request that holds the one
// transaction that writes would wait for itself if it logged somebody out.
func openUsers(ctx context.Context, settings fastness.Settings) (*sqldb.DB, error) {
	url, err := databaseURL(settings, "users.db")
	if err != nil {
		return nil, err
	}
	return database.Open(ctx, url, database.Config{Schema: "users"})
}

// databaseURL returns the database of the settings, or a file in the data
// directory.
func databaseURL(settings fastness.Settings, file string) (secret.Text, error) {
	if !settings.DB.IsZero() {
		return settings.DB, nil
	}
	path, err := filepath.Abs(filepath.Join(settings.DataDir, file))
	name := url.URL{Path: filepath.ToSlash(path)}
	return secret.New("sqlite://" + name.EscapedPath()), err
}
