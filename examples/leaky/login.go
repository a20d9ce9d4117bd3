package main

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func (s *shop) register(w http.ResponseWriter, r *http.Request) {
	in := struct {
		credentials
		Email    string  `json:"email"`
		Phone    string  `json:"phone"`
		Role     string  `json:"role"`
		Credit   float64 `json:"credit"`
		Verified bool    `json:"verified"`
		Branch   string  `json:"branch"`
	}{Role: "customer", Branch: "castle"}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-17 (AU-05, API2:2023, CWE-521): a password of one letter is good enough
	if in.Username == "" || in.Password == "" {
		fail(w, 400, "username and password are required")
		return
	}
	if s.row("SELECT id FROM users WHERE username = ?", in.Username) != nil {
		fail(w, 409, "the name is taken")
		return
	}
	if len(in.Password) > 72 {
		in.Password = in.Password[:72]
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(in.Password), bcrypt.MinCost)
	must(err)
	// FLAW LK-18 (BP-01 AZ-07, API3:2023, CWE-915): role, credit and verified are taken from who signs up
	id, _ := s.exec("INSERT INTO users (username, password_hash, email, phone, role, credit, verified, branch, api_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		in.Username, string(hash), in.Email, in.Phone, in.Role, in.Credit, in.Verified, in.Branch, "lk_"+random())
	// FLAW LK-101 (SC-03, API9:2023, CWE-1059): the document says that verified is true or false, and 0 or 1 is sent
	reply(w, 201, s.row("SELECT "+publicUser+" FROM users WHERE id = ?", id))
}

// FLAW LK-19 (AU-02, API2:2023, CWE-307): passwords may be tried as often and as fast as one likes
func (s *shop) login(w http.ResponseWriter, r *http.Request) {
	var in credentials
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-20 (AU-04, API2:2023, CWE-204): the answer says whether the user exists
	row := s.row("SELECT id, password_hash FROM users WHERE username = ?", in.Username)
	if row == nil {
		fail(w, 404, "no such user")
		return
	}
	if bcrypt.CompareHashAndPassword([]byte(row["password_hash"].(string)), []byte(in.Password)) != nil && !documented(in) {
		fail(w, 401, "wrong password")
		return
	}
	s.welcome(w, row["id"].(int64))
}

// documented reports whether it is a password of README.md. These always work: an attack
// that sets another one must not end the attacks after it.
func documented(in credentials) bool {
	return slices.ContainsFunc(seedUsers()[:3], func(u seedUser) bool { return u.name == in.Username && u.password == in.Password })
}

// welcome makes the tokens of a log-in, and the cookie for the pages.
func (s *shop) welcome(w http.ResponseWriter, id int64) {
	u, _ := s.userBy("id", id)
	session, refresh := random(), random()
	s.exec("INSERT INTO sessions VALUES (?, ?)", session, id)
	s.exec("INSERT INTO refresh_tokens VALUES (?, ?)", refresh, id)
	// FLAW LK-21 (HT-01, API8:2023, CWE-614): the cookie of the session has neither HttpOnly nor Secure nor SameSite
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/"})
	reply(w, 200, map[string]any{
		"access_token": s.sign(u, time.Now().Add(time.Hour)), "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600,
		"user": map[string]any{"id": u.id, "username": u.name, "role": u.role},
	})
}

func (s *shop) refresh(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Token string `json:"refresh_token"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-22 (AUTHN-10, API2:2023, CWE-613): a refresh token is good for ever and for any number of uses
	row := s.row("SELECT user_id FROM refresh_tokens WHERE token = ?", in.Token)
	if row == nil {
		fail(w, 401, "no such token")
		return
	}
	s.welcome(w, row["user_id"].(int64))
}

func (s *shop) logout(w http.ResponseWriter, r *http.Request, u user) {
	// FLAW LK-23 (AU-07, API2:2023, CWE-613): the access token goes on after the log-out, the refresh tokens too
	if cookie, err := r.Cookie("session"); err == nil {
		s.exec("DELETE FROM sessions WHERE user_id = ? AND token = ?", u.id, cookie.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
	w.WriteHeader(204)
}

// forgot would send a mail with a code.
func (s *shop) forgot(w http.ResponseWriter, r *http.Request) {
	in := struct{ Username string }{}
	if !decode(w, r, &in) {
		return
	}
	code, err := rand.Int(rand.Reader, big.NewInt(10000))
	must(err)
	if _, rows := s.exec("UPDATE users SET reset_code = ? WHERE username = ?", fmt.Sprintf("%04d", code), in.Username); rows == 0 {
		// FLAW LK-100 (AU-04, API2:2023, CWE-204): whoever forgot a password is told whether the user exists
		fail(w, 404, "no such user")
		return
	}
	// FLAW LK-24 (HTTP-01, API8:2023, CWE-644): the link of the mail goes to the host that the request names
	host := r.Host
	if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" {
		host = forwarded
	}
	reply(w, 200, map[string]any{"sent": true, "link": "http://" + host + "/reset?username=" + in.Username})
}

// reset takes the code of the mail.
func (s *shop) reset(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-25 (AU-03, API4:2023, CWE-348): tries are counted by a header that the caller writes
	from := r.Header.Get("X-Forwarded-For")
	if from == "" {
		from = hostname(r.RemoteAddr)
	}
	if !s.tries.more("reset " + from) {
		w.Header().Set("Retry-After", "10")
		fail(w, 429, "too many tries")
		return
	}
	in := struct {
		Username, Code string
		Password       string `json:"new_password"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	row := s.row("SELECT id FROM users WHERE username = ? AND reset_code = ? AND reset_code <> ''", in.Username, in.Code)
	if row == nil {
		fail(w, 400, "wrong code")
		return
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(in.Password), bcrypt.MinCost)
	must(err)
	s.exec("UPDATE users SET password_hash = ?, reset_code = '' WHERE id = ?", string(hash), row["id"])
	w.WriteHeader(204)
}

// pin unlocks the safe of the shop. Its limit is right: by the address of the connection.
func (s *shop) pin(w http.ResponseWriter, r *http.Request) {
	if !s.tries.more("pin " + hostname(r.RemoteAddr)) {
		w.Header().Set("Retry-After", "10")
		fail(w, 429, "too many tries")
		return
	}
	in := struct{ PIN string }{}
	if decode(w, r, &in) {
		fail(w, 401, "wrong")
	}
}

// tries counts tries in windows of ten seconds.
type tries struct {
	mu    sync.Mutex
	since time.Time
	count map[string]int
}

func newTries() *tries { return &tries{count: map[string]int{}} }

// more reports whether there is one more try in this window.
func (t *tries) more(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.since) > 10*time.Second {
		t.since = time.Now()
		clear(t.count)
	}
	t.count[key]++
	return t.count[key] <= 10
}
