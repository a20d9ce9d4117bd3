package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/pubsub"
)

func TestMoreSubscribersThanAllowedAreRefused(t *testing.T) {
	h := newHub(t, pubsub.Config{MaxSubscribers: 2})
	first := subscribe(t, h, "a", pubsub.Now)
	subscribe(t, h, "b", pubsub.Now)
	if _, err := h.Subscribe(t.Context(), "a", pubsub.Now); !errors.Is(err, pubsub.ErrFull) {
		t.Errorf("the third of two got %v, want ErrFull", err)
	}
	first.Close()
	eventually(t, func() bool { return h.Stats().Subscribers == 1 }, "a place is free again")
	subscribe(t, h, "a", pubsub.Now)
}

func TestMoreRoomsThanAllowedAreRefused(t *testing.T) {
	h := newHub(t, pubsub.Config{MaxRooms: 2})
	a := subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "idle", 1, 1)
	subscribe(t, h, "b", pubsub.Now) // The idle room makes place.
	if _, err := h.Subscribe(t.Context(), "c", pubsub.Now); !errors.Is(err, pubsub.ErrFull) {
		t.Errorf("Subscribe() to the third room of two = %v, want ErrFull", err)
	}
	if err := h.Publish(t.Context(), "c", note{}); !errors.Is(err, pubsub.ErrFull) {
		t.Errorf("Publish() in the third room of two = %v, want ErrFull", err)
	}
	publish(t, h, "a", 1, 1)
	want(t, a, 1, "1")
	if s := h.Stats(); s.Rooms != 2 || s.Subscribers != 2 {
		t.Errorf("the hub holds %+v", s)
	}
}

func TestNamesOfRoomsAreChecked(t *testing.T) {
	h := newHub(t, pubsub.Config{})
	for _, name := range []string{"", strings.Repeat("a", 201), "a\nb", "a\x00", "\xff"} {
		if _, err := h.Subscribe(t.Context(), name, pubsub.Now); err == nil {
			t.Errorf("Subscribe(%q) = nil", name)
		}
		if err := h.Publish(t.Context(), name, note{}); err == nil {
			t.Errorf("Publish(%q) = nil", name)
		}
	}
	publish(t, h, strings.Repeat("a", 200), 1, 1)
	if s := h.Stats(); s.Rooms != 1 {
		t.Errorf("the hub holds %+v, want one room", s)
	}
}

func TestALargeEventIsRefused(t *testing.T) {
	h := newHub(t, pubsub.Config{MaxEvent: 100})
	if err := h.Publish(t.Context(), "a", note{Text: strings.Repeat("x", 100)}); !errors.Is(err, pubsub.ErrTooLarge) {
		t.Errorf("Publish() = %v, want ErrTooLarge", err)
	}
	if s := h.Stats(); s.Rooms != 0 || s.Bytes != 0 {
		t.Errorf("the hub holds %+v of what it refused", s)
	}
	if err := h.Publish(t.Context(), "a", note{Text: strings.Repeat("x", 80)}); err != nil {
		t.Error(err)
	}
}

func TestBytesOfARoomAreBounded(t *testing.T) {
	h := newHub(t, pubsub.Config{HistoryBytes: 10_000, MaxEvent: 2_000})
	for range 100 {
		if err := h.Publish(t.Context(), "a", note{Text: strings.Repeat("x", 1_900)}); err != nil {
			t.Fatal(err)
		}
		if s := h.Stats(); s.Bytes > 10_000 {
			t.Fatalf("the hub holds %d bytes, want at most 10,000", s.Bytes)
		}
	}
	s := subscribe(t, h, "a", pubsub.Oldest)
	want(t, s, 4, "0 0 0 0")
}

func TestBytesOfAllRoomsAreBounded(t *testing.T) {
	h := newHub(t, pubsub.Config{HistoryBytes: 5_000, MaxBytes: 10_000, MaxEvent: 2_000})
	text := strings.Repeat("x", 1_500)
	in := subscribe(t, h, "full of people", pubsub.Now)
	if err := h.Publish(t.Context(), "full of people", note{N: 1, Text: text}); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if err := h.Publish(t.Context(), fmt.Sprint("idle ", n), note{Text: text}); err != nil {
			t.Fatal(err)
		}
		if s := h.Stats(); s.Bytes > 10_000 || s.Rooms > 6 {
			t.Fatalf("the hub holds %+v, want at most 10,000 bytes", s)
		}
	}
	want(t, in, 1, "1") // Rooms without subscribers go first.
	for n := range 10 {
		room := fmt.Sprint("busy ", n)
		subscribe(t, h, room, pubsub.Now)
		if err := h.Publish(t.Context(), room, note{Text: text}); n < 4 && err != nil || n > 5 && !errors.Is(err, pubsub.ErrFull) {
			t.Errorf("Publish() in busy room %d = %v", n, err)
		}
		if s := h.Stats(); s.Bytes > 10_000 {
			t.Fatalf("the hub holds %+v, want at most 10,000 bytes", s)
		}
	}
}

func TestMemoryIsGivenBackWhenRoomsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, pubsub.Config{HistoryAge: time.Minute})
		var all []*pubsub.Subscription[note]
		for n := range 500 {
			room := fmt.Sprint("room ", n)
			all = append(all, subscribe(t, h, room, pubsub.Now))
			publish(t, h, room, 1, 10)
		}
		if s := h.Stats(); s.Rooms != 500 || s.Subscribers != 500 || s.Bytes < 500*10*400 {
			t.Errorf("the hub holds %+v", s)
		}
		time.Sleep(2 * time.Minute)
		if s := h.Stats(); s.Rooms != 500 || s.Bytes != 0 {
			t.Errorf("with subscribers and nothing to resume the hub holds %+v, want 500 rooms without bytes", s)
		}
		for _, s := range all {
			s.Close()
		}
		time.Sleep(2 * time.Minute)
		if s := h.Stats(); s != (pubsub.Stats{}) {
			t.Errorf("when all have left the hub holds %+v", s)
		}
	})
}

// A subscriber that stands still must not hold on to what was published since.
func TestASlowSubscriberHoldsNoMemory(t *testing.T) {
	h := newHub(t, pubsub.Config{History: 4})
	stuck := subscribe(t, h, "a", pubsub.Now)
	publish(t, h, "a", 1, 1)
	want(t, stuck, 1, "1")
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	text := strings.Repeat("x", 60_000)
	for range 500 { // 30 MB
		if err := h.Publish(t.Context(), "a", note{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if after := used(); after > before+3<<20 {
		t.Errorf("%d bytes are held after 30 MB were published", after-before)
	}
	if _, err := stuck.Next(); !errors.Is(err, pubsub.ErrSlow) {
		t.Errorf("the stuck subscriber got %v", err)
	}
}

// A publisher never waits: nobody reads here.
func TestAPublisherDoesNotWaitForSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, pubsub.Config{History: 8})
		for range 100 {
			subscribe(t, h, "a", pubsub.Now)
		}
		start := time.Now()
		publish(t, h, "a", 1, 1000)
		if took := time.Since(start); took != 0 { // By the clock of the test, which moves only when all wait.
			t.Errorf("publishing waited %v", took)
		}
	})
}

// TestAThousandSubscribersGetTenThousandEvents: 10,000,000 deliveries, of which
// none is lost, doubled or out of order. Under the race detector there are fewer
// events.
func TestAThousandSubscribersGetTenThousandEvents(t *testing.T) {
	events := 10_000
	if raceDetector {
		events = 2_000
	}
	broadcast(t, 1_000, events)
}

func broadcast(t testing.TB, subscribers, events int) {
	h := newHub(t, pubsub.Config{History: events, HistoryBytes: events * 1_000})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var lost atomic.Int64
	var all sync.WaitGroup
	for range subscribers {
		s, err := h.Subscribe(ctx, "all", pubsub.Now)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			next := 1
			for e, err := range s.Events() {
				if err != nil {
					lost.Add(int64(events + 1 - next))
					return
				}
				if v, err := e.Value(); err != nil || v.N != next {
					lost.Add(1)
				}
				if next++; next > events {
					return
				}
			}
		})
	}
	publish(t, h, "all", 1, events)
	all.Wait()
	if n := lost.Load(); n != 0 {
		t.Errorf("%d of %d deliveries were lost, doubled or out of order", n, subscribers*events)
	}
}

// Subscribers come and go while several publish, and what each sees is without a
// hole between its first and its last.
func TestSubscribersComeAndGo(t *testing.T) {
	h := newHub(t, pubsub.Config{History: 1 << 14, HistoryBytes: 100 << 20})
	var publishers, visitors sync.WaitGroup
	for range 3 {
		publishers.Go(func() {
			for range 1000 {
				if err := h.Publish(context.Background(), "a", note{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var trails [20][]pubsub.ID
	for i := range trails {
		visitors.Go(func() {
			last := pubsub.Oldest
			for range 20 {
				s, err := h.Subscribe(t.Context(), "a", last)
				if err != nil {
					t.Error(err)
					return
				}
				for range 50 {
					e, err := s.Next()
					if err != nil || e.Gap {
						t.Errorf("a visitor got %+v, %v", e, err)
					}
					last = e.ID
					trails[i] = append(trails[i], e.ID)
				}
				s.Close()
			}
		})
	}
	publishers.Wait()
	visitors.Wait()
	for i, trail := range trails {
		if fmt.Sprint(trail) != fmt.Sprint(trails[0]) {
			t.Errorf("visitor %d saw another history than the first", i)
		}
	}
	if len(trails[0]) != 1000 {
		t.Errorf("the first saw %d events, want 1,000", len(trails[0]))
	}
	eventually(t, func() bool { return h.Stats().Subscribers == 0 }, "all have left")
}

func TestTextOfIDs(t *testing.T) {
	for text, want := range map[string]pubsub.ID{"": 0, "1": 1, "1764000000000000": 1764000000000000, "9223372036854775807": 1<<63 - 1} {
		if got, err := pubsub.ParseID(text); err != nil || got != want || got.String() != text {
			t.Errorf("ParseID(%q) = %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "01", "+1", "-1", " 1", "1 ", "1\n", "0x1", "1_0", "1e3", "9223372036854775808", "x", "١"} {
		if got, err := pubsub.ParseID(text); err == nil {
			t.Errorf("ParseID(%q) = %d, want an error", text, got)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, text := range []string{"", "1", "0", "1764000000000000", "+1", "9223372036854775808"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := pubsub.ParseID(text); err == nil && id.String() != text {
			t.Errorf("ParseID(%q) = %d, whose text is another", text, id)
		}
	})
}

func BenchmarkBroadcast(b *testing.B) {
	for b.Loop() {
		broadcast(b, 1_000, 10_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e7, "ns/delivery")
}

func BenchmarkPublish(b *testing.B) {
	h := newHub(b, pubsub.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Publish(context.Background(), "a", note{N: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
