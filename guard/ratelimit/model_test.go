package ratelimit_test

import (
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

// model is a sliding window that keeps every unit.
type model struct {
	q     ratelimit.Quota
	spent []time.Time
}

// free returns how many units are left at a time.
func (m *model) free(now time.Time) int {
	for len(m.spent) > 0 && now.Sub(m.spent[0]) >= m.q.Window {
		m.spent = m.spent[1:]
	}
	return m.q.Count - len(m.spent)
}

func (m *model) spend(now time.Time, cost int) {
	for range cost {
		m.spent = append(m.spent, now)
	}
}

// slack is by how much what was spent may come back later than after the window:
// by the slice and the resolution.
func slack(q ratelimit.Quota) time.Duration {
	d := time.Second
	switch {
	case q.Window <= 2000*time.Second:
		d = time.Microsecond
	case q.Window <= 2_000_000*time.Second:
		d = time.Millisecond
	}
	if q.Count > 8 {
		d += q.Window/7 + d
	}
	return d
}

// FuzzSlidingWindow compares the memory with the model. What the memory admits,
// the model must, too; and what the model would admit that much earlier, the
// memory must. Each byte is a request: how long after the last, and its cost.
func FuzzSlidingWindow(f *testing.F) {
	f.Add(uint8(3), uint32(60_000), []byte{0, 0, 0, 0, 30, 90, 200, 255})
	f.Add(uint8(100), uint32(60_000), []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
	f.Add(uint8(20), uint32(3_600_000), []byte{1, 2, 3, 250, 251, 252, 253, 254, 255, 128, 127, 126, 9, 9, 9, 9, 9, 9})
	f.Add(uint8(8), uint32(86_400_000), []byte{60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 240, 241})
	f.Add(uint8(1), uint32(1), []byte{0, 8, 16, 24, 255, 255})
	f.Fuzz(func(t *testing.T, count uint8, millis uint32, requests []byte) {
		q := ratelimit.Quota{Count: int(count) + 1, Window: time.Duration(millis)*time.Millisecond + time.Second}
		c := newClock()
		m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
		exact, late := &model{q: q}, &model{q: q}
		late.q.Window += slack(q)
		s := spend("k", ratelimit.SlidingWindow, q)
		for i, r := range requests {
			// Up to a third of the window later, or two windows.
			step := time.Duration(r>>3) * q.Window / 90
			if r == 255 {
				step = 2*q.Window + 1
			}
			c.advance(step + time.Duration(r)*7)
			s.Cost = min(int(r&7)+1, q.Count)
			now := c.now()
			free, certain := exact.free(now), late.free(now)
			if s.Cost > 7 {
				s.Cost = 1
			}
			got := take(t, m, s)
			switch state := s.States[0]; {
			case got && s.Cost > free:
				t.Fatalf("request %d of %d: allowed, and only %d are free", i, s.Cost, free)
			case !got && s.Cost <= certain:
				t.Fatalf("request %d of %d: refused, and %d are free", i, s.Cost, certain)
			case got != (state.Wait == 0), state.Remaining < 0, state.Wait < 0, state.Wait > q.Window, state.Wait > state.Reset:
				t.Fatalf("request %d: allowed %t, %+v", i, got, state)
			case !got:
				c.advance(state.Wait - 1)
				if take(t, m, s) && slack(q) < state.Wait && exact.free(c.now()) < s.Cost {
					t.Fatalf("request %d: allowed a nanosecond before its wait of %v", i, state.Wait)
				}
				if s.Allowed {
					exact.spend(c.now(), s.Cost)
					late.spend(c.now(), s.Cost)
					continue
				}
				c.advance(1)
				if !take(t, m, s) {
					t.Fatalf("request %d: refused after its wait of %v: %+v", i, state.Wait, s.States[0])
				}
				now = c.now()
				if exact.free(now) < s.Cost {
					t.Fatalf("request %d: allowed after its wait of %v, and only %d are free", i, state.Wait, exact.free(now))
				}
			}
			exact.spend(now, s.Cost)
			late.spend(now, s.Cost)
		}
	})
}

// FuzzGCRA wants no more than the burst and what comes back.
func FuzzGCRA(f *testing.F) {
	f.Add(uint16(5), uint32(60_000), []byte{0, 0, 0, 0, 0, 0, 30, 90, 200, 255})
	f.Add(uint16(999), uint32(7), []byte("abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, count uint16, millis uint32, requests []byte) {
		q := ratelimit.Quota{Count: int(count) + 1, Window: time.Duration(millis)*time.Millisecond + time.Second}
		c := newClock()
		m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
		s := spend("k", ratelimit.GCRA, q)
		start := c.now()
		spent := 0
		for i, r := range requests {
			c.advance(time.Duration(r>>3) * q.Window / 90)
			s.Cost = min(int(r&7)*q.Count/5+1, q.Count)
			if !take(t, m, s) {
				wait := s.States[0].Wait
				if wait <= 0 || wait > s.States[0].Reset {
					t.Fatalf("request %d: %+v", i, s.States[0])
				}
				if c.advance(wait - 1); take(t, m, s) {
					t.Fatalf("request %d: allowed a nanosecond before its wait of %v", i, wait)
				}
				if c.advance(1); !take(t, m, s) {
					t.Fatalf("request %d: refused after its wait of %v", i, wait)
				}
			}
			spent += s.Cost
			elapsed := c.now().Sub(start)
			if over := spent - q.Count; over > 0 && float64(over) > float64(q.Count)*float64(elapsed)/float64(q.Window)+1e-6 {
				t.Fatalf("request %d: %d spent in %v, with a burst of %d in %v", i, spent, elapsed, q.Count, q.Window)
			}
			if s.States[0].Remaining < 0 || s.States[0].Reset > q.Window+time.Duration(q.Count) {
				t.Fatalf("request %d: %+v", i, s.States[0])
			}
		}
	})
}

// TestLongWindowsAreKept: the times of a budget are kept in 32 bits, whatever the
// window.
func TestLongWindowsAreKept(t *testing.T) {
	const day = 24 * time.Hour
	for _, window := range []time.Duration{
		time.Second, 1999 * time.Second, 2000 * time.Second, 2001 * time.Second, time.Hour, 2 * time.Hour, day, 23 * day, 24 * day, 365 * day, 3650 * day,
	} {
		unit := time.Second / 20
		if window > 23*day { // Kept in seconds.
			unit = time.Second
		}
		c := newClock()
		m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
		s := spend("k", ratelimit.SlidingWindow, ratelimit.Quota{Count: 2, Window: window})
		for round := range 6 { // A clock in nanoseconds ends in the year 2262.
			want := func(allowed bool) {
				t.Helper()
				if take(t, m, s) != allowed {
					t.Fatalf("window %v, round %d: allowed %t, %+v", window, round, s.Allowed, s.States[0])
				}
			}
			want(true)
			c.advance(window / 10 * 9)
			want(true)
			c.advance(window/10 - unit)
			want(false)
			c.advance(unit)
			want(true) // The first is as old as the window.
			want(false)
			c.advance(window/10*9 - unit)
			want(false)
			c.advance(2 * unit)
			want(true)
			c.advance(window + time.Second)
		}
	}
}

// TestASliceComesBackWithTheLastOfIt: else a caller could spend one unit early,
// all others late, and all once more when the first has come back.
func TestASliceComesBackWithTheLastOfIt(t *testing.T) {
	c := newClock()
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
	s := spend("k", ratelimit.SlidingWindow, ratelimit.Quota{Count: 100, Window: 70 * time.Second})
	take(t, m, s)
	c.advance(9 * time.Second)
	s.Cost = 99
	take(t, m, s)
	c.advance(62 * time.Second)
	if s.Cost = 2; take(t, m, s) || s.States[0].Wait != 8*time.Second {
		t.Errorf("a second after the first has come back: allowed %t, %+v", s.Allowed, s.States[0])
	}
}

// TestRoundingAddsNothing: of 600 million in a second one comes back in less than
// two nanoseconds.
func TestRoundingAddsNothing(t *testing.T) {
	c := newClock()
	m := memory(t, ratelimit.MemoryConfig{MaxKeys: 64, Now: c.now})
	s := spend("k", ratelimit.GCRA, ratelimit.Quota{Count: 600_000_000, Window: time.Second})
	s.Cost = 600_000_000
	take(t, m, s)
	c.advance(time.Second / 2)
	if s.Cost = 300_000_001; take(t, m, s) {
		t.Error("more than half has come back in half the time")
	}
}
