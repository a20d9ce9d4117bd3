// Package storetest holds what is asked of a [ratelimit.Store], as tests. Who
// writes a store runs them over the real engine:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Engine {
//			return storetest.Engine{Nodes: [3]ratelimit.Store{open(t), open(t), open(t)}, Sleep: time.Sleep}
//		})
//	}
package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

// Engine is what the tests run over.
type Engine struct {
	// Nodes are three programs, or parts of one, that share their budgets.
	Nodes [3]ratelimit.Store
	// Sleep lets time pass: that of the engine, which need not be that of the
	// tests.
	Sleep func(time.Duration)
	// Now is the time of the engine, as well as the tests can know it. The
	// default is [time.Now].
	Now func() time.Time
}

// Run runs the tests. open returns an engine without anything spent.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		for _, tt := range []struct {
			name string
			test func(*testing.T, *bench)
		}{
			{"a budget is spent exactly", exact},
			{"what was waited for is there", waits},
			{"it is whole again after its reset", resets},
			{"several quotas are charged together or not at all", together},
			{"a request may cost more", costs},
			{"a refusal costs nothing", refusals},
			{"keys and limits do not touch each other", apart},
			{"requests at once are counted one by one", atOnce},
			{"ten thousand requests get the burst and the rate", flood},
			{"in no window there are more than the quota", windows},
			{"a large quota comes back", comesBack},
			{"what was spent last comes back last", lastIsLast},
			{"a mistake is an error", mistakes},
		} {
			t.Run(a.String()+": "+tt.name, func(t *testing.T) {
				e := open(t)
				if e.Now == nil {
					e.Now = time.Now
				}
				tt.test(t, &bench{Engine: e, algorithm: a})
			})
		}
	}
}

// bench is an engine and one algorithm.
type bench struct {
	Engine
	algorithm ratelimit.Algorithm
	calls     atomic.Int64
}

// take spends cost of key, at each node in turn.
func (b *bench) take(t *testing.T, key string, cost int, quotas ...ratelimit.Quota) *ratelimit.Spend {
	t.Helper()
	s := &ratelimit.Spend{
		Key: []byte(key), Cost: cost, Algorithm: b.algorithm, Quotas: quotas, States: make([]ratelimit.State, len(quotas)),
	}
	if err := b.Nodes[b.calls.Add(1)%3].Take(context.Background(), s); err != nil {
		t.Fatalf("Take: %v", err)
	}
	return s
}

// want takes one unit and fails unless it is allowed or not, as said.
func (b *bench) want(t *testing.T, allowed bool, key string, cost int, quotas ...ratelimit.Quota) *ratelimit.Spend {
	t.Helper()
	s := b.take(t, key, cost, quotas...)
	if s.Allowed != allowed {
		t.Fatalf("call %d, cost %d of %v: allowed is %t with %+v", b.calls.Load(), cost, quotas, s.Allowed, s.States)
	}
	return s
}

const hour = time.Hour

func exact(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 5, Window: hour}
	for left := 4; left >= 0; left-- {
		if s := b.want(t, true, "k", 1, q).States[0]; s.Remaining != left || s.Wait != 0 || s.Reset <= 0 || s.Reset > hour+time.Second {
			t.Errorf("with %d left: %+v", left, s)
		}
	}
	for range 3 {
		if s := b.want(t, false, "k", 1, q).States[0]; s.Remaining != 0 || s.Wait <= 0 || s.Wait > hour || s.Wait > s.Reset {
			t.Errorf("with nothing left: %+v", s)
		}
	}
}

func waits(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 4, Window: time.Second}
	for range 4 {
		b.want(t, true, "k", 1, q)
	}
	for range 3 {
		s := b.want(t, false, "k", 1, q)
		b.Sleep(s.States[0].Wait)
		b.want(t, true, "k", 1, q)
		if b.algorithm == ratelimit.SlidingWindow { // They were spent together, and come back together.
			for b.take(t, "k", 1, q).Allowed {
				continue
			}
		}
	}
}

func resets(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 3, Window: 500 * time.Millisecond}
	for range 2 {
		b.want(t, true, "k", 1, q)
		s := b.want(t, true, "k", 2, q)
		b.Sleep(s.States[0].Reset)
		if s = b.want(t, true, "k", 3, q); s.States[0].Remaining != 0 {
			t.Errorf("after the reset and a cost of 3: %+v", s.States[0])
		}
		b.Sleep(s.States[0].Reset)
	}
}

func together(t *testing.T, b *bench) {
	fast, slow := ratelimit.Quota{Count: 3, Window: hour}, ratelimit.Quota{Count: 5, Window: 24 * hour}
	b.want(t, true, "k", 3, slow) // 2 are left of slow.
	b.want(t, true, "k", 1, fast, slow)
	b.want(t, true, "k", 1, fast, slow)
	for range 5 {
		s := b.want(t, false, "k", 1, fast, slow)
		if s.States[0].Remaining != 1 || s.States[0].Wait != 0 || s.States[1].Remaining != 0 || s.States[1].Wait == 0 {
			t.Fatalf("refused by the second quota: %+v", s.States)
		}
	}
	b.want(t, true, "k", 1, fast)
	b.want(t, false, "k", 1, fast)
}

func costs(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 10, Window: hour}
	b.want(t, true, "k", 7, q)
	if s := b.want(t, false, "k", 4, q).States[0]; s.Remaining != 3 || s.Wait <= 0 {
		t.Errorf("4 of 3: %+v", s)
	}
	b.want(t, true, "k", 3, q)
	b.want(t, false, "k", 1, q)
	if s := b.want(t, false, "other", 11, q).States[0]; s.Remaining != 10 || s.Wait != hour {
		t.Errorf("11 of 10: %+v, want all of it left and a wait of the window", s)
	}
	b.want(t, true, "other", 10, q)
}

func refusals(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 2, Window: 600 * time.Millisecond}
	b.want(t, true, "k", 2, q)
	end := b.Now().Add(400 * time.Millisecond)
	refused := 0
	for b.Now().Before(end) {
		if !b.take(t, "k", 2, q).Allowed {
			refused++
		}
		b.Sleep(5 * time.Millisecond)
	}
	b.Sleep(200 * time.Millisecond)
	b.want(t, true, "k", 2, q)
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

func apart(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 1, Window: hour}
	for _, key := range []string{"", "a", "A", "a ", "a\x00", "\x00a", "ab", "\xff\xfe", "a:b", "a{b}", fmt.Sprintf("%4096d", 1), fmt.Sprintf("%4096d", 2)} {
		b.want(t, true, key, 1, q)
		b.want(t, false, key, 1, q)
	}
	b.want(t, true, "a", 1, ratelimit.Quota{Count: 2, Window: hour})
	b.want(t, true, "a", 1, ratelimit.Quota{Count: 1, Window: 2 * hour})
	other := &bench{Engine: b.Engine, algorithm: 1 - b.algorithm}
	other.want(t, true, "a", 1, q)
}

func atOnce(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 100, Window: hour}
	var allowed atomic.Int64
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() {
			for range 10 {
				if b.take(t, "k", 1, q).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if allowed.Load() != 100 {
		t.Errorf("%d of 300 at once are allowed, want 100", allowed.Load())
	}
}

func mistakes(t *testing.T, b *bench) {
	q := []ratelimit.Quota{{Count: 1, Window: hour}}
	for _, s := range []*ratelimit.Spend{
		{Cost: 1},
		{Cost: 0, Quotas: q, States: make([]ratelimit.State, 1)},
		{Cost: -1, Quotas: q, States: make([]ratelimit.State, 1)},
		{Cost: 1, Quotas: q},
	} {
		s.Key, s.Algorithm = []byte("k"), b.algorithm
		if err := b.Nodes[0].Take(context.Background(), s); err == nil {
			t.Errorf("Take(%+v) is no error", s)
		}
	}
}
