package keyring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// view is the copy of the ring that a process uses. It does not change; a new one
// takes its place.
type view struct {
	doc     *document
	version string
	keys    map[string]entry     // by id
	records map[string][]*record // by purpose, without the tombstones

	failure    error         // why the store was asked in vain, if it was
	checked    time.Time     // when the store was last asked
	soft, hard time.Duration // the age at which it is asked again, and at which one waits for it
}

type entry struct {
	record *record
	key    *Key // nil if its private part is gone or its algorithm unknown
}

func (v *view) signing(p *Purpose, now time.Time, skew time.Duration) *Key {
	k := choose(v.records[p.Name], now, skew, p.Announce)
	if k == nil {
		return nil
	}
	return v.keys[k.ID].key
}

// maxAttempts is how often a change is tried again because somebody else was
// faster. Whoever is faster has made progress.
const maxAttempts = 20

// update loads the ring, does to it what do wants and what is due, and saves it
// if that changed anything. What was loaded is used even if it cannot be saved.
func (r *Ring) update(ctx context.Context, do func(*change) error) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for range maxAttempts {
		doc, version, err := r.load(ctx)
		if err != nil {
			return err
		}
		next, err := r.changed(ctx, doc, version, do)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil && version != "" {
			return errors.Join(err, r.install(ctx, doc, version))
		}
		if err != nil {
			return err
		}
		return r.install(ctx, next.doc, next.version)
	}
	return fmt.Errorf("%w, %d times in a row", ErrConflict, maxAttempts)
}

// load returns the stored ring.
func (r *Ring) load(ctx context.Context) (*document, string, error) {
	data, version, err := r.cfg.Store.Load(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("load the key ring: %w", err)
	}
	old := r.view.Load()
	if old != nil && old.version == version {
		return old.doc, version, nil
	}
	if version == "" && old == nil {
		return new(document), "", nil
	}
	if version == "" {
		return nil, "", fmt.Errorf("%w: it is missing", ErrRolledBack)
	}
	doc, err := decode(ctx, data, r.sealer)
	if err != nil {
		return nil, "", err
	}
	if old != nil && doc.Revision <= old.doc.Revision {
		return nil, "", fmt.Errorf("%w: revision %d after %d", ErrRolledBack, doc.Revision, old.doc.Revision)
	}
	return doc, version, nil
}

// stored is a ring and the version under which it is stored.
type stored struct {
	doc     *document
	version string
}

// changed returns the ring as it should be, and saves it if it was not.
func (r *Ring) changed(ctx context.Context, doc *document, version string, do func(*change) error) (stored, error) {
	c := &change{ring: r, now: r.now(), doc: doc.clone()}
	if do != nil {
		if err := do(c); err != nil {
			return stored{}, err
		}
	}
	if err := c.keepUp(ctx); err != nil {
		return stored{}, err
	}
	if !c.dirty {
		return stored{doc, version}, nil
	}
	c.doc.Revision++
	data, err := c.doc.encode(ctx, r.sealer)
	if err != nil {
		return stored{}, err
	}
	for _, e := range c.events {
		// Before it counts: what nobody recorded does not happen.
		if err := r.cfg.Events.Record(ctx, e); err != nil {
			return stored{}, fmt.Errorf("record %s: %w", e.Name, err)
		}
	}
	if version, err = r.cfg.Store.Save(ctx, data, version); err != nil {
		if errors.Is(err, ErrConflict) {
			return stored{}, err
		}
		return stored{}, fmt.Errorf("save the key ring: %w", err)
	}
	for _, e := range c.events {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "key ring", append([]slog.Attr{slog.String("event", e.Name), slog.String("key", e.Subject)}, e.Details...)...)
	}
	return stored{c.doc, version}, nil
}

// install makes a ring the one that this process uses.
func (r *Ring) install(ctx context.Context, doc *document, version string) error {
	old := r.view.Load()
	v := &view{doc: doc, version: version, checked: r.cfg.Now(), soft: jitter(r.cfg.Refresh), hard: r.cfg.Refresh}
	if old != nil && old.version == version {
		v.keys, v.records = old.keys, old.records
		r.view.Store(v)
		return nil
	}
	v.keys, v.records = make(map[string]entry, len(doc.Keys)), make(map[string][]*record)
	for i := range doc.Keys {
		k := &doc.Keys[i]
		if k.Destroyed.IsZero() || !k.Revoked.IsZero() {
			v.records[k.Purpose] = append(v.records[k.Purpose], k)
		}
		key, err := r.opened(ctx, old, k)
		if err != nil {
			return err
		}
		v.keys[k.ID] = entry{k, key}
	}
	r.view.Store(v)
	return nil
}

// opened returns the key of a record, or nil if it is none that this process can
// use. A key that is open already is not opened again: its count goes on.
func (r *Ring) opened(ctx context.Context, old *view, k *record) (*Key, error) {
	if len(k.Material) == 0 || r.purposes[k.Purpose] == nil || !k.Algorithm.known() {
		return nil, nil
	}
	if old != nil {
		if e, ok := old.keys[k.ID]; ok && e.key != nil {
			return e.key, nil
		}
	}
	material, err := k.open(ctx, r.sealer)
	if err != nil {
		return nil, err
	}
	return newKey(k, material)
}
