package pubsub_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
)

// late is a bus whose bells have not rung yet.
type late struct{ *pubsubtest.Memory }

func (late) Follow(string, func()) (stop func()) { return func() {} }

// A client that was told by one process, and comes to another one which has not heard of
// it, has missed nothing.
func TestAProcessThatIsBehindReadsWhatAClientHasSeen(t *testing.T) {
	bus := &pubsubtest.Memory{}
	here, there := newHub(t, pubsub.Config{Name: "test", Bus: bus}), newHub(t, pubsub.Config{Name: "test", Bus: late{bus}})
	subscribe(t, there, "a", pubsub.Now)
	seen := subscribe(t, here, "a", pubsub.Now)
	publish(t, here, "a", 1, 3)
	_, second := read(t, seen, 2)
	want(t, subscribe(t, there, "a", second), 1, "3")
	want(t, subscribe(t, there, "a", second+1_000_000), 1, "gap")
}

func TestAnIDThatNobodyCanLookUpIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &pubsubtest.Memory{}
		h := newHub(t, pubsub.Config{Name: "test", Bus: bus, Logger: slog.New(slog.DiscardHandler)})
		s := subscribe(t, h, "a", pubsub.Now)
		bus.Stop()
		for range 2 {
			start := time.Now()
			want(t, subscribe(t, h, "a", s.After()+1), 1, "gap")
			if waited := time.Since(start); waited > 5*time.Second {
				t.Errorf("it waited %v for a bus that is down", waited)
			}
			time.Sleep(time.Minute) // Of the bubble: by then the bus is asked every five seconds.
		}
		_ = h.Close()
		synctest.Wait()
	})
}
