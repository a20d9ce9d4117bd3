package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/fastness/fastness/observe"
)

// PoolConfig configures a [Pool].
type PoolConfig struct {
	// Workers is how many tasks run at once. The default is 8.
	Workers int
	// Queue is how many tasks may be accepted and not have ended, those that run
	// included. The default is 1024.
	Queue int
	// Timeout is how long a task may take before its context ends. The default is a
	// minute.
	Timeout time.Duration
	// Logger gets the tasks that fail. The default is slog.Default().
	Logger *slog.Logger
}

// Task is a function that runs once.
type Task struct {
	// Name names it in the log.
	Name string
	// Run is the function. An error and a panic go to the log.
	Run func(context.Context) error
	// Context has the values that the function gets to see, and what the log says of
	// them. Its end is not that of the task. Nil is the background.
	Context context.Context
	// RequestID is that of the request that it belongs to, for the log.
	RequestID string
}

// Pool runs tasks with a fixed number of workers. It is safe for concurrent use.
type Pool struct {
	cfg    PoolConfig
	ctx    context.Context // of all tasks
	cancel context.CancelFunc

	mu       sync.Mutex
	reserved int // places, those of waiting and running tasks included
	waiting  []Task
	running  []*Task
	workers  int
	stopped  bool
	idle     chan struct{} // closed when the last task ends, or nil
}

// NewPool returns a pool, or an error that names every mistake. It starts goroutines
// only while there are tasks.
func NewPool(cfg PoolConfig) (*Pool, error) {
	var errs []error
	defaultTo := func(name string, value *int, preset int) {
		if *value < 0 {
			errs = append(errs, fmt.Errorf("%s is %d, want more than 0", name, *value))
		}
		if *value == 0 {
			*value = preset
		}
	}
	defaultTo("Workers", &cfg.Workers, 8)
	defaultTo("Queue", &cfg.Queue, 1024)
	if cfg.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Timeout is %v, want more than 0", cfg.Timeout))
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("jobs pool config: %w", err)
	}
	p := &Pool{cfg: cfg}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Reserve takes n places in the queue, or none and reports false. Each place is given
// back by [Pool.Release], or by a task when it ends.
func (p *Pool) Reserve(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || n > p.cfg.Queue-p.reserved {
		return false
	}
	p.reserved += n
	return true
}

// Release gives n places back.
func (p *Pool) Release(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(n)
}

func (p *Pool) release(n int) {
	p.reserved -= n
	if p.reserved == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// Start runs tasks as soon as a worker is free. Each must have a place.
func (p *Pool) Start(tasks ...Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, tasks...)
	p.hire()
}

// hire starts the workers that are missing. The caller holds mu.
func (p *Pool) hire() {
	for p.workers < min(p.cfg.Workers, len(p.waiting)+len(p.running)) {
		p.workers++
		go p.work()
	}
}

// work runs tasks until none is left.
func (p *Pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		p.workers--
		p.hire() // If a task has ended the goroutine of its worker.
	}()
	for len(p.waiting) > 0 {
		t := p.waiting[0]
		p.waiting[0] = Task{} // What it holds is garbage when it has run.
		p.waiting = p.waiting[1:]
		p.one(&t)
	}
}

// one runs a task without mu, which the caller holds before and after.
func (p *Pool) one(t *Task) {
	p.running = append(p.running, t)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.running = slices.DeleteFunc(p.running, func(r *Task) bool { return r == t })
		p.release(1)
	}()
	p.run(t)
}

// run runs one task, and logs how it fails.
func (p *Pool) run(t *Task) {
	ctx := context.Background()
	if t.Context != nil {
		ctx = context.WithoutCancel(t.Context)
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	defer func() {
		if v := recover(); v != nil {
			observe.LogPanic(ctx, p.cfg.Logger.With("task", t.Name), t.RequestID, v)
		}
	}()
	if err := t.Run(ctx); err != nil {
		p.cfg.Logger.ErrorContext(ctx, "a task failed", "task", t.Name, "request_id", t.RequestID, "error", err.Error())
	}
}

// afterCancel is how long tasks get to return once their contexts have ended.
const afterCancel = time.Second

// Stop takes no more tasks and waits until those that were accepted have ended. At the
// end of ctx their contexts end. What was not run, or does not return, is in the log by
// its name, and in the error.
func (p *Pool) Stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopped = true
	idle := p.idle
	if idle == nil && p.reserved > 0 {
		idle = make(chan struct{})
		p.idle = idle
	}
	p.mu.Unlock()
	defer p.cancel()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	dropped := p.waiting
	p.waiting = nil
	p.release(len(dropped))
	p.mu.Unlock()
	p.cancel()
	timer := time.NewTimer(afterCancel)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
	return p.left(dropped)
}

// left logs what has not been done.
func (p *Pool) left(dropped []Task) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range dropped {
		p.cfg.Logger.Error("a task was not run: the process stops", "task", dropped[i].Name, "request_id", dropped[i].RequestID)
	}
	for _, t := range p.running {
		p.cfg.Logger.Error("a task does not return: the process stops", "task", t.Name, "request_id", t.RequestID)
	}
	if n := len(dropped) + len(p.running); n > 0 {
		return fmt.Errorf("%d tasks were not done, see the log", n)
	}
	return nil
}
