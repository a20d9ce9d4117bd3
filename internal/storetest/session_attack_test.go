package storetest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/sqldb"
)

// The thief and the owner have the same token. Whoever comes second ends it for
// both, and it is recorded.
func TestReplayedRefreshTokenEndsTheFamily(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s, other := w.sessions(t, db), w.sessions(t, openAgain(t, db))
		begun, stolen := beginSession(t, s, session.App, "ada")
		bystander, _ := beginSession(t, s, session.App, "ada")
		_, second := refreshToken(t, s, stolen)
		_, third := refreshToken(t, s, second)
		wantLive(t, s, begun.ID, true)
		wantLive(t, other, begun.ID, true)

		wantTokenRefused(t, s, stolen, "phone")
		wantLive(t, s, begun.ID, false) // At once here,
		w.pass(4 * time.Second)
		wantLive(t, other, begun.ID, false) // and soon everywhere.
		wantTokenRefused(t, other, third, "phone")
		wantLive(t, s, bystander.ID, true)

		if kept, err := s.Get(t.Context(), begun.ID); err != nil || kept.Why != session.Replayed {
			t.Errorf("the session ended by %q, %v", kept.Why, err)
		}
		last := w.events[len(w.events)-1]
		if last.Name != "authn_token_reuse" || last.Subject != begun.ID || !last.Refused || eventDetail(last, "client") != "phone" || eventDetail(last, "user") != "ada" {
			t.Errorf("the last event is %+v", last)
		}
		// The tokens of a family that has ended are not an event each.
		before := len(w.events)
		wantTokenRefused(t, s, stolen, "phone")
		wantTokenRefused(t, s, third, "phone")
		if len(w.events) != before {
			t.Errorf("%d more events, want none", len(w.events)-before)
		}
	})
}

// Whoever is not recorded stays ended: a full log must not help a thief.
func TestReplayThatIsNotRecordedEndsTheFamily(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		begun, token := beginSession(t, s, session.App, "ada")
		refreshToken(t, s, token)
		w.full = errors.New("full")
		if _, _, err := s.Refresh(t.Context(), token, "phone"); !errors.Is(err, w.full) || !errors.Is(err, session.ErrRefused) {
			t.Errorf("the replay: %v", err)
		}
		wantLive(t, s, begun.ID, false)
	})
}

func TestParallelRefreshesHaveOneWinner(t *testing.T) {
	for grace, survives := range map[time.Duration]bool{0: false, 10 * time.Second: true} {
		t.Run(fmt.Sprint("grace ", grace), func(t *testing.T) {
			eachEngine(t, func(t *testing.T, db *sqldb.DB) {
				w := newSessionWorld()
				configure := func(c *session.Config) { c.Grace = grace }
				processes := []*session.Sessions{w.sessions(t, db, configure), w.sessions(t, openAgain(t, db), configure)}
				for range 4 {
					raceForToken(t, processes, survives)
				}
			})
		})
	}
}

// raceForToken refreshes one token 50 times at once.
func raceForToken(t *testing.T, processes []*session.Sessions, survives bool) {
	t.Helper()
	begun, token := beginSession(t, processes[0], session.App, "ada")
	var wg sync.WaitGroup
	tokens := make(chan string, 50)
	for i := range 50 {
		wg.Go(func() {
			_, next, err := processes[i%2].Refresh(t.Context(), token, "phone")
			if err == nil {
				tokens <- next
			} else if !errors.Is(err, session.ErrRefused) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(tokens) != 1 {
		t.Fatalf("%d of 50 refreshes got a token, want 1", len(tokens))
	}
	wantLive(t, processes[0], begun.ID, survives)
	if _, good, err := processes[1].ByRefreshToken(t.Context(), <-tokens); err != nil || good != survives {
		t.Errorf("the winner's token is good: %v, %v, want %v", good, err, survives)
	}
}

func TestGraceForgivesOnlyTheSameClientAndNotForLong(t *testing.T) {
	tests := []struct {
		is     string
		after  time.Duration
		client string
		live   bool
	}{
		{"the same client at once", 0, "phone", true},
		{"the same client at the end of it", 5 * time.Second, "phone", true},
		{"the same client after it", 5*time.Second + time.Microsecond, "phone", false},
		{"another client", 0, "tablet", false},
	}
	for _, tt := range tests {
		t.Run(tt.is, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, db *sqldb.DB) {
				w := newSessionWorld()
				s := w.sessions(t, db, func(c *session.Config) { c.Grace = 5 * time.Second })
				begun, token := beginSession(t, s, session.App, "ada")
				_, next := refreshToken(t, s, token)
				w.pass(tt.after)
				wantTokenRefused(t, s, token, tt.client)
				wantLive(t, s, begun.ID, tt.live)
				if tt.live {
					refreshToken(t, s, next)
				}
			})
		})
	}
}

func TestTokenOfAnotherClientIsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		_, token := beginSession(t, s, session.App, "ada")
		for _, client := range []string{"", "Phone", "phone2", "\x00"} {
			wantTokenRefused(t, s, token, client)
		}
		if names := w.recorded(); !slices.Contains(names, "authn_token_client_mismatch") {
			t.Errorf("events are %v", names)
		}
		refreshToken(t, s, token)
	})
}

func TestUserWhoIsOutStaysOut(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		app, token := beginSession(t, s, session.App, "ada")
		browser, value := beginSession(t, s, session.Browser, "ada")
		w.become("ada", func(u *auth.Standing) { u.Active = false })
		for _, id := range []string{app.ID, browser.ID} {
			wantLive(t, s, id, false)
		}
		wantCookie(t, c, value, false)
		wantTokenRefused(t, s, token, "phone")
		if _, _, err := s.Renew(t.Context(), browser.ID, auth.Set{}); !errors.Is(err, session.ErrRefused) {
			t.Errorf("a disabled user renewed: %v", err)
		}
		w.become("ada", func(u *auth.Standing) { u.Active = true }) // Locked for a minute by somebody's guesses, say.
		wantCookie(t, c, value, true)
		_, token = refreshToken(t, s, token)
		w.become("ada", func(u *auth.Standing) { u.Epoch++ })
		for _, id := range []string{app.ID, browser.ID} {
			wantLive(t, s, id, false)
		}
		wantCookie(t, c, value, false)
		wantTokenRefused(t, s, token, "phone")
		if _, good, err := s.ByRefreshToken(t.Context(), token); err != nil || good {
			t.Errorf("a token of an older epoch is good: %v, %v", good, err)
		}
		_, value = beginSession(t, s, session.Browser, "ada")
		wantCookie(t, c, value, true)
		delete(w.users, "ada")
		wantCookie(t, c, value, false)
	})
}

// Session fixation: the attacker knows the value before the victim logs in.
func TestPlantedCookieIsNotAdopted(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		_, attackers := beginSession(t, s, session.Browser, "bob")
		wantCookie(t, c, attackers, true)
		for _, planted := range []string{strings.Repeat("A", 43), "chosen", attackers} {
			h := make(http.Header)
			begun, err := c.LogIn(t.Context(), h, withCookie(planted), session.Login{User: "ada", AllScopes: true})
			if err != nil {
				t.Fatal(err)
			}
			set, err := http.ParseSetCookie(h.Get("Set-Cookie"))
			if err != nil || set.Value == planted || begun.Kind != session.Browser {
				t.Errorf("the victim got %v, %v", set, err)
			}
			wantCookie(t, c, planted, false)
			if u := wantCookie(t, c, set.Value, true); u.ID != "ada" || u.Session != begun.ID {
				t.Errorf("the victim is %v", u)
			}
		}
	})
}

func TestRenewedCookieEndsTheOldOne(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s, other := w.sessions(t, db), w.sessions(t, openAgain(t, db))
		c := sessionCookies(t, s)
		begun, old := beginSession(t, s, session.Browser, "ada")
		wantCookie(t, c, old, true)
		wantCookie(t, sessionCookies(t, other), old, true)
		w.pass(time.Minute)
		for range 2 { // The first use is written down, the second is in memory.
			wantCookie(t, c, old, true)
		}
		renewed, value, err := s.Renew(t.Context(), begun.ID, auth.SetOf("otp"))
		if err != nil || value == old || renewed.ID != begun.ID || !renewed.At.Equal(w.now()) || !renewed.Methods.Equal(auth.SetOf("otp", "pwd")) {
			t.Fatalf("Renew() = %+v, %v", renewed, err)
		}
		wantCookie(t, c, old, false)
		w.pass(4 * time.Second)
		wantCookie(t, sessionCookies(t, other), old, false)
		if u := wantCookie(t, c, value, true); !u.Methods.Has("otp") || !u.At.Equal(renewed.At) {
			t.Errorf("the user is %+v", u)
		}
		again, _, err := s.Renew(t.Context(), begun.ID, auth.Set{})
		if err != nil || !again.At.Equal(renewed.At) || !again.Methods.Equal(renewed.Methods) {
			t.Errorf("a renewal without proof made %+v, %v", again, err)
		}
		app, _ := beginSession(t, s, session.App, "ada")
		for _, id := range []string{app.ID, "", "\x00"} {
			if _, _, err := s.Renew(t.Context(), id, auth.Set{}); !errors.Is(err, session.ErrRefused) {
				t.Errorf("Renew(%q) of what is no session of a browser: %v", id, err)
			}
		}
	})
}

func TestStolenCookieOfEndedSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s, other := w.sessions(t, db), w.sessions(t, openAgain(t, db))
		c, elsewhere := sessionCookies(t, s), sessionCookies(t, other)
		begun, stolen := beginSession(t, s, session.Browser, "ada")
		wantCookie(t, c, stolen, true)
		wantCookie(t, elsewhere, stolen, true)
		h := make(http.Header)
		if err := c.LogOut(t.Context(), h, withCookie(stolen)); err != nil {
			t.Fatal(err)
		}
		if set, err := http.ParseSetCookie(h.Get("Set-Cookie")); err != nil || set.MaxAge >= 0 {
			t.Errorf("the log-out set %v, %v", set, err)
		}
		wantCookie(t, c, stolen, false)
		w.pass(4 * time.Second)
		wantCookie(t, elsewhere, stolen, false)
		wantLive(t, other, begun.ID, false)
		if _, _, err := s.Renew(t.Context(), begun.ID, auth.Set{}); !errors.Is(err, session.ErrRefused) {
			t.Errorf("an ended session was renewed: %v", err)
		}
		if kept, err := s.Get(t.Context(), begun.ID); err != nil || kept.Why != session.LoggedOut {
			t.Errorf("the session is %+v, %v", kept, err)
		}
	})
}

// A copy of the database has nothing that a request could carry.
func TestDumpCannotBeUsed(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		_, value := beginSession(t, s, session.Browser, "ada")
		_, token := beginSession(t, s, session.App, "ada")
		dump := dumpOf(t, db, "fastness_sessions", "fastness_session_secrets")
		if len(dump) < 40 {
			t.Fatalf("the dump has %d values", len(dump))
		}
		for _, stored := range dump {
			if strings.Contains(stored, value) || strings.Contains(stored, token) {
				t.Errorf("the dump has a secret as it is: %q", stored)
			}
			for _, tried := range []string{stored, hex.EncodeToString([]byte(stored)), base64.RawURLEncoding.EncodeToString([]byte(stored))} {
				wantTokenRefused(t, s, tried, "phone")
				if r := withCookie(tried); c.Present(r) {
					wantCookie(t, c, tried, false)
				}
			}
		}
		wantCookie(t, c, value, true)
		refreshToken(t, s, token)
	})
}

// dumpOf returns every value of the tables as text.
func dumpOf(t *testing.T, db *sqldb.DB, tables ...string) (dump []string) {
	t.Helper()
	for _, table := range tables {
		rows, err := db.Write.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				if data, ok := v.([]byte); ok {
					v = string(data)
				}
				dump = append(dump, fmt.Sprint(v))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close() // Before the next query: there may be one connection.
	}
	return dump
}

// Both are 43 characters that open a door, and neither opens the other's.
func TestCookieIsNoRefreshToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		_, value := beginSession(t, s, session.Browser, "ada")
		_, token := beginSession(t, s, session.App, "ada")
		wantCookie(t, c, token, false)
		wantTokenRefused(t, s, value, "phone")
		if found, _, err := s.ByRefreshToken(t.Context(), value); err != nil || found != nil {
			t.Errorf("a cookie counts as a refresh token: %v, %v", found, err)
		}
		if err := c.LogOut(t.Context(), make(http.Header), withCookie(token)); err != nil {
			t.Error(err)
		}
		wantCookie(t, c, value, true)
		refreshToken(t, s, token)
	})
}

func TestRevocationFindsAUsedToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		begun, used := beginSession(t, s, session.App, "ada")
		_, token := refreshToken(t, s, used)
		want := func(token, id string, good bool) {
			t.Helper()
			found, isGood, err := s.ByRefreshToken(t.Context(), token)
			if err != nil || isGood != good || (found == nil) != (id == "") || found != nil && found.ID != id {
				t.Errorf("ByRefreshToken() = %+v, %v, %v", found, isGood, err)
			}
		}
		want(used, begun.ID, false)
		want(token, begun.ID, true)
		want(strings.Repeat("A", 43), "", false)
		want("\x00", "", false)
		if err := s.End(t.Context(), begun.ID, session.Revoked); err != nil {
			t.Fatal(err)
		}
		want(token, begun.ID, false)
		want(used, begun.ID, false)
	})
}

// No request that begins after the log-out is let in, however many keep the
// session in memory.
func TestEndedSessionCountsAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		for range 20 {
			begun, _ := beginSession(t, s, session.App, "ada")
			var over atomic.Bool
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for {
						after := over.Load()
						live, err := s.Live(t.Context(), begun.ID)
						if err != nil || after && live {
							t.Errorf("after the end: Live() = %v, %v", live, err)
						}
						if after {
							return
						}
						w.pass(time.Second) // The cache loads again and again.
					}
				})
			}
			if err := s.End(t.Context(), begun.ID, session.LoggedOut); err != nil {
				t.Error(err)
			}
			over.Store(true)
			wg.Wait()
		}
	})
}

// A client that refreshes in a circle fills neither the database nor forever.
func TestUsedTokensAreBounded(t *testing.T) {
	w := newSessionWorld()
	db := openSQLite(t, t.TempDir()+"/test.db")
	s := w.sessions(t, db)
	begun, first := beginSession(t, s, session.App, "ada")
	token := first
	for range 1010 {
		_, token = refreshToken(t, s, token)
	}
	var n int
	if err := db.Write.QueryRow("SELECT COUNT(*) FROM fastness_session_secrets").Scan(&n); err != nil || n > 1001 {
		t.Errorf("%d secrets, %v, want at most 1001", n, err)
	}
	wantTokenRefused(t, s, first, "phone")
	wantLive(t, s, begun.ID, true)
}

// The whole way of a request: what a page of another site makes the browser send
// does not count, and neither does a second cookie.
func TestCookieBehindTheSchemes(t *testing.T) {
	w := newSessionWorld()
	s := w.sessions(t, openSQLite(t, t.TempDir()+"/test.db"))
	_, value := beginSession(t, s, session.Browser, "ada")
	schemes, err := auth.New(sessionCookies(t, s))
	if err != nil {
		t.Fatal(err)
	}
	handler := schemes.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, auth.From(r.Context()).ID) }))
	tests := []struct {
		is     string
		method string
		header http.Header
		want   int
	}{
		{"no cookie", "GET", http.Header{}, 401},
		{"a good cookie", "GET", http.Header{"Cookie": {"__Host-session=" + value}}, 200},
		{"a wrong cookie", "GET", http.Header{"Cookie": {"__Host-session=" + strings.Repeat("A", 43)}}, 401},
		{"two cookies", "GET", http.Header{"Cookie": {"__Host-session=" + value + "; __Host-session=" + strings.Repeat("A", 43)}}, 400},
		{"a form of the own page", "POST", http.Header{"Cookie": {"__Host-session=" + value}, "Sec-Fetch-Site": {"same-origin"}}, 200},
		{"a form of another site", "POST", http.Header{"Cookie": {"__Host-session=" + value}, "Sec-Fetch-Site": {"cross-site"}}, 403},
		{"a form of a subdomain", "POST", http.Header{"Cookie": {"__Host-session=" + value}, "Sec-Fetch-Site": {"same-site"}}, 403},
		{"a form of nobody knows where", "POST", http.Header{"Cookie": {"__Host-session=" + value}}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.is, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "https://shop.example/", nil)
			r.Header = tt.header
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			if answer.Code != tt.want || (answer.Body.String() == "ada") != (tt.want == 200) {
				t.Errorf("%d %s, want %d", answer.Code, answer.Body, tt.want)
			}
			if tt.want == 401 && answer.Header().Get("WWW-Authenticate") != "Cookie" {
				t.Errorf("the challenge is %q", answer.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

// Whoever has a password logs in over and over, to fill the database or the list
// in which its owner looks for what is not theirs.
func TestSessionsOfAUserAreBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		used, token := beginSession(t, s, session.App, "ada")
		unused, unusedToken := beginSession(t, s, session.App, "ada")
		others, _ := beginSession(t, s, session.App, "bob")
		var last *session.Session
		for i := range 110 {
			w.pass(10 * time.Second)
			last, _ = beginSession(t, s, []session.Kind{session.App, session.Browser}[i%2], "ada")
			if i == 60 {
				_, token = refreshToken(t, s, token)
			}
		}
		if list, err := s.List(t.Context(), "ada"); err != nil || len(list) != 100 {
			t.Errorf("%d sessions go on, %v, want 100", len(list), err)
		}
		for id, live := range map[string]bool{used.ID: true, last.ID: true, others.ID: true, unused.ID: false} {
			wantLive(t, s, id, live)
		}
		refreshToken(t, s, token)
		wantTokenRefused(t, s, unusedToken, "phone")
		ended := 0
		for _, name := range w.recorded() {
			if name == "session_expired" {
				ended++
			}
		}
		if ended != 12 {
			t.Errorf("%d events of sessions that ended, want 12", ended)
		}
	})
}

// A log-in with the old password that takes its time must not outlive the change.
func TestLogInOfAnEarlierEpochBeginsNothing(t *testing.T) {
	w := newSessionWorld()
	s := w.sessions(t, openSQLite(t, t.TempDir()+"/test.db"))
	for _, kind := range []session.Kind{session.App, session.Browser} {
		_, secret, err := s.Begin(t.Context(), session.Login{Kind: kind, User: "ada", Client: "phone", Epoch: 2})
		if !errors.Is(err, session.ErrRefused) || secret != "" {
			t.Errorf("Begin() of a %s = %q, %v, want it refused", kind, secret, err)
		}
	}
	if list, err := s.List(t.Context(), "ada"); err != nil || len(list) != 0 {
		t.Errorf("%d sessions go on, %v", len(list), err)
	}
}
