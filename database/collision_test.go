package database_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// barrier lets two wait for each other, once.
type barrier struct{ wg sync.WaitGroup }

func newBarrier() *barrier {
	b := new(barrier)
	b.wg.Add(2)
	return b
}

func (b *barrier) wait() {
	b.wg.Done()
	b.wg.Wait()
}

type number struct {
	Number int64 `json:"number"`
}

// draw takes the number after the highest one: it reads rows that others insert,
// which no lock on a row prevents.
func draw(ctx context.Context, tx *sqldb.Tx, between func()) (number, error) {
	var highest int64
	if err := tx.QueryRow(ctx, "SELECT max(id) FROM stock").Scan(&highest); err != nil {
		return number{}, err
	}
	between()
	_, err := tx.Exec(ctx, "INSERT INTO stock (id, n) VALUES (?, ?)", 1000+10*highest+drawn.Add(1), 0)
	return number{highest + 1}, err
}

// drawn makes ids that differ, so that nothing but the reading collides.
var drawn atomic.Int64

func TestTwoRequestsThatCollideAreBothServed(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		meet := newBarrier()
		var runs atomic.Int32
		fastness.Post(a.App, "/numbers", func(ctx context.Context, in struct{ Tx *sqldb.SerialTx }) (fastness.Created[number], error) {
			run := runs.Add(1)
			got, err := draw(ctx, in.Tx.Tx, func() {
				if run <= 2 && a.db.Dialect == sqldb.PostgreSQL { // SQLite lets one begin at a time.
					meet.wait()
				}
			})
			return fastness.Created[number]{Body: got}, err
		}, access.Public)
		var mu sync.Mutex
		bodies := map[string]bool{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				got := a.call("/numbers")
				mu.Lock()
				defer mu.Unlock()
				bodies[got.Body.String()] = true
				if got.Code != http.StatusCreated {
					t.Errorf("%d %s, want 201", got.Code, got.Body)
				}
			})
		}
		wg.Wait()
		if len(bodies) != 2 {
			t.Errorf("the answers are %v, want two numbers", bodies)
		}
		if want := map[sqldb.Dialect]int32{sqldb.SQLite: 2, sqldb.PostgreSQL: 3}[a.db.Dialect]; runs.Load() != want {
			t.Errorf("the operation ran %d times, want %d", runs.Load(), want)
		}
		if n := a.count("SELECT count(*) FROM stock"); n != 3 {
			t.Errorf("%d rows are stored, want 3", n)
		}
		a.wantIdle()
	})
}

// collide fails as one of two transactions that collide.
func collide(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE EXCEPTION 'secret of the driver' USING ERRCODE = '40001'; END $$")
	return err
}

func TestOperationThatAlwaysCollidesIsGivenUp(t *testing.T) {
	a := newAPI(t, onPostgres(t))
	var runs, tasks atomic.Int32
	type input struct {
		Tx         *sqldb.SerialTx
		Background *fastness.Background
	}
	hide := errors.New("the function hides why")
	operation := func(last int32, result func(error) error) func(context.Context, input) (none, error) {
		return func(ctx context.Context, in input) (none, error) {
			in.Background.Add("announce", func(context.Context) error { tasks.Add(1); return nil })
			if _, err := in.Tx.Exec(ctx, "UPDATE stock SET n = n - 1"); err != nil {
				return none{}, err
			}
			if runs.Add(1) < last {
				return none{}, result(collide(ctx, in.Tx.Tx))
			}
			return none{}, nil
		}
	}
	for path, result := range map[string]func(error) error{
		"/told":    func(err error) error { return err },
		"/hidden":  func(error) error { return hide },
		"/ignored": func(error) error { return nil },
		"/other":   func(error) error { return problem.New(http.StatusConflict, "sold out") },
	} {
		fastness.Post(a.App, path+"/thrice", operation(4, result), access.Public)
		fastness.Post(a.App, path+"/ever", operation(1000, result), access.Public)
	}
	sold := 0
	for _, path := range []string{"/told", "/hidden", "/ignored", "/other"} {
		runs.Store(0)
		if got := a.call(path + "/thrice"); got.Code != http.StatusNoContent || runs.Load() != 4 {
			t.Errorf("%s: %d %s after %d runs, want 204 after 4", path, got.Code, got.Body, runs.Load())
		}
		if sold++; a.count("SELECT n FROM stock") != 50-sold {
			t.Errorf("%s: %d are left, want %d: each request takes one, however often it runs", path, a.count("SELECT n FROM stock"), 50-sold)
		}
		runs.Store(0)
		got := a.call(path + "/ever")
		if runs.Load() != 4 || got.Code < 409 {
			t.Errorf("%s: %d after %d runs, want an error after 4", path, got.Code, runs.Load())
		}
		if strings.Contains(got.Body.String(), "driver") {
			t.Errorf("the answer is %s", got.Body)
		}
		if path == "/told" || path == "/ignored" {
			a.wantProblem(got, http.StatusServiceUnavailable, "conflict")
		}
	}
	if err := a.Stop(context.Background()); err != nil { // It waits for the tasks.
		t.Error(err)
	}
	if tasks.Load() != 4 {
		t.Errorf("%d tasks ran, want one for each of the 4 requests that succeeded", tasks.Load())
	}
	a.wantIdle()
}

// Who does not ask for it is not run twice: the operation may have sent a mail.
func TestOrdinaryTransactionIsNotRunAgain(t *testing.T) {
	a := newAPI(t, onPostgres(t))
	var runs atomic.Int32
	post(a, "/once", func(ctx context.Context, tx *sqldb.Tx) error {
		runs.Add(1)
		return collide(ctx, tx)
	})
	a.wantProblem(a.call("/once"), http.StatusServiceUnavailable, "conflict")
	if runs.Load() != 1 {
		t.Errorf("it ran %d times, want once", runs.Load())
	}
}

func TestFailureThatIsNoCollisionIsNotRunAgain(t *testing.T) {
	eachAPI(t, func(t *testing.T, a *api) {
		var runs atomic.Int32
		post(a, "/twice", func(ctx context.Context, tx *sqldb.SerialTx) error {
			runs.Add(1)
			_, err := tx.Exec(ctx, "INSERT INTO stock (id, n) VALUES (1, 1)")
			return err
		})
		a.wantProblem(a.call("/twice"), http.StatusConflict, "duplicate")
		if runs.Load() != 1 {
			t.Errorf("it ran %d times, want once", runs.Load())
		}
	})
}

// A body that was read from the connection cannot be read again.
func TestSerialTransactionBesideARawRequestDoesNotStart(t *testing.T) {
	a := newAPI(t, onSQLite(t))
	fastness.Post(a.App, "/raw", func(context.Context, struct {
		Tx      *sqldb.SerialTx
		Request *http.Request
	}) (none, error) {
		return none{}, nil
	}, access.Public)
	if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "POST /raw: it gets a *sqldb.SerialTx, which may run it again") {
		t.Errorf("Start() = %v", err)
	}
}

func TestWorkOutsideOfRequestsRunsAgain(t *testing.T) {
	a := newAPI(t, onPostgres(t))
	runs := 0
	err := a.db.SerialTx(t.Context(), func(tx *sqldb.SerialTx) error {
		if runs++; runs < 4 {
			return collide(t.Context(), tx.Tx)
		}
		_, err := tx.Exec(t.Context(), "UPDATE stock SET n = 7")
		return err
	})
	if err != nil || runs != 4 || a.count("SELECT n FROM stock") != 7 {
		t.Errorf("%v after %d runs, and n is %d, want 7 after 4", err, runs, a.count("SELECT n FROM stock"))
	}
	runs = 0
	err = a.db.SerialTx(t.Context(), func(tx *sqldb.SerialTx) error {
		runs++
		return collide(t.Context(), tx.Tx)
	})
	if p := problem.From(err); p.Status != http.StatusServiceUnavailable || runs != 4 {
		t.Errorf("%v after %d runs, want a 503 after 4", err, runs)
	}
	runs = 0
	err = a.db.SerialTx(t.Context(), func(*sqldb.SerialTx) error { runs++; return sql.ErrNoRows })
	if !errors.Is(err, sql.ErrNoRows) || runs != 1 {
		t.Errorf("%v after %d runs, want the error itself after one", err, runs)
	}
	a.wantIdle()
}
