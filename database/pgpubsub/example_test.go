package pgpubsub_test

import (
	"context"
	"fmt"

	"github.com/fastness/fastness/database/pgpubsub"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
)

type order struct {
	Item string `json:"item"`
}

// place stores an order and tells who looks at the item, if and only if the order
// is stored.
func place(ctx context.Context, db *sqldb.DB, live *pubsub.Hub[order], o order) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO orders (item) VALUES (?)", o.Item); err != nil {
			return err
		}
		return live.PublishTx(ctx, tx, "item-"+o.Item, o)
	})
}

func Example() {
	live := func(ctx context.Context, db *sqldb.DB) (*pubsub.Hub[order], error) {
		bus, err := pgpubsub.New(ctx, db, pgpubsub.Config{})
		if err != nil {
			return nil, err
		}
		return pubsub.New[order](pubsub.Config{Name: "orders", Bus: bus})
	}
	_, err := live(context.Background(), &sqldb.DB{}) // It is one of SQLite.
	fmt.Println(err)
	_ = place
	// Output: pgpubsub config: the database is none of PostgreSQL: one process needs no bus, and several need a server
}
