package inject

import (
	"context"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// noSQL sends operators of document databases in place of texts: {"$ne": …} in JSON,
// name[$ne]=… in queries and forms.
func noSQL(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if s.point.In != "query" && (s.point.In != "body" || s.point.Name == "") || !texts(s) {
		return claim, false
	}
	base, nothing := s.text(), t.Marker()
	first, second := s.as(ctx, t), s.as(ctx, t)
	none := s.with(ctx, t, nothing)
	if broken(first) || broken(none) {
		return claim, false
	}
	c, ok := learn(first, second, base)
	if !ok {
		return claim, false
	}
	if probe.Granted(first) && c.view(first, base) != c.view(none, nothing) {
		// What is equal to the value is the same as the value, and changes no more than it.
		if claim, found = operator(ctx, t, s, c, pair{"$eq", base, "$eq", nothing}, first, none); found {
			return claim, true
		}
	}
	if !s.op.Safe() && !reads(s) { // What is not equal to something is everything.
		return claim, false
	}
	return operator(ctx, t, s, c, pair{"$ne", nothing, "$in", ""}, nil, none)
}

// pair are two operators, of which the first fits what is there and the second does not.
type pair struct {
	fits    string
	fitting any
	fails   string
	failing any
}

// operator sends both, and one that does not exist: a target that takes any object for a
// text, or refuses all of them, answers the three alike.
func operator(ctx context.Context, t *probe.Target, s spot, c *comparer, p pair, like, none *wire.Exchange) (claim check.Claim, found bool) {
	if p.fails == "$in" {
		p.failing = []any{t.Marker()}
	}
	words := []string{s.text(), probe.Text(p.fitting), probe.Text(p.failing), p.fits, p.fails}
	see := func(ex *wire.Exchange) string { return c.view(ex, words...) }
	ask := func(operator string, v any) *wire.Exchange { return s.operator(ctx, t, operator, v) }
	yes := ask(p.fits, p.fitting)
	if strings.Contains(yes.Text(), p.fits) { // The object comes back as it was sent: that is no answer of a database.
		return claim, false
	}
	if broken(yes) || !probe.Granted(yes) || see(yes) == see(none) || like != nil && see(yes) != see(like) {
		return claim, false
	}
	no, odd := ask(p.fails, p.failing), ask("$fz"+t.Marker()[2:8], p.fitting)
	if broken(no) || see(no) == see(yes) || see(odd) == see(yes) {
		return claim, false
	}
	if like == nil && !empties(no, none, see) {
		return claim, false
	}
	if again := ask(p.fits, p.fitting); see(again) != see(yes) {
		return claim, false
	}
	if again := ask(p.fails, p.failing); see(again) != see(no) {
		return claim, false
	}
	return check.Claim{
		Says:     fmt.Sprintf("an object with the operator %s in %s is run by the database: it finds what %s does not", p.fits, s.point, p.fails),
		Control:  "an operator that fits nothing, one that does not exist and a text that nobody has are answered otherwise, and the first as before when it is sent again",
		Evidence: []finding.Evidence{evidence(p.fits+" finds something", yes), evidence(p.fails+" does not", no), evidence("an operator that does not exist does not either", odd)},
	}, true
}

// empties reports whether an operator that fits nothing is answered as a text that nobody
// has: both refused, or both with the same content.
func empties(no, none *wire.Exchange, see func(*wire.Exchange) string) bool {
	return see(no) == see(none) || no.Status == none.Status && probe.Refused(no) == probe.Refused(none) && len(probe.Leaves(no)) == len(probe.Leaves(none))
}

// operator sends an object with an operator in place of the value.
func (s spot) operator(ctx context.Context, t *probe.Target, operator string, v any) *wire.Exchange {
	c := s.c
	switch {
	case s.point.In == "query":
		c = c.Without("query", s.point.Name).With("query", s.point.Name+"["+operator+"]", v)
	case strings.HasSuffix(c.Media, "json"):
		c = c.With("body", s.point.Name, map[string]any{operator: v})
	default:
		c = c.Without("body", s.point.Name).With("body", s.point.Name+"["+operator+"]", v)
	}
	return t.Send(ctx, s.user, c, s.why)
}
