package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

// OrderHistory is what somebody has ordered, as a page.
type OrderHistory struct {
	fastness.Page
	Orders  page.Page[Order] `json:"orders"`
	Visitor Visitor          `json:"-"`
	All     bool             `json:"-"` // of all customers
}

// Sum is what an order costs, without tax.
func (o Order) Sum() decimal.Decimal { return o.Price.Mul(decimal.NewFromInt(int64(o.Quantity))) }

type orderHistoryInput struct {
	page.CursorQuery[Order]
	Tenant  auth.Tenant
	Visitor Visitor
	Tx      *sqldb.ReadTx
}

// orderHistory shows the caller's orders, or those of all customers to an
// administrator, the newest first.
func orderHistory(ctx context.Context, in orderHistoryInput) (fastness.View[OrderHistory], error) {
	history := OrderHistory{Visitor: in.Visitor, All: in.Visitor.User.HasRole("admin")}
	var err error
	history.Orders, err = selectOrders(ctx, in.Tx, in.CursorQuery, in.Tenant, in.Visitor.User)
	return fastness.View[OrderHistory]{Template: pages.Lookup("orders.html"), Body: history}, err
}

// buyInput takes whatever a form can hold: who orders too many is to see the form
// again.
type buyInput struct {
	Item     LockedItem
	Tenant   auth.Tenant
	Caller   auth.User
	Visitor  Visitor
	Live     *Live
	Tx       *sqldb.Tx
	Quantity string `form:"quantity" default:"1" maxLength:"10"`
}

// buy takes the form of an item's page and leads to the order.
func buy(ctx context.Context, in buyInput) (fastness.View[ItemPage], error) {
	quantity, err := strconv.Atoi(in.Quantity)
	if err != nil || quantity < 1 || quantity > 1000 {
		return in.again(ctx, 422, "Please order 1 to 1000 pieces.")
	}
	made, err := createOrder(ctx, createOrderInput{in.Tenant, in.Caller, in.Live, in.Tx, NewOrder{ItemID: in.Item.ID, Quantity: quantity}})
	if refused, ok := errors.AsType[*problem.Problem](err); ok && refused.Code == "sold_out" {
		return in.again(ctx, refused.Status, "There are not as many left.")
	}
	view, wrong := in.again(ctx, 0, "")
	view.SeeOther = fmt.Sprintf("/orders/history#order-%d", made.Body.ID)
	return view, errors.Join(err, wrong)
}

// again is the item's page with what is wrong with the order.
func (in *buyInput) again(ctx context.Context, status int, why string) (fastness.View[ItemPage], error) {
	view, err := itemPage(ctx, in.Tx, in.Item.Item, in.Visitor, 0)
	view.Status, view.Body.Buy.Problem = status, why
	return view, err
}
