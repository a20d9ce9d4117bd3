package fastness

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/problem"
)

// What lasts longer than a request (a WebSocket, a stream of events) must not last
// longer than the right to have it: who logs out, whose token ends, who is disabled
// or loses a role would go on reading otherwise.
const (
	// standingEvery is how often that right is looked at again. What the schemes know
	// of users and sessions is up to 5 seconds old where another process changed it,
	// and never older than a change made in this one.
	standingEvery = 2 * time.Second
	// standingUnknown is how long a right counts that nobody can look at: when the
	// database does not answer, not everybody is to connect anew at once.
	standingUnknown = 30 * time.Second
)

// standing is the right by which a request was let in: its credential, the access
// rule and the rules about objects. It outlives the exchange, and it is how a
// connection or a stream asks again:
//
//	s := x.standing()          // once the input is bound
//	ctx, stop := s.watch(ctx)  // done, with a *problem.Problem as its cause, when the right ends
//	defer stop()
//	u, err := s.check(ctx)     // now, and not a moment ago
type standing struct {
	app     *App
	gate    *gate
	request *http.Request // whose credential it is
	objects []judged
	// given says that middleware has found out who is calling: there is no credential
	// that the schemes could verify again.
	given bool
	user  atomic.Pointer[auth.User] // as of the last check, or nil
}

// judged is an object that a rule is about, as it was loaded.
type judged struct {
	rule  func(context.Context, *auth.User, reflect.Value) error
	value reflect.Value
}

// standing returns the right by which x was let in. Its input must be bound: the
// objects are those that the providers have made.
func (x *exchange) standing() *standing {
	op := x.match.Value.operation
	s := &standing{app: x.app, gate: &op.gate, given: auth.From(x.ctx.parent) != nil}
	s.user.Store(x.ctx.user)
	// Its context belongs to the request, and so does its body.
	s.request = x.r.WithContext(context.WithoutCancel(x.ctx.parent))
	s.request.Body = http.NoBody
	s.request.Header = kept(x.r.Header)
	for _, o := range op.spec.Objects {
		for i, u := range op.input.uses {
			if u.provider.typ != o.Type {
				continue
			}
			value := u.provider.value
			if u.provider.scope == requestScope {
				value = x.states[i].value
			}
			s.objects = append(s.objects, judged{o.Check, value})
		}
	}
	return s
}

// kept returns what may be, or guard, a credential of the fields of a request. The rest
// would be half of what a quiet connection remembers.
func kept(h http.Header) http.Header {
	few := make(http.Header, 8)
	for name, values := range h {
		switch name {
		case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Length", "Pragma",
			"Sec-Websocket-Extensions", "Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version", "User-Agent":
		default:
			few[name] = values
		}
	}
	return few
}

// caller returns who is calling, as of the last check, or nil.
func (s *standing) caller() *auth.User { return s.user.Load() }

// check verifies the credential again and asks the rules. It returns the user as of
// now, nil where nobody need say who they are, or the [problem.Problem] that the same
// request would be answered with.
func (s *standing) check(ctx context.Context) (*auth.User, error) {
	u := s.user.Load()
	if u != nil && !u.Until.IsZero() && !time.Now().Before(u.Until) {
		return nil, problem.New(http.StatusUnauthorized, "the credential has ended").Named("credential_ended")
	}
	if u != nil && !s.given && s.gate.schemes != nil {
		fresh, err := s.gate.schemes.Authenticate(ctx, s.request)
		if err != nil {
			return nil, err
		}
		if fresh.ID != u.ID || fresh.Issuer != u.Issuer || fresh.Tenant != u.Tenant {
			// A connection has one caller, and what it was opened for may be their tenant's.
			return nil, problem.New(http.StatusUnauthorized, "the credential is another user's, or of another tenant").Named("credential_ended")
		}
		u = fresh
		s.user.Store(u)
	}
	if err := s.gate.rule.Check(ctx, u); err != nil {
		return nil, err
	}
	for _, o := range s.objects {
		if err := o.rule(ctx, u, o.value); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// watch returns a context that is done when the right ends, with the problem as its
// cause, and when parent is done. Between the two checks no goroutine waits.
func (s *standing) watch(parent context.Context) (ctx context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	unwatch := s.watchUntil(ctx, cancel)
	return ctx, func() {
		cancel(context.Canceled)
		unwatch()
	}
}

// watchUntil calls ended once when the right ends, with the problem. A context for each
// of many connections would be a tenth of their memory.
func (s *standing) watchUntil(ctx context.Context, ended func(error)) (stop func()) {
	w := &watcher{standing: s, ctx: ctx, ended: ended, known: time.Now()}
	if s.user.Load() != nil { // Who is nobody cannot log out.
		w.mu.Lock()
		w.timer = time.AfterFunc(standingEvery, w.look)
		w.mu.Unlock()
	}
	return w.stop
}

// watcher looks at a standing from time to time.
type watcher struct {
	*standing
	ctx   context.Context
	ended func(error)
	known time.Time // when the right was last known to hold

	mu      sync.Mutex // guards following
	timer   *time.Timer
	stopped bool
}

func (w *watcher) look() {
	ctx, cancel := context.WithTimeout(w.ctx, standingEvery)
	defer cancel()
	_, err := w.check(ctx)
	switch p := problem.From(err); {
	case w.ctx.Err() != nil:
		return // Who asked has gone.
	case err == nil:
		w.known = time.Now()
	case p.Status < http.StatusInternalServerError:
		w.ended(p)
		return
	case time.Since(w.known) >= standingUnknown:
		w.app.cfg.Logger.WarnContext(w.ctx, "nobody knows whether a caller may go on", "error", err)
		w.ended(problem.New(http.StatusServiceUnavailable, "nobody knows whether the caller may go on").Wrap(err))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.timer.Reset(standingEvery)
	}
}

func (w *watcher) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
