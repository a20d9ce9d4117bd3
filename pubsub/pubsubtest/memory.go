package pubsubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fastness/fastness/pubsub"
)

// Memory is a bus within one process: for tests of what happens between several
// hubs, without a server. The zero value is ready. Set its fields before it is
// used.
type Memory struct {
	// History is how many messages of a room are kept. The default is 1024.
	History int
	// Page is how many messages one read returns. The default is 64.
	Page int
	// MaxData is how large a message may be. The default is 64 KiB.
	MaxData int

	mu    sync.Mutex
	down  bool
	last  pubsub.ID
	since pubsub.ID
	rooms map[string]*log
	bells map[*bell]struct{}
}

type log struct {
	entries []entry
	last    pubsub.ID
}

type entry struct {
	pubsub.Message
	before pubsub.ID
}

type bell struct {
	room string
	ring func()
}

// errDown is the error of a bus that is stopped.
var errDown = errors.New("pubsubtest: the bus is down")

// now is the time as an id that no other has.
func (m *Memory) now() pubsub.ID {
	m.last = max(m.last+1, pubsub.ID(time.Now().UnixMicro()))
	return m.last
}

// Publish is [pubsub.Bus.Publish].
func (m *Memory) Publish(_ context.Context, room string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	most := m.MaxData
	if most == 0 {
		most = 64 << 10
	}
	switch {
	case m.down:
		return errDown
	case len(data) > most:
		return fmt.Errorf("%w: %d bytes, and the bus takes %d", pubsub.ErrTooLarge, len(data), most)
	}
	if m.rooms == nil {
		m.rooms = make(map[string]*log)
	}
	l := m.rooms[room]
	if l == nil {
		l = &log{}
		m.rooms[room] = l
	}
	id := m.now()
	l.entries = append(l.entries, entry{pubsub.Message{ID: id, Data: slices.Clone(data)}, l.last})
	l.last = id
	keep := m.History
	if keep == 0 {
		keep = 1024
	}
	l.entries = l.entries[max(0, len(l.entries)-keep):]
	m.ring(room)
	return nil
}

// ring rings the bells of a room, or all of them.
func (m *Memory) ring(room string) {
	for b := range m.bells {
		if room == "" || b.room == room {
			go b.ring()
		}
	}
}

// Read is [pubsub.Bus.Read].
func (m *Memory) Read(_ context.Context, room string, after pubsub.ID) (pubsub.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return pubsub.Page{}, errDown
	}
	found := pubsub.Log{Now: m.now(), Since: m.since, Memory: 24 * time.Hour}
	l := m.rooms[room]
	if l == nil {
		return found.Page(), nil
	}
	found.Last = l.last
	most := m.Page
	if most == 0 {
		most = 64
	}
	for _, e := range l.entries {
		if e.ID > after && len(found.Messages) < most {
			if len(found.Messages) == 0 {
				found.Before = e.before
			}
			found.Messages = append(found.Messages, e.Message)
		}
	}
	return found.Page(), nil
}

// Follow is [pubsub.Bus.Follow].
func (m *Memory) Follow(room string, ring func()) (stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bells == nil {
		m.bells = make(map[*bell]struct{})
	}
	b := &bell{room, ring}
	m.bells[b] = struct{}{}
	go ring()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.bells, b)
	}
}

// Stop lets the bus answer nothing until Start.
func (m *Memory) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = true
}

// Start lets the bus answer again. If it has lost what it had, all that was is
// gone, as with a server that keeps nothing.
func (m *Memory) Start(lost bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = false
	if lost {
		m.rooms, m.since = nil, m.now()
	}
	m.ring("")
}

// Followed returns how many bells there are.
func (m *Memory) Followed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.bells)
}
