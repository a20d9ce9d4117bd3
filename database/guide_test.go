package database_test

import (
	"context"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/sqldb"
)

// What follows is the code of docs/databases.md.

//go:embed testdata/guide
var migrations embed.FS

func openDB(ctx context.Context, in struct{ Settings fastness.Settings }) (*sqldb.DB, func(error) error, error) {
	db, err := database.Open(ctx, in.Settings.DB, database.Config{Migrations: migrations})
	if err != nil {
		return nil, nil, err
	}
	return db, func(error) error { return db.Close() }, nil
}

type Item struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Stock int64  `json:"stock"`
}

func scanItem(row sqldb.Row) (item Item, err error) {
	return item, row.Scan(&item.ID, &item.Name, &item.Stock)
}

type searchItems struct {
	Tx     *sqldb.ReadTx
	Search string `query:"q" maxLength:"100" default:""`
	Sort   string `query:"sort" enum:"name,-name" default:"name"`
}

func search(ctx context.Context, in searchItems) ([]Item, error) {
	orders := map[string]sqldb.Fragment{"name": sqldb.Constant("name"), "-name": sqldb.Constant("name DESC")}
	rows, err := in.Tx.Query(ctx, `SELECT id, name, stock FROM items WHERE name LIKE ? ESCAPE '\' ORDER BY ? LIMIT ?`,
		"%"+sqldb.Like(in.Search)+"%", orders[in.Sort], 20)
	if err != nil {
		return nil, err
	}
	return sqldb.All(rows, scanItem)
}

type buy struct {
	Tx *sqldb.SerialTx
	ID int64 `path:"id"`
}

func buyOne(ctx context.Context, in buy) (Item, error) {
	item, err := scanItem(in.Tx.QueryRow(ctx, "SELECT id, name, stock FROM items WHERE id = ?", in.ID))
	if err != nil {
		return Item{}, err
	}
	item.Stock--
	_, err = in.Tx.Exec(ctx, "UPDATE items SET stock = ? WHERE id = ?", item.Stock, item.ID)
	return item, err
}

func restock(ctx context.Context, db *sqldb.DB) error {
	return db.SerialTx(ctx, func(tx *sqldb.SerialTx) error {
		_, err := tx.Exec(ctx, "UPDATE items SET stock = stock + 10 WHERE stock < 10")
		return err
	})
}

func countGenerated(ctx context.Context, in struct{ Tx *sqldb.ReadTx }) (n number, err error) {
	tx := in.Tx.InsecureSQL("sqlc has written the statements, and they are constants")
	return n, tx.QueryRowContext(ctx, "SELECT count(*) FROM items").Scan(&n.Number)
}

func TestGuideRuns(t *testing.T) {
	for _, dialect := range []sqldb.Dialect{sqldb.SQLite, sqldb.PostgreSQL} {
		t.Run(dialect.String(), func(t *testing.T) {
			app := fastness.New(fastness.Config{Title: "Guide", Version: "1", Logger: slog.New(slog.DiscardHandler)})
			fastness.ProvideValue(app, fastness.Settings{DB: databasetest.URLOf(t, dialect)})
			fastness.ProvideApp(app, openDB)
			fastness.ProvideCleanup(app, sqldb.Begin)
			fastness.ProvideCleanup(app, sqldb.BeginRead)
			fastness.ProvideCleanup(app, sqldb.BeginSerial)
			fastness.Get(app, "/items", search, access.Public)
			fastness.Get(app, "/count", countGenerated, access.Public)
			fastness.Post(app, "/items/{id}/buy", buyOne, access.Public)
			server := httptest.NewServer(app)
			defer server.Close()
			defer func() {
				if err := app.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			for _, tt := range []struct {
				method, path string
				status       int
				want         string
			}{
				{"GET", "/items?sort=-name", 200, `[{"id":1,"name":"Lamp","stock":2},{"id":3,"name":"Anvil","stock":30},{"id":2,"name":"50% off","stock":1}]`},
				{"GET", "/items?q=%25", 200, `[{"id":2,"name":"50% off","stock":1}]`},
				{"GET", "/items?sort=stock", 422, `"/sort"`},
				{"GET", "/count", 200, `{"number":3}`},
				{"POST", "/items/2/buy", 200, `"stock":0`},
				{"POST", "/items/2/buy", 409, `"code":"refused"`},
				{"POST", "/items/99/buy", 404, `"code":"not_found"`},
			} {
				r, _ := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, nil)
				r.Host = "localhost"
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(answer.Body)
				if err != nil || answer.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
					t.Errorf("%s %s = %d %s (%v), want %d %s", tt.method, tt.path, answer.StatusCode, body, err, tt.status, tt.want)
				}
				_ = answer.Body.Close()
			}
		})
	}
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := restock(t.Context(), db)
		if err != nil {
			t.Error(err)
		}
	}, migrations)
}

func TestGuideShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "../docs/databases.md", 6, "guide_test.go")
}
