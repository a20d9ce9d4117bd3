package main

import "net/http"

// listReviews is public, as the item is.
func (s *shop) listReviews(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-53 (DE-02, API3:2023, CWE-359): strangers get the mail addresses of who writes reviews
	reply(w, 200, map[string]any{"reviews": s.all(`SELECT r.id, r.item_id, r.stars, r.title, r.text, u.username AS author, u.email AS author_email
		FROM reviews r JOIN users u ON u.id = r.author_id WHERE item_id = ? ORDER BY r.id DESC LIMIT 100`, number(r, "item_id"))})
}

type reviewBody struct {
	Stars int64  `json:"stars"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

func (s *shop) createReview(w http.ResponseWriter, r *http.Request, u user) {
	var in reviewBody
	if !decode(w, r, &in) {
		return
	}
	if s.row("SELECT id FROM items WHERE id = ?", number(r, "item_id")) == nil {
		fail(w, 404, "no such item")
		return
	}
	// FLAW LK-88 (SC-03, API8:2023, CWE-20): the document says 1 to 5 stars, and any number is kept
	id, _ := s.exec("INSERT INTO reviews (item_id, author_id, stars, title, text) VALUES (?, ?, ?, ?, ?)",
		number(r, "item_id"), u.id, in.Stars, in.Title, in.Text)
	reply(w, 201, s.row("SELECT * FROM reviews WHERE id = ?", id))
}

func (s *shop) deleteReview(w http.ResponseWriter, r *http.Request, _ user) {
	// FLAW LK-54 (AZ-03, API1:2023, CWE-639): any user removes the review of any other
	if _, rows := s.exec("DELETE FROM reviews WHERE id = ? AND item_id = ?", number(r, "review_id"), number(r, "item_id")); rows == 0 {
		fail(w, 404, "no such review")
		return
	}
	w.WriteHeader(204)
}
