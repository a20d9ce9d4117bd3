package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrUnknownKey says that there is no key of that id which may verify for the
	// purpose: it never existed, is of another purpose, is gone or was revoked.
	ErrUnknownKey = errors.New("no such key")
	// ErrNoSigningKey says that every key of a purpose has expired and that no new
	// one could be made, because the store does not answer.
	ErrNoSigningKey = errors.New("no key may sign")
	// ErrPurpose says that the ring was opened without such a purpose. It is a
	// mistake of the program.
	ErrPurpose = errors.New("the key ring was not opened for this purpose")
)

const (
	// timeout bounds every use of the store. Requests wait for it only if the copy
	// in memory is too old.
	timeout = 5 * time.Second
	// unknownPause is how long nobody can make the ring look for an id that it does
	// not know again. Ids come from whoever sends a token.
	unknownPause = 10 * time.Second
	// retryPause is how soon after a failure the store is asked again by those who
	// cannot do without.
	retryPause = time.Second
	// alarmPause is how often the same failure is logged.
	alarmPause = time.Minute
)

// Ring hands out keys. It is safe for concurrent use and needs no closing.
type Ring struct {
	cfg      Config
	sealer   Sealer
	purposes map[string]*Purpose

	view atomic.Pointer[view]
	high atomic.Int64  // the latest time seen, in nanoseconds since 1970
	turn chan struct{} // has room for one: who works on the store

	mu          sync.Mutex
	loading     *flight
	lastUnknown time.Time // when an unknown id last led to the store
	lastAlarm   time.Time
}

// flight is one refresh that several callers wait for.
type flight struct {
	done chan struct{}
	err  error // to be read after done
}

// Open loads the ring and makes the keys that are missing. An error names all
// mistakes in cfg at once; a ring that is damaged, or that the Sealer cannot open,
// is an error, too.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("key ring config: %w", err)
	}
	r := &Ring{cfg: cfg, sealer: cfg.Sealer, purposes: make(map[string]*Purpose), turn: make(chan struct{}, 1)}
	if r.sealer == nil {
		r.sealer = plainSealer{}
	}
	for i := range r.cfg.Purposes {
		r.purposes[r.cfg.Purposes[i].Name] = &r.cfg.Purposes[i]
	}
	ctx, cancel := context.WithTimeout(ctx, 2*timeout)
	defer cancel()
	if err := r.update(ctx, nil); err != nil {
		return nil, fmt.Errorf("open the key ring: %w", err)
	}
	return r, nil
}

// Signing returns the key to sign with now.
func (r *Ring) Signing(ctx context.Context, purpose string) (*Key, error) {
	p := r.purposes[purpose]
	if p == nil {
		return nil, ErrPurpose
	}
	if k := r.fresh(ctx).signing(p, r.now(), r.cfg.Skew); k != nil {
		return k, nil
	}
	// The last key has expired. Only now is the caller made to wait for a new one.
	if v := r.view.Load(); v.failure != nil && r.age(v.checked) < retryPause {
		return nil, fmt.Errorf("%w for %s: %w", ErrNoSigningKey, purpose, v.failure)
	}
	err := r.refresh(ctx)
	if k := r.view.Load().signing(p, r.now(), r.cfg.Skew); k != nil {
		return k, nil
	}
	if err == nil {
		err = ErrUnknownKey
	}
	return nil, fmt.Errorf("%w for %s: %w", ErrNoSigningKey, purpose, err)
}

// Verifying returns the key of that id to verify with, if it is one of the
// purpose; or [ErrUnknownKey], whatever the reason. An id that is new to this
// process makes it look into the store, at most once in 10 seconds.
func (r *Ring) Verifying(ctx context.Context, purpose, id string) (*Key, error) {
	if r.purposes[purpose] == nil {
		return nil, ErrPurpose
	}
	e, ok := r.fresh(ctx).keys[id]
	if !ok && isID(id) {
		e, ok = r.seek(ctx, id)
	}
	if !ok || e.key == nil || e.record.Purpose != purpose || !e.record.verifies(r.now()) {
		return nil, ErrUnknownKey
	}
	return e.key, nil
}

// seek looks into the store for an id. A load that is under way may have begun
// before the key was made, so after it there is another, if there may be.
func (r *Ring) seek(ctx context.Context, id string) (e entry, ok bool) {
	for range 2 {
		f, mayLoad := r.maySeek()
		if f == nil && !mayLoad {
			break
		}
		if f == nil {
			f = r.start(ctx)
		}
		_ = f.wait(ctx) // A failure is logged; the id stays unknown.
		if e, ok = r.view.Load().keys[id]; ok || mayLoad {
			break
		}
	}
	return e, ok
}

// maySeek returns the load that is under way, if there is one, and otherwise
// whether an unknown id may lead to a load.
func (r *Ring) maySeek() (*flight, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loading != nil {
		return r.loading, false
	}
	if !r.lastUnknown.IsZero() && r.age(r.lastUnknown) < unknownPause {
		return nil, false
	}
	r.lastUnknown = r.cfg.Now()
	return nil, true
}

// Generation returns a number that rises whenever a key is revoked. Who remembers
// what was verified with a key asks each time, and forgets when the number
// changes. It keeps the ring fresh: now and then it waits for the store.
func (r *Ring) Generation() uint64 { return uint64(r.fresh(context.Background()).doc.Generation) }

// List returns all keys, with those that are gone, as they are in the store now.
func (r *Ring) List(ctx context.Context) ([]KeyInfo, error) {
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	v, now := r.view.Load(), r.now()
	all := make([]KeyInfo, 0, len(v.doc.Keys))
	for i := range v.doc.Keys {
		k := &v.doc.Keys[i]
		all = append(all, k.info(r.stateIn(v, k, now)))
	}
	sortInfos(all)
	return all, nil
}

func (r *Ring) stateIn(v *view, k *record, now time.Time) State {
	var signing *record
	if p := r.purposes[k.Purpose]; p != nil {
		signing = choose(v.records[k.Purpose], now, r.cfg.Skew, p.Announce)
	}
	return k.state(now, signing)
}

// Run keeps the ring fresh until ctx ends, so that successors are announced and
// revocations arrive in a process that nobody calls. It is not needed otherwise.
func (r *Ring) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.cfg.Refresh)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			_ = r.refresh(ctx) // Logged there.
		}
	}
}

// fresh returns the copy of the ring. One that begins to be old is replaced
// behind the back of the caller; for one that is too old the caller waits, unless
// the store has just failed. So a process that slept for days signs with no key
// that was revoked or replaced meanwhile.
func (r *Ring) fresh(ctx context.Context) *view {
	v := r.view.Load()
	switch age := r.age(v.checked); {
	case age < v.soft:
	case age < v.hard:
		r.start(ctx)
	default:
		_ = r.refresh(ctx) // Logged there; the copy goes on.
		v = r.view.Load()
	}
	return v
}

// refresh loads the ring, or waits for the load that is under way.
func (r *Ring) refresh(ctx context.Context) error {
	return r.start(ctx).wait(ctx)
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start loads the ring unless it is being loaded. It does not end with the
// request that happened to need it: others wait for it.
func (r *Ring) start(ctx context.Context) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loading != nil {
		return r.loading
	}
	f := &flight{done: make(chan struct{})}
	r.loading = f
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		if f.err = r.update(ctx, nil); f.err != nil {
			r.alarm(ctx, f.err)
		}
		r.mu.Lock()
		r.loading = nil
		r.mu.Unlock()
		close(f.done)
	}()
	return f
}

// alarm says that the ring could not be brought up to date, and lets the copy go
// on for a while before the store is asked again.
func (r *Ring) alarm(ctx context.Context, err error) {
	for {
		old := r.view.Load()
		v := *old
		v.checked, v.soft, v.hard, v.failure = r.cfg.Now(), r.cfg.Refresh, max(alarmPause, 2*r.cfg.Refresh), err
		if r.view.CompareAndSwap(old, &v) { // Otherwise somebody has installed a newer ring.
			break
		}
	}
	r.mu.Lock()
	again := !r.lastAlarm.IsZero() && r.age(r.lastAlarm) < alarmPause
	if !again {
		r.lastAlarm = r.cfg.Now()
	}
	r.mu.Unlock()
	if !again {
		r.cfg.Logger.ErrorContext(ctx, "the key ring cannot be brought up to date: keys go on until they expire", "error", err)
	}
}

// now returns the time by which keys live. Within a process it does not run
// backwards, so what has expired stays so. A step back of more than a day means
// that the time before it was the wrong one.
func (r *Ring) now() time.Time {
	for {
		t, high := r.cfg.Now().UnixNano(), r.high.Load()
		if t < high && high-t <= int64(plausible) {
			return time.Unix(0, high).UTC()
		}
		if t == high || r.high.CompareAndSwap(high, t) {
			return time.Unix(0, t).UTC()
		}
	}
}

// age returns how long ago t was, by whichever clock says longer: the monotonic
// one stands still while a machine sleeps, the other one can be put back.
func (r *Ring) age(t time.Time) time.Duration {
	now := r.cfg.Now()
	d := now.Sub(t)
	if d < 0 {
		return time.Duration(1<<63 - 1)
	}
	return max(d, now.Round(0).Sub(t.Round(0)))
}

// jitter returns between half and four fifths of d, so that processes that were
// started together do not ask the store together.
func jitter(d time.Duration) time.Duration {
	var b [1]byte
	rand.Read(b[:])
	return d/2 + d*3/10*time.Duration(b[0])/255
}
