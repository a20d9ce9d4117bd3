package access

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// reserved lets ordinary users remove what only admins may make: the rule was written for
// one method and forgotten for another.
func reserved(why string) func(context.Context, *probe.Target, check.Report) error {
	return func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Method != http.MethodDelete || !strings.HasSuffix(strings.TrimRight(op.Path, "/"), "}") || t.Held(op) != "" {
				continue
			}
			for _, admin := range t.Admins() {
				for _, user := range t.Ordinary() {
					if claim, found := removesReserved(ctx, t, op, admin, user, why); found {
						report(claim)
						break
					}
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	}
}

func removesReserved(ctx context.Context, t *probe.Target, op *spec.Operation, admin, user *login.User, why string) (claim check.Claim, found bool) {
	path := strings.TrimRight(op.Path, "/")
	path = path[:strings.LastIndexByte(path, '/')]
	for _, like := range t.Objects(admin) {
		if like.Made == nil || like.Made.Case.Op.Method != http.MethodPost || strings.TrimRight(like.Made.Case.Op.Path, "/") != path {
			continue
		}
		refused := t.Send(ctx, user, like.Made.Case, why)
		if refused.Status != http.StatusForbidden && refused.Status != http.StatusUnauthorized {
			return claim, false
		}
		o, err := explore.For(t).Fresh(ctx, admin, like)
		if err != nil {
			return claim, false
		}
		c := aimed(t, op, o, user)
		before, look := holding(ctx, t, o, admin, "", why)
		if c == nil || before == nil {
			return claim, false
		}
		theirs := t.Send(ctx, user, c, why)
		if probe.Refused(theirs) {
			return claim, false
		}
		after := t.Send(ctx, admin, look, why)
		if probe.Granted(after) && shows(after, traces(t, o, admin, before)) != "" || after.Status == 0 || after.Status == 401 || after.Status == 429 || after.Status >= 500 {
			return claim, false
		}
		return check.Claim{
			Place: probe.PlaceOf(op, "", user.Called()),
			Says: fmt.Sprintf("%s removes a %s of %s, and may not even make one: %s is refused (%s)",
				user.Called(), o.Resource, admin.Called(), like.Made.Case.Op, status(refused)),
			Control: fmt.Sprintf("%s had just made it, and read it before (%s)", admin.Called(), status(before)),
			Evidence: []finding.Evidence{
				evidence(user.Called()+" may not make one", refused), evidence(user.Called()+" removes one", theirs), evidence("it is gone", after),
			},
		}, true
	}
	return claim, false
}
