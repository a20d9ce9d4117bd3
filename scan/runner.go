package scan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// runner runs checks, phase after phase.
type runner struct {
	checks  []check.Check
	target  *probe.Target
	results *collector
	logger  *slog.Logger
	// parallel is how many checks that only read run at once.
	parallel int
	// progress is told what runs now, or nil.
	progress func(phase check.Phase, id string, done, of int)

	mu   sync.Mutex
	done int
	// ran has what became of each check, by id: nil if it ran to its end.
	ran map[string]error
}

// look gives an answer to the passive checks.
func (r *runner) look(ex *wire.Exchange) {
	for _, c := range r.checks {
		if c.Look != nil {
			r.guarded(c, func() error { c.Look(r.target, ex, r.results.of(c.Kind)); return nil })
		}
	}
}

// run runs the checks that are allowed. It ends early if ctx does.
func (r *runner) run(ctx context.Context) {
	r.ran = map[string]error{}
	for phase := check.Passive; phase <= check.Session; phase++ {
		var beside, alone []check.Check
		for _, c := range r.checks {
			switch {
			case c.Phase != phase || c.Run == nil:
			case c.Alone || phase > check.Read:
				alone = append(alone, c)
			default:
				beside = append(beside, c)
			}
		}
		r.together(ctx, beside)
		for _, c := range alone {
			r.one(ctx, c)
		}
	}
}

// together runs checks at once, as many as may.
func (r *runner) together(ctx context.Context, checks []check.Check) {
	var group sync.WaitGroup
	places := make(chan struct{}, max(r.parallel, 1))
	for _, c := range checks {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			r.one(ctx, c)
		})
	}
	group.Wait()
}

func (r *runner) one(ctx context.Context, c check.Check) {
	r.mu.Lock()
	r.done++
	done := r.done
	r.mu.Unlock()
	if r.progress != nil {
		r.progress(c.Phase, c.Kind.ID, done, len(r.checks))
	}
	err := ctx.Err()
	if err == nil {
		err = r.guarded(c, func() error { return c.Run(ctx, r.target, whileRunning(ctx, r.results.of(c.Kind))) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran[c.Kind.ID] = errors.Join(r.ran[c.Kind.ID], err)
}

// whileRunning drops claims once the time of the scan is over: the control of such a claim
// was cut off, and an answer that did not come is no other answer.
func whileRunning(ctx context.Context, report check.Report) check.Report {
	return func(claim check.Claim) {
		if ctx.Err() == nil {
			report(claim)
		}
	}
}

// guarded runs a part of a check. A check that panics is a defect of the scanner; the
// others go on.
func (r *runner) guarded(c check.Check, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the check has a defect: %v", v)
			r.logger.Error("a check has a defect", "check", c.Kind.ID, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	return f()
}

// allowed returns the checks that a profile runs, each part as one of its own.
func allowed(checks []check.Check, p profile) []check.Check {
	var parts []check.Check
	for _, c := range checks {
		parts = append(parts, c)
		for _, also := range c.Also {
			part := c
			part.Phase, part.Run, part.Look = also.Phase, also.Run, nil
			parts = append(parts, part)
		}
	}
	return slices.DeleteFunc(parts, func(c check.Check) bool {
		return c.Phase > p.last || c.Deep && !p.limits.Deep || c.Phase >= check.Write && !p.limits.Write
	})
}
