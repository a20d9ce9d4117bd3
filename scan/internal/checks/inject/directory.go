package inject

import (
	"context"
	"fmt"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// filter adds conditions to filters of LDAP (RFC 4515) and to expressions of XPath.
func filter(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if !texts(s) && !s.numeric() || !s.op.Safe() && !reads(s) {
		return claim, false
	}
	base, nothing := s.text(), t.Marker()
	first, second, none := s.as(ctx, t), s.as(ctx, t), s.with(ctx, t, nothing)
	if broken(first) || broken(none) {
		return claim, false
	}
	c, ok := learn(first, second, base)
	if !ok {
		return claim, false
	}
	if probe.Granted(first) && c.view(first, base) != c.view(none, nothing) {
		if claim, found = ldap(ctx, t, s, c, base, c.view(first, base)); found {
			return claim, true
		}
		if claim, found = xpath(ctx, t, s, c, base, c.view(first, base), ""); found {
			return claim, true
		}
	}
	if s.op.Safe() {
		if claim, found = xpath(ctx, t, s, c, nothing, "", c.view(none, nothing)); found {
			return claim, true
		}
	}
	star := s.with(ctx, t, "*")
	if broken(star) || !probe.Granted(star) || c.view(star, "*") == c.view(none, nothing) {
		return claim, false
	}
	return ldap(ctx, t, s, c, "*", c.view(star, "*"))
}

// ldap closes the condition that the value is in and adds another one. A star alone proves
// nothing: many searches know it.
func ldap(ctx context.Context, t *probe.Target, s spot, c *comparer, base, want string) (claim check.Claim, found bool) {
	odd := "fz" + t.Marker()[2:8]
	for _, attribute := range []string{"objectClass", s.point.Last(), "cn", "uid", odd} {
		holds, fails := base+")("+attribute+"=*", base+")(!("+attribute+"=*)"
		if attribute == odd { // Nothing has that, and a directory that is a toy says so.
			holds, fails = base+")(!("+odd+"=*)", base+")("+odd+"=*"
		}
		yes := s.with(ctx, t, holds)
		if broken(yes) || c.view(yes, holds, base) != want {
			continue
		}
		no := s.with(ctx, t, fails)
		// A parenthesis more than it takes breaks the filter: what cuts the value off at one
		// would not see it.
		torn := s.with(ctx, t, holds+"))((")
		if broken(no) || c.view(no, fails, base) == want || c.view(torn, holds+"))((", base) == want {
			continue
		}
		if again := s.with(ctx, t, holds); c.view(again, holds, base) != want {
			continue
		}
		if again := s.with(ctx, t, fails); c.view(again, fails, base) != c.view(no, fails, base) {
			continue
		}
		return check.Claim{
			Says:     fmt.Sprintf("%s becomes part of a filter of LDAP: %q finds the same as %q, and %q does not", s.point, holds, base, fails),
			Control:  "the two conditions are opposites and were sent twice; with parentheses that do not fit the filter finds nothing",
			Evidence: []finding.Evidence{evidence("a condition that holds", yes), evidence("its opposite", no), evidence("a filter that is broken", torn)},
		}, true
	}
	return claim, false
}

// xpath adds conditions in small letters, which SQL takes as well: XPath does not take
// capitals.
func xpath(ctx context.Context, t *probe.Target, s spot, c *comparer, base, whenTrue, whenFalse string) (claim check.Claim, found bool) {
	operator := "and"
	if whenTrue == "" {
		operator = "or"
	}
	for _, g := range []grammar{{before: "' " + operator + " ", quote: "'"}, {before: `" ` + operator + " ", quote: `"`}} {
		length := func(n string) string {
			return base + g.before + "string-length(" + g.quote + "abc" + g.quote + ")=" + n + " and " + g.quote + "1" + g.quote + "=" + g.quote + "1"
		}
		var views [6]string
		good := true
		var claimed [2]finding.Evidence
		for i := 0; i < 6 && good; i++ {
			value := length([]string{"3", "4", "3", "5", "3", "2"}[i])
			ex := s.with(ctx, t, value)
			views[i] = c.view(ex, value, base)
			claimed[i%2] = evidence([]string{"the length is right", "the length is wrong"}[i%2], ex)
			if i%2 == 0 {
				good = !broken(ex) && probe.Granted(ex) && (whenTrue == "" || views[i] == whenTrue) && views[i] == views[0] && (whenFalse == "" || views[i] != whenFalse)
			} else {
				good = !broken(ex) && views[i] != views[0] && (whenFalse == "" || views[i] == whenFalse)
			}
		}
		if good {
			return check.Claim{
				Says:     fmt.Sprintf("%s becomes part of an expression of XPath: %q decides what is answered", s.point, length("3")),
				Control:  "string-length is a function of XPath; with the right length the answer was one, with wrong ones another, three times in turn",
				Evidence: claimed[:],
			}, true
		}
	}
	return claim, false
}
