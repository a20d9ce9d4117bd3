package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fastness/fastness/observe"
)

// Job is a function that runs again and again.
type Job struct {
	// Name names the job in the store and in the log. It is required, and the same in
	// all processes.
	Name     string
	Schedule Schedule
	// Run is the function. Its context ends at the time limit, when the process stops
	// and before the lease does.
	Run func(context.Context) error
}

// Config configures a [Runner].
type Config struct {
	// Store decides which process runs a job. The default is a [Memory]: each process
	// runs all jobs.
	Store Store
	// Logger gets a line for each run, at level Debug, and for each failure. The default
	// is slog.Default().
	Logger *slog.Logger
	// Lease is how long a process that died keeps a job from the others, at least a
	// second. The default is 30 seconds. All processes have the same.
	Lease time.Duration
}

// Runner runs jobs.
type Runner struct {
	cfg  Config
	jobs []Job
}

// ErrLeaseLost is why the context of a run ends when another process may have the job.
var ErrLeaseLost = errors.New("jobs: the lease is lost")

// maxPoll is how long a process does not ask the store: another may have failed.
const maxPoll = time.Minute

// maxPanic is how much of a panic an error repeats: some are whole requests.
const maxPanic = 256

// New returns a runner, or an error that names every mistake.
func New(cfg Config, jobs ...Job) (*Runner, error) {
	var errs []error
	cfg.Lease = cmp.Or(cfg.Lease, 30*time.Second)
	if cfg.Lease < time.Second {
		errs = append(errs, fmt.Errorf("Lease is %v, want at least 1s", cfg.Lease))
	}
	if cfg.Store == nil {
		cfg.Store = NewMemory()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	names := make(map[string]bool)
	for _, j := range jobs {
		if err := j.check(); err != nil {
			errs = append(errs, fmt.Errorf("job %q: %w", j.Name, err))
		}
		if names[j.Name] {
			errs = append(errs, fmt.Errorf("job %q is there twice", j.Name))
		}
		names[j.Name] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("jobs config: %w", err)
	}
	return &Runner{cfg, jobs}, nil
}

func (j Job) check() error {
	errs := []error{j.Schedule.check()}
	if j.Name == "" || len(j.Name) > 100 {
		errs = append(errs, errors.New("want a name of 1 to 100 bytes"))
	}
	if j.Run == nil {
		errs = append(errs, errors.New("no function"))
	}
	return errors.Join(errs...)
}

// Run runs the jobs until ctx is done, and returns when the last of them has ended: they
// are told by their context. It returns nil.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, j := range r.jobs {
		all.Go(func() { r.repeat(ctx, j) })
	}
	all.Wait()
	return nil
}

// repeat runs one job whenever it is due and nobody else has it.
func (r *Runner) repeat(ctx context.Context, j Job) {
	broken := 0 // how often the store failed in a row
	for ctx.Err() == nil {
		asked := time.Now()
		claim, err := r.cfg.Store.Claim(ctx, j.Name, j.Schedule, r.cfg.Lease)
		wait := min(claim.Wait, maxPoll)
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err != nil:
			broken++
			wait = min(j.Schedule.retry(broken), maxPoll)
			r.cfg.Logger.Error("a job cannot be claimed", "job", j.Name, "error", err.Error(), "again_in", wait.String())
		case claim.Held:
			broken = 0
			r.once(ctx, j, claim, asked)
		default:
			broken = 0
			if claim.Wait <= maxPoll {
				wait += random(j.Schedule.jitter())
			}
		}
		pause(ctx, wait)
	}
}

// pause returns after d, or when ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// random returns a time from 0 up to below d.
func random(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(d))
}

// tokenKey finds what a run is in its context.
type tokenKey struct{}

type ticket struct {
	name  string
	token int64
}

// Token returns the name of the job that ctx belongs to and the fencing token of the
// run, or "" and 0.
func Token(ctx context.Context) (job string, token int64) {
	t, _ := ctx.Value(tokenKey{}).(ticket)
	return t.name, t.token
}

// once runs a job that was claimed, and says when it is due again.
func (r *Runner) once(ctx context.Context, j Job, claim Claim, asked time.Time) {
	err := r.run(ctx, j, claim, asked)
	took := time.Since(asked)
	next := Next{Due: j.Schedule.next(claim.Due, claim.Now.Add(took))}
	level, text := slog.LevelDebug, "a job ran"
	switch {
	case err != nil && ctx.Err() != nil: // The process stops: another may begin at once.
		next = Next{claim.Due, claim.Failures}
		level, text = slog.LevelInfo, "a job was stopped"
	case err != nil:
		next.Failures = claim.Failures + 1
		next.Due = claim.Now.Add(took).Add(j.Schedule.retry(next.Failures))
		level, text = slog.LevelError, "a job failed"
	}
	attrs := []any{"job", j.Name, "token", claim.Token, "took", took.String(), "due_in", max(next.Due.Sub(claim.Now)-took, 0).String()}
	if err != nil {
		attrs = append(attrs, "error", err.Error(), "failures", next.Failures)
	}
	r.cfg.Logger.Log(ctx, level, text, attrs...)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Lease/2)
	defer cancel()
	if ours, err := r.cfg.Store.Finish(ending, j.Name, claim.Token, next); err != nil {
		r.cfg.Logger.Error("the end of a job could not be stored: it will run again", "job", j.Name, "token", claim.Token, "error", err.Error())
		pause(ctx, r.cfg.Lease) // It is leased until then.
	} else if !ours {
		r.cfg.Logger.Warn("a job ended after another process had taken it over", "job", j.Name, "token", claim.Token)
	}
}

// run calls the function while its lease is renewed.
func (r *Runner) run(ctx context.Context, j Job, claim Claim, asked time.Time) error {
	ctx = context.WithValue(ctx, tokenKey{}, ticket{j.Name, claim.Token})
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	limited, cancel := context.WithTimeout(held, j.Schedule.timeout())
	defer cancel()
	ended := make(chan struct{})
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		r.keep(held, ended, lose, j, claim.Token, asked)
	}()
	err := r.call(limited, j)
	close(ended)
	<-kept
	if cause := context.Cause(held); err != nil && errors.Is(cause, ErrLeaseLost) {
		err = errors.Join(cause, err)
	}
	return err
}

// keep renews the lease until the function has ended. If that fails for too long, the
// context of the run ends a sixth of the lease before the lease itself: whoever is
// told then has time to stop.
func (r *Runner) keep(ctx context.Context, ended <-chan struct{}, lose context.CancelCauseFunc, j Job, token int64, asked time.Time) {
	lease := r.cfg.Lease
	certain := lease - lease/6
	last := time.AfterFunc(time.Until(asked.Add(certain)), func() { lose(ErrLeaseLost) })
	defer last.Stop()
	tick := time.NewTicker(lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		before := time.Now()
		// The end of the process must not end the renewal: the function may still work.
		renewing, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/3)
		ours, err := r.cfg.Store.Renew(renewing, j.Name, token, lease)
		cancel()
		switch {
		case err != nil:
			r.cfg.Logger.Warn("the lease of a job could not be renewed", "job", j.Name, "token", token, "error", err.Error())
		case !ours:
			lose(ErrLeaseLost)
			return
		case !errors.Is(context.Cause(ctx), ErrLeaseLost):
			last.Reset(time.Until(before.Add(certain)))
		}
	}
}

// call makes an error of a panic, and of a function that ends its goroutine: the job is
// to run again.
func (r *Runner) call(ctx context.Context, j Job) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("it ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				observe.LogPanic(ctx, r.cfg.Logger.With("job", j.Name), "", v)
				err = fmt.Errorf("panic: %s", observe.Printable(fmt.Sprint(v), maxPanic))
			}
			done <- err
		}()
		err = j.Run(ctx)
	}()
	return <-done
}
