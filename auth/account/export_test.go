package account

import (
	"context"
	"time"

	"github.com/fastness/fastness/auth"
)

// Fold, Place, HOTP and URI are functions that the tests look at from outside.
var (
	Fold  = fold
	Place = place
	HOTP  = hotp
	URI   = totpURI
	Match = totpMatch
)

// Throttle is a throttle on its own.
type Throttle struct{ *throttle }

// NewThrottle returns one whose tables have at most limit entries.
func NewThrottle(limit int) Throttle {
	t := newThrottle()
	t.pairs.limit, t.names.limit, t.places.limit, t.codes.limit = limit, limit, limit, limit
	return Throttle{t}
}

// Guess is a guess that is wrong. It returns how long it has to wait.
func (t Throttle) Guess(now time.Time, name, place string, known bool) time.Duration {
	_, v := t.take(now, name, place, known)
	return v.wait
}

// Right is a guess that is right, and reports whether it was let happen.
func (t Throttle) Right(now time.Time, name, place string, known bool) bool {
	g, v := t.take(now, name, place, known)
	if v.wait == 0 {
		g.right(now)
	}
	return v.wait == 0
}

// News reports whether a refusal is the first.
func (t Throttle) News(now time.Time, name, place string) bool {
	_, v := t.take(now, name, place, false)
	return v.news
}

// Sizes returns how many entries there are.
func (t Throttle) Sizes() (pairs, names, places int) {
	return len(t.pairs.entries), len(t.names.entries), len(t.places.entries)
}

// Standings is a cache of standings on its own.
type Standings struct{ s *standings }

// State is one state of an account. Its number rises.
type State struct {
	Number int64
	Is     *auth.Standing
	Until  time.Time
}

func (s State) version() *version { return &version{s.Number, s.Is, s.Until} }

// NewStandings returns a cache of at most limit entries over load.
func NewStandings(limit int, now func() time.Time, load func(ctx context.Context, id string) (*State, error)) Standings {
	s := newStandings(now, func(ctx context.Context, id string) (*version, error) {
		v, err := load(ctx, id)
		if v == nil || err != nil {
			return nil, err
		}
		return v.version(), nil
	})
	s.limit = limit
	return Standings{s}
}

// Of returns a standing.
func (s Standings) Of(ctx context.Context, id string) (*auth.Standing, error) { return s.s.of(ctx, id) }

// Changed says what a change has made of an account.
func (s Standings) Changed(id string, state State) { s.s.changed(id, state.version()) }

// Uncertain says that a change may have happened.
func (s Standings) Uncertain(id string) { s.s.uncertain(id) }

// Len returns how many entries there are.
func (s Standings) Len() int { return len(s.s.entries) }
