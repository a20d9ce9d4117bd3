package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

// Order is what somebody buys.
type Order struct {
	ID       int64           `json:"order_id" minimum:"1" example:"7"`
	Customer string          `json:"customer" maxLength:"64" doc:"The id of the user who ordered."`
	ItemID   int64           `json:"item_id" minimum:"1" example:"7"`
	Name     string          `json:"name" maxLength:"120" doc:"The item's name, as it was." example:"Lamp"`
	Price    decimal.Decimal `json:"price" minimum:"0" doc:"Of one, without tax, as it was." example:"42.50"`
	Quantity int             `json:"quantity" minimum:"1" maximum:"1000" example:"2"`
	Note     string          `json:"note" maxLength:"1000"`
	Status   OrderStatus     `json:"status" enum:"open,sent,cancelled"`
	Created  time.Time       `json:"created"`
}

// Version says which order this is, of all that it has been: a PATCH has to name the one
// that its sender has seen. What else an order says never changes.
func (o Order) Version() string { return string(o.Status) + " " + o.Note }

// OrderStatus is how far an order has come.
type OrderStatus string

// NewOrder is what a customer sends.
type NewOrder struct {
	ItemID   int64  `json:"item_id" minimum:"1" example:"1"`
	Quantity int    `json:"quantity" minimum:"1" maximum:"1000" default:"1"`
	Note     string `json:"note" maxLength:"1000" default:"" doc:"For whoever packs it."`
}

// Orders are the ways to sort a list of them.
func (Order) Orders() page.Orders[Order] {
	return page.Orders[Order]{
		Default: "-created",
		By: map[string][]page.Column[Order]{
			"created": {page.By(sqldb.Constant("created"), func(o Order) int64 { return o.Created.Unix() })},
			"status":  {page.By(sqldb.Constant("status"), func(o Order) string { return string(o.Status) })},
		},
		Unique: page.By(sqldb.Constant("id"), func(o Order) int64 { return o.ID }),
	}
}

type listOrdersInput struct {
	page.CursorQuery[Order]
	Tenant auth.Tenant
	Caller auth.User
	Tx     *sqldb.ReadTx
}

// listOrders lists the caller's orders, or those of all customers for an
// administrator.
func listOrders(ctx context.Context, in listOrdersInput) (page.Page[Order], error) {
	return selectOrders(ctx, in.Tx, in.CursorQuery, in.Tenant, &in.Caller)
}

type createOrderInput struct {
	Tenant auth.Tenant
	Caller auth.User
	Live   *Live
	Tx     *sqldb.Tx
	Body   NewOrder
}

// soldOut is the answer to who orders more than there is. It does not say how many
// there are: the item does, to who may see it.
func soldOut() error {
	return problem.New(http.StatusConflict, "there are not as many left").Named("sold_out")
}

// createOrder orders an item that is for sale.
//
// The pieces are the caller's from then on. If there are not as many the answer is
// 409, and nothing is ordered.
func createOrder(ctx context.Context, in createOrderInput) (fastness.Created[Order], error) {
	item, err := itemKey{in.Body.ItemID}.load(ctx, in.Tx, nil) // Nobody buys a draft.
	if err != nil {
		return fastness.Created[Order]{}, err
	}
	if err := takeStock(ctx, in.Tx, item.ID, in.Body.Quantity); err != nil {
		return fastness.Created[Order]{}, err
	}
	order := Order{
		Customer: in.Caller.ID, ItemID: item.ID, Name: item.Name, Price: item.Price,
		Quantity: in.Body.Quantity, Note: in.Body.Note, Status: "open", Created: time.Now().UTC().Truncate(time.Second),
	}
	if order.ID, err = insertOrder(ctx, in.Tx, in.Tenant, order); err != nil {
		return fastness.Created[Order]{}, err
	}
	err = errors.Join(in.Live.stockChanged(ctx, in.Tx, item.ID), in.Live.ordered(ctx, in.Tx, in.Tenant, order))
	return fastness.Created[Order]{Body: order, Location: fmt.Sprintf("/orders/%d", order.ID)}, err
}

// orderKey is what a request says about the order that it wants, and who makes
// it.
type orderKey struct {
	ID     int64 `path:"order_id" minimum:"1" doc:"The id of the order." example:"7"`
	Tenant auth.Tenant
	Caller auth.User
}

// load finds the order if the caller may know of it: a customer of their own,
// an administrator of those of their tenant. Of all others it says that there is
// none.
func (k orderKey) load(ctx context.Context, from sqldb.Reader) (Order, error) {
	order, err := selectOrder(ctx, from, k.Tenant, k.ID)
	if err == nil && order.Customer != k.Caller.ID && !k.Caller.HasRole("admin") {
		return Order{}, access.Hidden()
	}
	return order, sqldb.NotFound(err, "")
}

// loadOrder provides the order of the path.
func loadOrder(ctx context.Context, in struct {
	orderKey
	Tx *sqldb.ReadTx
}) (Order, error) {
	return in.load(ctx, in.Tx)
}

// LockedOrder is an order that nobody else changes until the request is over.
type LockedOrder struct{ Order }

// lockOrder provides the order to operations that change it.
func lockOrder(ctx context.Context, in struct {
	orderKey
	Tx *sqldb.Tx
}) (LockedOrder, error) {
	order, err := in.load(ctx, in.Tx.ForUpdate())
	return LockedOrder{order}, err
}

// readOrder shows an order to who may see it.
func readOrder(_ context.Context, in struct{ Order Order }) (Order, error) { return in.Order, nil }

type changeOrderInput struct {
	Order LockedOrder
	Live  *Live
	Tx    *sqldb.Tx
	Body  fastness.MergePatch[OrderChange]
}

// OrderChange is what of an order can change.
type OrderChange struct {
	Note   string      `json:"note" maxLength:"1000"`
	Status OrderStatus `json:"status,omitzero" writableBy:"admin" enum:"open,sent,cancelled"`
}

// Validate refuses to take the status away.
func (c OrderChange) Validate(context.Context) error {
	if c.Status == "" {
		return schema.Invalid("an order has a status").At("status")
	}
	return nil
}

// changeOrder changes the note of an order. Administrators change its status, too.
//
// What is cancelled goes back on the shelf.
func changeOrder(ctx context.Context, in changeOrderInput) (Order, error) {
	order := in.Order.Order
	change, err := in.Body.Apply(OrderChange{order.Note, order.Status})
	if err != nil {
		return Order{}, err
	}
	order.Note, order.Status = change.Note, change.Status
	if err := reshelve(ctx, in.Tx, in.Live, in.Order.Status, order); err != nil {
		return Order{}, err
	}
	return order, updateOrder(ctx, in.Tx, order)
}

// reshelve puts the pieces of an order back that is cancelled now, and takes them
// again for one that is not any more.
func reshelve(ctx context.Context, tx *sqldb.Tx, live *Live, before OrderStatus, order Order) error {
	was, is := before == "cancelled", order.Status == "cancelled"
	if was == is {
		return nil
	}
	move := returnStock
	if was {
		move = takeStock
	}
	if err := move(ctx, tx, order.ItemID, order.Quantity); err != nil {
		return err
	}
	return live.stockChanged(ctx, tx, order.ItemID)
}
