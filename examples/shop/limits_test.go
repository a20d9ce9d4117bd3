package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/ratelimit"
)

// limited starts the shop with the limits that it has in operation, but for what
// adjust changes.
func limited(t *testing.T, limits limits, adjust ...func(*fastness.App)) *fastness.App {
	t.Helper()
	app := newApp(limits)
	fastness.ProvideValue(app, inFolder(t, t.TempDir()))
	for _, f := range adjust {
		f(app)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app
}

// ask sends a request from an address, with header fields.
func ask(app http.Handler, from, method, path string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://localhost"+path, nil)
	r.RemoteAddr = from
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

func TestSixthCallInAMinuteIsRefused(t *testing.T) {
	var later atomic.Int64
	began := time.Now()
	app := limited(t, limits{general: ratelimit.Config{Now: func() time.Time { return began.Add(time.Duration(later.Load())) }}})
	const client = "192.0.2.7:1234"
	for i := range 5 {
		w := ask(app, client, "GET", "/items/")
		if fields := strings.Join(w.Header()["Ratelimit"], ", "); w.Code != 200 || !strings.Contains(fields, `"listItems";r=`+strconv.Itoa(4-i)+";t=") {
			t.Fatalf("call %d: %d, RateLimit %s", i+1, w.Code, fields)
		}
		if policy := strings.Join(w.Header()["Ratelimit-Policy"], ", "); !strings.Contains(policy, `"listItems";q=5;w=60`) || w.Header().Get("Retry-After") != "" {
			t.Fatalf("call %d: RateLimit-Policy %s, Retry-After %q", i+1, policy, w.Header().Get("Retry-After"))
		}
	}
	w := ask(app, client, "GET", "/items/")
	wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if w.Code != 429 || err != nil || wait < 1 || wait > 60 || !strings.Contains(w.Body.String(), `"detail":"Too Many Requests"`) {
		t.Fatalf("call 6: %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := ask(app, "192.0.2.8:1234", "GET", "/items/"); w.Code != 200 {
		t.Errorf("another client: %d", w.Code)
	}
	later.Store(int64(time.Duration(wait)*time.Second) - int64(2*time.Second))
	if w := ask(app, client, "GET", "/items/"); w.Code != 429 {
		t.Errorf("before Retry-After is over: %d", w.Code)
	}
	later.Store(int64(time.Duration(wait) * time.Second))
	if w := ask(app, client, "GET", "/items/"); w.Code != 200 {
		t.Errorf("after Retry-After: %d", w.Code)
	}
}

func TestForwardedAddressesDoNotMoveTheLimit(t *testing.T) {
	app := limited(t, limits{general: ratelimit.Config{Rule: ratelimit.Rule{Limit: "1000000/second"}}})
	passed := 0
	for i := range 10_000 {
		spoofed := fmt.Sprintf("198.51.%d.%d", i/256, i%256)
		if ask(app, "203.0.113.9:99", "GET", "/items/", "X-Forwarded-For", spoofed, "Forwarded", "for="+spoofed, "X-Real-IP", spoofed).Code == 200 {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d of 10,000 requests with a forged address came through, want 5", passed)
	}
	for i := range 6 { // A /64 is one customer, however often its address changes.
		w := ask(app, fmt.Sprintf("[2001:db8:1:2:%x::1]:99", i+1), "GET", "/items/")
		if want := map[bool]int{true: 200, false: 429}[i < 5]; w.Code != want {
			t.Errorf("address %d of a /64: %d, want %d", i+1, w.Code, want)
		}
	}
	if w := ask(app, "[::ffff:203.0.113.9]:99", "GET", "/items/"); w.Code != 429 {
		t.Errorf("the same client, as IPv4 in IPv6: %d", w.Code)
	}
}

func TestLimitOfAnotherSpellingDoesNotStart(t *testing.T) {
	app := newApp(limits{items: "5 per minnute"})
	fastness.ProvideValue(app, inFolder(t, t.TempDir()))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "GET /items/") || !strings.Contains(err.Error(), "minnute") {
		t.Errorf("Start() = %v", err)
	}
}

// away is a store that does not answer.
type away struct{}

func (away) Take(context.Context, *ratelimit.Spend) error { return errors.New("connection refused") }

func TestStoreThatIsAwayClosesLogInOnly(t *testing.T) {
	app := limited(t, limits{general: ratelimit.Config{Store: away{}, Logger: slog.New(slog.DiscardHandler)}})
	const client = "192.0.2.7:1234"
	for _, path := range []string{"/token", "/session", "/sign-up"} {
		w := ask(app, client, "POST", path)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("POST %s: %d, want 503 with Retry-After", path, w.Code)
		}
	}
	for i := range 6 {
		w := ask(app, client, "GET", "/items/")
		if want := map[bool]int{true: 200, false: 429}[i < 5]; w.Code != want {
			t.Errorf("call %d while the store is away: %d, want %d", i+1, w.Code, want)
		}
	}
}

func TestLogInIsLimitedByClient(t *testing.T) {
	app := limited(t, limits{})
	codes := map[int]int{}
	for i := range 40 {
		path := []string{"/token", "/session"}[i%2]
		codes[ask(app, "192.0.2.7:1234", "POST", path).Code]++
	}
	if codes[429] != 10 {
		t.Errorf("40 attempts to log in, by two ways, end in %v, want 10 refused", codes)
	}
	if w := ask(app, "192.0.2.8:1234", "POST", "/token"); w.Code == 429 {
		t.Error("another client cannot log in")
	}
}

func TestGeneralLimitHoldsForWhatDoesNotExist(t *testing.T) {
	app := limited(t, limits{general: ratelimit.Config{Rule: ratelimit.Rule{Limit: "3/minute"}}})
	for i := range 4 {
		w := ask(app, "192.0.2.7:1234", "GET", "/.git/config")
		if want := map[bool]int{true: 404, false: 429}[i < 3]; w.Code != want {
			t.Errorf("request %d: %d, want %d", i+1, w.Code, want)
		}
	}
	if w := ask(app, "192.0.2.7:1234", "GET", "/health/live"); w.Code != 200 {
		t.Errorf("a probe: %d", w.Code)
	}
}
