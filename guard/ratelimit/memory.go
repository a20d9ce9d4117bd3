package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// MemoryConfig configures a [Memory]. The zero value is the secure choice.
type MemoryConfig struct {
	// MaxKeys is how many budgets are kept, about 100 bytes each. A limit of two
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
	seed   maphash.Seed
	shift  uint
	shards []shard
	now    func() int64
}

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
	m := &Memory{seed: maphash.MakeSeed(), shift: 64 - bits, shards: make([]shard, 1<<bits)}
	for i := range m.shards {
		m.shards[i].most = uint32(cfg.MaxKeys >> bits)
		m.shards[i].table.buckets = make([]uint32, 16)
	}
	start := time.Now()
	m.now = func() int64 { return int64(time.Since(start)) }
	if cfg.Now != nil {
		start = cfg.Now()
		m.now = func() int64 { return int64(cfg.Now().Sub(start)) }
	}
	return m, nil
}

// shard is a part of the keys with a lock of its own.
type shard struct {
	mu    sync.Mutex
	table table
	last  int64 // the time of the latest request
	skew  int64 // what is added to the clock since it went back
	most  uint32

	_ [64]byte // Two shards in one cache line would slow each other down.
}

// Take is [Store.Take]. It never waits, and fails only if s is not in order.
func (m *Memory) Take(_ context.Context, s *Spend) error {
	if len(s.Quotas) == 0 || len(s.Quotas) > maxQuotas || len(s.States) != len(s.Quotas) || s.Cost < 1 {
		return errors.New("ratelimit: a spend without quotas, states or cost")
	}
	hash := maphash.Bytes(m.seed, s.Key)
	sh := &m.shards[hash>>m.shift]
	now := m.now()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.take(sh.clock(now), hash, s)
	return nil
}

// clock returns the time of the shard, which never goes back: if that of the
// machine does, it goes on from where it was. Budgets would last for ever
// otherwise.
func (sh *shard) clock(now int64) int64 {
	const race = int64(100 * time.Millisecond) // Requests read the clock before they wait for the lock.
	if now += sh.skew; now < sh.last {
		if sh.last-now > race {
			sh.skew += sh.last - now
		}
		now = sh.last
	}
	sh.last = now
	return now
}

// take asks every quota first and charges them then.
func (sh *shard) take(now int64, hash uint64, s *Spend) {
	s.Allowed = true
	var found [maxQuotas]uint32
	for i, q := range s.Quotas {
		id := sh.table.find(idOf(hash, s.Algorithm, q))
		found[i] = id
		var whole budget
		b := &whole
		if id != 0 {
			b = &sh.table.at(id).budget
		}
		wait := b.wait(now, s.Cost, s.Algorithm, q)
		s.States[i] = b.state(now, s.Algorithm, q)
		s.States[i].Wait = time.Duration(wait)
		if wait > 0 {
			s.Allowed = false
		}
	}
	if !s.Allowed {
		return
	}
	for i, q := range s.Quotas {
		id := sh.entry(now, found[i], idOf(hash, s.Algorithm, q))
		b := &sh.table.at(id).budget
		b.spend(now, s.Cost, s.Algorithm, q)
		s.States[i] = b.state(now, s.Algorithm, q)
		sh.table.rank(id, load(s.States[i].Remaining, q.Count))
	}
}

func (b *budget) wait(now int64, cost int, a Algorithm, q Quota) int64 {
	if a == GCRA {
		return b.bucketWait(now, cost, q)
	}
	t := tick(int64(q.Window))
	b.expire(now, q, t)
	return b.windowWait(now, cost, q, t)
}

func (b *budget) spend(now int64, cost int, a Algorithm, q Quota) {
	if a == GCRA {
		b.bucketSpend(now, cost, q)
		return
	}
	b.windowSpend(now, cost, q, tick(int64(q.Window)))
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
