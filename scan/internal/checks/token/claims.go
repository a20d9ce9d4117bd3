package token

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// longLife is how long a token may hold without a word about it.
const longLife = 30 * 24 * time.Hour

// second returns a time of a token, and whether it has one.
func (t jwt) second(name string) (int64, bool) {
	n, ok := t.claims[name].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return int64(f), err == nil && f > 0 && f < 1<<40
}

// signer returns the secret that tokens are signed with, and a gate that it opens, or nil.
func (l *lab) signer(ctx context.Context, t *probe.Target) (*secret, *gate) {
	s := l.secretOf(ctx, t)
	if s == nil {
		return nil, nil
	}
	for _, g := range closed(l.gatesOf(ctx, t), 4) {
		if g.token.alg() != s.alg {
			continue
		}
		if _, ok := g.accepts(ctx, t, s.forge(g.token.head, g.token.claims)); ok {
			return s, g
		}
	}
	return nil, nil
}

// expiry looks for tokens that do not end: their own times, and, if the secret is known,
// one that has ended long ago.
func expiry(l *lab) check.Check {
	kind := kindExpiry()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		gates := l.gatesOf(ctx, t)
		if len(gates) == 0 {
			return nil
		}
		if c, found := gates[0].endless(); found {
			report(c)
		}
		s, g := l.signer(ctx, t)
		if g == nil {
			return ctx.Err()
		}
		now := time.Now().Unix()
		for _, wrong := range []struct {
			name, says string
			claims     map[string]any
		}{
			{"exp", "a token that ended a day ago is let in", map[string]any{"exp": now - 86400, "iat": now - 90000}},
			{"nbf", "a token that begins tomorrow only is let in", map[string]any{"nbf": now + 86400}},
		} {
			if shown, ok := g.accepts(ctx, t, s.forge(g.token.head, with(g.token.claims, wrong.claims))); ok {
				c := g.claim("", wrong.says, "it is signed with the secret that was guessed, and one with a broken signature is refused", shown)
				c.Place.Parameter += " " + wrong.name
				if wrong.name == "nbf" {
					low := finding.Low
					c.Severity = &low
				}
				report(c)
			}
		}
		return ctx.Err()
	}}
}

// endless reports a token that says of itself that it never ends, or very late.
func (g *gate) endless() (c check.Claim, found bool) {
	exp, ends := g.token.second("exp")
	iat, begins := g.token.second("iat")
	if !begins {
		iat = g.valid.At.Unix()
	}
	life := time.Duration(exp-iat) * time.Second
	low := finding.Low
	switch {
	case !ends:
		c = g.claim("endless", "the token has no time at which it ends (exp)", "the claims of the token of the log-in", nil)
	case life > longLife:
		c = g.claim("endless", fmt.Sprintf("the token holds for %d days", int(life.Hours()/24)), "the claims of the token of the log-in", nil)
	default:
		return c, false
	}
	c.Severity = &low
	return c, true
}

// afterEnd sends tokens of users again that have ended meanwhile.
func afterEnd(l *lab) check.Check {
	return check.Check{Kind: kindExpiry(), Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		now := time.Now().Unix()
		for _, g := range closed(l.gatesOf(ctx, t), 2) {
			for _, text := range g.user.Secrets() {
				old, ok := parse(text)
				exp, ends := old.second("exp")
				if !ok || !ends || exp > now-90 || old.raw[1] == g.token.raw[1] || old.alg() != g.token.alg() {
					continue
				}
				if shown, ok := g.accepts(ctx, t, text); ok {
					c := g.claim("", fmt.Sprintf("a token that ended %d s ago is let in", now-exp), "the target made the token itself; one with a broken signature is refused", shown)
					c.Place.Parameter += " exp"
					report(c)
					return nil
				}
			}
		}
		return ctx.Err()
	}}
}

// audience sends tokens that were made for somebody else, or by somebody else.
func audience(l *lab) check.Check {
	return check.Check{Kind: kindAudience(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		s, g := l.signer(ctx, t)
		if g == nil {
			return ctx.Err()
		}
		var names []string
		var all []finding.Evidence
		for _, name := range []string{"aud", "iss"} {
			if g.token.claims[name] == nil {
				continue
			}
			shown, ok := g.accepts(ctx, t, s.forge(g.token.head, with(g.token.claims, map[string]any{name: "https://" + t.Marker() + ".example"})))
			if ok {
				names = append(names, name)
				all = append(all, shown...)
			}
		}
		if len(names) > 0 {
			report(g.claim("audience", "a token for another audience, or of another issuer, is let in: "+strings.Join(names, " and ")+" can be anything",
				"the target's own tokens have it; one with a broken signature is refused", all))
		}
		return ctx.Err()
	}}
}
