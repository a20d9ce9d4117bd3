package account

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// enumeration asks log-ins and resets about a user that exists and about some that do not.
func enumeration(l *lab) check.Check {
	kind := kindEnumeration()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		l.mu.Lock()
		victim := l.person(ctx, t, "known")
		l.mu.Unlock()
		if victim == nil {
			return fmt.Errorf("no user could be made for it")
		}
		logIn := func(known map[string]string) *wire.Exchange {
			values := map[string]string{}
			for kind, v := range known {
				values[kind] = v
			}
			values["password"] = "Wrong-" + t.Marker()[2:10]
			try, err := t.Try(ctx, victim, values, nil)
			if err != nil || try.User != nil || try.Limited {
				return nil
			}
			return try.Exchange
		}
		if c, found := tells(t, nil, victim.Known, logIn); found {
			report(c)
		}
		for _, op := range t.API.Operations {
			if !forgets(op) || ctx.Err() != nil {
				continue
			}
			ask := func(known map[string]string) *wire.Exchange {
				return t.Send(ctx, nil, filled(op, known, "", ""), kind.ID)
			}
			if c, found := tells(t, op, victim.Known, ask); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

// rounds is how often each is asked.
const rounds = 3

// tells compares the answers about a user that exists with those about others, by turns.
func tells(t *probe.Target, op *spec.Operation, known map[string]string, ask func(map[string]string) *wire.Exchange) (c check.Claim, found bool) {
	var yes, no *wire.Exchange
	var ofYes, ofNo string
	for round := range rounds {
		other := nobody(t)
		y, n := ask(known), ask(other)
		if y == nil || n == nil || !settled(y) || !settled(n) {
			return c, false
		}
		textYes, textNo := without(y, known), without(n, other)
		if round > 0 && (textYes != ofYes || textNo != ofNo) {
			return c, false // Something else changes.
		}
		yes, no, ofYes, ofNo = y, n, textYes, textNo
	}
	if ofYes == ofNo {
		return c, false
	}
	if op == nil {
		if op = t.OperationOf(yes.Request); op == nil {
			op = &spec.Operation{Method: yes.Request.Method, Path: yes.Request.Path}
		}
	}
	return check.Claim{
		Place:    probe.PlaceOf(op, "", ""),
		Says:     fmt.Sprintf("the answer says whether a user exists: %d for one, %d for another, in other words", yes.Status, no.Status),
		Control:  fmt.Sprintf("%d times by turns, with other names of the same form each time; names and numbers in the answers do not count", rounds),
		Evidence: []finding.Evidence{evidence("about a user that exists", yes), evidence("about one that does not", no)},
	}, true
}

// settled reports whether an answer is about the request, and not about the target.
func settled(ex *wire.Exchange) bool {
	return ex.Status != 0 && ex.Status < 500 && !stops(ex)
}

var changing = regexp.MustCompile(`[0-9a-fA-F]{8,}(-[0-9a-fA-F]{2,})*|[0-9]+`)

// without returns the status and the body of an answer without what is sent, numbers and
// ids.
func without(ex *wire.Exchange, known map[string]string) string {
	text := ex.Text()
	for _, v := range known {
		if len(v) >= 4 {
			text = strings.ReplaceAll(text, v, "")
		}
	}
	return fmt.Sprint(ex.Status, " ", changing.ReplaceAllString(text, "#"))
}
