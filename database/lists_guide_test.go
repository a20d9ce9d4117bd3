package database_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// What follows is the code of docs/lists.md, with that of lists_example_test.go.

type leafBooksInput struct {
	page.Query[Book]      // limit, offset, sort
	Total            bool `query:"total" default:"false"`
	Tx               *sqldb.ReadTx
}

func leafBooks(ctx context.Context, in leafBooksInput) (page.Page[string], error) {
	found, err := in.Select(ctx, in.Tx, sqldb.Constant("SELECT id, title, created_at FROM books"), scanBook)
	if err == nil && in.Total {
		found.Total = new(int64)
		*found.Total, err = page.Count(ctx, in.Tx, 10_000, sqldb.Constant("SELECT 1 FROM books"))
	}
	return page.Map(found, func(b Book) string { return b.Title }), err
}

type manyAtOnce struct {
	Limit  page.Limit      `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Sort   page.Sort[Book] `query:"sort" required:"false"`
	Cursor page.Cursor     `query:"cursor" required:"false"`
	Scope  *page.Scope
}

func exportBooks(ctx context.Context, in struct {
	manyAtOnce
	Tx *sqldb.ReadTx
}) (page.Page[Book], error) {
	return page.CursorQuery[Book](in.manyAtOnce).Select(ctx, in.Tx, sqldb.Constant("SELECT id, title, created_at FROM books"), scanBook)
}

type myBooksInput struct {
	page.CursorQuery[Book]
	Caller auth.User
	Genres []string `query:"genre" maxItems:"10"`
	Tx     *sqldb.ReadTx
}

// mine are the books of the caller: what they sent can only narrow that.
func (in myBooksInput) mine() sqldb.Fragment {
	genre := sqldb.And()
	if len(in.Genres) > 0 {
		genre = sqldb.OneOf("genre", in.Genres)
	}
	return sqldb.And(sqldb.Condition("owner = ?", in.Caller.ID), genre)
}

func myBooks(ctx context.Context, in myBooksInput) (page.Page[Book], error) {
	window, err := in.Window(ctx)
	if err != nil {
		return page.Page[Book]{}, err
	}
	rows, err := in.Tx.Query(ctx, `WITH mine AS (SELECT id, title, created_at FROM books WHERE ?)
		SELECT id, title, created_at FROM mine WHERE ? ORDER BY ? LIMIT ?`, in.mine(), window.Where(), window.OrderBy(), window.Limit())
	if err != nil {
		return page.Page[Book]{}, err
	}
	all, err := sqldb.All(rows, scanBook)
	if err != nil {
		return page.Page[Book]{}, err
	}
	return window.Page(ctx, all)
}

func withKeys(settings secret.Text) (fastness.Config, error) {
	keys, err := page.FromSecret(settings)
	return fastness.Config{Title: "Books", Version: "1.0.0", Cursors: page.Config{Keys: keys}}, err
}

func TestGuideToListsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "../docs/lists.md", 5, "lists_guide_test.go", "lists_example_test.go")
}

func TestGuideToListsRuns(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			for i, title := range []string{"Walden", "Emma", "Ulysses"} {
				if _, err := tx.Exec(t.Context(), "INSERT INTO books (id, title, created_at, owner, genre) VALUES (?, ?, '2026-01-01 00:00:00', ?, 'novel')", i, title, []string{"ann", "bob"}[i%2]); err != nil {
					return err
				}
			}
			_, err := tx.Exec(t.Context(), "UPDATE books SET genre = 'essay' WHERE title = 'Walden'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		cfg, err := withKeys(secret.New(strings.Repeat("k", 32)))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Logger = fastnesstest.Logger(t)
		app := fastness.New(cfg)
		basic, err := auth.NewBasic(auth.BasicConfig{Realm: "books", Verify: func(context.Context, *http.Request, string, string) (*auth.User, error) { return nil, nil }})
		if err != nil {
			t.Fatal(err)
		}
		app.Authenticate(basic)
		fastness.ProvideValue(app, db)
		fastness.ProvideCleanup(app, sqldb.BeginRead)
		fastness.Get(app, "/books", listBooks, access.Public)
		fastness.Get(app, "/leaf", leafBooks, access.Public)
		fastness.Get(app, "/export", exportBooks, access.Public)
		fastness.Get(app, "/mine", myBooks, access.Authenticated)
		api := fastnesstest.New(t, app)
		api.Get("/leaf?sort=title&limit=2&total=true").WantJSON(`{"items":["Emma","Ulysses"],"total":3}`)
		for target, want := range map[string]string{"/mine?sort=title": "2,0", "/mine?genre=essay": "0", "/mine?genre=essay&genre=novel": "2,0", "/export?limit=500&sort=title": "1,2,0", "/books?q=%25": "", "/books?q=ULY": "2"} {
			var p page.Page[Book]
			api.Get(target, fastnesstest.As(auth.User{ID: "ann"})).Want(http.StatusOK).JSON(&p)
			var got []string
			for _, b := range p.Items {
				got = append(got, string('0'+rune(b.ID)))
			}
			if strings.Join(got, ",") != want {
				t.Errorf("%s: %v, want %s", target, got, want)
			}
		}
	}, books)
}

// TestPagesAreFoundByTheIndex: the second page is a range of an index, and nothing is
// sorted for it.
func TestPagesAreFoundByTheIndex(t *testing.T) {
	cursors, err := page.New(page.Config{Keys: page.EphemeralKeys()})
	if err != nil {
		t.Fatal(err)
	}
	q := page.CursorQuery[Book]{Limit: 1, Scope: cursors.Scope(httptest.NewRequest(http.MethodGet, "/books", nil))}
	first, err := q.Window(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := first.Page(t.Context(), make([]Book, 2))
	if err != nil {
		t.Fatal(err)
	}
	q.Cursor = p.Next
	second, err := q.Window(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var plan string
		if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			explain := sqldb.Constant("EXPLAIN QUERY PLAN SELECT id FROM books")
			if db.Dialect == sqldb.PostgreSQL {
				explain = sqldb.Constant("EXPLAIN SELECT id FROM books")
				if _, err := tx.Exec(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil { // A table of three rows is read as a whole.
					return err
				}
				if _, err := tx.Exec(t.Context(), "SET LOCAL enable_bitmapscan = off"); err != nil {
					return err
				}
			}
			rows, err := tx.Query(t.Context(), "? WHERE ? ORDER BY ? LIMIT ?", explain, second.Where(), second.OrderBy(), second.Limit())
			if err != nil {
				return err
			}
			_, err = sqldb.All(rows, func(row sqldb.Row) (line string, err error) {
				if db.Dialect == sqldb.PostgreSQL {
					err = row.Scan(&line)
				} else {
					var ignored int
					err = row.Scan(&ignored, &ignored, &ignored, &line)
				}
				plan += line + "\n"
				return line, err
			})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "books_created") || strings.Contains(plan, "SCAN") || strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP") ||
			!strings.Contains(plan, "INDEX books_created (created_at<?)") && !strings.Contains(plan, "Index Cond: (ROW(created_at, id) < ROW(") {
			t.Errorf("the plan is\n%s", plan)
		}
	}, books)
}
