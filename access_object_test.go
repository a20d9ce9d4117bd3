package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/clientip"
)

// vault is an object that lives as long as the app.
type vault struct{ Owner string }

func ownersOfVaults() fastness.Option {
	return access.Object("its owner", func(_ context.Context, u auth.User, v vault) error {
		if u.ID != v.Owner {
			return access.Denied()
		}
		return nil
	})
}

// A rule that ran only for what is made per request would let everybody at a value
// that the app has from its start, and in a test that overrides the object at every
// one.
func TestRuleAboutAnAppScopedObjectRuns(t *testing.T) {
	asksFor := func(_ context.Context, in struct{ Vault vault }) (string, error) { return in.Vault.Owner, nil }
	type opened struct{ Of string }
	through := func(_ context.Context, in struct{ Opened opened }) (string, error) { return in.Opened.Of, nil }
	open := func(_ context.Context, in struct{ Vault vault }) (opened, error) { return opened{in.Vault.Owner}, nil }
	for name, declare := range map[string]func(app *fastness.App){
		"a value": func(app *fastness.App) {
			fastness.ProvideValue(app, vault{"u2"})
			fastness.Get(app, "/vault", asksFor, access.Authenticated, ownersOfVaults())
		},
		"one that is made when the app starts": func(app *fastness.App) {
			fastness.ProvideApp(app, func(context.Context, struct{}) (vault, func(error) error, error) { return vault{"u2"}, nil, nil })
			fastness.Get(app, "/vault", asksFor, access.Authenticated, ownersOfVaults())
		},
		"one that a test put there": func(app *fastness.App) {
			fastness.Provide(app, func(context.Context, struct{}) (vault, error) { return vault{}, errors.New("there is no database") })
			fastness.Override(app, vault{"u2"})
			fastness.Get(app, "/vault", asksFor, access.Authenticated, ownersOfVaults())
		},
		"one that a provider needs": func(app *fastness.App) {
			fastness.ProvideValue(app, vault{"u2"})
			fastness.Provide(app, open)
			fastness.Get(app, "/vault", through, access.Authenticated, ownersOfVaults())
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := secured()
			declare(app)
			api := fastnesstest.New(t, app)
			for caller, want := range map[string]int{"": 401, "ann": 403, "bob": 200, "eve": 403} {
				if got := api.Get("/vault", fastnesstest.Header("X-Letter", caller)).Status; got != want {
					t.Errorf("%q gets %d, want %d", caller, got, want)
				}
			}
		})
	}
}

// Whoever is between a browser and the server writes the pages that come without
// TLS. Such a page is of the same host, and must not act for its visitors.
func TestOriginWithoutTLSIsNotTheOwnPage(t *testing.T) {
	app := secured()
	fastness.Post(app, "/me", userID, access.Authenticated)
	api := fastnesstest.New(t, app, fastnesstest.Header("X-Stamp", "ann"))
	for origin, want := range map[string]int{
		"https://localhost": 200, "http://localhost": 403, "HTTP://localhost": 403, "ws://localhost": 403, "//localhost": 403, "https://localhost:80": 403,
	} {
		if got := api.Post("/me", nil, fastnesstest.Header("Origin", origin)).Status; got != want {
			t.Errorf("a page of %s: %d, want %d", origin, got, want)
		}
	}
	// Where a proxy ends TLS, the server cannot know what the page came by.
	if got := api.Post("/me", nil, fastnesstest.PlainHTTP(), fastnesstest.Header("Origin", "https://localhost")).Status; got != 200 {
		t.Errorf("behind a proxy: %d, want 200", got)
	}
}

// A rule of the whole app holds where nothing nearer has its own.
func TestRuleOfTheAppHoldsForAllThatHaveNone(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"admin"}, Options: []fastness.Option{access.Role("admin")}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	hello := func(context.Context, struct{}) (string, error) { return "hello", nil }
	fastness.Get(app, "/a", hello)
	fastness.Get(app.Group("/b"), "", hello)
	fastness.Get(app, "/c", hello, access.Public)
	fastness.Mount(app, "/d", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	api := fastnesstest.New(t, app)
	for path, want := range map[string][3]int{"/a": {401, 403, 200}, "/b": {401, 403, 200}, "/c": {200, 200, 200}, "/d/": {401, 403, 200}} {
		got := [3]int{
			api.Get(path).Status,
			api.Get(path, fastnesstest.Header("X-Letter", "ann")).Status,
			api.Get(path, fastnesstest.Header("X-Letter", "eve")).Status,
		}
		if got != want {
			t.Errorf("%s: nobody, ann and eve get %v, want %v", path, got, want)
		}
	}
}

func TestMistakesOfPackagesAreNamedWithTheOthers(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1"})
	app.Mistake(nil)
	app.Mistake(errors.New("the moon is missing"))
	fastness.Get(app, "/a", func(context.Context, struct{}) (string, error) { return "", nil })
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the moon is missing") || !strings.Contains(err.Error(), "GET /a: no access rule") {
		t.Errorf("Start() = %v", err)
	}
}

// The address is that of the connection, whatever a header says.
func TestClientAddrIsThatOfTheConnection(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1"})
	var kept context.Context
	fastness.Get(app, "/a", func(ctx context.Context, _ struct{}) (string, error) {
		kept = ctx
		return fastness.ClientAddr(ctx).String(), nil
	}, access.Public)
	fastnesstest.New(t, app).Get("/a", fastnesstest.Header("X-Forwarded-For", "192.0.2.7")).WantJSON(`"127.0.0.1"`)
	if addr := fastness.ClientAddr(kept); addr.String() != "127.0.0.1" {
		t.Errorf("after the request the address is %v, want what it was", addr)
	}
	if addr := fastness.ClientAddr(t.Context()); addr.IsValid() {
		t.Errorf("without a request the address is %v, want none", addr)
	}
}

// Behind a trusted proxy it is what the proxy wrote, and never what the client
// did; HSTS is sent if the client's connection has TLS.
func TestTrustedProxySaysWhoItsClientIs(t *testing.T) {
	var log bytes.Buffer
	app := fastness.New(fastness.Config{
		Title: "T", Version: "1", Proxies: clientip.Config{Trust: []string{"127.0.0.1"}},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	fastness.Get(app, "/a", func(ctx context.Context, _ struct{}) (string, error) { return fastness.ClientAddr(ctx).String(), nil }, access.Public,
		fastness.Middleware(func(next http.Handler) http.Handler { return next }))
	answer := fastnesstest.New(t, app).Get("/a", fastnesstest.Header("X-Forwarded-For", "1.1.1.1, 192.0.2.7"), fastnesstest.Header("X-Forwarded-Proto", "https"))
	answer.WantJSON(`"192.0.2.7"`)
	if answer.Header.Get("Strict-Transport-Security") == "" {
		t.Error("a client that came with TLS gets no Strict-Transport-Security")
	}
	if !strings.Contains(log.String(), "client=192.0.2.7") {
		t.Errorf("the log does not name the client: %s", log.String())
	}
}

func TestProxyThatNobodyTrustsIsNamedOnce(t *testing.T) {
	var log bytes.Buffer
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		r := httptest.NewRequest("GET", "https://localhost/", nil)
		r.RemoteAddr = "10.0.0.7:1234"
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		app.ServeHTTP(httptest.NewRecorder(), r)
	}
	if n := strings.Count(log.String(), "a proxy nobody trusts"); n != 1 || !strings.Contains(log.String(), "proxy=10.0.0.7") {
		t.Errorf("it is named %d times, want once: %s", n, log.String())
	}
}

func TestMissingSchemeIsNamed(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1"})
	app.Authenticate(nil)
	fastness.Get(app, "/a", func(context.Context, struct{}) (string, error) { return "", nil }, access.Authenticated)
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "scheme 1 is nil") {
		t.Errorf("Start() = %v, want that a scheme is nil", err)
	}
}
