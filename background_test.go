package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/jobs"
)

type withTask struct {
	Background *fastness.Background
	How        string `query:"how"`
}

// serveOnSocket starts the app behind a real listener.
func serveOnSocket(t *testing.T, app *fastness.App) (url string) {
	t.Helper()
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return server.URL
}

func TestTaskRunsAfterTheAnswer(t *testing.T) {
	app, public := open(fastness.Config{})
	answered := make(chan struct{})
	ran := make(chan string, 1)
	fastness.Post(public, "/sign-up", func(ctx context.Context, in withTask) (string, error) {
		id := fastness.RequestID(ctx)
		in.Background.Add("mail", func(ctx context.Context) error {
			<-answered // The caller has the whole answer while this runs.
			if fastness.RequestID(ctx) != id {
				ran <- "another request id"
			} else if ctx.Err() != nil {
				ran <- ctx.Err().Error()
			}
			ran <- "done"
			return nil
		})
		return "welcome", nil
	})
	res, err := http.Post(serveOnSocket(t, app)+"/sign-up?how=", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	close(answered)
	if got := <-ran; got != "done" || res.StatusCode != 200 {
		t.Errorf("status %d, the task says %q", res.StatusCode, got)
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

type commitment struct{}

// slowWriter gives everybody else the time to run before anything is written.
type slowWriter struct {
	http.ResponseWriter
	before func()
}

func (w slowWriter) WriteHeader(status int) { w.before(); w.ResponseWriter.WriteHeader(status) }

func TestTaskDoesNotBeginBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, public := open(fastness.Config{})
		ran := false
		fastness.Post(public, "/", func(_ context.Context, in struct{ Background *fastness.Background }) (string, error) {
			in.Background.Add("task", func(context.Context) error { ran = true; return nil })
			return "", nil
		})
		w := slowWriter{httptest.NewRecorder(), func() {
			if synctest.Wait(); ran {
				t.Error("the task ran before the answer was sent")
			}
		}}
		app.ServeHTTP(w, httptest.NewRequest("POST", "http://localhost/", nil))
		if err := app.Stop(t.Context()); err != nil || !ran {
			t.Errorf("Stop() = %v, ran: %v", err, ran)
		}
	})
}

// What was rolled back is not announced: no mail for an order that does not exist.
func TestTaskOfAFailedRequestIsNotRun(t *testing.T) {
	app, public := open(fastness.Config{Background: jobs.PoolConfig{Queue: 1}})
	ran := make(chan string, 10)
	fastness.ProvideCleanup(app, func(context.Context, none) (commitment, func(error) error, error) {
		return commitment{}, func(error) error { return errors.New("the commit fails") }, nil
	})
	add := func(b *fastness.Background, name string) {
		b.Add(name, func(context.Context) error { ran <- name; return nil })
	}
	fastness.Post(public, "/tasks", func(_ context.Context, in withTask) (string, error) {
		add(in.Background, in.How)
		switch in.How {
		case "error":
			return "", errors.New("it fails")
		case "panic":
			panic("it panics")
		}
		return "", nil
	})
	fastness.Post(public, "/commit", func(_ context.Context, in struct {
		Background *fastness.Background
		Commitment commitment
	}) (string, error) {
		add(in.Background, "commit")
		return "", nil
	})
	api := fastnesstest.New(t, app)
	for range 3 { // The queue has one place: it must be given back each time.
		for _, target := range []string{"/tasks?how=error", "/tasks?how=panic", "/commit"} {
			api.Post(target, nil, fastnesstest.Status(500))
		}
	}
	api.Post("/tasks?how=good", nil)
	if err := app.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if close(ran); len(ran) != 1 || <-ran != "good" {
		t.Errorf("%d tasks ran, want that of the good request alone", len(ran)+1)
	}
}

// A queue without an end is a memory without an end, and a task that is dropped without
// a word is a promise that was broken: the request fails before it is committed.
func TestFullBackgroundRefusesTheRequestBeforeItsCommit(t *testing.T) {
	app, public := open(fastness.Config{Background: jobs.PoolConfig{Workers: 1, Queue: 2}})
	committed := 0
	fastness.ProvideCleanup(app, func(context.Context, none) (commitment, func(error) error, error) {
		return commitment{}, func(err error) error {
			if err == nil {
				committed++
			}
			return nil
		}, nil
	})
	block := make(chan struct{})
	ran := make(chan int, 10)
	fastness.Post(public, "/tasks", func(_ context.Context, in struct {
		Commitment commitment
		Background *fastness.Background
		N          int `query:"n"`
	}) (string, error) {
		for i := range in.N {
			in.Background.Add("wait", func(context.Context) error { <-block; ran <- i; return nil })
		}
		return "", nil
	})
	api := fastnesstest.New(t, app)
	api.Post("/tasks?n=3", nil, fastnesstest.Status(503)).WantProblem(503, "background_full").WantHeader("Retry-After", "5")
	api.Post("/tasks?n=2", nil)
	api.Post("/tasks?n=1", nil, fastnesstest.Status(503)).WantProblem(503, "background_full")
	close(block)
	if err := app.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if len(ran) != 2 || committed != 1 {
		t.Errorf("%d tasks ran and %d requests were committed, want 2 and 1", len(ran), committed)
	}
}

func TestTaskAfterTheAnswerIsLoggedAndNotRun(t *testing.T) {
	var log strings.Builder
	app, public := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var kept *fastness.Background
	fastness.Post(public, "/tasks", func(_ context.Context, in struct{ Background *fastness.Background }) (string, error) {
		kept = in.Background
		return "", nil
	})
	fastnesstest.New(t, app).Post("/tasks", nil)
	kept.Add("late", func(context.Context) error { t.Error("it ran"); return nil })
	if err := app.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "task=late") {
		t.Errorf("the log is %q, want the late task", log.String())
	}
}
