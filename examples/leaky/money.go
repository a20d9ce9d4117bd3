package main

import "net/http"

// redeemCoupon adds what a coupon is worth to the caller's credit.
func (s *shop) redeemCoupon(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Code string }{}
	if !decode(w, r, &in) {
		return
	}
	coupon := s.row("SELECT amount FROM coupons WHERE code = ?", in.Code)
	if coupon == nil {
		fail(w, 404, "no such coupon")
		return
	}
	// FLAW LK-61 (BF-01, API6:2023, CWE-799): nobody notes that the user has had it
	s.exec("UPDATE users SET credit = credit + ? WHERE id = ?", coupon["amount"], u.id)
	s.credit(w, u)
}

func (s *shop) credit(w http.ResponseWriter, u user) {
	reply(w, 200, s.row("SELECT credit FROM users WHERE id = ?", u.id))
}

// buyGiftCard makes a card of the caller's credit.
func (s *shop) buyGiftCard(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Amount float64 }{}
	if !decode(w, r, &in) {
		return
	}
	if in.Amount <= 0 {
		fail(w, 400, "an amount is above zero")
		return
	}
	code := "gc-" + random()[:16]
	s.exec("UPDATE users SET credit = credit - ? WHERE id = ?", in.Amount, u.id)
	s.exec("INSERT INTO gift_cards (code, amount, owner_id) VALUES (?, ?, ?)", code, in.Amount, u.id)
	reply(w, 201, map[string]any{"code": code, "amount": in.Amount})
}

// redeemGiftCard may be done once for each card.
func (s *shop) redeemGiftCard(w http.ResponseWriter, r *http.Request, u user) {
	card := s.row("SELECT amount, used FROM gift_cards WHERE code = ?", r.PathValue("code"))
	if card == nil {
		fail(w, 404, "no such card")
		return
	}
	if card["used"].(int64) != 0 {
		fail(w, 409, "it has been used")
		return
	}
	pay()
	// FLAW LK-62 (BF-01, API6:2023, CWE-362): requests at the same time all find the card unused
	s.exec("UPDATE gift_cards SET used = 1 WHERE code = ?", r.PathValue("code"))
	s.exec("UPDATE users SET credit = credit + ? WHERE id = ?", card["amount"], u.id)
	s.credit(w, u)
}

// invite makes a code for a friend, which is the caller's own.
func (s *shop) invite(w http.ResponseWriter, _ *http.Request, u user) {
	code := random()
	s.exec("INSERT INTO invites VALUES (?, ?)", code, u.id)
	// FLAW LK-89 (SC-03, API9:2023, CWE-1059): the document says 200, and 201 is sent
	reply(w, 201, map[string]any{"code": code})
}
