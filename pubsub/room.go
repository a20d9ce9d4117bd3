package pubsub

import (
	"container/list"
	"sync/atomic"
	"time"
)

// overhead is what an event takes besides its JSON.
const overhead = 400

// room is the history of one room, as a list that subscribers walk along without
// a lock. What is no longer kept is cut off behind the link before it, so that a
// subscriber who stands still holds on to one link and not to all that came
// after it.
type room[T any] struct {
	name string

	// Guarded by the hub's lock.
	from        ID       // nothing after it is missing
	oldest      *link[T] // before the first that is kept
	newest      *link[T]
	count       int // links that are kept
	bytes       int
	subscribers int
	touched     time.Time     // when it was last used
	place       *list.Element // among the idle rooms, or nil
	follow      *follow       // of a hub with a bus
}

// link is an event in the history.
type link[T any] struct {
	id    ID
	at    time.Time
	size  int
	event atomic.Pointer[Event[T]] // nil once it is not kept
	next  atomic.Pointer[link[T]]
	ready chan struct{} // closed when there is a next
}

func newLink[T any](id ID) *link[T] { return &link[T]{id: id, ready: make(chan struct{})} }

// nextID returns an id by the clock that is greater than all before. Rooms that
// are forgotten and made again go on with greater ones, and so does a process
// that is started again.
func (h *Hub[T]) nextID(now time.Time) ID {
	h.last = max(h.last+1, ID(now.UnixMicro()))
	return h.last
}

// enter returns a room, and makes it if it does not exist. The error is what callers
// are shown.
func (h *Hub[T]) enter(name string, now time.Time) (*room[T], error) {
	r := h.rooms[name]
	if r == nil {
		if len(h.rooms) >= h.cfg.MaxRooms && !h.forgetIdle() {
			return nil, full()
		}
		start := newLink[T](Oldest)
		r = &room[T]{name: name, oldest: start, newest: start}
		h.rooms[name] = r
		if h.cfg.Bus != nil {
			h.listen(r)
		} else {
			start.id = h.nextID(now)
			r.from = start.id
		}
		h.watch()
	}
	r.touched = now
	if r.subscribers == 0 {
		if r.place != nil {
			h.idle.Remove(r.place)
		}
		r.place = h.idle.PushBack(r)
	}
	return r, nil
}

// append adds an event to a room, and returns what to close once the lock is
// given back: that wakes all subscribers. It returns nil if there is no space.
func (h *Hub[T]) append(r *room[T], id ID, event *Event[T], now time.Time) chan struct{} {
	size := overhead + len(event.JSON.Bytes())
	if !h.makeSpace(r, size, now) {
		return nil
	}
	return h.link(r, id, event, now, size)
}

// appendGap adds a gap, for which there is always space.
func (h *Hub[T]) appendGap(r *room[T], id ID, now time.Time) chan struct{} {
	return h.link(r, id, &Event[T]{Gap: true}, now, 0)
}

func (h *Hub[T]) link(r *room[T], id ID, event *Event[T], now time.Time, size int) chan struct{} {
	event.ID = id
	l := newLink[T](id)
	l.at, l.size = now, size
	l.event.Store(event)
	r.count, r.bytes, h.bytes = r.count+1, r.bytes+size, h.bytes+size
	before := r.newest
	r.newest = l
	before.next.Store(l)
	return before.ready
}

// makeSpace drops what the bounds do not allow beside one more event: the
// room's own oldest, then rooms without subscribers, then the room's own again.
func (h *Hub[T]) makeSpace(r *room[T], size int, now time.Time) bool {
	h.expire(r, now)
	for r.count > 0 && (r.count >= h.cfg.History || r.bytes+size > h.cfg.HistoryBytes) {
		h.drop(r)
	}
	for h.bytes+size > h.cfg.MaxBytes {
		switch first := h.idle.Front(); {
		case first != nil && first.Value.(*room[T]) != r:
			h.forget(first.Value.(*room[T]))
		case r.count > 0:
			h.drop(r)
		default:
			return false
		}
	}
	return true
}

// expire drops what is too old.
func (h *Hub[T]) expire(r *room[T], now time.Time) {
	for r.count > 0 && now.Sub(r.oldest.next.Load().at) >= h.cfg.HistoryAge {
		h.drop(r)
	}
}

// drop drops the oldest event that is kept. A subscriber that was to read it
// next finds the cut instead.
func (h *Hub[T]) drop(r *room[T]) {
	gone := r.oldest.next.Load()
	r.oldest.next.Store(h.cut)
	gone.event.Store(nil)
	r.oldest, r.from = gone, gone.id
	r.count, r.bytes, h.bytes = r.count-1, r.bytes-gone.size, h.bytes-gone.size
}

// forget gives a room back.
func (h *Hub[T]) forget(r *room[T]) {
	delete(h.rooms, r.name)
	h.bytes -= r.bytes
	if r.place != nil {
		h.idle.Remove(r.place)
		r.place = nil
	}
	if r.follow != nil {
		r.follow.stop()
	}
}

// forgetIdle forgets the room that nobody is in for the longest time.
func (h *Hub[T]) forgetIdle() bool {
	first := h.idle.Front()
	if first == nil {
		return false
	}
	h.forget(first.Value.(*room[T]))
	return true
}

// watch looks at all rooms from time to time, as long as there are some.
func (h *Hub[T]) watch() {
	if h.sweep == nil {
		h.sweep = time.AfterFunc(h.cfg.HistoryAge/4, h.tidy)
	}
}

// tidy drops what is too old, and forgets rooms in which nobody is and nothing
// was for so long that nobody can resume.
func (h *Hub[T]) tidy() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep = nil
	if h.isClosed() {
		return
	}
	now := time.Now()
	for _, r := range h.rooms {
		h.expire(r, now)
		if r.subscribers == 0 && r.count == 0 && now.Sub(r.touched) >= h.cfg.HistoryAge {
			h.forget(r)
		}
	}
	if len(h.rooms) > 0 {
		h.watch()
	}
}
