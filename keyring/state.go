package keyring

import (
	"slices"
	"strings"
	"time"
)

// State is where a key is in its life.
type State string

const (
	// Pending is published and verifies, and does not sign yet.
	Pending State = "pending"
	// Active signs.
	Active State = "active"
	// Retiring verifies what it has signed.
	Retiring State = "retiring"
	// Gone does nothing any more.
	Gone State = "gone"
	// Revoked does nothing, because somebody said so.
	Revoked State = "revoked"
)

// plausible is how far in the future the beginning of a key may lie to be
// believed. It is more than a clock is ever put back, and less than what a clock
// that is off by years would make of a ring.
const plausible = 24 * time.Hour

// usable reports whether k may sign at the time now, if it is its turn.
func (k *record) usable(now time.Time) bool {
	return k.Revoked.IsZero() && k.Destroyed.IsZero() && k.Algorithm.known() && now.Before(k.Expires)
}

// verifies reports whether what k signed is believed at the time now.
func (k *record) verifies(now time.Time) bool {
	return k.Revoked.IsZero() && k.Destroyed.IsZero() && k.Algorithm.known() && !k.ended(now)
}

// ended reports whether the time for which k is retained is over. Without an end
// it is retained forever.
func (k *record) ended(now time.Time) bool { return !k.Ends.IsZero() && !now.Before(k.Ends) }

// began reports whether somebody has signed with k.
func (k *record) began(now time.Time) bool {
	return !k.Began.IsZero() && k.Began.Before(now.Add(plausible))
}

// choose returns the key of a purpose that signs at the time now, or nil. It
// needs no agreement between processes beyond the records themselves.
//
// A process that was put back to an earlier time would find an expired key
// unexpired and its successor not active yet: what has begun to sign shuts out
// all that were activated before it.
func choose(keys []*record, now time.Time, skew, announce time.Duration) *record {
	var latest time.Time // activation of the newest key that has begun
	for _, k := range keys {
		if k.began(now) && k.Activates.After(latest) {
			latest = k.Activates
		}
	}
	var known, fresh *record // published long enough, and not
	for _, k := range keys {
		begun := k.began(now)
		if !k.usable(now) || k.Activates.Before(latest) || !begun && k.Activates.After(now.Add(skew)) {
			continue
		}
		if begun || !k.Created.After(now.Add(-announce)) {
			if known == nil || before(known.Activates, k.Activates, k.ID, known.ID) {
				known = k
			}
		} else if fresh == nil || before(k.Activates, fresh.Activates, k.ID, fresh.ID) {
			fresh = k
		}
	}
	if known != nil {
		return known
	}
	return fresh
}

// before orders by time, and by id if the times are equal.
func before(t, u time.Time, id, other string) bool {
	if c := t.Compare(u); c != 0 {
		return c < 0
	}
	return id < other
}

// state returns where k is, given the key of its purpose that signs.
func (k *record) state(now time.Time, signing *record) State {
	switch {
	case !k.Revoked.IsZero():
		return Revoked
	case !k.Destroyed.IsZero() || k.ended(now):
		return Gone
	case k == signing:
		return Active
	case k.Began.IsZero() && now.Before(k.Activates) && now.Before(k.Expires):
		return Pending
	}
	return Retiring
}

// KeyInfo describes a key for people. Times that do not apply are zero.
type KeyInfo struct {
	ID        string    `json:"id"`
	Purpose   string    `json:"purpose"`
	Algorithm Algorithm `json:"algorithm"`
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	// Activates is when it signs, Expires when it stops to, and Ends when it stops
	// to verify; without Ends, never.
	Activates time.Time `json:"activates"`
	Expires   time.Time `json:"expires"`
	Ends      time.Time `json:"ends,omitzero"`
	// Began is when it really signed for the first time.
	Began     time.Time `json:"began,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	Destroyed time.Time `json:"destroyed,omitzero"` // when its private part was erased
	// SealedWith names the key of the Sealer.
	SealedWith string `json:"sealedWith,omitzero"`
}

func (k *record) info(state State) KeyInfo {
	return KeyInfo{
		ID: k.ID, Purpose: k.Purpose, Algorithm: k.Algorithm, State: state, Created: k.Created, Activates: k.Activates, Expires: k.Expires,
		Ends: k.Ends, Began: k.Began, Revoked: k.Revoked, Destroyed: k.Destroyed, SealedWith: k.KEK,
	}
}

// sortInfos orders by purpose, and the newest first.
func sortInfos(all []KeyInfo) {
	slices.SortFunc(all, func(a, b KeyInfo) int {
		if c := strings.Compare(a.Purpose, b.Purpose); c != 0 {
			return c
		}
		if c := b.Activates.Compare(a.Activates); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}
