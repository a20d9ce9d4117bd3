package pubsub

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"github.com/fastness/fastness/schema"
)

// ID is the id of an event: a number that grows in its room, by the clock, in
// microseconds. As text it has digits only, and fits the field Last-Event-ID of
// server-sent events. It says when something happened, and nothing else.
type ID uint64

const (
	// Now is the id after which a subscriber gets what is published from now on.
	Now ID = 0
	// Oldest is the id after which a subscriber gets all that is kept, and no gap
	// before it.
	Oldest ID = 1
)

// ParseID reads an id from text. No text is [Now]: who has seen nothing yet
// starts now.
func ParseID(text string) (ID, error) {
	if text == "" {
		return Now, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || text[0] == '0' || text[0] == '+' {
		return 0, schema.Invalid("the id of an event is a number, as it was received")
	}
	return ID(n), nil
}

// String returns the id as text, and nothing for [Now].
func (id ID) String() string {
	if id == Now {
		return ""
	}
	return strconv.FormatUint(uint64(id), 10)
}

// MarshalText is [ID.String].
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseID].
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// Event is what a subscriber gets.
type Event[T any] struct {
	// ID is what a client sends to resume after this event.
	ID ID
	// Gap says that events before this moment may be missing, and that this is
	// none: it has an ID and no value. The client has to load the state anew.
	Gap bool
	// JSON is the encoded value, shared by all subscribers.
	JSON schema.Encoded[T]

	value *lazy[T]
}

// lazy is a value that is decoded when somebody asks, once for all subscribers.
type lazy[T any] struct {
	once  sync.Once
	plan  *schema.Plan
	value T
	err   error
}

// Value returns the value as its JSON says: what JSON does not hold is zero. It
// is shared by all subscribers: do not change what it leads to. A gap has none.
func (e Event[T]) Value() (T, error) {
	if e.value == nil {
		var none T
		return none, errors.New("pubsub: a gap has no value")
	}
	l := e.value
	l.once.Do(func() {
		report := schema.Report{Context: context.Background()}
		l.plan.Decode(&report, e.JSON.Bytes(), reflect.ValueOf(&l.value).Elem())
		if err := report.Err(); err != nil {
			l.err = fmt.Errorf("pubsub: an event that is no %s: %w", l.plan.Type(), err)
		}
	})
	return l.value, l.err
}

// newEvent returns an event without an id.
func (h *Hub[T]) newEvent(json schema.Encoded[T]) *Event[T] {
	return &Event[T]{JSON: json, value: &lazy[T]{plan: h.client}}
}
