package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

var (
	logOutPath  = regexp.MustCompile(`(?i)log-?_?out|sign-?_?out|log-?_?off|revoke`)
	changePath  = regexp.MustCompile(`(?i)passw|pwd`)
	refreshPath = regexp.MustCompile(`(?i)refresh|renew`)
	oldName     = regexp.MustCompile(`(?i)old|current|existing|previous`)
)

var errNoUser = errors.New("no user could be made for it")

// gateFor returns a request that a user is let in at and nobody is, or false.
func gateFor(ctx context.Context, t *probe.Target, u *login.User) (r wire.Request, in *wire.Exchange, ok bool) {
	tried := 0
	for _, op := range t.API.Operations {
		if op.Method != "GET" || strings.Contains(op.Path, "{") || explore.Dangerous(op) != "" || tried >= 8 || ctx.Err() != nil {
			continue
		}
		s := t.AnySample(op)
		if s == nil || s.User == nil {
			continue
		}
		tried++
		r = s.Case.Request()
		r.Why = "AU-07"
		in = t.Once(ctx, u, r)
		if probe.Granted(in) && probe.Refused(t.Once(ctx, nil, r)) {
			return r, in, true
		}
	}
	return r, nil, false
}

// lasting ends log-ins of a user that was made for it, and looks whether they have ended.
func lasting(*lab) check.Check {
	kind := kindLasting()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		u, err := t.Register(ctx, "ends")
		if err != nil {
			return fmt.Errorf("%w: %w", errNoUser, err)
		}
		for _, op := range t.API.Operations {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case logsOut(op):
				if c, found := afterLogOut(ctx, t, op, u); found {
					report(c)
				}
			case changesPassword(op):
				if c, found := afterChange(ctx, t, op, u); found {
					report(c)
				}
			}
		}
		return nil
	}}
}

func logsOut(op *spec.Operation) bool {
	return logOutPath.MatchString(op.Path+" "+op.ID) && !strings.Contains(strings.ToLower(op.Path), "all") || op.Method == "DELETE" && strings.HasSuffix(strings.TrimRight(op.Path, "/"), "session")
}

// frozen is a user with the credentials of now: nobody logs it in again.
func frozen(u *login.User) *login.User {
	f := login.NewUser(u.Name, u.Credentials()...)
	f.Known, f.Registered = maps.Clone(u.Known), u.Registered
	f.Hide(u.Secrets()...)
	return f
}

func afterLogOut(ctx context.Context, t *probe.Target, op *spec.Operation, u *login.User) (c check.Claim, found bool) {
	try, err := t.Try(ctx, u, nil, nil)
	if err != nil || try.User == nil {
		return c, false
	}
	in := frozen(try.User)
	r, before, ok := gateFor(ctx, t, in)
	if !ok {
		return c, false
	}
	out := &probe.Case{Op: op}
	if op.Body != nil && len(op.Body.Media) > 0 {
		out.Media, out.Body = op.Body.Media[0].Type, map[string]any{}
		for _, f := range login.FieldsOf(op) {
			if v := tokenOf(try.Exchange, f.Plain); v != "" {
				out = out.With(f.In, f.Pointer, v)
			}
		}
	}
	request := out.Request()
	request.Why = "AU-07"
	ended := t.Once(ctx, in, request)
	if !done(ended.Status) || probe.Refused(ended) && ended.Status < 300 {
		return c, false
	}
	after := t.Once(ctx, in, r)
	if !probe.Granted(after) || probe.Shape(after) != probe.Shape(before) || !probe.Granted(t.Once(ctx, in, r)) {
		return c, false
	}
	return check.Claim{
		Place:   probe.PlaceOf(op, "", u.Called()),
		Says:    "after the log-out, the token is as good as before",
		Control: "nobody is refused there, and the log-out said that it was done",
		Evidence: []finding.Evidence{
			evidence("the token is let in", before), evidence("the log-out", ended), evidence("the same token is let in", after),
		},
	}, true
}

// tokenOf returns what an answer to a log-in has under a name, in one form.
func tokenOf(ex *wire.Exchange, plain string) string {
	for _, leaf := range probe.Leaves(ex) {
		name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(leaf.Name()))
		if text := leaf.Text(); len(text) >= 8 && (name == plain || plain == "token" && name == "accesstoken" || strings.Contains(plain, "refresh") && strings.Contains(name, "refresh")) {
			return text
		}
	}
	return ""
}

func changesPassword(op *spec.Operation) bool {
	if op.Safe() || op.Method == "DELETE" || !changePath.MatchString(op.Path+" "+op.ID) || login.IsLogIn(op) || login.IsRegistration(op) || takesCode(op) || forgets(op) {
		return false
	}
	for _, f := range login.FieldsOf(op) {
		if f.Password {
			return true
		}
	}
	return false
}

func afterChange(ctx context.Context, t *probe.Target, op *spec.Operation, u *login.User) (c check.Claim, found bool) {
	first, err1 := t.Try(ctx, u, nil, nil)
	second, err2 := t.Try(ctx, u, nil, nil)
	if err1 != nil || err2 != nil || first.User == nil || second.User == nil {
		return c, false
	}
	old, changer := frozen(first.User), frozen(second.User)
	r, before, ok := gateFor(ctx, t, old)
	if !ok {
		return c, false
	}
	next := "Fz-" + t.Marker()[:14] + "!9A"
	change := filled(op, u.Known, "", next)
	for _, f := range login.FieldsOf(op) {
		if f.Password && oldName.MatchString(f.Name) {
			change = change.With(f.In, f.Pointer, u.Known["password"])
		}
	}
	changed := t.Send(ctx, changer, change, "AU-07")
	if !done(changed.Status) {
		return c, false
	}
	good, err := t.Try(ctx, u, map[string]string{"password": next}, nil)
	if err != nil || good.User == nil {
		return c, false
	}
	after := t.Once(ctx, old, r)
	back := filled(op, u.Known, "", u.Known["password"])
	for _, f := range login.FieldsOf(op) {
		if f.Password && oldName.MatchString(f.Name) {
			back = back.With(f.In, f.Pointer, next)
		}
	}
	t.Send(ctx, frozen(good.User), back, "AU-07")
	if !probe.Granted(after) || probe.Shape(after) != probe.Shape(before) {
		return c, false
	}
	return check.Claim{
		Place:   probe.PlaceOf(op, "", u.Called()),
		Says:    "after a change of the password, tokens of before are as good as ever",
		Control: "the new password logs in, so the change was made; the token is that of another log-in",
		Evidence: []finding.Evidence{
			evidence("the change", changed), evidence("the new password", good.Exchange), evidence("the token of before is let in", after),
		},
	}, true
}

// refreshAgain uses a refresh token twice.
func refreshAgain(*lab) check.Check {
	kind := kindRefresh()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		u, err := t.Register(ctx, "refresh")
		if err != nil {
			return fmt.Errorf("%w: %w", errNoUser, err)
		}
		for _, op := range t.API.Operations {
			if op.Method != "POST" && op.Method != "PUT" || !refreshPath.MatchString(op.Path+" "+op.ID) || ctx.Err() != nil {
				continue
			}
			if c, found := refreshesTwice(ctx, t, op, u); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

func refreshesTwice(ctx context.Context, t *probe.Target, op *spec.Operation, u *login.User) (c check.Claim, found bool) {
	try, err := t.Try(ctx, u, nil, nil)
	if err != nil || try.User == nil {
		return c, false
	}
	var field *login.Field
	for _, f := range login.FieldsOf(op) {
		if strings.Contains(f.Plain, "refresh") || f.Plain == "token" {
			field = &f
			break
		}
	}
	token := tokenOf(try.Exchange, "refreshtoken")
	if field == nil || token == "" || op.Body == nil || len(op.Body.Media) == 0 {
		return c, false
	}
	refresh := func(token string) *wire.Exchange {
		fields := &probe.Case{Op: op, Media: op.Body.Media[0].Type, Body: map[string]any{}}
		for _, f := range login.FieldsOf(op) {
			if f.Plain == "granttype" {
				fields = fields.With(f.In, f.Pointer, "refresh_token")
			}
		}
		r := fields.With(field.In, field.Pointer, token).Request()
		r.Why = "AUTHN-10"
		return t.Once(ctx, frozen(try.User), r)
	}
	wrong := refresh(t.Marker())
	first, second := refresh(token), refresh(token)
	third := refresh(token)
	renewed := func(ex *wire.Exchange) bool {
		return probe.Granted(ex) && (tokenOf(ex, "token") != "" || len(ex.Header.Values("Set-Cookie")) > 0)
	}
	if !probe.Refused(wrong) || !renewed(first) || !renewed(second) || !renewed(third) {
		return c, false
	}
	rotates := tokenOf(first, "refreshtoken") != "" && tokenOf(first, "refreshtoken") != token
	c = check.Claim{
		Place:    probe.PlaceOf(op, "body "+field.Pointer, u.Called()),
		Says:     "a refresh token is good for any number of uses: whoever has a copy is never found out",
		Control:  "a made-up one is refused; the same one was used three times",
		Evidence: []finding.Evidence{evidence("a made-up token", wrong), evidence("the first use", first), evidence("the third use", third)},
	}
	if !rotates {
		low := finding.Low
		c.Severity = &low
	}
	return c, true
}
