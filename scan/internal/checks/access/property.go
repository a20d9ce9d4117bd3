package access

import (
	"context"
	"encoding/json"
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

// extra is a member that a caller should not be able to set, with a value that the target
// would not choose.
type extra struct {
	name  string
	value any
}

// privileged reports whether a member is one that a program decides, and not its caller.
func privileged(name string) bool {
	name = plain(name)
	for _, part := range []string{"admin", "superuser", "staff", "role", "permission", "privilege", "scope", "verified", "approved", "confirmed", "balance", "credit", "discount", "owner", "tenant", "isactive", "enabled", "locked", "blocked", "banned", "paid", "quota", "plan", "tier", "level", "points", "premium", "reputation", "rating", "trusted", "moderator", "group", "account_type", "accounttype", "usertype", "cost", "total", "price"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "status" || name == "state" || name == "userid" || name == "createdby" || name == "author" || name == "authorid" || name == "active"
}

// other returns a value of the same type that differs, or false.
func other(t *probe.Target, name string, v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return !v, true
	case json.Number:
		if !privileged(name) && (v == "0" || v == "1") {
			return map[json.Number]json.Number{"0": "1", "1": "0"}[v], true
		}
		if strings.Contains(v.String(), ".") {
			return json.Number("7331.25"), true
		}
		return json.Number("7331"), true
	case string:
		low := plain(name)
		switch {
		case strings.Contains(low, "role") || strings.Contains(low, "type") || strings.Contains(low, "group") || strings.Contains(low, "scope"):
			return "admin", v != "admin"
		case strings.Contains(low, "status") || strings.Contains(low, "state"):
			return "approved", v != "approved"
		}
		return t.Marker(), true
	case []any:
		return []any{"admin"}, true
	}
	return nil, false
}

// guesses are members that many programs have and few documents name.
func guesses() []extra {
	return []extra{
		{"role", "admin"}, {"is_admin", true}, {"isAdmin", true}, {"admin", true}, {"roles", []any{"admin"}},
		{"is_staff", true}, {"is_superuser", true}, {"verified", true}, {"is_verified", true}, {"balance", json.Number("7331")},
		{"credit", json.Number("7331")}, {"credits", json.Number("7331")}, {"approved", true}, {"is_premium", true},
	}
}

// unasked returns members that answers about an object have, and its request has not.
func unasked(t *probe.Target, c *probe.Case, answers ...*wire.Exchange) (out []extra) {
	body, ok := c.Body.(map[string]any)
	if !ok {
		return nil
	}
	declared := c.BodySchema()
	add := func(name string, value any) {
		if _, sent := body[name]; sent || slices.ContainsFunc(out, func(e extra) bool { return e.name == name }) {
			return
		}
		if declared != nil && declared.Properties[name] != nil && !declared.Properties[name].ReadOnly && !rights(name) {
			return
		}
		out = append(out, extra{name, value})
	}
	closed := declared != nil && len(declared.Properties) > 0 && declared.Additional == nil
	for _, ex := range answers {
		if ex == nil {
			continue
		}
		for _, leaf := range probe.Leaves(ex) {
			if privileged(leaf.Name()) || closed && isOwnMember(leaf) {
				if v, ok := other(t, leaf.Name(), leaf.Value); ok {
					add(leaf.Name(), v)
				}
			}
		}
	}
	return out
}

// isOwnMember reports whether a leaf is a switch of the object itself: what the document
// does not let callers set, they should not.
func isOwnMember(l probe.Leaf) bool {
	text := l.Text()
	isSwitch := text == "true" || text == "false" || text == "0" || text == "1" // SQL knows no others.
	return isSwitch && !strings.HasSuffix(plain(l.Name()), "id") && strings.Count(l.Pointer, "/") <= 2 && !strings.Contains(l.Pointer, "*")
}

// rights reports whether a member says what somebody may do.
func rights(name string) bool {
	name = plain(name)
	return strings.Contains(name, "admin") || strings.Contains(name, "role") || strings.Contains(name, "superuser") || strings.Contains(name, "staff") || strings.Contains(name, "permission") || strings.Contains(name, "privilege")
}

// createWithMore makes objects with members that are not asked for.
func createWithMore() check.Check {
	kind := kindCreateWithMore()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "POST" || explore.Dangerous(op) != "" || ctx.Err() != nil {
				continue
			}
			if claim, found := signsUpWithMore(ctx, t, op, kind.ID); found {
				report(claim)
				continue
			}
			for _, user := range t.Ordinary() {
				if s := t.Sample(op, user); s != nil {
					for _, claim := range creates(ctx, t, op, user, s, kind.ID) {
						report(claim)
					}
					break
				}
			}
		}
		return ctx.Err()
	}}
}

func creates(ctx context.Context, t *probe.Target, op *spec.Operation, user *login.User, s *probe.Sample, why string) (claims []check.Claim) {
	objects := t.Objects(user)
	i := slices.IndexFunc(objects, func(o *probe.Object) bool { return o.Made != nil && o.Made.Case.Op == op })
	if i < 0 {
		return nil
	}
	like := objects[i]
	read, _ := holding(ctx, t, like, user, probe.Text(like.ID), why)
	candidates := slices.Concat(unasked(t, s.Case, s.Exchange, read), guesses())
	for _, e := range candidates {
		if leaf(s.Exchange, read, e.name) == nil && !declares(op, e.name) || ctx.Err() != nil {
			continue // Nobody would see it.
		}
		fresh, err := explore.For(t).Fresh(ctx, user, like, func(c *probe.Case) *probe.Case { return c.With("body", "/"+e.name, e.value) })
		if err != nil || fresh.Made == nil {
			continue
		}
		ex := fresh.Made.Exchange
		seen, _ := holding(ctx, t, fresh, user, cmpOr(fresh.Marker, probe.Text(fresh.ID)), why)
		if v := leaf(seen, nil, e.name); seen == nil || v == nil || probe.Text(*v) != probe.Text(e.value) {
			continue
		}
		if v := leaf(read, s.Exchange, e.name); v != nil && probe.Text(*v) == probe.Text(e.value) {
			continue // It is so anyway.
		}
		claims = append(claims, check.Claim{
			Place: probe.PlaceOf(op, "body /"+e.name, user.Called()), Cause: op.ID,
			Says:     fmt.Sprintf("%s makes a %s with %s = %s, which is not for callers to set, and it is kept", user.Called(), like.Resource, e.name, probe.Text(e.value)),
			Control:  "the same request without that member gives another value, and the value is read back by another request",
			Evidence: []finding.Evidence{evidence("made without it", s.Exchange), evidence("made with it", ex), evidence("read back", seen)},
		})
	}
	return claims
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// declares reports whether any answer of the operation is declared to have a member.
func declares(op *spec.Operation, name string) bool {
	for _, a := range op.Answers {
		for _, m := range a.Media {
			if m.Schema != nil && m.Schema.Properties[name] != nil {
				return true
			}
		}
	}
	return false
}

// leaf returns the value of a member, in the first answer that has it.
func leaf(first, second *wire.Exchange, name string) *any {
	for _, ex := range []*wire.Exchange{first, second} {
		if ex == nil {
			continue
		}
		for _, l := range probe.Leaves(ex) {
			if l.Name() == name {
				return &l.Value
			}
		}
	}
	return nil
}

// updateWithMore changes objects, and the user's own account, with members that are not
// asked for, and puts them back.
func updateWithMore() check.Check {
	kind := kindUpdateWithMore()
	return check.Check{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != "PUT" && op.Method != "PATCH" && !updatesByPost(op) || explore.Dangerous(op) != "" || ctx.Err() != nil {
				continue
			}
			for _, user := range t.Ordinary() {
				if s := t.Sample(op, user); s != nil {
					for _, claim := range updates(ctx, t, op, user, s, kind.ID) {
						report(claim)
					}
					break
				}
			}
		}
		return ctx.Err()
	}}
}

// updatesByPost reports whether a POST says that it changes what is there.
func updatesByPost(op *spec.Operation) bool {
	segments := op.Segments()
	if op.Method != "POST" || len(segments) == 0 {
		return false
	}
	switch plain(segments[len(segments)-1]) {
	case "update", "edit", "change", "save", "modify", "settings", "preferences", "profile", "account", "me":
		return true
	}
	return false
}

func updates(ctx context.Context, t *probe.Target, op *spec.Operation, user *login.User, s *probe.Sample, why string) (claims []check.Claim) {
	look := lookOf(t, op, user)
	if look == nil {
		return nil
	}
	before := again(ctx, t, look, user, why)
	if !probe.Granted(before) {
		return nil
	}
	for _, e := range unasked(t, s.Case, before, s.Exchange) {
		t.Logger().Debug("a member that nobody asked for", "check", why, "operation", op.ID, "member", e.name)
		was := leaf(before, nil, e.name)
		if was == nil || probe.Text(*was) == probe.Text(e.value) || ctx.Err() != nil {
			continue
		}
		ex := t.Send(ctx, user, s.Case.With("body", "/"+e.name, e.value), why)
		if probe.Refused(ex) {
			continue
		}
		after := again(ctx, t, look, user, why)
		if now := leaf(after, nil, e.name); now == nil || probe.Text(*now) != probe.Text(e.value) {
			continue
		}
		back := t.Send(ctx, user, s.Case.With("body", "/"+e.name, *was), why)
		claims = append(claims, check.Claim{
			Place: probe.PlaceOf(op, "body /"+e.name, user.Called()), Cause: op.ID,
			Says:     fmt.Sprintf("%s sets %s to %s, which is not for callers to set, and it is kept", user.Called(), e.name, probe.Text(e.value)),
			Control:  fmt.Sprintf("before, it was %s; the change was read back by another request, and then undone (%s)", probe.Text(*was), status(back)),
			Evidence: []finding.Evidence{evidence("before", before), evidence("the change", ex), evidence("after", after)},
		})
	}
	return claims
}

// lookOf returns a request of a user that reads what an operation changes: the same path,
// or that of the user's own account.
func lookOf(t *probe.Target, op *spec.Operation, user *login.User) *probe.Sample {
	write := t.Sample(op, user)
	for _, each := range t.API.Operations {
		if each.Method != "GET" || each.Path != op.Path {
			continue
		}
		s := t.Sample(each, user)
		if s == nil {
			continue
		}
		same := *s
		same.Case = s.Case.Clone()
		same.Case.Path = write.Case.Path
		return &same
	}
	if own := strings.Contains(op.Path, "{"); own {
		return nil
	}
	return profileOf(t, user)
}

// profileOf returns a request by which a user reads their own account, or nil.
func profileOf(t *probe.Target, user *login.User) *probe.Sample {
	var best *probe.Sample
	for _, op := range t.API.Operations {
		s := t.Sample(op, user)
		if s == nil || op.Method != "GET" {
			continue
		}
		segments := op.Segments()
		if len(segments) == 0 {
			continue
		}
		switch plain(segments[len(segments)-1]) {
		case "me", "profile", "whoami", "self", "account", "currentuser", "current", "user", "userinfo":
			return s
		}
		if refs := references(t, s.Case, user); len(refs) == 1 && refs[0].object == nil && refs[0].point.In == "path" && strings.HasSuffix(op.Path, "}") {
			best = s
		}
	}
	return best
}
