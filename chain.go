package fastness

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/internal/route"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
)

// step is one part of the chain. It returns the error that ends the request.
type step struct {
	name string
	run  func(*exchange) error
}

// chain is the way of a request, in order. Around it stand recover, request id
// and access log, in ServeHTTP; before it, where the server of package serve is
// used, TLS, the time limits of the connection and the framing guard. Between
// its two parts runs the middleware of Use. What is to come has its place here.
func (a *App) chain() (guards, inner []step) {
	guards = []step{
		{"client address, by trusted proxies only", (*exchange).findClient},
		{"security headers, on every answer", (*exchange).secureHeaders},
		{"cross-origin resource sharing, by exact origins", (*exchange).shareAcrossOrigins}, // 204 400 403
		{"in-flight cap", (*exchange).enter},                                                // 503
		{"host allowlist", (*exchange).checkHost},                                           // 400 421
		{"rate limit by client", (*exchange).limitClient},                                   // 429
	}
	inner = []step{
		{"route, method allowlist, time limit", (*exchange).findRoute}, // 307 400 404 405
		{"WebSocket: handshake, Origin", (*exchange).checkHandshake},   // 400 403 405 426
		{"the app that is mounted there, without its guards", (*exchange).enterSubApp},
		{"authentication: who is calling", (*exchange).authenticate},          // 400 401, 403 for a page of another site
		{"cross-site request: Fetch Metadata, Origin", (*exchange).checkSite}, // 403
		{"access rule", (*exchange).checkAccess},                              // 401 403
		{"rate limit by caller and operation", (*exchange).limitCaller},       // 429 503
		{"cross-site request: token", (*exchange).checkToken},                 // 403 503
		{"operation", (*exchange).runOperation},                               // what operate lists
		// audit event
	}
	return guards, inner
}

// operate is the operation: the body is first read here.
func (x *exchange) operate() (err error) {
	op := x.match.Value.operation
	defer x.removeFiles()
	if op.socket != nil {
		return x.openSocket(op.socket)
	}
	if err := x.checkAccept(op); err != nil { // 406
		return err
	}
	defer x.endKey()
	if op.streams() {
		defer x.limitStart(op)()
	}
	err = x.attempt(op)
	for times := 1; err != nil && x.runsAgain(op, err, times); times++ {
		err = x.attempt(op)
	}
	if err == nil && x.answer.sender != nil {
		return x.sendWhileMade(op)
	}
	if x.held != nil {
		x.held.free()
		x.held = nil
	}
	if err != nil {
		return x.replay(err)
	}
	x.key.done = true
	defer x.after.start() // Whether or not the caller is still there.
	x.send(&x.answer)
	return nil
}

// ServeHTTP answers one request.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.exchanges.get(a, w, r)
	defer x.end()
	w.Header()["X-Request-Id"] = x.ctx.id[:]
	if err := a.startLate(r.Context()); err != nil {
		if a.clients != nil && a.headers != nil && a.cors != nil {
			x.dress()
		}
		x.fail(err)
		return
	}
	for i := range a.steps {
		if err := a.steps[i].run(x); err != nil {
			x.fail(err)
			return
		}
	}
}

// end recovers from a panic, gives back what the request held and writes the
// access log.
func (x *exchange) end() {
	value := recover()
	abort := value != nil && x.panicked(value)
	if x.inside && x.left.CompareAndSwap(false, true) {
		x.app.inflight.Leave()
	}
	x.log(x.app.cfg.Logger, abort)
	x.app.exchanges.put(x)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// panicked rolls back and answers 500. If something was sent already it reports
// that the connection must be cut: half an answer is not to be taken for a whole
// one.
func (x *exchange) panicked(value any) (abort bool) {
	defer func() {
		if v := recover(); v != nil { // The answer panicked, too. What end gives back must be given back.
			observe.LogPanic(&x.ctx, x.app.cfg.Logger, x.ctx.id[0], v)
			abort = true
		}
	}()
	err := fmt.Errorf("panic: %v", value)
	if value != http.ErrAbortHandler {
		observe.LogPanic(&x.ctx, x.app.cfg.Logger, x.ctx.id[0], value)
	}
	_ = x.cleanUp(err) // It returns err, which was logged.
	x.removeFiles()
	if value == http.ErrAbortHandler || x.sent.Started() {
		return true
	}
	x.answerProblem(problem.New(http.StatusInternalServerError, ""))
	return false
}

// findClient finds out where the request comes from. That a proxy nobody trusts
// is in between is said once: all its clients look like one.
func (x *exchange) findClient() error {
	x.ctx.client = x.app.clients.Find(x.r)
	if client := x.ctx.client; client.Ignored && client.Addr.IsPrivate() && x.app.warnedOfProxy.CompareAndSwap(false, true) {
		x.app.cfg.Logger.Warn("a proxy nobody trusts says whom it speaks for: all its clients count as one", "proxy", client.Addr.String(), "setting", "--trusted-proxy")
	}
	return nil
}

func (x *exchange) secureHeaders() error {
	if x.ctx.client.TLS {
		x.app.headers.SetTLS(x.out.Header())
	} else {
		x.app.headers.Set(x.out.Header())
	}
	return nil
}

// shareAcrossOrigins says which pages may read the answer, and answers their
// preflights.
func (x *exchange) shareAcrossOrigins() error {
	h := x.out.Header()
	x.app.cors.Set(h, x.r)
	if err := x.app.cors.Check(x.r); err != nil {
		return err
	}
	allow := ""
	if x.r.Method == http.MethodOptions {
		allow = x.app.find(http.MethodOptions, x.r.URL).Allow
	}
	if preflight, err := x.app.cors.Preflight(h, x.r, allow); !preflight {
		return err
	}
	x.out.WriteHeader(http.StatusNoContent)
	return errAnswered
}

// dress gives an answer that comes from outside the chain what all others have.
func (x *exchange) dress() {
	_, _ = x.findClient(), x.secureHeaders() // They never fail.
	x.app.cors.Set(x.out.Header(), x.r)
}

func (x *exchange) enter() error {
	if err := x.app.inflight.Enter(); err != nil {
		if x.isProbe() {
			return nil
		}
		return err
	}
	x.inside = true
	return nil
}

func (x *exchange) checkHost() error {
	if err := x.app.hosts.Check(x.r); err != nil && !x.isProbe() {
		return err
	}
	return nil
}

// findRoute finds what the request is for, or ends it.
func (x *exchange) findRoute() error {
	switch x.r.Method {
	case http.MethodTrace, http.MethodConnect:
		return problem.New(http.StatusMethodNotAllowed, "").With("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
	}
	x.match = x.app.routes.Find(x.r.Method, x.r.URL)
	switch x.match.Outcome {
	case route.Found:
		switch e := x.match.Value; {
		case e.operation != nil:
			x.ctx.limit = e.operation.longest()
			return x.announceRetirement(e.operation)
		case e.mount != nil:
			x.ctx.limit = e.mount.spec.Timeout
		}
		return nil
	case route.Options:
		x.out.Header()["Allow"] = []string{x.match.Allow}
		x.out.WriteHeader(http.StatusNoContent)
		return errAnswered
	case route.Redirect:
		x.out.Header()["Location"] = []string{x.app.base + x.match.Location}
		x.out.WriteHeader(http.StatusTemporaryRedirect)
		return errAnswered
	case route.MethodNotAllowed:
		x.out.Header()["Allow"] = []string{x.match.Allow}
		return x.app.notAllowed
	case route.Malformed:
		return x.app.malformedPath
	default:
		return x.app.notFound
	}
}

// errPanicked is what clean-ups get to see if the operation panicked.
var errPanicked = errors.New("the operation panicked")

// errAnswered ends the chain without an error: the answer is sent.
var errAnswered = errors.New("answered")

// runOperation runs the operation or the mounted handler, within its
// middleware.
func (x *exchange) runOperation() error {
	e := x.match.Value
	x.untouched = x.untouched && e.operation != nil && e.operation.wrapped == nil
	switch {
	case e.builtin != nil:
		x.enterPart(inHandler)
		return e.builtin.answer(x)
	case e.mount != nil:
		x.enterPart(inHandler)
		return e.mount.serve(x)
	case e.operation.wrapped != nil:
		x.forked = true
		x.enterPart(inInner)
		e.operation.wrapped.ServeHTTP(x.out, x.request(e.operation.spec.BodyLimit))
		return nil
	default:
		return x.operate()
	}
}
