package pubsub

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Subscription is one subscriber of one room. Next and Events are for one
// goroutine at a time; Close is for any.
type Subscription[T any] struct {
	hub    *Hub[T]
	ctx    context.Context
	cancel context.CancelCauseFunc
	after  ID
	at     *link[T] // the last that was read
	gap    bool     // is to be told first
	err    error    // the end
}

// Subscribe subscribes to a room: to what is published after the event with the
// id after, or from [Now] on. It ends with ctx, with Close, or with the hub.
//
// If it is not known that all events after that id are here, the first event is
// a gap, followed by what is kept.
//
// The error is within [ErrFull] if there are too many subscribers or rooms, and
// within [ErrClosed] after the hub's Close.
func (h *Hub[T]) Subscribe(ctx context.Context, room string, after ID) (*Subscription[T], error) {
	if err := checkName("the name of a room", room, maxRoomName); err != nil {
		return nil, fmt.Errorf("pubsub: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	r, err := h.join(room)
	if err != nil {
		return nil, err
	}
	if h.cfg.Bus != nil {
		if err := h.await(ctx, r); err != nil {
			h.leave(r)
			return nil, err
		}
		h.reach(ctx, r, after)
	}
	s := &Subscription[T]{hub: h}
	h.mu.Lock()
	s.at, s.gap = h.find(r, after)
	h.mu.Unlock()
	s.after = s.at.id
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	context.AfterFunc(s.ctx, func() { h.leave(r) })
	return s, nil
}

// join counts one more subscriber of a room.
func (h *Hub[T]) join(name string) (*room[T], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil, closed()
	}
	if h.subscribers >= h.cfg.MaxSubscribers {
		return nil, full()
	}
	r, err := h.enter(name, time.Now())
	if err != nil {
		return nil, err
	}
	h.subscribers++
	r.subscribers++
	if r.place != nil {
		h.idle.Remove(r.place)
		r.place = nil
	}
	return r, nil
}

func (h *Hub[T]) leave(r *room[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers--
	r.subscribers--
	if r.subscribers > 0 || h.rooms[r.name] != r {
		return
	}
	if h.cfg.Bus != nil { // It has the history.
		h.forget(r)
		return
	}
	r.touched = time.Now()
	r.place = h.idle.PushBack(r)
}

// find returns the event after which a subscriber reads, and whether something
// may be missing before that.
func (h *Hub[T]) find(r *room[T], after ID) (at *link[T], gap bool) {
	h.expire(r, time.Now())
	switch {
	case after == Now || after == r.newest.id:
		return r.newest, false
	case after == Oldest:
		return r.oldest, false
	case after < r.from:
		return r.oldest, true
	case after > r.newest.id: // Nobody has told this id: it is of another room, or of a bus that has lost what it had.
		return r.newest, true
	}
	at = r.oldest
	for next := at.next.Load(); next != nil && next.id <= after; next = at.next.Load() {
		at = next
	}
	return at, false
}

// After returns the id after which the subscription reads. Tell it to a client
// at once, so that it can resume even if nothing happens before the connection
// breaks.
func (s *Subscription[T]) After() ID { return s.after }

// Next waits for the next event. The error is the end: within [ErrSlow],
// within [ErrClosed], or why the context of Subscribe ended.
func (s *Subscription[T]) Next() (Event[T], error) {
	if s.err != nil {
		return Event[T]{}, s.err
	}
	event, err := s.next()
	if err != nil {
		s.err = err
		s.cancel(err)
	}
	return event, err
}

func (s *Subscription[T]) next() (Event[T], error) {
	for {
		if s.ctx.Err() != nil {
			return Event[T]{}, context.Cause(s.ctx)
		}
		if s.gap {
			s.gap = false
			return Event[T]{ID: s.after, Gap: true}, nil
		}
		if next := s.at.next.Load(); next != nil {
			event := next.event.Load()
			if event == nil {
				return Event[T]{}, slow()
			}
			s.at = next
			return *event, nil
		}
		select {
		case <-s.at.ready:
		case <-s.ctx.Done():
		case <-s.hub.closed:
			return Event[T]{}, closed()
		}
	}
}

// Events returns the events until the end, whose error comes last; see
// [Subscription.Next]. When the loop ends the subscription is closed.
func (s *Subscription[T]) Events() iter.Seq2[Event[T], error] {
	return func(yield func(Event[T], error) bool) {
		defer s.Close()
		for {
			event, err := s.Next()
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription[T]) Close() { s.cancel(closed()) }
