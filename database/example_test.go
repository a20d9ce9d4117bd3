package database_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// In a program the files are embedded: //go:embed migrations.
var items = fstest.MapFS{"migrations/00001_items.sql": {Data: []byte(`-- +goose Up
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- +goose Down
DROP TABLE items;`)}}

func Example() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	db, err := database.Open(ctx, secret.New("sqlite://"+filepath.ToSlash(filepath.Join(folder, "shop.db"))), database.Config{Migrations: items})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	add := func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO items (name) VALUES (?)", "Lamp")
		return err
	}
	fmt.Println(db.Tx(ctx, add))
	fmt.Println(db.Dialect.IsDuplicate(db.Tx(ctx, add)))
	// Output:
	// <nil>
	// true
}
