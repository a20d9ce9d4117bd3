package fastness

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/cors"
)

type slowThing struct{}

func timingApp(development bool) *App {
	app := New(Config{
		Title: "Slow", Version: "1", Options: []Option{access.Public}, Logger: slog.New(slog.DiscardHandler),
		CORS:    cors.Config{Origins: []string{"https://front.example"}},
		Proxies: clientip.Config{Trust: []string{"10.0.0.1"}},
	})
	ProvideCleanup(app, func(context.Context, struct{}) (*slowThing, func(error) error, error) {
		time.Sleep(20 * time.Millisecond)
		return &slowThing{}, func(error) error { time.Sleep(50 * time.Millisecond); return nil }, nil
	})
	Get(app, "/slow", func(_ context.Context, in struct {
		Thing *slowThing
		N     int `query:"n" default:"1"`
	}) (string, error) {
		time.Sleep(30 * time.Millisecond)
		if in.N == 2 {
			return "", errors.New("broken")
		}
		return "slow", nil
	})
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Millisecond)
			next.ServeHTTP(w, r)
		})
	}
	Get(app, "/wrapped", func(context.Context, struct{}) (string, error) {
		time.Sleep(30 * time.Millisecond)
		return "slow", nil
	}, Middleware(wrap))
	Get(app, "/own", func(context.Context, struct{}) (Result[string], error) {
		return Result[string]{Header: http.Header{"Server-Timing": {"cache;desc=hit"}}}, nil
	})
	Mount(app, "/files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(7 * time.Millisecond)
		_, _ = w.Write([]byte("x"))
	}), access.Public)
	app.development.Store(development)
	return app
}

func timing(app *App, target string, change func(*http.Request)) http.Header {
	r := httptest.NewRequest("GET", "https://localhost"+target, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	h := w.Result().Header
	if late := w.Header()["Server-Timing"]; len(late) != len(h["Server-Timing"]) { // What is written once the header is sent.
		h["Server-Timing"] = append(late, "twice")
	}
	return h
}

// TestServerTimingSaysWhereTheTimeWent: with a clock that only sleepers move.
func TestServerTimingSaysWhereTheTimeWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := timingApp(true)
		for target, want := range map[string]string{
			"/slow":     "guards;dur=0, bind;dur=0, provide;dur=20, handler;dur=30, encode;dur=0, cleanup;dur=50, total;dur=100",
			"/slow?n=x": "guards;dur=0, bind;dur=0, cleanup;dur=0, total;dur=0",
			"/slow?n=2": "guards;dur=0, bind;dur=0, provide;dur=20, handler;dur=30, cleanup;dur=50, total;dur=100",
			"/nope":     "guards;dur=0, total;dur=0",
			"/own":      "cache;desc=hit | guards;dur=0, bind;dur=0, provide;dur=0, handler;dur=0, encode;dur=0, cleanup;dur=0, total;dur=0",
			"/wrapped":  "guards;dur=0, bind;dur=0, provide;dur=0, handler;dur=30, encode;dur=0, cleanup;dur=0 | guards;dur=0, inner;dur=35, total;dur=35",
			"/files/a":  "guards;dur=0, handler;dur=7, total;dur=7",
		} {
			if got := strings.Join(timing(app, target, nil)["Server-Timing"], " | "); got != want {
				t.Errorf("%s: %q, want %q", target, got, want)
			}
		}
		_ = app.Stop(t.Context())
	})
}

// TestTimesAreNotForStrangers: how long a step takes tells what it found.
func TestTimesAreNotForStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			development bool
			change      func(*http.Request)
		}{
			"in production":                   {false, nil},
			"from another machine":            {true, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" }},
			"by a trusted proxy":              {true, func(r *http.Request) { r.RemoteAddr, r.Header["X-Forwarded-For"] = "10.0.0.1:1", []string{"192.0.2.1"} }},
			"by a tunnel on this machine":     {true, func(r *http.Request) { r.Header["X-Forwarded-For"] = []string{"192.0.2.1"} }},
			"by a tunnel that calls it local": {true, func(r *http.Request) { r.Header["X-Forwarded-For"] = []string{"127.0.0.1"} }},
			"of no address":                   {true, func(r *http.Request) { r.RemoteAddr = "" }},
		} {
			app := timingApp(c.development)
			for _, target := range []string{"/slow", "/wrapped", "/nope", "/slow?n=2", "/files/a"} {
				if got := timing(app, target, c.change)["Server-Timing"]; got != nil {
					t.Errorf("%s: %s tells %q", name, target, got)
				}
			}
			_ = app.Stop(t.Context())
		}
		app := timingApp(true)
		h := timing(app, "/slow", func(r *http.Request) { r.Header.Set("Origin", "https://front.example") })
		if h.Get("Server-Timing") == "" || h.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("the answer to a page of another origin is %v", h)
		}
		if h.Get("Timing-Allow-Origin") != "" || strings.Contains(h.Get("Access-Control-Expose-Headers"), "Server-Timing") {
			t.Errorf("a page of another origin may read the times: %v", h)
		}
		_ = app.Stop(t.Context())
	})
}

// TestTimesCostProductionNothing: not even an allocation.
func TestTimesCostProductionNothing(t *testing.T) {
	x := &exchange{}
	if n := testing.AllocsPerRun(100, func() { x.enterPart(inBind) }); n != 0 || x.timings != nil {
		t.Errorf("%v allocations", n)
	}
	app := timingApp(false)
	x = app.exchanges.get(app, httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if _, wrapped := x.sent.ResponseWriter.(*timedWriter); wrapped || x.timings != nil {
		t.Error("in production answers are timed")
	}
}

// TestServerTimingIsWellFormed: names are tokens, durations numbers, whatever they are.
func TestServerTimingIsWellFormed(t *testing.T) {
	metric := regexp.MustCompile(`^[a-z]+;dur=[0-9]+(\.[0-9]{1,3})?$`)
	for _, d := range []time.Duration{0, 1, 999, time.Microsecond, 1500 * time.Microsecond, time.Hour, 1<<63 - 1} {
		text := string(appendTiming(nil, "total", d))
		_, number, _ := strings.Cut(text, "=")
		if _, err := strconv.ParseFloat(number, 64); err != nil || !metric.MatchString(text) {
			t.Errorf("%v is told as %q", d, text)
		}
	}
}
