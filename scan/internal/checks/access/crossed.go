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

// readCrossed asks for an object of the owner below something of the stranger: that the
// parent is the caller's own does not make the child so.
func readCrossed(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, stranger)
	if s == nil || strings.Count(op.Path, "{") < 2 {
		return claim, false
	}
	for _, o := range newest(t.Objects(owner)) {
		c, at := s.Case, probe.Point{}
		for _, point := range c.Points() {
			if point.In == "path" && takes(op, point, o) {
				c, at = c.With("path", point.Name, o.ID), point
			}
		}
		if at.Name == "" {
			continue
		}
		theirs := t.Send(ctx, stranger, c, why)
		texts := t.MarkersOf(owner, theirs)
		if probe.Refused(theirs) || len(texts) == 0 {
			continue
		}
		bogus := t.Send(ctx, stranger, c.With("path", at.Name, nowhere(t, at)), why)
		nobody := t.Send(ctx, nil, c, why)
		if probe.Holds(bogus, texts[0]) || probe.Holds(nobody, texts[0]) || isPublic(o.Resource) || weight(o, sensitive(theirs)) < 0 {
			continue
		}
		return check.Claim{
			Place: probe.PlaceOf(op, at.String(), users(stranger, owner)),
			Says: fmt.Sprintf("%s reads the %s of %s by asking for it below something of their own: the answer holds %q, which only %s can know",
				stranger.Called(), o.Resource, owner.Called(), texts[0], owner.Called()),
			Control: fmt.Sprintf("neither the answer for an id that does not exist (%s) nor that to nobody (%s) holds that text", status(bogus), status(nobody)),
			Evidence: []finding.Evidence{
				evidence(stranger.Called()+" reads it", theirs), evidence("an id that does not exist", bogus), evidence("nobody does not", nobody),
			},
		}, true
	}
	return claim, false
}

// readNamed names the owner in a parameter that a stranger need not send at all: a filter
// for those with more rights.
func readNamed(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	s := t.Sample(op, stranger)
	if s == nil {
		return claim, false
	}
	for _, p := range op.Params {
		if p.In != "query" && p.In != "header" || !ownerName(p.Name) && !userLike(p.Name) && !scopeName(p.Name) {
			continue
		}
		without := s.Case.Without(p.In, p.Name)
		plainly := t.Send(ctx, stranger, without, why)
		for _, value := range slices.Concat(standIns(owner, stranger, p.Name, p.Schema), seenID(t, owner, p.Name), shown(t, owner, plainly, p.Name)) {
			c := without.With(p.In, p.Name, value)
			theirs := t.Send(ctx, stranger, c, why)
			texts := t.MarkersOf(owner, theirs)
			if len(texts) == 0 {
				texts = asOwner(ctx, t, op, p, owner, stranger, plainly, theirs, value, why)
			}
			if probe.Refused(theirs) || shows(plainly, texts) != "" || len(texts) == 0 {
				continue
			}
			nobody := t.Send(ctx, nil, c, why)
			if shows(nobody, texts) != "" {
				continue
			}
			return check.Claim{
				Place:   probe.PlaceOf(op, p.In+" "+p.Name, users(stranger, owner)),
				Says:    fmt.Sprintf("with %s = %s, %s reads what is %s's: the answer holds %q", p.Name, value, stranger.Called(), owner.Called(), texts[0]),
				Control: fmt.Sprintf("without that parameter the answer to %s does not hold it, and neither does the answer to nobody (%s)", stranger.Called(), status(nobody)),
				Evidence: []finding.Evidence{
					evidence("without the parameter", plainly), evidence("with it", theirs), evidence("nobody does not", nobody),
				},
			}, true
		}
	}
	return claim, false
}

// seenID returns the id of a user that answers have shown since the log-in, which knew none.
func seenID(t *probe.Target, u *login.User, name string) []string {
	if u.Known["id"] != "" || !userLike(name) {
		return nil
	}
	for _, o := range t.Objects(u) {
		if o.Resource == "user" && o.Made == nil {
			return []string{probe.Text(o.ID)}
		}
	}
	return nil
}

// asOwner returns texts of an answer to a stranger that is, value for value, the one that
// the owner gets without naming anybody, and that no other name gives: it is what belongs to
// the owner, although the scan has not made it.
func asOwner(ctx context.Context, t *probe.Target, op *spec.Operation, p *spec.Param, owner, stranger *login.User, plainly, theirs *wire.Exchange, value, why string) (texts []string) {
	s := t.Sample(op, owner)
	if s == nil || !probe.Granted(theirs) || !probe.Granted(plainly) || isPublic(explore.ResourceOf(op)) {
		return nil
	}
	mine := t.Send(ctx, owner, s.Case.Without(p.In, p.Name), why)
	if !probe.Granted(mine) || !slices.Equal(probe.Leaves(mine), probe.Leaves(theirs)) {
		return nil
	}
	var nobodys *wire.Exchange
	for _, leaf := range probe.Leaves(mine) {
		text, ok := leaf.Value.(string)
		if !ok || len(text) < 5 || probe.Holds(plainly, text) || userLike(leaf.Name()) {
			continue
		}
		if nobodys == nil {
			nobodys = t.Send(ctx, stranger, s.Case.With(p.In, p.Name, nowhere(t, probe.Point{In: p.In, Name: p.Name, Value: value})), why)
		}
		if !probe.Holds(nobodys, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// scopeName reports whether a parameter says within what somebody works: a tenant.
func scopeName(name string) bool {
	name = plain(name)
	for _, part := range []string{"tenant", "organization", "organisation", "orgid", "company", "workspace", "branch", "department", "realm", "merchant", "shopid", "storeid", "teamid", "groupid"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// standIns returns the values by which a parameter may name the owner and not the stranger.
func standIns(owner, stranger *login.User, name string, s *spec.Schema) (out []string) {
	name = plain(name)
	for _, kind := range sorted(owner.Known) {
		v := owner.Known[kind]
		if v == "" || v == stranger.Known[kind] || kind == "password" || strings.Contains(kind, "token") {
			continue
		}
		low := plain(kind)
		switch {
		case low == "id" && (s.Is("integer") || s.Is("number") || strings.HasSuffix(name, "id") || len(s.Types) == 0),
			low != "id" && (strings.Contains(name, low) || strings.Contains(low, strings.TrimPrefix(name, "x"))),
			low == "username" && !s.Is("integer") && userLike(name):
			out = append(out, v)
		}
	}
	return out
}

// maxShown are the values from answers that are tried at a place.
const maxShown = 3

// shown returns the values of members of the owner's answers that are called like a
// parameter, and that an answer to the stranger does not have.
func shown(t *probe.Target, owner *login.User, theirs *wire.Exchange, param string) (out []string) {
	have := map[string]bool{}
	for _, leaf := range probe.Leaves(theirs) {
		have[leaf.Text()] = true
	}
	for _, op := range t.API.Operations {
		s := t.Sample(op, owner)
		if s == nil || op.Method != "GET" {
			continue
		}
		for _, leaf := range probe.Leaves(s.Exchange) {
			member, v := plain(leaf.Name()), leaf.Text()
			if len(member) < 3 || !strings.HasSuffix(plain(param), member) || v == "" || have[v] {
				continue
			}
			if have[v] = true; len(out) < maxShown {
				out = append(out, v)
			}
		}
	}
	return out
}
