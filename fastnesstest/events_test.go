package fastnesstest_test

import (
	"context"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
)

func TestEventsAreReadAsTheyCome(t *testing.T) {
	type tick struct {
		N int `json:"n"`
	}
	app := fastness.New(fastness.Config{Title: "Clock", Version: "1", Logger: fastnesstest.Logger(t)})
	gone := make(chan struct{})
	fastness.Get(app, "/ticks", func(ctx context.Context, in struct {
		Few bool `query:"few" default:"false"`
	}) (fastness.SSE[tick], error) {
		return fastness.SSE[tick]{Events: func(yield func(fastness.Event[tick], error) bool) {
			for n := 0; yield(fastness.Event[tick]{Name: "tick", Data: tick{n}}, nil); n++ {
				if in.Few && n == 2 {
					yield(fastness.Event[tick]{}, problem.New(410, "no more").Named("gone"))
					return
				}
			}
			close(gone)
		}}, nil
	}, access.Public)
	api := fastnesstest.New(t, app)
	next := 0
	for e := range fastnesstest.Events[tick](api, "/ticks") {
		if e.Data.N != next || e.Name != "tick" {
			t.Fatalf("event %+v, want %d", e, next)
		}
		if next++; next == 5 {
			break
		}
	}
	select {
	case <-gone:
	default:
		t.Error("the operation goes on though the caller is gone")
	}
	var last fastness.Event[tick]
	for e := range fastnesstest.Events[tick](api, "/ticks?few=true") {
		last = e
	}
	if last.Name != "error" || last.Text == "" || last.Data.N != 0 {
		t.Errorf("the last event is %+v, want the problem", last)
	}
}
