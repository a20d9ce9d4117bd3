package ratelimit

import (
	"sync"
	"time"
)

// shard is a part of the keys with a lock of its own.
//
// A request whose budgets are all there and stay in their levels, as nearly all
// do, does not touch that lock, nor any memory that requests of other keys write:
// cores would wait for each other's cache lines. It finds the budgets without a
// lock, as table says, and locks them. Who holds a budget waits for nothing, so
// that whoever holds the shard may wait for a budget.
type shard struct {
	mu    sync.Mutex
	table table

	_ [line]byte // Two shards in one cache line would slow each other down.
}

// charge is what a request asks of one budget.
type charge struct {
	id    uint64
	entry *entry // nil if there is none yet
	mid   *between
	place uint32 // the number of entry
	level uint8  // that of the budget once it is charged
	now   int64
	// budget is a copy of what the entry had, without what has expired: until
	// the request is allowed, nothing is written.
	budget budget
}

// takeKnown is takeAny for budgets that are all there and stay in their levels.
// It reports false if they do not, and has done nothing.
func (sh *shard) takeKnown(now int64, charges []charge, s *Spend) bool {
	for i := range charges {
		if c := &charges[i]; !sh.table.find(c) {
			return false
		}
	}
	return takeFound(now, charges, s)
}

// takeFound is takeKnown for entries that find has found.
func takeFound(now int64, charges []charge, s *Spend) bool {
	held := 0
	defer func() {
		for i := range held {
			charges[i].entry.mu.Unlock()
		}
	}()
	for i := range charges {
		c := &charges[i]
		if i == 0 {
			c.entry.mu.Lock()
		} else if !c.entry.mu.TryLock() {
			return false
		}
		held++
		if !c.entry.is(c.id) { // It was evicted since.
			return false
		}
	}
	if !ask(now, charges, s) {
		return true
	}
	for i := range charges {
		if c := &charges[i]; c.level != c.entry.level {
			return false
		}
	}
	spendAll(charges, s)
	for i := range charges {
		charges[i].entry.budget = charges[i].budget
	}
	return true
}

// takeAny makes the budgets that are not there yet, if the request is allowed.
// Those that are there are charged before others can be evicted for the new ones.
func (sh *shard) takeAny(now int64, lane uint32, charges []charge, s *Spend) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for i := range charges {
		c := &charges[i]
		if !sh.table.find(c) {
			c.entry, c.mid = nil, nil
			continue
		}
		c.entry.mu.Lock()
	}
	if ask(now, charges, s) {
		spendAll(charges, s)
	}
	for i := range charges {
		c := &charges[i]
		if c.entry == nil {
			continue
		}
		if s.Allowed {
			c.entry.budget = c.budget
			sh.table.rank(c.place, c.entry, c.level)
		}
		c.entry.mu.Unlock()
	}
	if !s.Allowed {
		return
	}
	for i := range charges {
		if c := &charges[i]; c.entry == nil {
			if sh.table.used >= sh.table.most {
				sh.table.makeRoom(now, lane)
			}
			sh.table.insert(c, lane)
		}
	}
}

// ask asks every quota whether it has what the request costs.
func ask(now int64, charges []charge, s *Spend) bool {
	s.Allowed = true
	for i, q := range s.Quotas {
		c := &charges[i]
		c.budget = budget{}
		if c.entry != nil {
			c.budget = c.entry.budget
		}
		c.now = c.budget.latest(now, s.Algorithm, q)
		wait := c.budget.wait(c.mid, c.now, s.Cost, s.Algorithm, q)
		s.States[i] = c.budget.state(c.now, s.Algorithm, q)
		s.States[i].Wait = time.Duration(wait)
		if wait > 0 {
			s.Allowed = false
		}
		c.level = load(s.States[i].Remaining-s.Cost, q.Count)
	}
	return s.Allowed
}

// spendAll charges every quota.
func spendAll(charges []charge, s *Spend) {
	for i, q := range s.Quotas {
		c := &charges[i]
		c.budget.spend(c.mid, c.now, s.Cost, s.Algorithm, q)
		s.States[i] = c.budget.state(c.now, s.Algorithm, q)
	}
}
