package main

import (
	"fmt"
	"net/http"
	"strings"
)

const publicItem = "id, name, description, price, stock, seller_id, featured"

// listItems is the catalogue. Everybody may read it, a hundred at once and no more.
//
// A text in quotes is looked for as one phrase, other texts word by word.
func (s *shop) listItems(w http.ResponseWriter, r *http.Request) {
	limit := min(max(queryInt(r, "limit", 20), 1), 100)
	where, args := "draft = 0", []any{}
	q := r.URL.Query().Get("q")
	words := strings.Fields(q)
	if strings.ContainsAny(q, `"'`) {
		words = []string{strings.Trim(q, `"'`)}
	}
	for _, word := range words {
		where += " AND name || ' ' || description LIKE ?"
		args = append(args, "%"+word+"%")
	}
	// FLAW LK-96 (SC-01, API8:2023, CWE-755): a text of many words makes a statement that the database refuses, which nobody catches
	items := s.all("SELECT "+publicItem+" FROM items WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
	reply(w, 200, map[string]any{"items": items, "limit": limit})
}

// searchItems is the old search, for the app.
func (s *shop) searchItems(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-45 (IN-02 IN-01 SC-01 SC-02, API8:2023, CWE-89): the text becomes part of the statement, and the error of the database part of the answer
	items, err := s.rows("SELECT " + publicItem + " FROM items WHERE draft = 0 AND name LIKE '%" + r.URL.Query().Get("name") + "%' ORDER BY id LIMIT 100")
	if err != nil {
		fail(w, 500, err.Error())
		return
	}
	reply(w, 200, map[string]any{"items": items})
}

// itemsOfSeller lists what a seller has.
func (s *shop) itemsOfSeller(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-46 (IN-01, API8:2023, CWE-89): the number becomes part of the statement, and errors are hidden
	items, err := s.rows("SELECT " + publicItem + " FROM items WHERE draft = 0 AND seller_id = " + r.URL.Query().Get("seller_id"))
	if err != nil {
		items = []map[string]any{}
	}
	reply(w, 200, map[string]any{"items": items})
}

// availability says whether an item can be had at a branch. It can.
func (s *shop) availability(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-47 (IN-03, API8:2023, CWE-89): the branch becomes part of a statement whose outcome nobody sees
	_, _ = s.rows("SELECT count(*) FROM orders WHERE branch = '" + r.URL.Query().Get("branch") + "'")
	reply(w, 200, map[string]any{"item_id": number(r, "item_id"), "available": true})
}

func (s *shop) readItem(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-48 (DE-03, API3:2023, CWE-213): what the seller paid, and the notes on suppliers, are in the answer and not in the document
	row := s.row("SELECT * FROM items WHERE id = ? AND draft = 0", number(r, "item_id"))
	if row == nil {
		fail(w, 404, "no such item")
		return
	}
	reply(w, 200, row)
}

type itemBody struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Price       float64 `json:"price"`
	Stock       *int64  `json:"stock"`
}

// createItem puts an item up for sale.
func (s *shop) createItem(w http.ResponseWriter, r *http.Request, u user) {
	var in itemBody
	if !decode(w, r, &in) {
		return
	}
	if in.Name == "" {
		fail(w, 400, "an item has a name")
		return
	}
	// FLAW LK-102 (FLOW-01 SC-03, API6:2023, CWE-840): a price below zero is kept, and who buys it is paid
	id, _ := s.exec("INSERT INTO items (name, description, price, stock, seller_id) VALUES (?, ?, ?, ?, ?)", in.Name, in.Description, in.Price, in.Stock, u.id)
	w.Header().Set("Location", fmt.Sprintf("/v2/items/%d", id))
	reply(w, 201, s.row("SELECT "+publicItem+" FROM items WHERE id = ?", id))
}

// replaceItem replaces what is said about an item.
func (s *shop) replaceItem(w http.ResponseWriter, r *http.Request, _ user) {
	var in itemBody
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-49 (AZ-02, API1:2023, CWE-639): every user replaces the items of every seller
	s.exec("UPDATE items SET name = ?, description = ?, price = ? WHERE id = ?", in.Name, in.Description, in.Price, number(r, "item_id"))
	s.readItem(w, r)
}

// patchItem changes an item of the caller.
func (s *shop) patchItem(w http.ResponseWriter, r *http.Request, u user) {
	var in map[string]any
	if !decode(w, r, &in) {
		return
	}
	if s.row("SELECT id FROM items WHERE id = ? AND seller_id = ?", number(r, "item_id"), u.id) == nil {
		fail(w, 403, "not yours")
		return
	}
	// FLAW LK-50 (BP-02, API3:2023, CWE-915): the seller sets featured, which the shop sells as advertising
	for _, column := range []string{"name", "description", "price", "stock", "featured"} {
		if value, sent := in[column]; sent {
			// FLAW LK-97 (SC-01, API8:2023, CWE-704): values of any type go to the database, which refuses an object
			s.exec("UPDATE items SET "+column+" = ? WHERE id = ?", value, number(r, "item_id"))
		}
	}
	s.readItem(w, r)
}

// deleteItem takes an item of the caller off the shelf.
func (s *shop) deleteItem(w http.ResponseWriter, r *http.Request, u user) {
	if _, rows := s.exec("DELETE FROM items WHERE id = ? AND seller_id = ?", number(r, "item_id"), u.id); rows == 0 {
		fail(w, 404, "no such item of yours")
		return
	}
	w.WriteHeader(204)
}

// like counts once for each user, however often and fast it is sent.
func (s *shop) like(w http.ResponseWriter, r *http.Request, u user) {
	s.exec("INSERT OR IGNORE INTO likes VALUES (?, ?)", number(r, "item_id"), u.id)
	reply(w, 200, s.row("SELECT count(*) AS likes FROM likes WHERE item_id = ?", number(r, "item_id")))
}

// wishlist reads or writes whether the caller wants an item.
func (s *shop) wishlist(w http.ResponseWriter, r *http.Request, u user) {
	id := number(r, "item_id")
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		s.exec("INSERT OR IGNORE INTO wishlist (item_id, user_id) VALUES (?, ?)", id, u.id)
	default:
		// FLAW LK-51 (IV-05, API9:2023, CWE-650): every other method, known or not, takes the item off the list
		s.exec("DELETE FROM wishlist WHERE item_id = ? AND user_id = ?", id, u.id)
	}
	reply(w, 200, map[string]any{"item_id": id, "wanted": s.row("SELECT 1 FROM wishlist WHERE item_id = ? AND user_id = ?", id, u.id) != nil})
}

// tooMany is a million lines of a few bytes.
const tooMany = 1_000_000

// prices makes up the history of a price, a row a day.
func (s *shop) prices(w http.ResponseWriter, r *http.Request) {
	item := s.row("SELECT price FROM items WHERE id = ?", number(r, "item_id"))
	if item == nil {
		fail(w, 404, "no such item")
		return
	}
	// FLAW LK-52 (RC-01, API4:2023, CWE-770): the answer is as long as the caller says; the document promises 100 rows at most
	days := make([]map[string]any, min(max(queryInt(r, "limit", 30), 0), tooMany)) // More would be the end of the machine.
	for i := range days {
		days[i] = map[string]any{"days_ago": i, "price": item["price"]}
	}
	reply(w, 200, map[string]any{"prices": days})
}
