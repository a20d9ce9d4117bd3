package keyring

import (
	"context"
	"fmt"
	"time"
)

// Rotate makes the successor of the key that signs now: it is announced, and
// signs when it has been known for long enough. If a successor was announced
// already, it signs as early as that allows. The answer says when.
func (r *Ring) Rotate(ctx context.Context, purpose string) (KeyInfo, error) {
	p := r.purposes[purpose]
	if p == nil {
		return KeyInfo{}, ErrPurpose
	}
	var id string
	err := r.do(ctx, func(ctx context.Context, c *change) error {
		k, err := c.advance(ctx, p)
		if err == nil {
			id = k.ID
		}
		return err
	})
	if err != nil {
		return KeyInfo{}, fmt.Errorf("rotate %s: %w", purpose, err)
	}
	v := r.view.Load()
	k := v.keys[id].record
	return k.info(r.stateIn(v, k, r.now())), nil
}

// advance brings the activation of the successor forward, or makes it.
func (c *change) advance(ctx context.Context, p *Purpose) (*record, error) {
	keys := c.doc.pointers(p.Name)
	signing := choose(keys, c.now, c.ring.cfg.Skew, p.Announce)
	var next *record
	for _, k := range keys {
		if signing != nil && k.usable(c.now) && k.Activates.After(signing.Activates) && (next == nil || k.Activates.Before(next.Activates)) {
			next = k
		}
	}
	if next == nil {
		return c.add(ctx, p, c.now.Add(c.ring.cfg.announced(*p)))
	}
	activates := next.Created.Add(c.ring.cfg.announced(*p))
	if activates.Before(c.now) {
		activates = c.now
	}
	if activates.Before(next.Activates) && activates.After(signing.Activates) {
		next.Activates = activates
		next.Expires = activates.Add(p.Lifetime)
		next.Ends = p.end(next.Expires)
		c.curtail(p, next)
		c.note("key_advanced", next)
	}
	return next, nil
}

// Revoke ends a key at once: it neither signs nor verifies any more. If it was the
// one that signs, another takes its place. The other processes follow within
// [Config.Refresh]. To revoke a key again is not an error. The private part of a
// key that signs is erased; see [Ring.OpenRevoked] for one that encrypts.
func (r *Ring) Revoke(ctx context.Context, id string) error {
	err := r.do(ctx, func(_ context.Context, c *change) error {
		for i := range c.doc.Keys {
			if k := &c.doc.Keys[i]; k.ID == id {
				c.revokeAll([]*record{k})
				return nil
			}
		}
		return ErrUnknownKey
	})
	if err != nil {
		return fmt.Errorf("revoke a key: %w", err)
	}
	return nil
}

// RevokeBefore revokes all keys of a purpose that were made before t, or all if t
// is zero, and makes a new one that signs at once. It is for the day on which a
// machine was broken into. Because the keys were made by clocks that differ, what
// was made up to twice the Skew after t is revoked, too.
func (r *Ring) RevokeBefore(ctx context.Context, purpose string, t time.Time) error {
	if r.purposes[purpose] == nil {
		return ErrPurpose
	}
	err := r.do(ctx, func(_ context.Context, c *change) error {
		var old []*record
		for _, k := range c.doc.pointers(purpose) {
			if t.IsZero() || k.Created.Before(t.Add(2*r.cfg.Skew)) {
				old = append(old, k)
			}
		}
		c.revokeAll(old)
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke the keys of %s: %w", purpose, err)
	}
	return nil
}

// revokeAll revokes what is not revoked or gone yet.
func (c *change) revokeAll(keys []*record) {
	revoked := false
	for _, k := range keys {
		if k.Revoked.IsZero() && k.Destroyed.IsZero() {
			c.revoke(k)
			revoked = true
		}
	}
	if revoked {
		c.doc.Generation++
	}
}

// do changes the ring on behalf of somebody who waits for it.
func (r *Ring) do(ctx context.Context, f func(context.Context, *change) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*timeout)
	defer cancel()
	return r.update(ctx, func(c *change) error { return f(ctx, c) })
}
