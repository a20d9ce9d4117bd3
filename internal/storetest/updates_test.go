package storetest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/idempotency/sqlkeys"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/sqldb"
)

// names is a scheme for tests: the credential is the user's name.
type names struct{}

func (names) Describe() auth.Description {
	return auth.Description{Name: "name", Challenge: "Name", Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-Name"}}
}

func (names) Present(r *http.Request) bool { return r.Header.Get("X-Name") != "" }

func (names) Authenticate(_ context.Context, r *http.Request) (*auth.User, error) {
	return &auth.User{ID: r.Header.Get("X-Name"), Scheme: "name"}, nil
}

// stock is a row with a version.
type stock struct {
	ID       int64 `json:"id" path:"id"`
	Left     int64 `json:"left"`
	Revision int64 `json:"-"`
}

func (s stock) Version() string { return strconv.FormatInt(s.Revision, 10) }

type lockedStock struct{ stock }

func lockStock(ctx context.Context, in struct {
	ID int64 `path:"id"`
	DB *sqldb.DB
	Tx *sqldb.Tx
}) (lockedStock, error) {
	s := stock{ID: in.ID}
	var err error
	if in.DB.Dialect == sqldb.PostgreSQL {
		err = in.Tx.QueryRow(ctx, "SELECT amount, revision FROM stock WHERE id = $1 FOR UPDATE", in.ID).Scan(&s.Left, &s.Revision)
	} else {
		err = in.Tx.QueryRow(ctx, "SELECT amount, revision FROM stock WHERE id = ?", in.ID).Scan(&s.Left, &s.Revision)
	}
	return lockedStock{s}, sqldb.NotFound(err, "")
}

// updatesApp is an app that takes orders, and changes a stock, over db.
func updatesApp(t *testing.T, db *sqldb.DB) *fastnesstest.API {
	t.Helper()
	app := fastness.New(fastness.Config{Title: "Updates", Version: "1", RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: manyRequests}}})
	app.Authenticate(names{})
	fastness.ProvideValue(app, db)
	fastness.ProvideCleanup(app, sayCommitted)
	fastness.ProvideCleanup(app, sqldb.Begin)
	fastness.ProvideApp(app, func(ctx context.Context, in struct{ DB *sqldb.DB }) (*idempotency.Keys, func(error) error, error) {
		store, err := sqlkeys.Open(ctx, in.DB)
		if err != nil {
			return nil, nil, err
		}
		keys, err := idempotency.New(idempotency.Config{Store: store})
		return keys, nil, err
	})
	fastness.Post(app, "/orders", createOrder, access.Authenticated, idempotency.Required())
	fastness.Post(app, "/calls", func(context.Context, struct{ Body map[string]any }) (string, error) { return "called", nil }, access.Authenticated, idempotency.Required())
	fastness.Provide(app, lockStock)
	fastness.Patch(app, "/stock/{id}", changeStock, access.Authenticated)
	return fastnesstest.New(t, app, fastnesstest.Header("X-Name", "ann"))
}

// committed is made before the transaction, and cleaned up after it.
type committed struct{}

// sayCommitted lets the parent of a child kill it between the commit and the answer.
func sayCommitted(context.Context, struct{}) (committed, func(error) error, error) {
	return committed{}, func(err error) error {
		if err == nil && os.Getenv(orderName) != "" {
			fmt.Println("committed")
		}
		return nil
	}, nil
}

func createOrder(ctx context.Context, in struct {
	After committed
	DB    *sqldb.DB
	Tx    *sqldb.Tx
	Body  struct {
		Item string `json:"item"`
	}
}) (fastness.Created[string], error) {
	insert := func() error {
		_, err := in.Tx.Exec(ctx, "INSERT INTO orders (item) VALUES (?)", in.Body.Item)
		return err
	}
	if in.DB.Dialect == sqldb.PostgreSQL {
		insert = func() error {
			_, err := in.Tx.Exec(ctx, "INSERT INTO orders (item) VALUES ($1)", in.Body.Item)
			return err
		}
	}
	return fastness.Created[string]{Body: in.Body.Item}, insert()
}

func changeStock(ctx context.Context, in struct {
	DB    *sqldb.DB
	Tx    *sqldb.Tx
	Stock lockedStock
	Body  fastness.MergePatch[stock]
}) (stock, error) {
	s, err := in.Body.Apply(in.Stock.stock)
	if err != nil {
		return stock{}, err
	}
	s.Revision++
	if in.DB.Dialect == sqldb.PostgreSQL {
		_, err = in.Tx.Exec(ctx, "UPDATE stock SET amount = $1, revision = $2", s.Left, s.Revision)
	} else {
		_, err = in.Tx.Exec(ctx, "UPDATE stock SET amount = ?, revision = ?", s.Left, s.Revision)
	}
	return s, err
}

func makeUpdatesTables(t *testing.T, db *sqldb.DB) {
	t.Helper()
	for _, statement := range []string{"CREATE TABLE orders (item TEXT NOT NULL)", "CREATE TABLE stock (id INTEGER, amount INTEGER, revision INTEGER)", "INSERT INTO stock VALUES (1, 9, 1)"} {
		if _, err := db.Write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, db *sqldb.DB, query string) (n int) {
	t.Helper()
	if err := db.Write.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func orderKey(i int) fastnesstest.Option {
	return fastnesstest.Header("Idempotency-Key", fmt.Sprintf(`"8e03978e-40d5-43e8-bc93-%012d"`, i))
}

func item(i int) map[string]any { return map[string]any{"item": strconv.Itoa(i)} }

// Of fifty orders with one key, half of them sent to another process, one is made.
func TestParallelOrdersWithOneKeyMakeOneRow(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		makeUpdatesTables(t, db)
		apps := []*fastnesstest.API{updatesApp(t, db), updatesApp(t, openAgain(t, db))}
		statuses := make(chan int, 50)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() { statuses <- apps[i%2].Post("/orders", item(1), orderKey(1)).Status })
		}
		all.Wait()
		close(statuses)
		created := 0
		for status := range statuses {
			switch status {
			case 201:
				created++
			case 409:
			default:
				t.Errorf("status %d, want 201 or 409", status)
			}
		}
		if rows := count(t, db, "SELECT COUNT(*) FROM orders"); rows != 1 || created == 0 {
			t.Errorf("%d rows, and %d were told that theirs was made", rows, created)
		}
		for _, app := range apps {
			app.Post("/orders", item(1), orderKey(1)).Want(201).WantHeader("Idempotent-Replayed", "true").WantJSON(`"1"`)
			app.Post("/orders", item(2), orderKey(1)).WantProblem(422, "idempotency_key_reused")
		}
		if readable := count(t, db, "SELECT COUNT(*) FROM fastness_idempotency WHERE answer IS NULL"); readable != 0 {
			t.Errorf("%d keys have no answer", readable)
		}
	})
}

// Without a transaction, the answer is kept after the effect, and a key in use is
// refused by all processes.
func TestKeyWithoutATransaction(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		makeUpdatesTables(t, db)
		apps := []*fastnesstest.API{updatesApp(t, db), updatesApp(t, openAgain(t, db))}
		apps[0].Post("/calls", item(1), orderKey(1)).Want(200)
		apps[1].Post("/calls", item(1), orderKey(1)).Want(200).WantHeader("Idempotent-Replayed", "true")
		if _, err := db.Write.ExecContext(t.Context(), "UPDATE fastness_idempotency SET answer = NULL"); err != nil { // As if the process had died.
			t.Fatal(err)
		}
		apps[1].Post("/calls", item(1), orderKey(1)).WantProblem(409, "idempotency_key_in_use")
		if _, err := db.Write.ExecContext(t.Context(), "UPDATE fastness_idempotency SET until = 1"); err != nil {
			t.Fatal(err)
		}
		apps[1].Post("/calls", item(2), orderKey(1)).Want(200)
	})
}

// Of many who saw the same version one wins, also with several processes.
func TestParallelChangesOfOneVersionMakeOneChange(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		makeUpdatesTables(t, db)
		apps := []*fastnesstest.API{updatesApp(t, db), updatesApp(t, openAgain(t, db))}
		tag := apps[0].Patch("/stock/1", map[string]any{"left": 10}, fastnesstest.Header("If-Match", "*")).Want(200).Header.Get("ETag")
		statuses := make(chan int, 40)
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				statuses <- apps[i%2].Patch("/stock/1", map[string]any{"left": i}, fastnesstest.Header("If-Match", tag)).Status
			})
		}
		all.Wait()
		close(statuses)
		won := 0
		for status := range statuses {
			if status == 200 {
				won++
			} else if status != 412 {
				t.Errorf("status %d, want 200 or 412", status)
			}
		}
		if revision := count(t, db, "SELECT revision FROM stock"); won != 1 || revision != 3 {
			t.Errorf("%d won and the revision is %d, want 1 and 3", won, revision)
		}
	})
}

// What the child of TestKilledOrderIsNotMadeTwice is told.
const (
	orderDialect = "FASTNESS_ORDER_DIALECT"
	orderName    = "FASTNESS_ORDER_NAME"
	orderFirst   = "FASTNESS_ORDER_FIRST"
)

// TestOrderChild is no test: it is the process that gets killed. It orders as fast as
// it can, and says what it is about to order.
func TestOrderChild(t *testing.T) {
	name := os.Getenv(orderName)
	if name == "" {
		t.Skip("only runs as a child process")
	}
	dialect, err := strconv.Atoi(os.Getenv(orderDialect))
	if err != nil {
		t.Fatal(err)
	}
	first, err := strconv.Atoi(os.Getenv(orderFirst))
	if err != nil {
		t.Fatal(err)
	}
	api := updatesApp(t, openNamed(t, sqldb.Dialect(dialect), name))
	for i := first; i < first+100_000; i++ {
		fmt.Println("order", i)
		api.Post("/orders", item(i), orderKey(i)).Want(201)
	}
}

// A process dies by kill -9 while it makes orders. Who sends them again, all of them,
// has each of them once.
func TestKilledOrderIsNotMadeTwice(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("FASTNESS_KILLS")); err == nil {
		kills = n
	}
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		makeUpdatesTables(t, db)
		api := updatesApp(t, db)
		begun, replayed, next := 0, 0, 1
		for i := range kills {
			first := next
			next = killWhileOrdering(t, db, first, 2+i*3, []string{"order", "committed"}[i%2]) + 1
			for number := first; number < next; number++ {
				begun++
				if api.Post("/orders", item(number), orderKey(number)).Want(201).Header.Get("Idempotent-Replayed") != "" {
					replayed++
				}
			}
		}
		if rows, different := count(t, db, "SELECT COUNT(*) FROM orders"), count(t, db, "SELECT COUNT(DISTINCT item) FROM orders"); rows != begun || different != begun {
			t.Errorf("%d orders were begun, and there are %d, of which %d are different", begun, rows, different)
		}
		if replayed == 0 || replayed == begun {
			t.Errorf("%d of %d orders had been made: want some that were lost, and some that were not", replayed, begun)
		}
		t.Logf("%d kills, %d orders, of which %d had been made", kills, begun, replayed)
	})
}

// killWhileOrdering kills a child when it has said a word n times: before an order, or
// between its commit and its answer. It returns the last order that was begun.
func killWhileOrdering(t *testing.T, db *sqldb.DB, first, n int, word string) (last int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOrderChild$", "-test.v")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", orderDialect, db.Dialect), orderName+"="+whereIs(t, db), fmt.Sprintf("%s=%d", orderFirst, first))
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	said := 0
	for lines.Scan() {
		var number int
		if _, err := fmt.Sscanf(lines.Text(), "order %d", &number); err == nil {
			last = number
		}
		if !strings.HasPrefix(lines.Text(), word) {
			continue
		}
		if said++; said == n {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = child.Wait() // It was killed.
	if said < n {
		t.Fatalf("the child ended after it said %q %d times", word, said)
	}
	return last
}
