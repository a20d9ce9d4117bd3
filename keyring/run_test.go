package keyring_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/keyring"
)

// A process that only publishes keys is asked rarely. With Run it announces a
// successor in time all the same.
func TestRunAnnouncesSuccessorsThoughNobodyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: &keyring.Memory{}}
		cfg := config(t, store, newClock())
		cfg.Now = time.Now
		ring := open(t, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- ring.Run(ctx) }()
		saves := store.saves.Load()
		time.Sleep(36 * time.Minute)
		synctest.Wait()
		if store.saves.Load() == saves {
			t.Error("after 36 minutes nobody has made the successor")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		loads := store.loads.Load()
		time.Sleep(time.Hour)
		if store.loads.Load() != loads {
			t.Error("the store is read after the end")
		}
	})
}

// A caller who goes away does not take the load along that others wait for.
func TestACallerWhoGoesAwayDoesNotStopTheLoad(t *testing.T) {
	c := newClock()
	store := &flaky{Store: &keyring.Memory{}}
	ring := open(t, config(t, store, c))
	c.add(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = ring.Signing(ctx, tokens) // Whether it is quick enough is left to chance.
	if signing(t, ring, tokens) == nil {
		t.Error("nobody signs")
	}
}
