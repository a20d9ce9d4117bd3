package ratelimit

import (
	"context"
	"testing"
	"time"
	"unsafe"
)

// TestWhatWasEvictedIsNotCharged: between finding a budget and locking it, it may
// go and another key get its place.
func TestWhatWasEvictedIsNotCharged(t *testing.T) {
	m, err := NewMemory(MemoryConfig{MaxKeys: 64})
	if err != nil {
		t.Fatal(err)
	}
	q := Quota{Count: 100, Window: time.Hour}
	old := &Spend{Key: []byte("old"), Cost: 1, Quotas: []Quota{q}, States: make([]State, 1)}
	if err := m.Take(context.Background(), old); err != nil {
		t.Fatal(err)
	}
	sh := &m.shards[0]
	c := &charge{}
	for id := range sh.table.made {
		if e := sh.table.at(id + 1); e.level != gone {
			c.id = e.hash.Load()
		}
	}
	if !sh.table.find(c) || !c.entry.is(c.id) {
		t.Fatal("the budget is not found")
	}
	found := []charge{*c}
	if !takeFound(0, found, old) || !old.Allowed || old.States[0].Remaining != 98 {
		t.Fatalf("before it goes: %+v", old)
	}
	sh.table.remove(c.place, c.entry, 0)
	if c.entry.is(c.id) {
		t.Error("a budget that was evicted is there")
	}
	if takeFound(0, found, old) {
		t.Error("a budget that was evicted is charged")
	}
	sh.table.insert(&charge{id: c.id + 1}, 0)
	if c.entry.hash.Load() != c.id+1 || c.entry.is(c.id) {
		t.Error("another's budget is taken for the one that was there before")
	}
	if takeFound(0, found, old) || c.entry.budget.total != 0 {
		t.Error("another is charged for the one that was there before")
	}
	if sh.table.find(c) {
		t.Error("a budget that was evicted is found")
	}
}

// TestAnEarlierReadingOfTheClockGivesNothingBack: of two requests, the one that
// read the clock first may be served last.
func TestAnEarlierReadingOfTheClockGivesNothingBack(t *testing.T) {
	for _, a := range []Algorithm{SlidingWindow, GCRA} {
		m, err := NewMemory(MemoryConfig{MaxKeys: 64})
		if err != nil {
			t.Fatal(err)
		}
		q := Quota{Count: 2, Window: time.Minute}
		s := &Spend{Cost: 2, Algorithm: a, Quotas: []Quota{q}, States: make([]State, 1)}
		charges := []charge{{id: 1}}
		m.shards[0].takeAny(int64(time.Hour), 0, charges, s)
		if !s.Allowed {
			t.Fatalf("%v: %+v", a, s)
		}
		for _, before := range []time.Duration{0, 1, time.Microsecond, 2 * time.Microsecond, time.Millisecond, 50 * time.Millisecond} {
			for cost := range 2 {
				s.Cost = cost + 1
				known := m.shards[0].takeKnown(int64(time.Hour-before), charges, s)
				state := s.States[0]
				if !known || s.Allowed || state.Remaining != 0 || state.Wait <= 0 || state.Wait > q.Window || state.Reset > q.Window {
					t.Errorf("%v: %v before: allowed %t, %+v", a, before, s.Allowed, state)
				}
			}
		}
	}
}

// TestABudgetIsACacheLine, and whole: two cores would wait for each other.
func TestABudgetIsACacheLine(t *testing.T) {
	var x table
	x.init(64)
	x.make(0)
	if e := x.at(1); unsafe.Sizeof(*e) != line || uintptr(unsafe.Pointer(e))%line != 0 {
		t.Errorf("an entry of %d bytes at %p, want lines of %d", unsafe.Sizeof(*e), e, line)
	}
	if size := unsafe.Sizeof(index{}); size != 2*line {
		t.Errorf("an index has %d bytes, want %d", size, 2*line)
	}
}
