// Package declared holds what a program says about who may call its operations against
// what it does. Elsewhere a scan has to guess who ought to be refused; here the truth is
// known, so the status of an answer proves something.
package declared

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group for the rules of a program. Without rules there
// is nothing to check, and the entry of the catalogue stays.
func Checks(rules []Rule) []check.Check {
	c := check.Check{Kind: kind(), Phase: check.Read, Alone: true}
	if len(rules) > 0 {
		c.Run = func(ctx context.Context, t *probe.Target, report check.Report) error {
			p := prover{t: t, rules: rules, report: report, why: c.Kind.ID}
			p.enforced(ctx)
			p.undeclared(ctx)
			return ctx.Err()
		}
	}
	return []check.Check{c}
}

func kind() finding.Kind {
	return finding.Kind{
		ID: "AZ-09", Title: "A declared access rule is not enforced",
		Describe: "The program declares who may call an operation, and lets others call it, too; or it answers what it has not declared, for which no rule holds.",
		Severity: finding.High, OWASP: "API5:2023", CWE: 862, ASVS: []string{"8.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Enforce the rule where it is declared, before anything of the operation runs, and let no handler, middleware or proxy answer in its place.",
			Fastness: `fastness.Get(app, "/admin", page, access.Role("admin")) // and no app.Use that answers by itself`,
			FastAPI:  `app.include_router(admin, dependencies=[Depends(require_role("admin"))])`,
			Express:  `router.use("/admin", requireRole("admin")); // before the routes`,
			Spring:   `http.authorizeHttpRequests(a -> a.requestMatchers("/admin/**").hasRole("ADMIN").anyRequest().denyAll());`,
		},
	}
}

type prover struct {
	t      *probe.Target
	rules  []Rule
	report check.Report
	why    string
}

// enforced sends each operation as those whom its rule refuses. What could do harm if it
// were let through comes last.
func (p *prover) enforced(ctx context.Context) {
	type each struct {
		rule Rule
		op   *spec.Operation
	}
	var list []each
	for _, rule := range p.rules {
		for _, method := range methodsOf(rule) {
			rule := rule
			rule.Method = method
			if op := p.operation(rule); rule.Caller && (op.Safe() || p.t.Limits.Write) {
				list = append(list, each{rule, op})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b each) int { return cmp.Compare(harm(a.op), harm(b.op)) })
	for _, e := range list {
		for _, user := range append([]*login.User{nil}, p.t.Users...) {
			if must := e.rule.refuses(user); must != "" && ctx.Err() == nil {
				p.try(ctx, e.op, user, must)
			}
		}
	}
}

func methodsOf(rule Rule) []string {
	if rule.Method == "*" {
		return []string{http.MethodGet, http.MethodPost}
	}
	return []string{rule.Method}
}

func harm(op *spec.Operation) int {
	switch {
	case op.Safe():
		return 0
	case explore.Dangerous(op) != "":
		return 3
	case op.Method == http.MethodDelete:
		return 2
	}
	return 1
}

// operation returns the operation of a rule; the document may hide it.
func (p *prover) operation(rule Rule) *spec.Operation {
	for _, op := range p.t.API.Operations {
		if rule.same(op) {
			return op
		}
	}
	return &spec.Operation{ID: rule.String(), Method: rule.Method, Path: rule.Path, Found: "the program declares it"}
}

// try sends an operation as somebody who must be refused.
func (p *prover) try(ctx context.Context, op *spec.Operation, user *login.User, must string) {
	c := &probe.Case{Op: op}
	if s := p.t.AnySample(op); s != nil {
		c = s.Case
	} else if p.t.API.Find(op.Method, op.Path) == op {
		c = explore.For(p.t).Case(op, user)
	}
	r := c.Request()
	r.Why = p.why
	if op.Method == http.MethodGet && r.Header.Get("Accept") == "" {
		r.Header = http.Header{"Accept": {"application/json, */*;q=0.5"}}
	}
	ex := p.t.Once(ctx, user, r)
	claim := check.Claim{
		Place:    probe.PlaceOf(op, "", user.Called()),
		Control:  "the rule is the program's own: nothing is guessed about who may",
		Evidence: []finding.Evidence{{Says: user.Called() + " must be refused", Exchange: ex}},
	}
	switch {
	case ex.Status >= 200 && ex.Status < 300 || ex.Status == http.StatusSwitchingProtocols:
		claim.Says = fmt.Sprintf("%s may call it (%d), and the program declares that %s", called(user), ex.Status, must)
		if user == nil {
			worst := finding.Critical
			claim.Severity = &worst
		}
	case past(ex.Status):
		claim.Hint = true
		claim.Says = fmt.Sprintf("the request of %s was looked at (%d) before it was refused, and the program declares that %s", called(user), ex.Status, must)
	default:
		return
	}
	p.report(claim)
}

// past reports whether a status says that somebody came past the question who they are.
func past(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return true
	}
	return status >= 500 && status != http.StatusServiceUnavailable
}

func called(user *login.User) string {
	if user == nil {
		return "somebody who is not logged in"
	}
	return user.Called()
}

// undeclared reports what the program answers and does not declare.
func (p *prover) undeclared(ctx context.Context) {
	for _, op := range p.t.API.Operations {
		if ctx.Err() != nil || op.Method == http.MethodOptions || slices.ContainsFunc(p.rules, func(r Rule) bool { return r.covers(op) }) {
			continue
		}
		ex, by := p.answer(op)
		if ex == nil {
			continue
		}
		p.report(check.Claim{
			Place:    probe.PlaceOf(op, "", by),
			Says:     "the program answers an operation that it does not declare, so no access rule holds for it",
			Control:  fmt.Sprintf("none of its %d routes stands for this path", len(p.rules)),
			Evidence: []finding.Evidence{{Says: "it is answered", Exchange: ex}},
		})
	}
}

// answer returns an answer of success, and to whom.
func (p *prover) answer(op *spec.Operation) (*wire.Exchange, string) {
	if s := p.t.AnySample(op); s != nil {
		return s.Exchange, s.User.Called()
	}
	for _, ex := range p.t.Seen(op) {
		if ex.OK() {
			return ex, cmp.Or(ex.Request.User, "anonymous")
		}
	}
	return nil, ""
}
