package pgpubsub_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/database/pgpubsub"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
	"github.com/fastness/fastness/sqldb"
)

const history = 12_000

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newBus(t testing.TB, db *sqldb.DB, cfg pgpubsub.Config) *pgpubsub.Bus {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	b, err := pgpubsub.New(t.Context(), db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// postgres returns an empty database, and a connection to another one of the same
// server.
func postgres(t testing.TB) (db *sqldb.DB, admin *sql.DB, name string) {
	t.Helper()
	address := databasetest.URLOf(t, sqldb.PostgreSQL)
	u, err := url.Parse(address.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	other := databasetest.Open(t, databasetest.URLOf(t, sqldb.PostgreSQL))
	return databasetest.Open(t, address), other.Write, strings.TrimPrefix(u.Path, "/")
}

// shut lets the server end all connections to a database and take no new one, as
// a server that is restarted does.
func shut(t testing.TB, admin *sql.DB, name string) {
	t.Helper()
	if _, err := admin.Exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, admin *sql.DB, name string) {
	t.Helper()
	if _, err := admin.Exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS true"); err != nil {
		t.Fatal(err)
	}
}

func TestBusKeepsTheContract(t *testing.T) {
	pubsubtest.Run(t, func(t *testing.T) pubsubtest.Engine {
		db, admin, name := postgres(t)
		cfg := pgpubsub.Config{History: history}
		return pubsubtest.Engine{
			Buses:   [3]pubsub.Bus{newBus(t, db, cfg), newBus(t, db, cfg), newBus(t, db, cfg)},
			History: history, MaxData: 64 << 10, Keeps: true,
			Stop: func(t *testing.T) { shut(t, admin, name) }, Start: func(t *testing.T) { open(t, admin, name) },
		}
	})
}

func TestWhatRollsBackIsNotTold(t *testing.T) {
	db, _, _ := postgres(t)
	pubsubtest.Transactions(t, newBus(t, db, pgpubsub.Config{}), db)
}

func newHub(t testing.TB, bus pubsub.Bus) *pubsub.Hub[int] {
	t.Helper()
	h, err := pubsub.New[int](pubsub.Config{Name: "test", Bus: bus, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func subscribe(t testing.TB, h *pubsub.Hub[int], room string, after pubsub.ID) *pubsub.Subscription[int] {
	t.Helper()
	s, err := h.Subscribe(within(t), room, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func want(t testing.TB, s *pubsub.Subscription[int], numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		e, err := s.Next()
		if v, _ := e.Value(); err != nil || e.Gap || v != n {
			t.Fatalf("got %d (gap: %t, %v), want %d", v, e.Gap, err, n)
		}
	}
}

// An event whose transaction is still open has an id already. No reader may pass
// it: not one that knows the room, and not one for which the room is new.
func TestATransactionThatCommitsLateLosesNothing(t *testing.T) {
	db, _, _ := postgres(t)
	h := newHub(t, newBus(t, db, pgpubsub.Config{}))
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprint("the room is known: ", known), func(t *testing.T) {
			room := fmt.Sprint("room ", known)
			if known {
				want(t, subscribeAndPublish(t, h, room, 0), 0)
			}
			published, commit := make(chan struct{}), make(chan struct{})
			var slow sync.WaitGroup
			slow.Go(func() {
				err := db.Tx(within(t), func(tx *sqldb.Tx) error {
					err := h.PublishTx(within(t), tx, room, 1)
					close(published)
					<-commit
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			<-published
			var quick sync.WaitGroup
			quick.Go(func() { // It waits for the other.
				if err := h.Publish(within(t), room, 2); err != nil {
					t.Error(err)
				}
			})
			subscribed := make(chan *pubsub.Subscription[int])
			go func() { subscribed <- subscribe(t, h, room, pubsub.Oldest) }()
			waitForLocks(t, db, map[bool]int{true: 1, false: 2}[known])
			close(commit)
			s := <-subscribed
			slow.Wait()
			quick.Wait()
			if known {
				want(t, s, 0)
			}
			want(t, s, 1, 2)
		})
	}
}

func subscribeAndPublish(t testing.TB, h *pubsub.Hub[int], room string, n int) *pubsub.Subscription[int] {
	t.Helper()
	s := subscribe(t, h, room, pubsub.Now)
	if err := h.Publish(within(t), room, n); err != nil {
		t.Fatal(err)
	}
	return s
}

// waitForLocks waits until so many statements wait for a lock.
func waitForLocks(t testing.TB, db *sqldb.DB, n int) {
	t.Helper()
	until(t, "statements wait for a lock", func() bool {
		var waiting int
		err := db.Write.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waiting)
		return err == nil && waiting >= n
	})
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// A process that is killed after its commit has told everybody all the same.
func TestWhatCommitsIsToldByTheServer(t *testing.T) {
	db, _, _ := postgres(t)
	listener := newHub(t, newBus(t, db, pgpubsub.Config{}))
	s := subscribe(t, listener, "room", pubsub.Now)
	bus, err := pgpubsub.New(t.Context(), db, pgpubsub.Config{Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	publisher := newHub(t, bus)
	tx, end, err := sqldb.Begin(within(t), sqldb.From{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	if err := publisher.PublishTx(within(t), tx, "room", 7); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(publisher.Close(), bus.Close()); err != nil { // All of it is gone but for the transaction.
		t.Fatal(err)
	}
	if err := end(nil); err != nil {
		t.Fatal(err)
	}
	want(t, s, 7)
}

// The connection that listens may break alone: nobody publishes through it.
func TestAConnectionThatBreaksLosesNothing(t *testing.T) {
	db, admin, name := postgres(t)
	var log bytes.Buffer
	h := newHub(t, newBus(t, db, pgpubsub.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	s := subscribe(t, h, "room", pubsub.Now)
	listening := "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%'"
	for round := range 3 {
		until(t, "it listens", func() bool {
			var n int
			return admin.QueryRow(listening, name).Scan(&n) == nil && n == 1
		})
		if _, err := admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%'", name); err != nil {
			t.Fatal(err)
		}
		for n := range 10 {
			if err := h.Publish(within(t), "room", 10*round+n); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 30 {
		want(t, s, n)
	}
}

func TestOldEventsAndRoomsAreDeleted(t *testing.T) {
	db, admin, _ := postgres(t)
	_ = admin
	h := newHub(t, newBus(t, db, pgpubsub.Config{HistoryAge: time.Second}))
	s := subscribeAndPublish(t, h, "room", 1)
	want(t, s, 1)
	if _, err := db.Write.Exec("INSERT INTO fastness_event_rooms VALUES ('silent since yesterday', 1, 0, 1)"); err != nil {
		t.Fatal(err)
	}
	until(t, "what is old is deleted", func() bool {
		var events, rooms int
		err := db.Write.QueryRow("SELECT (SELECT count(*) FROM fastness_events), (SELECT count(*) FROM fastness_event_rooms)").Scan(&events, &rooms)
		return err == nil && events == 0 && rooms == 1
	})
	if err := h.Publish(within(t), "room", 2); err != nil { // Nothing is missed by who was there.
		t.Fatal(err)
	}
	want(t, s, 2)
}

func TestNewNamesEveryMistake(t *testing.T) {
	lite := databasetest.Open(t, databasetest.URLOf(t, sqldb.SQLite))
	_, err := pgpubsub.New(t.Context(), lite, pgpubsub.Config{History: -1, HistoryAge: 1, MaxData: -1})
	for _, want := range []string{"pgpubsub config: ", "none of PostgreSQL", "History is -1", "HistoryAge is 1ns", "MaxData is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q, too", err, want)
		}
	}
}

// Several processes that start at once make the tables once.
func TestSeveralProcessesMakeTheTables(t *testing.T) {
	address := databasetest.URLOf(t, sqldb.PostgreSQL)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			db, err := database.Open(t.Context(), address, database.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			bus, err := pgpubsub.New(t.Context(), db, pgpubsub.Config{Logger: quiet()})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(bus.Close(), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestBusesAreGivenBack(t *testing.T) {
	db, _, _ := postgres(t)
	newBus(t, db, pgpubsub.Config{})
	before := runtime.NumGoroutine()
	for range 3 {
		bus, err := pgpubsub.New(t.Context(), db, pgpubsub.Config{Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		h := newHub(t, bus)
		for n := range 10 {
			if s := subscribe(t, h, fmt.Sprint(n), pubsub.Now); n%2 == 0 {
				s.Close()
			}
		}
		if err := errors.Join(h.Close(), bus.Close()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+20 }) // Those of idle connections of the pool.
}
