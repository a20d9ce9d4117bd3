package account_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
)

func state(n int64, roles string) account.State {
	return account.State{Number: n, Is: &auth.Standing{Active: true, Roles: auth.ParseSet(roles), Epoch: 1}}
}

func TestStandingIsAskedForEveryFourSeconds(t *testing.T) {
	now, loads := epoch(), 0
	cache := account.NewStandings(10, func() time.Time { return now }, func(context.Context, string) (*account.State, error) {
		loads++
		s := state(1, "seller")
		return &s, nil
	})
	first, _ := cache.Of(t.Context(), "a")
	for _, tt := range []struct {
		after time.Duration
		loads int
	}{{0, 1}, {3999 * time.Millisecond, 1}, {time.Millisecond, 2}, {-time.Hour, 3}} {
		now = now.Add(tt.after)
		got, err := cache.Of(t.Context(), "a")
		if err != nil || loads != tt.loads {
			t.Errorf("%s later: %d loads, %v, want %d", tt.after, loads, err, tt.loads)
		}
		if got != first {
			t.Errorf("%s later: another pointer though nothing has changed", tt.after)
		}
	}
}

// A reader asks the database, is overtaken by a demotion, and comes with what was
// before it.
func TestDemotionOvertakesALoadUnderWay(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(account.Standings)
		want   string // what the one who asks next is told, from the database: "seller"
	}{
		{"the change is known", func(s account.Standings) { s.Changed("a", state(2, "seller")) }, "seller"},
		{"the change may have happened", func(s account.Standings) { s.Uncertain("a") }, "seller"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, answer := make(chan bool), make(chan account.State)
			cache := account.NewStandings(10, epoch, func(context.Context, string) (*account.State, error) {
				asked <- true
				s := <-answer
				return &s, nil
			})
			done := make(chan bool)
			go func() {
				cache.Of(t.Context(), "a")
				close(done)
			}()
			<-asked
			tt.change(cache)
			answer <- state(1, "admin")
			<-done
			go func() {
				select {
				case <-asked:
					answer <- state(2, "seller")
				case <-t.Context().Done():
				}
			}()
			got, err := cache.Of(t.Context(), "a")
			if err != nil || got.Roles.String() != tt.want {
				t.Errorf("roles %q, %v, want %q", got.Roles, err, tt.want)
			}
		})
	}
}

func TestTwoChangesThatReportInTheWrongOrder(t *testing.T) {
	cache := account.NewStandings(10, epoch, nil)
	cache.Changed("a", state(3, "seller"))
	cache.Changed("a", state(2, "admin"))
	if got, err := cache.Of(t.Context(), "a"); err != nil || !got.Roles.Has("seller") {
		t.Errorf("%v, %v, want the later change", got, err)
	}
}

func TestStandingIsNotServedWhileTheDatabaseIsDown(t *testing.T) {
	now, down := epoch(), errors.New("down")
	cache := account.NewStandings(10, func() time.Time { return now }, func(context.Context, string) (*account.State, error) { return nil, down })
	cache.Changed("a", state(1, "admin"))
	if _, err := cache.Of(t.Context(), "a"); err != nil {
		t.Errorf("fresh: %v", err)
	}
	now = now.Add(4 * time.Second)
	if got, err := cache.Of(t.Context(), "a"); got != nil || !errors.Is(err, down) {
		t.Errorf("old: %v, %v, want the error", got, err)
	}
}

func TestLockEndsWithoutAChange(t *testing.T) {
	now := epoch()
	until := now.Add(time.Second)
	cache := account.NewStandings(10, func() time.Time { return now }, func(context.Context, string) (*account.State, error) {
		s := account.State{Number: 1, Is: &auth.Standing{Active: !now.Before(until)}}
		if now.Before(until) {
			s.Until = until
		}
		return &s, nil
	})
	if got, _ := cache.Of(t.Context(), "a"); got.Active {
		t.Error("active before the end of the lock")
	}
	now = until
	if got, _ := cache.Of(t.Context(), "a"); !got.Active {
		t.Error("locked after the end of the lock")
	}
}

func TestStandingsAreBounded(t *testing.T) {
	cache := account.NewStandings(100, epoch, func(_ context.Context, id string) (*account.State, error) {
		if id == "nobody" {
			return nil, nil
		}
		s := state(1, "")
		return &s, nil
	})
	for i := range 1000 {
		cache.Of(t.Context(), fmt.Sprint(i))
	}
	if n := cache.Len(); n > 100 || n < 50 {
		t.Errorf("%d entries, want at most 100", n)
	}
	before := cache.Len()
	if got, err := cache.Of(t.Context(), "nobody"); got != nil || err != nil || cache.Len() != before {
		t.Errorf("an id that nobody has: %v, %v, %d entries", got, err, cache.Len())
	}
}

func TestStandingThatIsCachedAllocatesNothing(t *testing.T) {
	cache := account.NewStandings(10, time.Now, func(context.Context, string) (*account.State, error) {
		s := state(1, "admin")
		return &s, nil
	})
	ctx := t.Context()
	cache.Of(ctx, "a")
	if n := testing.AllocsPerRun(1000, func() { cache.Of(ctx, "a") }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// Readers and a writer at once: nobody who asks after a change is told what was
// before it.
func TestChangesCountAtOnceUnderLoad(t *testing.T) {
	var stored atomic.Int64 // the number of the state in the database
	cache := account.NewStandings(10, time.Now, func(context.Context, string) (*account.State, error) {
		n := stored.Load()
		return &account.State{Number: n, Is: &auth.Standing{Epoch: n}}, nil
	})
	var announced atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan bool)
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := announced.Load()
				got, err := cache.Of(t.Context(), "a")
				if err != nil || got.Epoch < least {
					t.Errorf("epoch %d, %v, after that of %d was announced", got.Epoch, err, least)
					return
				}
			}
		})
	}
	for n := int64(1); n <= 5000; n++ {
		stored.Store(n)
		if n%3 == 0 {
			cache.Uncertain("a")
		} else {
			cache.Changed("a", account.State{Number: n, Is: &auth.Standing{Epoch: n}})
		}
		announced.Store(n)
	}
	close(stop)
	wg.Wait()
}
