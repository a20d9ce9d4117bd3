package keyring

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/fastness/fastness/auditlog"
)

// maxTombstones is how many keys of a purpose are remembered after they are gone.
const maxTombstones = 100

// change is one attempt to bring the ring to where it should be: a copy of the
// document, and what was done to it.
type change struct {
	ring   *Ring
	now    time.Time
	doc    *document
	events []auditlog.Event
	dirty  bool
}

// pointers returns the records of a purpose.
func (d *document) pointers(purpose string) (keys []*record) {
	for i := range d.Keys {
		if d.Keys[i].Purpose == purpose {
			keys = append(keys, &d.Keys[i])
		}
	}
	return keys
}

// note remembers that something was done to a key.
func (c *change) note(name string, k *record) {
	c.dirty = true
	c.events = append(c.events, auditlog.Event{Name: name, Subject: k.ID, Details: []slog.Attr{
		slog.String("purpose", k.Purpose), slog.Time("activates", k.Activates), slog.Time("expires", k.Expires),
	}})
}

// keepUp does what is due at this moment. What one process has done, the next
// finds done.
func (c *change) keepUp(ctx context.Context) error {
	for i := range c.ring.cfg.Purposes {
		p := &c.ring.cfg.Purposes[i]
		if err := c.rotateWhenDue(ctx, p); err != nil {
			return fmt.Errorf("purpose %s: %w", p.Name, err)
		}
		c.retain(p)
		c.bury(p)
	}
	return c.reseal(ctx)
}

// rotateWhenDue makes the key that is missing: one that signs now, or the
// successor of one that soon will not.
func (c *change) rotateWhenDue(ctx context.Context, p *Purpose) error {
	keys := c.doc.pointers(p.Name)
	signing := choose(keys, c.now, c.ring.cfg.Skew, p.Announce)
	if signing == nil {
		return c.replace(ctx, p)
	}
	if !signing.began(c.now) {
		signing.Began = c.now
		c.note("key_activated", signing)
	}
	if signing.Expires.After(c.now.Add(c.ring.cfg.lead(*p))) || c.successor(keys, signing) != nil {
		return nil
	}
	_, err := c.add(ctx, p, signing.Expires)
	return err
}

// successor returns the key that will sign when signing has expired, or nil.
func (c *change) successor(keys []*record, signing *record) *record {
	for _, k := range keys {
		if k != signing && k.usable(c.now) && k.Activates.After(signing.Activates) &&
			!k.Activates.After(signing.Expires) && k.Expires.After(signing.Expires) {
			return k
		}
	}
	return nil
}

// replace makes a key that signs at once and shuts out those before it, even if
// they were made by a clock that is ahead of this one.
func (c *change) replace(ctx context.Context, p *Purpose) error {
	activates := c.now
	for _, k := range c.doc.pointers(p.Name) {
		if k.began(c.now) && !k.Activates.Before(activates) {
			activates = k.Activates.Add(time.Microsecond)
		}
	}
	k, err := c.add(ctx, p, activates)
	if err != nil {
		return err
	}
	k.Began = c.now
	c.note("key_activated", k)
	return nil
}

// add makes a key that is to sign from a moment on. The keys before it sign until
// then.
func (c *change) add(ctx context.Context, p *Purpose, activates time.Time) (*record, error) {
	k := record{
		ID: rand.Text(), Purpose: p.Name, Algorithm: p.Algorithm,
		Created: c.now, Activates: activates, Expires: activates.Add(p.Lifetime),
	}
	k.Ends = p.end(k.Expires)
	material, err := generate(k.Algorithm, k.ID)
	if err != nil {
		return nil, err
	}
	if err := k.seal(ctx, c.ring.sealer, material); err != nil {
		return nil, err
	}
	c.curtail(p, &k)
	c.doc.Keys = append(c.doc.Keys, k)
	added := &c.doc.Keys[len(c.doc.Keys)-1]
	c.note("key_generated", added)
	return added, nil
}

// curtail lets the keys before next sign no longer than until its activation. If
// that comes without notice, a process whose clock is ahead has signed with them
// until later, by that clock.
func (c *change) curtail(p *Purpose, next *record) {
	for _, k := range c.doc.pointers(p.Name) {
		if k.ID == next.ID || !k.Activates.Before(next.Activates) || !k.Expires.After(next.Activates) || !k.usable(c.now) {
			continue
		}
		k.Expires = next.Activates
		signed := k.Expires
		if !signed.After(c.now) {
			signed = c.now.Add(2 * c.ring.cfg.Skew)
		}
		if end := p.end(signed); k.Ends.IsZero() || end.Before(k.Ends) {
			k.Ends = end
		}
		c.dirty = true
	}
}

func (p *Purpose) end(expires time.Time) time.Time {
	if p.Retain == Forever {
		return time.Time{}
	}
	return expires.Add(p.Retain)
}

// retain prolongs the retention of keys if it was configured to be longer. It
// does not shorten it: another process may still sign with the longer one in mind.
func (c *change) retain(p *Purpose) {
	for _, k := range c.doc.pointers(p.Name) {
		if !k.verifies(c.now) || k.Ends.IsZero() {
			continue
		}
		if end := p.end(k.Expires); end.IsZero() || end.After(k.Ends) {
			k.Ends = end
			c.dirty = true
		}
	}
}

// reprieve is how long a key is condemned before it is erased.
const reprieve = 15 * time.Minute

// bury erases the private part of keys whose time is over by every clock, and
// forgets the oldest of them.
//
// What is erased cannot be brought back, and a clock that is years ahead finds
// that every key has ended. So a key is condemned first, and whoever sees by their
// clock that it was too early lets it live.
func (c *change) bury(p *Purpose) {
	var tombs []*record
	for _, k := range c.doc.pointers(p.Name) {
		switch over := k.ended(c.now.Add(-2 * c.ring.cfg.Skew)); {
		case !k.Destroyed.IsZero():
			if k.ended(c.now) {
				tombs = append(tombs, k)
			}
		case over && (k.Condemned.IsZero() || k.Condemned.After(c.now.Add(plausible))):
			k.Condemned, c.dirty = c.now, true
		case over && c.now.Sub(k.Condemned) >= reprieve:
			k.erase(c.now)
			c.note("key_destroyed", k)
		case !k.ended(c.now) && !k.Condemned.IsZero():
			k.Condemned, c.dirty = time.Time{}, true
		}
	}
	if len(tombs) <= maxTombstones {
		return
	}
	slices.SortFunc(tombs, func(a, b *record) int { return b.Expires.Compare(a.Expires) })
	forget := make(map[string]bool)
	for _, k := range tombs[maxTombstones:] {
		forget[k.ID] = true
	}
	c.doc.Keys = slices.DeleteFunc(c.doc.Keys, func(k record) bool { return forget[k.ID] })
	c.dirty = true
}

// reseal encrypts again what is under an older key of the sealer.
func (c *change) reseal(ctx context.Context) error {
	for i := range c.doc.Keys {
		k := &c.doc.Keys[i]
		if len(k.Material) == 0 || k.KEK == c.ring.sealer.KeyID() || !k.Algorithm.known() {
			continue
		}
		material, err := k.open(ctx, c.ring.sealer)
		if err != nil {
			return err
		}
		if err := k.seal(ctx, c.ring.sealer, material); err != nil {
			return err
		}
		c.dirty = true
	}
	return nil
}

// revoke ends a key now. The private part of one that signs is of no use any
// more; one that encrypts stays for [Ring.OpenRevoked].
func (c *change) revoke(k *record) {
	k.Revoked = c.now
	if k.Algorithm != A256GCM && k.Destroyed.IsZero() {
		k.erase(c.now)
	}
	c.note("key_revoked", k)
}

func (k *record) erase(now time.Time) {
	k.Destroyed, k.Material, k.KEK = now, nil, ""
}

func (k *record) seal(ctx context.Context, s Sealer, material []byte) (err error) {
	if k.Material, err = s.Seal(ctx, material, k.boundTo()); err != nil {
		return fmt.Errorf("seal key %s: %w", k.ID, err)
	}
	k.KEK = s.KeyID()
	return nil
}

func (k *record) open(ctx context.Context, s Sealer) ([]byte, error) {
	material, err := s.Open(ctx, k.Material, k.boundTo())
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return material, nil
}

// boundTo is what the private part is for. Moved to another record, it does not
// open.
func (k *record) boundTo() []byte {
	return appendChain([]byte("fastness key ring v1 key"), k.Purpose, []string{k.ID, string(k.Algorithm)})
}
