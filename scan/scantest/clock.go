package scantest

import (
	"context"
	"sync"
	"time"
)

// Clock is the time of an app in a test. It goes on as that of the system does, and
// further where a scan would wait.
type Clock struct {
	mu    sync.Mutex
	begun time.Time
	ahead time.Duration
}

// NewClock returns a clock that shows the time of the system.
func NewClock() *Clock { return &Clock{begun: time.Now()} }

// Now returns the time, as the Now of ratelimit.Config wants it.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun.Add(time.Since(c.begun) + c.ahead)
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += max(d, 0)
}

func (c *Clock) wait(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return ctx.Err()
}
