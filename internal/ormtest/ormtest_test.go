// Package ormtest lets code that others have written or generated, of sqlc, ent and
// bun, take part in the transaction of a request.
package ormtest

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/internal/ormtest/items"
	"github.com/fastness/fastness/sqldb"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// The sources of the package items are in the folder sqlc: cd sqlc && sqlc generate.

type input struct {
	DB *sqldb.DB
	Tx *sqldb.Tx
}

// sell takes one lamp, and then fails if it is told to.
type sell func(ctx context.Context, in input) error

func withSQLC(ctx context.Context, in input) error {
	tx := in.Tx.InsecureSQL("sqlc has written the statements, and they are constants")
	return items.New(tx).SellItem(ctx, 1)
}

func withEnt(ctx context.Context, in input) error {
	tx := in.Tx.InsecureSQL("no text of a caller is part of what is built here")
	driver := entsql.NewDriver(dialect.Postgres, entsql.Conn{ExecQuerier: tx})
	query, args := entsql.Dialect(dialect.Postgres).Update("items").Add("stock", -1).Where(entsql.EQ("name", "Lamp' OR 1=1 --")).Query()
	if strings.Contains(query, "OR 1=1") || len(args) != 2 {
		return errors.New("ent writes arguments into the text: " + query)
	}
	if err := driver.Exec(ctx, query, args, nil); err != nil {
		return err
	}
	query, args = entsql.Dialect(dialect.Postgres).Update("items").Add("stock", -1).Where(entsql.EQ("id", 1)).Query()
	return driver.Exec(ctx, query, args, nil)
}

func withBun(ctx context.Context, in input) error {
	tx := in.Tx.InsecureSQL("what bun writes into the text are numbers of this program")
	_, err := bun.NewDB(in.DB.Write, pgdialect.New()).NewUpdate().Conn(tx).Table("items").Set("stock = stock - ?", 1).Where("id = ?", 1).Exec(ctx)
	return err
}

func TestOthersTakePartInTheTransaction(t *testing.T) {
	db := databasetest.Open(t, databasetest.URLOf(t, sqldb.PostgreSQL))
	if _, err := db.Write.Exec("CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, stock BIGINT NOT NULL CHECK (stock >= 0)); INSERT INTO items VALUES (1, 'Lamp', 3)"); err != nil {
		t.Fatal(err)
	}
	app := fastness.New(fastness.Config{Title: "Items", Version: "1", Logger: slog.New(slog.DiscardHandler)})
	fastness.ProvideValue(app, db)
	fastness.ProvideCleanup(app, sqldb.Begin)
	all := map[string]sell{"sqlc": withSQLC, "ent": withEnt, "bun": withBun}
	for name, sell := range all {
		fastness.Post(app, "/sold/"+name, func(ctx context.Context, in input) (fastness.NoContent, error) {
			return fastness.NoContent{}, sell(ctx, in)
		}, access.Public)
		fastness.Post(app, "/failed/"+name, func(ctx context.Context, in input) (fastness.NoContent, error) {
			return fastness.NoContent{}, errors.Join(sell(ctx, in), errors.New("and then it fails"))
		}, access.Public)
	}
	call := func(path string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Code
	}
	stock := func() (n int) {
		if err := db.Write.QueryRow("SELECT stock FROM items").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	left := 3
	for name := range all {
		if got := call("/failed/" + name); got != http.StatusInternalServerError || stock() != left {
			t.Errorf("%s, failed: %d, and %d are left, want 500 and %d", name, got, stock(), left)
		}
		left--
		if got := call("/sold/" + name); got != http.StatusNoContent || stock() != left {
			t.Errorf("%s: %d, and %d are left, want 204 and %d", name, got, stock(), left)
		}
	}
}

// seen writes down the text that a driver gets.
type seen struct {
	*sql.Tx
	text string
}

func (s *seen) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s.text = query
	return s.Tx.ExecContext(ctx, query, args...)
}

// Why the guide advises against bun: what a caller sent is in the text that the
// server parses.
func TestBunWritesArgumentsIntoTheText(t *testing.T) {
	db := databasetest.Open(t, databasetest.URLOf(t, sqldb.PostgreSQL))
	if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		conn := &seen{Tx: tx.InsecureSQL("a test")}
		if _, err := tx.Exec(t.Context(), "CREATE TABLE items (name TEXT)"); err != nil {
			return err
		}
		_, err := bun.NewDB(db.Write, pgdialect.New()).NewUpdate().Conn(conn).Table("items").Set("name = ?", "of a caller").Where("1 = 1").Exec(t.Context())
		if !strings.Contains(conn.text, "'of a caller'") {
			t.Errorf("the text is %q: bun sends arguments apart, and the guide is wrong", conn.text)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
