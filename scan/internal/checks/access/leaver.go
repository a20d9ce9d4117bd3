package access

import (
	"context"
	"errors"
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

// removesAccounts lets a user remove the account of another one, both made for it. What
// proves it is that the other one could log in before and cannot after, while a third one,
// made for it, too, still can. Admin is which operations it is for: those for admins, or
// the others.
func removesAccounts(why string, admin bool) func(context.Context, *probe.Target, check.Report) error {
	return func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			meant := forAdmins(op)
			if accountOf(op) == "" || (meant != "") != admin || t.Held(op) != "" {
				continue
			}
			victim, err1 := t.Register(ctx, "leaver")
			thief, err2 := t.Register(ctx, "remover")
			third, err3 := t.Register(ctx, "stayer")
			if errors.Join(err1, err2, err3) != nil {
				return nil // Nobody can register: there is no account that may be lost.
			}
			if claim, found := removesAccount(ctx, t, op, victim, thief, third, why); found {
				if meant != "" {
					claim.Says += "; it is for admins: " + meant
				}
				report(claim)
			}
		}
		return nil
	}
}

// accountOf returns the parameter by which an operation names the account that it removes,
// or "".
func accountOf(op *spec.Operation) string {
	path := strings.TrimRight(op.Path, "/")
	i := strings.LastIndexByte(path, '{')
	if op.Method != http.MethodDelete || !strings.HasSuffix(path, "}") || strings.Count(path, "{") != 1 || explore.ResourceOf(op) != "user" || i < 1 || path[i-1] != '/' {
		return ""
	}
	return path[i+1 : len(path)-1]
}

func removesAccount(ctx context.Context, t *probe.Target, op *spec.Operation, victim, thief, third *login.User, why string) (claim check.Claim, found bool) {
	name := accountOf(op)
	var schema *spec.Schema
	if p := op.Param("path", name); p != nil {
		schema = p.Schema
	}
	for _, kind := range []string{plain(name), "id", "username", "email"} {
		id := victim.Known[kind]
		if id == "" || kind == "password" || !fits(schema, kind, plain(name)) {
			continue
		}
		if in, err := t.LogIn(ctx, victim); err != nil || in == nil {
			return claim, false
		}
		c := (&probe.Case{Op: op, Path: map[string]any{}}).With("path", name, id)
		nobody := t.Send(ctx, nil, c, why)
		theirs := t.Send(ctx, thief, c, why)
		if probe.Refused(theirs) || !probe.Refused(nobody) {
			continue
		}
		_, gone := t.LogIn(ctx, victim)
		still, err := t.LogIn(ctx, third)
		if gone == nil || err != nil || still == nil || ctx.Err() != nil {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(op, "path "+name, users(thief, victim)),
			Says:  fmt.Sprintf("%s removes the account of %s, who can log in no more", thief.Called(), victim.Called()),
			Control: fmt.Sprintf("both were made for this; %s logged in just before, nobody is refused (%s), and %s, another user, can still log in",
				victim.Called(), status(nobody), third.Called()),
			Evidence: []finding.Evidence{evidence("nobody may not", nobody), evidence(thief.Called()+" may", theirs)},
		}, true
	}
	return claim, false
}
