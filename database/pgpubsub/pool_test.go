package pgpubsub_test

import (
	"sync"
	"testing"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/database/pgpubsub"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
)

// Requests that are all in a transaction, and subscribe and publish in it: none waits
// for a connection that only another of them could give back.
func TestRequestsInTransactionsDoNotStarveEachOther(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.URLOf(t, sqldb.PostgreSQL), database.Config{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := newHub(t, newBus(t, db, pgpubsub.Config{}))
	var all, begun sync.WaitGroup
	begun.Add(2)
	for range 2 {
		all.Go(func() {
			err := db.ReadTx(within(t), func(*sqldb.ReadTx) error {
				begun.Done()
				begun.Wait() // The pool is empty now.
				s, err := h.Subscribe(within(t), "room", pubsub.Now)
				if err != nil {
					return err
				}
				defer s.Close()
				return h.Publish(within(t), "room", 1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Who publishes in a room waits for the transaction that has published there before, and
// nobody who reads waits for them.
func TestWhoReadsDoesNotWaitForWhoPublishes(t *testing.T) {
	db, _, _ := postgres(t)
	h := newHub(t, newBus(t, db, pgpubsub.Config{}))
	if err := h.Publish(within(t), "busy", 1); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	err := db.Tx(within(t), func(tx *sqldb.Tx) error {
		if err := h.PublishTx(within(t), tx, "busy", 2); err != nil {
			return err
		}
		for range 8 {
			all.Go(func() {
				if err := h.Publish(within(t), "busy", 3); err != nil {
					t.Error(err)
				}
			})
		}
		until(t, "all that can wait do", func() bool {
			var waiting int
			err := db.Write.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waiting)
			return err == nil && waiting >= 4
		})
		s, err := h.Subscribe(within(t), "busy", pubsub.Now)
		if err == nil {
			s.Close()
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	all.Wait()
}
