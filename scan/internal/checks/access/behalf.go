package access

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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

// writeForOthers lets each user send what is theirs, with another one named as its owner.
func writeForOthers() check.Check {
	kind := kindWriteForOthers()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if !writes(op) || registers(op) || ofAccount(op) || explore.Dangerous(op) != "" {
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
	for _, point := range slices.Concat(s.Case.Points(), unsent(s.Case), echoed(s, stranger)) {
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
		changed := s.Case.With(point.In, point.Name, like(point, value))
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
		seen := seenBy(ctx, t, op, owner, marker, why)
		if seen == nil || !isOf(seen, marker, owner, stranger) && (names(seen, marker, stranger) || seenBy(ctx, t, op, stranger, marker, why) != nil) {
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

// echoed returns members of an answer that name the user as whose something is, and that
// nobody asked for in the request.
func echoed(s *probe.Sample, user *login.User) (out []probe.Point) {
	body, ok := s.Case.Body.(map[string]any)
	if !ok {
		return nil
	}
	for _, l := range probe.Leaves(s.Exchange) {
		if _, sent := body[l.Name()]; sent || !ownerName(l.Name()) || strings.Contains(l.Pointer, "*") {
			continue
		}
		for _, kind := range sorted(user.Known) {
			if v := user.Known[kind]; v != "" && kind != "password" && v == l.Text() {
				out = append(out, probe.Point{In: "body", Name: l.Pointer[strings.LastIndexByte(l.Pointer, '/'):], Value: l.Value})
				break
			}
		}
	}
	return out
}

// like returns a value in the form that a place wants.
func like(p probe.Point, value string) any {
	_, isNumber := p.Value.(json.Number)
	if isNumber || p.Schema.Is("integer") || p.Schema.Is("number") {
		return json.Number(value)
	}
	return value
}

// ofAccount reports whether an operation is about the account of its caller: who they are
// is theirs to say, and a scan that gave them another name would lose them.
func ofAccount(op *spec.Operation) bool {
	for _, segment := range op.Segments() {
		switch plain(segment) {
		case "me", "profile", "account", "self", "myprofile", "myaccount":
			return true
		}
	}
	return explore.ResourceOf(op) == "user" && strings.Count(op.Path, "{") <= 1
}

// isOf reports whether what holds a text in an answer names the owner, and not the stranger.
func isOf(ex *wire.Exchange, text string, owner, stranger *login.User) bool {
	return names(ex, text, owner) && !names(ex, text, stranger)
}

// names reports whether the object that holds a text has a member for whose it is that names
// the user.
func names(ex *wire.Exchange, text string, user *login.User) bool {
	v, ok := probe.Decode(ex)
	if !ok {
		return false
	}
	m := innermost(v, text)
	for name, member := range m {
		if !userLike(name) {
			continue
		}
		for kind, known := range user.Known {
			if known != "" && kind != "password" && probe.Text(member) == known {
				return true
			}
		}
	}
	return false
}

// innermost returns the smallest object that holds a text, or nil.
func innermost(v any, text string) map[string]any {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if m := innermost(e, text); m != nil {
				return m
			}
		}
	case map[string]any:
		for _, e := range v {
			if s, isText := e.(string); isText && strings.Contains(s, text) {
				return v
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if m := innermost(v[name], text); m != nil {
				return m
			}
		}
	}
	return nil
}
