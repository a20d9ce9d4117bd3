package fastness_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/idempotency"
)

// below returns an app, and another that is mounted at /v2 by mount.
func below(cfg fastness.Config) (outer, v2 *fastness.App, mount func()) {
	cfg.Logger = slog.New(slog.DiscardHandler)
	outer, _ = open(cfg)
	v2 = fastness.New(fastness.Config{Title: "V2", Version: "2", Options: []fastness.Option{access.Public}})
	return outer, v2, func() { fastness.Mount(outer, "/v2", v2) }
}

// TestKeyOfOneAppIsNotThatOfAnother: both have a POST /orders and one store of keys. The
// second would not be done, and its caller would be told that it was.
func TestKeyOfOneAppIsNotThatOfAnother(t *testing.T) {
	outer, first := newOrders(t)
	v2, second := newOrders(t)
	shared, err := idempotency.New(idempotency.Config{Store: first.store})
	if err != nil {
		t.Fatal(err)
	}
	fastness.Override(outer, shared)
	fastness.Override(v2, shared)
	fastness.Mount(outer, "/v2", v2)
	api := fastnesstest.New(t, outer)
	api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
	api.Post("/v2/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
	if first.made != 1 || second.made != 1 {
		t.Errorf("%d and %d orders were made, want one each", first.made, second.made)
	}
}

// TestAppsBelowShareTheCapsOfConnections: each mount would be as many connections more
// that one client may hold.
func TestAppsBelowShareTheCapsOfConnections(t *testing.T) {
	outer, v2, mount := below(fastness.Config{Connections: openconn.Config{Total: 1}})
	fastness.Get(outer, "/events", forever(nil, make(chan struct{})), access.Public)
	fastness.Get(v2, "/events", forever(nil, make(chan struct{})))
	mount()
	url := serveOnSocket(t, outer)
	if res := request(t, http.DefaultClient, url+"/events"); res.StatusCode != 200 {
		t.Fatalf("the first stream is answered with %d", res.StatusCode)
	}
	if res := request(t, http.DefaultClient, url+"/v2/events"); res.StatusCode != 503 {
		t.Errorf("the second, of the app below, is answered with %d, want 503", res.StatusCode)
	}
}

func TestAppBelowHasNoCapsOfItsOwn(t *testing.T) {
	outer, _ := open(fastness.Config{})
	fastness.Mount(outer, "/v2", fastness.New(fastness.Config{Title: "V2", Version: "2", Connections: openconn.Config{Total: 1}}))
	if err := outer.Start(t.Context()); err == nil {
		t.Error("it starts, and the caps do not hold")
	}
}

// TestMiddlewareDoesNotCutWhatLastsBelowIt: the time limit is that of the operation, also
// in an app below, and of what is mounted.
func TestMiddlewareDoesNotCutWhatLastsBelowIt(t *testing.T) {
	outer, v2, mount := below(fastness.Config{Timeout: time.Second})
	left := func(ctx context.Context) time.Duration {
		deadline, _ := ctx.Deadline()
		return time.Until(deadline)
	}
	got := make(map[string]time.Duration)
	fastness.Get(v2, "/slow", func(ctx context.Context, _ none) (string, error) {
		got["/v2/slow"] = left(ctx)
		return "", nil
	}, fastness.Timeout(time.Hour))
	fastness.Mount(outer, "/old", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got["/old/"] = left(r.Context()) }),
		access.Public, fastness.Timeout(time.Hour))
	mount()
	outer.Use(func(next http.Handler) http.Handler { return next })
	api := fastnesstest.New(t, outer)
	for _, path := range []string{"/v2/slow", "/old/"} {
		api.Get(path, fastnesstest.Status(200))
		if got[path] < 59*time.Minute {
			t.Errorf("GET %s has %v, want an hour", path, got[path])
		}
	}
}

// TestPanicBelowDropsWhatWasPrepared: a cookie of an answer that is not given is not set.
func TestPanicBelowDropsWhatWasPrepared(t *testing.T) {
	outer, v2, mount := below(fastness.Config{})
	fastness.Get(v2, "/", func(context.Context, none) (string, error) { return "", nil }, fastness.Middleware(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "session=of-somebody")
			w.Header().Set("Content-Encoding", "gzip")
			panic("odd input")
		})
	}))
	mount()
	if err := outer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	outer.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/v2/", nil))
	if h := w.Header(); w.Code != 500 || h.Get("Set-Cookie") != "" || h.Get("Content-Encoding") != "" {
		t.Errorf("answered with %d %v", w.Code, h)
	}
}

// TestStreamBelowGivesItsPlaceInFlightBack: to the app above, which has counted it. It
// would be lost with each stream, until nobody gets an answer.
func TestStreamBelowGivesItsPlaceInFlightBack(t *testing.T) {
	outer, v2, mount := below(fastness.Config{MaxInFlight: 1})
	fastness.Get(v2, "/first", forever(nil, make(chan struct{})))
	fastness.Get(v2, "/second", forever(nil, make(chan struct{})))
	fastness.Get(v2, "/plain", func(context.Context, none) (string, error) { return "", nil })
	mount()
	url := serveOnSocket(t, outer)
	for _, path := range []string{"/v2/first", "/v2/second", "/v2/plain"} {
		if res := request(t, http.DefaultClient, url+path); res.StatusCode != 200 {
			t.Errorf("GET %s = %d, want 200 beside the streams", path, res.StatusCode)
		}
	}
}
