package fastness

import (
	"context"
	"net/http"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/internal/caller"
	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/internal/route"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// exchange is one request and its answer on their way through the chain.
// Exchanges are pooled, so nothing that an application can keep points into one:
// what it gets is the life, and copies.
type exchange struct {
	*life
	app   *App
	r     *http.Request
	out   http.ResponseWriter // sent, or what middleware put around it
	match route.Match[endpoint]

	report schema.Report
	query  form.Pairs
	pairs  [8]form.Pair // the room of query
	cookie form.Pairs
	states []useState
	files  form.Parts
	// incoming is a body that the operation reads by itself, or nil.
	incoming *incoming
	held     slot // the input and output of the operation
	answer   answer
	format   Format // of the answer, if Accept wants another one than JSON
	key      keyState
	shown    problem.Problem
	timings  *timings    // nil except in development
	after    *Background // what runs when the answer is sent, or nil
	inside   bool        // the in-flight cap counts this request
	due      *csrf.Guard // asks for a token in the form, before anything else of it counts
	forked   bool        // middleware may still hold it
	behind   atomic.Pointer[seen]
	outer    *exchange // the one in front of the middleware, or nil
	// untouched says that the header of the answer has only what the chain itself has
	// written: whoever else prepares an answer (middleware, a handler around the app,
	// an operation) makes it false, and an error then drops what was prepared.
	untouched bool

	// The buffers are kept from one request to the next. What is beyond their
	// length is never read.
	body, encoded []byte
}

// seen is what the chain has found out behind middleware, for the access log.
type seen struct {
	route string
	user  *auth.User
}

// life is the part of an exchange that may outlive it: the context and the
// writer that handlers get to see. It is made for each request.
type life struct {
	ctx  requestContext
	sent observe.Recorder
	lasting
	// Of an answer that is sent while it is made: what ends the context if it does not
	// begin in time, and whether it did.
	starting *time.Timer
	late     atomic.Bool
}

// slot holds an operation's input and output. It is emptied and reused.
type slot interface{ free() }

// exchanges pools what a request needs only while it lasts.
type exchanges struct{ pool sync.Pool }

// get returns an exchange for one request.
func (e *exchanges) get(a *App, w http.ResponseWriter, r *http.Request) *exchange {
	x, ok := e.pool.Get().(*exchange)
	if !ok {
		x = new(exchange)
	}
	l := &life{}
	l.sent.ResponseWriter = w
	l.ctx.parent, l.ctx.start, l.ctx.limit, l.ctx.id[0] = r.Context(), time.Now(), a.cfg.Timeout, a.ids.New()
	l.ctx.x.Store(x)
	x.life, x.app, x.r, x.out = l, a, r, &l.sent
	x.untouched = len(w.Header()) == 0
	if a.development.Load() {
		x.timed(w, false)
	}
	return x
}

// fork returns an exchange for what lies behind middleware. Middleware may run
// that in a goroutine, give it up and answer in its stead, as
// http.TimeoutHandler does. So the two share nothing that changes, and neither
// is pooled: what comes too late is lost, and never another caller's answer.
func (x *exchange) fork(w http.ResponseWriter, r *http.Request) *exchange {
	l := &life{}
	l.sent.ResponseWriter = w
	l.ctx.parent, l.ctx.start, l.ctx.limit, l.ctx.id = r.Context(), x.ctx.start, x.ctx.limit, x.ctx.id
	l.ctx.user, l.ctx.client = x.ctx.user, x.ctx.client
	inner := &exchange{life: l, app: x.app, r: r, out: &l.sent, match: x.match, due: x.due, outer: x}
	l.ctx.x.Store(inner)
	if x.timings != nil {
		inner.timed(w, true)
	}
	return inner
}

// run does f, and rolls back if it panics.
func (x *exchange) run(f func() error) {
	returned := false
	defer func() {
		if !returned {
			_ = x.cleanUp(errPanicked) // It returns the same error.
			x.removeFiles()
		}
		x.ctx.end()
	}()
	if err := f(); err != nil {
		x.fail(err)
	}
	returned = true
}

// put wipes x: what is forgotten here would be seen by the next caller.
func (e *exchanges) put(x *exchange) {
	x.ctx.end()
	if x.forked {
		return
	}
	body, encoded := small(x.body), small(x.encoded)
	*x = exchange{body: body, encoded: encoded}
	e.pool.Put(x)
}

// small returns the room of buf, or none if a large body made it large.
func small(buf []byte) []byte {
	if cap(buf) > 64<<10 {
		return nil
	}
	return buf[:0]
}

// useState is what a provider made for one request.
type useState struct {
	input   reflect.Value
	value   reflect.Value
	cleanup func(error) error
}

// exchangeKey finds the exchange in a context while its request lasts, lifeKey
// the context of the operation as long as anybody holds it.
type (
	exchangeKey struct{}
	lifeKey     struct{}
)

// requestContext is the context of an operation. Its deadline costs nothing
// until somebody waits for it: most operations never do.
type requestContext struct {
	x      atomic.Pointer[exchange] // nil once the request is over
	parent context.Context
	start  time.Time
	limit  time.Duration
	id     [1]string  // of the request: the value of its X-Request-Id header
	user   *auth.User // who is calling, or nil
	client clientip.Client

	mu    sync.Mutex
	ended bool
	timer *timer
}

// timer is the context with the deadline, made when somebody waits for it.
type timer struct {
	context.Context
	cancel context.CancelFunc
}

func (c *requestContext) deadline() time.Time { return c.start.Add(c.limit) }

// Deadline returns when the operation's time is over.
func (c *requestContext) Deadline() (time.Time, bool) {
	if parent, ok := c.parent.Deadline(); ok && parent.Before(c.deadline()) {
		return parent, true
	}
	return c.deadline(), true
}

// Done returns a channel that is closed at the deadline, when the caller goes
// away, and when the request is over.
func (c *requestContext) Done() <-chan struct{} { return c.arm().Done() }

// Err returns why the context is done.
func (c *requestContext) Err() error {
	c.mu.Lock()
	timer, ended := c.timer, c.ended
	c.mu.Unlock()
	switch {
	case timer != nil:
		return timer.Err()
	case ended:
		return context.Canceled
	case c.parent.Err() != nil:
		return c.parent.Err()
	case !time.Now().Before(c.deadline()):
		return context.DeadlineExceeded
	}
	return nil
}

// Value returns the values of the request's own context.
func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case exchangeKey:
		return c.x.Load()
	case lifeKey:
		return c
	case caller.Key:
		if c.user != nil {
			return c.user
		}
	}
	return c.parent.Value(key)
}

func (c *requestContext) arm() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		ctx, cancel := context.WithDeadline(c.parent, c.deadline())
		c.timer = &timer{ctx, cancel}
		if c.ended {
			cancel()
		}
	}
	return c.timer
}

// cut cancels the context before its time.
func (c *requestContext) cut() {
	c.arm()
	c.timer.cancel()
}

// end cancels the context once the request is over.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.x.Store(nil)
	if c.timer != nil {
		c.timer.cancel()
	}
}

// ClientAddr returns the address of the client whose request ctx belongs to, or
// the zero Addr. Behind proxies it is the client's if they are trusted; see
// [Config].Proxies.
func ClientAddr(ctx context.Context) netip.Addr {
	if c, ok := ctx.Value(lifeKey{}).(*requestContext); ok {
		return c.client.Addr
	}
	return clientip.From(ctx).Addr
}

// RequestID returns the id of the request that ctx belongs to, or "". It is in
// the answer's X-Request-Id, in problem documents and in every log line.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(lifeKey{}).(*requestContext); ok {
		return c.id[0]
	}
	return observe.ID(ctx)
}
