package pubsubtest

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastness/fastness/pubsub"
)

// The tests of a bus by itself.

func put(t *testing.T, b pubsub.Bus, room string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := b.Publish(within(t), room, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// all reads a room from an id on, page by page.
func all(t *testing.T, b pubsub.Bus, room string, after pubsub.ID) (texts []string, ids []pubsub.ID, complete bool) {
	t.Helper()
	complete = true
	for {
		p, err := b.Read(within(t), room, after)
		if err != nil {
			t.Fatal(err)
		}
		complete = complete && (after == pubsub.Oldest || p.Complete(after))
		if len(p.Messages) == 0 {
			return texts, ids, complete
		}
		for _, m := range p.Messages {
			if m.ID <= after {
				t.Fatalf("id %d comes after %d", m.ID, after)
			}
			after = m.ID
			texts, ids = append(texts, string(m.Data)), append(ids, m.ID)
		}
		if p.Last < after {
			t.Errorf("the last id is %d, and %d was read", p.Last, after)
		}
	}
}

func roundTrip(t *testing.T, e Engine) {
	want := []string{`{"a":"ü\u2028€😀"}`, `""`, "\"" + strings.Repeat("x", 60_000) + "\"", "[1,\r\n2]", "\"\x00\x01\\\"'$1%s{}\""}
	put(t, e.Buses[0], "room", want...)
	for _, b := range e.Buses {
		if got, _, complete := all(t, b, "room", pubsub.Oldest); !complete || !reflect.DeepEqual(got, want) {
			t.Errorf("read %.200q, complete: %t", got, complete)
		}
	}
}

func sameOrder(t *testing.T, e Engine) {
	var group sync.WaitGroup
	for i, b := range e.Buses {
		group.Go(func() {
			for n := range 100 {
				if err := b.Publish(within(t), "room", fmt.Appendf(nil, "[%d,%d]", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	texts, ids, complete := all(t, e.Buses[0], "room", pubsub.Oldest)
	if len(texts) != 300 || !complete {
		t.Fatalf("%d messages, complete: %t; want 300", len(texts), complete)
	}
	next := [3]int{}
	for _, text := range texts {
		var i, n int
		if _, err := fmt.Sscanf(text, "[%d,%d]", &i, &n); err != nil || n != next[i] {
			t.Fatalf("%s comes when %d was the next of that process", text, next[i])
		}
		next[i]++
	}
	for _, b := range e.Buses[1:] {
		if got, gotIDs, _ := all(t, b, "room", pubsub.Oldest); !reflect.DeepEqual(got, texts) || !reflect.DeepEqual(gotIDs, ids) {
			t.Error("two processes read different orders")
		}
	}
}

func pages(t *testing.T, e Engine) {
	for n := range 400 {
		put(t, e.Buses[n%3], "room", strconv.Itoa(n))
	}
	_, ids, complete := all(t, e.Buses[0], "room", pubsub.Oldest)
	if len(ids) != 400 || !complete {
		t.Fatalf("%d messages, complete: %t; want 400", len(ids), complete)
	}
	for _, from := range []int{0, 1, 199, 398, 399} {
		texts, _, complete := all(t, e.Buses[1], "room", ids[from])
		if !complete || len(texts) != 399-from || from < 399 && texts[0] != strconv.Itoa(from+1) {
			t.Errorf("after message %d there are %d, complete: %t", from, len(texts), complete)
		}
	}
}

func complete(t *testing.T, e Engine) {
	b := e.Buses[0]
	page := func(room string, after pubsub.ID) pubsub.Page {
		t.Helper()
		p, err := b.Read(within(t), room, after)
		if err != nil {
			t.Fatal(err)
		}
		if p.Last == 0 {
			t.Error("the last id is 0")
		}
		return p
	}
	start := page("silent", pubsub.Oldest).Last
	if p := page("silent", start); !p.Complete(start) {
		t.Error("a room in which nothing happened is not known to be complete")
	}
	put(t, b, "silent", "1")
	if p := page("silent", start); !p.Complete(start) || len(p.Messages) != 1 || p.Messages[0].ID <= start {
		t.Errorf("after the first message of a room: %+v, asked for after %d", p, start)
	}
	_, ids, _ := all(t, b, "silent", pubsub.Oldest)
	if p := page("silent", ids[0]); !p.Complete(ids[0]) || len(p.Messages) != 0 || p.Last != ids[0] {
		t.Errorf("after the last message of a room: %+v", p)
	}
	for name, after := range map[string]pubsub.ID{"long ago": 2, "to come": 1 << 62} {
		for _, room := range []string{"silent", "never heard of"} {
			if p := page(room, after); p.Complete(after) {
				t.Errorf("%s: after an id from %s the log is said to be complete", room, name)
			}
		}
	}
}

func bounded(t *testing.T, e Engine) {
	put(t, e.Buses[0], "room", "first")
	_, first, _ := all(t, e.Buses[0], "room", pubsub.Oldest)
	var group sync.WaitGroup // In parallel, because a history may be long.
	for i, b := range e.Buses {
		group.Go(func() {
			for range e.History/3 + 100 {
				if err := b.Publish(within(t), "room", []byte(strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	texts, ids, _ := all(t, e.Buses[0], "room", pubsub.Oldest)
	if len(texts) < e.History || len(texts) > e.History+e.History/4+64 {
		t.Errorf("%d messages are kept, want %d or a few more", len(texts), e.History)
	}
	if p, err := e.Buses[1].Read(within(t), "room", first[0]); err != nil || p.Complete(first[0]) {
		t.Errorf("what was dropped is not missed: %v", err)
	}
	if p, err := e.Buses[1].Read(within(t), "room", ids[0]); err != nil || !p.Complete(ids[0]) {
		t.Errorf("what was not dropped is missed: %v", err)
	}
}

// trickyRooms are names that a pattern, a key or a prefix could take for others.
func trickyRooms() []string {
	return []string{"a", "A", "a/b", "a/", "/a", "a b", "a*", "*", "?", "[ab]", "a{b}", "{", "a:b", "ä", "a\u0308", "a'; --", "%", "a\\", strings.Repeat("x", 200), strings.Repeat("x", 199)}
}

func roomsApart(t *testing.T, e Engine) {
	rings := make(map[string]*atomic.Int64)
	for _, room := range trickyRooms() {
		heard := new(atomic.Int64)
		rings[room] = heard
		stop := e.Buses[1].Follow(room, func() { heard.Add(1) })
		t.Cleanup(stop)
	}
	for _, room := range trickyRooms() {
		until(t, "the bell of "+room+" is heard", func() bool { return rings[room].Load() > 0 })
		put(t, e.Buses[0], room, strconv.Quote(room))
		until(t, "the bell of "+room+" rings", func() bool { return rings[room].Load() > 1 })
	}
	for _, room := range trickyRooms() {
		if got, _, _ := all(t, e.Buses[2], room, pubsub.Oldest); len(got) != 1 || got[0] != strconv.Quote(room) {
			t.Errorf("room %q has %q", room, got)
		}
	}
	if got, _, _ := all(t, e.Buses[2], "b", pubsub.Oldest); len(got) != 0 {
		t.Errorf("a room in which nothing was published has %q", got)
	}
}

func tooLarge(t *testing.T, e Engine) {
	fits := []byte("\"" + strings.Repeat("x", e.MaxData-2) + "\"")
	if err := e.Buses[0].Publish(within(t), "room", fits); err != nil {
		t.Error(err)
	}
	if err := e.Buses[0].Publish(within(t), "room", append(fits, ' ')); !errors.Is(err, pubsub.ErrTooLarge) {
		t.Errorf("Publish() of one byte too much = %v, want ErrTooLarge", err)
	}
	if got, _, _ := all(t, e.Buses[1], "room", pubsub.Oldest); len(got) != 1 || len(got[0]) != len(fits) {
		t.Errorf("%d messages are in the room, want the one that fits", len(got))
	}
}

func bells(t *testing.T, e Engine) {
	var first, second atomic.Int64
	stop := e.Buses[0].Follow("room", func() { first.Add(1) })
	stopSecond := e.Buses[0].Follow("room", func() { second.Add(1) }) // Two hubs of one process.
	defer stopSecond()
	until(t, "both are told that the bus listens", func() bool { return first.Load() > 0 && second.Load() > 0 })
	before := second.Load()
	put(t, e.Buses[1], "room", "1")
	until(t, "the bell rings", func() bool { return second.Load() > before })
	stop()
	heard := first.Load()
	before = second.Load()
	for n := range 10 {
		put(t, e.Buses[1], "room", strconv.Itoa(n))
	}
	until(t, "the other bell still rings", func() bool { return second.Load() > before })
	if n := first.Load(); n > heard+1 { // One may be on its way.
		t.Errorf("a bell that was stopped rang %d times", n-heard)
	}
	heard = first.Load()
	again := e.Buses[0].Follow("room", func() { first.Add(1) })
	defer again()
	until(t, "a bell that is followed again rings", func() bool { return first.Load() > heard })
}
