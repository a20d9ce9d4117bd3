package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Memory remembers attempts in this process. It is a [Replay].
type Memory struct {
	mu       sync.Mutex
	max      int
	now      func() time.Time
	seen     map[string]struct{}
	bySecond map[int64][]string // what is forgotten after that second
	swept    int64              // the first second that has not been forgotten
}

// NewMemory returns a memory of at most max attempts; 0 is 100,000, some 20 MB
// when it is full. Then it remembers no more and returns an error: what it forgot
// could be sent again. Only who has a secret can fill it. A nil now is [time.Now].
func NewMemory(max int, now func() time.Time) *Memory {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	return &Memory{max: max, now: now, seen: map[string]struct{}{}, bySecond: map[int64][]string{}}
}

// First reports whether id is new, and remembers it.
func (m *Memory) First(_ context.Context, id string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(m.now().Unix())
	if _, ok := m.seen[id]; ok {
		return false, nil
	}
	if len(m.seen) >= m.max {
		return false, fmt.Errorf("webhook: %w", errFull)
	}
	m.seen[id] = struct{}{}
	m.bySecond[until.Unix()] = append(m.bySecond[until.Unix()], id)
	return true, nil
}

var errFull = errors.New("the memory of attempts is full")

// sweep forgets what ended before now. A second is looked at once; after a long
// silence only those that have something.
func (m *Memory) sweep(now int64) {
	if now-m.swept > int64(len(m.bySecond)) {
		for second := range m.bySecond {
			if second < now {
				m.forget(second)
			}
		}
		m.swept = now
	}
	for ; m.swept < now; m.swept++ {
		m.forget(m.swept)
	}
}

func (m *Memory) forget(second int64) {
	for _, id := range m.bySecond[second] {
		delete(m.seen, id)
	}
	delete(m.bySecond, second)
}
