package ratelimit

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// levels is how finely budgets are sorted by what is spent of them: in eighths,
// and one more for those that are used up.
const levels = 9

const (
	chunk = 32  // entries that are made at once
	gone  = 255 // the level of an entry that is not used
)

// entry is a budget with its place in a table. The numbers are of entries, from
// 1 on; 0 is none. It has the size of a cache line, and the chunks lie so that it
// is one: whoever charges it disturbs no other.
//
// The budget is written under mu; next, older and newer under the lock of the
// shard; the hash and the level under both, so that each of the two holds them.
type entry struct {
	mu     sync.Mutex
	hash   atomic.Uint64
	budget budget
	next   uint32 // of what is free
	older  uint32 // of the same level
	newer  uint32
	level  uint8
}

// is reports whether the entry is that of a hash. Its mu must be held.
func (e *entry) is(hash uint64) bool { return e.hash.Load() == hash && e.level != gone }

// index is where the entries are: a hash table with linear probing, whose words
// are the number of an entry and, above it, bits of its hash: who searches need
// not look at entries of other keys, which other cores write. It is replaced
// when it grows.
type index struct {
	words  []atomic.Uint32
	chunks []place
	bits   uint // of a number

	_ [2*line - 56]byte // Nothing that is written lies beside it.
}

// place is a chunk of entries.
type place struct {
	entries *[chunk]entry
	mids    *[chunk]between
}

func (x *index) at(id uint32) *entry { return &x.chunks[(id-1)/chunk].entries[(id-1)%chunk] }

// home is where the search for a hash begins.
func (x *index) home(hash uint64) int { return int(uint64(uint32(hash)) * uint64(len(x.words)) >> 32) }

func (x *index) after(i int) int {
	if i++; i < len(x.words) {
		return i
	}
	return 0
}

// word returns what stands for an entry.
func (x *index) word(hash uint64, id uint32) uint32 { return uint32(hash>>32)<<x.bits | id }

// add makes an entry known. There must be room.
func (x *index) add(hash uint64, id uint32) {
	i := x.home(hash)
	for x.words[i].Load() != 0 {
		i = x.after(i)
	}
	x.words[i].Store(x.word(hash, id))
}

// drop makes an entry unknown, and moves those behind it, whose search would end
// at the gap.
func (x *index) drop(hash uint64, id uint32) {
	gap := x.home(hash)
	for word := x.word(hash, id); x.words[gap].Load() != word; {
		gap = x.after(gap)
	}
	for i := x.after(gap); ; i = x.after(i) {
		word := x.words[i].Load()
		if word == 0 {
			break
		}
		home := x.home(x.at(word & (1<<x.bits - 1)).hash.Load())
		if (i-home+len(x.words))%len(x.words) >= (i-gap+len(x.words))%len(x.words) {
			x.words[gap].Store(word)
			gap = i
		}
	}
	x.words[gap].Store(0)
}

// lanes is in how many groups new entries are kept apart by the core they are made
// on. A core that writes an entry slows down others in the memory close to it.
const lanes = 2

// table is a hash table of budgets that grows to a bound and then evicts. It is
// made for many keys: its entries have no pointers for the garbage collector to
// follow, and do not move when it grows.
//
// It may be searched while it is changed. Who does may miss an entry, and has to
// look again under the lock of the shard; what is found may be evicted or
// another's already, and has to be asked under its mu.
type table struct {
	index  atomic.Pointer[index]
	most   uint32
	free   [lanes]uint32
	made   uint32 // entries, whether used or free
	used   uint32
	hand   uint32 // the entry that was looked at last for being whole again
	levels [levels]struct{ oldest, newest uint32 }
}

func (t *table) init(most uint32) {
	t.most = most
	t.index.Store(&index{
		words: make([]atomic.Uint32, 32), chunks: make([]place, 0, 8), bits: uint(bits.Len32(most + lanes*chunk)),
	})
}

func (t *table) len() int { return int(t.used) }

func (t *table) at(id uint32) *entry { return t.index.Load().at(id) }

// find looks for the entry of c.id.
func (t *table) find(c *charge) bool {
	x := t.index.Load()
	want := x.word(c.id, 0)
	for i := x.home(c.id); ; i = x.after(i) {
		word := x.words[i].Load()
		if word == 0 {
			return false
		}
		id := word & (1<<x.bits - 1)
		if word-id != want || int((id-1)/chunk) >= len(x.chunks) {
			continue
		}
		if e := x.at(id); e.hash.Load() == c.id {
			c.place, c.entry, c.mid = id, e, &x.chunks[(id-1)/chunk].mids[(id-1)%chunk]
			return true
		}
	}
}

// insert makes the entry of a charge that was granted.
func (t *table) insert(c *charge, lane uint32) {
	x := t.index.Load()
	if int(t.used)*5 >= len(x.words)*4 {
		x = t.grow()
	}
	for range lanes {
		if t.free[lane] != 0 || t.made-t.used < chunk {
			break
		}
		lane = (lane + 1) % lanes
	}
	if t.free[lane] == 0 {
		x = t.make(lane)
	}
	id := t.free[lane]
	e := x.at(id)
	t.free[lane] = e.next
	e.mu.Lock()
	e.hash.Store(c.id)
	e.budget = c.budget
	t.link(id, e, c.level)
	e.mu.Unlock()
	x.add(c.id, id)
	t.used++
}

// make makes a chunk of entries for a lane.
func (t *table) make(lane uint32) *index {
	x := *t.index.Load()
	made := place{new([chunk]entry), new([chunk]between)}
	x.chunks = append(x.chunks, made)
	for i := range made.entries {
		made.entries[i].level = gone
		made.entries[i].next = t.made + uint32(i) + 2
	}
	made.entries[chunk-1].next = t.free[lane]
	t.free[lane] = t.made + 1
	t.made += chunk
	t.index.Store(&x)
	return &x
}

// grow makes room for half as many words more.
func (t *table) grow() *index {
	old := t.index.Load()
	x := *old
	x.words = make([]atomic.Uint32, min(len(old.words)*3/2, int(t.most)*5/4))
	for id := uint32(1); id <= t.made; id++ {
		if e := x.at(id); e.level != gone {
			x.add(e.hash.Load(), id)
		}
	}
	t.index.Store(&x)
	return &x
}

// makeRoom takes out an entry that is whole again, or else the oldest one of
// those of which least is spent.
func (t *table) makeRoom(now int64, lane uint32) {
	for range 8 {
		t.hand = t.hand%t.made + 1
		e := t.at(t.hand)
		if e.level == gone || !e.mu.TryLock() { // Who is asked just now is not whole.
			continue
		}
		whole := e.budget.until <= now
		if whole {
			t.remove(t.hand, e, lane)
		}
		e.mu.Unlock()
		if whole {
			return
		}
	}
	for i := range t.levels {
		if id := t.levels[i].oldest; id != 0 {
			e := t.at(id)
			e.mu.Lock()
			t.remove(id, e, lane)
			e.mu.Unlock()
			return
		}
	}
}

// remove takes out an entry whose mu is held. A lane may have its place.
func (t *table) remove(id uint32, e *entry, lane uint32) {
	t.index.Load().drop(e.hash.Load(), id)
	t.unlink(e)
	e.hash.Store(0)
	e.level = gone
	e.next = t.free[lane]
	t.free[lane] = id
	t.used--
}

// rank notes how much is spent of an entry whose mu is held.
func (t *table) rank(id uint32, e *entry, level uint8) {
	if e.level != level {
		t.unlink(e)
		t.link(id, e, level)
	}
}

func (t *table) link(id uint32, e *entry, level uint8) {
	l := &t.levels[level]
	e.level, e.older, e.newer = level, l.newest, 0
	if l.newest != 0 {
		t.at(l.newest).newer = id
	} else {
		l.oldest = id
	}
	l.newest = id
}

func (t *table) unlink(e *entry) {
	l := &t.levels[e.level]
	if e.older != 0 {
		t.at(e.older).newer = e.newer
	} else {
		l.oldest = e.newer
	}
	if e.newer != 0 {
		t.at(e.newer).older = e.older
	} else {
		l.newest = e.older
	}
}
