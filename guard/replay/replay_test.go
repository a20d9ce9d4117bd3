package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/replay"
)

type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func memory(t testing.TB, cfg replay.Config) *replay.Memory {
	t.Helper()
	m, err := replay.NewMemory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func first(t testing.TB, m *replay.Memory, id string, until time.Time) bool {
	t.Helper()
	ok, err := m.First(context.Background(), id, until)
	if err != nil {
		t.Fatalf("First(%q): %v", id, err)
	}
	return ok
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := replay.NewMemory(replay.Config{Max: -1}); err == nil {
		t.Error("a cache for -1 ids was made")
	}
}

func TestAReplayIsNotTheFirst(t *testing.T) {
	c := new(clock)
	m := memory(t, replay.Config{Now: c.now})
	until := c.now().Add(time.Minute)
	if !first(t, m, "a", until) || first(t, m, "a", until) || !first(t, m, "b", until) {
		t.Error("want true for each id once")
	}
	c.advance(time.Minute - 1)
	if first(t, m, "a", until) {
		t.Error("an id was forgotten before its time")
	}
}

func TestAnExpiredIDIsNeverTheFirst(t *testing.T) {
	c := new(clock)
	m := memory(t, replay.Config{Now: c.now})
	if first(t, m, "late", c.now()) || first(t, m, "later", c.now().Add(-time.Hour)) || m.Len() != 0 {
		t.Errorf("an id that has expired was the first; %d are kept", m.Len())
	}
}

func TestAFloodOfIDsDoesNotMakeItForget(t *testing.T) {
	c := new(clock)
	m := memory(t, replay.Config{Max: 1000, Now: c.now})
	until := c.now().Add(time.Minute)
	if !first(t, m, "token", until) {
		t.Fatal("the first use is refused")
	}
	full := 0
	for i := range 100_000 {
		switch ok, err := m.First(context.Background(), strconv.Itoa(i), until); {
		case errors.Is(err, replay.ErrFull) && !ok:
			full++
		case err != nil || !ok:
			t.Fatalf("id %d: %t, %v", i, ok, err)
		}
	}
	if m.Len() > 1000 || full < 99_000 {
		t.Errorf("%d ids are kept and %d were refused, want at most 1000 and the rest", m.Len(), full)
	}
	if ok, err := m.First(context.Background(), "token", until); ok || err != nil {
		t.Errorf("the replay behind the flood: %t, %v", ok, err)
	}
	c.advance(time.Minute)
	if !first(t, m, "fresh", c.now().Add(time.Minute)) {
		t.Error("it stays full though all have expired")
	}
}

func TestExpiredIDsMakeRoomInAnyOrder(t *testing.T) {
	c := new(clock)
	m := memory(t, replay.Config{Max: 200, Now: c.now})
	for i := range 200 {
		first(t, m, strconv.Itoa(i), c.now().Add(time.Duration((i*73)%200+1)*time.Second))
	}
	for s := 1; s <= 200; s++ {
		c.advance(time.Second)
		if !first(t, m, fmt.Sprint("new", s), c.now().Add(time.Hour)) {
			t.Fatalf("second %d: refused", s)
		}
		if m.Len() != 200 {
			t.Fatalf("second %d: %d ids, want 200: the one that has expired gone, the others kept", s, m.Len())
		}
	}
}

func TestAClockThatIsSetBackForgetsNothing(t *testing.T) {
	c := new(clock)
	m := memory(t, replay.Config{Now: c.now})
	until := c.now().Add(time.Minute)
	first(t, m, "a", until)
	c.advance(-time.Hour)
	if first(t, m, "a", until) {
		t.Error("replayed after the clock went back")
	}
	c.advance(time.Hour + 30*time.Second)
	if first(t, m, "a", until) {
		t.Error("replayed before it expired")
	}
}

func TestOneOfManyAtOnceIsTheFirst(t *testing.T) {
	m := memory(t, replay.Config{})
	until := time.Now().Add(time.Minute)
	for round := range 50 {
		var firsts atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if ok, err := m.First(context.Background(), strconv.Itoa(round), until); err == nil && ok {
					firsts.Add(1)
				}
			})
		}
		wg.Wait()
		if firsts.Load() != 1 {
			t.Fatalf("round %d: %d were the first", round, firsts.Load())
		}
	}
}

func BenchmarkFirst(b *testing.B) {
	m := memory(b, replay.Config{Max: 1 << 20})
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		_, _ = m.First(context.Background(), strconv.Itoa(i), time.Now().Add(time.Second))
	}
}

func Example() {
	seen, err := replay.NewMemory(replay.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	expires := time.Now().Add(time.Hour)
	for range 2 {
		first, err := seen.First(context.Background(), "token 17", expires)
		fmt.Println(first, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}
