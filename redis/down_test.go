package redis_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redis"
)

// extra is how much longer a request may take while the server is down.
const extra = 50 * time.Millisecond

// log is a log that can be read while it is written.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// rig is a store with a limit that fails open to the process's memory, and one
// that fails closed.
type rig struct {
	log          log
	store        *redis.Store
	local, login *ratelimit.Limiter
}

func newRig(t *testing.T, s *server, limit string) *rig {
	t.Helper()
	r := new(rig)
	logger := slog.New(slog.NewTextHandler(&r.log, nil))
	r.store = open(t, redis.Config{URL: s.url(), Logger: logger})
	for into, rule := range map[**ratelimit.Limiter]ratelimit.Rule{
		&r.local: {Name: "local", Limit: limit},
		&r.login: {Name: "login", Limit: limit, FailClosed: true},
	} {
		l, err := ratelimit.New(ratelimit.Config{Rule: rule, Store: r.store, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		*into = l
	}
	return r
}

// check sends a request, and returns the status and how long it took.
func check(ctx context.Context, l *ratelimit.Limiter) (int, time.Duration) {
	r := httptest.NewRequest("GET", "/", nil)
	start := time.Now()
	err := l.Check(ctx, http.Header{}, ratelimit.Caller{Request: r, Addr: netip.MustParseAddr("192.0.2.1")})
	took := time.Since(start)
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		if p.Header().Get("Retry-After") == "" {
			return -1, took
		}
		return p.Status, took
	}
	return 200, took
}

// noise measures how much later than asked for this machine wakes anybody, until
// the function that it returns is called. So much is not the store's.
func noise() func() time.Duration {
	stop, most := make(chan struct{}), make(chan time.Duration)
	go func() {
		var late time.Duration
		for {
			select {
			case <-stop:
				most <- late
				return
			default:
			}
			start := time.Now()
			time.Sleep(time.Millisecond)
			late = max(late, time.Since(start)-time.Millisecond)
		}
	}()
	return func() time.Duration { close(stop); return <-most }
}

// until waits for what must come true within five seconds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within five seconds: %s", what)
}

// TestAServerThatDiesOrHangsUnderLoad: what the rules say holds within 50 ms,
// requests do not wait one after the other, and the budget of the server counts
// again once it is back.
func TestAServerThatDiesOrHangsUnderLoad(t *testing.T) {
	for _, how := range []struct {
		name       string
		fail, heal func(t *testing.T, s *server)
	}{
		{"killed", func(t *testing.T, s *server) { s.stop() }, func(t *testing.T, s *server) { s.run(t) }},
		{"stopped", func(t *testing.T, s *server) { s.signal(t, syscall.SIGSTOP) }, func(t *testing.T, s *server) { s.signal(t, syscall.SIGCONT) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, s *server) {
				r := newRig(t, s, "1000000/hour")
				until(t, "the limit that fails closed passes", func() bool { n, _ := check(t.Context(), r.login); return n == 200 })
				ctx, cancel := context.WithCancel(context.Background())
				late := noise()
				var load sync.WaitGroup
				var mu sync.Mutex
				var slowest time.Duration
				seen := map[int]int{}
				for range 8 {
					load.Go(func() {
						for ctx.Err() == nil {
							n, took := check(context.Background(), r.local)
							mu.Lock()
							seen[n]++
							slowest = max(slowest, took)
							mu.Unlock()
							time.Sleep(time.Millisecond)
						}
					})
				}
				time.Sleep(100 * time.Millisecond)
				how.fail(t, s)
				until(t, "the limit that fails closed refuses", func() bool { n, _ := check(t.Context(), r.login); return n == 503 })
				for range 100 {
					n, took := check(context.Background(), r.login)
					if n != 503 {
						t.Errorf("while it is down, fails closed: %d", n)
					}
					mu.Lock()
					slowest = max(slowest, took)
					mu.Unlock()
					time.Sleep(5 * time.Millisecond)
				}
				how.heal(t, s)
				until(t, "the limit that fails closed passes again", func() bool { n, _ := check(t.Context(), r.login); return n == 200 })
				cancel()
				load.Wait()
				machine := late()
				t.Logf("answers %v, slowest %v, of which the machine may have taken %v", seen, slowest, machine)
				if seen[200] == 0 || len(seen) != 1 {
					t.Errorf("answers of the limit that goes on locally: %v, want 200 only", seen)
				}
				if slowest > extra+machine {
					t.Errorf("a request took %v, want at most %v", slowest, extra)
				}
				text := r.log.String()
				if n := strings.Count(text, "does not answer; each process counts for itself"); n != 1 {
					t.Errorf("%d alarms of the local limit, want 1", n)
				}
				if !strings.Contains(text, "does not answer; requests are refused") || !strings.Contains(text, "answers again") {
					t.Errorf("the log lacks an alarm:\n%s", text)
				}
			})
		})
	}
}

// TestTheLocalLimitIsTheSame: a server that is down is no way around a limit.
func TestTheLocalLimitIsTheSame(t *testing.T) {
	s := start(t, "redis-server")
	s.stop()
	r := newRig(t, s, "5/hour")
	allowed := 0
	for range 50 {
		if n, _ := check(context.Background(), r.local); n == 200 {
			allowed++
		} else if n != 429 {
			t.Errorf("status %d", n)
		}
	}
	if allowed != 5 {
		t.Errorf("%d of 50 are allowed, want 5", allowed)
	}
}

// TestACallThatIsTriedWhileDownIsOne: after three failures requests do not wait,
// but for one each second.
func TestACallThatIsTriedWhileDownIsOne(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		r := newRig(t, s, "5/hour")
		s.signal(t, syscall.SIGSTOP)
		for range 3 {
			late := noise()
			n, took := check(context.Background(), r.login)
			if machine := late(); n != 503 || took > extra+machine {
				t.Errorf("status %d after %v", n, took)
			}
		}
		var slow atomic.Int64
		var load sync.WaitGroup
		start := time.Now()
		for range 8 {
			load.Go(func() {
				for time.Since(start) < 2500*time.Millisecond {
					if _, took := check(context.Background(), r.login); took > 38*time.Millisecond {
						slow.Add(1)
					}
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
		load.Wait()
		if n := slow.Load(); n < 1 || n > 7 {
			t.Errorf("%d requests of 8 callers waited in 2.5 s, want those that try, 1 to 3, and few that the machine was late for", n)
		}
		s.signal(t, syscall.SIGCONT)
		until(t, "it is tried again after tries that failed", func() bool { n, _ := check(t.Context(), r.login); return n != 503 })
	})
}

// TestCallersWhoHangUpDoNotLookLikeAnOutage: else anybody could switch the shared
// limit off by opening and closing connections.
func TestCallersWhoHangUpDoNotLookLikeAnOutage(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		r := newRig(t, s, "10/hour")
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		until(t, "it is connected", func() bool { return r.store.Ping(context.Background()) == nil })
		for range 10 {
			if n, _ := check(gone, r.login); n != 200 {
				t.Fatalf("status %d for a caller who is gone", n)
			}
		}
		if n, _ := check(context.Background(), r.login); n != 429 {
			t.Errorf("status %d, want 429: what the others asked for was charged", n)
		}
		if text := r.log.String(); text != "" {
			t.Errorf("log: %s", text)
		}
	})
}

// TestFlushedBudgetsAndScriptsDoNoHarm: FLUSHALL, SCRIPT FLUSH and a restart
// take the budgets and the script away.
func TestFlushedBudgetsAndScriptsDoNoHarm(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		store := s.patient(t)
		q := ratelimit.Quota{Count: 2, Window: time.Hour}
		take := func(want bool) {
			t.Helper()
			spend := &ratelimit.Spend{Key: []byte("k"), Cost: 1, Quotas: []ratelimit.Quota{q}, States: make([]ratelimit.State, 1)}
			if err := store.Take(context.Background(), spend); err != nil || spend.Allowed != want {
				t.Fatalf("allowed %t, %v, want %t", spend.Allowed, err, want)
			}
		}
		for range 2 {
			take(true)
			take(true)
			take(false)
			s.do(t, "FLUSHALL")
			s.do(t, "SCRIPT FLUSH")
		}
		take(true)
		s.do(t, "SCRIPT FLUSH")
		take(true)
		take(false)
		s.stop()
		s.run(t)
		until(t, "it is connected again", func() bool { return store.Ping(context.Background()) == nil })
		take(true)
	})
}
