package database_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Book is a row, and what is shown of it.
type Book struct {
	ID      int64     `json:"id"`
	Title   string    `json:"title"`
	Created time.Time `json:"created"`
}

// Orders says by what lists of books may be sorted.
func (Book) Orders() page.Orders[Book] {
	return page.Orders[Book]{
		Default: "-created",
		By: map[string][]page.Column[Book]{
			"created": {page.By(sqldb.Constant("created_at"), func(b Book) time.Time { return b.Created })},
			"title":   {page.By(sqldb.Constant("title"), func(b Book) string { return b.Title })},
		},
		Unique: page.By(sqldb.Constant("id"), func(b Book) int64 { return b.ID }),
	}
}

type listBooksInput struct {
	page.CursorQuery[Book]

	Since  *time.Time `query:"since"`
	Search *string    `query:"q" minLength:"1" maxLength:"50"`
	Tx     *sqldb.ReadTx
}

// listBooks lists books, the newest first.
func listBooks(ctx context.Context, in listBooksInput) (page.Page[Book], error) {
	title := sqldb.And()
	if in.Search != nil {
		title = sqldb.Condition(`lower(title) LIKE lower(?) ESCAPE '\'`, "%"+sqldb.Like(*in.Search)+"%")
	}
	return in.Select(ctx, in.Tx, sqldb.Constant("SELECT id, title, created_at FROM books"), scanBook,
		sqldb.Given("created_at >= ?", in.Since), title)
}

func scanBook(row sqldb.Row) (b Book, err error) {
	return b, row.Scan(&b.ID, &b.Title, &b.Created)
}

var books = fstest.MapFS{"migrations/00001_books.sql": {Data: []byte(`-- +goose Up
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_at TIMESTAMP NOT NULL, owner TEXT, genre TEXT);
CREATE INDEX books_created ON books (created_at, id);
CREATE INDEX books_title ON books (title, id);
-- +goose Down
DROP TABLE books;`)}}

// The list of an app on SQLite, in pages.
func Example_lists() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	db, err := database.Open(ctx, secret.New("sqlite://"+filepath.ToSlash(filepath.Join(folder, "books.db"))), database.Config{Migrations: books})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		for i, title := range []string{"Walden", "Emma", "Ulysses"} {
			if _, err := tx.Exec(ctx, "INSERT INTO books (title, created_at) VALUES (?, ?)", title, time.Date(2026, 1, i+1, 0, 0, 0, 0, time.UTC)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}

	app := fastness.New(fastness.Config{
		Title: "Books", Version: "1.0.0", Logger: slog.New(slog.DiscardHandler),
		Cursors: page.Config{Keys: page.EphemeralKeys()},
	})
	fastness.ProvideValue(app, db)
	fastness.ProvideCleanup(app, sqldb.BeginRead)
	fastness.Get(app, "/books", listBooks, access.Public)
	server := httptest.NewServer(app)
	defer server.Close()

	get := func(query string) (p page.Page[Book]) {
		res, err := http.Get(server.URL + "/books" + query)
		if err != nil {
			panic(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
			panic(err)
		}
		fmt.Println(res.Status)
		for _, b := range p.Items {
			fmt.Println("-", b.Title)
		}
		return p
	}
	first := get("?limit=2&sort=title")
	get("?limit=2&sort=title&cursor=" + string(first.Next))
	get("?limit=2&sort=-title&cursor=" + string(first.Next)) // of another order
	get("?sort=price")
	// Output:
	// 200 OK
	// - Emma
	// - Ulysses
	// 200 OK
	// - Walden
	// 422 Unprocessable Entity
	// 422 Unprocessable Entity
}
