package database_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/sqldb"
)

func TestHundredDecrementsAtOnceNeverGoBelowZero(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		a.db.Wait = 20 * time.Second // One hundred wait for one row; on a busy machine for long.
		soldOut := errors.New("sold out")
		take := func(ctx context.Context, tx *sqldb.Tx, from sqldb.Reader) error {
			var n int
			if err := from.QueryRow(ctx, "SELECT n FROM stock WHERE id = 1").Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				return soldOut
			}
			_, err := tx.Exec(ctx, "UPDATE stock SET n = ? WHERE id = 1", n-1)
			return err
		}
		post(a, "/locked", func(ctx context.Context, tx *sqldb.Tx) error { return take(ctx, tx, tx.ForUpdate()) })
		post(a, "/checked", func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE stock SET n = n - 1 WHERE id = 1") // The table has a CHECK.
			return err
		})
		post(a, "/serial", func(ctx context.Context, tx *sqldb.SerialTx) error { return take(ctx, tx.Tx, tx) })
		for _, tt := range []struct {
			path  string
			empty int
		}{{"/locked", 500}, {"/checked", 409}} {
			a.exec("UPDATE stock SET n = 50")
			got := a.callAtOnce(100, tt.path)
			if got[204] != 50 || got[tt.empty] != 50 || a.count("SELECT n FROM stock") != 0 {
				t.Errorf("%s: %v, and %d are left, want 50 sold, 50 refused and 0", tt.path, got, a.count("SELECT n FROM stock"))
			}
		}
		a.exec("UPDATE stock SET n = 50")
		got := a.callAtOnce(100, "/serial") // Some collide four times, and are told so.
		if left := a.count("SELECT n FROM stock"); left != 50-got[204] || left < 0 || got[204]+got[500]+got[503] != 100 || got[204] == 0 {
			t.Errorf("/serial: %v, and %d are left", got, left)
		}
		a.wantIdle()
	})
}

// scarce opens a database with two connections that may write, or one in SQLite.
func scarce(t *testing.T, dialect sqldb.Dialect, wait time.Duration) *api {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.URLOf(t, dialect), database.Config{Connections: 2, Wait: wait, StatementTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return newAPI(t, db)
}

func eachScarce(t *testing.T, wait time.Duration, test func(t *testing.T, a *api)) {
	for _, dialect := range []sqldb.Dialect{sqldb.SQLite, sqldb.PostgreSQL} {
		t.Run(dialect.String(), func(t *testing.T) { test(t, scarce(t, dialect, wait)) })
	}
}

func TestExhaustedPoolIsToldInTime(t *testing.T) {
	const wait = 300 * time.Millisecond
	eachScarce(t, wait, func(t *testing.T, a *api) {
		release, holding := make(chan struct{}), make(chan struct{}, 2)
		post(a, "/hold", func(context.Context, *sqldb.Tx) error {
			holding <- struct{}{}
			<-release
			return nil
		})
		post(a, "/quick", func(context.Context, *sqldb.Tx) error { return nil })
		writers := a.db.Write.Stats().MaxOpenConnections
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() { a.call("/hold") })
			<-holding
		}
		start := time.Now()
		got := a.call("/quick")
		took := time.Since(start)
		a.wantProblem(got, http.StatusServiceUnavailable, "database_busy")
		if took < wait || took > 10*wait {
			t.Errorf("told after %v, want after %v", took, wait)
		}
		close(release)
		wg.Wait()
		if got := a.call("/quick"); got.Code != http.StatusNoContent {
			t.Errorf("with a connection free: %d", got.Code)
		}
		a.wantIdle()
	})
}

// Each request needs two connections, and together they have one each: without a
// limit all would wait for ever.
func TestRequestsThatWaitForEachOtherEnd(t *testing.T) {
	eachScarce(t, 200*time.Millisecond, func(t *testing.T, a *api) {
		fastness.Post(a.App, "/both", func(context.Context, struct {
			Tx   *sqldb.Tx
			Read *sqldb.ReadTx
		}) (none, error) {
			return none{}, nil
		}, access.Public)
		start := time.Now()
		got := a.callAtOnce(20, "/both")
		if got[204]+got[503] != 20 || time.Since(start) > 15*time.Second {
			t.Errorf("%v after %v, want 204 and 503 only", got, time.Since(start))
		}
		a.wantIdle()
		if got := a.call("/both"); got.Code != http.StatusNoContent {
			t.Errorf("alone: %d %s", got.Code, got.Body)
		}
	})
}

// endless is a statement that works for long in both dialects.
const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000) SELECT count(*) FROM c"

func TestRequestThatWasCancelledFreesItsConnection(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a := newAPI(t, db)
		started := make(chan struct{}, 1)
		post(a, "/endless", func(ctx context.Context, tx *sqldb.Tx) error {
			started <- struct{}{}
			var n int
			return tx.QueryRow(ctx, endless).Scan(&n)
		})
		server := httptest.NewServer(a)
		defer server.Close()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-started
			cancel()
		}()
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/endless", nil)
		r.Host = "localhost"
		if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want that it was cancelled", err)
		}
		deadline := time.Now().Add(5 * time.Second)
		for db.Write.Stats().InUse > 0 {
			if time.Now().After(deadline) {
				t.Fatal("the connection is still in use 5 seconds after its caller went away")
			}
			time.Sleep(5 * time.Millisecond)
		}
		if n := a.count("SELECT count(*) FROM stock"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// A pattern of wildcards that fits almost: of a LIKE a server can take very long to
// say no.
func TestStatementsEndInTime(t *testing.T) {
	eachScarce(t, time.Second, func(t *testing.T, a *api) {
		limit := fastness.Timeout(500 * time.Millisecond)
		if a.db.Dialect == sqldb.PostgreSQL {
			limit = fastness.Timeout(20 * time.Second) // The server's own limit is what ends them.
		}
		post(a, "/endless", func(ctx context.Context, tx *sqldb.Tx) error {
			var n int
			return tx.QueryRow(ctx, endless).Scan(&n)
		}, limit)
		pattern := strings.Repeat("%a", 10_000) + "b"
		post(a, "/like", func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE stock SET name = ?", strings.Repeat("a", 200_000)); err != nil {
				return err
			}
			var n int
			return tx.QueryRow(ctx, "SELECT count(*) FROM stock WHERE name LIKE ?", pattern).Scan(&n)
		}, limit)
		post(a, "/quick", func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE stock SET n = n")
			return err
		})
		for _, path := range []string{"/endless", "/like"} {
			start := time.Now()
			got := a.call(path)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s took %v", path, took)
			}
			if path == "/endless" {
				a.wantProblem(got, http.StatusServiceUnavailable, "timeout")
			} else {
				t.Logf("%s: %d in %v", path, got.Code, time.Since(start))
			}
		}
		if got := a.call("/quick"); got.Code != http.StatusNoContent {
			t.Errorf("afterwards: %d %s", got.Code, got.Body)
		}
		a.wantIdle()
	})
}

func TestThousandRequestsAtOnceLeakNoConnection(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		a.db.Wait = 30 * time.Second
		broken := errors.New("broken")
		post(a, "/write", func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE stock SET n = n")
			return err
		})
		post(a, "/fail", func(context.Context, *sqldb.Tx) error { return broken })
		post(a, "/panic", func(context.Context, *sqldb.Tx) error { panic(broken) })
		post(a, "/read", func(ctx context.Context, tx *sqldb.ReadTx) error {
			rows, err := tx.Query(ctx, "SELECT id FROM stock") // Whose rows it forgets to close.
			if err == nil {
				rows.Next()
			}
			return err
		})
		var wg sync.WaitGroup
		for path, want := range map[string]int{"/write": 204, "/fail": 500, "/panic": 500, "/read": 204} {
			wg.Go(func() {
				if got := a.callAtOnce(250, path); got[want] != 250 {
					t.Errorf("%s: %v, want 250 times %d", path, got, want)
				}
			})
		}
		wg.Wait()
		a.wantIdle()
		for _, pool := range []interface{ Stats() stats }{a.db.Write, a.db.Read} {
			if got := pool.Stats(); got.OpenConnections > got.MaxOpenConnections || got.MaxOpenConnections == 0 {
				t.Errorf("%d connections of %d", got.OpenConnections, got.MaxOpenConnections)
			}
		}
	})
}
