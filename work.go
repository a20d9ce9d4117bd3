package fastness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/observe"
)

// work is what runs beside requests.
type work struct {
	workers  []*worker
	periodic []*worker
	schedule []jobs.Schedule // of periodic
	pool     *jobs.Pool

	runs   sync.WaitGroup
	cancel context.CancelFunc // or nil, if nothing was started
	failed chan error         // gets the first worker that failed

	mu      sync.Mutex
	running []string
	broken  map[string]bool
}

// worker is a function that needs app-scoped values.
type worker struct {
	name string
	in   *provider // pseudo: its value is the input
	run  func(ctx context.Context, in reflect.Value) error
	made reflect.Value
}

func newWorker[In any](app *App, what, name string, f func(context.Context, In) error) *worker {
	app.mustBeOpen(what + " " + name)
	w := &worker{name: name, in: &provider{group: app.root, typ: reflect.TypeFor[In](), in: reflect.TypeFor[In](), scope: appScope}}
	if name == "" || f == nil {
		app.mistakes = append(app.mistakes, fmt.Errorf("%s %q: want a name and a function", what, name))
	}
	w.run = func(ctx context.Context, in reflect.Value) error { return f(ctx, *in.Interface().(*In)) }
	return w
}

// Worker runs f from the start of the app to its stop, beside requests: a consumer of a
// queue, for instance. The fields of In are filled with app-scoped values, as those of
// [ProvideApp] are. When the app stops the context of f ends, and the stop waits for it.
//
// A worker that returns nil is done. One that returns an error, or panics, is not started
// again: nobody knows what state it left. The error is logged, GET /health/ready answers
// 503 from then on, and a program of [Main] stops gracefully with exit status 1, so that
// whatever runs it starts a new one.
func Worker[In any](app *App, name string, f func(context.Context, In) error) {
	w := newWorker(app, "worker", name, f)
	if slices.ContainsFunc(app.workers, func(other *worker) bool { return other.name == name }) {
		app.mistakes = append(app.mistakes, fmt.Errorf("worker %q is there twice", name))
	}
	app.workers = append(app.workers, w)
	app.Ready("worker "+name, func(context.Context) error {
		app.work.mu.Lock()
		defer app.work.mu.Unlock()
		if app.broken[name] {
			return errors.New("it has failed")
		}
		return nil
	})
}

// Job runs f by a schedule, in one of the processes that serve the app. The fields of In
// are filled with app-scoped values.
//
//	fastness.ProvideApp(app, sqljobs.Open) // where they agree; without it, each process runs all jobs
//	fastness.Job(app, "sweep", jobs.Schedule{Every: time.Hour}, sweep)
//
// See package jobs for what is promised: a run may come twice, and jobs.Token helps with
// that. A run that fails is logged and repeated; it does not end the app.
func Job[In any](app *App, name string, schedule jobs.Schedule, f func(context.Context, In) error) {
	app.periodic = append(app.periodic, newWorker(app, "job", name, f))
	app.schedule = append(app.schedule, schedule)
}

// compileWork checks what runs beside requests, and makes the pool.
func (a *App) compileWork() (errs []error) {
	a.failed = make(chan error, 1)
	a.broken = make(map[string]bool)
	background := a.cfg.Background
	if background.Logger == nil {
		background.Logger = a.cfg.Logger
	}
	var err error
	if a.pool, err = jobs.NewPool(background); err != nil {
		errs = append(errs, fmt.Errorf("config: Background: %w", err))
	}
	checked := make(map[*provider]bool)
	for _, w := range slices.Concat(a.workers, a.periodic) {
		for _, err := range w.in.check(checked, nil) {
			errs = append(errs, fmt.Errorf("worker or job %q: %w", w.name, err))
		}
	}
	if _, err := a.runner(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// runner returns what runs the jobs.
func (a *App) runner() (*jobs.Runner, error) {
	list := make([]jobs.Job, len(a.periodic))
	for i, w := range a.periodic {
		list[i] = jobs.Job{Name: w.name, Schedule: a.schedule[i], Run: func(ctx context.Context) error { return w.run(ctx, w.made) }}
	}
	cfg := jobs.Config{Logger: a.cfg.Logger}
	if p := a.jobStore(); p != nil && p.made {
		cfg.Store, _ = p.value.Interface().(jobs.Store)
	}
	return jobs.New(cfg, list...)
}

// jobStore returns the provider of the store of jobs, or nil.
func (a *App) jobStore() *provider {
	if p := a.root.provider(reflect.TypeFor[jobs.Store]()); p != nil && p.scope == appScope {
		return p
	}
	return nil
}

// startWork starts the workers and the jobs.
func (a *App) startWork(ctx context.Context) error {
	for _, w := range slices.Concat(a.workers, a.periodic) {
		var err error
		if w.made, err = a.appInput(ctx, w.in.group, w.in.in); err != nil {
			return fmt.Errorf("%q: %w", w.name, err)
		}
	}
	runner, err := a.runner()
	if err != nil {
		return err
	}
	if len(a.periodic) > 0 && a.jobStore() == nil {
		a.cfg.Logger.Info("jobs run in every process: there is no jobs.Store", "jobs", len(a.periodic))
	}
	ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, w := range a.workers {
		a.host(ctx, w.name, func(ctx context.Context) error { return w.run(ctx, w.made) })
	}
	if len(a.periodic) > 0 {
		a.host(ctx, "jobs", runner.Run)
	}
	return nil
}

// host runs f until ctx is done. Its failure is that of the app.
func (a *App) host(ctx context.Context, name string, f func(context.Context) error) {
	a.work.mu.Lock()
	a.running = append(a.running, name)
	a.work.mu.Unlock()
	a.runs.Go(func() {
		err := errors.New("it ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				observe.LogPanic(ctx, a.cfg.Logger.With("worker", name), "", v)
				err = fmt.Errorf("panic: %v", v)
			}
			a.ended(ctx, name, err)
		}()
		err = f(ctx)
	})
}

// ended notes that a worker has.
func (a *App) ended(ctx context.Context, name string, err error) {
	a.work.mu.Lock()
	a.running = slices.DeleteFunc(a.running, func(n string) bool { return n == name })
	a.broken[name] = err != nil && ctx.Err() == nil
	a.work.mu.Unlock()
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled):
	case ctx.Err() != nil:
		a.cfg.Logger.Warn("a worker ended with an error at the stop", "worker", name, "error", err.Error())
	default:
		a.cfg.Logger.Error("a worker failed", "worker", name, "error", err.Error())
		select {
		case a.failed <- fmt.Errorf("worker %q failed: %w", name, err):
		default: // Another one has ended the app.
		}
	}
}

// stopWork ends the workers and jobs and waits for them and for the background.
func (a *App) stopWork(ctx context.Context) error {
	if a.cancel != nil {
		a.cancel()
	}
	var errs []error
	ended := make(chan struct{})
	go func() {
		a.runs.Wait()
		close(ended)
	}()
	if a.pool != nil {
		errs = append(errs, a.pool.Stop(ctx))
	}
	err := a.stopInTime(ctx, func(ctx context.Context) error {
		select {
		case <-ended:
		case <-ctx.Done():
		}
		return nil
	})
	a.work.mu.Lock()
	defer a.work.mu.Unlock()
	for _, name := range a.running {
		errs = append(errs, fmt.Errorf("worker %q: %w", name, errHangs))
	}
	return errors.Join(append(errs, err)...)
}

// untilFailure returns a context that ends when a worker fails, and the error of that
// worker if there is one.
func (a *App) untilFailure(ctx context.Context) (running context.Context, failure func() error) {
	running, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case err := <-a.failed:
			cancel(err)
		case <-running.Done():
		}
	}()
	return running, func() error {
		if ctx.Err() == nil && running.Err() != nil {
			return context.Cause(running)
		}
		cancel(nil)
		return nil
	}
}
