package account

import (
	"context"
	"sync"
	"time"

	"github.com/fastness/fastness/auth"
)

// standingAge is how old a standing may be. With the time that reading one takes,
// it stays below the 5 seconds that auth.Accounts promises.
const standingAge = 4 * time.Second

var _ auth.Accounts = (*Accounts)(nil)

// Standing returns what holds of a user now, or nil if there is no account of
// this id. It is up to 4 seconds old, but no older than a change that was made
// through a. While nothing changes, the same pointer comes back. If the database
// does not answer, that is an error: nothing older is used in its place.
func (a *Accounts) Standing(ctx context.Context, userID string) (*auth.Standing, error) {
	return a.standings.of(ctx, userID)
}

// load reads a standing from the database.
func (a *Accounts) load(ctx context.Context, id string) (*version, error) {
	r, err := a.row(ctx, id)
	if r == nil || err != nil {
		return nil, err
	}
	return r.standing(a.now()), nil
}

// standing is what of a record is cached.
func (r *record) standing(now time.Time) *version {
	v := &version{number: r.version}
	if r.deleted {
		return v
	}
	v.is = &auth.Standing{Active: r.active(now), Name: r.Name, Roles: r.Roles, Tenant: r.Tenant, Epoch: r.Epoch}
	if now.Before(r.LockedUntil) {
		v.until = r.LockedUntil
	}
	return v
}

// version is one state of an account.
type version struct {
	number int64
	is     *auth.Standing // nil for a deleted account
	until  time.Time      // when it changes by itself: the end of a lock
}

// cached is a version and when it was asked for.
type cached struct {
	version
	asked time.Time
}

// standings caches standings. The difficulty is a reader that asks the database,
// is overtaken by a change, and then comes with what was before it: a version
// with a lower number never replaces one with a higher, and where there is
// nothing to compare it with, nothing is kept that was asked for before the
// latest change of any account.
type standings struct {
	now   func() time.Time
	load  func(ctx context.Context, id string) (*version, error)
	limit int

	mu      sync.RWMutex
	entries map[string]cached
	changes uint64 // how many there were
}

func newStandings(now func() time.Time, load func(context.Context, string) (*version, error)) *standings {
	return &standings{now: now, load: load, limit: maxEntries, entries: make(map[string]cached)}
}

func (s *standings) of(ctx context.Context, id string) (*auth.Standing, error) {
	now := s.now()
	s.mu.RLock()
	e, ok := s.entries[id]
	changes := s.changes
	s.mu.RUnlock()
	if ok && e.fresh(now) {
		return e.is, nil
	}
	v, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if v == nil { // Not kept: there is no end of ids that nobody has.
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(id, cached{*v, now}, s.changes == changes), nil
}

// fresh reports whether what was cached holds at now. A clock that was set back
// makes it old.
func (e *cached) fresh(now time.Time) bool {
	age := now.Sub(e.asked)
	return 0 <= age && age < standingAge && (e.until.IsZero() || now.Before(e.until))
}

// changed says what a change has made of an account.
func (s *standings) changed(id string, v *version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.keep(id, cached{*v, s.now()}, true)
}

// uncertain says that nobody knows what a change has made of an account: its
// commit failed, or so it seems.
func (s *standings) uncertain(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.entries, id)
}

// keep caches a version unless a newer one is there, and returns the newer of
// both. Where nothing is there, certain says whether it may be kept.
func (s *standings) keep(id string, e cached, certain bool) *auth.Standing {
	old, ok := s.entries[id]
	switch {
	case ok && old.number > e.number:
		return old.is
	case !ok && !certain:
		return e.is
	case !ok && len(s.entries) >= s.limit:
		s.makeRoom(e.asked)
	case ok && same(old.is, e.is):
		e.is = old.is
	}
	s.entries[id] = e
	return e.is
}

// makeRoom drops what is old among a few entries, or else one of them.
func (s *standings) makeRoom(now time.Time) {
	seen, dropped := 0, 0
	for id, e := range s.entries {
		last := seen == 7
		if !e.fresh(now) || last && dropped == 0 {
			delete(s.entries, id)
			dropped++
		}
		if seen++; last {
			return
		}
	}
	if dropped == 0 {
		clear(s.entries) // Fewer than a sample: only a tiny limit comes here.
	}
}

func same(a, b *auth.Standing) bool {
	return a != nil && b != nil && a.Active == b.Active && a.Name == b.Name && a.Roles.Equal(b.Roles) &&
		a.Tenant == b.Tenant && a.Epoch == b.Epoch
}
