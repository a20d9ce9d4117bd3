package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/database/pgpubsub"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/sqldb"
)

// ItemEvent is something that has happened to an item that is for sale. Everybody
// gets the same: there is nothing in it that only some may know.
type ItemEvent struct {
	Kind     ItemEventKind `json:"kind" enum:"stock,review,removed,gap"`
	ItemID   int64         `json:"item_id" minimum:"1" example:"7"`
	Stock    *int          `json:"stock,omitzero" minimum:"0" doc:"Of kind stock: how many pieces are left. Absent: it is made to order."`
	Review   *Review       `json:"review,omitzero" doc:"Of kind review: what somebody has said."`
	ReviewID int64         `json:"review_id,omitzero" minimum:"1" doc:"Of kind removed: the review that is gone."`
}

// ItemEventKind is what has happened. After a gap nobody knows: look at the item again.
type ItemEventKind string

// OrderEvent is an order that was placed, as administrators see it live. Who ordered
// what they look up.
type OrderEvent struct {
	OrderID int64     `json:"order_id" minimum:"1" example:"7"`
	Created time.Time `json:"created"`
}

// Live tells those who look at the shop what happens in it.
type Live struct {
	items  *pubsub.Hub[ItemEvent]
	orders *pubsub.Hub[OrderEvent]
	events *schema.Type[ItemEvent]
}

// openLive provides the hubs.
func openLive(ctx context.Context, in struct {
	DB  *sqldb.DB
	App *fastness.App
}) (*Live, func(error) error, error) {
	bus, closeBus, err := openBus(ctx, in.DB, in.App.Logger())
	if err != nil {
		return nil, nil, err
	}
	items, itemErr := pubsub.New[ItemEvent](pubsub.Config{Name: "items", Bus: bus})
	orders, orderErr := pubsub.New[OrderEvent](pubsub.Config{Name: "orders", Bus: bus})
	events, typeErr := schema.For[ItemEvent]()
	if err := errors.Join(itemErr, orderErr, typeErr); err != nil {
		return nil, nil, errors.Join(err, closeBus())
	}
	return &Live{items, orders, events}, func(error) error { return errors.Join(items.Close(), orders.Close(), closeBus()) }, nil
}

// openBus returns what carries events between the processes of a shop: PostgreSQL. A
// shop on SQLite is one process.
func openBus(ctx context.Context, db *sqldb.DB, logger *slog.Logger) (pubsub.Bus, func() error, error) {
	if db.Dialect != sqldb.PostgreSQL {
		return nil, func() error { return nil }, nil
	}
	bus, err := pgpubsub.New(ctx, db, pgpubsub.Config{Logger: logger})
	if err != nil {
		return nil, nil, err
	}
	return bus, bus.Close, nil
}

// The rooms: of one item, of the stock of all items, and of the orders of a tenant or
// of all.
func itemRoom(id int64) string { return "item-" + strconv.FormatInt(id, 10) }

const stockRoom = "stock"

func ordersRoom(t auth.Tenant) string {
	if t.IsZero() {
		return "orders"
	}
	return "orders-" + t.String()
}

// position returns the id of what has happened in a room so far. Who asks before
// reading the database, and listens from there on, misses nothing. If the hub is full or
// away it is now: a page is shown all the same, and is not as live.
func position[T any](ctx context.Context, hub *pubsub.Hub[T], room string) pubsub.ID {
	sub, err := hub.Subscribe(ctx, room, pubsub.Now)
	if err != nil {
		return pubsub.Now
	}
	defer sub.Close()
	return sub.After()
}

// stockChanged tells how many pieces of an item are left, once tx has committed. Of a
// draft nobody hears.
func (l *Live) stockChanged(ctx context.Context, tx *sqldb.Tx, id int64) error {
	item, err := selectItem(ctx, tx, id)
	if err != nil || item.Draft {
		return sqldb.NotFound(err, "")
	}
	event := ItemEvent{Kind: "stock", ItemID: id, Stock: item.Stock}
	return errors.Join(l.items.PublishTx(ctx, tx, stockRoom, event), l.items.PublishTx(ctx, tx, itemRoom(id), event))
}

// setStock writes how many pieces of an item there are, and tells it.
func (l *Live) setStock(ctx context.Context, tx *sqldb.Tx, item Item) error {
	if err := updateStock(ctx, tx, item.ID, item.Stock); err != nil {
		return err
	}
	return l.stockChanged(ctx, tx, item.ID)
}

// reviewed tells that somebody has said something about an item.
func (l *Live) reviewed(ctx context.Context, tx *sqldb.Tx, item Item, review Review) error {
	if item.Draft {
		return nil
	}
	return l.items.PublishTx(ctx, tx, itemRoom(item.ID), ItemEvent{Kind: "review", ItemID: item.ID, Review: &review})
}

// reviewRemoved tells that a review is gone.
func (l *Live) reviewRemoved(ctx context.Context, tx *sqldb.Tx, review Review) error {
	return l.items.PublishTx(ctx, tx, itemRoom(review.ItemID), ItemEvent{Kind: "removed", ItemID: review.ItemID, ReviewID: review.ID})
}

// ordered tells administrators of an order: those of the tenant and those of all.
func (l *Live) ordered(ctx context.Context, tx *sqldb.Tx, tenant auth.Tenant, order Order) error {
	event := OrderEvent{order.ID, order.Created}
	return errors.Join(l.orders.PublishTx(ctx, tx, ordersRoom(auth.Tenant{}), event), l.orders.PublishTx(ctx, tx, ordersRoom(tenant), event))
}

// seenEvents is what a request says of the events that it has seen.
type seenEvents struct {
	Last  pubsub.ID `header:"Last-Event-ID" default:"" maxLength:"20" doc:"The id of the last event that was seen."`
	After pubsub.ID `query:"after" default:"" maxLength:"20" doc:"The same for a first connection: the page has it."`
}

type watchItemsInput struct {
	seenEvents
	Live *Live
}

// watchItems tells how many pieces are left of what is for sale, whenever that
// changes.
//
// An event "gap" says that something may be missing: load the list again.
func watchItems(ctx context.Context, in watchItemsInput) (fastness.SSE[schema.Encoded[ItemEvent]], error) {
	return watch(ctx, in.Live.items, stockRoom, in.seenEvents, "stock")
}

type watchOrdersInput struct {
	seenEvents
	Live   *Live
	Caller auth.User
}

// watchOrders tells of each order when it is placed.
//
// Administrators of a tenant hear of its orders, those without one of all.
func watchOrders(ctx context.Context, in watchOrdersInput) (fastness.SSE[schema.Encoded[OrderEvent]], error) {
	return watch(ctx, in.Live.orders, ordersRoom(in.Caller.Tenant), in.seenEvents, "order")
}

// watch makes server-sent events of what happens in a room. The first one only says
// where it begins: a client that is cut off before anything happens goes on there.
func watch[T any](ctx context.Context, hub *pubsub.Hub[T], room string, seen seenEvents, name string) (fastness.SSE[schema.Encoded[T]], error) {
	sub, err := hub.Subscribe(ctx, room, cmp.Or(seen.Last, seen.After))
	if err != nil {
		return fastness.SSE[schema.Encoded[T]]{}, err
	}
	return fastness.SSE[schema.Encoded[T]]{Events: func(yield func(fastness.Event[schema.Encoded[T]], error) bool) {
		if !yield(fastness.Event[schema.Encoded[T]]{ID: sub.After().String(), Name: "begin", Text: "begin"}, nil) {
			sub.Close()
			return
		}
		for event, err := range sub.Events() {
			sent := fastness.Event[schema.Encoded[T]]{ID: event.ID.String(), Name: name, Data: event.JSON}
			if event.Gap {
				sent.Name, sent.Text = "gap", "gap"
			}
			if !yield(sent, err) {
				return
			}
		}
	}}, nil
}
