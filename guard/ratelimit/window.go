package ratelimit

import (
	"math"
	"time"
)

// slots is how many groups of spent units a sliding window remembers. A window
// is cut into slots-1 slices, so that those which it touches always fit.
const slots = 8

// slot is a group of units that come back together.
type slot struct {
	at uint32 // when the last of them was spent, in ticks
	n  uint32
}

// budget is what one key has spent of one quota. Its zero value is a whole
// budget.
type budget struct {
	until int64  // the time at which it is whole again, in nanoseconds; for GCRA the theoretical arrival time
	total uint32 // the sum of ring
	head  uint8  // the oldest slot of ring
	used  uint8  // how many slots are used
	ring  [slots]slot
}

// tick returns the resolution in which the slots of a window are kept. Two
// windows in ticks fit into 32 bits: the age of a slot is known though its time
// has lost the upper bits.
func tick(window int64) int64 {
	switch {
	case window <= 2000*int64(time.Second):
		return int64(time.Microsecond)
	case window <= 2_000_000*int64(time.Second):
		return int64(time.Millisecond)
	}
	return int64(time.Second)
}

// age returns how many nanoseconds ago a slot was written. The time of a slot is
// rounded up, so it may be one tick in the future.
func age(now, tick int64, s slot) int64 {
	ticks := uint32(now/tick) - s.at
	if ticks == math.MaxUint32 {
		return now%tick - tick
	}
	return int64(ticks)*tick + now%tick
}

// expire gives back what is older than the window.
func (b *budget) expire(now int64, q Quota, tick int64) {
	if now >= b.until {
		*b = budget{}
		return
	}
	for b.used > 0 && age(now, tick, b.ring[b.head]) >= int64(q.Window) {
		b.total -= b.ring[b.head].n
		b.head = (b.head + 1) % slots
		b.used--
	}
}

// windowWait returns how long it takes until cost units are free, 0 if they are.
func (b *budget) windowWait(now int64, cost int, q Quota, tick int64) int64 {
	need := int(b.total) + cost - q.Count
	switch {
	case need <= 0:
		return 0
	case cost > q.Count:
		return int64(q.Window)
	}
	for i := range b.used - 1 {
		s := b.ring[(b.head+i)%slots]
		if need -= int(s.n); need <= 0 {
			return int64(q.Window) - age(now, tick, s)
		}
	}
	return b.until - now
}

// windowSpend writes down cost units.
func (b *budget) windowSpend(now int64, cost int, q Quota, tick int64) {
	whole := (now + tick - 1) / tick
	at := uint32(whole)
	slice := (int64(q.Window)/tick + slots - 2) / (slots - 1) // Rounded up, or a window could touch one more.
	b.total += uint32(cost)
	b.until = now + int64(q.Window)
	if b.used > 0 {
		last := &b.ring[(b.head+b.used-1)%slots]
		before := whole - int64(at-last.at)
		if b.used == slots || last.at == at || q.Count > slots && before/slice == whole/slice {
			last.at = at
			last.n += uint32(cost)
			return
		}
	}
	b.ring[(b.head+b.used)%slots] = slot{at, uint32(cost)}
	b.used++
}

// interval is the time in which one unit of a bucket comes back, rounded up: in
// no time more come back than the quota says.
func interval(q Quota) int64 { return (int64(q.Window) + int64(q.Count) - 1) / int64(q.Count) }

// bucketWait returns how long it takes until cost units are there, 0 if they are.
func (b *budget) bucketWait(now int64, cost int, q Quota) int64 {
	if cost > q.Count {
		return int64(q.Window)
	}
	return max(0, max(b.until, now)-now-int64(q.Count-cost)*interval(q))
}

func (b *budget) bucketSpend(now int64, cost int, q Quota) {
	b.until = max(b.until, now) + int64(cost)*interval(q)
}

// state returns what holds of the budget, which has expired what it can.
func (b *budget) state(now int64, a Algorithm, q Quota) State {
	s := State{Reset: time.Duration(max(0, b.until-now))}
	if a == GCRA {
		s.Remaining = q.Count - int((int64(s.Reset)+interval(q)-1)/interval(q))
	} else {
		s.Remaining = q.Count - int(b.total)
	}
	return s
}

// load returns how much of a quota is spent, in eighths.
func load(remaining, count int) uint8 { return uint8((count - remaining) * (levels - 1) / count) }
