package pubsubtest

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/pubsub"
)

// The tests of hubs over a bus.

func hubsApart(t *testing.T, e Engine) {
	a, b := hub(t, e.Buses[0], "a", 0), hub(t, e.Buses[0], "b", 0)
	inA, inB := subscribe(t, a, "room", pubsub.Now), subscribe(t, b, "room", pubsub.Now)
	publish(t, a, "room", 1, 3)
	publish(t, b, "room", 11, 13)
	wantNext(t, inA, 1, 3)
	wantNext(t, inB, 11, 13)
}

// nothingLost publishes by three processes at once. Each subscriber of each
// process gets every event once, and all in the same order.
func nothingLost(t *testing.T, e Engine) {
	const each, total = 3_334, 3 * 3_334
	type seen struct {
		ids  []pubsub.ID
		next [3]int
	}
	var readers, writers sync.WaitGroup
	var trails [6]seen
	var hubs [3]*pubsub.Hub[event]
	for i, bus := range e.Buses {
		hubs[i] = hub(t, bus, "test", 2*total)
		for j := range 2 {
			trail, s := &trails[2*i+j], subscribe(t, hubs[i], "room", pubsub.Now)
			readers.Go(func() {
				for len(trail.ids) < total {
					got, err := s.Next()
					if err != nil {
						t.Errorf("after %d events: %v", len(trail.ids), err)
						return
					}
					v, err := got.Value()
					if err != nil || v.N != trail.next[v.From] {
						t.Errorf("after %d events: %+v (gap: %t, %v), want number %d", len(trail.ids), v, got.Gap, err, trail.next[v.From])
						return
					}
					trail.next[v.From]++
					trail.ids = append(trail.ids, got.ID)
				}
			})
		}
	}
	for i, h := range hubs {
		writers.Go(func() {
			for n := range each {
				if err := h.Publish(t.Context(), "room", event{From: i, N: n}); err != nil {
					t.Errorf("event %d of process %d: %v", n, i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
	for i := range trails {
		for n, id := range trails[i].ids {
			if n >= len(trails[0].ids) || trails[0].ids[n] != id {
				t.Fatalf("subscriber %d has another order than the first, from event %d on", i, n)
			}
		}
	}
}

// anotherProcess is a client that a load balancer sends elsewhere.
func anotherProcess(t *testing.T, e Engine) {
	here, there := hub(t, e.Buses[0], "test", 0), hub(t, e.Buses[1], "test", 0)
	s := subscribe(t, here, "room", pubsub.Now)
	start := s.After()
	publish(t, here, "room", 1, 2)
	first := wantNext(t, s, 1, 1)
	s.Close()
	publish(t, there, "room", 3, 4)
	s = subscribe(t, there, "room", first)
	wantNext(t, s, 2, 4)
	publish(t, here, "room", 5, 5)
	last := wantNext(t, s, 5, 5)
	wantNext(t, subscribe(t, there, "room", start), 1, 5)
	wantNext(t, subscribe(t, there, "room", pubsub.Oldest), 1, 5)
	s = subscribe(t, here, "room", last)
	publish(t, there, "room", 6, 6)
	wantNext(t, s, 6, 6)
	silent := subscribe(t, here, "silent", pubsub.Now)
	elsewhere := subscribe(t, there, "silent", silent.After())
	publish(t, here, "silent", 1, 1)
	wantNext(t, elsewhere, 1, 1)
	if got, err := subscribe(t, here, "room", 2).Next(); err != nil || !got.Gap {
		t.Errorf("after an id from long ago came %+v, %v; want a gap", got, err)
	}
}

// Restart stops the server and starts it again, and wants that who stays and who
// comes back lose nothing without being told. Run has it among the others; it is
// here for servers that lose everything.
func Restart(t *testing.T, e Engine) {
	here, there := hub(t, e.Buses[0], "test", 0), hub(t, e.Buses[1], "test", 0)
	s := subscribe(t, there, "room", pubsub.Now)
	publish(t, here, "room", 1, 3)
	last := wantNext(t, s, 1, 3)
	e.Stop(t)
	err := here.Publish(within(t), "room", event{N: 4})
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status != http.StatusServiceUnavailable {
		t.Errorf("Publish() without a server = %v, want a problem of status 503", err)
	}
	if _, err := here.Subscribe(within(t), "another room", pubsub.Now); err == nil {
		t.Error("Subscribe() to a room that cannot be read = nil")
	}
	e.Start(t)
	until(t, "publishing goes on", func() bool { return here.Publish(within(t), "room", event{N: 5}) == nil })
	got, err := s.Next()
	if v, _ := got.Value(); err == nil && !got.Gap && v.N == 4 { // What failed may have happened.
		got, err = s.Next()
	}
	if err != nil || e.Keeps && got.Gap || !e.Keeps && !got.Gap {
		t.Fatalf("after the restart came %+v, %v; the server keeps its data: %t", got, err, e.Keeps)
	}
	if got.Gap {
		got, err = s.Next()
	}
	if v, _ := got.Value(); err != nil || v.N != 5 {
		t.Errorf("after the restart came %+v, %v", v, err)
	}
	s = subscribe(t, here, "room", last)
	got, err = s.Next()
	if err != nil || got.Gap == e.Keeps {
		t.Errorf("a client that resumes got %+v, %v; the server keeps its data: %t", got, err, e.Keeps)
	}
}
