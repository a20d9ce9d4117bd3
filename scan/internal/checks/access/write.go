package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// writes reports whether an operation may change what it names.
func writes(op *spec.Operation) bool {
	return op.Method == "PUT" || op.Method == "PATCH" || op.Method == "POST"
}

// changes reports whether an operation changes the object that it names, and does not only
// add another one below it: whoever reviews an item does not change it.
func changes(op *spec.Operation) bool {
	segments := op.Segments()
	if op.Method != "POST" || len(segments) == 0 {
		return writes(op)
	}
	last := plain(segments[len(segments)-1])
	if strings.HasSuffix(segments[len(segments)-1], "}") || !strings.Contains(op.Path, "{") {
		return true
	}
	for _, verb := range []string{"update", "edit", "change", "rename", "set", "save", "modify", "replace", "move", "status", "transfer", "patch", "assign", "archive", "publish"} {
		if strings.HasPrefix(last, verb) {
			return true
		}
	}
	return false
}

// writeToOthers lets each user change an object of another one. The owner reads it back.
func writeToOthers() check.Check {
	kind := kindWriteToOthers()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if !writes(op) || explore.Dangerous(op) != "" || t.Held(op) != "" {
				continue
			}
			pairs(t, func(owner, stranger *login.User) (found bool) {
				var claim check.Claim
				if changes(op) {
					claim, found = writeAs(ctx, t, op, owner, stranger, kind.ID)
				}
				if !found && !deletes(op) {
					claim, found = actAs(ctx, t, op, owner, stranger, kind.ID)
				}
				if found {
					report(claim)
				}
				return found || ctx.Err() != nil
			})
		}
		return ctx.Err()
	}}
}

func writeAs(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	for _, o := range newest(t.Objects(owner)) {
		c := aimed(t, op, o, stranger)
		if !isFor(c, o) {
			continue
		}
		before, _ := holding(ctx, t, o, owner, "", why)
		if before == nil {
			continue
		}
		for _, point := range markable(c) {
			marker := t.Marker()
			changed := c.With(point.In, point.Name, marker)
			theirs := t.Send(ctx, stranger, changed, why)
			if probe.Refused(theirs) {
				continue
			}
			after, _ := holding(ctx, t, o, owner, marker, why)
			if after == nil {
				continue
			}
			refs := []reference{{point: pointOf(c, o), object: o}}
			score := privacy(ctx, t, op, refs, owner, stranger, before, why)
			hint := score < 0 && !ownedBy(before, owner) && !isPrivate(o.Resource)
			restore(ctx, t, op, o, owner, point, why)
			return check.Claim{
				Place: probe.PlaceOf(op, refs[0].point.String(), users(stranger, owner)), Hint: hint,
				Says:    fmt.Sprintf("%s changes the %s of %s, who reads the change back", stranger.Called(), o.Resource, owner.Called()),
				Control: fmt.Sprintf("the text %s was made for this request; before it, %s read the %s without it", marker, owner.Called(), o.Resource),
				Evidence: []finding.Evidence{
					evidence(owner.Called()+" reads it", before), evidence(stranger.Called()+" changes it", theirs), evidence(owner.Called()+" reads the change", after),
				},
			}, true
		}
		return claim, false // One object of a kind is enough.
	}
	return claim, false
}

// traces returns the texts by which an object shows in an answer that has it: its own, or
// all that its owner has put there.
func traces(t *probe.Target, o *probe.Object, owner *login.User, ex *wire.Exchange) []string {
	if o.Marker != "" && probe.Holds(ex, o.Marker) {
		return []string{o.Marker}
	}
	return t.MarkersOf(owner, ex)
}

// isFor reports whether a case is about an object, and not about something below it: the
// last parameter of the path names it.
func isFor(c *probe.Case, o *probe.Object) bool {
	if c == nil {
		return false
	}
	last, _, _ := strings.Cut(c.Op.Path[strings.LastIndexByte(c.Op.Path, '{')+1:], "}")
	return strings.Count(c.Op.Path, "{") < 2 || probe.Text(c.Path[last]) == probe.Text(o.ID)
}

// newest returns the objects with a marker, the last one of each resource.
func newest(objects []*probe.Object) (out []*probe.Object) {
	seen := map[string]bool{}
	for _, o := range slices.Backward(objects) {
		if o.Marker != "" && !seen[o.Resource] {
			seen[o.Resource] = true
			out = append(out, o)
		}
	}
	return out
}

// pointOf returns where a case names an object.
func pointOf(c *probe.Case, o *probe.Object) probe.Point {
	for _, p := range c.Points() {
		if probe.Text(p.Value) == probe.Text(o.ID) {
			return p
		}
	}
	return probe.Point{In: "path"}
}

// maxMarked is how many members of a body are tried.
const maxMarked = 4

// markable returns the places of a body that take any text.
func markable(c *probe.Case) (out []probe.Point) {
	for _, p := range c.Points() {
		text, isText := p.Value.(string)
		if p.In != "body" && p.In != "query" || !isText || p.In == "query" && c.Media != "" {
			continue
		}
		if s := p.Schema; s != nil && (len(s.Enum) > 0 || s.Pattern != "" || s.Format != "" || s.MaxLength != nil && *s.MaxLength < 22) {
			continue
		}
		if strings.Contains(plain(p.Last()), "password") || strings.HasSuffix(plain(p.Last()), "id") || strings.Contains(text, "@") {
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b probe.Point) int { return preference(a) - preference(b) })
	return out[:min(len(out), maxMarked)]
}

// preference puts members first that are free text.
func preference(p probe.Point) int {
	for i, part := range []string{"name", "title", "text", "content", "body", "description", "note", "comment", "message", "address", "bio"} {
		if strings.Contains(plain(p.Last()), part) {
			return i
		}
	}
	return 99
}

// restore lets the owner put back what was there.
func restore(ctx context.Context, t *probe.Target, op *spec.Operation, o *probe.Object, owner *login.User, point probe.Point, why string) {
	c := aimed(t, op, o, owner)
	if c == nil || o.Marker == "" {
		return
	}
	value := o.Marker
	if o.Made != nil && point.In == "body" {
		if was, ok := probe.Lookup(o.Made.Case.Body, point.Name).(string); ok {
			value = was
		}
	}
	t.Send(ctx, owner, c.With(point.In, point.Name, value), why)
}

// deleteOfOthers lets each user remove an object of another one, made for it.
func deleteOfOthers() check.Check {
	kind := kindDeleteOfOthers()
	return check.Check{Kind: kind, Phase: check.Destroy, Also: []check.Part{{Phase: check.Session, Run: removesAccounts(kind.ID, false)}}, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if !deletes(op) {
				continue
			}
			pairs(t, func(owner, stranger *login.User) bool {
				claim, found := deleteAs(ctx, t, op, owner, stranger, kind.ID)
				if found {
					report(claim)
				}
				return found || ctx.Err() != nil
			})
		}
		return ctx.Err()
	}}
}

// deletes reports whether an operation removes the object that it names.
func deletes(op *spec.Operation) bool {
	if op.Method == "DELETE" {
		return strings.Contains(op.Path, "{") || op.Body != nil || len(op.Params) > 0
	}
	segments := op.Segments()
	if op.Method != "POST" && op.Method != "GET" || len(segments) == 0 {
		return false
	}
	for _, segment := range segments {
		switch plain(segment) {
		case "delete", "remove", "cancel", "destroy":
			return true
		}
	}
	return false
}

func deleteAs(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	for _, like := range newest(t.Objects(owner)) {
		if like.Made == nil || !isFor(aimed(t, op, like, stranger), like) {
			continue
		}
		o, err := explore.For(t).Fresh(ctx, owner, like)
		if err != nil {
			t.Logger().Debug("no object to remove", "check", why, "operation", op.ID, "resource", like.Resource, "error", err)
			continue
		}
		c := aimed(t, op, o, stranger)
		before, look := holding(ctx, t, o, owner, "", why)
		if c == nil || before == nil {
			t.Logger().Debug("its owner does not read it", "check", why, "operation", op.ID, "resource", like.Resource, "id", o.ID, "aimed", c != nil, "readers", len(readers(t, o, owner)))
			continue
		}
		theirs := t.Send(ctx, stranger, c, why)
		if probe.Refused(theirs) {
			return claim, false
		}
		after := t.Send(ctx, owner, look, why)
		if probe.Granted(after) && shows(after, traces(t, o, owner, before)) != "" || after.Status == 0 || after.Status == 401 || after.Status == 429 || after.Status >= 500 {
			return claim, false
		}
		refs := []reference{{point: pointOf(c, o), object: o}}
		score := privacy(ctx, t, op, refs, owner, stranger, before, why)
		return check.Claim{
			Place:   probe.PlaceOf(op, refs[0].point.String(), users(stranger, owner)),
			Hint:    score < 0 && !ownedBy(before, owner) && !isPrivate(o.Resource),
			Says:    fmt.Sprintf("%s removes a %s of %s, who cannot read it any more", stranger.Called(), o.Resource, owner.Called()),
			Control: fmt.Sprintf("%s had just made it, and read it before (%s)", owner.Called(), status(before)),
			Evidence: []finding.Evidence{
				evidence(owner.Called()+" reads it", before), evidence(stranger.Called()+" removes it", theirs), evidence("it is gone", after),
			},
		}, true
	}
	return claim, false
}
