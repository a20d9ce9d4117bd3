package fastness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fastness/fastness/observe"
)

// lifespan is what an app does beside requests, from its start to its stop.
type lifespan struct {
	onStart, onStop []hook
	work
}

// hook runs when the app starts or stops.
type hook struct {
	name string
	run  func(context.Context) error
}

// OnStart runs f when the app starts, after its app-scoped providers after the apps that are
// mounted and in the order of declaration. An error keeps the app from starting, and so does a function that takes
// longer than [Config].StartTimeout.
func (a *App) OnStart(f func(context.Context) error) {
	a.onStart = append(a.onStart, a.given("OnStart", f))
}

// OnStop runs f when the app stops, in reverse order: after the workers, jobs and tasks
// of the background have ended, and before the app-scoped providers clean up. One that
// does not return in time is left behind, and named in the error.
func (a *App) OnStop(f func(context.Context) error) {
	a.onStop = append(a.onStop, a.given("OnStop", f))
}

// given returns f with a name, or notes that there is none.
func (a *App) given(what string, f func(context.Context) error) hook {
	if f == nil {
		a.mistakes = append(a.mistakes, errors.New(what+": no function"))
		return hook{}
	}
	return hook{what + ": " + whichFunction(f), f}
}

// whichFunction names a function, or says where a literal stands.
func whichFunction(f any) string {
	if name := functionName(f); name != "" {
		return name
	}
	file, line := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).FileLine(reflect.ValueOf(f).Pointer())
	return "the function in " + filepath.Base(file) + ":" + strconv.Itoa(line)
}

// Start compiles the declarations, makes the app-scoped values, runs what OnStart was
// given and starts the workers and jobs. The error names every mistake of every
// declaration at once. An app that was not started starts with its first request.
func (a *App) Start(ctx context.Context) error {
	a.start.Do(func() {
		a.startErr = errors.New("the start panicked") // Unless it returns.
		a.startErr = a.doStart(ctx)
	})
	return a.startErr
}

// startLate starts the app with its first request. That caller may leave without
// ending the start for everybody.
func (a *App) startLate(ctx context.Context) error {
	a.start.Do(func() {
		a.startErr = errors.New("the start panicked") // Unless it returns.
		a.startErr = a.doStart(context.WithoutCancel(ctx))
	})
	return a.startErr
}

func (a *App) doStart(ctx context.Context) error {
	if err := a.compile(); err != nil {
		return err
	}
	if err := a.makeSingletons(ctx); err != nil {
		return err
	}
	for _, m := range a.subApps {
		if err := m.app.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("mount %s: %w", m.prefix, err), a.Stop(context.WithoutCancel(ctx)))
		}
	}
	for _, h := range a.onStart {
		if err := a.inTime(ctx, a.cfg.StartTimeout, h.run); err != nil {
			return errors.Join(fmt.Errorf("start: %s: %w", h.name, err), a.Stop(context.WithoutCancel(ctx)))
		}
	}
	if err := a.startWork(ctx); err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), a.Stop(context.WithoutCancel(ctx)))
	}
	return nil
}

const (
	// stopTime is how long each part of a stop may take whose context has no end.
	stopTime = 30 * time.Second
	// lastTime is how long it gets when the time of the whole stop is over: what hangs
	// must not keep the others from closing what they opened.
	lastTime = time.Second
)

// Stop closes the WebSockets, ends the workers and jobs, waits for the tasks of the background, runs the OnStop
// functions and cleans up after the app-scoped providers, the last one first. The error
// names what failed and what did not return before the end of ctx.
func (a *App) Stop(ctx context.Context) error {
	a.stop()
	a.drainSockets()
	var errs []error
	if a.sockets != nil { // Their handlers use what follows.
		if err := a.stopInTime(ctx, a.sockets.Shutdown); err != nil {
			errs = append(errs, fmt.Errorf("WebSockets: %w", err))
		}
	}
	errs = append(errs, a.stopWork(ctx))
	for _, h := range slices.Backward(a.onStop) {
		if err := a.stopInTime(ctx, h.run); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", h.name, err))
		}
	}
	for _, m := range slices.Backward(a.subApps) {
		if err := m.app.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("mount %s: %w", m.prefix, err))
		}
	}
	for _, p := range slices.Backward(a.singletons) {
		if p.cleanup == nil {
			continue
		}
		if err := a.stopInTime(ctx, func(context.Context) error { return p.cleanup(nil) }); err != nil {
			errs = append(errs, fmt.Errorf("clean-up of %s: %w", p.typ, err))
		}
	}
	a.singletons = nil
	return errors.Join(errs...)
}

func (a *App) stopInTime(ctx context.Context, f func(context.Context) error) error {
	if ctx.Err() != nil {
		return a.inTime(context.WithoutCancel(ctx), lastTime, f)
	}
	return a.inTime(ctx, stopTime, f)
}

// errHangs says that a function does not return.
var errHangs = errors.New("it does not return")

// inTime runs f and waits until its time is over, and a moment more: who listens to its
// context says better what it was doing. A panic is an error.
func (a *App) inTime(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errors.New("it ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				observe.LogPanic(ctx, a.cfg.Logger, "", v)
				err = fmt.Errorf("panic: %v", v)
			}
			done <- err
		}()
		err = f(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	moment := time.NewTimer(lastTime)
	defer moment.Stop()
	select {
	case err := <-done:
		return err
	case <-moment.C:
		return fmt.Errorf("%w: %w", errHangs, ctx.Err())
	}
}

// makeInTime makes the value of p. What comes when nobody waits for it any more is
// cleaned up.
func (a *App) makeInTime(ctx context.Context, p *provider, in reflect.Value) error {
	var mu sync.Mutex
	late := false
	err := a.inTime(ctx, a.cfg.StartTimeout, func(ctx context.Context) error {
		value, cleanup, err := p.make(ctx, in)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && !late {
			p.value, p.cleanup = value, cleanup
		} else if cleanup != nil && late {
			return cleanup(errHangs)
		}
		return err
	})
	mu.Lock()
	defer mu.Unlock()
	late = true
	return err
}
