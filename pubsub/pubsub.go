// Package pubsub tells many connections what happened: a hub has rooms, a room
// has subscribers, and what is published in a room reaches all of them, in
// order, in every process.
//
//	hub, err := pubsub.New[Bid](pubsub.Config{})
//	…
//	err = hub.Publish(ctx, "item-7", Bid{Sum: 12})
//	…
//	sub, err := hub.Subscribe(ctx, "item-7", lastID)
//	if err != nil {
//		return err
//	}
//	for event, err := range sub.Events() { … }
//
// # Rooms
//
// A room exists while somebody is in it or something in it can be resumed, and
// nobody makes or closes one. Its name is the application's: make it from what
// was loaded and allowed ("item-" and the id of an item that the caller may
// see), never from what a caller sent, who could listen anywhere.
//
// # One encoding for all
//
// A value is encoded when it is published, once, by the plan of its type (see
// package schema), and all subscribers share the bytes. So an event is the same
// for everybody: a type with members that only some roles see (the tag
// visibleTo) or with a secret is a mistake that New names. What only some may
// know belongs into a room of theirs.
//
// # Resuming
//
// Each event has an id that grows in its room, across processes and restarts.
// Who comes back with the id of the last event that it has seen gets what it
// missed, if that is still kept: [Config].History events for [Config].HistoryAge.
// If it is not known to be complete, the first event is a gap ([Event].Gap) and
// the client has to load the state anew. Nothing is lost without being told.
//
// # Slow subscribers
//
// A publisher never waits for a subscriber. The history is the only queue: a
// subscriber that is further behind than that is dropped with [ErrSlow], and its
// connection can tell the client to come back. A thousand slow subscribers take
// no more memory than one.
//
// # Several processes
//
// With a [Bus] the hubs of all processes are one: package redis has one, and
// the module database one over PostgreSQL. Without one a hub is alone.
//
// # Transactions
//
// What is published by [Hub.PublishTx] is told when the transaction has
// committed, and never if it rolled back.
package pubsub

import (
	"container/list"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fastness/fastness/schema"
)

// Config configures a [Hub]. The zero value is fine for one process.
type Config struct {
	// Name tells hubs on one bus apart. Required with a Bus; all processes give
	// the same hub the same name.
	Name string
	// Bus carries events between processes. Nil means that there is only this
	// one.
	Bus Bus
	// History is how many events of a room are kept, for resuming, and how far a
	// subscriber may be behind. The default is 256.
	History int
	// HistoryAge is how long an event is kept. The default is five minutes.
	HistoryAge time.Duration
	// HistoryBytes is how large the events may be that are kept of one room,
	// where each counts 400 bytes more than its JSON has. The default is 1 MiB.
	HistoryBytes int
	// MaxBytes is how large the events of all rooms may be, in this process. The
	// default is 64 MiB. Rooms without subscribers are forgotten first.
	MaxBytes int
	// MaxEvent is how large the JSON of one event may be. The default is 64 KiB.
	MaxEvent int
	// MaxRooms is how many rooms this process may know. The default is 10,000.
	MaxRooms int
	// MaxSubscribers is how many subscribers this process may have, in all rooms.
	// The default is 10,000.
	MaxSubscribers int
	// Names is the style of an app that sends the events: that of its Config. It counts
	// where members have no names of their own.
	Names schema.Style
	// Logger is told when the bus does not answer. The default is
	// [slog.Default] at that time.
	Logger *slog.Logger
}

// The errors of a subscription, of Subscribe and of Publish. They are within a
// *problem.Problem that can be shown to callers; ask with [errors.Is].
var (
	// ErrSlow ends a subscription that is further behind than the history.
	ErrSlow = errors.New("pubsub: the subscriber is too slow")
	// ErrFull means that there are too many rooms, subscribers or bytes.
	ErrFull = errors.New("pubsub: the hub is full")
	// ErrClosed means that the hub or the subscription was closed.
	ErrClosed = errors.New("pubsub: closed")
	// ErrTooLarge means that an event is larger than MaxEvent. It is no problem:
	// the application made the event.
	ErrTooLarge = errors.New("pubsub: the event is too large")
)

// Hub has the rooms of one type of event. It is safe for concurrent use.
type Hub[T any] struct {
	cfg    Config
	event  *schema.Type[T] // as it is published
	client *schema.Plan    // as it is received
	cut    *link[T]        // stands where a history was cut off
	closed chan struct{}
	pulls  chan struct{} // a place for each read of the bus

	mu          sync.Mutex
	rooms       map[string]*room[T]
	idle        *list.List // rooms without subscribers, of which the first was left first
	subscribers int
	bytes       int
	last        ID
	sweep       *time.Timer
}

// New returns a hub, or an error that names every mistake in cfg and in the
// declaration of T.
func New[T any](cfg Config) (*Hub[T], error) {
	mistakes := cfg.complete()
	h := &Hub[T]{
		cfg: cfg, cut: newLink[T](0), closed: make(chan struct{}), pulls: make(chan struct{}, 8), rooms: make(map[string]*room[T]), idle: list.New(),
	}
	plan, err := schema.NewTypes(schema.Config{Names: cfg.Names}).Plan(reflect.TypeFor[schema.Encoded[T]](), "")
	if err == nil {
		err = plan.Answerable()
	}
	if err == nil {
		h.event, err = schema.ForNames[T](cfg.Names)
	}
	if err == nil {
		h.client, err = schema.NewTypes(schema.Config{
			Client: true, InsecureIgnoreUnknown: "a process of a newer version may add members", Names: cfg.Names,
		}).Plan(reflect.TypeFor[T](), "")
	}
	if err := errors.Join(append(mistakes, err)...); err != nil {
		return nil, fmt.Errorf("pubsub config: %w", err)
	}
	return h, nil
}

// complete fills in the defaults and returns the mistakes.
func (cfg *Config) complete() (mistakes []error) {
	number := func(name string, value *int, fallback, most int) {
		if *value == 0 {
			*value = fallback
		}
		if *value < 1 || *value > most {
			mistakes = append(mistakes, fmt.Errorf("%s is %d, want 1 to %d", name, *value, most))
		}
	}
	number("History", &cfg.History, 256, 1<<20)
	number("HistoryBytes", &cfg.HistoryBytes, max(1<<20, cfg.MaxEvent+overhead), 1<<30)
	number("MaxBytes", &cfg.MaxBytes, max(64<<20, cfg.HistoryBytes), 1<<40)
	number("MaxEvent", &cfg.MaxEvent, max(1, min(64<<10, cfg.HistoryBytes-overhead)), 16<<20)
	number("MaxRooms", &cfg.MaxRooms, 10_000, 1<<24)
	number("MaxSubscribers", &cfg.MaxSubscribers, 10_000, 1<<24)
	if cfg.HistoryAge == 0 {
		cfg.HistoryAge = 5 * time.Minute
	}
	if cfg.HistoryAge < time.Second || cfg.HistoryAge > 24*time.Hour {
		mistakes = append(mistakes, fmt.Errorf("HistoryAge is %v, want 1s to 24h", cfg.HistoryAge))
	}
	if cfg.MaxEvent+overhead > cfg.HistoryBytes || cfg.HistoryBytes > cfg.MaxBytes {
		mistakes = append(mistakes, fmt.Errorf("MaxEvent is %d, HistoryBytes %d and MaxBytes %d: want each to fit into the next, with %d bytes beside an event", cfg.MaxEvent, cfg.HistoryBytes, cfg.MaxBytes, overhead))
	}
	if cfg.Bus != nil && cfg.Name == "" {
		mistakes = append(mistakes, errors.New("Name is missing: it tells the hubs on one bus apart"))
	}
	if err := checkName("Name", cfg.Name, 50); cfg.Name != "" && err != nil {
		mistakes = append(mistakes, err)
	}
	return mistakes
}

// maxRoomName is how many bytes the name of a room may have.
const maxRoomName = 200

// checkName refuses names that a log, a key or a channel could not hold.
func checkName(what, name string, most int) error {
	if name == "" || len(name) > most || !utf8.ValidString(name) {
		return fmt.Errorf("%s has %d bytes, want 1 to %d of UTF-8", what, len(name), most)
	}
	for _, r := range name {
		if unicode.IsControl(r) || r == '/' && what == "Name" {
			return fmt.Errorf("%s has a character that it must not have", what)
		}
	}
	return nil
}

// Close ends all subscriptions with [ErrClosed], and does not close the bus.
// What is published later is an error.
func (h *Hub[T]) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil
	}
	close(h.closed)
	if h.sweep != nil {
		h.sweep.Stop()
	}
	for _, r := range h.rooms {
		if r.follow != nil {
			r.follow.stop()
		}
	}
	return nil
}

// Stats says how much a hub holds in this process.
type Stats struct {
	Rooms, Subscribers, Bytes int
}

// Stats returns how much the hub holds now.
func (h *Hub[T]) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{len(h.rooms), h.subscribers, h.bytes}
}
