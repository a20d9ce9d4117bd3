package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

func TestOperationThatFailsStoresNothing(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		var cancel context.CancelFunc
		for path, end := range map[string]func() error{
			"/error":  func() error { return errors.New("broken") },
			"/panic":  func() error { panic("broken") },
			"/cancel": func() error { cancel(); return nil },
		} {
			post(a, path, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.Exec(ctx, "INSERT INTO stock (id, n) VALUES (2, 2)"); err != nil {
					return err
				}
				return end()
			})
		}
		for _, path := range []string{"/error", "/panic", "/cancel"} {
			ctx, stop := context.WithCancel(t.Context())
			cancel = stop
			got := a.callWith(ctx, path)
			stop()
			if got.Code < 500 || strings.Contains(got.Body.String(), "broken") {
				t.Errorf("%s: %d %s, want an opaque 5xx", path, got.Code, got.Body)
			}
			if n := a.count("SELECT count(*) FROM stock"); n != 1 {
				t.Errorf("%s: %d rows, want 1: half of an operation was stored", path, n)
			}
		}
		a.wantIdle()
	})
}

// failing are statements that fail, and what a caller is told of them.
var failing = [...]struct {
	name   string
	status int
	code   string
	run    func(context.Context, *sqldb.Tx) error
}{
	{"no row", 404, "not_found", func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT n FROM stock WHERE id = 99").Scan(new(int))
	}},
	{"a duplicate", 409, "duplicate", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "INSERT INTO stock (id, n) VALUES (1, 1)"))
	}},
	{"a duplicate that returns", 409, "duplicate", func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "INSERT INTO stock (id, n) VALUES (1, 1) RETURNING id").Scan(new(int))
	}},
	{"a duplicate among rows", 409, "duplicate", func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "INSERT INTO stock (id, n) VALUES (1, 1) RETURNING id")
		if err != nil {
			return err
		}
		_, err = sqldb.All(rows, func(row sqldb.Row) (n int, err error) { return n, row.Scan(&n) })
		return err
	}},
	{"a parent that is not there", 409, "reference", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "INSERT INTO part (id, stock_id) VALUES (2, 99)"))
	}},
	{"a parent of others", 409, "reference", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "DELETE FROM stock WHERE id = 1"))
	}},
	{"a check", 409, "refused", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "UPDATE stock SET n = -1"))
	}},
	{"a null", 422, "unfit", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "UPDATE stock SET n = ?", nil))
	}},
	{"a syntax error", 500, "", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "SELEKT n FROM stock"))
	}},
	{"a table that is not there", 500, "", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "SELECT 'Lamp' FROM stocks"))
	}},
	{"a scan of another type", 500, "", func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT name FROM stock").Scan(new(bool))
	}},
	{"arguments that lack", 500, "", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "UPDATE stock SET n = ?"))
	}},
}

func done(_ sql.Result, err error) error { return err }

func TestNoAnswerHasAWordOfTheDriver(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		a.exec("CREATE TABLE part (id BIGINT PRIMARY KEY, stock_id BIGINT NOT NULL REFERENCES stock (id))")
		a.exec("INSERT INTO part VALUES (1, 1)")
		for i, tt := range failing {
			var cause error
			path := fmt.Sprint("/", i)
			post(a, path, func(ctx context.Context, tx *sqldb.Tx) error {
				cause = tt.run(ctx, tx)
				return cause
			})
			defer func() {
				if p, ok := errors.AsType[*problem.Problem](cause); ok && p.Unwrap() == nil {
					t.Errorf("%s: the cause is lost", tt.name)
				}
			}()
		}
		for i, tt := range failing {
			t.Run(tt.name, func(t *testing.T) {
				b := *a
				b.t = t
				b.wantProblem(a.call(fmt.Sprint("/", i)), tt.status, tt.code)
			})
		}
		if n := a.count("SELECT n FROM stock"); n != 50 {
			t.Errorf("n is %d, want 50", n)
		}
		a.wantIdle()
	})
}

func TestCauseIsStillFound(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		err := a.db.ReadTx(t.Context(), func(tx *sqldb.ReadTx) error {
			return tx.QueryRow(t.Context(), "SELECT n FROM stock WHERE id = 99").Scan(new(int))
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%v, want that it is sql.ErrNoRows", err)
		}
		if p, ok := errors.AsType[*problem.Problem](sqldb.NotFound(err, "no such lamp")); !ok || p.Detail != "no such lamp" {
			t.Errorf("NotFound() = %v", p)
		}
	})
}

// A null byte is no text for PostgreSQL. It comes in a JSON string that is valid.
func TestNullByteIsAMistakeOfTheCaller(t *testing.T) {
	a := newAPI(t, onPostgres(t))
	post(a, "/null", func(ctx context.Context, tx *sqldb.Tx) error {
		return done(tx.Exec(ctx, "UPDATE stock SET name = ?", "a\x00b"))
	})
	a.wantProblem(a.call("/null"), http.StatusUnprocessableEntity, "unfit")
}

func TestReadTransactionWritesNothing(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		post(a, "/read", func(ctx context.Context, tx *sqldb.ReadTx) error {
			return tx.QueryRow(ctx, "DELETE FROM stock RETURNING id").Scan(new(int))
		})
		a.wantProblem(a.call("/read"), http.StatusInternalServerError, "")
		if n := a.count("SELECT count(*) FROM stock"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// ReadTx sees the database as it was at one moment.
func TestReadTransactionSeesOneMoment(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		err := a.db.ReadTx(t.Context(), func(tx *sqldb.ReadTx) error {
			var before, after int
			if err := tx.QueryRow(t.Context(), "SELECT n FROM stock").Scan(&before); err != nil {
				return err
			}
			a.exec("UPDATE stock SET n = n - 1")
			if err := tx.QueryRow(t.Context(), "SELECT n FROM stock").Scan(&after); err != nil {
				return err
			}
			if before != after {
				t.Errorf("it saw %d, and then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestWildcardsOfCallersAreLiteral(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		names := []string{"50% off", "50 off", "5_0", "500", `back\slash`, "backslash", "100%"}
		err := a.db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			for i, name := range names {
				if _, err := tx.Exec(t.Context(), "INSERT INTO stock (id, n, name) VALUES (?, 0, ?)", i+2, name); err != nil {
					return err
				}
			}
			for search, want := range map[string]int{"%": 2, "_": 1, `\`: 1, "50%": 1, "5_0": 1, `\%`: 0, "off": 2, "": 8} {
				var n int
				err := tx.QueryRow(t.Context(), `SELECT count(*) FROM stock WHERE name LIKE ? ESCAPE '\'`, "%"+sqldb.Like(search)+"%").Scan(&n)
				if err != nil || n != want {
					t.Errorf("%q is found %d times (%v), want %d", search, n, err, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOrderOfCallersIsChosenAmongConstants(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		a.exec("INSERT INTO stock VALUES (2, 7, 'Anvil')")
		orders := map[string]sqldb.Fragment{"name": sqldb.Constant("name"), "-name": sqldb.Constant("name DESC")}
		first := func(sort string) (name string, err error) {
			err = a.db.ReadTx(t.Context(), func(tx *sqldb.ReadTx) error {
				return tx.QueryRow(t.Context(), "SELECT name FROM stock WHERE n > ? ORDER BY ? LIMIT ?", 0, orders[sort], 1).Scan(&name)
			})
			return name, err
		}
		for sort, want := range map[string]string{"name": "Anvil", "-name": "Lamp"} {
			if got, err := first(sort); got != want || err != nil {
				t.Errorf("by %s the first is %q (%v), want %q", sort, got, err, want)
			}
		}
		for _, sort := range []string{"", "n; DROP TABLE stock", "(SELECT 1)", "name DESC --", "1"} {
			if got, err := first(sort); err == nil {
				t.Errorf("by %q the first is %q, want an error", sort, got)
			}
		}
		// A text in its place is a value, by which nothing is sorted.
		err := a.db.ReadTx(t.Context(), func(tx *sqldb.ReadTx) error {
			return tx.QueryRow(t.Context(), "SELECT name FROM stock ORDER BY cast(? AS TEXT), id LIMIT 1", "name; DROP TABLE stock").Scan(new(string))
		})
		if err != nil || a.count("SELECT count(*) FROM stock") != 2 {
			t.Errorf("%v, and %d rows", err, a.count("SELECT count(*) FROM stock"))
		}
	})
}
