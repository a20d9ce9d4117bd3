package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fastness/fastness/pubsub"
	"github.com/redis/go-redis/v9"
)

//go:embed publish.lua
var publishScript string

//go:embed read.lua
var readScript string

// BusConfig configures a [Bus]. The zero value is fine. All processes give the
// same bus the same configuration.
type BusConfig struct {
	// History is how many messages of a room are kept, for processes and clients
	// that come back. The default is 1024.
	History int
	// HistoryAge is how long a message is kept. The default is five minutes.
	HistoryAge time.Duration
	// MaxData is how large a message may be. The default is 64 KiB.
	MaxData int
}

// Bus carries events between the processes that use one server: each room is a
// stream, which is kept for a while, and a channel that says that there is
// something new in it. It is a [pubsub.Bus], safe for concurrent use.
//
//	bus, err := store.Bus(redis.BusConfig{})
//	hub, err := pubsub.New[Bid](pubsub.Config{Name: "bids", Bus: bus})
//
// It needs Redis 6.2 or later, or Valkey, standalone. When the server was away
// and still has its streams, subscribers go on where they were; if it has lost
// them, they get a gap. A server with a maxmemory-policy other than noeviction
// may drop streams at any time, which is a gap, too.
//
// What was published while a transaction was open ([pubsub.Hub.PublishTx]) is
// sent after its commit: a process that is killed between the two has told
// nobody. The bus of package database/pgpubsub has no such moment.
type Bus struct {
	store         *Store
	reader        *redis.Client // that of the store, with more time to read
	cfg           BusConfig
	publish, read *redis.Script
	bells         *bells
}

const (
	// remember is for how long the last id of a room is known.
	remember = 24 * time.Hour
	// onePage is how many messages one call reads.
	onePage = 64
	// readTime is how long reading a page may take: it is large, and nobody's
	// request waits for it.
	readTime = 2 * time.Second
)

// Bus returns a bus over the store's server, or an error that names every mistake
// in cfg. It holds one connection more. Close it before the store.
func (s *Store) Bus(cfg BusConfig) (*Bus, error) {
	if cfg.History == 0 {
		cfg.History = 1024
	}
	if cfg.HistoryAge == 0 {
		cfg.HistoryAge = 5 * time.Minute
	}
	if cfg.MaxData == 0 {
		cfg.MaxData = 64 << 10
	}
	var mistakes []error
	if cfg.History < 1 || cfg.History > 1<<20 {
		mistakes = append(mistakes, fmt.Errorf("History is %d, want 1 to %d", cfg.History, 1<<20))
	}
	if cfg.HistoryAge < time.Second || cfg.HistoryAge > remember {
		mistakes = append(mistakes, fmt.Errorf("HistoryAge is %v, want 1s to %v", cfg.HistoryAge, remember))
	}
	if cfg.MaxData < 1 || cfg.MaxData > 16<<20 {
		mistakes = append(mistakes, fmt.Errorf("MaxData is %d, want 1 to %d", cfg.MaxData, 16<<20))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("redis bus config: %w", errors.Join(mistakes...))
	}
	return &Bus{
		store: s, reader: s.client.WithTimeout(readTime), cfg: cfg, publish: redis.NewScript(publishScript), read: redis.NewScript(readScript), bells: newBells(s.client),
	}, nil
}

// Close stops all bells.
func (b *Bus) Close() error { return b.bells.close() }

// keys returns the keys of a room.
func (b *Bus) keys(room string) []string {
	return []string{b.store.name("events", []byte(room)), b.store.name("last-event", []byte(room)), b.store.prefix + ":events-since"}
}

// channel returns the name of the channel of a room.
func (b *Bus) channel(room string) string { return b.store.name("bell", []byte(room)) }

// Publish is [pubsub.Bus.Publish], by one script. It takes [Config].Timeout at
// most. After an error nobody knows whether the message was published.
func (b *Bus) Publish(ctx context.Context, room string, data []byte) error {
	if len(data) > b.cfg.MaxData {
		return fmt.Errorf("%w: %d bytes, and the bus takes %d", pubsub.ErrTooLarge, len(data), b.cfg.MaxData)
	}
	_, err := call(ctx, b.store, func(ctx context.Context) (string, error) {
		return b.publish.Run(ctx, b.store.client, b.keys(room),
			data, b.cfg.History, b.cfg.HistoryAge.Milliseconds(), remember.Milliseconds(), b.channel(room)).Text()
	})
	return err
}

// Read is [pubsub.Bus.Read], by one script.
func (b *Bus) Read(ctx context.Context, room string, after pubsub.ID) (pubsub.Page, error) {
	answer, err := callWithin(ctx, b.store, readTime, func(ctx context.Context) ([]string, error) {
		return b.read.Run(ctx, b.reader, b.keys(room), strconv.FormatUint(uint64(after), 10), onePage, b.cfg.HistoryAge.Milliseconds()).StringSlice()
	})
	if err != nil {
		return pubsub.Page{}, err
	}
	return page(answer)
}

// page reads the answer of the script.
func page(answer []string) (pubsub.Page, error) {
	if len(answer) < 3 || len(answer)%3 != 0 {
		return pubsub.Page{}, fmt.Errorf("redis: the script returned %d texts", len(answer))
	}
	found := pubsub.Log{Memory: remember}
	var errs []error
	number := func(text string) pubsub.ID {
		n, err := strconv.ParseUint(text, 10, 63)
		errs = append(errs, err)
		return pubsub.ID(n)
	}
	found.Now, found.Since, found.Last = number(answer[0]), number(answer[1]), number(answer[2])
	for i := 3; i < len(answer); i += 3 {
		if i == 3 {
			found.Before = number(answer[4])
		}
		found.Messages = append(found.Messages, pubsub.Message{ID: number(answer[i]), Data: []byte(answer[i+2])})
	}
	if err := errors.Join(errs...); err != nil {
		return pubsub.Page{}, fmt.Errorf("redis: what is in a stream is no event: %w", err)
	}
	return found.Page(), nil
}

// Follow is [pubsub.Bus.Follow].
func (b *Bus) Follow(room string, ring func()) (stop func()) {
	return b.bells.follow(b.channel(room), ring)
}
