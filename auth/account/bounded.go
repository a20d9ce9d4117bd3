package account

import "time"

// maxEntries bounds each table in memory: a few megabytes.
const maxEntries = 1 << 16

// bounded is a map that does not grow beyond a limit. Its user has the lock.
type bounded[T interface{ over() int64 }] struct {
	limit   int
	entries map[uint64]*T
}

func newBounded[T interface{ over() int64 }]() *bounded[T] {
	return &bounded[T]{limit: maxEntries, entries: make(map[uint64]*T)}
}

// at returns the entry of a key: a new one if there is none or if it is over.
func (b *bounded[T]) at(key uint64, now time.Time) *T {
	e := b.entries[key]
	switch {
	case e == nil:
		if len(b.entries) >= b.limit {
			b.makeRoom(now)
		}
		e = new(T)
		b.entries[key] = e
	case (*e).over() <= now.UnixNano():
		*e = *new(T)
	}
	return e
}

// makeRoom drops what is over among a few entries, and if nothing is, the one of
// them that is over first. The order of a map is random enough for a sample.
func (b *bounded[T]) makeRoom(now time.Time) {
	const sample = 16
	var first uint64
	var least int64
	seen, dropped := 0, 0
	for key, e := range b.entries {
		switch over := (*e).over(); {
		case over <= now.UnixNano():
			delete(b.entries, key)
			dropped++
		case seen == 0 || over < least:
			first, least = key, over
		}
		if seen++; seen == sample {
			break
		}
	}
	if dropped == 0 {
		delete(b.entries, first)
	}
}
