package fastness_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/jobs"
)

type notebook struct{ note func(string) }

func TestOrderOfStartAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, public := open(fastness.Config{})
		var mu sync.Mutex
		var order []string
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, what)
		}
		hook := func(what string) func(context.Context) error {
			return func(context.Context) error { note(what); return nil }
		}
		fastness.ProvideApp(app, func(context.Context, none) (notebook, func(error) error, error) {
			note("open")
			return notebook{note}, func(error) error { note("close"); return nil }, nil
		})
		app.OnStart(hook("start 1"))
		app.OnStart(hook("start 2"))
		app.OnStop(hook("stop 1"))
		app.OnStop(hook("stop 2"))
		fastness.Worker(app, "worker", func(ctx context.Context, in struct{ Book notebook }) error {
			in.Book.note("worker begins")
			<-ctx.Done()
			in.Book.note("worker ends")
			return nil
		})
		fastness.Post(public, "/", func(_ context.Context, in struct{ Background *fastness.Background }) (string, error) {
			in.Background.Add("task", func(context.Context) error {
				time.Sleep(time.Second) // The bubble's clock.
				note("task")
				return nil
			})
			return "", nil
		})
		api := fastnesstest.New(t, app)
		synctest.Wait()
		api.Post("/", nil)
		if err := app.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		want := []string{"open", "start 1", "start 2", "worker begins", "worker ends", "task", "stop 2", "stop 1", "close"}
		if !slices.Equal(order, want) {
			t.Errorf("the order is %q, want %q", order, want)
		}
	})
}

func TestStartThatHangsFailsWithTheNameOfWhatHangs(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, tt := range []struct {
		name, want string
		declare    func(*fastness.App)
	}{
		{"a provider that listens", "provider of fastness_test.notebook: context deadline exceeded", func(app *fastness.App) {
			fastness.ProvideApp(app, func(ctx context.Context, _ none) (notebook, func(error) error, error) {
				<-ctx.Done()
				return notebook{}, nil, ctx.Err()
			})
		}},
		{"a provider that does not", "provider of fastness_test.notebook: it does not return", func(app *fastness.App) {
			fastness.ProvideApp(app, func(context.Context, none) (notebook, func(error) error, error) {
				<-hang
				return notebook{}, nil, nil
			})
		}},
		{"a function", "OnStart: the function in lifespan_test.go:", func(app *fastness.App) {
			app.OnStart(func(context.Context) error { <-hang; return nil })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app, _ := open(fastness.Config{StartTimeout: time.Millisecond})
			tt.declare(app)
			if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start() = %v, want %q", err, tt.want)
			}
		})
	}
}

// What a provider opened after everybody stopped waiting for it is closed.
func TestValueThatComesTooLateIsCleanedUp(t *testing.T) {
	app, _ := open(fastness.Config{StartTimeout: time.Millisecond})
	opening, closed := make(chan struct{}), make(chan struct{})
	fastness.ProvideApp(app, func(context.Context, none) (notebook, func(error) error, error) {
		<-opening
		return notebook{}, func(error) error { close(closed); return nil }, nil
	})
	if err := app.Start(t.Context()); err == nil {
		t.Error("Start() = nil")
	}
	close(opening)
	<-closed
}

func TestStopThatHangsIsNamedAndTheOthersStillStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := open(fastness.Config{})
		forever := make(chan struct{})
		closed := false
		fastness.ProvideApp(app, func(context.Context, none) (notebook, func(error) error, error) {
			return notebook{}, func(error) error { closed = true; return errors.New("the disk is full") }, nil
		})
		app.OnStop(func(ctx context.Context) error { // It comes after the one that hangs, and can still work.
			if ctx.Err() != nil {
				t.Errorf("a function after one that hangs gets a context that has ended: %v", ctx.Err())
			}
			return nil
		})
		app.OnStop(func(context.Context) error { <-forever; return nil })
		fastness.Worker(app, "deaf", func(context.Context, none) error { <-forever; return nil })
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := app.Stop(ctx)
		for _, want := range []string{`worker "deaf": it does not return`, "OnStop: the function in lifespan_test.go:", "clean-up of fastness_test.notebook: the disk is full"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Stop() = %v, want %q", err, want)
			}
		}
		if !closed {
			t.Error("the provider did not clean up, because others hang")
		}
		close(forever)
	})
}

func TestPanicAtTheStartIsItsError(t *testing.T) {
	app, _ := open(fastness.Config{})
	app.OnStart(func(context.Context) error { panic("no disk") })
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "panic: no disk") {
		t.Errorf("Start() = %v, want the panic", err)
	}
}

// A consumer that died in a server that looks healthy loses work for days.
func TestWorkerThatFailsEndsTheProgram(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("the queue is gone") },
		"panic": func() error { panic("the queue is gone") },
	} {
		t.Run(name, func(t *testing.T) {
			app := fastness.New(fastness.Config{Title: "T", Version: "1", Logger: slog.New(slog.DiscardHandler)})
			fastness.Worker(app, "consumer", func(context.Context, none) error { return fail() })
			var complaint strings.Builder
			args := []string{"test", "--addr", "127.0.0.1:0", "--data", t.TempDir()}
			if exit := app.Run(t.Context(), args, io.Discard, &complaint); exit != 1 || !strings.Contains(complaint.String(), `worker "consumer" failed`) {
				t.Errorf("exit status %d, it says %q: want 1 and the worker", exit, complaint.String())
			}
		})
	}
}

func TestAppIsNotReadyWhenAWorkerFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := open(fastness.Config{})
		fail := make(chan error)
		fastness.Worker(app, "warm up", func(context.Context, none) error { return nil })
		fastness.Worker(app, "consumer", func(context.Context, none) error { return <-fail })
		api := fastnesstest.New(t, app)
		synctest.Wait()
		api.Get("/health/ready")
		fail <- errors.New("the queue is gone")
		synctest.Wait()
		time.Sleep(2 * time.Second) // Of the bubble: the result before is used for one.
		res := api.Get("/health/ready", fastnesstest.Status(http.StatusServiceUnavailable))
		if p := res.WantProblem(503, "not_ready").Problem(); p.Detail != "not ready: worker consumer" {
			t.Errorf("the answer says %q, want the consumer alone", p.Detail)
		}
	})
}

func TestJobGetsAppScopedValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _ := open(fastness.Config{})
		runs := 0
		fastness.ProvideValue(app, notebook{func(string) { runs++ }})
		fastness.Job(app, "sweep", jobs.Schedule{Every: time.Hour}, func(ctx context.Context, in struct{ Book notebook }) error {
			in.Book.note("run")
			return nil
		})
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Minute) // Of the bubble.
		if err := app.Stop(t.Context()); err != nil || runs != 3 {
			t.Errorf("Stop() = %v after %d runs, want 3: at once, after one hour and after two", err, runs)
		}
	})
}

func TestWrongWorkIsAMistakeAtTheStart(t *testing.T) {
	app, _ := open(fastness.Config{StartTimeout: -1, Background: jobs.PoolConfig{Workers: -1}})
	fastness.Worker(app, "a", func(context.Context, struct{ Book notebook }) error { return nil })
	fastness.Worker(app, "a", func(context.Context, none) error { return nil })
	fastness.Worker[none](app, "", nil)
	fastness.Job(app, "b", jobs.Schedule{}, func(context.Context, none) error { return nil })
	err := app.Start(t.Context())
	for _, want := range []string{
		"StartTimeout is -1ns", "Workers is -1", `worker or job "a": provider of struct { Book fastness_test.notebook }: field Book`,
		`worker "a" is there twice`, `worker "": want a name and a function`, `job "b": want one of Every and DailyAt`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}
