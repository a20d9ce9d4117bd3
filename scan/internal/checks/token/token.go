// Package token has the checks of what says who a request is from: signed tokens (JSON Web
// Tokens, RFC 7519) that are not verified, or with a key that anybody can have; tokens that
// can be made up; and those that travel in addresses.
//
// Each check has a gate: an operation that lets the user in, and turns away nobody and a
// token whose signature is broken. What a forged token gets there is held against that. A
// token that is no JWT is left to the checks of tokens of any form.
package token

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group.
func Checks() []check.Check {
	l := &lab{}
	return []check.Check{
		garbage(l), notVerified(l), noAlgorithm(l), weakSecret(l), confusion(l), headKey(l),
		expiry(l), afterEnd(l), audience(l), inAddress(l),
	}
}

// lab keeps what several checks need, and found out once.
type lab struct {
	mu      sync.Mutex
	of      *probe.Target
	gates   []*gate
	cracked bool
	found   *secret
}

// gate is a request that is answered to a user, and not to nobody.
type gate struct {
	bearer
	sample *probe.Sample
	// valid is the answer to the user, nobody and broken are those to no token and to one
	// whose signature is not right.
	valid, nobody, broken *wire.Exchange
	// open gates let the broken token in.
	open bool
}

// maxGates is how many operations are tried at most.
const maxGates = 60

// gatesOf returns the operations whose answer depends on a JWT.
func (l *lab) gatesOf(ctx context.Context, t *probe.Target) []*gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == t {
		return l.gates
	}
	l.of, l.gates, l.cracked, l.found = t, nil, false, nil
	for _, op := range t.API.Operations {
		if op.Method != "GET" || explore.Dangerous(op) != "" || len(l.gates) >= maxGates || ctx.Err() != nil {
			continue
		}
		for _, u := range t.Users {
			b, ok := bearerOf(u)
			s := t.Sample(op, u)
			if !ok || s == nil {
				continue
			}
			if g := open(ctx, t, b, s); g != nil {
				l.gates = append(l.gates, g)
			}
			break
		}
	}
	slices.SortStableFunc(l.gates, func(a, b *gate) int { return a.rank() - b.rank() })
	return l.gates
}

// rank puts gates first that show who somebody is, and those of ordinary users.
func (g *gate) rank() (rank int) {
	if g.user.Admin {
		rank += 2
	}
	if ownText(g.user, &login.User{}, g.valid) == "" {
		rank++
	}
	return rank
}

// open makes a gate of a sample, or nil if it is none.
func open(ctx context.Context, t *probe.Target, b bearer, s *probe.Sample) *gate {
	g := &gate{bearer: b, sample: s}
	g.nobody = t.Send(ctx, nil, s.Case, "token")
	if g.nobody.Status == 0 || !probe.Refused(g.nobody) {
		return nil
	}
	g.valid = t.Send(ctx, b.user, s.Case, "token") // It logs in again if it must.
	if fresh, ok := bearerOf(b.user); ok {
		g.bearer = fresh
	}
	g.valid = g.try(ctx, t, g.credential.Value)
	if !probe.Granted(g.valid) || probe.Shape(g.valid) == probe.Shape(g.nobody) && g.valid.Status == g.nobody.Status {
		return nil
	}
	g.broken = g.try(ctx, t, g.token.broken())
	g.open = g.lets(g.broken)
	if !g.open && !turnsAway(g.broken) {
		return nil // It fails, or asks to come later: nothing is known of it.
	}
	return g
}

// turnsAway reports whether an answer refuses, and is not one of a target in trouble. A
// token that cannot be read makes some targets fail: that is no way in.
func turnsAway(ex *wire.Exchange) bool {
	return probe.Refused(ex) && ex.Status != 0 && ex.Status != 429
}

// try sends the request with another token, and nothing else that says who it is from.
func (g *gate) try(ctx context.Context, t *probe.Target, token string) *wire.Exchange {
	r := g.sample.Case.Request()
	r.Why = "token"
	return t.Once(ctx, g.as(token), r)
}

// lets reports whether an answer is one of those that the user gets.
func (g *gate) lets(ex *wire.Exchange) bool {
	return probe.Granted(ex) && probe.Shape(ex) == probe.Shape(g.valid)
}

// accepts sends a token twice. It reports whether it was let in both times, while one with a
// broken signature still is not, and returns the evidence.
func (g *gate) accepts(ctx context.Context, t *probe.Target, token string) (shown []finding.Evidence, ok bool) {
	first := g.try(ctx, t, token)
	if !g.lets(first) {
		return nil, false
	}
	control := g.try(ctx, t, g.token.broken())
	if !turnsAway(control) || !g.lets(g.try(ctx, t, token)) {
		return nil, false
	}
	return []finding.Evidence{
		{Says: "the control: a token whose signature is broken", Exchange: control},
		{Says: "the forged token is let in", Exchange: first},
	}, true
}

// closed returns the gates that verify signatures, of different parts of the API first.
func closed(gates []*gate, most int) (out []*gate) {
	var later []*gate
	seen := map[string]bool{}
	for _, g := range gates {
		if g.open {
			continue
		}
		part := partOf(g)
		if seen[part] {
			later = append(later, g)
			continue
		}
		seen[part] = true
		out = append(out, g)
	}
	out = append(out, later...)
	return out[:min(len(out), most)]
}

// partOf returns what parts of an API that may have code of their own are told apart by:
// the first segments of their paths, and where the token is.
func partOf(g *gate) string {
	segments := g.sample.Case.Op.Segments()
	return fmt.Sprint(segments[:min(len(segments), 2)], g.parameter())
}

// other returns the token of another user, ordinary ones first, whose claims differ.
func other(t *probe.Target, b bearer) (bearer, bool) {
	for _, u := range slices.Concat(t.Others(b.user), t.Admins()) {
		if o, ok := bearerOf(u); ok && u != b.user && o.token.raw[1] != b.token.raw[1] {
			return o, true
		}
	}
	return bearer{}, false
}

// forge makes a token of head and claims that the target takes for its own.
type forge func(head, claims map[string]any) string

// impersonate shows what a forger gets: the answer to another user. It returns what to say
// of it, and the evidence.
func (g *gate) impersonate(ctx context.Context, t *probe.Target, f forge) (says string, shown []finding.Evidence) {
	o, ok := other(t, g.bearer)
	if !ok {
		return "", nil
	}
	ex := g.try(ctx, t, f(o.token.head, o.token.claims))
	text := ownText(o.user, g.user, ex)
	if !probe.Granted(ex) || text == "" || probe.Holds(g.valid, text) {
		return "", nil
	}
	says = fmt.Sprintf("; with the claims of %s in it, the answer is theirs", o.user.Called())
	return says, []finding.Evidence{{Says: "a token that was forged for " + o.user.Called(), Exchange: ex}}
}

// ownText returns a text of an answer that stands for a user and not for another, or "".
func ownText(of, not *login.User, ex *wire.Exchange) string {
	for _, kind := range []string{"email", "username", "phone", "name", "id"} {
		v := of.Known[kind]
		if len(v) >= 3 && v != not.Known[kind] && probe.Holds(ex, v) {
			return v
		}
	}
	return ""
}

// claim is the claim of a gate.
func (g *gate) claim(cause, says, control string, shown []finding.Evidence) check.Claim {
	return check.Claim{
		Place: probe.PlaceOf(g.sample.Case.Op, g.parameter(), g.user.Called()),
		Cause: cause, Says: says, Control: control,
		Evidence: append([]finding.Evidence{{Says: "the token of " + g.user.Called(), Exchange: g.valid}}, shown...),
	}
}
