package token

import (
	"context"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// notVerified sends each operation a token whose signature is broken.
func notVerified(l *lab) check.Check {
	return check.Check{Kind: kindNotVerified(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, g := range l.gatesOf(ctx, t) {
			if !g.open || ctx.Err() != nil {
				continue
			}
			if c, found := g.unverified(ctx, t); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

// unverified confirms that a gate takes any signature. Its control is a token that is none:
// a gate that takes that, too, has another flaw.
func (g *gate) unverified(ctx context.Context, t *probe.Target) (c check.Claim, found bool) {
	garbage := g.try(ctx, t, t.Marker()+"."+t.Marker()+"."+t.Marker())
	if !turnsAway(garbage) || !g.lets(g.try(ctx, t, g.token.broken())) {
		return c, false
	}
	shown := []finding.Evidence{
		{Says: "the control: a text that is no token", Exchange: garbage},
		{Says: "the same token with another signature is let in", Exchange: g.broken},
	}
	says, more := g.impersonate(ctx, t, func(head, claims map[string]any) string {
		return unsigned(head, claims) + "." + g.token.raw[2]
	})
	return g.claim("signature", "the signature of the token is not looked at"+says,
		"no token and a text that is none are refused, so the token is read", append(shown, more...)), true
}

// noAlgorithm sends tokens that say that they are not signed.
func noAlgorithm(l *lab) check.Check {
	return check.Check{Kind: kindNoAlgorithm(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for i, g := range closed(l.gatesOf(ctx, t), maxGates) {
			if ctx.Err() != nil {
				break
			}
			if c, found := g.takesNone(ctx, t, i < 3); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

// takesNone tries the ways to write that a token has no signature (RFC 7519, section 6),
// or the first of them only.
func (g *gate) takesNone(ctx context.Context, t *probe.Target, all bool) (c check.Claim, found bool) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE"} {
		for _, signature := range []string{".", "." + g.token.raw[2], ""} {
			f := func(head, claims map[string]any) string {
				return unsigned(with(head, map[string]any{"alg": alg}), claims) + signature
			}
			shown, ok := g.accepts(ctx, t, f(g.token.head, g.token.claims))
			if ok {
				says, more := g.impersonate(ctx, t, f)
				return g.claim("none", `a token without a signature is let in if its head says "alg": "`+alg+`"`+says,
					"the token with its own algorithm and a broken signature is refused", append(shown, more...)), true
			}
			if !all {
				return c, false
			}
		}
	}
	return c, false
}
