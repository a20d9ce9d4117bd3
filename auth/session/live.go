package session

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
)

// useInterval is how often the use of a browser's session is written down.
const useInterval = time.Minute

var errUnknown = errors.New("there is no such session")

// end is what decides whether a session goes on. Its zero value is that of a
// session that does not exist.
type end struct {
	user  string
	epoch int64
	until time.Time
	read  time.Time
}

func (s *Sessions) loadEnd(ctx context.Context, id string) (end, error) {
	read := s.now() // Before the query: what happens during it counts as unread.
	found, err := s.Get(ctx, id)
	if err != nil || found == nil {
		return end{}, err
	}
	return end{found.User, found.Epoch, found.Until, read}, nil
}

// Live reports whether a session goes on: it has neither ended nor expired, and
// its user is active and of the same epoch as when it began. It implements
// [auth.Sessions]; an error means that nobody knows.
func (s *Sessions) Live(ctx context.Context, id string) (bool, error) {
	standing, err := s.check(ctx, id)
	return standing != nil, err
}

// check returns the standing of the user of a live session, or nil.
func (s *Sessions) check(ctx context.Context, id string) (*auth.Standing, error) {
	e, err := s.ends.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	standing, err := s.judge(ctx, e)
	if standing != nil || err != nil || !s.outdated(e) {
		return standing, err
	}
	s.ends.Forget(id)
	if e, err = s.ends.Get(ctx, id); err != nil {
		return nil, err
	}
	return s.judge(ctx, e)
}

func (s *Sessions) judge(ctx context.Context, e end) (*auth.Standing, error) {
	if !s.now().Before(e.until) {
		return nil, nil
	}
	return s.standing(ctx, e.user, e.epoch)
}

// outdated reports whether a session that seems to be over may go on: it did when
// it was read, and since then another process may have seen its user, which moves
// the end, or changed their password, which moves the epoch of the session that
// stays. For the latter one look a second is enough: sessions that are void must
// not ask the database with each request.
func (s *Sessions) outdated(e end) bool {
	now := s.now()
	return e.read.Before(e.until) && (!now.Before(e.until) || now.Sub(e.read) >= time.Second)
}

// standing returns the standing of a user, or nil if what they got at an epoch no
// longer counts.
func (s *Sessions) standing(ctx context.Context, user string, epoch int64) (*auth.Standing, error) {
	standing, err := s.cfg.Accounts.Standing(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("session: standing of the user: %w", err)
	}
	if standing == nil || !standing.Active || epoch < standing.Epoch {
		return nil, nil
	}
	return standing, nil
}

// cookie is what is kept of a cookie that was seen a moment ago.
type cookie struct {
	session *Session
	noted   atomic.Bool // its use is written down, or somebody is about to
	owner   auth.Memo
}

func (s *Sessions) loadCookie(ctx context.Context, hash digest) (*cookie, error) {
	found, _, err := s.bySecret(ctx, hash)
	if err != nil {
		return nil, err
	}
	if found == nil || found.Kind != Browser {
		return nil, errUnknown
	}
	return &cookie{session: found}, nil
}

// byCookie returns the cookie of a value if its session is live, and the standing
// of its user. The error is errUnknown or an [ErrRefused] if it is not.
func (s *Sessions) byCookie(ctx context.Context, hash digest) (*cookie, *auth.Standing, error) {
	found, err := s.cookies.Get(ctx, hash)
	if err != nil {
		return nil, nil, err
	}
	standing, err := s.check(ctx, found.session.ID)
	if err != nil {
		return nil, nil, err
	}
	if standing == nil {
		return nil, nil, refused("the session has ended")
	}
	return found, standing, s.note(ctx, hash, found)
}

// note writes down that a session was used, which keeps it from becoming idle,
// at most once in a while.
func (s *Sessions) note(ctx context.Context, hash digest, c *cookie) error {
	now := s.now()
	if now.Sub(c.session.LastUsed) < useInterval || !c.noted.CompareAndSwap(false, true) {
		return nil
	}
	used := *c.session
	s.extend(&used, now)
	_, err := s.store.Exec(ctx, "UPDATE fastness_sessions SET last_used = ?, until = ? WHERE id = ? AND ended = 0 AND until > ? AND last_used < ?",
		sqlstore.Micros(used.LastUsed), sqlstore.Micros(used.Until), used.ID, sqlstore.Micros(now), sqlstore.Micros(now))
	s.cookies.Forget(hash)
	s.ends.Forget(used.ID)
	if err != nil {
		return fmt.Errorf("session: note the use: %w", err)
	}
	return nil
}
