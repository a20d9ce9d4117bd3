package storetest

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/secret"
)

// TestTimeDoesNotTellUnknownFromKnown measures pairs of log-ins, one of a user
// and one of nobody, in turns, so that a load on the machine falls on both.
//
// The decision: time tells if the median of the differences is more than 5 % of
// the usual time, and if so many pairs differ in the same direction as do by
// chance once in 15,000 runs (the sign test, four standard deviations). Noise
// makes differences large, but not all of one sign, so a busy machine neither
// fails the test nor hides what it looks for. That the rule finds a difference is
// shown on a store that does no work for unknown users.
func TestTimeDoesNotTellUnknownFromKnown(t *testing.T) {
	honest := func(h *countedPasswords) account.Passwords { return h }
	lazy := func(h *countedPasswords) account.Passwords { return lazyPasswords{h} }
	if d := measure(t, 400, honest); d.tells() {
		t.Errorf("an unknown user takes %s", d)
	} else {
		t.Logf("an unknown user takes %s", d)
	}
	if d := measure(t, 200, lazy); !d.tells() {
		t.Errorf("without work for unknown users, one takes %s: the test finds nothing", d)
	}
}

// lazyPasswords does no work for unknown users.
type lazyPasswords struct{ *countedPasswords }

func (lazyPasswords) Dummy(context.Context, secret.Text) error { return nil }

// difference is that between two ways, in seconds, and how many standard
// deviations the number of pairs of one sign is away from half of them.
type difference struct{ median, usual, signs float64 }

func (d difference) tells() bool { return math.Abs(d.median) > 0.05*d.usual && math.Abs(d.signs) > 4 }

func (d difference) String() string {
	return fmt.Sprintf("%+.0f µs of %.0f µs more, signs %+.1f σ", d.median*1e6, d.usual*1e6, d.signs)
}

func measure(t *testing.T, n int, passwords func(*countedPasswords) account.Passwords) difference {
	t.Helper()
	db := openSQLite(t, filepath.Join(t.TempDir(), "test.db"))
	a := openAccountsWith(t, db, func(c *account.Config) { c.Passwords = passwords(countPasswords(t, 2048)) })
	a.add(t, "alice")
	var differences, known []float64
	for i := range n + 10 {
		var took [2]float64
		for j := range 2 {
			which := (i + j) % 2 // Who is first takes turns.
			a.clock.add(time.Hour)
			start := time.Now()
			a.try(t, []string{"alice", "nobody"}[which], "guess", "192.0.2.1")
			took[which] = time.Since(start).Seconds()
		}
		if i >= 10 { // The first ones warm up.
			differences, known = append(differences, took[1]-took[0]), append(known, took[0])
		}
	}
	more := 0
	for _, d := range differences {
		if d > 0 {
			more++
		}
	}
	return difference{median(differences), median(known), (float64(more) - float64(n)/2) / (math.Sqrt(float64(n)) / 2)}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
