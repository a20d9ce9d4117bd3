package ratelimit_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

func take(t testing.TB, store ratelimit.Store, s *ratelimit.Spend) bool {
	t.Helper()
	if err := store.Take(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	return s.Allowed
}

func TestMemoryConfigIsChecked(t *testing.T) {
	for _, n := range []int{-1, 1, 63, 1<<30 + 1} {
		if _, err := ratelimit.NewMemory(ratelimit.MemoryConfig{MaxKeys: n}); err == nil || !strings.Contains(err.Error(), "MaxKeys is") {
			t.Errorf("MaxKeys %d: %v", n, err)
		}
	}
}

// TestAFloodOfKeysFreesNobody: callers that are seen once, twenty times as many as fit, must neither
// take the memory nor evict a caller who has used up their budget.
func TestAFloodOfKeysFreesNobody(t *testing.T) {
	const most = 10_000
	for a, callers := range map[ratelimit.Algorithm]uint64{ratelimit.SlidingWindow: 200_000, ratelimit.GCRA: 50_000} {
		c := newClock()
		m := memory(t, ratelimit.MemoryConfig{MaxKeys: most, Now: c.now})
		q := ratelimit.Quota{Count: 5, Window: time.Hour}
		var busy []*ratelimit.Spend
		for i := range 100 {
			s := spend(fmt.Sprint("busy", i), a, q)
			for range 5 {
				take(t, m, s)
			}
			busy = append(busy, s)
		}
		var key [8]byte
		fresh := spend("", a, q)
		fresh.Key = key[:]
		for i := range callers {
			binary.BigEndian.PutUint64(key[:], i)
			if !take(t, m, fresh) {
				t.Fatalf("%v: key %d, seen for the first time, is refused", a, i)
			}
		}
		if n := m.Len(); n > most {
			t.Errorf("%v: %d keys are kept, want at most %d", a, n, most)
		}
		for i, s := range busy {
			if take(t, m, s) {
				t.Errorf("%v: the flood gave busy key %d its budget back", a, i)
			}
		}
		c.advance(time.Hour + time.Second)
		for i, s := range busy {
			if !take(t, m, s) {
				t.Errorf("%v: busy key %d is refused for ever", a, i)
			}
		}
	}
}

func TestWhatIsWholeAgainMakesRoomFirst(t *testing.T) {
	c := newClock()
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
	for i := range 32 { // used up, and soon whole again
		take(t, m, spend(fmt.Sprint("short", i), ratelimit.SlidingWindow, ratelimit.Quota{Count: 1, Window: time.Second}))
	}
	long := make([]*ratelimit.Spend, 32) // hardly used, and for long
	for i := range long {
		long[i] = spend(fmt.Sprint("long", i), ratelimit.SlidingWindow, ratelimit.Quota{Count: 100, Window: time.Hour})
		take(t, m, long[i])
	}
	c.advance(2 * time.Second)
	for i := range 20 {
		take(t, m, spend(fmt.Sprint("new", i), ratelimit.SlidingWindow, ratelimit.Quota{Count: 100, Window: time.Hour}))
	}
	kept := 0
	for _, s := range long {
		if take(t, m, s); s.States[0].Remaining == 98 {
			kept++
		}
	}
	// Eight are looked at each time; some of the long ones may have gone.
	if kept < 24 {
		t.Errorf("%d of 32 that count are kept although 32 others were whole again", kept)
	}
}

func TestManyQuotasInAFullMemory(t *testing.T) {
	c := newClock()
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
	quotas := make([]ratelimit.Quota, 8)
	for i := range quotas {
		quotas[i] = ratelimit.Quota{Count: 2 + i, Window: time.Duration(i+1) * time.Hour}
	}
	for i := range 2000 { // Each makes eight budgets, and evicts some that it has just found.
		s := spend(fmt.Sprint(i%13), ratelimit.SlidingWindow, quotas...)
		take(t, m, s)
		for j, state := range s.States {
			if state.Remaining < 0 || state.Remaining > quotas[j].Count {
				t.Fatalf("call %d: quota %d of %v: %+v", i, j, quotas[j], state)
			}
		}
		if i%100 == 0 {
			c.advance(10 * time.Minute)
		}
	}
	if n := m.Len(); n > 64 {
		t.Errorf("%d budgets, want at most 64", n)
	}
}

// TestARequestDoesNotEvictItsOwnBudgets: room for the first quotas of a request
// is not made of the budget of its last one.
func TestARequestDoesNotEvictItsOwnBudgets(t *testing.T) {
	c := newClock()
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
	quotas := make([]ratelimit.Quota, 8)
	for i := range quotas {
		quotas[i] = ratelimit.Quota{Count: 100 + i, Window: time.Duration(i+1) * time.Hour}
	}
	last := spend("k", ratelimit.SlidingWindow, quotas[7])
	take(t, m, last)
	for i := range 63 {
		take(t, m, spend(strconv.Itoa(i), ratelimit.SlidingWindow, quotas[0]))
	}
	all := spend("k", ratelimit.SlidingWindow, quotas...)
	if all.Cost = 50; !take(t, m, all) {
		t.Fatal("refused")
	}
	for i, q := range quotas {
		one := spend("k", ratelimit.SlidingWindow, q)
		want := q.Count - 51
		if i == 7 {
			want--
		}
		if take(t, m, one); one.States[0].Remaining != want {
			t.Errorf("quota %d of %d: %d remain, want %d", i, q.Count, one.States[0].Remaining, want)
		}
	}
}

// TestAClockThatJumpsLocksNobodyOut: set back, it must not keep a budget used up
// for the time that it went back, nor give it back.
func TestAClockThatJumpsLocksNobodyOut(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		for _, jump := range []time.Duration{-time.Second, -time.Minute, -time.Hour, -365 * 24 * time.Hour} {
			c := newClock()
			c.advance(24 * time.Hour)
			m := memory(t, ratelimit.MemoryConfig{Now: c.now})
			s := spend("k", a, ratelimit.Quota{Count: 3, Window: time.Minute})
			c.advance(time.Hour)
			for range 3 {
				take(t, m, s)
			}
			c.advance(jump)
			if take(t, m, s) {
				t.Errorf("%v: a jump of %v gave the budget back", a, jump)
			}
			c.advance(time.Minute)
			for i := range 3 {
				if !take(t, m, s) {
					t.Errorf("%v: a minute after a jump of %v, request %d is refused for %v", a, jump, i+1, s.States[0].Wait)
				}
			}
			if take(t, m, s) {
				t.Errorf("%v: after a jump of %v there is more than the budget", a, jump)
			}
		}
	}
}

// TestTheDefaultClockGoesOn: without a clock of one's own, time is that
// which goes by. (In a bubble of synctest it goes by as the test says.)
func TestTheDefaultClockGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory(t, ratelimit.MemoryConfig{})
		s := spend("k", ratelimit.SlidingWindow, ratelimit.Quota{Count: 2, Window: time.Minute})
		take(t, m, s)
		time.Sleep(30 * time.Second)
		if !take(t, m, s) || take(t, m, s) || s.States[0].Wait != 30*time.Second {
			t.Errorf("two in half a minute: %+v", s)
		}
		time.Sleep(30*time.Second - 1)
		if take(t, m, s) {
			t.Error("a nanosecond too early")
		}
		time.Sleep(time.Nanosecond)
		if !take(t, m, s) || take(t, m, s) {
			t.Errorf("a minute after the first: %+v", s)
		}
	})
}

func TestMemoryAtOnceIsExact(t *testing.T) {
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 1000})
	var allowed [4]atomic.Int64
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 4000 {
				k := i % len(allowed)
				if take(t, m, spend(strconv.Itoa(k), ratelimit.SlidingWindow, ratelimit.Quota{Count: 1000 + k, Window: time.Hour})) {
					allowed[k].Add(1)
				}
				take(t, m, spend(fmt.Sprint("other", g, i), ratelimit.GCRA, ratelimit.Quota{Count: 10, Window: time.Hour}))
			}
		})
	}
	group.Wait()
	for k := range allowed {
		if n := allowed[k].Load(); n != int64(1000+k) {
			t.Errorf("key %d: %d are allowed, want %d", k, n, 1000+k)
		}
	}
}

// TestExactWhileOthersAreEvicted: eight goroutines spend the same budgets, of one
// quota and of two, while each also floods the memory, which evicts all the time.
// What is spent an eighth of stays before what is hardly spent.
func TestExactWhileOthersAreEvicted(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		for _, quotas := range [][]ratelimit.Quota{
			{{Count: 800, Window: 1000 * time.Hour}},
			{{Count: 800, Window: 1000 * time.Hour}, {Count: 1600, Window: 2000 * time.Hour}},
		} {
			m := memory(t, ratelimit.MemoryConfig{MaxKeys: 100})
			var allowed [4]atomic.Int64
			for k := range allowed {
				s := spend(strconv.Itoa(k), a, quotas...)
				s.Cost = 200
				take(t, m, s)
			}
			var group sync.WaitGroup
			for g := range 8 {
				group.Go(func() {
					fresh := spend("", a, ratelimit.Quota{Count: 1000, Window: time.Hour})
					for i := range 1200 {
						k := (g + i) % len(allowed)
						if take(t, m, spend(strconv.Itoa(k), a, quotas...)) {
							allowed[k].Add(1)
						}
						fresh.Key = fmt.Append(fresh.Key[:0], "fresh ", g, " ", i)
						for n := range 2 { // It may be evicted between the two, but nobody else spends of it.
							if !take(t, m, fresh) || fresh.States[0].Remaining < 999-n {
								t.Errorf("%v: request %d of a fresh key: %+v", a, n+1, fresh.States[0])
							}
						}
					}
				})
			}
			group.Wait()
			for k := range allowed {
				if n := allowed[k].Load(); n != 600 {
					t.Errorf("%v: key %d: %d are allowed of %v, want 600", a, k, n, quotas)
				}
			}
			if n := m.Len(); n > 100 {
				t.Errorf("%v: %d budgets, want at most 100", a, n)
			}
		}
	}
}

// TestExactWhileTheMemoryGrows from nothing to 20,000 budgets, each of which eight
// goroutines spend at once: three of their requests are allowed.
func TestExactWhileTheMemoryGrows(t *testing.T) {
	const keys = 20_000
	m := memory(t, ratelimit.MemoryConfig{})
	allowed := make([]atomic.Int32, keys)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s := spend("", ratelimit.GCRA, ratelimit.Quota{Count: 3, Window: 1000 * time.Hour})
			for k := range keys {
				s.Key = strconv.AppendInt(s.Key[:0], int64(k), 10)
				if take(t, m, s) {
					allowed[k].Add(1)
				}
			}
		})
	}
	group.Wait()
	for k := range allowed {
		if n := allowed[k].Load(); n != 3 {
			t.Fatalf("key %d: %d of 8 are allowed, want 3", k, n)
		}
	}
	if m.Len() != keys {
		t.Errorf("%d budgets, want %d", m.Len(), keys)
	}
}

func TestASpendThatIsNotInOrderIsAnError(t *testing.T) {
	m := memory(t, ratelimit.MemoryConfig{})
	q := ratelimit.Quota{Count: 1, Window: time.Hour}
	for _, quotas := range [][]ratelimit.Quota{
		{}, {q, q}, {{Count: 0, Window: time.Hour}}, {{Count: 1}}, {{Count: -1, Window: time.Hour}}, {{Count: 1, Window: -1}},
		{{Count: 1 << 40, Window: time.Hour}}, make([]ratelimit.Quota, 9),
	} {
		if err := m.Take(context.Background(), spend("k", ratelimit.SlidingWindow, quotas...)); err == nil {
			t.Errorf("%v is no error", quotas)
		}
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	m := memory(t, ratelimit.MemoryConfig{})
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		s := spend("k", a, ratelimit.Quota{Count: 50, Window: time.Hour}, ratelimit.Quota{Count: 1000, Window: 24 * time.Hour})
		if n := testing.AllocsPerRun(200, func() { take(t, m, s) }); n != 0 {
			t.Errorf("%v: %v allocations", a, n)
		}
	}
}

// TestAMillionKeysFit into 120 MB.
func TestAMillionKeysFit(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 1 << 20})
	var key [8]byte
	s := spend("", ratelimit.SlidingWindow, ratelimit.Quota{Count: 100, Window: time.Hour})
	s.Key = key[:]
	for i := range uint64(1_000_000) {
		binary.BigEndian.PutUint64(key[:], i)
		take(t, m, s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := float64(after.HeapAlloc-before.HeapAlloc) / 1e6
	t.Logf("%d keys take %.1f MB", m.Len(), size)
	if size > 120 || m.Len() < 990_000 {
		t.Errorf("%d keys take %.1f MB, want a million in 120", m.Len(), size)
	}
	runtime.KeepAlive(m)
}
