package token

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// garbage sends credentials that nobody has to what refuses nobody in particular.
func garbage(l *lab) check.Check {
	return check.Check{Kind: kindGarbage(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		asked := 0
		for _, op := range t.API.Operations {
			if op.Method != "GET" || explore.Dangerous(op) != "" || asked >= maxGates || ctx.Err() != nil {
				continue
			}
			for _, u := range t.Users {
				s := t.Sample(op, u)
				if s == nil || len(u.Credentials()) == 0 {
					continue
				}
				asked++
				if c, found := takesGarbage(ctx, t, op, s, u); found {
					report(c)
				}
				break
			}
		}
		return ctx.Err()
	}}
}

func takesGarbage(ctx context.Context, t *probe.Target, op *spec.Operation, s *probe.Sample, u *login.User) (c check.Claim, found bool) {
	r := s.Case.Request()
	r.Why = "AU-01b"
	false1 := t.Once(ctx, nonsense(t, u), r)
	if !probe.Granted(false1) {
		return c, false
	}
	nobody := t.Once(ctx, nil, r)
	if !turnsAway(nobody) {
		return c, false // It is for everybody.
	}
	valid := t.Do(ctx, u, r)
	false2 := t.Once(ctx, nonsense(t, u), r)
	if !probe.Granted(valid) || probe.Shape(valid) != probe.Shape(false1) || probe.Shape(valid) != probe.Shape(false2) || probe.Shape(nobody) == probe.Shape(valid) && nobody.OK() {
		return c, false
	}
	var names []string
	for _, one := range u.Credentials() {
		if !one.Guard {
			names = append(names, one.In+" "+one.Name)
		}
	}
	return check.Claim{
		Place: probe.PlaceOf(op, strings.Join(names, ", "), u.Called()), Cause: "garbage",
		Says:    "any credentials will do: some are asked for, and nobody looks whether they are those of somebody",
		Control: "without any, the request is refused; with two made-up ones it is answered as to " + u.Called(),
		Evidence: []finding.Evidence{
			{Says: "nobody is refused", Exchange: nobody}, {Says: u.Called() + " is let in", Exchange: valid}, {Says: "so is who has made-up credentials", Exchange: false1},
		},
	}, true
}

// nonsense is a user whose credentials were made up just now.
func nonsense(t *probe.Target, u *login.User) *login.User {
	credentials := u.Credentials()
	for i, c := range credentials {
		switch {
		case c.Guard:
		case c.Prefix == "Basic ":
			credentials[i].Value = base64.StdEncoding.EncodeToString([]byte(t.Marker() + ":" + t.Marker()))
		default:
			credentials[i].Value = t.Marker() + t.Marker()
		}
	}
	return login.NewUser(u.Name, credentials...)
}
