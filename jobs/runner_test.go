package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/jobs"
)

// runFor runs jobs for a time of the bubble.
func runFor(t *testing.T, d time.Duration, cfg jobs.Config, list ...jobs.Job) {
	t.Helper()
	runner, err := jobs.New(cfg, list...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := runner.Run(ctx); err != nil {
		t.Error(err)
	}
}

// hits notes when a job ran, and what it says.
type hits struct {
	mu   sync.Mutex
	at   []time.Time
	says func(n int) error
}

func (h *hits) run(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = append(h.at, time.Now())
	if h.says == nil {
		return nil
	}
	return h.says(len(h.at))
}

func (h *hits) pauses() (list []time.Duration) {
	for i := 1; i < len(h.at); i++ {
		list = append(list, h.at[i].Sub(h.at[i-1]))
	}
	return list
}

func TestEachPeriodRunsOnceAmongThreeRunners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := jobs.NewMemory()
		var h hits
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				runFor(t, 24*time.Hour-time.Minute, jobs.Config{Store: store, Logger: new(journal).logger()},
					jobs.Job{Name: "sweep", Schedule: jobs.Schedule{Every: time.Hour}, Run: h.run})
			})
		}
		all.Wait()
		if len(h.at) != 24 {
			t.Errorf("%d runs in 24 hours, want 24", len(h.at))
		}
		begin := h.at[0]
		for i, at := range h.at {
			if late := at.Sub(begin) - time.Duration(i)*time.Hour; late < 0 || late >= 30*time.Second {
				t.Errorf("run %d came %v after its time, want less than 30s", i, late)
			}
		}
	})
}

func TestDailyJobRunsAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // The bubble begins at midnight UTC.
		var h hits
		runFor(t, 72*time.Hour, jobs.Config{Logger: new(journal).logger()},
			jobs.Job{Name: "report", Schedule: jobs.Schedule{DailyAt: "03:00"}, Run: h.run})
		if len(h.at) != 3 {
			t.Fatalf("%d runs in three days", len(h.at))
		}
		for _, at := range h.at {
			if late := at.UTC().Sub(at.UTC().Truncate(24*time.Hour)) - 3*time.Hour; late < 0 || late > 30*time.Second {
				t.Errorf("it ran at %v, want 03:00 UTC", at)
			}
		}
	})
}

func TestFailedRunIsRepeatedMoreAndMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		h := hits{says: func(n int) error {
			switch {
			case n == 2:
				panic("no disk")
			case n <= 4:
				return errors.New("no route")
			}
			return nil
		}}
		runFor(t, time.Minute, jobs.Config{Logger: log.logger()}, jobs.Job{Name: "sync", Schedule: jobs.Schedule{Every: time.Hour, Jitter: 1}, Run: h.run})
		want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
		got := h.pauses()
		if len(got) != len(want) {
			t.Fatalf("pauses are %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("pauses are %v, want %v", got, want)
			}
		}
		log.want(t, `"a job failed" job=sync token=1`, `error="no route"`, `panic="no disk"`, `failures=4`, `"a job ran" job=sync token=5`)
	})
}

func TestBackOffEndsAtThePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hits{says: func(int) error { return errors.New("no") }}
		runFor(t, time.Hour, jobs.Config{Logger: new(journal).logger()}, jobs.Job{Name: "sync", Schedule: jobs.Schedule{Every: 10 * time.Second, Jitter: 1}, Run: h.run})
		for _, pause := range h.pauses() {
			if pause > 10*time.Second {
				t.Fatalf("a pause of %v, want at most the period", pause)
			}
		}
		if len(h.at) < 300 {
			t.Errorf("%d runs in an hour, want more than 300: it was given up", len(h.at))
		}
	})
}

// strict is a store that heeds the context of a renewal, as a database does.
type strict struct{ *jobs.Memory }

func (s strict) Renew(ctx context.Context, name string, token int64, lease time.Duration) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return s.Memory.Renew(ctx, name, token, lease)
}

// A run that takes longer than a period, and does not care for its context, is alone.
func TestRunsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := jobs.NewMemory()
		var mu sync.Mutex
		running, most, runs := 0, 0, 0
		slow := func(context.Context) error {
			mu.Lock()
			running, runs = running+1, runs+1
			most = max(most, running)
			mu.Unlock()
			time.Sleep(3 * time.Minute)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}
		var all sync.WaitGroup
		for _, life := range []time.Duration{90 * time.Second, time.Hour} { // One process is told to stop in the middle of a run.
			all.Go(func() {
				runFor(t, life, jobs.Config{Store: strict{store}, Logger: new(journal).logger(), Lease: 3 * time.Second},
					jobs.Job{Name: "slow", Schedule: jobs.Schedule{Every: time.Minute}, Run: slow})
			})
			time.Sleep(time.Second) // So it is the first one that has the job.
		}
		all.Wait()
		if most != 1 || runs < 10 {
			t.Errorf("%d runs, %d at once, want at least 10, one at a time", runs, most)
		}
	})
}

func TestRunEndsAtItsTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []time.Duration
		runFor(t, 90*time.Second, jobs.Config{Logger: new(journal).logger()}, jobs.Job{Name: "slow", Schedule: jobs.Schedule{Every: time.Hour, Timeout: time.Minute, Jitter: 1},
			Run: func(ctx context.Context) error {
				begin := time.Now()
				<-ctx.Done()
				ends = append(ends, time.Since(begin))
				return ctx.Err()
			}})
		if len(ends) != 2 || ends[0] != time.Minute { // The second run is ended by the stop.
			t.Errorf("runs ended after %v, want the first after 1m", ends)
		}
	})
}

// deaf is a store that stops answering.
type deaf struct {
	*jobs.Memory
	from time.Time
	lie  bool // says that the lease is another's
}

func (d *deaf) Renew(ctx context.Context, name string, token int64, lease time.Duration) (bool, error) {
	switch {
	case time.Now().Before(d.from):
		return d.Memory.Renew(ctx, name, token, lease)
	case d.lie:
		return false, nil
	}
	<-ctx.Done()
	return false, ctx.Err()
}

// The database is away: the run must end while nobody else can have the lease yet.
func TestRunEndsBeforeALeaseThatCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		store := &deaf{Memory: jobs.NewMemory(), from: time.Now().Add(time.Minute)}
		var took time.Duration
		var cause error
		runFor(t, 2*time.Minute, jobs.Config{Store: store, Logger: log.logger()}, jobs.Job{Name: "long", Schedule: jobs.Schedule{Every: time.Hour},
			Run: func(ctx context.Context) error {
				if took > 0 { // The next attempt.
					return nil
				}
				begin := time.Now()
				<-ctx.Done()
				took, cause = time.Since(begin), context.Cause(ctx)
				return ctx.Err()
			}})
		// Renewed for the last time at 50s, so the lease ends at 80s.
		if took <= time.Minute || took >= 80*time.Second || !errors.Is(cause, jobs.ErrLeaseLost) {
			t.Errorf("it ended after %v for %v, want before 80s because of the lease", took, cause)
		}
		log.want(t, "could not be renewed", "the lease is lost")
	})
}

func TestRunEndsAtOnceWhenTheLeaseIsAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &deaf{Memory: jobs.NewMemory(), from: time.Now(), lie: true}
		var took time.Duration
		runFor(t, 15*time.Second, jobs.Config{Store: store, Logger: new(journal).logger()}, jobs.Job{Name: "long", Schedule: jobs.Schedule{Every: time.Hour},
			Run: func(ctx context.Context) error {
				begin := time.Now()
				<-ctx.Done()
				if took == 0 {
					took = time.Since(begin)
				}
				return ctx.Err()
			}})
		if took != 10*time.Second {
			t.Errorf("it ended after %v, want 10s, the first renewal", took)
		}
	})
}

func TestStopEndsTheRunAndLeavesItDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := jobs.NewMemory()
		cfg := jobs.Config{Store: store, Logger: new(journal).logger()}
		job := jobs.Job{Name: "long", Schedule: jobs.Schedule{Every: time.Hour}, Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		runFor(t, time.Minute, cfg, job)
		claim, err := store.Claim(t.Context(), "long", job.Schedule, time.Minute)
		if err != nil || !claim.Held || claim.Token != 2 || claim.Failures != 0 {
			t.Errorf("after the stop Claim() = %+v, %v, want the job at once, without a failure", claim, err)
		}
	})
}

// A store that is down must not be asked without a pause.
func TestStoreThatFailsIsAskedMoreAndMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &broken{}
		runFor(t, time.Hour, jobs.Config{Store: store, Logger: new(journal).logger()}, jobs.Job{Name: "a", Schedule: jobs.Schedule{Every: 2 * time.Hour}, Run: func(context.Context) error { return nil }})
		if store.asked < 50 || store.asked > 70 {
			t.Errorf("a broken store was asked %d times in an hour, want about once a minute", store.asked)
		}
	})
}

type broken struct{ asked int }

func (b *broken) Claim(context.Context, string, jobs.Schedule, time.Duration) (jobs.Claim, error) {
	b.asked++
	return jobs.Claim{}, errors.New("down")
}
func (b *broken) Renew(context.Context, string, int64, time.Duration) (bool, error) {
	return false, nil
}
func (b *broken) Finish(context.Context, string, int64, jobs.Next) (bool, error) { return false, nil }

func TestConfigNamesEveryMistake(t *testing.T) {
	run := func(context.Context) error { return nil }
	_, err := jobs.New(jobs.Config{Lease: time.Millisecond},
		jobs.Job{Name: "a", Schedule: jobs.Schedule{Every: time.Hour, DailyAt: "03:00"}, Run: run},
		jobs.Job{Name: "a", Schedule: jobs.Schedule{Every: time.Millisecond}},
		jobs.Job{Name: "b", Schedule: jobs.Schedule{DailyAt: "3:00", Timeout: -1}, Run: run},
		jobs.Job{Name: "c", Schedule: jobs.Schedule{DailyAt: "25:00"}, Run: run},
		jobs.Job{Name: "d", Schedule: jobs.Schedule{Every: time.Second, Jitter: time.Minute}, Run: run},
		jobs.Job{Schedule: jobs.Schedule{Every: time.Second}, Run: run})
	for _, want := range []string{
		"jobs config: ", "Lease is 1ms", `job "a": want one of Every and DailyAt`, `job "a" is there twice`, "Every is 1ms", `job "a": Every is 1ms, want at least 1s`, "no function",
		`job "b": DailyAt is not`, "Timeout is -1ns", `job "c": DailyAt is not`, `job "d": Jitter is 1m0s`, `job "": want a name`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
}

func FuzzScheduleIsNeverDueInThePast(f *testing.F) {
	f.Add("03:00", int64(3600), int64(1_700_000_000), int64(1_700_000_100))
	f.Add("", int64(1), int64(0), int64(1<<40))
	f.Add("24:00", int64(-1), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, at string, every, due, now int64) {
		if due < 0 || now < due || now > 1<<40 || every > 1<<30 || every < -1<<30 {
			return
		}
		schedule := jobs.Schedule{DailyAt: at, Every: time.Duration(every) * time.Second}
		if _, err := jobs.New(jobs.Config{}, jobs.Job{Name: "a", Schedule: schedule, Run: func(context.Context) error { return nil }}); err != nil {
			return
		}
		n := time.Unix(now, 0)
		if first := schedule.First(n); first.Before(n) {
			t.Errorf("%+v: First(%v) = %v", schedule, n, first)
		}
		if next := jobs.NextAfter(schedule, time.Unix(due, 0), n); !next.After(n) || next.After(schedule.Latest(n)) {
			t.Errorf("%+v: next after %v at %v is %v, want after now and at most Latest, %v", schedule, due, n, next, schedule.Latest(n))
		}
	})
}
