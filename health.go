package fastness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/problem"
)

// The paths of the health checks.
const (
	livePath  = "/health/live"
	readyPath = "/health/ready"
)

const (
	// readyTime is how long the checks of readiness may take together.
	readyTime = time.Second
	// readyFor is how long their result is used. Anybody may ask, and must not
	// make the app ask its database as often.
	readyFor = time.Second
)

// Ready adds a check to GET /health/ready, which answers 503 while one fails or
// the app is stopping; who sends requests here should then send them elsewhere.
// Checks run at once and get one second. Their error goes to the log, and only
// name to the caller. GET /health/live says 200 as long as the process serves.
//
// An application that declares one of these paths itself has its own instead.
func (a *App) Ready(name string, check func(context.Context) error) {
	switch {
	case name == "" || check == nil:
		a.mistakes = append(a.mistakes, fmt.Errorf("readiness check %q: want a name and a function", name))
	case slices.ContainsFunc(a.readiness.checks, func(c *readyCheck) bool { return c.name == name }):
		a.mistakes = append(a.mistakes, fmt.Errorf("readiness check %q is there twice", name))
	}
	a.readiness.checks = append(a.readiness.checks, &readyCheck{name: name, check: check})
}

// watch adds the check of an app-scoped value that can tell whether it is there. Its
// name is that of its type: "sqldb.DB".
func (a *App) watch(p *provider) {
	pinger, ok := p.value.Interface().(interface{ Ping(context.Context) error })
	if !ok || p.value.Kind() == reflect.Pointer && p.value.IsNil() {
		return
	}
	name, top := strings.TrimPrefix(p.typ.String(), "*"), a
	if a.outer != nil {
		name = a.base + " " + name
	}
	for top.outer != nil { // It is the app above that is asked.
		top = top.outer
	}
	top.readiness.checks = append(top.readiness.checks, &readyCheck{name: name, check: pinger.Ping})
}

// addHealth adds the health checks.
func (a *App) addHealth() []error {
	return a.addBuiltins([]builtin{
		{path: livePath, access: "public", summary: "Whether the process serves", answer: serveLive},
		{path: readyPath, access: "public", summary: "Whether it should be sent requests", answer: serveReady},
	})
}

// isProbe reports whether the request is for a health check. A cluster asks by
// the address of the machine, which is no host of the allowlist, and it must not
// kill a process for being busy. The answer tells nothing that a page on another
// name could use.
func (x *exchange) isProbe() bool {
	path := x.r.URL.Path
	return (path == livePath || path == readyPath) && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead) && x.app.hasBuiltin(path)
}

func serveLive(x *exchange) error { return x.healthy() }

func serveReady(x *exchange) error {
	if x.app.draining.Load() {
		return x.unhealthy(problem.New(http.StatusServiceUnavailable, "the server is stopping").Named("stopping"))
	}
	failed := x.app.readiness.failed(&x.ctx, func(name string, err error) {
		x.app.cfg.Logger.WarnContext(&x.ctx, "a readiness check failed", "check", name, "error", err.Error())
	})
	if len(failed) > 0 {
		return x.unhealthy(problem.New(http.StatusServiceUnavailable, "not ready: "+strings.Join(failed, ", ")).Named("not_ready"))
	}
	return x.healthy()
}

func (x *exchange) healthy() error {
	x.out.Header()["Cache-Control"] = x.app.noStore
	return x.sendRaw([]byte(`{"status":"ok"}`), "application/json", nil)
}

// unhealthy answers p. It is no failure of this request, so it is not logged as
// one each time that somebody asks.
func (x *exchange) unhealthy(p *problem.Problem) error {
	x.answerProblem(p)
	return errAnswered
}

// readiness runs the checks.
type readiness struct {
	checks []*readyCheck

	running sync.Mutex
	last    atomic.Pointer[verdict]
}

// verdict is what the checks said.
type verdict struct {
	at     time.Time
	failed []string
}

// readyCheck is one check.
type readyCheck struct {
	name  string
	check func(context.Context) error
	busy  atomic.Bool
}

// failed returns the names of the checks that fail. While one caller runs them,
// the others get the result before.
func (r *readiness) failed(ctx context.Context, log func(name string, err error)) []string {
	last := r.last.Load()
	switch {
	case last == nil:
		r.running.Lock()
		if last = r.last.Load(); last != nil { // Somebody else was first.
			r.running.Unlock()
			return last.failed
		}
	case time.Since(last.at) < readyFor || !r.running.TryLock():
		return last.failed
	}
	defer r.running.Unlock()
	next := &verdict{}
	errs := r.run(ctx)
	for i, c := range r.checks {
		if errs[i] != nil {
			log(c.name, errs[i])
			next.failed = append(next.failed, c.name)
		}
	}
	next.at = time.Now()
	r.last.Store(next)
	return next.failed
}

// run runs all checks at once. Others will use the result, so it does not end
// with the request that asked first.
func (r *readiness) run(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
	defer cancel()
	errs := make([]error, len(r.checks))
	var all sync.WaitGroup
	for i, c := range r.checks {
		all.Go(func() { errs[i] = c.run(ctx) })
	}
	all.Wait()
	return errs
}

// run waits for the check or for the end of ctx. A check that goes on is not
// started a second time.
func (c *readyCheck) run(ctx context.Context) error {
	if !c.busy.CompareAndSwap(false, true) {
		return errors.New("the check before has not ended yet")
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("panic: %v", v)
			}
		}()
		err := func() error {
			defer c.busy.Store(false)
			return c.check(ctx)
		}()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
