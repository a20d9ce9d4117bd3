package redis

import (
	"context"
	"time"
)

// Replay remembers what may be used once only. It is safe for concurrent use.
type Replay struct {
	store   *Store
	purpose string
}

// Replay returns a cache for one purpose, such as "csrf". The same id in another
// purpose is another one.
func (s *Store) Replay(purpose string) *Replay { return &Replay{s, purpose} }

// First reports whether id is given for the first time, in any process, and
// remembers it until then. An id whose time is over is never the first.
//
// An error means that nobody knows, and that the caller must refuse. The id may
// have been remembered all the same.
func (r *Replay) First(ctx context.Context, id string, until time.Time) (bool, error) {
	left := time.Until(until)
	if left <= 0 {
		return false, nil
	}
	name := r.store.name("seen", []byte(r.purpose+"\x00"+id))
	return call(ctx, r.store, func(ctx context.Context) (bool, error) {
		// A millisecond more than asked for: the server counts in them.
		return r.store.client.SetNX(ctx, name, 1, left.Truncate(time.Millisecond)+time.Millisecond).Result()
	})
}
