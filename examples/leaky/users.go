package main

import (
	"crypto/rand"
	"net/http"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// user is who is calling.
type user struct {
	id                   int64
	name, role, branch   string
	credit               float64
	email, phone, apiKey string
}

// random returns a text that nobody guesses.
func random() string { return strings.ToLower(rand.Text()) }

func (s *shop) userBy(column string, value any) (user, bool) {
	row := s.row("SELECT * FROM users WHERE "+column+" = ?", value)
	if row == nil {
		return user{}, false
	}
	text := func(name string) string { t, _ := row[name].(string); return t }
	credit, _ := row["credit"].(float64)
	return user{row["id"].(int64), text("username"), text("role"), text("branch"), credit, text("email"), text("phone"), text("api_key")}, true
}

// caller finds out who is calling.
func (s *shop) caller(r *http.Request) (user, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.byToken(token)
	}
	if key := r.Header.Get("X-API-Key"); key != "" {
		return s.userBy("api_key", key)
	}
	// FLAW LK-08 (AU-08, API2:2023, CWE-598): the token may be in the address, where logs and the Referer header show it
	if token := r.URL.Query().Get("access_token"); token != "" {
		return s.byToken(token)
	}
	// FLAW LK-09 (CS-01, API8:2023, CWE-352): a cookie is enough to change something, whatever site the request comes from
	if cookie, err := r.Cookie("session"); err == nil {
		if row := s.row("SELECT user_id FROM sessions WHERE token = ?", cookie.Value); row != nil {
			return s.userBy("id", row["user_id"])
		}
	}
	return user{}, false
}

// in lets users pass.
func (s *shop) in(next func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, ok := s.caller(r)
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, 401, "log in first")
			return
		}
		next(w, r, u)
	}
}

// admins lets administrators pass.
func (s *shop) admins(next func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	return s.in(func(w http.ResponseWriter, r *http.Request, u user) {
		if u.role != "admin" {
			fail(w, 403, "for administrators")
			return
		}
		next(w, r, u)
	})
}

const publicUser = "id, username, email, role, credit, verified, plan, branch, address, homepage, shop_name"

// me shows the caller. The path behind it is for the app's router, which does not care.
func (s *shop) me(w http.ResponseWriter, _ *http.Request, u user) {
	// FLAW LK-10 (DE-01 DE-03, API3:2023, CWE-200): the answer has the hash of the password and the API key
	reply(w, 200, s.row("SELECT "+publicUser+", phone, password_hash, api_key FROM users WHERE id = ?", u.id))
}

// updateMe replaces what the caller says about themselves. The document has one schema
// for all who write users.
func (s *shop) updateMe(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Email, Phone, Address, Role string }{u.email, u.phone, "", u.role}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-11 (BP-03 AZ-07 BP-02, API3:2023, CWE-915): the declared field role is written for everybody
	s.exec("UPDATE users SET email = ?, phone = ?, address = ?, role = ? WHERE id = ?", in.Email, in.Phone, in.Address, in.Role, u.id)
	s.me(w, r, u)
}

// patchMe changes what was sent.
func (s *shop) patchMe(w http.ResponseWriter, r *http.Request, u user) {
	var in map[string]any
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-12 (BP-02 AZ-07, API3:2023, CWE-915): every column that is sent is written, credit, verified and role too
	for _, column := range []string{"email", "phone", "address", "homepage", "role", "credit", "verified", "plan", "branch"} {
		if value, sent := in[column]; sent {
			// FLAW LK-98 (SC-01, API8:2023, CWE-704): values of any type go to the database here, too
			s.exec("UPDATE users SET "+column+" = ? WHERE id = ?", value, u.id)
		}
	}
	s.me(w, r, u)
}

// setAddress takes the form of the page.
func (s *shop) setAddress(w http.ResponseWriter, r *http.Request, u user) {
	s.exec("UPDATE users SET address = ? WHERE id = ?", r.FormValue("address"), u.id)
	// FLAW LK-94 (DE-01, API3:2023, CWE-200): who sends an address gets the hash of the password and the API key back
	s.me(w, r, u)
}

// setHomepage keeps an address and never visits it.
func (s *shop) setHomepage(w http.ResponseWriter, r *http.Request, u user) {
	in := struct {
		URL string `json:"homepage_url"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	s.exec("UPDATE users SET homepage = ? WHERE id = ?", in.URL, u.id)
	reply(w, 200, map[string]any{"homepage_url": in.URL})
}

// listUsers is for the picker of "send as a present".
func (s *shop) listUsers(w http.ResponseWriter, _ *http.Request, _ user) {
	// FLAW LK-13 (DE-02, API3:2023, CWE-213): every customer gets mail addresses and telephone numbers of all others
	reply(w, 200, s.all("SELECT id, username, email, phone FROM users ORDER BY id LIMIT 200"))
}

func (s *shop) readUser(w http.ResponseWriter, r *http.Request, _ user) {
	// FLAW LK-14 (AZ-01 DE-01, API1:2023, CWE-639): any user reads the account of any other, with the hash and the key
	row := s.row("SELECT "+publicUser+", phone, password_hash, api_key FROM users WHERE id = ?", number(r, "user_id"))
	if row == nil {
		fail(w, 404, "no such user")
		return
	}
	reply(w, 200, row)
}

func (s *shop) setPassword(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct {
		Password string `json:"new_password"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(in.Password), bcrypt.MinCost)
	must(err)
	// FLAW LK-15 (AZ-05, API1:2023, CWE-620): the user of the path gets the password, whoever asks, without the old one
	if _, rows := s.exec("UPDATE users SET password_hash = ? WHERE id = ?", string(hash), number(r, "user_id")); rows == 0 {
		fail(w, 404, "no such user")
		return
	}
	// FLAW LK-95 (AU-07, API2:2023, CWE-613): tokens and cookies of before the change are good as ever
	w.WriteHeader(204)
}

// listAddresses lists the addresses of a user, who has to be the caller.
func (s *shop) listAddresses(w http.ResponseWriter, r *http.Request, u user) {
	if number(r, "user_id") != u.id {
		fail(w, 403, "not yours")
		return
	}
	reply(w, 200, s.all("SELECT * FROM addresses WHERE user_id = ? ORDER BY id", u.id))
}

func (s *shop) addAddress(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Line string }{}
	if number(r, "user_id") != u.id {
		fail(w, 403, "not yours")
		return
	}
	if !decode(w, r, &in) {
		return
	}
	id, _ := s.exec("INSERT INTO addresses (user_id, line) VALUES (?, ?)", u.id, in.Line)
	reply(w, 201, s.row("SELECT * FROM addresses WHERE id = ?", id))
}

func (s *shop) readAddress(w http.ResponseWriter, r *http.Request, u user) {
	if number(r, "user_id") != u.id {
		fail(w, 403, "not yours")
		return
	}
	// FLAW LK-16 (AZ-01, API1:2023, CWE-639): the user of the path is compared, the owner of the address is not
	row := s.row("SELECT * FROM addresses WHERE id = ?", number(r, "address_id"))
	if row == nil {
		fail(w, 404, "no such address")
		return
	}
	reply(w, 200, row)
}

// applyAsSeller notes that somebody wants to sell. A role that is sent counts for nothing.
func (s *shop) applyAsSeller(w http.ResponseWriter, r *http.Request, u user) {
	in := struct {
		ShopName string `json:"shop_name"`
		Role     string `json:"role"` // sent by old apps
	}{}
	if !decode(w, r, &in) {
		return
	}
	s.exec("UPDATE users SET shop_name = ? WHERE id = ?", in.ShopName, u.id)
	reply(w, 200, map[string]any{"shop_name": in.ShopName, "role": u.role, "status": "we will call you"})
}

// readSeller is public: how to reach who sells.
func (s *shop) readSeller(w http.ResponseWriter, r *http.Request) {
	row := s.row("SELECT id, shop_name, email AS contact_email FROM users WHERE id = ? AND role IN ('seller', 'admin') AND shop_name <> ''", number(r, "seller_id"))
	if row == nil {
		fail(w, 404, "no such seller")
		return
	}
	reply(w, 200, row)
}
