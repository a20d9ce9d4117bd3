package idempotency

import (
	"context"
	"maps"
	"sync"
)

// Memory keeps keys in the memory of this process, for tests and for programs of one
// process: a restart forgets them, and a second process does not know them. It is
// safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	max     int
	entries map[string]Entry
}

// NewMemory returns a store of at most max entries; 0 means 10,000. While it is full
// new keys are refused: to forget one would let its request be done again.
func NewMemory(max int) *Memory {
	if max <= 0 {
		max = 10_000
	}
	return &Memory{max: max, entries: make(map[string]Entry)}
}

// Begin keeps e, or returns the entry that is there.
func (m *Memory) Begin(_ context.Context, _ any, e Entry) (*Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok := m.entries[e.ID]; ok && e.Now.Before(found.Until) {
		return &found, nil
	}
	if len(m.entries) >= m.max {
		maps.DeleteFunc(m.entries, func(_ string, old Entry) bool { return !e.Now.Before(old.Until) })
	}
	if len(m.entries) >= m.max {
		return nil, ErrFull
	}
	m.entries[e.ID] = e
	return nil, nil
}

// Finish adds the answer.
func (m *Memory) Finish(_ context.Context, _ any, id string, answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[id]
	e.Answer = answer
	m.entries[id] = e
	return nil
}

// Abandon forgets an entry: it is in no transaction.
func (m *Memory) Abandon(_ context.Context, _ any, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, id)
	return nil
}
