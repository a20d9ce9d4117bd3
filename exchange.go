package fastness

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/internal/route"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/schema"
)

// exchange is one request and its answer on their way through the chain. It is
// not pooled: the context of a request may outlive it in a goroutine of the
// application's.
type exchange struct {
	app   *App
	r     *http.Request
	sent  *observe.Recorder
	out   http.ResponseWriter // sent, or what middleware put around it
	ctx   requestContext
	id    string
	start time.Time
	match route.Match[endpoint]

	report schema.Report
	query  form.Pairs
	pairs  [8]form.Pair // the room of query
	cookie form.Pairs
	states []useState
	files  form.Parts
	inside bool // the in-flight cap counts this request
}

// useState is what a provider made for one request.
type useState struct {
	input   reflect.Value
	value   reflect.Value
	cleanup func(error) error
}

type exchangeKey struct{}

// requestContext is the context of an operation. Its deadline costs nothing
// until somebody waits for it: most operations never do.
type requestContext struct {
	x        *exchange
	parent   context.Context
	deadline time.Time

	mu     sync.Mutex
	armed  context.Context
	cancel context.CancelFunc
	ended  bool
}

// Deadline returns when the operation's time is over.
func (c *requestContext) Deadline() (time.Time, bool) {
	if parent, ok := c.parent.Deadline(); ok && parent.Before(c.deadline) {
		return parent, true
	}
	return c.deadline, true
}

// Done returns a channel that is closed at the deadline, when the caller goes
// away, and when the request is over.
func (c *requestContext) Done() <-chan struct{} { return c.arm().Done() }

// Err returns why the context is done.
func (c *requestContext) Err() error {
	c.mu.Lock()
	armed := c.armed
	ended := c.ended
	c.mu.Unlock()
	switch {
	case armed != nil:
		return armed.Err()
	case ended:
		return context.Canceled
	case c.parent.Err() != nil:
		return c.parent.Err()
	case !time.Now().Before(c.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value returns the values of the request's own context.
func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case exchangeKey:
		return c.x
	}
	return c.parent.Value(key)
}

func (c *requestContext) arm() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.armed == nil {
		c.armed, c.cancel = context.WithDeadline(c.parent, c.deadline)
		if c.ended {
			c.cancel()
		}
	}
	return c.armed
}

// end cancels the context once the request is over.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

// RequestID returns the id of the request that ctx belongs to, or "". It is in
// the answer's X-Request-Id, in problem documents and in every log line.
func RequestID(ctx context.Context) string {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x.id
	}
	return observe.ID(ctx)
}
