package access

import (
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// readOfOthers lets each user read what another one has, by its id.
func readOfOthers() check.Check {
	kind := kindReadOfOthers()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "GET" && !readsByPost(op) {
				continue
			}
			pairs(t, func(owner, stranger *login.User) bool {
				for _, try := range []attempt{readAs, readCrossed, readNamed} {
					if claim, found := try(ctx, t, op, owner, stranger, kind.ID); found {
						report(claim)
						return true
					}
				}
				return ctx.Err() != nil
			})
		}
		return ctx.Err()
	}}
}

// attempt is a way in which a stranger may get at what is the owner's.
type attempt func(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (check.Claim, bool)

// readsByPost reports whether a POST only looks something up.
func readsByPost(op *spec.Operation) bool {
	if op.Method != "POST" {
		return false
	}
	segments := op.Segments()
	last := plain(segments[max(len(segments)-1, 0)])
	switch last {
	case "search", "query", "lookup", "find", "get", "read", "list", "details", "detail", "fetch", "view", "show":
		return true
	}
	return false
}

// readAs lets a stranger send the owner's request.
func readAs(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, owner)
	if s == nil {
		return claim, false
	}
	refs := references(t, s.Case, owner)
	if len(refs) == 0 {
		t.Logger().Debug("names nothing of the user", "check", why, "operation", op.ID, "user", owner.Called())
		return claim, false
	}
	theirs := again(ctx, t, s, stranger, why)
	if probe.Refused(theirs) {
		return claim, false
	}
	mine := again(ctx, t, s, owner, why)
	proof := shows(theirs, secrets(t, mine, owner))
	if proof == "" || probe.Refused(mine) {
		t.Logger().Debug("nothing in it tells whose it is", "check", why, "operation", op.ID, "status", mine.Status)
		return claim, false
	}
	nobody := again(ctx, t, s, nil, why)
	if probe.Holds(nobody, proof) {
		return claim, false // Public, or without any log-in, which another check tells.
	}
	bogus := t.Send(ctx, stranger, impossible(t, s.Case, refs), why)
	if probe.Holds(bogus, proof) {
		return claim, false // It does not depend on the id.
	}
	if score := privacy(ctx, t, op, refs, owner, stranger, mine, why); score < 0 {
		t.Logger().Debug("meant to be shared", "check", why, "operation", op.ID, "score", score, "proof", proof)
		return claim, false
	}
	return check.Claim{
		Place: probe.PlaceOf(op, refs[0].point.String(), users(stranger, owner)),
		Says:  fmt.Sprintf("%s reads what belongs to %s: the answer holds %q, which only %s can know", stranger.Called(), owner.Called(), proof, owner.Called()),
		Control: fmt.Sprintf("without a log-in the same request is answered %s and does not hold that text; "+
			"neither does the answer for an id that does not exist (%s); no list shows it to %s", status(nobody), status(bogus), stranger.Called()),
		Evidence: []finding.Evidence{
			evidence(owner.Called()+" reads it", mine), evidence(stranger.Called()+" reads it, too", theirs),
			evidence("nobody does not", nobody), evidence("an id that does not exist", bogus),
		},
	}, true
}

// listOfOthers looks for objects of others in lists, although they are refused one by one.
func listOfOthers() check.Check {
	kind := kindListOfOthers()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "GET" {
				continue
			}
			pairs(t, func(owner, stranger *login.User) bool {
				claim, found := listedTo(ctx, t, op, owner, stranger, kind.ID)
				if found {
					report(claim)
				}
				return found || ctx.Err() != nil
			})
		}
		return ctx.Err()
	}}
}

func listedTo(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, stranger)
	if s == nil || len(references(t, s.Case, owner)) > 0 {
		return claim, false
	}
	list := again(ctx, t, s, stranger, why)
	for _, o := range t.Objects(owner) {
		if o.Marker == "" || !listed(list, o.Marker) || probe.Refused(list) {
			continue
		}
		refused, mine := oneByOne(ctx, t, o, owner, stranger, why)
		if refused == nil && !isPrivate(o.Resource) {
			continue
		}
		nobody := again(ctx, t, s, nil, why)
		if probe.Holds(nobody, o.Marker) {
			continue
		}
		claim = check.Claim{
			Place:    probe.PlaceOf(op, "", users(stranger, owner)),
			Says:     fmt.Sprintf("the list that %s reads holds the %s of %s", stranger.Called(), o.Resource, owner.Called()),
			Control:  fmt.Sprintf("nobody who is not logged in sees it (%s)", status(nobody)),
			Evidence: []finding.Evidence{evidence("the list of "+stranger.Called(), list)},
		}
		if refused != nil {
			claim.Control += fmt.Sprintf("; asked for by its id, %s is refused (%s), so the target means it to be private", stranger.Called(), status(refused))
			claim.Evidence = append(claim.Evidence, evidence(owner.Called()+" reads it by its id", mine), evidence(stranger.Called()+" may not", refused))
		} else if !ownedBy(list, owner) && !sensitive(list) {
			continue
		}
		return claim, true
	}
	return claim, false
}

// listed reports whether an answer holds a text in one of several things.
func listed(ex *wire.Exchange, text string) bool {
	for _, leaf := range probe.Leaves(ex) {
		if strings.Contains(leaf.Pointer, "/*") && strings.Contains(leaf.Text(), text) {
			return true
		}
	}
	return false
}
