// Package replay remembers what may be used once only: one-time tokens, the ids
// of webhooks, nonces.
//
// A signature proves who wrote a message, not that it is new. Whoever can read
// it once, in a log or on a wire, can send it again. So the receiver keeps the
// id of each until it would be refused for its age anyway:
//
//	seen, err := replay.NewMemory(replay.Config{})
//	first, err := seen.First(ctx, token.ID, token.Expires)
//	if err != nil || !first {
//		… // refuse: it was used before, or nobody knows
//	}
//
// [Memory] is of one process: with N processes behind a load balancer a token
// works N times. They share the one of module fastness/redis instead.
//
// Who needs such a cache asks for an interface with the one method First.
package replay

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// ErrFull is returned while a [Memory] holds as many ids as it may and none of
// them has expired. To forget one would let it be used again.
var ErrFull = errors.New("the replay cache is full")

// Config configures a [Memory]. The zero value is the secure choice.
type Config struct {
	// Max is how many ids are kept at once, about 50 bytes each. It is how many
	// tokens are used within the lifetime of one. The default is 262,144.
	Max int
	// Now is the clock. The default is [time.Now].
	Now func() time.Time
}

// Memory remembers ids in the memory of this process. It is safe for concurrent
// use.
type Memory struct {
	seed   maphash.Seed
	now    func() time.Time
	start  time.Time
	shift  uint
	shards []shard
}

// shard is a part of the ids with a lock of its own.
type shard struct {
	mu    sync.Mutex
	ids   map[uint64]struct{}
	queue []expiry // a heap: the first one expires first
	most  int

	_ [64]byte // Two shards in one cache line would slow each other down.
}

type expiry struct {
	at int64
	id uint64
}

// NewMemory returns a cache, or an error that names every mistake in cfg.
func NewMemory(cfg Config) (*Memory, error) {
	if cfg.Max == 0 {
		cfg.Max = 1 << 18
	}
	if cfg.Max < 1 || cfg.Max > 1<<30 {
		return nil, fmt.Errorf("replay config: Max is %d, want 1 to %d", cfg.Max, 1<<30)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	bits := uint(6)
	for bits > 0 && cfg.Max>>bits < 256 { // Few ids in a shard would be full too early.
		bits--
	}
	m := &Memory{seed: maphash.MakeSeed(), now: cfg.Now, start: cfg.Now(), shift: 64 - bits, shards: make([]shard, 1<<bits)}
	for i := range m.shards {
		m.shards[i].ids = make(map[uint64]struct{})
		m.shards[i].most = cfg.Max >> bits
	}
	return m, nil
}

// First reports whether id is given for the first time, and remembers it until
// then. Of any number of calls at once one gets true. An id whose time is over
// is never the first: what has expired must not be used.
//
// An error means that nobody knows, and that the caller must refuse.
func (m *Memory) First(_ context.Context, id string, until time.Time) (bool, error) {
	hash := maphash.String(m.seed, id)
	sh := &m.shards[hash>>m.shift]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	wall := m.now()
	left := int64(until.Sub(wall))
	if left <= 0 {
		return false, nil
	}
	// By the monotonic clock, which time.Now has: were ids kept by the wall's, and
	// that set forth and back, they would be forgotten and good again.
	now := int64(wall.Sub(m.start))
	for len(sh.queue) > 0 && sh.queue[0].at <= now {
		delete(sh.ids, sh.queue[0].id)
		sh.pop()
	}
	if _, seen := sh.ids[hash]; seen {
		return false, nil
	}
	if len(sh.queue) >= sh.most {
		return false, ErrFull
	}
	sh.ids[hash] = struct{}{}
	sh.push(expiry{now + left, hash})
	return true, nil
}

// Len returns how many ids are kept, those included that have just expired.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].queue)
		m.shards[i].mu.Unlock()
	}
	return n
}

func (sh *shard) push(e expiry) {
	sh.queue = append(sh.queue, e)
	q := sh.queue
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if q[up].at <= q[i].at {
			return
		}
		q[up], q[i] = q[i], q[up]
		i = up
	}
}

func (sh *shard) pop() {
	last := len(sh.queue) - 1
	sh.queue[0] = sh.queue[last]
	sh.queue = sh.queue[:last]
	q := sh.queue
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return
		}
		if down+1 < last && q[down+1].at < q[down].at {
			down++
		}
		if q[i].at <= q[down].at {
			return
		}
		q[i], q[down] = q[down], q[i]
		i = down
	}
}
