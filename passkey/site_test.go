package passkey_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/passkey"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// manyRequests is the rate limit of tests that are about something else.
const manyRequests = "1000000/second"

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

const password = "correct horse battery staple"

// site is a started app with passkeys, as one process of it.
type site struct {
	t     testing.TB
	app   *fastness.App
	core  *identity.Core
	dir   string
	addr  string
	later *atomic.Int64 // nanoseconds that the clock is ahead
}

func newSite(t testing.TB) *site {
	return openSite(t, t.TempDir(), "127.0.0.1:8443", new(atomic.Int64))
}

// openSite starts a process on the files in dir.
func openSite(t testing.TB, dir, addr string, later *atomic.Int64) *site {
	t.Helper()
	s := &site{t: t, dir: dir, addr: addr, later: later}
	s.app = fastness.New(fastness.Config{Title: "Shop", Version: "1", RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: manyRequests}}, Roles: []string{"admin", "customer"}})
	users := identity.New(identity.Config{
		Open: openUsers, Name: "Shop & Co", Roles: []string{"admin", "customer"},
		Clients:             []identity.Client{{ID: "shop", FirstParty: true}, {ID: "game"}},
		InsecureWeakHashing: "tests", Now: s.now, Limits: identity.Limits{LogIn: manyRequests, SignUp: manyRequests, Tokens: manyRequests},
	})
	users.Declare(s.app)
	passkey.New(passkey.Config{Identity: users}).Declare(s.app)
	fastness.ProvideValue(s.app, fastness.Settings{DataDir: dir, Addr: addr})
	fastness.Get(s.app, "/test/core", func(_ context.Context, in struct{ Core *identity.Core }) (fastness.NoContent, error) {
		s.core = in.Core
		return fastness.NoContent{}, nil
	}, access.Public, fastness.Summary("For the test"))
	if err := s.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s.call(nil, "GET", "/test/core", "").want(t, http.StatusNoContent)
	return s
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.later.Load())) }

func openUsers(_ context.Context, settings fastness.Settings) (*sqldb.DB, error) {
	open := func(params url.Values, n int) (*sql.DB, error) {
		params.Set("_busy_timeout", "5000")
		name := url.URL{Scheme: "file", Path: filepath.Join(settings.DataDir, "users.db"), RawQuery: params.Encode()}
		pool, err := sql.Open("sqlite", name.String())
		if err == nil {
			pool.SetMaxOpenConns(n)
		}
		return pool, err
	}
	db := new(sqldb.DB)
	var err error
	if db.Write, err = open(url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}}, 1); err != nil {
		return nil, err
	}
	db.Read, err = open(url.Values{}, 4)
	return db, err
}

// add makes an account and returns its id.
func (s *site) add(name string) string {
	s.t.Helper()
	a, err := s.core.Accounts.Create(s.t.Context(), account.By{}, account.New{Name: name, Password: secret.New(password), Roles: auth.SetOf("customer")})
	if err != nil {
		s.t.Fatal(err)
	}
	return a.ID
}

// browser keeps cookies, as far as these tests need them.
type browser struct {
	*site
	cookies map[string]string
}

func (s *site) browser() *browser { return &browser{s, map[string]string{}} }

// logIn makes a browser that somebody has logged in with by password.
func (s *site) logIn(name string) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/session", map[string]string{"username": name, "password": password}).want(s.t, http.StatusNoContent)
	return b
}

func (b *browser) post(path string, body any) reply {
	b.t.Helper()
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		text = string(encoded)
	}
	return b.call(b, http.MethodPost, path, text, "Sec-Fetch-Site", "same-origin", "X-CSRF-Token", b.token())
}

// token gets a CSRF token, as passkey.js does.
func (b *browser) token() string {
	b.t.Helper()
	return decode[fastness.CSRFToken](b.t, b.get("/csrftoken/").want(b.t, http.StatusOK)).Token
}

func (b *browser) get(path string) reply { return b.call(b, http.MethodGet, path, "") }
func (b *browser) delete(path string) reply {
	return b.call(b, http.MethodDelete, path, "", "Sec-Fetch-Site", "same-origin", "X-CSRF-Token", b.token())
}

// reply is what the site answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request with headers in pairs, from a browser or from none.
func (s *site) call(b *browser, method, path, body string, header ...string) reply {
	r := httptest.NewRequest(method, "https://localhost"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if b != nil {
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	if b != nil {
		for _, c := range w.Result().Cookies() {
			if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
				delete(b.cookies, c.Name)
			}
		}
	}
	return reply{w.Code, w.Result().Header, w.Body.String()}
}

func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("answer %d %s, want %d", r.status, r.body, status)
	}
	return r
}

// wantProblem wants a problem document with a code.
func (r reply) wantProblem(t testing.TB, status int, code string) {
	t.Helper()
	if got := decode[struct{ Code string }](t, r); r.status != status || got.Code != code {
		t.Errorf("answer %d %s, want %d with the code %s", r.status, r.body, status, code)
	}
}

func decode[T any](t testing.TB, r reply) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	return v
}

// creation and request ask for options.
func (b *browser) creation() passkey.CreationOptions {
	b.t.Helper()
	return decode[passkey.CreationOptions](b.t, b.post("/me/passkeys/options", nil).want(b.t, http.StatusOK))
}

func (b *browser) request() passkey.RequestOptions {
	b.t.Helper()
	return decode[passkey.RequestOptions](b.t, b.post("/passkeys/options", nil).want(b.t, http.StatusOK))
}

func (b *browser) addPasskey(name string, credential json.RawMessage) reply {
	b.t.Helper()
	return b.post("/me/passkeys", map[string]any{"name": name, "credential": credential})
}

func (b *browser) present(credential json.RawMessage) reply {
	b.t.Helper()
	return b.post("/passkeys/session", map[string]any{"credential": credential})
}

// enrolled is an account with a passkey on a device.
func (s *site) enrolled(name string) (id string, d *device) {
	s.t.Helper()
	id, d = s.add(name), newDevice(s.t)
	b := s.logIn(name)
	b.addPasskey("Laptop", d.create(b.creation())).want(s.t, http.StatusCreated)
	return id, d
}

// me returns who is logged in with the browser, or "".
func (b *browser) me() (id string, methods []string) {
	b.t.Helper()
	got := b.get("/me")
	if got.status == http.StatusUnauthorized {
		return "", nil
	}
	me := decode[identity.Me](b.t, got.want(b.t, http.StatusOK))
	return me.ID, me.Methods
}

// lastEvent returns the newest event.
func (s *site) lastEvent() auditlog.Entry {
	s.t.Helper()
	all, err := s.core.Events.List(s.t.Context(), auditlog.Query{})
	if err != nil || len(all) == 0 {
		s.t.Fatalf("events: %v, %v", all, err)
	}
	return all[0]
}
