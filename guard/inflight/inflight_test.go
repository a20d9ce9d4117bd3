package inflight_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/inflight"
	"github.com/fastness/fastness/problem"
)

func limit(t testing.TB, cfg inflight.Config) *inflight.Limit {
	t.Helper()
	l, err := inflight.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := inflight.New(inflight.Config{Max: -1, RetryAfter: -time.Second})
	if err == nil || !strings.Contains(err.Error(), "Max is -1") || !strings.Contains(err.Error(), "RetryAfter is -1s") {
		t.Errorf("New() = %v", err)
	}
	if _, err := inflight.New(inflight.Config{Max: 1, InsecureUnlimited: "test"}); err == nil {
		t.Error("a limit and no limit at once are accepted")
	}
}

func TestEnter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   inflight.Config
		admit int
	}{
		{"the default admits 1024", inflight.Config{}, 1024},
		{"Max admits as many", inflight.Config{Max: 3}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := limit(t, tt.cfg)
			for i := range tt.admit {
				if err := l.Enter(); err != nil {
					t.Fatalf("request %d of %d: %v", i+1, tt.admit, err)
				}
			}
			for range 2 { // A refusal must not take a place, nor free one.
				var p *problem.Problem
				if err := l.Enter(); !errors.As(err, &p) || p.Status != 503 || p.Header().Get("Retry-After") != "1" {
					t.Fatalf("one more: %v", err)
				}
			}
			l.Leave()
			if err := l.Enter(); err != nil {
				t.Errorf("after one left: %v", err)
			}
			if l.Count() != tt.admit {
				t.Errorf("Count() = %d, want %d", l.Count(), tt.admit)
			}
		})
	}
}

func TestUnlimitedAdmitsAndCounts(t *testing.T) {
	l := limit(t, inflight.Config{InsecureUnlimited: "a proxy in front has the limit"})
	for range 5000 {
		if err := l.Enter(); err != nil {
			t.Fatal(err)
		}
	}
	if l.Count() != 5000 {
		t.Errorf("Count() = %d", l.Count())
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	l := limit(t, inflight.Config{Max: 1, RetryAfter: 2500 * time.Millisecond})
	_ = l.Enter() // the only place
	if p := problem.From(l.Enter()); p.Header().Get("Retry-After") != "3" {
		t.Errorf("Retry-After = %q, want 3", p.Header().Get("Retry-After"))
	}
}

func TestLeaveWithoutEnterPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Leave without Enter did not panic")
		}
	}()
	limit(t, inflight.Config{}).Leave()
}

func TestFloodNeverExceedsTheLimit(t *testing.T) {
	const most = 4
	l := limit(t, inflight.Config{Max: most})
	var inside, seen, admitted atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 500 {
				if l.Enter() != nil {
					continue
				}
				n := inside.Add(1)
				for old := seen.Load(); n > old && !seen.CompareAndSwap(old, n); old = seen.Load() {
				}
				admitted.Add(1)
				inside.Add(-1)
				l.Leave()
			}
		})
	}
	wg.Wait()
	if seen.Load() > most || admitted.Load() == 0 || l.Count() != 0 {
		t.Errorf("%d at once, %d admitted, %d left over", seen.Load(), admitted.Load(), l.Count())
	}
}

func TestHandlerRefusesAndFreesAfterPanic(t *testing.T) {
	l := limit(t, inflight.Config{Max: 1})
	var inner *httptest.ResponseRecorder
	var h http.Handler
	h = l.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner = httptest.NewRecorder() // a second request while the first is in flight
		h.ServeHTTP(inner, r)
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }() // the panic above
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	if inner.Code != 503 || inner.Header().Get("Retry-After") == "" || inner.Header().Get("Content-Type") != problem.MediaType {
		t.Errorf("second request: %d %v", inner.Code, inner.Header())
	}
	if l.Count() != 0 {
		t.Errorf("%d places lost in a panic", l.Count())
	}
}

func TestEnterAllocatesNothing(t *testing.T) {
	l := limit(t, inflight.Config{})
	if n := testing.AllocsPerRun(100, func() {
		_ = l.Enter()
		l.Leave()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	full := limit(t, inflight.Config{Max: 1})
	_ = full.Enter() // the only place
	if n := testing.AllocsPerRun(100, func() { _ = full.Enter() }); n > 5 {
		t.Errorf("a refusal: %v allocations, want at most 5", n)
	}
}

func BenchmarkEnter(b *testing.B) {
	l := limit(b, inflight.Config{})
	for b.Loop() {
		_ = l.Enter()
		l.Leave()
	}
}

func BenchmarkRefusal(b *testing.B) {
	l := limit(b, inflight.Config{Max: 1})
	_ = l.Enter()
	for b.Loop() {
		_ = l.Enter()
	}
}

func Example() {
	limit, err := inflight.New(inflight.Config{Max: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(limit.Enter()) // the handler runs between Enter and Leave
	fmt.Println(limit.Enter())
	limit.Leave()
	fmt.Println(limit.Enter())
	// Output:
	// <nil>
	// the server is busy, try again later
	// <nil>
}
