package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

// flood sends 10,000 requests by three nodes. Of a token bucket of b that fills
// with r per second, between b+rt and b+rt+1 may pass in t seconds; of a sliding
// window b in the first window.
func flood(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 1000, Window: 20 * time.Second}
	start := b.Now()
	b.want(t, true, "k", 1, q)
	begun := b.Now() // The first request came between the two.
	var mu sync.Mutex
	allowed, last, ended := 1, start, start
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for i := range 3333 {
				before := b.Now()
				s := b.take(t, "k", 1, q)
				after := b.Now()
				mu.Lock()
				if s.Allowed {
					allowed++
				}
				if before.After(last) {
					last = before
				}
				if after.After(ended) {
					ended = after
				}
				mu.Unlock()
				if i%100 == 0 {
					b.Sleep(time.Millisecond)
				}
			}
		})
	}
	group.Wait()
	least, most := 1000, 1000
	if b.algorithm == ratelimit.GCRA {
		const rate = 1000.0 / 20
		least += int(rate * last.Sub(begun).Seconds())
		most += int(rate*ended.Sub(start).Seconds()) + 1
	} else if ended.Sub(start) > 20*time.Second {
		t.Skipf("10,000 requests took %v: not within one window", ended.Sub(start))
	}
	if allowed < least || allowed > most {
		t.Errorf("%d of 10,000 are allowed in %v, want %d to %d", allowed, ended.Sub(start), least, most)
	}
}

// windows asks all the time and looks at what was allowed in each window. What a
// bucket admits is its count and what comes back meanwhile.
func windows(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 20, Window: 400 * time.Millisecond}
	type span struct{ from, to time.Time } // between which it was allowed
	var allowed []span
	for end := b.Now().Add(1500 * time.Millisecond); b.Now().Before(end); {
		from := b.Now()
		if b.take(t, "k", 1, q).Allowed {
			allowed = append(allowed, span{from, b.Now()})
		}
		b.Sleep(2 * time.Millisecond)
	}
	most := q.Count
	if b.algorithm == ratelimit.GCRA {
		most = 2*q.Count + 1
	}
	for i := range allowed {
		n := 0
		for j := i; j < len(allowed) && allowed[j].to.Sub(allowed[i].from) < q.Window; j++ {
			n++
		}
		if n > most {
			t.Fatalf("%d were allowed within %v, want at most %d", n, q.Window, most)
		}
	}
	// In 1500 ms there are 3 windows; a bucket also has its burst.
	if len(allowed) < 3*q.Count-q.Count/2 {
		t.Errorf("%d were allowed in 1.5 s, want %d or so", len(allowed), 3*q.Count)
	}
}

// comesBack spends a quota that is too large to be kept one by one, evenly, and
// wants at least seven eighths of it in the next window, too.
func comesBack(t *testing.T, b *bench) {
	q := ratelimit.Quota{Count: 140, Window: 700 * time.Millisecond}
	end := b.Now().Add(3 * q.Window)
	n, sent := 0, 0
	for b.Now().Before(end) {
		if sent++; b.take(t, "k", 1, q).Allowed {
			n++
		}
		b.Sleep(5 * time.Millisecond)
	}
	if want := min(sent, 3*q.Count) * 7 / 8; n < want {
		t.Errorf("%d of %d were allowed in three windows of %d, want at least %d", n, sent, q.Count, want)
	}
}

// lastIsLast spends one unit and all others a little later, and wants them not
// back with the first. Spent units may be kept in slices of a seventh of the
// window: of four tries, some are in one slice.
func lastIsLast(t *testing.T, b *bench) {
	if b.algorithm == ratelimit.GCRA {
		t.Log("of a bucket nothing comes back as a whole")
		return
	}
	const gap = 120 * time.Millisecond
	q := ratelimit.Quota{Count: 20, Window: 2100 * time.Millisecond}
	keys := []string{"a", "b", "c", "d"}
	var first, last [4]time.Time
	for i, key := range keys {
		b.want(t, true, key, 1, q)
		first[i] = b.Now()
		b.Sleep(gap)
		last[i] = b.Now()
		b.want(t, true, key, 19, q)
	}
	looked := 0
	for i, key := range keys {
		b.Sleep(first[i].Add(q.Window + 10*time.Millisecond).Sub(b.Now()))
		s := b.take(t, key, 2, q)
		if b.Now().Sub(last[i]) >= q.Window {
			continue // Too late to tell.
		}
		if looked++; s.Allowed {
			t.Errorf("%v after 19 of 20 were spent there are 2: %+v", b.Now().Sub(last[i]), s.States[0])
		}
	}
	if looked == 0 {
		t.Skip("the machine is too busy: each request came too late")
	}
}
