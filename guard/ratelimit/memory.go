package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// MemoryConfig configures a [Memory]. The zero value is the secure choice.
type MemoryConfig struct {
	// MaxKeys is how many budgets are kept, about 120 bytes each. A limit of two
	// quotas has two budgets for each key. The default is 262,144.
	MaxKeys int
	// Now is the clock. The default is one that changes of the system's time do
	// not reach. A clock that goes back is taken to stand still.
	Now func() time.Time
}

// Memory is a [Store] in the memory of this process. It is safe for concurrent
// use.
//
// When it is full, a budget that is whole again makes room, or else the one of
// which least is spent: whoever floods it with fresh keys evicts their own, and
// a budget that is used up stays. Keys are hashed with a secret of the process,
// so that nobody can choose keys that meet.
type Memory struct {
	_ [line]byte // Others may write beside it what each request reads here.

	seed   maphash.Seed
	shift  uint
	shards []shard
	start  time.Time
	lanes  sync.Pool    // has one of *uint32 for each core: in which lane it makes entries
	now    func() int64 // nil for the time since start

	_ [line]byte
}

// line is the size of a cache line.
const line = 64

var errSpend = errors.New("ratelimit: a spend whose quotas, states or cost are not in order")

// NewMemory returns a store, or an error that names every mistake in cfg.
func NewMemory(cfg MemoryConfig) (*Memory, error) {
	if cfg.MaxKeys == 0 {
		cfg.MaxKeys = 1 << 18
	}
	if cfg.MaxKeys < 64 || cfg.MaxKeys > 1<<30 {
		return nil, fmt.Errorf("ratelimit memory config: MaxKeys is %d, want 64 to %d", cfg.MaxKeys, 1<<30)
	}
	// Few keys in a shard could be evicted though there is room in others.
	bits := uint(8)
	for bits > 0 && cfg.MaxKeys>>bits < 64 {
		bits--
	}
	m := &Memory{seed: maphash.MakeSeed(), shift: 64 - bits, start: time.Now(), shards: make([]shard, 1<<bits)}
	for i := range m.shards {
		m.shards[i].table.init(uint32(cfg.MaxKeys >> bits))
	}
	var cores atomic.Uint32
	m.lanes.New = func() any {
		lane := cores.Add(1) % lanes
		return &lane
	}
	if cfg.Now != nil {
		m.now = steady(cfg.Now)
	}
	return m, nil
}

// Take is [Store.Take]. It never waits for long, and fails only if s is not in
// order.
func (m *Memory) Take(_ context.Context, s *Spend) error {
	if len(s.Quotas) == 1 {
		var one [1]charge
		return m.take(one[:], s)
	}
	if len(s.Quotas) == 0 || len(s.Quotas) > maxQuotas {
		return errSpend
	}
	var all [maxQuotas]charge
	return m.take(all[:len(s.Quotas)], s)
}

func (m *Memory) take(charges []charge, s *Spend) error {
	if len(s.States) != len(s.Quotas) || s.Cost < 1 {
		return errSpend
	}
	hash := maphash.Bytes(m.seed, s.Key)
	for i, q := range s.Quotas {
		if q.Count < 1 || q.Count > maxCount || q.Window < 1 || q.Window > maxWindow {
			return errSpend
		}
		id := idOf(hash, s.Algorithm, q)
		for _, other := range charges[:i] {
			if other.id == id {
				return errSpend
			}
		}
		charges[i].id = id
	}
	sh := &m.shards[hash>>m.shift]
	now := int64(0)
	if m.now != nil {
		now = m.now()
	} else {
		now = int64(time.Since(m.start))
	}
	if !sh.takeKnown(now, charges, s) {
		lane := m.lanes.Get().(*uint32)
		sh.takeAny(now, *lane, charges, s)
		m.lanes.Put(lane)
	}
	return nil
}

// idOf returns the id of one budget of a key.
func idOf(hash uint64, a Algorithm, q Quota) uint64 {
	salt := (uint64(q.Count)*0x9e3779b97f4a7c15 ^ uint64(q.Window)) * 0xbf58476d1ce4e5b9
	return hash ^ salt ^ salt>>31 ^ uint64(a)
}

// Len returns how many budgets are kept, those included that are whole again
// and not yet gone.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += m.shards[i].table.len()
		m.shards[i].mu.Unlock()
	}
	return n
}

// steady returns a clock that counts nanoseconds from its first reading and goes
// on from where it was if now goes back. Budgets would last for ever otherwise.
func steady(now func() time.Time) func() int64 {
	const (
		race = int64(100 * time.Millisecond) // by how much later a request may come than it read the clock
		step = int64(time.Millisecond)       // how often last is written: it would wander between the cores
	)
	start := now()
	var last, skew atomic.Int64
	var mu sync.Mutex
	read := func() int64 {
		added := skew.Load() // First, or a request would add what makes up for a jump it has not seen.
		return added + int64(now().Sub(start))
	}
	return func() int64 {
		t, l := read(), last.Load()
		switch {
		case t > l+step:
			last.CompareAndSwap(l, t)
		case t < l-race:
			mu.Lock()
			defer mu.Unlock()
			if t = read(); t < last.Load()-race {
				skew.Add(last.Load() - t)
			}
			return last.Load()
		}
		return max(t, l)
	}
}
