package access

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// grantSelf lets a user that the scan made give themselves rights, and use them.
func grantSelf() check.Check {
	kind := kindGrantSelf()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		user, err := t.Register(ctx, "grant")
		if err != nil {
			return fmt.Errorf("no user could be made for it: %w", err)
		}
		for _, op := range t.API.Operations {
			if op.Method != "PUT" && op.Method != "PATCH" && op.Method != "POST" || ctx.Err() != nil {
				continue
			}
			if claim, found := grants(ctx, t, op, user, kind.ID); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// grants tries to raise a user by an operation that changes their account.
func grants(ctx context.Context, t *probe.Target, op *spec.Operation, user *login.User, why string) (claim check.Claim, found bool) {
	like := t.AnySample(op)
	if like == nil || like.User == nil {
		return claim, false
	}
	own := adopt(like.Case, like.User, user)
	if profile := profileOf(t, like.User); profile != nil {
		look := adopt(profile.Case, like.User, user)
		before := t.Send(ctx, user, look, why)
		for _, e := range append(unasked(t, own, before), guesses()[:7]...) {
			was := leaf(before, nil, e.name)
			if !rights(e.name) || was == nil || probe.Text(*was) == probe.Text(e.value) {
				continue
			}
			ex := t.Send(ctx, user, own.With("body", "/"+e.name, e.value), why)
			after := t.Send(ctx, user, look, why)
			if now := leaf(after, nil, e.name); probe.Refused(ex) || now == nil || probe.Text(*now) != probe.Text(e.value) {
				continue
			}
			return check.Claim{
				Place:    probe.PlaceOf(op, "body /"+e.name, user.Called()),
				Says:     fmt.Sprintf("%s, just registered, sets their own %s to %s", user.Called(), e.name, probe.Text(e.value)),
				Control:  fmt.Sprintf("before, it was %s; the account shows the change to another request", probe.Text(*was)),
				Evidence: []finding.Evidence{evidence("before", before), evidence("the change", ex), evidence("after", after)},
			}, true
		}
	}
	return claim, false
}

// adopt puts another user in the place of the one who sent a case.
func adopt(c *probe.Case, from, to *login.User) *probe.Case {
	for _, point := range c.Points() {
		for kind, v := range from.Known {
			if v != "" && probe.Text(point.Value) == v && to.Known[kind] != "" && (kind != "id" || len(v) >= 8 || point.In == "path" || userLike(point.Last())) {
				c = c.With(point.In, point.Name, to.Known[kind])
			}
		}
	}
	return c
}

// takeOver lets a user change the password of another one, both made for it, and logs in
// with the new one.
func takeOver() check.Check {
	kind := kindTakeOver()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		victim, err1 := t.Register(ctx, "victim")
		thief, err2 := t.Register(ctx, "thief")
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("no users could be made for it: %w", err)
		}
		for _, op := range t.API.Operations {
			if op.Safe() || op.Method == "DELETE" || ctx.Err() != nil {
				continue
			}
			claim, found := takesOver(ctx, t, op, thief, victim, kind.ID)
			if found {
				report(claim)
				if victim, err1 = t.Register(ctx, "victim"); err1 != nil {
					return nil
				}
			}
		}
		return ctx.Err()
	}}
}

// takesOver tries one operation that has a password and names a user.
func takesOver(ctx context.Context, t *probe.Target, op *spec.Operation, thief, victim *login.User, why string) (claim check.Claim, found bool) {
	c := &probe.Case{Op: op}
	if op.Body != nil && len(op.Body.Media) > 0 {
		c.Media = op.Body.Media[0].Type
		c.Body = map[string]any{}
	}
	password, named := "", false
	next := "Fz-" + t.Marker() + "!9"
	fill := func(in, name string, schema *spec.Schema) {
		low := plain(name)
		switch {
		case strings.Contains(low, "old") || strings.Contains(low, "current"):
			return // It asks for what a thief does not have.
		case strings.Contains(low, "password") || low == "pass" || low == "pwd" || low == "newpass":
			c, password = c.With(in, pointer(in, name), next), name
		case userLike(name) || low == "id":
			for _, kind := range []string{low, "username", "id", "email"} {
				if v := victim.Known[kind]; v != "" && (kind == low || fits(schema, kind, low)) {
					c, named = c.With(in, pointer(in, name), v), true
					return
				}
			}
		}
	}
	for _, p := range op.Params {
		if p.In == "path" || p.In == "query" {
			fill(p.In, p.Name, p.Schema)
		}
	}
	if s := c.BodySchema(); s != nil {
		for _, name := range s.Names {
			fill("body", name, s.Properties[name])
		}
	}
	t.Logger().Debug("a password of another", "check", why, "operation", op.ID, "password", password, "named", named, "known", sorted(victim.Known))
	if password == "" || !named || registers(op) {
		return claim, false
	}
	ex := t.Send(ctx, thief, c, why)
	if probe.Refused(ex) {
		return claim, false
	}
	changed := login.NewUser(victim.Name)
	changed.Known = maps.Clone(victim.Known)
	changed.Known["password"] = next
	in, err := t.LogIn(ctx, changed)
	if err != nil || in == nil {
		return claim, false
	}
	return check.Claim{
		Place:    probe.PlaceOf(op, "", users(thief, victim)),
		Says:     fmt.Sprintf("%s sets the password of %s, and logs in as them", thief.Called(), victim.Called()),
		Control:  "both were made for this, and the new password was never used before",
		Evidence: []finding.Evidence{evidence("the change", ex)},
	}, true
}

func pointer(in, name string) string {
	if in == "body" {
		return "/" + name
	}
	return name
}

// fits reports whether a known value can stand at a place of that name.
func fits(s *spec.Schema, kind, name string) bool {
	number := s.Is("integer") || s.Is("number")
	switch kind {
	case "id":
		return number || strings.HasSuffix(name, "id")
	case "email":
		return !number && strings.Contains(name, "mail")
	}
	return !number
}

// registers reports whether an operation makes users.
func registers(op *spec.Operation) bool {
	text := plain(op.Path + op.ID + op.Summary)
	return strings.Contains(text, "register") || strings.Contains(text, "signup") || strings.Contains(text, "login") || strings.Contains(text, "signin") || strings.Contains(text, "token")
}
