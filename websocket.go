package fastness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/ws"
)

// Socket is an open WebSocket on which messages of type In come and messages of type
// Out go: see [ws.Conn] for Receive, Send and Close. They are validated like bodies,
// and members that are not for everybody are left out by who the caller is.
type Socket[In, Out any] struct {
	*ws.Conn[In, Out]
	right *standing
}

// Caller verifies the caller of the connection again and returns who they are now, nil
// where nobody need say who they are. The error is the problem that a request would be
// answered with. The app asks every two seconds and closes connections whose right has
// ended; what one message does is to be asked for that message:
//
//	user, err := conn.Caller(ctx)
//	if err != nil {
//		return err // closes with 4401 or 4403
//	}
//	if !user.HasRole("moderator") { … }
func (s *Socket[In, Out]) Caller(ctx context.Context) (*auth.User, error) {
	u, err := s.right.check(ctx)
	if u == nil || err != nil {
		return nil, err
	}
	mine := *u // It may be shared with requests.
	return &mine, nil
}

// WebSocket declares an operation that opens a WebSocket. Its input is that of any
// operation without a body: parameters, providers, the caller. All that can be refused
// is refused before the upgrade, by a problem document: a page of another site, a
// credential, the access rule, a limit, a parameter.
//
//	type joinRoom struct {
//		User auth.User
//		Room string `path:"room" maxLength:"40"`
//	}
//
//	fastness.WebSocket(app, "/ws/{room}",
//		func(ctx context.Context, in joinRoom, conn *fastness.Socket[ChatMessage, ChatEvent]) error {
//			for {
//				m, err := conn.Receive(ctx)
//				if err != nil {
//					return err // the connection has ended
//				}
//				rooms.Send(in.Room, ChatEvent{From: in.User.Name, Text: m.Text})
//			}
//		}, access.Authenticated)
//
// Clean-ups of providers run before the connection opens: no transaction stays open for
// hours. The connection ends when the function returns, when the caller's right to it
// does (close code 4401 or 4403), and when the app stops (1001). Rules about objects are
// asked again, too, with the object as it was loaded when the connection opened: a rule
// that must see what has changed in it looks that up. Package ws has the rest.
func WebSocket[In, Message, Event any](r Router, path string, handle func(context.Context, In, *Socket[Message, Event]) error, options ...Option) {
	op := &operationPlan{method: http.MethodGet, in: reflect.TypeFor[In](), function: functionName(handle)}
	s := &socketPlan{in: reflect.TypeFor[Message](), out: reflect.TypeFor[Event]()}
	op.socket = s
	r.router().declare(op, path, handle != nil, options)
	var protocol *ws.Protocol[Message, Event]
	s.compile = func(a *App) (err error) {
		if protocol, err = ws.NewProtocol[Message, Event](a.sockets, a.types, ws.Limits(op.spec.Socket)); err != nil {
			return err
		}
		s.receives, s.sends = protocol.Plans()
		s.limit, s.rate = protocol.Limit(), cmp.Or(op.spec.Socket.Rate, a.cfg.WebSockets.Rate, "100/minute")
		return nil
	}
	s.bind = func(x *exchange) (reflect.Value, error) {
		in := reflect.ValueOf(new(In)).Elem()
		return in, op.input.bind(x, in)
	}
	s.open = func(x *exchange, in reflect.Value, right *standing, o ws.Opening) error {
		input := in.Interface().(In)
		return protocol.Open(x.out, x.r, o, func(ctx context.Context, c *ws.Conn[Message, Event]) error {
			return handle(ctx, input, &Socket[Message, Event]{c, right})
		})
	}
}

// socketPlan is what an operation has that opens a WebSocket: the types of its
// messages, for documents, and how to open one.
type socketPlan struct {
	in, out reflect.Type // of messages that come and go
	// receives and sends are their plans, nil for bytes and for ws.None.
	receives, sends *schema.Plan
	limit           int64  // of a message that comes
	rate            string // of messages that come

	compile func(*App) error
	bind    func(*exchange) (reflect.Value, error)
	open    func(*exchange, reflect.Value, *standing, ws.Opening) error
}

// noMessages is the type of messages that are not sent.
func noMessages() reflect.Type { return reflect.TypeFor[ws.None]() }

// compileSockets makes the server of all WebSockets.
func (a *App) compileSockets() error {
	cfg := a.cfg.WebSockets
	cfg.Logger = cmp.Or(cfg.Logger, a.cfg.Logger)
	if cfg.Scheme == nil {
		cfg.Scheme = a.schemeOf
	}
	var err error
	if a.sockets, err = ws.New(cfg); err != nil {
		a.sockets, _ = ws.New(ws.Config{}) // The operations have mistakes of their own.
		return fmt.Errorf("config: WebSockets: %w", err)
	}
	return nil
}

// compileSocket makes the plan of a WebSocket, or names every mistake.
func (op *operationPlan) compileSocket(a *App) (errs []error) {
	if op.socket == nil {
		return nil
	}
	if err := op.socket.compile(a); err != nil {
		errs = append(errs, err)
	}
	if op.spec.Status != 0 {
		errs = append(errs, errors.New("a WebSocket answers 101: it has no Status"))
	}
	op.status = http.StatusSwitchingProtocols
	for _, d := range op.input.deps {
		p := d.source.provider
		if _, transaction := p.asWriter(); transaction {
			errs = append(errs, fmt.Errorf("it gets a %s, which has ended when the connection opens: want a transaction for each message", p.typ))
		}
		if p.typ == reflect.TypeFor[*Background]() {
			errs = append(errs, errors.New("it gets a *fastness.Background, which takes tasks until the connection opens: want a Worker, or the function itself"))
		}
	}
	for _, u := range op.input.uses {
		if u.provider.writes() && !slices.ContainsFunc(op.input.deps, func(d dependency) bool { return d.source == u }) {
			errs = append(errs, fmt.Errorf("a provider gets a %s, which writes, and a handshake must not: want a transaction for each message", u.provider.typ))
		}
	}
	return errs
}

// checkHandshake refuses what is no WebSocket, or comes from a page of another site,
// before anybody is asked who is calling. Pages that CORS lists, and that may not send
// credentials, are refused a cookie where it is verified.
func (x *exchange) checkHandshake() error {
	op := x.match.Value.operation
	if op == nil || op.socket == nil {
		return nil
	}
	if err := ws.CheckHandshake(x.r); err != nil {
		return err
	}
	trusted := x.app.shares(x.r) || op.spec.CrossSite.InsecureAnyOrigin != "" ||
		len(x.r.Header["Origin"]) == 1 && slices.Contains(x.app.cfg.CSRF.TrustedOrigins, x.r.Header["Origin"][0])
	if !trusted {
		if err := x.app.sockets.CheckOrigin(x.r); err != nil {
			return err
		}
	}
	r, err := ws.Bearer(x.r)
	if err == nil {
		x.r = r
	}
	return err
}

// openSocket binds the input, ends what providers have opened, and opens the
// connection. From there on the request is over: the exchange, its place in flight and
// the time limit of the operation with it.
func (x *exchange) openSocket(s *socketPlan) error {
	leave, err := x.countConnection()
	if err != nil {
		return err
	}
	opened := false
	defer func() { // Also if a provider panics.
		if !opened {
			leave()
		}
	}()
	in, err := s.bind(x)
	var right *standing
	if err == nil {
		right = x.standing()
		err = x.after.accepted()
	}
	if err = x.cleanUp(err); err != nil {
		return err
	}
	x.untouched = false
	if err = s.open(x, in, right, x.opening(right, leave)); err != nil {
		x.after.drop()
		return err
	}
	opened = true
	x.after.start()
	x.outermost().later.Store(true)
	return nil
}

// opening is what package ws needs to know of the app. Nothing in it holds the
// exchange.
func (x *exchange) opening(right *standing, done func()) ws.Opening {
	app, id, ctx := x.app, x.ctx.id[0], x.lastingContext()
	line := x.accessLine()
	line.Status = http.StatusSwitchingProtocols
	return ws.Opening{
		Context: ctx,
		Watch:   func(end func(error)) func() { return right.watchUntil(ctx, end) },
		Viewer:  func() schema.Viewer { return right.caller() },
		Problem: func(buf []byte, p *problem.Problem) []byte {
			shown := *p
			shown.Instance = cmp.Or(shown.Instance, "urn:request:"+id)
			body, _, _ := app.cfg.Errors.Encode(buf, &shown)
			return body
		},
		Panic: func(v any) { observe.LogPanic(ctx, app.cfg.Logger, id, v) },
		Failed: func(err error) {
			app.cfg.Logger.ErrorContext(ctx, "a WebSocket failed", "error", observe.Printable(err.Error(), maxLoggedError), "request_id", id, "route", line.Route)
		},
		Ended: func(sum ws.Summary) {
			done()
			line.Duration, line.Received, line.Sent, line.CloseCode = sum.Duration, sum.Received, sum.Sent, sum.How.Code
			line.Log(ctx, app.cfg.Logger)
		},
	}
}

// lastingContext returns a context with what that of the request has, which does not
// end with it, and which does not hold what only the request needs.
func (x *exchange) lastingContext() context.Context {
	c := &requestContext{parent: context.WithoutCancel(x.ctx.parent), start: x.ctx.start, limit: time.Hour, id: x.ctx.id, user: x.ctx.user, client: x.ctx.client}
	return context.WithoutCancel(c)
}

// drainSockets tells all WebSockets of the app, and of those that are mounted in it, that
// it stops.
func (a *App) drainSockets() {
	if a.sockets != nil {
		a.sockets.Drain()
	}
	for _, m := range a.subApps {
		m.app.drainSockets()
	}
}
