package password

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/fastness/fastness/problem"
)

// ErrBusy is in the chain of the error for a password that had no turn: too many
// were waiting, or its context ended first. That error is a [problem.Problem] of
// status 503 with the code "busy" and a Retry-After.
var ErrBusy = errors.New("password: too many at once")

func busy(cause error) error {
	return problem.New(http.StatusServiceUnavailable, "too many log-ins at once").
		Named("busy").With("Retry-After", "2").Wrap(cause)
}

// gate lets a bounded number of hashes be worked on at once, in the order of
// their coming: otherwise small ones would keep a large one out for ever.
type gate struct {
	size       int
	maxWaiting int

	mu      sync.Mutex
	free    int
	waiting list.List // of *ticket
}

// ticket is one that waits. Its channel is closed when it is its turn.
type ticket struct {
	turns int
	ready chan struct{}
}

func newGate(size, maxWaiting int) *gate {
	return &gate{size: size, maxWaiting: maxWaiting, free: size}
}

// enter takes so many turns, at most all there are, and returns how to give them
// back.
func (g *gate) enter(ctx context.Context, turns int) (leave func(), err error) {
	turns = min(max(1, turns), g.size)
	leave = func() { g.leave(turns) }
	if err := ctx.Err(); err != nil { // Who has gone away needs no hash.
		return nil, busy(fmt.Errorf("%w: %w", ErrBusy, err))
	}
	g.mu.Lock()
	if g.free >= turns && g.waiting.Len() == 0 {
		g.free -= turns
		g.mu.Unlock()
		return leave, nil
	}
	if g.waiting.Len() >= g.maxWaiting {
		g.mu.Unlock()
		return nil, busy(ErrBusy)
	}
	t := &ticket{turns, make(chan struct{})}
	place := g.waiting.PushBack(t)
	g.mu.Unlock()

	select {
	case <-t.ready:
		return leave, nil
	case <-ctx.Done():
		g.giveUp(t, place)
		return nil, busy(fmt.Errorf("%w: %w", ErrBusy, ctx.Err()))
	}
}

// giveUp removes one that waits. If its turn came at the same moment, it is
// given back.
func (g *gate) giveUp(t *ticket, place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-t.ready:
		g.free += t.turns
	default:
		g.waiting.Remove(place)
	}
	g.admit()
}

func (g *gate) leave(turns int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += turns
	g.admit()
}

// admit lets in those whose turn it is. The caller holds the lock.
func (g *gate) admit() {
	for first := g.waiting.Front(); first != nil; first = g.waiting.Front() {
		t := first.Value.(*ticket)
		if t.turns > g.free {
			return
		}
		g.free -= t.turns
		g.waiting.Remove(first)
		close(t.ready)
	}
}
