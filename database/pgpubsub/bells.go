package pgpubsub

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// bells listens for notifications on one connection, which is made again whenever
// it breaks. Then all bells ring: what was missed can be read.
type bells struct {
	server *pgx.ConnConfig
	logger *slog.Logger

	mu        sync.Mutex
	closed    bool
	listening bool
	rings     map[string][]*bell
	stop      context.CancelFunc // nil before the first bell
	ended     sync.WaitGroup
}

type bell struct{ ring func() }

const (
	alive      = 20 * time.Second // of silence, after which the server is asked whether it is there
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

func newBells(server *pgx.ConnConfig, logger *slog.Logger) *bells {
	return &bells{server: server, logger: logger, rings: make(map[string][]*bell)}
}

// follow returns at once: what it wants is done by others.
func (b *bells) follow(room string, ring func()) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return func() {}
	}
	one := &bell{ring}
	b.rings[room] = append(b.rings[room], one)
	if b.listening {
		go ring()
	}
	if b.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		b.stop = cancel
		b.ended.Go(func() { b.run(ctx) })
	}
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.rings[room] = slices.DeleteFunc(b.rings[room], func(other *bell) bool { return other == one })
		if len(b.rings[room]) == 0 {
			delete(b.rings, room)
		}
	})
}

// run listens until ctx ends.
func (b *bells) run(ctx context.Context) {
	wait := firstRetry
	for {
		started := time.Now()
		err := b.listen(ctx)
		b.mu.Lock()
		b.listening = false
		b.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > lastRetry { // It did listen for a while.
			wait = firstRetry
		}
		cmp.Or(b.logger, slog.Default()).Error("pgpubsub: the server is not heard; events come late", slog.Any("error", err), slog.Duration("again", wait))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, lastRetry)
	}
}

// listen connects and rings until the connection breaks.
func (b *bells) listen(ctx context.Context) error {
	conn, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(last) // It is of no use any more.
	}()
	if _, err := conn.Exec(ctx, "LISTEN fastness_events"); err != nil {
		return err
	}
	b.ringAll()
	for {
		room, err := hear(ctx, conn)
		if err != nil {
			return err
		}
		if room != "" {
			b.ring(room)
		}
	}
}

// connect makes a connection beside the pools: one of theirs would be missing.
func (b *bells) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return pgx.ConnectConfig(ctx, b.server.Copy())
}

// serverOf returns what a pool connects to.
func serverOf(ctx context.Context, pool *sql.DB) (cfg *pgx.ConnConfig, err error) {
	borrowed, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	err = borrowed.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver is %T, want that of github.com/jackc/pgx/v5/stdlib", driver)
		}
		cfg = conn.Conn().Config()
		cfg.OnNotification = nil // It is where the borrowed one keeps its own.
		return nil
	})
	return cfg, errors.Join(err, borrowed.Close())
}

// hear waits for a notification and returns its room, or "" if the server has
// nothing to tell and is there.
func hear(ctx context.Context, conn *pgx.Conn) (room string, err error) {
	waiting, cancel := context.WithTimeout(ctx, alive)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil && n != nil {
		return n.Payload, nil
	}
	if err == nil || ctx.Err() != nil || waiting.Err() == nil || conn.IsClosed() {
		return "", err
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return "", conn.Ping(asking)
}

func (b *bells) ring(room string) {
	b.mu.Lock()
	rings := slices.Clone(b.rings[room])
	b.mu.Unlock()
	for _, one := range rings {
		one.ring()
	}
}

func (b *bells) ringAll() {
	b.mu.Lock()
	b.listening = true
	var all []*bell
	for _, rings := range b.rings {
		all = append(all, rings...)
	}
	b.mu.Unlock()
	for _, one := range all {
		one.ring()
	}
}

// close ends all of it, and waits for that.
func (b *bells) close() {
	b.mu.Lock()
	b.closed = true
	stop := b.stop
	b.mu.Unlock()
	if stop != nil {
		stop()
	}
	b.ended.Wait()
}
