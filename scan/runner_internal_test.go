package scan

import (
	"context"
	"log/slog"
	"testing"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// A control that the end of the time cut off rules nothing out.
func TestWhatIsClaimedAfterTheEndIsNotReported(t *testing.T) {
	for _, ends := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		results := &collector{}
		r := &runner{results: results, logger: slog.New(slog.DiscardHandler), checks: []check.Check{{
			Kind: finding.Kind{ID: "X-01"}, Phase: check.Read,
			Run: func(_ context.Context, _ *probe.Target, report check.Report) error {
				if ends {
					cancel()
				}
				report(check.Claim{Place: finding.Place{Method: "GET", Path: "/"}})
				return nil
			},
		}}}
		r.run(ctx)
		if got := results.count(); (got == 0) != ends {
			t.Errorf("ends %v: %d findings", ends, got)
		}
	}
}
