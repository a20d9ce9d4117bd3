package auditlog_test

import (
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
)

// Whoever floods gets what is saved, and then one event a second.
func TestAllowanceIsOneASecond(t *testing.T) {
	var a auditlog.Allowance
	now := time.Unix(1_000_000, 0)
	taken := func(tries int) (n int) {
		for range tries {
			if a.Take(now) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 60}, {0, 0}, {999 * time.Millisecond, 0}, {time.Millisecond, 1}, {10 * time.Second, 10}, {time.Hour, 60}} {
		now = now.Add(step.after)
		if got := taken(1000); got != step.want {
			t.Errorf("%v later %d of 1000 were allowed, want %d", step.after, got, step.want)
		}
	}
}
