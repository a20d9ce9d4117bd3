package jobs_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/jobs"
)

// TestTaskThatEndsItsGoroutineTakesNothingWithIt: neither the process, nor the worker,
// nor its place in the queue.
func TestTaskThatEndsItsGoroutineTakesNothingWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, err := jobs.NewPool(jobs.PoolConfig{Workers: 1, Queue: 2, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		for range 5 {
			if !pool.Reserve(2) {
				t.Fatal("the places were not given back")
			}
			pool.Start(jobs.Task{Name: "exit", Run: func(context.Context) error { runtime.Goexit(); return nil }},
				jobs.Task{Name: "next", Run: func(context.Context) error { ran++; return nil }})
			synctest.Wait()
		}
		if err := pool.Stop(t.Context()); err != nil || ran != 5 {
			t.Errorf("%d tasks ran, want 5: %v", ran, err)
		}
	})
}

// TestJobThatEndsItsGoroutineRunsAgain: its lease would be renewed for ever, and no
// process would run it.
func TestJobThatEndsItsGoroutineRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		runner, err := jobs.New(jobs.Config{Logger: slog.New(slog.DiscardHandler)}, jobs.Job{
			Name: "exit", Schedule: jobs.Schedule{Every: time.Second}, Run: func(context.Context) error { runs++; runtime.Goexit(); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := runner.Run(ctx); err != nil || runs < 10 {
			t.Errorf("%d runs in a minute: %v", runs, err)
		}
	})
}
