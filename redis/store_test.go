package redis_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/redis"
)

// lines sends a command and returns the first lines of its answer.
func (s *server) lines(t testing.TB, n int, command string) []string {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprintf(c, "%s\r\n", command)
	r := bufio.NewReader(c)
	var all []string
	for range n {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimSpace(line))
	}
	return all
}

// TestTheServersClockThatJumpsLocksNobodyOut: the server's clock cannot be set
// back here, so its budgets are set forth.
func TestTheServersClockThatJumpsLocksNobodyOut(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		store := s.patient(t)
		for a, state := range map[ratelimit.Algorithm]func(at int64) string{
			ratelimit.SlidingWindow: func(at int64) string { return fmt.Sprintf("%d 3", at) },
			ratelimit.GCRA:          func(at int64) string { return fmt.Sprintf("%d 3", at) },
		} {
			s.do(t, "FLUSHALL")
			spend := &ratelimit.Spend{
				Key: []byte("k"), Cost: 3, Algorithm: a, Quotas: []ratelimit.Quota{{Count: 3, Window: 500 * time.Millisecond}}, States: make([]ratelimit.State, 1),
			}
			if err := store.Take(context.Background(), spend); err != nil || !spend.Allowed {
				t.Fatal(spend, err)
			}
			name := s.lines(t, 3, "KEYS *")[2]
			s.do(t, fmt.Sprintf(`SET %s "%s" PX 3600000`, name, state(time.Now().Add(time.Hour).UnixMicro())))
			if err := store.Take(context.Background(), spend); err != nil || spend.Allowed || spend.States[0].Wait > 500*time.Millisecond {
				t.Errorf("%v: allowed %t, %+v, %v, want refused for at most the window", a, spend.Allowed, spend.States[0], err)
			}
			time.Sleep(spend.States[0].Wait)
			if err := store.Take(context.Background(), spend); err != nil || !spend.Allowed {
				t.Errorf("%v: refused after the window: %+v, %v", a, spend.States[0], err)
			}
		}
	})
}

// TestKeysExpireAndTellNothing: a budget that is whole again takes no memory, and
// a list of keys is no list of users.
func TestKeysExpireAndTellNothing(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		store := s.patient(t)
		for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
			for i := range 10 {
				spend := &ratelimit.Spend{
					Key: fmt.Append(nil, "user-anna@example.com", i), Cost: 1, Algorithm: a,
					Quotas: []ratelimit.Quota{{Count: 2, Window: 200 * time.Millisecond}, {Count: 3, Window: 300 * time.Millisecond}}, States: make([]ratelimit.State, 2),
				}
				if err := store.Take(context.Background(), spend); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := store.Replay("anna").First(context.Background(), "anna", time.Now().Add(200*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n := s.lines(t, 1, "DBSIZE")[0]; n != ":41" {
			t.Errorf("%s keys, want 41", n)
		}
		if name := s.lines(t, 3, "KEYS *")[2]; strings.Contains(name, "anna") || !strings.HasPrefix(name, "fastness:") || !strings.Contains(name, ":{") {
			t.Errorf("a key is %s", name)
		}
		time.Sleep(400 * time.Millisecond)
		if n := s.lines(t, 1, "DBSIZE")[0]; n != ":0" {
			t.Errorf("%s keys are left", n)
		}
	})
}

func TestAReplayIsNotTheFirst(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		a, b := s.patient(t).Replay("csrf"), s.patient(t).Replay("csrf")
		other := s.patient(t).Replay("webhook")
		until := time.Now().Add(500 * time.Millisecond)
		first := func(r *redis.Replay, id string, until time.Time) bool {
			t.Helper()
			ok, err := r.First(context.Background(), id, until)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if !first(a, "x", until) || first(a, "x", until) || first(b, "x", until) || !first(b, "y", until) || !first(other, "x", until) {
			t.Error("want true for each id once, in each purpose")
		}
		if first(a, "late", time.Now().Add(-time.Millisecond)) || first(a, "late", time.Now()) {
			t.Error("an id that has expired was the first")
		}
		var firsts atomic.Int64
		var group sync.WaitGroup
		for i := range 32 {
			group.Go(func() {
				if ok, err := []*redis.Replay{a, b}[i%2].First(context.Background(), "race", time.Now().Add(time.Hour)); err == nil && ok {
					firsts.Add(1)
				}
			})
		}
		group.Wait()
		if firsts.Load() != 1 {
			t.Errorf("%d of 32 at once were the first", firsts.Load())
		}
		for time.Now().Before(until) {
			if first(b, "x", until) && time.Now().Before(until) {
				t.Fatal("it was forgotten before its time")
			}
			time.Sleep(5 * time.Millisecond)
		}
		s.signal(t, syscall.SIGSTOP)
		failing := open(t, redis.Config{URL: s.url()}).Replay("csrf")
		for range 5 {
			if ok, err := failing.First(context.Background(), "new", time.Now().Add(time.Hour)); ok || err == nil {
				t.Errorf("while the server hangs: %t, %v, want an error", ok, err)
			}
		}
	})
}

func BenchmarkTake(b *testing.B) {
	s := start(b, "redis-server")
	store := s.patient(b)
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		b.Run(a.String(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				spend := &ratelimit.Spend{
					Key: []byte("k"), Cost: 1, Algorithm: a, Quotas: []ratelimit.Quota{{Count: 1_000_000_000, Window: time.Hour}}, States: make([]ratelimit.State, 1),
				}
				for pb.Next() {
					if err := store.Take(context.Background(), spend); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
