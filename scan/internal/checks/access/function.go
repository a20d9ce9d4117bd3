package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// function lets ordinary users do what is for admins.
func function() check.Check {
	kind := kindFunction()
	return check.Check{Kind: kind, Phase: check.Write, Also: []check.Part{{Phase: check.Destroy, Run: reserved(kind.ID)}, {Phase: check.Session, Run: removesAccounts(kind.ID, true)}}, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			why := forAdmins(op)
			if why == "" {
				why = aboveOthers(ctx, t, op, kind.ID)
			}
			if why != "" && explore.Dangerous(op) == "" {
				if claim, found := asOrdinary(ctx, t, op, why, kind.ID); found {
					report(claim)
				}
			}
		}
		return nil
	}}
}

// forAdmins returns why an operation is meant for admins, or "".
func forAdmins(op *spec.Operation) string {
	for _, segment := range op.Segments() {
		if !strings.HasPrefix(segment, "{") && adminWord(segment) {
			return fmt.Sprintf("its path says %q", segment)
		}
	}
	for _, tag := range op.Tags {
		if adminWord(tag) && op.Answers["403"] != nil {
			return fmt.Sprintf("its tag is %q", tag)
		}
	}
	for _, r := range op.Security {
		for _, scopes := range r {
			if slices.ContainsFunc(scopes, adminWord) {
				return "its security requirement names a scope of admins"
			}
		}
	}
	text := strings.ToLower(op.Summary + " " + op.Describes)
	for _, phrase := range []string{"admin only", "admins only", "only admin", "only for admin", "requires admin", "require admin", "(admin)", "[admin]", "administrators only", "only administrators", "admin-only", "admin privileges", "admin role", "admin access", "staff only", "only staff", "superuser", "for admins", "by admin", "as admin"} {
		if strings.Contains(text, phrase) {
			return fmt.Sprintf("its description says %q", phrase)
		}
	}
	if adminWord(op.ID) {
		return fmt.Sprintf("it is called %q", op.ID)
	}
	return ""
}

// aboveOthers returns why an operation is one that only admins do to others, or "": it is
// called so, and what it is done to is listed to admins only.
func aboveOthers(ctx context.Context, t *probe.Target, op *spec.Operation, why string) string {
	segments := op.Segments()
	if op.Safe() || len(segments) < 3 || !strings.HasPrefix(segments[len(segments)-2], "{") {
		return ""
	}
	verb := plain(segments[len(segments)-1])
	if !slices.Contains([]string{"block", "unblock", "ban", "unban", "suspend", "unsuspend", "lock", "unlock", "disable", "enable", "activate", "deactivate", "promote", "demote", "approve", "reject", "verify", "impersonate", "role", "roles", "permissions", "grant", "revoke"}, verb) {
		return ""
	}
	list := strings.Join(segments[:len(segments)-2], "/")
	for _, other := range t.API.Operations {
		if other.Method != "GET" || strings.Join(other.Segments(), "/") != list {
			continue
		}
		for _, admin := range t.Admins() {
			s := t.Sample(other, admin)
			if s == nil {
				continue
			}
			for _, user := range t.Ordinary() {
				if ex := again(ctx, t, s, user, why); ex.Status != 403 {
					return ""
				}
			}
			return fmt.Sprintf("it is called %q, and %s, the list of those it is done to, is refused to all others", segments[len(segments)-1], other)
		}
	}
	return ""
}

// adminWord reports whether a name is that of what is for admins.
func adminWord(name string) bool {
	name = plain(name)
	for _, part := range []string{"admin", "superuser", "backoffice", "moderat", "internal", "sysop"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "staff" || name == "manage" || name == "management" || name == "root" || name == "console"
}

func asOrdinary(ctx context.Context, t *probe.Target, op *spec.Operation, meant, why string) (claim check.Claim, found bool) {
	for _, user := range t.Ordinary() {
		c := adminCase(t, op, user)
		if c == nil {
			return claim, false
		}
		theirs := t.Send(ctx, user, c, why)
		if !probe.Granted(theirs) || strings.HasPrefix(theirs.Media(), "text/html") && !op.Safe() {
			continue
		}
		nobody := t.Send(ctx, nil, c, why)
		if probe.Granted(nobody) && probe.Shape(nobody) == probe.Shape(theirs) {
			return claim, false // Open to everybody, which another check tells.
		}
		if soft(ctx, t, op, theirs, why) {
			return claim, false
		}
		claim = check.Claim{
			Place:    probe.PlaceOf(op, "", user.Called()),
			Says:     fmt.Sprintf("%s, who is no admin, may use an operation that is for admins: %s", user.Called(), meant),
			Control:  fmt.Sprintf("nobody is refused (%s), so it is not public; a path beside it that does not exist is answered otherwise", status(nobody)),
			Evidence: []finding.Evidence{evidence(user.Called()+" may", theirs), evidence("nobody may not", nobody)},
		}
		for _, admin := range t.Admins() {
			if s := t.Sample(op, admin); s != nil {
				if probe.Shape(s.Exchange) != probe.Shape(theirs) {
					return claim, false // What it gives them is something else.
				}
				claim.Control += "; the answer has the structure of the one to " + admin.Called()
				claim.Evidence = append(claim.Evidence, evidence(admin.Called()+" may", s.Exchange))
			}
		}
		claim.Hint = op.Safe() && empty(theirs)
		return claim, !claim.Hint
	}
	return claim, false
}

// empty reports whether an answer gives nothing away.
func empty(ex *wire.Exchange) bool { return ex.IsJSON() && len(probe.Leaves(ex)) == 0 }

// adminCase returns a request that an admin could send: their own, that of the user, or
// one that is made for the user.
func adminCase(t *probe.Target, op *spec.Operation, user *login.User) *probe.Case {
	for _, u := range append(t.Admins(), user) {
		if s := t.Sample(op, u); s != nil {
			return s.Case
		}
	}
	if op.Method == "DELETE" {
		return nil
	}
	return explore.For(t).Case(op, user)
}
