package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/jobs"
)

// journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (j *journal) want(t *testing.T, parts ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, part := range parts {
		if !strings.Contains(j.text.String(), part) {
			t.Errorf("the log is\n%swant %q in it", j.text.String(), part)
		}
	}
}

func newPool(t *testing.T, cfg jobs.PoolConfig) *jobs.Pool {
	t.Helper()
	p, err := jobs.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPoolNeverRunsMoreThanItsWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, jobs.PoolConfig{Workers: 3, Queue: 20})
		var mu sync.Mutex
		running, most, ran := 0, 0, 0
		task := jobs.Task{Name: "count", Run: func(context.Context) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second) // The bubble's clock.
			mu.Lock()
			running--
			ran++
			mu.Unlock()
			return nil
		}}
		for range 20 {
			if !p.Reserve(1) {
				t.Fatal("no place for one of 20")
			}
			p.Start(task)
		}
		if p.Reserve(1) {
			t.Error("a place beyond the queue was given")
		}
		if err := p.Stop(t.Context()); err != nil || most != 3 || ran != 20 {
			t.Errorf("Stop() = %v, %d ran, %d at once, want 20 and 3", err, ran, most)
		}
		if p.Reserve(1) {
			t.Error("a stopped pool took a task")
		}
	})
}

func TestPoolGivesPlacesBack(t *testing.T) {
	p := newPool(t, jobs.PoolConfig{Queue: 2})
	if !p.Reserve(2) || p.Reserve(1) {
		t.Fatal("want 2 places and no third")
	}
	p.Release(2)
	if !p.Reserve(2) {
		t.Error("the places were not given back")
	}
	p.Release(2)
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFailuresOfTasksAreLoggedWithTheRequest(t *testing.T) {
	var log journal
	p := newPool(t, jobs.PoolConfig{Logger: log.logger()})
	p.Reserve(2)
	p.Start(jobs.Task{Name: "mail", RequestID: "R1", Run: func(context.Context) error { return errors.New("no route") }},
		jobs.Task{Name: "sms", RequestID: "R2", Run: func(context.Context) error { panic("no number") }})
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	log.want(t, `task=mail request_id=R1 error="no route"`, `task=sms panic="no number" request_id=R2`)
}

type key struct{}

func TestTaskHasTheValuesAndNotTheEndOfItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, jobs.PoolConfig{Timeout: time.Minute})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
		cancel()
		var value any
		var early, late error
		p.Reserve(1)
		p.Start(jobs.Task{Name: "look", Context: ctx, Run: func(ctx context.Context) error {
			value, early = ctx.Value(key{}), ctx.Err()
			<-ctx.Done()
			late = ctx.Err()
			return nil
		}})
		begin := time.Now()
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if value != "kept" || early != nil || !errors.Is(late, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("value %v, error %v, then %v after %v: want kept, none, deadline after 1m", value, early, late, time.Since(begin))
		}
	})
}

func TestWhatIsLeftAtTheStopIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		p := newPool(t, jobs.PoolConfig{Workers: 2, Logger: log.logger()})
		forever := make(chan struct{})
		p.Reserve(3)
		p.Start(jobs.Task{Name: "deaf", Run: func(context.Context) error { <-forever; return nil }},
			jobs.Task{Name: "listens", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			jobs.Task{Name: "waits", Run: func(context.Context) error { t.Error("it ran"); return nil }})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err == nil || !strings.Contains(err.Error(), "2 tasks were not done") {
			t.Errorf("Stop() = %v, want 2 tasks that were not done", err)
		}
		log.want(t, `"a task was not run: the process stops" task=waits`, `"a task does not return: the process stops" task=deaf`, `"a task failed" task=listens`)
		close(forever)
	})
}

func TestPoolConfigNamesEveryMistake(t *testing.T) {
	_, err := jobs.NewPool(jobs.PoolConfig{Workers: -1, Queue: -2, Timeout: -3})
	for _, want := range []string{"jobs pool config: ", "Workers is -1", "Queue is -2", "Timeout is -3ns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewPool() = %v, want %q", err, want)
		}
	}
}
