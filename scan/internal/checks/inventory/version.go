package inventory

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// oldVersions compares operations with those of other versions: what is forgotten is not
// mended.
func oldVersions() check.Check {
	kind := kindOldVersion()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			now := twinOf(t, op)
			if now == nil || op.Method != http.MethodGet || ctx.Err() != nil {
				continue
			}
			if claim, found := lessGuarded(ctx, t, op, now, kind.ID); found {
				report(claim)
			} else if claim, found := tellsMore(ctx, t, op, now, kind.ID); found {
				report(claim)
			}
		}
		oldLogIns(ctx, t, kind.ID, report)
		return ctx.Err()
	}}
}

// version is a part of a path that names one.
var version = regexp.MustCompile(`^(?:v|ver|version)?[-_]?(\d{1,3})(?:[._]\d+)*$`)

// others are parts that stand for other versions.
func others() []string { return []string{"beta", "alpha", "legacy", "old"} }

// versionOf returns the number of a part of a path; what has none is older than all.
func versionOf(part string) (n int, ok bool) {
	part = strings.ToLower(part)
	if m := version.FindStringSubmatch(part); m != nil && (part[0] == 'v') {
		n, err := strconv.Atoi(m[1])
		return n, err == nil
	}
	return -1, slices.Contains(others(), part)
}

// twinOf returns the operation of the document that does the same in a newer version, or
// nil. The other one was found, or is in the document as well.
func twinOf(t *probe.Target, op *spec.Operation) *spec.Operation {
	parts := strings.Split(op.Path, "/")
	for _, now := range t.API.Operations {
		if now == op || now.Method != op.Method || now.Found != "" {
			continue
		}
		have := strings.Split(now.Path, "/")
		at := slices.IndexFunc(have, func(part string) bool { n, ok := versionOf(part); return ok && n >= 0 })
		if at < 0 {
			continue
		}
		if op.Found != "" && shape(append(slices.Clone(have[:at]), have[at+1:]...)) == shape(parts) {
			return now
		}
		if len(parts) != len(have) {
			continue
		}
		mine, ok := versionOf(parts[at])
		newer, _ := versionOf(have[at])
		if !ok || mine >= newer && op.Found == "" || parts[at] == have[at] {
			continue
		}
		rest := slices.Clone(have)
		rest[at] = parts[at]
		if shape(rest) == shape(parts) {
			return now
		}
	}
	return nil
}

// shape is a path without the names of its parameters.
func shape(parts []string) string {
	out := slices.Clone(parts)
	for i, p := range out {
		if strings.Contains(p, "{") {
			out[i] = "{}"
		}
	}
	return strings.Join(out, "/")
}

// inVersion returns the request of a sample of one operation as one to its twin.
func inVersion(s *probe.Sample, old *spec.Operation) *probe.Case {
	c := s.Case.Clone()
	values := map[string]any{}
	mine, theirs := names(s.Case.Op.Path), names(old.Path)
	for i, name := range theirs {
		if i < len(mine) {
			values[name] = s.Case.Path[mine[i]]
		}
	}
	c.Op, c.Path = old, values
	return c
}

// names are the parameters of a path in order.
func names(path string) (out []string) {
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		out = append(out, name)
	}
	return out
}

// lessGuarded asks both without a log-in.
func lessGuarded(ctx context.Context, t *probe.Target, old, now *spec.Operation, why string) (claim check.Claim, found bool) {
	s := t.AnySample(now)
	if s == nil || s.User == nil {
		return claim, false
	}
	current := t.Send(ctx, nil, s.Case, why)
	if current.Status != http.StatusUnauthorized && current.Status != http.StatusForbidden {
		return claim, false
	}
	before := t.Send(ctx, nil, inVersion(s, old), why)
	if !probe.Granted(before) || !hasData(before) {
		return claim, false
	}
	absent := get(ctx, t, nil, beside(t, before.Request.Path), why)
	if alike(before, absent) {
		return claim, false
	}
	return check.Claim{
		Place: probe.PlaceOf(old, "", "anonymous"), Severity: as(finding.High),
		Says:    fmt.Sprintf("an old version of %s is alive and asks nobody to log in", now),
		Control: fmt.Sprintf("the current version answers %d to the same request, and a path beside the old one %d", current.Status, absent.Status),
		Evidence: []finding.Evidence{
			evidence("the old version answers everybody", before), evidence("the current one does not", current),
		},
	}, true
}

// tellsMore compares the members of both as the same user.
func tellsMore(ctx context.Context, t *probe.Target, old, now *spec.Operation, why string) (claim check.Claim, found bool) {
	s := t.AnySample(now)
	if s == nil {
		return claim, false
	}
	before, current := t.Send(ctx, s.User, inVersion(s, old), why), t.Send(ctx, s.User, s.Case, why)
	if !probe.Granted(before) || !probe.Granted(current) {
		return claim, false
	}
	has := map[string]bool{}
	for _, leaf := range probe.Leaves(current) {
		has[plain(leaf.Name())] = true
	}
	shared := false
	var more []string
	for _, leaf := range probe.Leaves(before) {
		name := plain(leaf.Name())
		shared = shared || has[name]
		if !has[name] && leaf.Value != nil && leaf.Text() != "" && secretName(name) && !slices.Contains(more, leaf.Name()) {
			more = append(more, leaf.Name())
		}
	}
	if len(more) == 0 || !shared {
		return claim, false
	}
	return check.Claim{
		Place: probe.PlaceOf(old, "", s.User.Called()), Severity: as(finding.Medium),
		Says:     fmt.Sprintf("an old version of %s is alive and tells more: %s", now, strings.Join(more, ", ")),
		Control:  "the current version answers the same user without these members",
		Evidence: []finding.Evidence{evidence("the old version", before), evidence("the current one", current)},
	}, true
}

// secretName reports whether a member is of what nobody shows without need.
func secretName(p string) bool {
	for _, part := range []string{"password", "passwd", "hash", "salt", "secret", "token", "apikey", "email", "phone", "ssn", "card", "iban", "internal", "cost", "margin", "salary", "balance", "birth", "ipaddress", "isadmin"} {
		if strings.Contains(p, part) {
			return true
		}
	}
	return false
}

// oldLogIns tries whether an older log-in takes a wrong password.
func oldLogIns(ctx context.Context, t *probe.Target, why string, report check.Report) {
	user := (*login.User)(nil)
	for _, u := range t.Ordinary() {
		if u.Known["username"] != "" && u.Known["password"] != "" {
			user = u
			break
		}
	}
	if user == nil {
		return
	}
	for _, op := range t.API.Operations {
		if op.Found != "" || op.Method != http.MethodPost || op.Body == nil || !explore.IsLogIn(op) || ctx.Err() != nil {
			continue
		}
		wrong, ok := credentials(op, user, t.Marker())
		if !ok {
			continue
		}
		parts := strings.Split(op.Path, "/")
		at := slices.IndexFunc(parts, func(part string) bool { n, ok := versionOf(part); return ok && n >= 0 })
		if at < 0 {
			continue
		}
		current := t.Send(ctx, nil, wrong, why)
		if probe.Granted(current) && token(current) != "" {
			continue // The current one is no better.
		}
		for _, path := range older(parts, at) {
			if claim, found := takesAnything(ctx, t, user, wrong, path, current, why); found {
				report(claim)
			}
		}
	}
}

// older returns the path in versions that may be older.
func older(parts []string, at int) (out []string) {
	n, _ := versionOf(parts[at])
	prefix := strings.TrimRight(parts[at], "0123456789._")
	for v := n - 1; v >= max(0, n-3); v-- {
		other := slices.Clone(parts)
		other[at] = prefix + strconv.Itoa(v)
		out = append(out, strings.Join(other, "/"))
	}
	for _, name := range others() {
		other := slices.Clone(parts)
		other[at] = name
		out = append(out, strings.Join(other, "/"))
	}
	return append(out, strings.Join(slices.Delete(slices.Clone(parts), at, at+1), "/"))
}

func takesAnything(ctx context.Context, t *probe.Target, user *login.User, wrong *probe.Case, path string, current *wire.Exchange, why string) (claim check.Claim, found bool) {
	old := *wrong.Op
	old.Path = path
	c := wrong.Clone()
	c.Op = &old
	ask := func(c *probe.Case) *wire.Exchange {
		r := c.Request()
		r.Why, r.Operation = why, ""
		return t.Once(ctx, nil, r)
	}
	taken := ask(c)
	if !probe.Granted(taken) || token(taken) == "" {
		return claim, false
	}
	nobody, _ := credentials(&old, stranger(t), t.Marker())
	unknown := ask(nobody)
	if probe.Granted(unknown) && token(unknown) != "" {
		return claim, false // It lets everybody in, also who does not exist: a demonstration.
	}
	return check.Claim{
		Place: finding.Place{Method: http.MethodPost, Path: path, Parameter: "body password", Users: "anonymous as " + user.Name}, Severity: as(finding.Critical),
		Says:    "an old version of the log-in is alive and takes any password of " + user.Name,
		Control: fmt.Sprintf("the current version answers %d to the same wrong password, and the old one %d for a user who does not exist", current.Status, unknown.Status),
		Evidence: []finding.Evidence{
			evidence("a wrong password is taken", taken), evidence("the current version refuses it", current), evidence("nobody of that name", unknown),
		},
	}, true
}

// stranger is a user who does not exist.
func stranger(t *probe.Target) *login.User {
	u := login.NewUser("nobody")
	name := t.Marker()
	u.Known["username"], u.Known["email"] = name, name+"@example.com"
	return u
}

// credentials makes a log-in with a password that is wrong.
func credentials(op *spec.Operation, user *login.User, wrong string) (*probe.Case, bool) {
	media := op.Body.Media[0]
	body := map[string]any{}
	hasName, hasPassword := false, false
	for _, field := range media.Schema.Fields() {
		p := plain(field.Name)
		switch {
		case strings.Contains(p, "password") || p == "pass" || p == "pwd" || p == "passwd":
			body[field.Name], hasPassword = "Wrong-1-"+wrong, true
		case strings.Contains(p, "email") && user.Known["email"] != "":
			body[field.Name], hasName = user.Known["email"], true
		case strings.Contains(p, "user") || strings.Contains(p, "login") || strings.Contains(p, "name") || strings.Contains(p, "email"):
			body[field.Name], hasName = user.Known["username"], true
		case p == "granttype":
			body[field.Name] = "password"
		case field.Required && field.Schema.Is("string"):
			body[field.Name] = "x"
		}
	}
	return &probe.Case{Op: op, Media: media.Type, Body: body}, hasName && hasPassword
}

// token returns the value of an answer that looks like one, or "".
func token(ex *wire.Exchange) string {
	for _, leaf := range probe.Leaves(ex) {
		name := plain(leaf.Name())
		if v, ok := leaf.Value.(string); ok && len(v) >= 16 && (strings.Contains(name, "token") || strings.Contains(name, "jwt") || strings.Contains(name, "session")) {
			return v
		}
	}
	for _, cookie := range (&http.Response{Header: ex.Header}).Cookies() {
		if len(cookie.Value) >= 16 && !strings.Contains(plain(cookie.Name), "csrf") {
			return cookie.Value
		}
	}
	return ""
}
