package main

import "net/http"

// adminUsers and adminOrders are for administrators, who may read all of it.
func (s *shop) adminUsers(w http.ResponseWriter, _ *http.Request, _ user) {
	reply(w, 200, map[string]any{"users": s.all("SELECT " + publicUser + " FROM users ORDER BY id")})
}

func (s *shop) adminOrders(w http.ResponseWriter, _ *http.Request, _ user) {
	reply(w, 200, map[string]any{"orders": s.all("SELECT * FROM orders ORDER BY id DESC LIMIT 100")})
}

// salesReport is what the owner looks at.
func (s *shop) salesReport(w http.ResponseWriter, _ *http.Request) {
	// FLAW LK-55 (AU-01 DE-02, API2:2023, CWE-306): the document wants a token and nobody asks for it
	reply(w, 200, map[string]any{"report": s.row("SELECT count(*) AS orders, sum(total) AS revenue FROM orders"),
		"best_customers": s.all("SELECT u.username, u.email, sum(o.total) AS spent FROM orders o JOIN users u ON u.id = o.customer_id GROUP BY u.id ORDER BY spent DESC LIMIT 5")})
}

// listAnnouncements shows all users the same.
func (s *shop) listAnnouncements(w http.ResponseWriter, _ *http.Request, _ user) {
	reply(w, 200, map[string]any{"announcements": s.all("SELECT * FROM announcements ORDER BY id DESC LIMIT 100")})
}

func (s *shop) announce(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct{ Title, Text string }{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-56 (AZ-06, API5:2023, CWE-285): every user announces in the name of the shop
	id, _ := s.exec("INSERT INTO announcements (title, text) VALUES (?, ?)", in.Title, in.Text)
	reply(w, 201, s.row("SELECT * FROM announcements WHERE id = ?", id))
}

// listCoupons is for administrators.
func (s *shop) listCoupons(w http.ResponseWriter, _ *http.Request, _ user) {
	reply(w, 200, map[string]any{"coupons": s.all("SELECT * FROM coupons ORDER BY code")})
}

func (s *shop) createCoupon(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct {
		Code   string
		Amount float64
	}{}
	if !decode(w, r, &in) {
		return
	}
	s.exec("INSERT OR IGNORE INTO coupons VALUES (?, ?)", in.Code, in.Amount)
	reply(w, 201, s.row("SELECT * FROM coupons WHERE code = ?", in.Code))
}

// changeCoupon sets what a coupon is worth.
func (s *shop) changeCoupon(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct{ Amount float64 }{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-57 (AZ-06, API5:2023, CWE-285): GET and POST are for administrators, PUT is for everybody who is logged in
	s.exec("UPDATE coupons SET amount = ? WHERE code = ?", in.Amount, r.PathValue("code"))
	row := s.row("SELECT * FROM coupons WHERE code = ?", r.PathValue("code"))
	if row == nil {
		fail(w, 404, "no such coupon")
		return
	}
	reply(w, 200, row)
}

// openTicket and the next three are right: a ticket is its writer's.
func (s *shop) openTicket(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Text string }{}
	if !decode(w, r, &in) {
		return
	}
	id, _ := s.exec("INSERT INTO tickets (user_id, text) VALUES (?, ?)", u.id, in.Text)
	reply(w, 201, s.row("SELECT * FROM tickets WHERE id = ?", id))
}

func (s *shop) listTickets(w http.ResponseWriter, _ *http.Request, u user) {
	reply(w, 200, map[string]any{"tickets": s.all("SELECT * FROM tickets WHERE user_id = ?", u.id)})
}

func (s *shop) readTicket(w http.ResponseWriter, r *http.Request, u user) {
	row := s.row("SELECT * FROM tickets WHERE id = ? AND user_id = ?", number(r, "ticket_id"), u.id)
	if row == nil {
		fail(w, 404, "no such ticket")
		return
	}
	reply(w, 200, row)
}

// changeTicket says 200 to everybody, and changes only what is the caller's.
func (s *shop) changeTicket(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Text string }{}
	if !decode(w, r, &in) {
		return
	}
	s.exec("UPDATE tickets SET text = ? WHERE id = ? AND user_id = ?", in.Text, number(r, "ticket_id"), u.id)
	reply(w, 200, map[string]any{"ok": true})
}

// deleteTicket is like that, too.
func (s *shop) deleteTicket(w http.ResponseWriter, r *http.Request, u user) {
	s.exec("DELETE FROM tickets WHERE id = ? AND user_id = ?", number(r, "ticket_id"), u.id)
	w.WriteHeader(204)
}
