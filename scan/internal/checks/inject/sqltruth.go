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

// grammar is a way to add a condition to the statement that a value is part of. The
// condition compares two texts or numbers.
type grammar struct {
	before, after string
	// quote stands around texts; the last one is that of the statement itself, unless
	// whole says that the rest of the statement is cut off. Without a quote, numbers are
	// compared.
	quote string
	whole bool
	// like is for patterns: a % that stands behind the value in the statement does not
	// change what is compared.
	like string
}

// grammars are tried in this order. AND stands for the operator.
func grammars(operator string) []grammar {
	return []grammar{
		{before: "' " + operator + " ", quote: "'"},
		{before: " " + operator + " "},
		{before: "%' " + operator + " ", quote: "'", like: "%"},
		{before: "') " + operator + " (", quote: "'"},
		{before: ") " + operator + " ("},
		{before: `" ` + operator + " ", quote: `"`},
		{before: "' " + operator + " ", quote: "'", whole: true, after: " -- -"},
		{before: "%') " + operator + " ", quote: "'", whole: true, after: " -- -"},
	}
}

// condition returns a value with a condition: two that are as alike as can be, and one of
// them true. Round makes other ones.
func (g grammar) condition(base string, truth bool, round int) string {
	pairs := [][2]string{{"fa", "fz"}, {"ka", "ku"}, {"da", "do"}}
	if g.quote == "" {
		pairs = [][2]string{{"4817", "4829"}, {"6113", "6191"}, {"2207", "2281"}}
	}
	pair := pairs[round%len(pairs)]
	operator := "<"
	if !truth {
		operator = ">"
	}
	text := base + g.before + g.quote + pair[0] + g.like + g.quote + operator + g.quote + pair[1]
	if g.whole {
		text += g.quote
	}
	return text + g.after
}

// sqlTruth adds conditions that are true and false, and looks whether that decides what is
// answered.
func sqlTruth(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if s.point.In == "body" && !reads(s) && !s.worked {
		return claim, false
	}
	base := s.text()
	first, second := s.as(ctx, t), s.as(ctx, t)
	nothing := t.Marker()
	if s.numeric() { // Not a large one: it may be how much is wanted.
		nothing = "-1"
	}
	none := s.with(ctx, t, nothing)
	if broken(first) || broken(second) {
		return claim, false
	}
	c, ok := learn(first, second, base)
	if !ok {
		return claim, false
	}
	if probe.Granted(first) && (broken(none) || c.view(first, base) != c.view(none, nothing)) {
		if claim, found := truths(ctx, t, s, c, base, c.view(first, base), "", grammars("AND")); found {
			return claim, true
		}
	}
	if !s.op.Safe() || broken(none) { // OR in what writes might change all there is.
		return claim, false
	}
	return truths(ctx, t, s, c, nothing, "", c.view(none, nothing), grammars("OR"))
}

// reads reports whether an operation that is not safe by its method is named after a
// question.
func reads(s spot) bool {
	for _, segment := range s.op.Segments() {
		if hasPart(segment, "login", "signin", "search", "find", "query", "filter", "lookup", "check", "validate", "verify", "list", "auth", "authenticate", "token", "report") {
			return true
		}
	}
	return false
}

// truths tries grammars around a base. What is true has to be answered as whenTrue, what is
// false as whenFalse; an empty one means: unlike the other.
func truths(ctx context.Context, t *probe.Target, s spot, c *comparer, base, whenTrue, whenFalse string, list []grammar) (claim check.Claim, found bool) {
	for _, g := range list {
		if g.quote == "" && !isNumber(strings.TrimPrefix(base, "-")) {
			continue
		}
		value := g.condition(base, true, 0)
		yes := s.with(ctx, t, value)
		view := c.view(yes, value, base)
		if broken(yes) || !probe.Granted(yes) || whenTrue != "" && view != whenTrue || whenFalse != "" && view == whenFalse {
			continue
		}
		want := view
		no, ok := decides(ctx, t, s, c, base, g, want, whenFalse)
		if !ok {
			continue
		}
		return check.Claim{
			Says: fmt.Sprintf("a condition that is added to %s decides what is answered: %q is true and %q is not", s.point, value, g.condition(base, false, 0)),
			Control: "three pairs of conditions, which differ in one character and were sent in turn, were answered alike when true and otherwise when false: " +
				"what merely dislikes or searches for such texts cannot tell them apart",
			Evidence: []finding.Evidence{evidence("the condition is true", yes), evidence("the condition is false", no)},
		}, true
	}
	return claim, false
}

// decides repeats it in three rounds, and returns an answer to what is false.
func decides(ctx context.Context, t *probe.Target, s spot, c *comparer, base string, g grammar, want, unless string) (no *wire.Exchange, ok bool) {
	for round := range 3 {
		no = s.with(ctx, t, g.condition(base, false, round))
		view := c.view(no, g.condition(base, false, round), base)
		if broken(no) || view == want || unless != "" && view != unless {
			return nil, false
		}
		if unless == "" {
			unless = view // What is false is answered in one way.
		}
		yes := s.with(ctx, t, g.condition(base, true, round))
		if c.view(yes, g.condition(base, true, round), base) != want {
			return nil, false
		}
	}
	return no, true
}
