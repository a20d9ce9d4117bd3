package ratelimit

import (
	"errors"
	"fmt"
	"time"
)

// Messages is a limit for the messages of a connection, such as a WebSocket:
// there is one request, and then no header to answer with.
//
//	messages, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: "100/minute"})
//	conn := messages.Connection()
//	for {
//		… // read a message
//		if wait, ok := conn.Take(); !ok {
//			… // close with 1008 (RFC 6455 section 7.4.1), or read on after wait
//		}
//	}
type Messages struct {
	quotas    []Quota
	algorithm Algorithm
	now       func() time.Time
}

// MessagesConfig configures [Messages]. The zero value is the secure choice.
type MessagesConfig struct {
	// Limit says how much; see [Parse]. The default is "100/minute".
	Limit string
	// Algorithm is how the quotas are kept. The default is [SlidingWindow].
	Algorithm Algorithm
	// Now is the clock. The default is one that changes of the system's time do
	// not reach.
	Now func() time.Time
}

// NewMessages returns a limit, or an error that names every mistake in cfg.
func NewMessages(cfg MessagesConfig) (*Messages, error) {
	quotas, mistakes := Rule{Limit: cfg.Limit, Algorithm: cfg.Algorithm}.withDefaults().compile()
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("ratelimit messages config: %w", errors.Join(mistakes...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Messages{quotas, cfg.Algorithm, cfg.Now}, nil
}

// Connection returns the budget of one connection.
func (m *Messages) Connection() *Connection {
	return &Connection{limit: m, start: m.now(), budgets: make([]window, len(m.quotas))}
}

// Connection is the budget of one connection. It must not be used by two
// goroutines at once.
type Connection struct {
	limit   *Messages
	start   time.Time
	last    int64
	budgets []window
}

// window is a budget together with its slots.
type window struct {
	budget
	between
}

// Take charges one message. If ok is false it was not charged, and wait is how
// long it takes until it could be.
func (c *Connection) Take() (wait time.Duration, ok bool) {
	c.last = max(c.last, int64(c.limit.now().Sub(c.start)))
	for i, q := range c.limit.quotas {
		b := &c.budgets[i]
		wait = max(wait, time.Duration(b.wait(&b.between, c.last, 1, c.limit.algorithm, q)))
	}
	if wait > 0 {
		return wait, false
	}
	for i, q := range c.limit.quotas {
		b := &c.budgets[i]
		b.spend(&b.between, c.last, 1, c.limit.algorithm, q)
	}
	return 0, true
}
