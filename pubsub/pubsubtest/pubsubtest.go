// Package pubsubtest holds what every [pubsub.Bus] has to keep to, as tests, and
// a bus for tests that needs no server.
//
//	func TestBusKeepsTheContract(t *testing.T) {
//		pubsubtest.Run(t, func(t *testing.T) pubsubtest.Engine { … })
//	}
package pubsubtest

import (
	"context"
	"testing"
	"time"

	"github.com/fastness/fastness/pubsub"
)

// Engine is what a bus is tested with.
type Engine struct {
	// Buses are those of three processes, over one empty server. They keep at
	// least 500 messages of a room, and take messages of at least 64 KiB.
	Buses [3]pubsub.Bus
	// History is how many messages of a room are kept, or some more.
	History int
	// MaxData is how large a message may be.
	MaxData int
	// Stop stops the server, and Start starts it again on the same address.
	Stop, Start func(t *testing.T)
	// Keeps says that the server still has everything when it starts again.
	Keeps bool
}

// Run runs the suite over fresh engines.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, e Engine)
	}{
		{"a message is read as it was published", roundTrip},
		{"ids grow, and every process reads the same order", sameOrder},
		{"a log is read in pages without a hole", pages},
		{"what is known to be complete", complete},
		{"a history is bounded, and says that something is missing", bounded},
		{"rooms do not leak into each other", roomsApart},
		{"hubs do not leak into each other", hubsApart},
		{"a message that is too large is refused", tooLarge},
		{"the bell rings until it is stopped", bells},
		{"three processes lose nothing of ten thousand events", nothingLost},
		{"who comes to another process goes on there", anotherProcess},
		{"a server that goes away and comes back", Restart},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

const patience = time.Minute

// event is what the suite publishes.
type event struct {
	From int    `json:"from"`
	N    int    `json:"n"`
	Text string `json:"text,omitempty"`
}

func hub(t *testing.T, bus pubsub.Bus, name string, history int) *pubsub.Hub[event] {
	t.Helper()
	h, err := pubsub.New[event](pubsub.Config{Name: name, Bus: bus, History: history, HistoryBytes: 1 << 29, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func subscribe(t *testing.T, h *pubsub.Hub[event], room string, after pubsub.ID) *pubsub.Subscription[event] {
	t.Helper()
	s, err := h.Subscribe(within(t), room, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func publish(t *testing.T, h *pubsub.Hub[event], room string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := h.Publish(within(t), room, event{N: n}); err != nil {
			t.Fatal(err)
		}
	}
}

// wantNext wants the events from to to, without a gap, and returns the id of the
// last.
func wantNext(t *testing.T, s *pubsub.Subscription[event], from, to int) (last pubsub.ID) {
	t.Helper()
	for n := from; n <= to; n++ {
		e, err := s.Next()
		if err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
		if v, err := e.Value(); err != nil || v.N != n || e.ID <= last {
			t.Fatalf("got %+v with id %d (gap: %t, %v), want %d with an id greater than %d", v, e.ID, e.Gap, err, n, last)
		}
		last = e.ID
	}
	return last
}

// until waits for what must come true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
