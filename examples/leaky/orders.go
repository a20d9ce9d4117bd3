package main

import (
	"fmt"
	"net/http"
	"time"
)

const isoDay = "2006-01-02"

// listOrders lists the orders of the caller.
func (s *shop) listOrders(w http.ResponseWriter, r *http.Request, u user) {
	customer := any(u.id)
	// FLAW LK-33 (AZ-01, API1:2023, CWE-639): the filter for administrators works for everybody
	if filter := r.URL.Query().Get("customer_id"); filter != "" {
		customer = filter
	}
	reply(w, 200, map[string]any{"orders": s.all("SELECT * FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT 100", customer)})
}

// branchOrders lists the orders of the caller's branch, for its staff.
func (s *shop) branchOrders(w http.ResponseWriter, r *http.Request, u user) {
	branch := u.branch
	// FLAW LK-34 (AZ-04 AZ-01, API1:2023, CWE-639): the tenant is what the header says
	if header := r.Header.Get("X-Branch"); header != "" {
		branch = header
	}
	reply(w, 200, map[string]any{"branch": branch, "orders": s.all("SELECT * FROM orders WHERE branch = ? ORDER BY id DESC LIMIT 100", branch)})
}

type newOrder struct {
	ItemID     int64    `json:"item_id"`
	Quantity   int64    `json:"quantity"`
	Note       string   `json:"note"`
	CustomerID int64    `json:"customer_id"`
	Price      *float64 `json:"price"`
}

// createOrder orders an item.
func (s *shop) createOrder(w http.ResponseWriter, r *http.Request, u user) {
	in := newOrder{Quantity: 1}
	if !decode(w, r, &in) {
		return
	}
	item := s.row("SELECT price, stock FROM items WHERE id = ?", in.ItemID)
	if item == nil {
		fail(w, 404, "no such item")
		return
	}
	price := item["price"].(float64)
	// FLAW LK-35 (BP-01 FLOW-03, API3:2023, CWE-915): the customer may say what a piece costs
	if in.Price != nil {
		price = *in.Price
	}
	// FLAW LK-36 (AZ-04, API1:2023, CWE-639): the order belongs to whom the body names
	if in.CustomerID == 0 {
		in.CustomerID = u.id
	}
	// FLAW LK-37 (FLOW-01, API6:2023, CWE-840): a quantity below zero gives money back
	stock, counted := item["stock"].(int64)
	if in.Quantity == 0 || counted && stock < in.Quantity {
		fail(w, 409, "there are not as many left")
		return
	}
	pay()
	// FLAW LK-38 (BF-01 FLOW-02, API6:2023, CWE-362): between the look at the stock and this line others buy the same piece
	if counted {
		s.exec("UPDATE items SET stock = ? WHERE id = ?", stock-in.Quantity, in.ItemID)
	}
	total := price * float64(in.Quantity)
	s.exec("UPDATE users SET credit = credit - ? WHERE id = ?", total, u.id)
	id, _ := s.exec("INSERT INTO orders (customer_id, item_id, quantity, total, note, branch, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
		in.CustomerID, in.ItemID, in.Quantity, total, in.Note, u.branch, time.Now().Format(isoDay))
	s.exec("INSERT INTO deliveries (id, order_id, customer_id, address) VALUES (?, ?, ?, ?)", "d-"+random()[:12], id, in.CustomerID, "")
	order := s.row("SELECT * FROM orders WHERE id = ?", id)
	s.live.tell(order)
	w.Header().Set("Location", fmt.Sprintf("/v2/orders/%d", id))
	reply(w, 201, order)
}

// pay is the payment service, which needs a moment.
func pay() { time.Sleep(15 * time.Millisecond) }

func (s *shop) order(w http.ResponseWriter, id any) {
	row := s.row("SELECT * FROM orders WHERE id = ?", id)
	if row == nil {
		fail(w, 404, "no such order")
		return
	}
	reply(w, 200, row)
}

func (s *shop) readOrder(w http.ResponseWriter, r *http.Request, _ user) {
	// FLAW LK-39 (AZ-01, API1:2023, CWE-639): any user reads any order
	s.order(w, number(r, "order_id"))
}

func (s *shop) changeOrder(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct{ Note string }{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-40 (AZ-02, API1:2023, CWE-639): any user changes any order
	s.exec("UPDATE orders SET note = ? WHERE id = ?", in.Note, number(r, "order_id"))
	s.order(w, number(r, "order_id"))
}

func (s *shop) deleteOrder(w http.ResponseWriter, r *http.Request, _ user) {
	// FLAW LK-41 (AZ-03, API1:2023, CWE-639): any user deletes any order
	if _, rows := s.exec("DELETE FROM orders WHERE id = ?", number(r, "order_id")); rows == 0 {
		fail(w, 404, "no such order")
		return
	}
	w.WriteHeader(204)
}

// lookupOrder is for the telephone: the id is in the body.
func (s *shop) lookupOrder(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct {
		OrderID int64 `json:"order_id"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-42 (AZ-04 AZ-01, API1:2023, CWE-639): any user finds any order by the id in the body
	s.order(w, in.OrderID)
}

// cancelOrder is a link in a mail, for the caller's own orders.
func (s *shop) cancelOrder(w http.ResponseWriter, r *http.Request, u user) {
	// FLAW LK-43 (CSRF-03, API8:2023, CWE-352): a GET changes something
	if _, rows := s.exec("UPDATE orders SET status = 'cancelled' WHERE id = ? AND customer_id = ?", number(r, "order_id"), u.id); rows == 0 {
		fail(w, 404, "no such order")
		return
	}
	s.order(w, number(r, "order_id"))
}

// orderHistory goes through the caller's orders in pages of ten.
func (s *shop) orderHistory(w http.ResponseWriter, r *http.Request, u user) {
	orders := s.all("SELECT * FROM orders WHERE customer_id = ? ORDER BY id", u.id)
	page := queryInt(r, "page", 1)
	// FLAW LK-44 (SC-01, API8:2023, CWE-755): a page that is not there is a panic
	reply(w, 200, map[string]any{"page": page, "orders": orders[(page-1)*10 : min(page*10, len(orders))]})
}

// readDelivery shows a delivery to its customer. To others there is none, said with 200.
func (s *shop) readDelivery(w http.ResponseWriter, r *http.Request, u user) {
	row := s.row("SELECT * FROM deliveries WHERE id = ? AND customer_id = ?", r.PathValue("delivery_id"), u.id)
	if row == nil {
		fail(w, 200, "not found")
		return
	}
	reply(w, 200, row)
}

func (s *shop) listDeliveries(w http.ResponseWriter, _ *http.Request, u user) {
	reply(w, 200, s.all("SELECT * FROM deliveries WHERE customer_id = ? ORDER BY order_id", u.id))
}

// trackOrder knows nothing of orders: the carrier's page wants the number again.
func (s *shop) trackOrder(w http.ResponseWriter, r *http.Request, _ user) {
	reply(w, 200, map[string]any{"order_id": r.PathValue("order_id"), "carrier": "Mule & Sons", "status": "ask the carrier"})
}
