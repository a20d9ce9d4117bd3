package account

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

var (
	codeLeaf = regexp.MustCompile(`(?i)token|code|otp|pin|link|url|secret|key`)
	codeText = regexp.MustCompile(`[A-Za-z0-9_-]{20,}|\b[0-9]{4,8}\b|[A-Za-z0-9_.-]{30,}`)
)

// resetTold asks for a reset of a user that was made for it, and takes what the answer has
// for the code that only the user should get.
func resetTold(*lab) check.Check {
	kind := kindResetTold()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		var asks, takes []*spec.Operation
		for _, op := range t.API.Operations {
			switch {
			case forgets(op):
				asks = append(asks, op)
			case takesCode(op):
				takes = append(takes, op)
			}
		}
		if len(asks) == 0 {
			return nil
		}
		victim, err := t.Register(ctx, "forgets")
		if err != nil {
			return fmt.Errorf("%w: %w", errNoUser, err)
		}
		for _, ask := range asks {
			if c, found := takesOver(ctx, t, ask, takes, victim); found {
				report(c)
			}
		}
		return ctx.Err()
	}}
}

func takesOver(ctx context.Context, t *probe.Target, ask *spec.Operation, takes []*spec.Operation, victim *login.User) (c check.Claim, found bool) {
	told := t.Send(ctx, nil, filled(ask, victim.Known, "", ""), "AU-12")
	if !probe.Granted(told) {
		return c, false
	}
	for _, code := range codesIn(told) {
		for _, take := range takes {
			next := "Fz-" + t.Marker()[:14] + "!9A"
			wrong := t.Send(ctx, nil, filled(take, victim.Known, mangled(code), next), "AU-12")
			set := t.Send(ctx, nil, filled(take, victim.Known, code, next), "AU-12")
			if !probe.Refused(wrong) || !done(set.Status) {
				continue
			}
			in, err := t.Try(ctx, victim, map[string]string{"password": next}, nil)
			if err != nil || in.User == nil {
				continue
			}
			victim.Known["password"] = next
			return check.Claim{
				Place:   probe.PlaceOf(ask, "", ""),
				Says:    "who asks for a reset of a password gets the code in the answer, sets a new one, and logs in as " + victim.Called(),
				Control: "another code is refused; the user was made for it, and nobody else knew the new password",
				Evidence: []finding.Evidence{
					evidence("the answer has the code", told), evidence("another code", wrong), evidence("the code of the answer", set), evidence("the log-in with the new password", in.Exchange),
				},
			}, true
		}
	}
	return c, false
}

// codesIn returns what an answer has that may be a code.
func codesIn(ex *wire.Exchange) (out []string) {
	sent := string(ex.Request.Body)
	for _, leaf := range probe.Leaves(ex) {
		if !codeLeaf.MatchString(leaf.Name()) && !strings.Contains(leaf.Text(), "://") {
			continue
		}
		text := leaf.Text()
		if strings.ContainsAny(text, "/ ?=") {
			for _, m := range codeText.FindAllString(text, 4) {
				if !strings.Contains(sent, m) {
					out = append(out, m)
				}
			}
		} else if len(text) >= 4 && !strings.Contains(sent, text) {
			out = append(out, text)
		}
	}
	return out[:min(len(out), 4)]
}

// mangled returns a code of the same form that is another.
func mangled(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return '0' + (r-'0'+3)%10
		case r >= 'a' && r < 'z' || r >= 'A' && r < 'Z':
			return r + 1
		}
		return r
	}, code)
}
