package access

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// writeForOthers lets each user send what is theirs, with another one named as its owner.
func writeForOthers() check.Check {
	kind := kindWriteForOthers()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if !writes(op) || registers(op) || explore.Dangerous(op) != "" {
				continue
			}
			pairs(t, func(owner, stranger *login.User) bool {
				claim, found := inNameOf(ctx, t, op, owner, stranger, kind.ID)
				if found {
					report(claim)
				}
				return found || ctx.Err() != nil
			})
		}
		return ctx.Err()
	}}
}

// ownerNames are names of what something is taken from, or belongs to. Who it goes to, as a
// recipient, may be anybody.
func ownerName(name string) bool {
	name = plain(name)
	for _, part := range []string{"to", "recipient", "receiver", "target", "friend", "invite", "assign", "member", "follow", "mention", "dest", "contact"} {
		if strings.HasPrefix(name, part) {
			return false
		}
	}
	return userLike(name) || strings.HasPrefix(name, "from") || strings.HasPrefix(name, "source")
}

func inNameOf(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, stranger)
	if s == nil {
		return claim, false
	}
	for _, point := range append(s.Case.Points(), unsent(s.Case)...) {
		if !ownerName(point.Last()) && !(point.In == "path" && ownerName(before(op.Path, point.Name))) {
			continue
		}
		value := counterpart(t, point, stranger, owner)
		if point.Value == nil && point.Schema != nil {
			for _, v := range standIns(owner, stranger, point.Last(), point.Schema) {
				value = v
			}
		}
		if value == "" {
			continue
		}
		changed := s.Case.With(point.In, point.Name, typed(point.Schema, value))
		marker := ""
		if points := markable(changed); len(points) > 0 {
			marker = t.Marker()
			changed = changed.With(points[0].In, points[0].Name, marker)
		}
		if marker == "" {
			continue
		}
		theirs := t.Send(ctx, stranger, changed, why)
		t.Logger().Debug("sent for another", "check", why, "operation", op.ID, "point", point.String(), "value", value, "status", theirs.Status)
		if probe.Refused(theirs) {
			continue
		}
		seen := seenBy(ctx, t, owner, marker, why)
		if seen == nil || seenBy(ctx, t, stranger, marker, why) != nil && !ownedBy(seen, owner) {
			continue
		}
		return check.Claim{
			Place:   probe.PlaceOf(op, point.String(), users(stranger, owner)),
			Says:    fmt.Sprintf("%s sends %s with %s as %s, and %s finds it among what is theirs", stranger.Called(), op, value, point, owner.Called()),
			Control: fmt.Sprintf("the text %s was made for this request, and its own value (%s) is what %s sends otherwise", marker, probe.Text(point.Value), stranger.Called()),
			Evidence: []finding.Evidence{
				evidence("what "+stranger.Called()+" sends", theirs), evidence(owner.Called()+" reads it", seen),
			},
		}, true
	}
	return claim, false
}

// counterpart returns what stands for the owner where a value stands for the stranger, or "".
func counterpart(t *probe.Target, point probe.Point, stranger, owner *login.User) string {
	text := probe.Text(point.Value)
	for kind, v := range stranger.Known {
		if v == text && text != "" && kind != "password" {
			return owner.Known[kind]
		}
	}
	for _, o := range t.Objects(stranger) {
		if probe.Text(o.ID) != text {
			continue
		}
		for _, theirs := range t.Objects(owner) {
			if theirs.Resource == o.Resource {
				return probe.Text(theirs.ID)
			}
		}
	}
	return ""
}

// unsent returns the declared members of a body that a case does not have.
func unsent(c *probe.Case) (out []probe.Point) {
	body, ok := c.Body.(map[string]any)
	s := c.BodySchema()
	if !ok || s == nil {
		return nil
	}
	for _, name := range s.Names {
		if _, sent := body[name]; !sent && s.Properties[name] != nil {
			out = append(out, probe.Point{In: "body", Name: "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"), Schema: s.Properties[name]})
		}
	}
	return out
}

// typed returns a value as a schema wants it.
func typed(s *spec.Schema, value string) any {
	if s.Is("integer") || s.Is("number") {
		return json.Number(value)
	}
	return value
}
