package redis

import (
	"context"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// bells listens to channels, over one connection that is made again whenever it
// breaks. Each time that the server confirms a channel, its bell rings: from then
// on nothing is missed, and what was missed before can be read.
type bells struct {
	client *redis.Client

	mu      sync.Mutex
	closed  bool
	rings   map[string][]*bell
	changed map[string]struct{} // channels to subscribe to or to leave
	wake    chan struct{}
	stop    context.CancelFunc // nil before the first bell
	ended   sync.WaitGroup
}

type bell struct{ ring func() }

func newBells(client *redis.Client) *bells {
	return &bells{client: client, rings: make(map[string][]*bell), changed: make(map[string]struct{}), wake: make(chan struct{}, 1)}
}

// follow returns at once: what it wants is done by others.
func (b *bells) follow(channel string, ring func()) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return func() {}
	}
	one := &bell{ring}
	if b.rings[channel] = append(b.rings[channel], one); len(b.rings[channel]) > 1 {
		go ring() // The server confirms only once.
	}
	b.change(channel)
	b.start()
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.rings[channel] = slices.DeleteFunc(b.rings[channel], func(other *bell) bool { return other == one })
		if len(b.rings[channel]) == 0 {
			delete(b.rings, channel)
			b.change(channel)
		}
	})
}

// change notes that a channel is to be looked at.
func (b *bells) change(channel string) {
	b.changed[channel] = struct{}{}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *bells) start() {
	if b.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	conn := b.client.Subscribe(ctx)
	b.ended.Go(func() { b.listen(conn) })
	b.ended.Go(func() {
		b.subscribe(ctx, conn)
		_ = conn.Close() // This ends listen.
	})
}

// subscribe tells the server which channels are wanted.
func (b *bells) subscribe(ctx context.Context, conn *redis.PubSub) {
	for {
		select {
		case <-b.wake:
		case <-ctx.Done():
			return
		}
		wanted, unwanted := b.changes()
		// After an error the client connects again, and then asks for all that are
		// wanted.
		if len(wanted) > 0 {
			_ = conn.Subscribe(ctx, wanted...)
		}
		if len(unwanted) > 0 {
			_ = conn.Unsubscribe(ctx, unwanted...)
		}
	}
}

// changes returns what is to be subscribed to and what is to be left.
func (b *bells) changes() (wanted, unwanted []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for channel := range b.changed {
		if len(b.rings[channel]) > 0 {
			wanted = append(wanted, channel)
		} else {
			unwanted = append(unwanted, channel)
		}
	}
	clear(b.changed)
	return wanted, unwanted
}

// listen rings until the connection is closed for good.
func (b *bells) listen(conn *redis.PubSub) {
	for m := range conn.ChannelWithSubscriptions() {
		switch m := m.(type) {
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				b.ring(m.Channel)
			}
		case *redis.Message:
			b.ring(m.Channel)
		}
	}
}

func (b *bells) ring(channel string) {
	b.mu.Lock()
	rings := slices.Clone(b.rings[channel])
	b.mu.Unlock()
	for _, one := range rings {
		one.ring()
	}
}

// close ends all of it, and waits for that.
func (b *bells) close() error {
	b.mu.Lock()
	b.closed = true
	stop := b.stop
	b.mu.Unlock()
	if stop != nil {
		stop()
	}
	b.ended.Wait()
	return nil
}
