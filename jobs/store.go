package jobs

import (
	"context"
	"sync"
	"time"
)

// Store decides which process runs a job, and remembers when it is due. Each method is
// one atomic step, by the store's own clock. It must be safe for concurrent use.
type Store interface {
	// Claim gives the job of this name to the caller for the time of lease, if it is
	// due and nobody has it. A job that the store does not know is due at
	// schedule.First; one that is due after schedule.Latest is due then.
	Claim(ctx context.Context, name string, schedule Schedule, lease time.Duration) (Claim, error)
	// Renew makes the lease with this token end so much after now. It reports false if
	// the lease is over or another's.
	Renew(ctx context.Context, name string, token int64, lease time.Duration) (bool, error)
	// Finish gives the job back. It reports false, and changes nothing, if the token is
	// not that of the latest claim.
	Finish(ctx context.Context, name string, token int64, next Next) (bool, error)
}

// Claim is the answer of a [Store] to who wants to run a job.
type Claim struct {
	// Held says that the caller has the job.
	Held bool
	// Token is the fencing token of the run: greater than those of all runs before.
	Token int64
	// Due is when the run was due, and Now the time of the store.
	Due, Now time.Time
	// Failures is how many runs have failed since the last that did not.
	Failures int
	// Wait, if the job is not held, is how long it is not worth to ask again.
	Wait time.Duration
}

// Next is what a run leaves behind.
type Next struct {
	// Due is when the job is due next, by the clock of the store.
	Due time.Time
	// Failures is how many runs have failed since the last that did not.
	Failures int
}

// Memory is a [Store] for one process. It forgets when the process ends: jobs with a
// period run at once after a start.
type Memory struct {
	mu   sync.Mutex
	jobs map[string]*entry
}

type entry struct {
	token    int64
	due      time.Time
	until    time.Time // the end of the lease
	failures int
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{jobs: make(map[string]*entry)} }

// Claim implements [Store].
func (m *Memory) Claim(_ context.Context, name string, schedule Schedule, lease time.Duration) (Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	e := m.jobs[name]
	if e == nil {
		e = &entry{due: schedule.First(now)}
		m.jobs[name] = e
	}
	if latest := schedule.Latest(now); e.due.After(latest) {
		e.due = latest
	}
	c := Claim{Due: e.due, Now: now, Failures: e.failures}
	if from := later(e.due, e.until); from.After(now) {
		c.Wait = from.Sub(now)
		return c, nil
	}
	e.token++
	e.until = now.Add(lease)
	c.Held, c.Token = true, e.token
	return c, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Renew implements [Store].
func (m *Memory) Renew(_ context.Context, name string, token int64, lease time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.jobs[name]
	now := time.Now()
	if e == nil || e.token != token || !e.until.After(now) {
		return false, nil
	}
	e.until = now.Add(lease)
	return true, nil
}

// Finish implements [Store].
func (m *Memory) Finish(_ context.Context, name string, token int64, next Next) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.jobs[name]
	if e == nil || e.token != token {
		return false, nil
	}
	e.due, e.failures, e.until = next.Due, next.Failures, time.Time{}
	return true, nil
}
