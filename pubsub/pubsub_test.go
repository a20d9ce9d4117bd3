package pubsub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// note is what most tests publish.
type note struct {
	N    int    `json:"n"`
	Text string `json:"text,omitempty"`
}

func newHub(t testing.TB, cfg pubsub.Config) *pubsub.Hub[note] {
	t.Helper()
	h, err := pubsub.New[note](cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func publish(t testing.TB, h *pubsub.Hub[note], room string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := h.Publish(t.Context(), room, note{N: n}); err != nil {
			t.Fatal(err)
		}
	}
}

func subscribe(t testing.TB, h *pubsub.Hub[note], room string, after pubsub.ID) *pubsub.Subscription[note] {
	t.Helper()
	s, err := h.Subscribe(t.Context(), room, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// read reads n events and returns them as text: "gap 3 4".
func read(t testing.TB, s *pubsub.Subscription[note], n int) (string, pubsub.ID) {
	t.Helper()
	var out []string
	var last pubsub.ID
	for range n {
		e, err := s.Next()
		if err != nil {
			out = append(out, err.Error())
			break
		}
		if e.ID < last {
			t.Errorf("id %d comes after %d", e.ID, last)
		}
		last = e.ID
		if e.Gap {
			out = append(out, "gap")
			continue
		}
		v, err := e.Value()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(v.N))
	}
	return strings.Join(out, " "), last
}

func want(t testing.TB, s *pubsub.Subscription[note], n int, want string) pubsub.ID {
	t.Helper()
	got, last := read(t, s, n)
	if got != want {
		t.Errorf("the subscriber got %q, want %q", got, want)
	}
	return last
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := pubsub.New[note](pubsub.Config{
		History: -1, HistoryAge: time.Millisecond, HistoryBytes: -1, MaxBytes: -1, MaxEvent: -1, MaxRooms: -1, MaxSubscribers: -1, Name: "a/b",
	})
	for _, name := range []string{"pubsub config: ", "History is -1", "HistoryAge is 1ms", "HistoryBytes is -1", "MaxBytes is -1", "MaxEvent is -1", "MaxRooms is -1", "MaxSubscribers is -1", "Name has"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New() = %v, want %q", err, name)
		}
	}
	if _, err := pubsub.New[note](pubsub.Config{MaxEvent: 2 << 20, HistoryBytes: 1 << 20}); err == nil || !strings.Contains(err.Error(), "fit into the next") {
		t.Errorf("New() with events larger than the history = %v", err)
	}
	for _, cfg := range []pubsub.Config{{}, {MaxEvent: 4 << 20}, {HistoryBytes: 1000}, {HistoryBytes: 200 << 20}} {
		newHub(t, cfg)
	}
}

// A broadcast has no caller: nobody's roles could be asked.
func TestWhatOnlySomeMaySeeIsNotBroadcast(t *testing.T) {
	type costs struct {
		Price int `json:"price"`
		Cost  int `json:"cost" visibleTo:"admin"`
	}
	if _, err := pubsub.New[costs](pubsub.Config{}); err == nil || !strings.Contains(err.Error(), "visibleTo") {
		t.Errorf("New() of a type with a restricted member = %v, want a mistake", err)
	}
	type key struct {
		Key secret.Text `json:"key"`
	}
	if _, err := pubsub.New[[]key](pubsub.Config{}); err == nil || !strings.Contains(err.Error(), "secret.Text") {
		t.Errorf("New() of a type with a secret = %v, want a mistake", err)
	}
	if _, err := pubsub.New[func()](pubsub.Config{}); err == nil {
		t.Error("New() of what JSON cannot hold = nil")
	}
}

func TestEverySubscriberOfARoomGetsItsEventsInOrder(t *testing.T) {
	h := newHub(t, pubsub.Config{})
	a, b := subscribe(t, h, "a", pubsub.Now), subscribe(t, h, "b", pubsub.Now)
	other := subscribe(t, h, "a", pubsub.Now)
	for n := range 50 {
		publish(t, h, "a", n, n)
		publish(t, h, "b", 100+n, 100+n)
	}
	var first, second []string
	for n := range 50 {
		first, second = append(first, fmt.Sprint(n)), append(second, fmt.Sprint(100+n))
	}
	want(t, a, 50, strings.Join(first, " "))
	want(t, other, 50, strings.Join(first, " "))
	want(t, b, 50, strings.Join(second, " "))
}

func TestWhoComesBackGetsWhatItMissed(t *testing.T) {
	h := newHub(t, pubsub.Config{History: 5})
	s := subscribe(t, h, "a", pubsub.Now)
	start := s.After()
	publish(t, h, "a", 1, 3)
	first := want(t, s, 1, "1")
	want(t, subscribe(t, h, "a", start), 3, "1 2 3")
	want(t, subscribe(t, h, "a", first), 2, "2 3")
	want(t, subscribe(t, h, "a", pubsub.Oldest), 3, "1 2 3")
	publish(t, h, "a", 4, 6) // 1 goes, and nothing after it.
	want(t, subscribe(t, h, "a", first), 5, "2 3 4 5 6")
	want(t, subscribe(t, h, "a", start), 6, "gap 2 3 4 5 6")
	want(t, subscribe(t, h, "a", pubsub.Oldest), 5, "2 3 4 5 6")
	now := subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "a", 7, 7)
	want(t, now, 1, "7")
}

// An id that this room has not told may be of another room, of a forger, or of a
// process that ran before. Each is told that it may have missed something.
func TestAnUnknownIDIsAGap(t *testing.T) {
	h := newHub(t, pubsub.Config{})
	publish(t, h, "a", 1, 2)
	want(t, subscribe(t, h, "a", 2), 3, "gap 1 2")
	s := subscribe(t, h, "a", 1<<62)
	publish(t, h, "a", 3, 3)
	want(t, s, 2, "gap 3")
	s = subscribe(t, h, "never heard of", 17)
	publish(t, h, "never heard of", 1, 1)
	want(t, s, 2, "gap 1")
}

func TestARestartIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newHub(t, pubsub.Config{})
		s := subscribe(t, before, "a", pubsub.Now)
		publish(t, before, "a", 1, 1)
		last := want(t, s, 1, "1")
		_ = before.Close()
		time.Sleep(time.Millisecond)
		after := newHub(t, pubsub.Config{})
		s = subscribe(t, after, "a", last)
		publish(t, after, "a", 2, 2)
		want(t, s, 2, "gap 2")
	})
}

func TestHistoryIsKeptForItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, pubsub.Config{HistoryAge: time.Minute})
		s := subscribe(t, h, "a", pubsub.Now)
		publish(t, h, "a", 1, 1)
		first := want(t, s, 1, "1")
		time.Sleep(59 * time.Second)
		publish(t, h, "a", 2, 2)
		want(t, subscribe(t, h, "a", first), 1, "2")
		want(t, subscribe(t, h, "a", pubsub.Oldest), 2, "1 2")
		time.Sleep(2 * time.Second)
		want(t, subscribe(t, h, "a", pubsub.Oldest), 1, "2")
		second := want(t, s, 1, "2")
		time.Sleep(time.Hour) // Nothing happens, and nothing is missed.
		again := subscribe(t, h, "a", second)
		publish(t, h, "a", 3, 3)
		want(t, again, 1, "3")
		want(t, s, 1, "3")
	})
}

func TestASlowSubscriberIsDroppedAndToldSo(t *testing.T) {
	h := newHub(t, pubsub.Config{History: 10})
	slow, quick := subscribe(t, h, "a", pubsub.Now), subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "a", 1, 10)
	want(t, quick, 10, "1 2 3 4 5 6 7 8 9 10")
	want(t, slow, 1, "1")
	publish(t, h, "a", 11, 12)
	_, err := slow.Next()
	p, shown := errors.AsType[*problem.Problem](err)
	if !errors.Is(err, pubsub.ErrSlow) || !shown || p.Status != http.StatusServiceUnavailable || p.Code != "too_slow" {
		t.Errorf("the slow subscriber got %v, want ErrSlow as a problem", err)
	}
	if _, err := slow.Next(); !errors.Is(err, pubsub.ErrSlow) {
		t.Errorf("and then %v, want the same", err)
	}
	want(t, quick, 2, "11 12")
	eventually(t, func() bool { return h.Stats().Subscribers == 1 }, "the slow subscriber's place is given back")
}

// eventually waits for what another goroutine does at once.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within five seconds: %s", what)
		}
	}
}

func TestASubscriptionEnds(t *testing.T) {
	h := newHub(t, pubsub.Config{})
	reason := errors.New("logged out")
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := h.Subscribe(ctx, "a", pubsub.Now)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, h, "a", 1, 1)
	cancel(reason)
	if _, err := s.Next(); !errors.Is(err, reason) { // Although there is an event.
		t.Errorf("Next() after its context = %v, want its cause", err)
	}
	if _, err := h.Subscribe(ctx, "a", pubsub.Now); !errors.Is(err, reason) {
		t.Errorf("Subscribe() after its context = %v, want its cause", err)
	}
	s = subscribe(t, h, "a", pubsub.Now)
	s.Close()
	s.Close()
	if _, err := s.Next(); !errors.Is(err, pubsub.ErrClosed) {
		t.Errorf("Next() after Close = %v", err)
	}
	s = subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "a", 2, 2)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, s, 1, "2") // What was published is told.
	if _, err := s.Next(); !errors.Is(err, pubsub.ErrClosed) {
		t.Errorf("Next() after the hub's Close = %v", err)
	}
	if err := h.Publish(t.Context(), "a", note{}); !errors.Is(err, pubsub.ErrClosed) {
		t.Errorf("Publish() after Close = %v", err)
	}
	if _, err := h.Subscribe(t.Context(), "a", pubsub.Now); !errors.Is(err, pubsub.ErrClosed) {
		t.Errorf("Subscribe() after Close = %v", err)
	}
	eventually(t, func() bool { return h.Stats().Subscribers == 0 }, "all places are given back")
}

func TestTheLoopOverEventsClosesTheSubscription(t *testing.T) {
	h := newHub(t, pubsub.Config{})
	s := subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "a", 1, 3)
	for e, err := range s.Events() {
		if v, _ := e.Value(); err != nil || v.N == 2 {
			break
		}
	}
	if _, err := s.Next(); !errors.Is(err, pubsub.ErrClosed) {
		t.Errorf("Next() after the loop = %v, want ErrClosed", err)
	}
	eventually(t, func() bool { return h.Stats().Subscribers == 0 }, "its place is given back")
}

// What did not happen is not told, and what happened is told once it did.
func TestWhatRollsBackIsNotTold(t *testing.T) {
	pubsubtest.Transactions(t, &pubsubtest.Memory{}, pubsubtest.NoDatabase(t))
	h, db := newHub(t, pubsub.Config{}), pubsubtest.NoDatabase(t)
	s := subscribe(t, h, "a", pubsub.Now)
	broken := errors.New("broken")
	for n, failure := range []error{broken, nil} {
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if err := h.PublishTx(t.Context(), tx, "a", note{N: n}); err != nil {
				t.Error(err)
			}
			publish(t, h, "a", 10+n, 10+n)
			return failure
		})
		if !errors.Is(err, failure) {
			t.Error(err)
		}
	}
	want(t, s, 3, "10 11 1")
}

// Too late to roll back, but not silent.
func TestATransactionThatCannotTellSaysSoInTheLog(t *testing.T) {
	var log bytes.Buffer
	bus := &pubsubtest.Memory{}
	h := newHub(t, pubsub.Config{Name: "notes", Bus: bus, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	bus.Stop()
	err := pubsubtest.NoDatabase(t).Tx(t.Context(), func(tx *sqldb.Tx) error { return h.PublishTx(t.Context(), tx, "a", note{}) })
	if err != nil || !strings.Contains(log.String(), "was not published") {
		t.Errorf("Tx() = %v, and the log is %q", err, log.String())
	}
}
