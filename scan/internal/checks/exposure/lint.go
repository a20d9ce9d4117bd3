package exposure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// lint reads the document alone. What it says is no flaw of the target, so that all of it
// is information.
func lint() check.Check {
	return check.Check{Kind: kindLint(), Phase: check.Passive, Run: func(_ context.Context, t *probe.Target, report check.Report) error {
		if t.API.Source == "" {
			return nil
		}
		say := func(at finding.Place, cause, says string) {
			report(check.Claim{Place: at, Cause: cause, Says: says, Control: "it is written so in the document", Hint: true, Severity: as(finding.Info)})
		}
		guarded, loose, silent := 0, map[*spec.Operation]string{}, []*spec.Operation{}
		for _, op := range t.API.Operations {
			if op.Found != "" {
				continue
			}
			if op.NeedsLogIn() {
				guarded++
				if op.Answer(http.StatusUnauthorized) == nil && op.Answer(http.StatusForbidden) == nil {
					silent = append(silent, op)
				}
			}
			if name := unbounded(op); name != "" {
				loose[op] = name
			}
		}
		for _, op := range t.API.Operations {
			if name, ok := loose[op]; ok {
				say(probe.PlaceOf(op, name, ""), "unbounded", "the document gives no bound to texts and lists of requests")
			}
			if slices.Contains(silent, op) {
				say(probe.PlaceOf(op, "", ""), "silent", "the document says that a log-in is needed, and not what happens without")
			}
		}
		if guarded == 0 && refuses(t) {
			say(probe.PlaceOf(t.API.Operations[0], "", ""), "no scheme", "operations want a log-in, and the document does not say how")
		}
		for _, server := range t.API.Servers {
			if strings.HasPrefix(server, "http://") && !loopback(server) {
				say(probe.PlaceOf(t.API.Operations[0], "", ""), "server", fmt.Sprintf("the document names a server without TLS: %s", cut(server, 100)))
			}
		}
		return nil
	}}
}

// unbounded returns a place of the body that takes a text or a list of any length, or "".
func unbounded(op *spec.Operation) string {
	if op.Body == nil || len(op.Body.Media) == 0 {
		return ""
	}
	for _, f := range op.Body.Media[0].Schema.Fields() {
		s := f.Schema
		if s.Is("string") && s.MaxLength == nil && len(s.Enum) == 0 && s.Pattern == "" && (s.Format == "" || s.Format == "password") || s.Is("array") && s.MaxItems == nil {
			return "body " + f.Pointer
		}
	}
	return ""
}

// refuses reports whether most operations want a log-in.
func refuses(t *probe.Target) bool {
	n := 0
	for _, op := range t.API.Operations {
		for _, ex := range t.Seen(op) {
			if ex.Request.User == "" && ex.Status == http.StatusUnauthorized {
				n++
				break
			}
		}
	}
	return n > 0 && n*2 >= len(t.API.Operations)
}
