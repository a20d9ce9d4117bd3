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
// budget. It has the first and the last slot of a sliding window itself; those
// between are kept beside it and needed seldom, so that most requests change one
// cache line.
type budget struct {
	until int64  // the time at which it is whole again, in nanoseconds; for GCRA the theoretical arrival time
	total uint32 // the sum of all slots
	used  uint8  // how many slots are used
	head  uint8  // the oldest slot of those between
	first slot   // the oldest slot, if two are used
	last  slot   // the newest
}

// between are the slots of a window that are neither the first nor the last.
type between [slots - 2]slot

// at returns the slot i, counted from the oldest one that is used.
func (b *budget) at(mid *between, i uint8) slot {
	switch i {
	case b.used - 1:
		return b.last
	case 0:
		return b.first
	}
	return mid[(b.head+i-1)%uint8(len(mid))]
}

// push makes s the newest slot. One must be free.
func (b *budget) push(mid *between, s slot) {
	if b.used == 1 {
		b.first = b.last
	} else if b.used > 1 {
		mid[(b.head+b.used-2)%uint8(len(mid))] = b.last
	}
	b.last = s
	b.used++
}

// pop takes out the oldest slot.
func (b *budget) pop(mid *between) {
	b.total -= b.at(mid, 0).n
	if b.used > 2 {
		b.first = mid[b.head]
		b.head = (b.head + 1) % uint8(len(mid))
	}
	b.used--
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
func (b *budget) expire(mid *between, now int64, q Quota, tick int64) {
	if now >= b.until {
		*b = budget{}
		return
	}
	for b.used > 0 && age(now, tick, b.at(mid, 0)) >= int64(q.Window) {
		b.pop(mid)
	}
}

// windowWait returns how long it takes until cost units are free, 0 if they are.
func (b *budget) windowWait(mid *between, now int64, cost int, q Quota, tick int64) int64 {
	need := int(b.total) + cost - q.Count
	switch {
	case need <= 0:
		return 0
	case cost > q.Count:
		return int64(q.Window)
	}
	for i := range b.used - 1 {
		s := b.at(mid, i)
		if need -= int(s.n); need <= 0 {
			return int64(q.Window) - age(now, tick, s)
		}
	}
	return b.until - now
}

// windowSpend writes down cost units.
func (b *budget) windowSpend(mid *between, now int64, cost int, q Quota, tick int64) {
	whole := (now + tick - 1) / tick
	at := uint32(whole)
	slice := (int64(q.Window)/tick + slots - 2) / (slots - 1) // Rounded up, or a window could touch one more.
	b.total += uint32(cost)
	b.until = now + int64(q.Window)
	if b.used > 0 {
		before := whole - int64(at-b.last.at)
		if b.used == slots || b.last.at == at || q.Count > slots && before/slice == whole/slice {
			b.last.at = at
			b.last.n += uint32(cost)
			return
		}
	}
	b.push(mid, slot{at, uint32(cost)})
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

// latest returns the time of a request that read the clock at now. A budget is
// whole within its window of what was spent last: if it is not, another request
// has read the clock later and was served before.
func (b *budget) latest(now int64, a Algorithm, q Quota) int64 {
	if a == GCRA {
		return max(now, b.until-int64(q.Count)*interval(q))
	}
	return max(now, b.until-int64(q.Window))
}

func (b *budget) wait(mid *between, now int64, cost int, a Algorithm, q Quota) int64 {
	if a == GCRA {
		return b.bucketWait(now, cost, q)
	}
	t := tick(int64(q.Window))
	b.expire(mid, now, q, t)
	return b.windowWait(mid, now, cost, q, t)
}

func (b *budget) spend(mid *between, now int64, cost int, a Algorithm, q Quota) {
	if a == GCRA {
		b.bucketSpend(now, cost, q)
		return
	}
	b.windowSpend(mid, now, cost, q, tick(int64(q.Window)))
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
