package ratelimit

// levels is how finely budgets are sorted by what is spent of them: in eighths,
// and one more for those that are used up.
const levels = 9

const (
	chunk = 64  // entries that are made at once
	gone  = 255 // the level of an entry that is not used
)

// entry is a budget with its place in a table. The numbers are of entries, from
// 1 on; 0 is none.
type entry struct {
	hash   uint64
	budget budget
	next   uint32 // in the chain of the bucket, or of what is free
	older  uint32 // of the same level
	newer  uint32
	level  uint8
}

// table is a hash table of budgets that grows to a bound and then evicts. It is
// made for many keys: its entries have no pointers for the garbage collector to
// follow, and do not move when it grows.
type table struct {
	chunks  [][]entry
	buckets []uint32
	free    uint32
	made    uint32 // entries, whether used or free
	used    uint32
	hand    uint32 // the entry that was looked at last for being whole again
	levels  [levels]struct{ oldest, newest uint32 }
}

func (t *table) len() int { return int(t.used) }

func (t *table) at(id uint32) *entry { return &t.chunks[(id-1)/chunk][(id-1)%chunk] }

func (t *table) bucket(hash uint64) *uint32 { return &t.buckets[hash&uint64(len(t.buckets)-1)] }

// find returns the entry of a hash, or 0.
func (t *table) find(hash uint64) uint32 {
	for id := *t.bucket(hash); id != 0; {
		e := t.at(id)
		if e.hash == hash {
			return id
		}
		id = e.next
	}
	return 0
}

// entry returns the entry of a hash, which find has found or not. Making another
// one may have evicted it since.
func (sh *shard) entry(now int64, found uint32, hash uint64) uint32 {
	t := &sh.table
	if found != 0 {
		if e := t.at(found); e.hash == hash && e.level != gone {
			return found
		}
	}
	if t.used >= sh.most {
		t.makeRoom(now)
	}
	return t.insert(hash)
}

func (t *table) insert(hash uint64) uint32 {
	if int(t.used) >= len(t.buckets) {
		t.grow()
	}
	id := t.free
	if id == 0 {
		if t.made%chunk == 0 {
			t.chunks = append(t.chunks, make([]entry, chunk))
		}
		t.made++
		id = t.made
	}
	e := t.at(id)
	if t.free == id {
		t.free = e.next
	}
	first := t.bucket(hash)
	*e = entry{hash: hash, next: *first}
	*first = id
	t.used++
	t.link(id, e, 0)
	return id
}

// grow doubles the buckets.
func (t *table) grow() {
	t.buckets = make([]uint32, 2*len(t.buckets))
	for id := uint32(1); id <= t.made; id++ {
		if e := t.at(id); e.level != gone {
			first := t.bucket(e.hash)
			e.next, *first = *first, id
		}
	}
}

// makeRoom takes out an entry that is whole again, or else the oldest one of
// those of which least is spent.
func (t *table) makeRoom(now int64) {
	for range 8 {
		t.hand = t.hand%t.made + 1
		if e := t.at(t.hand); e.level != gone && e.budget.until <= now {
			t.remove(t.hand)
			return
		}
	}
	for i := range t.levels {
		if id := t.levels[i].oldest; id != 0 {
			t.remove(id)
			return
		}
	}
}

func (t *table) remove(id uint32) {
	e := t.at(id)
	place := t.bucket(e.hash)
	for *place != id {
		place = &t.at(*place).next
	}
	*place = e.next
	t.unlink(e)
	*e = entry{next: t.free, level: gone}
	t.free = id
	t.used--
}

// rank notes how much is spent of an entry.
func (t *table) rank(id uint32, level uint8) {
	if e := t.at(id); e.level != level {
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
