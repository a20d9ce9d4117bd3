package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/guard/ratelimit/storetest"
)

// engine returns the memory, whose time is the test's.
func engine(t *testing.T) storetest.Engine {
	var nanos atomic.Int64
	now := func() time.Time { return time.Unix(1_800_000_000, nanos.Load()) }
	m, err := ratelimit.NewMemory(ratelimit.MemoryConfig{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Engine{
		Nodes: [3]ratelimit.Store{m, m, m}, Now: now, Sleep: func(d time.Duration) { nanos.Add(int64(d)) },
	}
}

func TestMemory(t *testing.T) { storetest.Run(t, engine) }

// bad is a store with one flaw.
type bad struct {
	ratelimit.Store
	flaw string
	n    atomic.Int64
}

func (b *bad) Take(ctx context.Context, s *ratelimit.Spend) error {
	switch b.flaw {
	case "it fails":
		return errors.New("no")
	case "all is allowed":
		s.Allowed = true
		return nil
	case "keys are cut short":
		if len(s.Key) > 100 {
			s.Key = s.Key[:100]
		}
	case "each quota for itself":
		allowed := true
		for i := range s.Quotas {
			one := *s
			one.Quotas, one.States = s.Quotas[i:i+1], s.States[i:i+1]
			if err := b.Store.Take(ctx, &one); err != nil {
				return err
			}
			allowed = allowed && one.Allowed
		}
		s.Allowed = allowed
		return nil
	case "the cost is one":
		one := *s
		one.Cost = min(s.Cost, 1)
		err := b.Store.Take(ctx, &one)
		s.Allowed = one.Allowed
		return err
	case "the wait is short":
		err := b.Store.Take(ctx, s)
		for i := range s.States {
			s.States[i].Wait /= 2
		}
		return err
	case "one in a hundred is not counted":
		if b.n.Add(1)%100 == 0 {
			s.Allowed = true
			return nil
		}
	}
	return b.Store.Take(ctx, s)
}

func flaws() []string {
	return []string{
		"it fails", "all is allowed", "keys are cut short", "each quota for itself", "the cost is one", "the wait is short",
		"one in a hundred is not counted",
	}
}

// TestBadStoresFail runs the suite over each of the bad stores, in a process of
// its own: there it has to fail.
func TestBadStoresFail(t *testing.T) {
	if flaw := os.Getenv("STORETEST_FLAW"); flaw != "" {
		storetest.Run(t, func(t *testing.T) storetest.Engine {
			e := engine(t)
			for i := range e.Nodes {
				e.Nodes[i] = &bad{Store: e.Nodes[i], flaw: flaw}
			}
			return e
		})
		return
	}
	for _, flaw := range flaws() {
		child := exec.Command(os.Args[0], "-test.run=^TestBadStoresFail$")
		child.Env = append(os.Environ(), "STORETEST_FLAW="+flaw)
		out, err := child.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--- FAIL") {
			t.Errorf("the suite passes a store of which %s:\n%s", flaw, out)
		}
	}
}

func Example() {
	open := func(*testing.T) storetest.Engine {
		m, err := ratelimit.NewMemory(ratelimit.MemoryConfig{})
		if err != nil {
			panic(err)
		}
		return storetest.Engine{Nodes: [3]ratelimit.Store{m, m, m}, Sleep: time.Sleep}
	}
	test := func(t *testing.T) { storetest.Run(t, open) } // TestStore
	fmt.Println(test != nil)
	// Output: true
}
