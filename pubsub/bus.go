package pubsub

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/fastness/fastness/schema"
)

// Bus carries events between processes: a log of each room, and a bell that
// rings when there is something new in it. Package pubsubtest has what every
// bus must keep to.
type Bus interface {
	// Publish appends data to the log of a room, gives it an id that is greater
	// than all before, and rings the bell of the room in every process. What is
	// longer than the bus takes is [ErrTooLarge].
	Publish(ctx context.Context, room string, data []byte) error
	// Read returns what is kept of a room after an id, or after [Oldest]; the
	// first of it, if that is a lot.
	Read(ctx context.Context, room string, after ID) (Page, error)
	// Follow calls ring when there may be something new in a room: after an event,
	// once it listens, and whenever it may have missed something. It calls from
	// any goroutine, and ring returns at once. Follow itself returns at once, too,
	// and the bus connects again for as long as stop was not called.
	Follow(room string, ring func()) (stop func())
}

// Page is a part of the log of a room.
type Page struct {
	// Messages are in the order of their ids.
	Messages []Message
	// From is the least id of which it is known that nothing is missing between it
	// and the first message, or Last if there is none.
	From ID
	// Last is the greatest id of the room that the bus knows. If it knows none,
	// it is one that is greater than all before and smaller than all to come.
	Last ID
}

// Complete reports whether the page has all that came after an id.
func (p Page) Complete(after ID) bool { return p.From <= after && after <= p.Last }

// Message is what a [Bus] carries.
type Message struct {
	ID   ID
	Data []byte
}

const (
	busTimeout = 5 * time.Second        // of one read
	firstRetry = 100 * time.Millisecond // after a read that failed; then twice as long, up to
	lastRetry  = 5 * time.Second
)

// follow is how a room of a hub with a bus gets its events. A bell that rings
// while the log is read is heard afterwards.
type follow struct {
	stop    func()
	stopped bool
	loaded  chan struct{} // closed after the first read
	err     error         // of the first read
	ringing bool
	pulling bool
	pull    func()
	pulled  chan struct{} // closed after the read that ends next, or nil
}

// ring starts to read, if nobody does. The hub's lock is held.
func (f *follow) ring() {
	if f.stopped {
		return
	}
	f.ringing = true
	if !f.pulling {
		f.pulling = true
		go f.pull()
	}
}

// listen lets the bus ring for a room, and reads what there is. The hub's lock
// is held.
func (h *Hub[T]) listen(r *room[T]) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follow{loaded: make(chan struct{}), pull: func() { h.pull(ctx, r) }}
	unfollow := h.cfg.Bus.Follow(h.onBus(r.name), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		f.ring()
	})
	f.stop = sync.OnceFunc(func() {
		f.stopped = true
		cancel()
		go unfollow() // It may wait for a connection.
	})
	r.follow = f
	f.ring()
}

// onBus returns the name of a room on the bus.
func (h *Hub[T]) onBus(room string) string { return h.cfg.Name + "/" + room }

// heard reports whether the bell rang, and ends the pulling if not.
func (h *Hub[T]) heard(r *room[T]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := r.follow
	f.pulling = f.ringing && !f.stopped
	f.ringing = false
	return f.pulling
}

// pull reads a room until there is nothing new.
func (h *Hub[T]) pull(ctx context.Context, r *room[T]) {
	wait, told := firstRetry, false
	for h.heard(r) {
		err := h.catchUp(ctx, r)
		if ctx.Err() != nil {
			err = closed()
		}
		h.load(r, err)
		if err == nil || ctx.Err() != nil {
			wait, told = firstRetry, false
			continue
		}
		if !told { // Once for each time that it fails, not for each try.
			cmp.Or(h.cfg.Logger, slog.Default()).Error("pubsub: the bus does not answer", slog.String("hub", h.cfg.Name), slog.Any("error", err))
			told = true
		}
		h.again(ctx, r, wait)
		wait = min(2*wait, lastRetry)
	}
}

// again lets the bell ring after a while.
func (h *Hub[T]) again(ctx context.Context, r *room[T], wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	h.mu.Lock()
	r.follow.ringing = true
	h.mu.Unlock()
}

// load ends a read of a room. Who waits for the first one learns of its error, and
// who comes next tries again.
func (h *Hub[T]) load(r *room[T], err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := r.follow
	if f.pulled != nil {
		close(f.pulled)
		f.pulled = nil
	}
	select {
	case <-f.loaded:
		return
	default:
	}
	if f.err = err; err != nil && h.rooms[r.name] == r {
		h.forget(r)
	}
	close(f.loaded)
}

// await waits until a room has been read for the first time.
func (h *Hub[T]) await(ctx context.Context, r *room[T]) error {
	select {
	case <-r.follow.loaded:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if r.follow.err != nil {
		return unavailable(r.follow.err)
	}
	return nil
}

// reach lets a room read what a client has seen already: another process was faster to
// tell it. It waits for two reads, of which the first may have begun before. What the bus
// does not have by then, nobody has told.
func (h *Hub[T]) reach(ctx context.Context, r *room[T], after ID) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	for range 2 {
		h.mu.Lock()
		if after <= r.newest.id {
			h.mu.Unlock()
			return
		}
		f := r.follow
		if f.pulled == nil {
			f.pulled = make(chan struct{})
		}
		pulled := f.pulled
		f.ring()
		h.mu.Unlock()
		select {
		case <-pulled:
		case <-ctx.Done():
		case <-h.closed:
		}
	}
}

// catchUp reads the log of a room from where the room is to its end.
func (h *Hub[T]) catchUp(ctx context.Context, r *room[T]) error {
	select {
	case h.pulls <- struct{}{}: // Not all rooms at once: after the bus was away all bells ring.
		defer func() { <-h.pulls }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		h.mu.Lock()
		after := r.newest.id
		h.mu.Unlock()
		page, err := h.read(ctx, r, after)
		if err != nil {
			return err
		}
		if !h.take(r, after, page) {
			return nil
		}
	}
}

func (h *Hub[T]) read(ctx context.Context, r *room[T], after ID) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	return h.cfg.Bus.Read(ctx, h.onBus(r.name), after)
}

// take appends what was read, and reports whether there may be more.
func (h *Hub[T]) take(r *room[T], after ID, page Page) (more bool) {
	events := make([]*Event[T], len(page.Messages))
	for i, m := range page.Messages {
		events[i] = h.received(m) // Before the lock: it looks at every byte.
	}
	h.mu.Lock()
	var wake []chan struct{}
	defer func() {
		h.mu.Unlock()
		for _, ready := range wake {
			close(ready)
		}
	}()
	if h.rooms[r.name] != r { // Nobody is in it any more.
		return false
	}
	now := time.Now()
	switch {
	case after == Oldest: // The first read: the room begins before what is kept.
		r.from, r.newest.id = page.From, page.Last
		if len(events) > 0 {
			r.newest.id = page.From
		}
	case !page.Complete(after):
		gap := page.Last
		if len(events) > 0 {
			gap = page.Messages[0].ID - 1
		}
		wake = append(wake, h.appendGap(r, gap, now))
	}
	for i, m := range page.Messages {
		ready := h.append(r, m.ID, events[i], now)
		if ready == nil { // There is no space for it.
			ready = h.appendGap(r, m.ID, now)
		}
		wake = append(wake, ready)
	}
	return len(events) > 0
}

// received returns the event of a message, or a gap if it is none: nothing on a
// bus becomes a part of an answer without a look at it.
func (h *Hub[T]) received(m Message) *Event[T] {
	json, err := schema.AlreadyEncoded[T](m.Data)
	if err == nil && len(m.Data) <= h.cfg.MaxEvent {
		return h.newEvent(json)
	}
	cmp.Or(h.cfg.Logger, slog.Default()).Error("pubsub: the bus has something that is no event", slog.String("hub", h.cfg.Name), slog.Uint64("id", uint64(m.ID)))
	return &Event[T]{Gap: true}
}
