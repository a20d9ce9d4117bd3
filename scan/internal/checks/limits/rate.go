package limits

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// So many requests of one caller within this time would be more than a limit lets through.
const (
	rateRequests = 1000
	rateWindow   = time.Minute
)

// rate looks at the whole of the scan: it is itself what a limit is for.
func rate() check.Check {
	kind := kindRate()
	limited := false
	begun := map[string][]time.Time{} // by caller: the last ones
	served := map[string]int{}        // by caller, within the window, if they are enough
	var last *wire.Exchange
	return check.Check{
		Kind: kind, Phase: check.Session,
		Look: func(_ *probe.Target, ex *wire.Exchange, _ check.Report) {
			if ex.Status == 429 || mentionsLimit(ex) {
				limited = true
			}
			if limited || ex.Status == 0 || ex.Request.User == "" {
				return
			}
			user := ex.Request.User
			list := append(begun[user], ex.At)
			if len(list) >= rateRequests && ex.At.Sub(list[0]) <= rateWindow {
				served[user], last = len(list), ex
			}
			begun[user] = list[max(0, len(list)-rateRequests+1):]
		},
		Run: func(_ context.Context, t *probe.Target, report check.Report) error {
			most, who := 0, ""
			for _, u := range t.Users {
				if n := served[u.Name]; n > most {
					most, who = n, u.Name
				}
			}
			if limited || most < rateRequests || len(t.API.Operations) == 0 {
				return nil
			}
			report(check.Claim{
				Place:    probe.PlaceOf(t.API.Operations[0], "", ""),
				Cause:    "rate",
				Says:     fmt.Sprintf("%s was answered %d times or more within a minute, and no answer of the scan says that there is a limit", who, rateRequests),
				Control:  "no answer was 429 (RFC 6585, section 4), and none has a field that tells of a limit",
				Evidence: []finding.Evidence{evidence("one of the last", last)},
			})
			return nil
		},
	}
}

// mentionsLimit reports whether an answer tells of a limit of requests.
func mentionsLimit(ex *wire.Exchange) bool {
	for name := range ex.Header {
		low := strings.ToLower(name)
		if strings.Contains(low, "ratelimit") || strings.Contains(low, "rate-limit") || low == "retry-after" {
			return true
		}
	}
	return false
}
