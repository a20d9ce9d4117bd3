package main

import (
	"database/sql"
	"errors"
	"path/filepath"

	"golang.org/x/crypto/bcrypt"
	_ "modernc.org/sqlite" // the driver
)

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id INTEGER PRIMARY KEY, username TEXT UNIQUE, password_hash TEXT, email TEXT, phone TEXT, role TEXT DEFAULT 'customer',
	credit REAL DEFAULT 0, verified INTEGER DEFAULT 0, plan TEXT DEFAULT 'basic', branch TEXT DEFAULT 'castle',
	api_key TEXT, address TEXT DEFAULT '', homepage TEXT DEFAULT '', shop_name TEXT DEFAULT '', reset_code TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, user_id INTEGER);
CREATE TABLE IF NOT EXISTS refresh_tokens (token TEXT PRIMARY KEY, user_id INTEGER);
CREATE TABLE IF NOT EXISTS items (
	id INTEGER PRIMARY KEY, name TEXT, description TEXT DEFAULT '', price REAL, stock INTEGER, -- NULL: made to order
	seller_id INTEGER, cost REAL DEFAULT 0, supplier_notes TEXT DEFAULT '', featured INTEGER DEFAULT 0, draft INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS orders (
	id INTEGER PRIMARY KEY, customer_id INTEGER, item_id INTEGER, quantity INTEGER, total REAL, note TEXT DEFAULT '',
	status TEXT DEFAULT 'open', branch TEXT DEFAULT 'castle', created TEXT);
CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY, order_id INTEGER, customer_id INTEGER, address TEXT);
CREATE TABLE IF NOT EXISTS reviews (id INTEGER PRIMARY KEY, item_id INTEGER, author_id INTEGER, stars INTEGER, title TEXT, text TEXT);
CREATE TABLE IF NOT EXISTS addresses (id INTEGER PRIMARY KEY, user_id INTEGER, line TEXT);
CREATE TABLE IF NOT EXISTS tickets (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT);
CREATE TABLE IF NOT EXISTS announcements (id INTEGER PRIMARY KEY, title TEXT, text TEXT);
CREATE TABLE IF NOT EXISTS coupons (code TEXT PRIMARY KEY, amount REAL);
CREATE TABLE IF NOT EXISTS gift_cards (code TEXT PRIMARY KEY, amount REAL, used INTEGER DEFAULT 0, owner_id INTEGER);
CREATE TABLE IF NOT EXISTS webhooks (id INTEGER PRIMARY KEY, user_id INTEGER, url TEXT);
CREATE TABLE IF NOT EXISTS likes (item_id INTEGER, user_id INTEGER, PRIMARY KEY (item_id, user_id));
CREATE TABLE IF NOT EXISTS wishlist (item_id INTEGER, user_id INTEGER, note TEXT DEFAULT '', PRIMARY KEY (item_id, user_id));
CREATE TABLE IF NOT EXISTS invites (code TEXT PRIMARY KEY, user_id INTEGER);
CREATE TABLE IF NOT EXISTS subscriptions (email TEXT PRIMARY KEY);
`

const seed = `
INSERT INTO items (name, description, price, stock, seller_id, cost, supplier_notes) VALUES
	('Portcullis, small', 'Oak and iron, for garden gates. Chains not included.', 1250, NULL, 3, 700, 'Smithy of Hartmut, 30 days'),
	('Moat water, 1000 l', 'Murky. Delivered in barrels.', 89.9, NULL, 3, 2, 'our own moat'),
	('Signal horn', 'Heard over two valleys on a still day.', 64, 300, 3, 31, 'Gisela, cash only'),
	('Arrow-slit curtain', 'Linen, narrow.', 18.4, 40, 4, 6, 'leftovers'),
	('Watchman''s lantern', 'Brass, with a shutter and a spare wick.', 42.5, NULL, 4, 19, 'Gisela, cash only'),
	('Bread for the garrison', 'Of yesterday.', 0.1, NULL, 4, 0.05, 'the kitchen');
INSERT INTO orders (customer_id, item_id, quantity, total, note, branch, created) VALUES
	(1, 5, 1, 42.5, 'leave it with the gatekeeper, her name is Mechthild', 'castle', '2026-02-01'),
	(2, 3, 2, 128, 'a present for my wife, please no bill in the box', 'harbour', '2026-02-02');
INSERT INTO deliveries (id, order_id, customer_id, address) VALUES
	('d-7f3a90c1', 1, 1, '1 Tower Lane'), ('d-51be22d8', 2, 2, '7 Pier Road');
INSERT INTO addresses (user_id, line) VALUES (1, '1 Tower Lane, Castle'), (2, '7 Pier Road, Harbour');
INSERT INTO tickets (user_id, text) VALUES (1, 'My lantern does not shut.'), (2, 'The horn is too loud.');
INSERT INTO reviews (item_id, author_id, stars, title, text) VALUES
	(5, 2, 4, 'Bright enough', '<p>Lit the <em>whole</em> gatehouse.</p>'), (3, 1, 2, 'Too loud', 'The neighbours complain.');
INSERT INTO announcements (title, text) VALUES ('Market day', 'The gates are open until nine.');
INSERT INTO coupons (code, amount) VALUES ('WELCOME10', 10), ('MARKET5', 5);
`

// openDatabase makes the tables, and fills them if there is nothing in them.
func openDatabase(dir, path string) (*sql.DB, error) {
	if path == "temp" {
		path = filepath.Join(dir, "leaky.db")
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		return nil, err
	}
	if _, err := db.Exec(schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	var users int
	if err := db.QueryRow("SELECT count(*) FROM users").Scan(&users); err != nil || users > 0 {
		return db, err
	}
	for _, u := range seedUsers() {
		hash, err := bcrypt.GenerateFromPassword([]byte(u.password), bcrypt.MinCost)
		if err == nil {
			_, err = db.Exec("INSERT INTO users (username, password_hash, email, phone, role, branch, api_key, shop_name, credit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 50)",
				u.name, string(hash), u.name+"@castle.example", u.phone, u.role, u.branch, "lk_"+random(), u.shop)
		}
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	_, err = db.Exec(seed)
	return db, err
}

type seedUser struct{ name, password, role, branch, phone, shop string }

func seedUsers() []seedUser {
	return []seedUser{
		{"alice", "Lantern-Alice-1", "customer", "castle", "+44 20 7946 0011", ""},
		{"bob", "Lantern-Bob-1", "customer", "harbour", "+44 20 7946 0022", ""},
		{"admin", "Rampart-Admin-1", "admin", "castle", "+44 20 7946 0033", "The castle's own"},
		{"gisela", random(), "seller", "castle", "+44 20 7946 0044", "Gisela's horns"},
		// FLAW LK-07 (AU-06, API2:2023, CWE-521): an administrator of the first days, whose password is its name
		{"test", "test", "admin", "castle", "", ""},
	}
}
