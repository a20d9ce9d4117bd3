package database_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/sqldb"
)

// Tests of a whole app on each kind of database.

type (
	stats = sql.DBStats
	none  = fastness.NoContent
)

// api is an app on a database with the table stock (id, n), of which row 1 has 50.
type api struct {
	*fastness.App
	t   *testing.T
	db  *sqldb.DB
	log *journal
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newAPI(t *testing.T, db *sqldb.DB) *api {
	t.Helper()
	a := &api{t: t, db: db, log: new(journal)}
	a.App = fastness.New(fastness.Config{Title: "Stock", Version: "1", Logger: slog.New(slog.NewTextHandler(a.log, nil)),
		Background: jobs.PoolConfig{Queue: 8}})
	fastness.ProvideValue(a.App, db)
	fastness.ProvideCleanup(a.App, sqldb.Begin)
	fastness.ProvideCleanup(a.App, sqldb.BeginRead)
	fastness.ProvideCleanup(a.App, sqldb.BeginSerial)
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	a.exec("CREATE TABLE stock (id BIGINT PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0), name TEXT)")
	a.exec("INSERT INTO stock VALUES (1, 50, 'Lamp')")
	return a
}

// exec runs a statement outside of requests.
func (a *api) exec(statement string) {
	a.t.Helper()
	if _, err := a.db.Write.ExecContext(a.t.Context(), statement); err != nil {
		a.t.Fatal(err)
	}
}

func (a *api) count(query string) (n int) {
	a.t.Helper()
	if err := a.db.Write.QueryRowContext(a.t.Context(), query).Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// post declares an operation with a transaction of type T.
func post[T any](a *api, path string, f func(context.Context, T) error, options ...fastness.Option) {
	fastness.Post(a.App, path, func(ctx context.Context, in struct{ Tx T }) (none, error) { return none{}, f(ctx, in.Tx) },
		append(options, access.Public)...)
}

func (a *api) call(path string) *httptest.ResponseRecorder {
	return a.callWith(context.Background(), path)
}

func (a *api) callWith(ctx context.Context, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// callAtOnce sends n requests at once, and counts the answers by status.
func (a *api) callAtOnce(n int, path string) map[int]int {
	counts := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			got := a.call(path)
			mu.Lock()
			defer mu.Unlock()
			counts[got.Code]++
		})
	}
	wg.Wait()
	return counts
}

func (a *api) wantIdle() {
	a.t.Helper()
	// What a context has ended, database/sql rolls back in a goroutine of its own.
	tick, limit := time.NewTicker(time.Millisecond), time.Now().Add(5*time.Second)
	defer tick.Stop()
	for _, pool := range []interface{ Stats() stats }{a.db.Write, a.db.Read} {
		for ; pool.Stats().InUse != 0 && time.Now().Before(limit); <-tick.C {
		}
		if in := pool.Stats().InUse; in != 0 {
			a.t.Errorf("%d connections are in use, want 0", in)
		}
	}
}

func eachAPI(t *testing.T, test func(t *testing.T, a *api)) {
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newAPI(t, db)) })
}

// driverWords are what an answer has if a driver wrote it.
var driverWords = [...]string{"SQLSTATE", "SQL", "sql", "pgx", "stock", "constraint", "FATAL", "syntax", "relation", "column", "sqlite", "postgres", "Lamp"}

func (a *api) wantProblem(got *httptest.ResponseRecorder, status int, code string) {
	a.t.Helper()
	body := got.Body.String()
	if got.Code != status || code != "" && !strings.Contains(body, `"code":"`+code+`"`) {
		a.t.Errorf("%d %s, want %d %s", got.Code, body, status, code)
	}
	if status == http.StatusServiceUnavailable && got.Header().Get("Retry-After") == "" {
		a.t.Errorf("%s without Retry-After", body)
	}
	for _, word := range driverWords {
		if strings.Contains(body, word) {
			a.t.Errorf("the answer says %q: %s", word, body)
		}
	}
}

func onPostgres(t *testing.T) *sqldb.DB {
	t.Helper()
	return databasetest.Open(t, databasetest.URLOf(t, sqldb.PostgreSQL))
}

func onSQLite(t *testing.T) *sqldb.DB {
	t.Helper()
	return databasetest.Open(t, databasetest.URLOf(t, sqldb.SQLite))
}

func canceled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
