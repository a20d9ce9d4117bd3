package pubsubtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
)

// Transactions wants that what is published in a transaction of db is told when
// it commits, and never if it rolls back.
func Transactions(t *testing.T, bus pubsub.Bus, db *sqldb.DB) {
	h := hub(t, bus, "test", 0)
	s := subscribe(t, h, "room", pubsub.Now)
	in := func(failure error, numbers ...int) error {
		return db.Tx(within(t), func(tx *sqldb.Tx) error {
			for _, n := range numbers {
				if err := h.PublishTx(within(t), tx, "room", event{N: n}); err != nil {
					t.Fatal(err)
				}
			}
			publish(t, h, "another room", numbers[0], numbers[0]) // It waits for nobody here.
			return failure
		})
	}
	broken := errors.New("broken")
	if err := in(broken, 100); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if err := in(nil, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := in(broken, 101, 102); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	publish(t, h, "room", 4, 4)
	wantNext(t, s, 1, 4)
	err := db.Tx(within(t), func(tx *sqldb.Tx) error {
		return h.PublishTx(within(t), tx, "room", event{Text: strings.Repeat("x", 1<<20)})
	})
	if !errors.Is(err, pubsub.ErrTooLarge) {
		t.Errorf("PublishTx() of too much = %v, want ErrTooLarge at once", err)
	}
}
