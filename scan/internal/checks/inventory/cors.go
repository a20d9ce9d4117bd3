package inventory

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// origins asks which pages of other sites may read answers.
func origins() check.Check {
	kind := kindCORS()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		tricks := 0
		for _, op := range t.API.Operations {
			s := t.AnySample(op)
			if op.Method != http.MethodGet || s == nil || ctx.Err() != nil {
				continue
			}
			c := &cors{ctx: ctx, t: t, s: s, why: kind.ID}
			claim, found := c.any()
			if !found && tricks < 4 {
				tricks++
				claim, found = c.tricks()
			}
			if found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

// cors asks one operation.
type cors struct {
	ctx context.Context
	t   *probe.Target
	s   *probe.Sample
	why string
}

func (c *cors) ask(origin string) *wire.Exchange {
	r := c.s.Case.Request()
	r.Why = c.why
	r.Header.Set("Origin", origin)
	return c.t.Do(c.ctx, c.s.User, r)
}

// allows reports whether an answer lets pages of an origin read it, and with the
// credentials that the browser has.
func allows(ex *wire.Exchange, origin string) (read, credentials bool) {
	read = ex.OK() && strings.EqualFold(ex.Header.Get("Access-Control-Allow-Origin"), origin)
	return read, read && ex.Header.Get("Access-Control-Allow-Credentials") == "true"
}

// any asks with an origin that nobody can have allowed.
func (c *cors) any() (claim check.Claim, found bool) {
	origin := "https://" + c.t.Marker() + ".example"
	first := c.ask(origin)
	read, credentials := allows(first, origin)
	if !read {
		return claim, false
	}
	other := "https://" + c.t.Marker() + ".example"
	second := c.ask(other)
	if again, _ := allows(second, other); !again {
		return claim, false
	}
	if !credentials {
		if !c.private() || !cookieUser(c.s.User) {
			return claim, false // As with *: what everybody may read anyway.
		}
		return c.claim("reflects", finding.Info, "pages of every origin may read answers, without credentials", "two origins that nobody can have allowed were both allowed", first, second), true
	}
	return c.claim("reflects", c.severity(), "pages of every origin may read answers with the credentials of whoever looks at them", "two origins that nobody can have allowed were both allowed", first, second), true
}

// tricks asks with origins that a bad comparison takes for allowed ones.
func (c *cors) tricks() (claim check.Claim, found bool) {
	host := strings.TrimPrefix(strings.TrimPrefix(c.s.Exchange.Origin, "https://"), "http://")
	name, _, _ := strings.Cut(host, ":")
	marker := c.t.Marker()
	for _, trick := range []struct{ origin, what string }{
		{"null", "pages without an origin, as those in a sandboxed frame,"},
		{"https://" + name + "." + marker + ".example", "pages of every host whose name begins as that of the API"},
		{"https://" + marker + name, "pages of every host whose name ends as that of the API"},
	} {
		ex := c.ask(trick.origin)
		if _, credentials := allows(ex, trick.origin); !credentials {
			continue
		}
		if again, _ := allows(c.ask(trick.origin), trick.origin); !again {
			continue
		}
		return c.claim("trick "+trick.what, c.severity(), trick.what+" may read answers with the credentials of whoever looks at them", fmt.Sprintf("an origin that has nothing of it is not allowed, and %s is, twice", trick.origin), ex), true
	}
	return claim, false
}

func (c *cors) claim(cause string, severity finding.Severity, says, control string, shown ...*wire.Exchange) check.Claim {
	claim := check.Claim{
		Place: probe.PlaceOf(c.s.Case.Op, "header Origin", ""), Cause: cause, Severity: as(severity), Says: says, Control: control,
	}
	for _, ex := range shown {
		claim.Evidence = append(claim.Evidence, evidence("the origin "+cut(ex.Request.Header.Get("Origin"), 80)+" is allowed", ex))
	}
	return claim
}

// severity is high if browsers send what proves who is asking by themselves.
func (c *cors) severity() finding.Severity {
	if cookieUser(c.s.User) {
		return finding.High
	}
	return finding.Medium
}

func cookieUser(u *login.User) bool {
	for _, each := range u.Credentials() {
		if each.In == "cookie" {
			return true
		}
	}
	return false
}

// private reports whether nobody gets the answer without a log-in.
func (c *cors) private() bool {
	return c.s.User != nil && c.t.Sample(c.s.Case.Op, nil) == nil
}
