package pubsub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// Publish tells all subscribers of a room, in every process. It never waits for
// one of them. With a bus it returns when the bus has the event, or the error of
// the bus within a problem of status 503; whether the event was told is not
// known then.
//
// The error is within [ErrTooLarge] if value is, within [ErrFull] if there are
// too many rooms, and within [ErrClosed] after Close.
func (h *Hub[T]) Publish(ctx context.Context, room string, value T) error {
	event, err := h.encode(room, value)
	if err != nil {
		return err
	}
	return h.publish(ctx, room, event)
}

// encode returns an event, or says why it cannot be published.
func (h *Hub[T]) encode(room string, value T) (schema.Encoded[T], error) {
	if err := checkName("the name of a room", room, maxRoomName); err != nil {
		return schema.Encoded[T]{}, fmt.Errorf("pubsub: %w", err)
	}
	event, err := h.event.Encode(value)
	if err != nil {
		return event, fmt.Errorf("pubsub: %w", err)
	}
	if n := len(event.Bytes()); n > h.cfg.MaxEvent {
		return event, fmt.Errorf("%w: %d bytes, and MaxEvent is %d", ErrTooLarge, n, h.cfg.MaxEvent)
	}
	return event, nil
}

func (h *Hub[T]) publish(ctx context.Context, room string, json schema.Encoded[T]) error {
	if h.cfg.Bus != nil {
		if h.isClosed() {
			return closed()
		}
		if err := h.cfg.Bus.Publish(ctx, h.onBus(room), json.Bytes()); err != nil {
			return unavailable(err)
		}
		return nil
	}
	event := h.newEvent(json)
	h.mu.Lock()
	if h.isClosed() {
		h.mu.Unlock()
		return closed()
	}
	now := time.Now()
	r, err := h.enter(room, now)
	if err != nil {
		h.mu.Unlock()
		return err
	}
	wake := h.append(r, h.nextID(now), event, now)
	h.mu.Unlock()
	if wake == nil {
		return full()
	}
	close(wake)
	return nil
}

func (h *Hub[T]) isClosed() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}

// What callers are shown.

// unavailable is for a bus that does not answer.
func unavailable(err error) error {
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, ErrTooLarge) {
		return err
	}
	return later("overloaded", "the server is busy, try again later", err)
}

func full() error { return unavailable(ErrFull) }

func closed() error { return later("stopping", "the server stops, try again later", ErrClosed) }

func slow() error {
	return later("too_slow", "events came faster than they were read; connect again", ErrSlow)
}

func later(code, detail string, cause error) error {
	return problem.New(http.StatusServiceUnavailable, detail).Named(code).With("Retry-After", "1").Wrap(cause)
}
