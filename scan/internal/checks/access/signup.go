package access

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// signsUpWithMore registers users with members that are not asked for, and looks at the
// account as the new user.
func signsUpWithMore(ctx context.Context, t *probe.Target, op *spec.Operation, why string) (claim check.Claim, found bool) {
	c := explore.For(t).Case(op, nil)
	body, ok := c.Body.(map[string]any)
	if !ok || credentialOf(body, "password") == "" && (pinOf(body) == "" || !login.IsRegistration(op)) {
		return claim, false
	}
	like, err := t.Register(ctx, "signup")
	if err != nil {
		return claim, false
	}
	look := profileOf(t, like)
	for _, ordinary := range t.Ordinary() {
		if look == nil {
			if look = profileOf(t, ordinary); look != nil {
				look = &probe.Sample{Case: adopt(look.Case, ordinary, like), User: like, Exchange: look.Exchange}
			}
		}
	}
	if look == nil {
		return claim, false
	}
	before := t.Send(ctx, like, look.Case, why)
	for _, e := range append(unasked(t, c, before), guesses()...) {
		was := leaf(before, nil, e.name)
		if was == nil || probe.Text(*was) == probe.Text(e.value) || ctx.Err() != nil {
			continue
		}
		fresh := renamed(t, c)
		made := t.Send(ctx, nil, fresh.With("body", "/"+e.name, e.value), why)
		if !probe.Granted(made) {
			continue
		}
		after := asNew(ctx, t, like, look.Case, fresh, made, why)
		if now := leaf(after, nil, e.name); now == nil || probe.Text(*now) != probe.Text(e.value) {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(op, "body /"+e.name, "anonymous"), Cause: op.ID,
			Says:     fmt.Sprintf("whoever registers with %s = %s gets it", e.name, probe.Text(e.value)),
			Control:  fmt.Sprintf("a user who registered without it has %s; the new user read it after logging in", probe.Text(*was)),
			Evidence: []finding.Evidence{evidence("an account that was made without it", before), evidence("one that is made with it", made), evidence("what it has", after)},
		}, true
	}
	return claim, false
}

// renamed returns a registration of somebody else.
func renamed(t *probe.Target, c *probe.Case) *probe.Case {
	for _, p := range c.Points() {
		text, isText := p.Value.(string)
		name := plain(p.Last())
		if p.In != "body" || !isText {
			continue
		}
		switch {
		case strings.Contains(name, "mail") || strings.Contains(text, "@"):
			c = c.With("body", p.Name, t.Marker()+"@example.com")
		case strings.Contains(name, "password") || name == "pass" || name == "pwd":
			c = c.With("body", p.Name, "Fz-"+t.Marker()[:12]+"!9A")
		case strings.Contains(name, "user") || strings.Contains(name, "login") || strings.Contains(name, "name") || strings.Contains(name, "handle"):
			c = c.With("body", p.Name, t.Marker()[:14])
		}
	}
	return c
}

// credentialOf returns the value of the first member whose name has a part.
func credentialOf(body map[string]any, part string) string {
	for name, v := range body {
		if text, ok := v.(string); ok && strings.Contains(plain(name), part) {
			return text
		}
	}
	return ""
}

// pinOf returns the PIN of a body that has no password beside it.
func pinOf(body map[string]any) string {
	if credentialOf(body, "password") != "" {
		return ""
	}
	return credentialOf(body, "pin")
}

// asNew logs in as who was registered, and reads their account.
func asNew(ctx context.Context, t *probe.Target, like *login.User, look, registered *probe.Case, made *wire.Exchange, why string) *wire.Exchange {
	body, _ := registered.Body.(map[string]any)
	user := login.NewUser(like.Name)
	user.Known = maps.Clone(like.Known)
	for kind := range user.Known {
		if v := credentialOf(body, plain(kind)); v != "" {
			user.Known[kind] = v
		}
	}
	if pin := pinOf(body); pin != "" {
		user.Known["password"] = pin
	}
	for _, l := range probe.Leaves(made) {
		if name := plain(l.Name()); name == "id" || name == "userid" {
			user.Known["id"] = l.Text()
		}
	}
	in, err := t.LogIn(ctx, user)
	if err != nil || in == nil {
		return nil
	}
	return t.Send(ctx, in, adopt(look, like, user), why)
}
