package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
)

// table stands for a database: it counts how often it is asked.
type table struct {
	value string
	err   error
	loads int
	now   time.Time
	while func() // what happens while a load is under way
}

func (b *table) load(context.Context, string) (string, error) {
	b.loads++
	value := b.value
	if b.while != nil {
		b.while()
	}
	return value, b.err
}

func (b *table) time() time.Time { return b.now }

func newTable() (*table, *sqlstore.Recent[string, string]) {
	b := &table{value: "live", now: time.Unix(1_000_000, 0)}
	return b, sqlstore.NewRecent(4, 4*time.Second, b.time, b.load)
}

func want(t *testing.T, r *sqlstore.Recent[string, string], key, value string) {
	t.Helper()
	if got, err := r.Get(t.Context(), key); err != nil || got != value {
		t.Errorf("Get(%q) = %q, %v, want %q", key, got, err, value)
	}
}

func TestRecentLoadsOnceInAWhile(t *testing.T) {
	b, r := newTable()
	for _, step := range []struct {
		after time.Duration
		loads int
	}{{0, 1}, {3999 * time.Millisecond, 1}, {time.Millisecond, 2}, {-time.Hour, 3}} {
		b.now = b.now.Add(step.after)
		if want(t, r, "a", "live"); b.loads != step.loads {
			t.Errorf("%v later there were %d loads, want %d", step.after, b.loads, step.loads)
		}
	}
}

func TestRecentForgetsAtOnce(t *testing.T) {
	b, r := newTable()
	want(t, r, "a", "live")
	b.value = "ended"
	r.Forget("a")
	want(t, r, "a", "ended")
}

// A request reads "live", the user logs out, and then the request keeps what it
// has read: for four more seconds nobody would be logged out.
func TestLoadThatBeganBeforeAChangeIsNotKept(t *testing.T) {
	b, r := newTable()
	b.while = func() {
		b.while = nil
		b.value = "ended"
		r.Forget("a")
	}
	want(t, r, "a", "live") // It overlapped the change: either answer is right.
	want(t, r, "a", "ended")
}

func TestRecentKeepsNoErrors(t *testing.T) {
	b, r := newTable()
	b.err = errors.New("down")
	if _, err := r.Get(t.Context(), "a"); !errors.Is(err, b.err) {
		t.Errorf("Get() of a broken database: %v, want its error", err)
	}
	b.err = nil
	want(t, r, "a", "live")
}

func TestRecentIsBounded(t *testing.T) {
	b, r := newTable()
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, key := range keys {
		want(t, r, key, "live")
	}
	b.loads = 0
	for i := range keys { // From the newest, as reading an old one makes room for it.
		want(t, r, keys[len(keys)-1-i], "live")
		if i < 2 && b.loads != 0 {
			t.Errorf("%q, among the newest, was loaded again", keys[len(keys)-1-i])
		}
	}
	if b.loads < 4 {
		t.Errorf("%d of 8 keys were loaded again, want at least 4: the cache is of 4", b.loads)
	}
}

func TestRecentHitDoesNotAllocate(t *testing.T) {
	_, r := newTable()
	want(t, r, "a", "live")
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Get(t.Context(), "a") }); n != 0 {
		t.Errorf("a hit costs %v allocations, want 0", n)
	}
}
