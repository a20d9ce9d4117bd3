// Package account has the checks of log-ins and of what is around them: how often passwords
// and codes may be tried, who is told which users there are, what passwords are good
// enough, how a password is reset, and what a log-out ends.
//
// They send log-ins that fail, on purpose and few: in the name of a user that was
// registered for it, else of one that does not exist, never of one that the target had
// before.
package account

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group, those that bring the target to its limits last.
func Checks() []check.Check {
	l := &lab{}
	return []check.Check{
		weakPassword(l), lasting(l), refreshAgain(l), resetTold(l), defaultPassword(l), enumeration(l), noLimit(l), limitBypass(l),
	}
}

// lab keeps what several checks need, and found out once.
type lab struct {
	mu     sync.Mutex
	of     *probe.Target
	bursts []*burst
	people map[string]*login.User
}

// of returns the lab, empty if it was that of another target.
func (l *lab) at(t *probe.Target) *lab {
	if l.of != t {
		l.of, l.bursts, l.people = t, nil, map[string]*login.User{}
	}
	return l
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

var codeName = regexp.MustCompile(`(?i)^(otp|pin|code|totp|mfa|passcode|(reset|verification|verify|confirmation|confirm|security|auth|sms|email|access|login|mfa|otp|recovery|one_?time)[-_]?(code|pin|otp|token)|token|one_?time_?(password|code)|pin_?code|otp_?code)$`)

// codeOf returns the field of an operation that takes a code which somebody was sent, or
// false.
func codeOf(op *spec.Operation) (login.Field, bool) {
	for _, f := range login.FieldsOf(op) {
		if codeName.MatchString(f.Name) && !strings.Contains(f.Plain, "refresh") {
			return f, true
		}
	}
	return login.Field{}, false
}

var (
	codePath   = regexp.MustCompile(`(?i)otp|2fa|mfa|verif|reset|confirm|pin\b|totp|recover|forgot|code|challenge|unlock`)
	forgotPath = regexp.MustCompile(`(?i)forgot|recover|reset|lost[-_]?password|send[-_]?(otp|code)|request[-_]?(otp|code)`)
)

// takesCode reports whether an operation takes a code that proves who somebody is.
func takesCode(op *spec.Operation) bool {
	_, ok := codeOf(op)
	return ok && !op.Safe() && op.Method != "DELETE" && codePath.MatchString(op.Path+" "+op.ID) && !strings.Contains(op.Path, "coupon")
}

// forgets reports whether an operation sends somebody who forgot a password what they need.
func forgets(op *spec.Operation) bool {
	if op.Safe() || op.Method == "DELETE" || takesCode(op) || login.IsRegistration(op) || !forgotPath.MatchString(op.Path+" "+op.ID) {
		return false
	}
	fields := login.FieldsOf(op)
	return !slices.ContainsFunc(fields, func(f login.Field) bool { return f.Password }) &&
		slices.ContainsFunc(fields, func(f login.Field) bool { return f.User })
}

// filled returns a case of an operation with the values of a user, a code and a password.
func filled(op *spec.Operation, known map[string]string, code, password string) *probe.Case {
	c := &probe.Case{Op: op}
	if op.Body != nil && len(op.Body.Media) > 0 {
		c.Media, c.Body = op.Body.Media[0].Type, map[string]any{}
	}
	codeField, _ := codeOf(op)
	for _, f := range login.FieldsOf(op) {
		switch {
		case f.Pointer == codeField.Pointer:
			c = c.With(f.In, f.Pointer, typed(f, code))
		case f.Password:
			c = c.With(f.In, f.Pointer, password)
		case f.User:
			c = c.With(f.In, f.Pointer, typed(f, valueOf(f, known)))
		}
	}
	for _, p := range op.Params {
		if p.In == "path" {
			c = c.With("path", p.Name, pathValue(p.Name, known, code))
		}
	}
	return c
}

func pathValue(name string, known map[string]string, code string) any {
	if codeName.MatchString(name) {
		return code
	}
	return valueOf(login.Field{Name: name, Plain: strings.ToLower(name)}, known)
}

// typed returns a value as the field wants it.
func typed(f login.Field, text string) any {
	if (f.Schema.Is("integer") || f.Schema.Is("number")) && !f.Schema.Is("string") {
		return probe.Number(text)
	}
	return text
}

// valueOf returns what is known of a user for a field.
func valueOf(f login.Field, known map[string]string) string {
	if v := known[f.Name]; v != "" {
		return v
	}
	kinds := []string{"username", "email"}
	switch {
	case strings.Contains(f.Plain, "mail") || f.Schema != nil && f.Schema.Format == "email":
		kinds = []string{"email", "username"}
	case strings.Contains(f.Plain, "phone") || strings.Contains(f.Plain, "mobile"):
		kinds = []string{"phone", "username"}
	case strings.HasSuffix(f.Plain, "id"):
		kinds = []string{"id", "username"}
	}
	for _, kind := range kinds {
		if v := known[kind]; v != "" {
			return v
		}
	}
	return ""
}

// person returns a user that was registered for a purpose, the same for all who ask, or nil
// if the target does not let it.
func (l *lab) person(ctx context.Context, t *probe.Target, purpose string) *login.User {
	l.at(t)
	if u, asked := l.people[purpose]; asked {
		return u
	}
	u, err := t.Register(ctx, purpose)
	if err != nil {
		t.Logger().Info("no user could be made", "purpose", purpose, "error", err.Error())
		u = nil
	}
	l.people[purpose] = u
	return u
}

// nobody is known of somebody who does not exist, in the form of those who do.
func nobody(t *probe.Target) map[string]string {
	name := "fz" + t.Marker()[2:12]
	known := map[string]string{"username": name, "email": name + "@example.com", "phone": "+15550100199", "id": "987654321", "password": "Fz-" + t.Marker() + "!9"}
	for _, u := range t.Users { // Those who log in with an address have it as their name.
		if strings.Contains(u.Known["username"], "@") {
			known["username"] = known["email"]
		}
		for kind := range u.Known {
			if known[kind] == "" {
				known[kind] = name
			}
		}
	}
	return known
}
