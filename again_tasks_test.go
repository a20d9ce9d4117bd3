package fastness_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/jobs"
)

// colliding is what a provider makes whose operation runs again after errCollided.
type colliding struct{}

var errCollided = errors.New("another request was faster")

func (colliding) RunsAgain(err error) bool { return errors.Is(err, errCollided) }

// TestOperationThatRunsAgainHasItsTasksOnce: those of the attempt that failed are not run,
// and their places are free for the next.
func TestOperationThatRunsAgainHasItsTasksOnce(t *testing.T) {
	app, public := open(fastness.Config{Logger: slog.New(slog.DiscardHandler), Background: jobs.PoolConfig{Queue: 2}})
	fastness.Provide(app, func(context.Context, struct{}) (colliding, error) { return colliding{}, nil })
	ran, attempts := make(chan int, 10), 0
	fastness.Post(public, "/", func(_ context.Context, in struct {
		Held       colliding
		Background *fastness.Background
	}) (int, error) {
		attempts++
		attempt := attempts
		for range 2 {
			in.Background.Add("mail", func(context.Context) error { ran <- attempt; return nil })
		}
		if attempts < 3 {
			return 0, errCollided
		}
		return attempts, nil
	})
	fastnesstest.New(t, app).Post("/", nil, fastnesstest.Status(200))
	for range 2 {
		select {
		case attempt := <-ran:
			if attempt != 3 {
				t.Errorf("a task of attempt %d ran", attempt)
			}
		case <-time.After(patience):
			t.Fatal("a task did not run")
		}
	}
	if len(ran) > 0 {
		t.Errorf("%d tasks too many ran", len(ran))
	}
}
