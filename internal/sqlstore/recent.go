package sqlstore

import (
	"context"
	"sync"
	"time"
)

// Recent keeps for a moment what a store has loaded, so that not every request
// costs a query. What this process changes counts at once: whoever changes a row
// calls [Recent.Forget] after the commit. Other processes see it when the moment
// is over. It is safe for concurrent use.
type Recent[K comparable, V any] struct {
	load func(context.Context, K) (V, error)
	now  func() time.Time
	keep time.Duration
	half int

	mu          sync.Mutex
	young, aged map[K]loaded[V]
	changes     uint64
}

type loaded[V any] struct {
	value V
	at    time.Time
}

// NewRecent returns a cache of at most size values, each kept for the given time.
// What load returns with an error is never kept: neither that the database is
// down, nor that there is no such row, which anybody could fill a cache with.
func NewRecent[K comparable, V any](size int, keep time.Duration, now func() time.Time, load func(context.Context, K) (V, error)) *Recent[K, V] {
	return &Recent[K, V]{load: load, now: now, keep: keep, half: (size + 1) / 2, young: make(map[K]loaded[V])}
}

// Get returns the value of a key, from memory or loaded.
func (r *Recent[K, V]) Get(ctx context.Context, key K) (V, error) {
	now := r.now()
	r.mu.Lock()
	found, ok := r.young[key]
	if !ok {
		found, ok = r.aged[key]
	}
	before := r.changes
	r.mu.Unlock()
	if age := now.Sub(found.at); ok && age >= 0 && age < r.keep {
		return found.value, nil
	}
	value, err := r.load(ctx, key)
	if err == nil {
		r.put(key, loaded[V]{value, now}, before)
	}
	return value, err
}

// put keeps a value unless something was forgotten since its load began: it may
// have been read before the change that made somebody forget.
func (r *Recent[K, V]) put(key K, l loaded[V], before uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != before {
		return
	}
	if len(r.young) >= r.half { // Two halves: no list of what is oldest to keep in order.
		r.aged, r.young = r.young, make(map[K]loaded[V])
	}
	r.young[key] = l
}

// Forget makes the next [Recent.Get] of these keys load, also if a load is under
// way.
func (r *Recent[K, V]) Forget(keys ...K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	for _, key := range keys {
		delete(r.young, key)
		delete(r.aged, key)
	}
}
