// Package inject has the checks of what a value can do that it should not: become part of
// a statement, a command, a template, a path, a page or a header, or make the target call
// an address (OWASP API7 and API8).
//
// An answer that looks odd proves nothing: targets refuse, echo, search and fail in many
// ways. What proves is a result that was computed, a truth that decides what is answered, a
// delay that follows the one that was asked for, a file that everybody knows, or a call to
// an address that nobody else knows. Each has a control that differs in this alone.
package inject

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group. Most come twice, under one id: what only reads
// is tried in the reading phase, bodies of requests that change something in the writing
// one.
func Checks() []check.Check {
	var statements, commands, objects proven
	return slices.Concat(
		both(kindSQLError(), statements.note(sqlError)), both(kindSQLTruth(), statements.note(sqlTruth)),
		both(kindCommand(), commands.note(command)), both(kindNoSQL(), noSQL), both(kindTemplate(), template), both(kindTraversal(), traversal),
		entities(), both(kindFilter(), filter), both(kindCode(), code), pollution(),
		serverRequest(), filterBypass(), both(kindReflected(), reflected), stored(), both(kindRedirect(), openRedirect),
		both(kindSplitting(), splitting), activeUpload(),
		slow(kindSQLTime(), sqlDelays, &statements), slow(kindCommand(), shellDelays, &commands), slow(kindObject(), objectDelays, &objects),
	)
}

// proven are the places of a scan where something was proven. What takes long is not tried
// there again.
type proven struct {
	mu     sync.Mutex
	places map[string]bool
}

func (p *proven) note(try tester) tester {
	return func(ctx context.Context, t *probe.Target, s spot) (check.Claim, bool) {
		claim, found := try(ctx, t, s)
		if found {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.places == nil {
				p.places = map[string]bool{}
			}
			p.places[s.op.ID+" "+s.point.String()] = true
		}
		return claim, found
	}
}

func (p *proven) has(s spot) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.places[s.op.ID+" "+s.point.String()]
}

// tester tries one place of a request, and returns what it can prove.
type tester func(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool)

// both makes checks of a tester: one for requests that read, one for those that write.
func both(kind finding.Kind, try tester) []check.Check {
	return []check.Check{
		{Kind: kind, Phase: check.Read, Run: each(kind.ID, true, try)},
		{Kind: kind, Phase: check.Write, Run: each(kind.ID, false, try)},
	}
}

// each runs a tester at every place. What shows at several places of one operation is one
// flaw.
func each(why string, safe bool, try tester) func(context.Context, *probe.Target, check.Report) error {
	return func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, s := range spots(t, why, safe) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			claim, found := try(ctx, t, s)
			if !found || ctx.Err() != nil {
				continue
			}
			if claim.Place.Method == "" {
				claim.Place = probe.PlaceOf(s.op, s.point.String(), "")
			}
			if claim.Cause == "" {
				claim.Cause = s.op.String()
			}
			report(claim)
		}
		return ctx.Err()
	}
}

// spot is a place of a request that can hold another value.
type spot struct {
	op    *spec.Operation
	user  *login.User
	c     *probe.Case
	point probe.Point
	// worked reports whether the request is known to succeed as it is.
	worked bool
	// why is the check that asks.
	why string
}

// spots returns the places of the operations that read, or of those that write. An
// operation that never succeeded is tried with what ought to be a valid request: what
// happens before it fails may be enough.
func spots(t *probe.Target, why string, safe bool) (out []spot) {
	for _, op := range t.API.Operations {
		if op.Safe() != safe || !usable(t, op) {
			continue
		}
		base := baseOf(t, op, why)
		if base.c == nil {
			continue
		}
		for _, point := range base.c.Points() {
			if s, ok := at(t, base, point); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// usable reports whether an operation may be sent odd values. What removes something is
// left alone: a condition that is always true would remove everything.
func usable(t *probe.Target, op *spec.Operation) bool {
	if op.Method == "DELETE" || op.Method == "HEAD" || op.Method == "OPTIONS" || op.Method == "TRACE" {
		return false
	}
	if explore.Dangerous(op) != "" || t.Held(op) != "" {
		return false
	}
	for _, word := range []string{"delete", "remove", "destroy", "logout"} {
		if strings.Contains(strings.ToLower(op.Path), word) {
			return false
		}
	}
	return true
}

// baseOf returns a request to an operation that works, or may.
func baseOf(t *probe.Target, op *spec.Operation, why string) spot {
	x := explore.For(t)
	s := spot{op: op, why: why}
	if sample := t.AnySample(op); sample != nil {
		s.c, s.user, s.worked = sample.Case, sample.User, true
		if !op.Safe() {
			s.c, _ = x.Renew(sample, sample.User)
		}
	} else {
		if users := t.Ordinary(); len(users) > 0 {
			s.user = users[0]
		} else if len(t.Users) > 0 {
			s.user = t.Users[0]
		}
		s.c = x.Case(op, s.user)
	}
	if !op.Safe() && op.Secured && !op.NeedsLogIn() {
		s.user = nil // A failed log-in is no reason to log in again.
	}
	return s
}

// at returns the spot of a point, unless it is none that a text can stand at.
func at(t *probe.Target, base spot, point probe.Point) (spot, bool) {
	s := base
	s.point = point
	if _, file := point.Value.(probe.File); file || credential(t, base.op, point) {
		return s, false
	}
	if _, flag := point.Value.(bool); flag {
		return s, false
	}
	if point.Value == nil {
		v := guess(point.Schema)
		s.c = s.c.With(point.In, point.Name, v)
		s.point.Value, s.worked = v, s.worked && point.In == "query"
	}
	if secretName(point.Last()) { // Wrong passwords of somebody who exists lock them out.
		for _, other := range s.c.Points() {
			if other.In == "body" && nameOfUser(other.Last()) {
				s.c = s.c.With(other.In, other.Name, t.Marker())
				s.worked = false
			}
		}
	}
	return s, true
}

// credential reports whether a parameter says who is calling.
func credential(t *probe.Target, op *spec.Operation, point probe.Point) bool {
	for _, scheme := range t.API.Schemes {
		if scheme.In == point.In && strings.EqualFold(scheme.Name, point.Name) {
			return true
		}
	}
	return point.In == "header" && (strings.EqualFold(point.Name, "Authorization") || strings.EqualFold(point.Name, "Content-Type") || strings.EqualFold(point.Name, "Accept"))
}

func guess(s *spec.Schema) any {
	switch {
	case s == nil:
		return "1"
	case s.Default != nil:
		return s.Default
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Is("integer") || s.Is("number"):
		return 1
	}
	return "a"
}

func secretName(name string) bool {
	return hasPart(name, "password", "passwd", "pwd", "secret", "otp", "pin", "passphrase")
}

func nameOfUser(name string) bool {
	return hasPart(name, "user", "username", "login", "email", "mail", "account", "phone", "name")
}

// hasPart reports whether a name has one of some words: "imageUrl" has "url".
func hasPart(name string, words ...string) bool {
	parts := wordsOf(name)
	flat := strings.Join(parts, "")
	return slices.ContainsFunc(words, func(w string) bool { return flat == w || slices.Contains(parts, w) })
}

// wordsOf splits a name at separators and at capitals.
func wordsOf(name string) (out []string) {
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	lower := false
	for _, r := range name {
		capital := r >= 'A' && r <= 'Z'
		switch {
		case !(capital || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'):
			end()
		default:
			if capital && lower {
				end()
			}
			word.WriteRune(r)
		}
		lower = !capital
	}
	end()
	return out
}

// text returns the value that the point has.
func (s spot) text() string { return probe.Text(s.point.Value) }

// texts reports whether a text may stand at a place: one of a list may be a part of a
// statement as well.
func texts(s spot) bool {
	schema := s.point.Schema
	return !schema.Is("integer") && !schema.Is("number") && !schema.Is("boolean") && !s.numeric()
}

// numeric reports whether the value that works is a number.
func (s spot) numeric() bool { return isNumber(s.text()) }

func isNumber(text string) bool {
	return text != "" && len(text) < 12 && strings.Trim(text, "0123456789") == ""
}

// with sends the request with another value at the point.
func (s spot) with(ctx context.Context, t *probe.Target, value any) *wire.Exchange {
	return t.Send(ctx, s.user, s.c.With(s.point.In, s.point.Name, value), s.why)
}

// as is the request as it is.
func (s spot) as(ctx context.Context, t *probe.Target) *wire.Exchange {
	return t.Send(ctx, s.user, s.c, s.why)
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

// broken reports whether an answer is no evidence of anything but itself.
func broken(ex *wire.Exchange) bool {
	return ex == nil || ex.Status == 0 || ex.Status == 429 || ex.Status >= 500
}
