package auth

import "sync/atomic"

// Memo is the user whom a credential stood for a moment ago. A standing stays the
// same for many requests, so that a scheme makes the user of a credential once for
// each standing and not for each request. Its zero value holds nobody. It is safe
// for concurrent use.
type Memo struct{ last atomic.Pointer[remembered] }

type remembered struct {
	standing *Standing
	user     *User
}

// User returns the user as of a standing and a scheme of this name: the last one,
// or a new one of newUser. The caller must not change it.
func (m *Memo) User(standing *Standing, scheme string, newUser func(*Standing, string) *User) *User {
	if last := m.last.Load(); last != nil && last.standing == standing && last.user.Scheme == scheme {
		return last.user
	}
	u := newUser(standing, scheme)
	m.last.Store(&remembered{standing, u})
	return u
}
