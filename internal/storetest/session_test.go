package storetest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// sessionWorld is what is around sessions and keys: users, a log and a clock. It
// is the same for all processes of a test.
type sessionWorld struct {
	mu     sync.Mutex
	time   time.Time
	users  map[string]*auth.Standing
	down   error // of the accounts
	full   error // of the log
	events []auditlog.Event
}

func newSessionWorld() *sessionWorld {
	return &sessionWorld{time: time.Unix(1_795_000_000, 0).UTC(), users: map[string]*auth.Standing{
		"ada": {Active: true, Name: "Ada", Roles: auth.SetOf("admin"), Epoch: 3}, "bob": {Active: true, Name: "Bob"},
	}}
}

func (w *sessionWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *sessionWorld) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// become changes a user. Who has the old standing keeps it as it was.
func (w *sessionWorld) become(user string, change func(*auth.Standing)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := *w.users[user]
	change(&changed)
	w.users[user] = &changed
}

func (w *sessionWorld) Standing(_ context.Context, user string) (*auth.Standing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.users[user], w.down
}

func (w *sessionWorld) Record(_ context.Context, e auditlog.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full == nil {
		w.events = append(w.events, e)
	}
	return w.full
}

func (w *sessionWorld) recorded() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		names = append(names, e.Name)
	}
	return names
}

func (w *sessionWorld) sessions(t testing.TB, db *sqldb.DB, change ...func(*session.Config)) *session.Sessions {
	t.Helper()
	cfg := session.Config{DB: db, Accounts: w, Events: w, Now: w.now}
	for _, c := range change {
		c(&cfg)
	}
	s, err := session.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sessionCookies(t testing.TB, s *session.Sessions) *session.Cookies {
	t.Helper()
	c, err := session.NewCookies(session.CookieConfig{Sessions: s})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func beginSession(t testing.TB, s *session.Sessions, kind session.Kind, user string) (*session.Session, string) {
	t.Helper()
	begun, secret, err := s.Begin(t.Context(), session.Login{
		Kind: kind, User: user, Client: "phone", Scopes: auth.SetOf("items", "orders"), Methods: auth.SetOf("pwd"), Label: "Firefox",
	})
	if err != nil {
		t.Fatal(err)
	}
	return begun, secret
}

// withCookie is a request of a browser.
func withCookie(value string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "__Host-session="+value)
	return r
}

func wantLive(t *testing.T, s *session.Sessions, id string, want bool) {
	t.Helper()
	if live, err := s.Live(t.Context(), id); err != nil || live != want {
		t.Errorf("Live() = %v, %v, want %v", live, err, want)
	}
}

func wantCookie(t *testing.T, c *session.Cookies, value string, want bool) *auth.User {
	t.Helper()
	u, err := c.Authenticate(t.Context(), withCookie(value))
	_, refused := errors.AsType[*auth.Refusal](err)
	if want && err != nil || !want && !refused {
		t.Errorf("the cookie: %v, want it taken: %v", err, want)
	}
	return u
}

func wantTokenRefused(t *testing.T, s *session.Sessions, token, client string) {
	t.Helper()
	if _, next, err := s.Refresh(t.Context(), token, client); !errors.Is(err, session.ErrRefused) || next != "" {
		t.Errorf("Refresh() = %q, %v, want it refused", next, err)
	}
}

func refreshToken(t *testing.T, s *session.Sessions, token string) (*session.Session, string) {
	t.Helper()
	found, next, err := s.Refresh(t.Context(), token, "phone")
	if err != nil || next == "" || next == token {
		t.Fatalf("Refresh() = %q, %v, want another token", next, err)
	}
	return found, next
}

func TestSessionIsWhatTheLogInSaid(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		for kind, life := range map[session.Kind][2]time.Duration{session.Browser: {30 * time.Minute, 12 * time.Hour}, session.App: {7 * 24 * time.Hour, 30 * 24 * time.Hour}} {
			begun, secret, err := s.Begin(t.Context(), session.Login{
				Kind: kind, User: "ada", Client: "phone", Scopes: auth.SetOf("b", "a"), AllScopes: true,
				Methods: auth.SetOf("pwd", "otp"), At: w.now().Add(-time.Minute), Label: "Fire\x00fox\r\n",
			})
			if err != nil {
				t.Fatal(err)
			}
			now := w.now()
			want := &session.Session{
				ID: begun.ID, User: "ada", Client: "phone", Kind: kind, Scopes: auth.SetOf("a", "b"), AllScopes: true,
				Methods: auth.SetOf("otp", "pwd"), At: now.Add(-time.Minute), Label: "Firefox", Epoch: 3,
				Created: now, LastUsed: now, Until: now.Add(life[0]), Absolute: now.Add(life[1]),
			}
			if !reflect.DeepEqual(begun, want) || len(secret) != 43 || len(begun.ID) < 26 {
				t.Errorf("Begin() = %+v, a secret of %d bytes, want %+v", begun, len(secret), want)
			}
			if kept, err := s.Get(t.Context(), begun.ID); err != nil || !reflect.DeepEqual(kept, want) {
				t.Errorf("Get() = %+v, %v, want %+v", kept, err, want)
			}
			wantLive(t, s, begun.ID, true)
		}
		for _, id := range []string{"", "nobody", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "\x00", "\xff", "' OR 1=1"} {
			wantLive(t, s, id, false)
		}
	})
}

func TestLogInThatIsNotWhole(t *testing.T) {
	w := newSessionWorld()
	s := w.sessions(t, openSQLite(t, t.TempDir()+"/test.db"))
	for name, login := range map[string]session.Login{
		"no kind":             {User: "ada"},
		"no user":             {Kind: session.Browser},
		"an app of no client": {Kind: session.App, User: "ada"},
		"a scope of two":      {Kind: session.Browser, User: "ada", Scopes: auth.SetOf("a b")},
	} {
		if _, _, err := s.Begin(t.Context(), login); err == nil || errors.Is(err, session.ErrRefused) {
			t.Errorf("%s: %v, want a mistake", name, err)
		}
	}
	w.become("bob", func(u *auth.Standing) { u.Active = false })
	for _, user := range []string{"bob", "nobody"} {
		if _, _, err := s.Begin(t.Context(), session.Login{Kind: session.Browser, User: user}); !errors.Is(err, session.ErrRefused) {
			t.Errorf("%s began a session: %v", user, err)
		}
	}
}

func TestBrowserSessionEndsByItself(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		_, value := beginSession(t, s, session.Browser, "ada")
		w.pass(30*time.Minute - time.Microsecond)
		wantCookie(t, c, value, true) // It was used: 30 more minutes.
		w.pass(30*time.Minute - time.Microsecond)
		wantCookie(t, c, value, true)
		w.pass(30 * time.Minute)
		wantCookie(t, c, value, false)

		begun, value := beginSession(t, s, session.Browser, "ada")
		for w.now().Before(begun.Absolute.Add(-20 * time.Minute)) {
			w.pass(20 * time.Minute)
			wantCookie(t, c, value, true)
		}
		w.pass(20*time.Minute - time.Microsecond)
		wantCookie(t, c, value, true)
		w.pass(time.Microsecond)
		wantCookie(t, c, value, false)
		wantLive(t, s, begun.ID, false)
	})
}

func TestAppSessionEndsByItself(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db, func(c *session.Config) { c.RefreshIdle, c.RefreshAbsolute = 10*time.Minute, 25*time.Minute })
		begun, token := beginSession(t, s, session.App, "ada")
		w.pass(10 * time.Minute)
		wantTokenRefused(t, s, token, "phone")
		wantLive(t, s, begun.ID, false)

		begun, token = beginSession(t, s, session.App, "ada")
		for range 2 {
			w.pass(9 * time.Minute)
			_, token = refreshToken(t, s, token)
		}
		w.pass(7*time.Minute - time.Second)
		wantLive(t, s, begun.ID, true)
		w.pass(time.Second)
		wantLive(t, s, begun.ID, false)
		wantTokenRefused(t, s, token, "phone")
	})
}

func TestUseIsWrittenDownOnceAMinute(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		other := w.sessions(t, db)
		begun, value := beginSession(t, s, session.Browser, "ada")
		for _, step := range []struct {
			after, noted time.Duration
		}{{59 * time.Second, 0}, {time.Second, 60 * time.Second}, {59 * time.Second, 60 * time.Second}, {time.Second, 120 * time.Second}} {
			w.pass(step.after)
			wantCookie(t, sessionCookies(t, s), value, true)
			if kept, err := s.Get(t.Context(), begun.ID); err != nil || kept.LastUsed.Sub(begun.Created) != step.noted {
				t.Errorf("last used %v after the log-in, %v, want %v", kept.LastUsed.Sub(begun.Created), err, step.noted)
			}
		}
		// Another process that has read the old end does not hold to it.
		kept, err := s.Get(t.Context(), begun.ID)
		if err != nil {
			t.Fatal(err)
		}
		w.pass(kept.Until.Sub(w.now()) - time.Second)
		wantLive(t, other, begun.ID, true)
		wantCookie(t, sessionCookies(t, s), value, true)
		w.pass(2 * time.Second)
		wantLive(t, other, begun.ID, true)
	})
}

func TestUserOfACookieIsFresh(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		c := sessionCookies(t, s)
		begun, value := beginSession(t, s, session.Browser, "ada")
		u := wantCookie(t, c, value, true)
		want := &auth.User{
			ID: "ada", Name: "Ada", Roles: auth.SetOf("admin"), Scopes: begun.Scopes, Client: "phone", Session: begun.ID,
			Scheme: "session", Methods: begun.Methods, At: begun.At, Until: begun.Absolute,
		}
		if !reflect.DeepEqual(u, want) {
			t.Errorf("the user is %+v, want %+v", u, want)
		}
		w.become("ada", func(u *auth.Standing) { u.Roles = auth.SetOf("guest") })
		if demoted := wantCookie(t, c, value, true); demoted.HasRole("admin") || !demoted.HasRole("guest") || !u.HasRole("admin") {
			t.Errorf("roles are %v after the user was demoted, and %v in the request before", demoted.Roles, u.Roles)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		var ids []string
		for range 5 {
			begun, _ := beginSession(t, s, session.App, "ada")
			wantLive(t, s, begun.ID, true)
			ids = append(ids, begun.ID)
			w.pass(time.Second)
		}
		bobs, _ := beginSession(t, s, session.Browser, "bob")
		wantList := func(want ...string) {
			t.Helper()
			list, err := s.List(t.Context(), "ada")
			var got []string
			for _, item := range list {
				got = append(got, item.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("List() = %v, %v, want %v", got, err, want)
			}
			for _, id := range ids {
				wantLive(t, s, id, slices.Contains(want, id))
			}
		}
		wantList(ids[4], ids[3], ids[2], ids[1], ids[0])
		for range 2 { // The second time nothing is left to end.
			if err := s.End(t.Context(), ids[4], session.LoggedOut); err != nil {
				t.Error(err)
			}
		}
		wantList(ids[3], ids[2], ids[1], ids[0])
		for id, want := range map[string]bool{ids[3]: true, ids[4]: false, bobs.ID: false, "\x00": false, "": false} {
			if ended, err := s.EndOf(t.Context(), "ada", id); err != nil || ended != want {
				t.Errorf("EndOf(%q) = %v, %v, want %v", id, ended, err, want)
			}
		}
		wantList(ids[2], ids[1], ids[0])
		if n, err := s.EndOthers(t.Context(), "ada", ids[1]); err != nil || n != 2 {
			t.Errorf("EndOthers() = %d, %v, want 2", n, err)
		}
		wantList(ids[1])
		if n, err := s.EndAll(auth.With(t.Context(), &auth.User{ID: "root"}), "ada"); err != nil || n != 1 {
			t.Errorf("EndAll() = %d, %v, want 1", n, err)
		}
		wantList()
		wantLive(t, s, bobs.ID, true)
		if kept, err := s.Get(t.Context(), ids[4]); err != nil || kept.Why != session.LoggedOut || !kept.Ended.Equal(w.now()) {
			t.Errorf("the first that ended is %+v, %v", kept, err)
		}
		last := w.events[len(w.events)-1]
		if last.Name != "session_expired" || last.Actor != "root" || last.Subject != ids[1] || last.Refused {
			t.Errorf("the last event is %+v", last)
		}
		if n := len(w.events); n != 6+5 {
			t.Errorf("there are %d events, want 6 of beginnings and 5 of ends: %v", n, w.recorded())
		}
	})
}

func TestPurgeDeletesWhatIsLongOver(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db, func(c *session.Config) { c.Keep = time.Hour })
		for range 201 { // More than one batch.
			beginSession(t, s, session.Browser, "bob")
		}
		ended, _ := beginSession(t, s, session.App, "ada")
		kept, token := beginSession(t, s, session.App, "ada")
		_, token = refreshToken(t, s, token)
		if err := s.End(t.Context(), ended.ID, session.LoggedOut); err != nil {
			t.Fatal(err)
		}
		w.pass(60 * time.Minute)
		if n, err := s.Purge(t.Context()); err != nil || n != 0 {
			t.Errorf("Purge() = %d, %v, want none: nothing is over for longer than an hour", n, err)
		}
		w.pass(30*time.Minute + time.Second)
		if n, err := s.Purge(t.Context()); err != nil || n != 202 {
			t.Errorf("Purge() = %d, %v, want 202", n, err)
		}
		if found, err := s.Get(t.Context(), ended.ID); err != nil || found != nil {
			t.Errorf("what was purged is %+v, %v", found, err)
		}
		var secrets int
		if err := db.Write.QueryRow("SELECT COUNT(*) FROM fastness_session_secrets").Scan(&secrets); err != nil || secrets != 2 {
			t.Errorf("%d secrets are left, %v, want 2", secrets, err)
		}
		if found, _ := refreshToken(t, s, token); found.ID != kept.ID {
			t.Error("the session that goes on was purged")
		}
	})
}

func TestRecorderThatFails(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		begun, value := beginSession(t, s, session.Browser, "ada")
		w.full = errors.New("full")
		if _, _, err := s.Begin(t.Context(), session.Login{Kind: session.Browser, User: "ada"}); !errors.Is(err, w.full) {
			t.Errorf("a log-in that is not recorded: %v", err)
		}
		if _, _, err := s.Renew(t.Context(), begun.ID, auth.Set{}); !errors.Is(err, w.full) {
			t.Errorf("a renewal that is not recorded: %v", err)
		}
		wantCookie(t, sessionCookies(t, s), value, true)
		if list, err := s.List(t.Context(), "ada"); err != nil || len(list) != 1 {
			t.Errorf("there are %d sessions, %v, want only the one that was recorded", len(list), err)
		}
		if err := s.End(t.Context(), begun.ID, session.LoggedOut); !errors.Is(err, w.full) {
			t.Errorf("an end that is not recorded: %v", err)
		}
		wantLive(t, s, begun.ID, false) // Whatever the log says.
	})
}

func TestDatabaseFailureIsNoRefusal(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		w := newSessionWorld()
		s := w.sessions(t, db)
		begun, value := beginSession(t, s, session.Browser, "ada")
		_, token := beginSession(t, s, session.App, "ada")
		ended, stop := context.WithCancel(t.Context())
		stop()
		fails := func(what string, err error) {
			t.Helper()
			_, refused := errors.AsType[*auth.Refusal](err)
			if err == nil || refused || errors.Is(err, session.ErrRefused) || problem.From(err).Status != http.StatusInternalServerError {
				t.Errorf("%s: %v, want a failure", what, err)
			}
		}
		for range 2 { // The failure is not kept.
			_, err := s.Live(ended, begun.ID)
			fails("Live", err)
			_, err = sessionCookies(t, s).Authenticate(ended, withCookie(value))
			fails("Authenticate", err)
		}
		_, _, err := s.Refresh(ended, token, "phone")
		fails("Refresh", err)
		w.down = errors.New("no accounts")
		_, err = s.Live(t.Context(), begun.ID)
		fails("Live without accounts", err)
		_, _, err = s.Refresh(t.Context(), token, "phone")
		fails("Refresh without accounts", err)
		w.down = nil
		wantCookie(t, sessionCookies(t, s), value, true)
		refreshToken(t, s, token)
	})
}

func TestLiveDoesNotAllocate(t *testing.T) {
	w := newSessionWorld()
	s := w.sessions(t, openSQLite(t, t.TempDir()+"/test.db"))
	begun, value := beginSession(t, s, session.Browser, "ada")
	c, r := sessionCookies(t, s), withCookie(value)
	wantLive(t, s, begun.ID, true)
	wantCookie(t, c, value, true)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Live(ctx, begun.ID) }); n != 0 {
		t.Errorf("Live costs %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Authenticate(ctx, r) }); n != 0 {
		t.Errorf("a cookie costs %v allocations, want 0", n)
	}
}

// eventDetail returns what an event says under a name.
func eventDetail(e auditlog.Event, name string) string {
	i := slices.IndexFunc(e.Details, func(a slog.Attr) bool { return a.Key == name })
	if i < 0 {
		return ""
	}
	return e.Details[i].Value.String()
}
