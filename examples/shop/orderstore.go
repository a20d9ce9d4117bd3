package main

import (
	"context"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/sqldb"
)

const orderColumns = "id, customer, item_id, name, price, quantity, note, status, created"

func scanOrder(from sqldb.Row) (order Order, err error) {
	var created int64
	err = from.Scan(&order.ID, &order.Customer, &order.ItemID, &order.Name, &order.Price, &order.Quantity, &order.Note, &order.Status, &created)
	order.Created = time.Unix(created, 0).UTC()
	return order, err
}

func selectOrder(ctx context.Context, from sqldb.Reader, tenant auth.Tenant, id int64) (Order, error) {
	return scanOrder(from.QueryRow(ctx, "SELECT "+orderColumns+" FROM orders WHERE tenant = ? AND id = ?", tenant, id))
}

// selectOrders returns a page of the orders of a tenant: those of one customer, or all
// for an administrator.
func selectOrders(ctx context.Context, from sqldb.Reader, q page.CursorQuery[Order], tenant auth.Tenant, u *auth.User) (page.Page[Order], error) {
	return q.Select(ctx, from, sqldb.Constant("SELECT "+orderColumns+" FROM orders"), scanOrder,
		sqldb.Condition("tenant = ?", tenant), sqldb.Condition("(customer = ? OR ?)", u.ID, u.HasRole("admin")))
}

func insertOrder(ctx context.Context, tx *sqldb.Tx, tenant auth.Tenant, o Order) (id int64, err error) {
	err = tx.QueryRow(ctx, "INSERT INTO orders (tenant, customer, item_id, name, price, quantity, note, status, created)"+
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
		tenant, o.Customer, o.ItemID, o.Name, o.Price, o.Quantity, o.Note, o.Status, o.Created.Unix()).Scan(&id)
	return id, err
}

func updateOrder(ctx context.Context, tx *sqldb.Tx, o Order) error {
	_, err := tx.Exec(ctx, "UPDATE orders SET note = ?, status = ? WHERE id = ?", o.Note, o.Status, o.ID)
	return err
}

// ordersByMinute counts the orders of a tenant, or of all, in each of the 60 minutes
// up to now.
func ordersByMinute(ctx context.Context, from sqldb.Reader, tenant auth.Tenant, now time.Time) ([]int, error) {
	first := now.Unix()/60 - 59
	rows, err := from.Query(ctx, "SELECT created / 60, count(*) FROM orders WHERE created >= ? AND (? OR tenant = ?) GROUP BY created / 60",
		first*60, tenant.IsZero(), tenant.String())
	if err != nil {
		return nil, err
	}
	type minute struct{ number, orders int64 }
	minutes, err := sqldb.All(rows, func(row sqldb.Row) (m minute, err error) {
		err = row.Scan(&m.number, &m.orders)
		return m, err
	})
	counts := make([]int, 60)
	for _, m := range minutes {
		counts[min(max(m.number-first, 0), 59)] += int(m.orders)
	}
	return counts, err
}
