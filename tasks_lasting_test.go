package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/jobs"
)

// taskAnswers are operations with tasks whose answers are sent while they are made. Fail
// says that the answer breaks off.
func taskAnswers(r fastness.Router, ran chan<- string) {
	type input struct {
		Background *fastness.Background
		How        string `query:"how"`
	}
	add := func(in input) {
		in.Background.Add("count", func(context.Context) error { ran <- "ran"; return nil })
	}
	items := func(in input, yield func(string, error) bool) {
		if yield("a", nil) && in.How == "late" {
			add(in)
			add(in)
		} else if in.How == "fail" {
			yield("", errors.New("it breaks off"))
		}
	}
	fastness.Get(r, "/lines", func(_ context.Context, in input) (fastness.JSONLines[string], error) {
		add(in)
		return fastness.JSONLines[string]{Items: func(yield func(string, error) bool) { items(in, yield) }}, nil
	})
	fastness.Get(r, "/events", func(_ context.Context, in input) (fastness.SSE[string], error) {
		add(in)
		return fastness.SSE[string]{Events: func(yield func(fastness.Event[string], error) bool) {
			items(in, func(text string, err error) bool { return yield(fastness.Event[string]{Data: text}, err) })
		}}, nil
	})
	fastness.Get(r, "/file", func(_ context.Context, in input) (fastness.Download, error) {
		add(in)
		if in.How == "fail" {
			return fastness.Download{Content: &halfway{bytes.NewReader(make([]byte, 1<<20)), 200 << 10}}, nil
		}
		return fastness.Download{Content: strings.NewReader("a")}, nil
	})
}

// TestTasksOfAStreamRunWhenItIsSent: none is lost, and no place in the queue with it. A
// queue that fills up by one place a request refuses everybody in the end.
func TestTasksOfAStreamRunWhenItIsSent(t *testing.T) {
	app, public := open(fastness.Config{Logger: slog.New(slog.DiscardHandler), Background: jobs.PoolConfig{Queue: 2}})
	ran := make(chan string, 100)
	taskAnswers(public, ran)
	url := serveOnSocket(t, app)
	get := func(path string) (status int, err error) {
		for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
			res, err := http.Get(url + path)
			if err != nil {
				return 0, err
			}
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != 503 { // The place of the task before is free in a moment.
				return res.StatusCode, err
			}
		}
		return 503, nil
	}
	for _, path := range []string{"/lines", "/events", "/file"} {
		for range 5 {
			if status, err := get(path + "?how="); status != 200 || err != nil {
				t.Fatalf("GET %s = %d, %v", path, status, err)
			}
			select {
			case <-ran:
			case <-time.After(patience):
				t.Fatalf("the task of GET %s did not run", path)
			}
		}
		for range 5 { // They break off: nothing runs, and nothing is kept.
			if status, _ := get(path + "?how=fail"); status == 503 { // The lines are answered with 500, as none was sent.
				t.Fatalf("GET %s, which breaks off = %d", path, status)
			}
		}
	}
	for range 5 { // A task too many, when nobody can be told any more.
		if status, err := get("/lines?how=late"); status != 200 || err == nil {
			t.Fatalf("GET /lines with too many tasks = %d, %v, want an answer that is cut", status, err)
		}
	}
	if len(ran) > 0 {
		t.Errorf("%d tasks ran of answers that broke off", len(ran))
	}
}

func TestFullBackgroundRefusesAStreamBeforeItBegins(t *testing.T) {
	app, public := open(fastness.Config{Logger: slog.New(slog.DiscardHandler), Background: jobs.PoolConfig{Queue: 1}})
	closed := 0
	fastness.Get(public, "/", func(_ context.Context, in struct{ Background *fastness.Background }) (fastness.Download, error) {
		for range 2 {
			in.Background.Add("count", func(context.Context) error { t.Error("it ran"); return nil })
		}
		return fastness.Download{Content: closing{strings.NewReader("a"), &closed}}, nil
	})
	api := fastnesstest.New(t, app)
	for range 3 {
		api.Get("/", fastnesstest.Status(503))
	}
	if closed != 3 {
		t.Errorf("%d files of 3 were closed", closed)
	}
}
