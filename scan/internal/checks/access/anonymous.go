package access

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// noLogIn sends what users read without any credentials, and with false ones.
func noLogIn() check.Check {
	kind := kindNoLogIn()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "GET" || ctx.Err() != nil {
				continue
			}
			for _, user := range t.Users {
				if claim, found := readsAnonymously(ctx, t, op, user, kind.ID); found {
					report(claim)
					break
				}
			}
		}
		return ctx.Err()
	}}
}

func readsAnonymously(ctx context.Context, t *probe.Target, op *spec.Operation, user *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, user)
	if s == nil {
		return claim, false
	}
	nobody := again(ctx, t, s, nil, why)
	if !probe.Granted(nobody) || describesAPI(nobody) {
		return claim, false
	}
	mine := again(ctx, t, s, user, why)
	if !probe.Granted(mine) || soft(ctx, t, op, nobody, why) {
		return claim, false
	}
	claim = check.Claim{
		Place: probe.PlaceOf(op, "", "anonymous as "+user.Called()),
		Evidence: []finding.Evidence{
			evidence(user.Called()+" reads it", mine), evidence("so does nobody", nobody),
		},
	}
	refs := references(t, s.Case, user)
	proof := shows(nobody, secrets(t, mine, user))
	same := probe.Shape(nobody) == probe.Shape(mine) && len(nobody.Body) > 2
	switch {
	case op.NeedsLogIn() && op.Found == "" && (same || proof != ""):
		claim.Says = "the document says that a caller has to log in, and the answer is the same without"
		claim.Control = "the answer to nobody has the structure of the one to " + user.Called() + ", and a path that does not exist is answered otherwise"
	case op.Secured && !op.NeedsLogIn():
		return claim, false // It is public, the document says.
	case proof != "" && (len(refs) > 0 || sensitive(nobody)) && !publicKind(refs) && (isPrivatePath(op) || sensitive(nobody)):
		claim.Says = fmt.Sprintf("without a log-in the answer holds %q, which belongs to %s", proof, user.Called())
		claim.Control = "the text is not in the request, and only " + user.Called() + " was told it"
	default:
		return claim, false
	}
	return claim, true
}

// describesAPI reports whether an answer is the document of an API, whose words can be the
// names of users by chance: "customer".
func describesAPI(ex *wire.Exchange) bool {
	v, _ := probe.Decode(ex)
	doc, _ := v.(map[string]any)
	return doc["paths"] != nil && (doc["openapi"] != nil || doc["swagger"] != nil)
}

// publicKind reports whether all that is named is made to be seen.
func publicKind(refs []reference) bool {
	for _, r := range refs {
		if r.object == nil || !isPublic(r.object.Resource) {
			return false
		}
	}
	return len(refs) > 0
}

func isPrivatePath(op *spec.Operation) bool {
	for _, segment := range op.Segments() {
		if !strings.HasPrefix(segment, "{") && isPrivate(segment) {
			return true
		}
	}
	return false
}

// soft reports whether a path beside the operation, which does not exist, is answered in
// the same way.
func soft(ctx context.Context, t *probe.Target, op *spec.Operation, like *wire.Exchange, why string) bool {
	path := strings.TrimRight(like.Request.Path, "/")
	path = path[:strings.LastIndexByte(path, '/')+1] + t.Marker()
	ex := t.Do(ctx, nil, wire.Request{Method: op.Method, Path: path, Why: why, Header: http.Header{}})
	return probe.Granted(ex) && probe.Shape(ex) == probe.Shape(like)
}

// anonymousWrite changes things without credentials.
func anonymousWrite() check.Check {
	kind := kindAnonymousWrite()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Safe() || op.Method == "DELETE" || deletes(op) || registers(op) || explore.Dangerous(op) != "" || ctx.Err() != nil {
				continue
			}
			for _, user := range t.Users {
				if claim, found := writesAnonymously(ctx, t, op, user, kind.ID); found {
					report(claim)
					break
				}
			}
		}
		return ctx.Err()
	}}
}

func writesAnonymously(ctx context.Context, t *probe.Target, op *spec.Operation, user *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, user)
	if s == nil || t.Sample(op, nil) != nil && !op.NeedsLogIn() {
		return claim, false
	}
	marker, changed := t.Marker(), s.Case
	points := markable(s.Case)
	if len(points) > 0 {
		changed = s.Case.With(points[0].In, points[0].Name, marker)
	}
	nobody := t.Send(ctx, nil, changed, why)
	if !probe.Granted(nobody) {
		return claim, false
	}
	random := t.Do(ctx, nil, wire.Request{Method: op.Method, Path: strings.TrimRight(nobody.Request.Path, "/") + "/" + t.Marker(), Header: nobody.Request.Header.Clone(), Body: nobody.Request.Body, Why: why})
	if probe.Granted(random) && probe.Shape(random) == probe.Shape(nobody) {
		return claim, false
	}
	var seen *wire.Exchange
	if len(points) > 0 {
		seen = seenBy(ctx, t, op, user, marker, why)
	}
	private := seen != nil && (ownedBy(seen, user) || isPrivatePath(op))
	if !op.NeedsLogIn() && !private {
		return claim, false
	}
	if seen == nil && probe.Shape(nobody) != probe.Shape(s.Exchange) {
		return claim, false
	}
	claim = check.Claim{
		Place:    probe.PlaceOf(op, "", "anonymous as "+user.Called()),
		Says:     "without a log-in the operation does its work",
		Control:  "a path below it that does not exist is refused (" + status(random) + ")",
		Evidence: []finding.Evidence{evidence(user.Called()+" may", s.Exchange), evidence("so may nobody", nobody)},
	}
	if seen != nil {
		claim.Says += ": " + user.Called() + " reads what nobody wrote"
		claim.Evidence = append(claim.Evidence, evidence(user.Called()+" reads it", seen))
	}
	return claim, true
}

// maxReads is how many answers are searched for a text.
const maxReads = 20

// seenBy returns an answer to a user that holds a text, among those that they read without
// doing anything: those about the same resource first. It is nil if there is none.
func seenBy(ctx context.Context, t *probe.Target, about *spec.Operation, user *login.User, text, why string) *wire.Exchange {
	var near, far []*probe.Sample
	for _, op := range t.API.Operations {
		s := t.Sample(op, user)
		switch {
		case s == nil || op.Method != "GET" || s.Exchange.Took > slow:
		case explore.ResourceOf(op) == explore.ResourceOf(about) || strings.HasPrefix(op.Path, about.Path):
			near = append(near, s)
		default:
			far = append(far, s)
		}
	}
	all := slices.Concat(near, far)
	for _, s := range all[:min(len(all), maxReads)] {
		if ex := again(ctx, t, s, user, why); probe.Holds(ex, text) && !probe.Refused(ex) {
			return ex
		}
	}
	return nil
}

// slow answers are not asked for again and again.
const slow = 300 * time.Millisecond
