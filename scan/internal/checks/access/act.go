package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// actAs lets a stranger do something with an object of the owner where no text can be left
// that would show it: renew a loan, send a parcel elsewhere. What shows it is a value of
// the object that stays as it is until then.
func actAs(ctx context.Context, t *probe.Target, op *spec.Operation, owner, stranger *login.User, why string) (claim check.Claim, found bool) {
	if !strings.Contains(op.Path, "{") || op.Safe() || op.Method == "DELETE" || social(op) {
		return claim, false
	}
	for _, o := range actedOn(t.Objects(owner)) {
		c := aimed(t, op, o, stranger)
		if c == nil || !isFor(c, o) || t.AnySample(op) == nil {
			continue
		}
		before, look := steady(ctx, t, o, owner, why)
		if before == nil {
			continue
		}
		refs := []reference{{point: pointOf(c, o), object: o}}
		if isPublic(o.Resource) && !isPrivate(o.Resource) || privacy(ctx, t, op, refs, owner, stranger, before, why) <= 0 {
			continue
		}
		var theirs, after *wire.Exchange
		var what, was, is string
		for _, c = range variants(t, c, before, stranger) {
			if theirs = t.Send(ctx, stranger, c, why); !probe.Granted(theirs) {
				continue
			}
			after = t.Send(ctx, owner, look, why)
			if what, was, is = differs(before, after); what != "" {
				break
			}
		}
		if what == "" {
			return claim, false
		}
		bogus := t.Send(ctx, stranger, impossible(t, c, refs), why)
		if probe.Granted(bogus) {
			return claim, false
		}
		return check.Claim{
			Place:   probe.PlaceOf(op, refs[0].point.String(), users(stranger, owner)),
			Says:    fmt.Sprintf("%s changes the %s of %s: its %s was %q and is %q", stranger.Called(), o.Resource, owner.Called(), what, clip(was), clip(is)),
			Control: fmt.Sprintf("%s read it twice before, and it was the same; for an id that does not exist it is refused (%s)", owner.Called(), status(bogus)),
			Evidence: []finding.Evidence{
				evidence(owner.Called()+" reads it", before), evidence(stranger.Called()+" changes it", theirs), evidence(owner.Called()+" reads the change", after),
			},
		}, true
	}
	return claim, false
}

// maxVariants is how many values are tried beside the one that is known to work.
const maxVariants = 3

// variants returns a case as it is, and with other values that answers have shown for a
// member of its body: who sends a parcel where it is changes nothing.
func variants(t *probe.Target, c *probe.Case, before *wire.Exchange, user *login.User) []*probe.Case {
	out := []*probe.Case{c}
	for _, point := range c.Points() {
		text, isText := point.Value.(string)
		name := plain(point.Last())
		if point.In != "body" || !isText || text == "" {
			continue
		}
		tried := map[string]bool{text: true}
		for _, op := range t.API.Operations {
			s := t.Sample(op, user)
			if s == nil || op.Method != "GET" {
				continue
			}
			for _, leaf := range probe.Leaves(s.Exchange) {
				member, v := plain(leaf.Name()), leaf.Text()
				if len(member) < 3 || !strings.HasSuffix(name, member) || tried[v] || v == "" || probe.Holds(before, v) {
					continue
				}
				if tried[v] = true; len(out) <= maxVariants {
					out = append(out, c.With(point.In, point.Name, v))
				}
			}
		}
	}
	return out
}

// actedOn returns one object of each kind: one that the scan made, or else one that the
// owner has.
func actedOn(objects []*probe.Object) []*probe.Object {
	out := newest(objects)
	for _, o := range objects {
		if o.Resource != "user" && !slices.ContainsFunc(out, func(have *probe.Object) bool { return have.Resource == o.Resource }) {
			out = append(out, o)
		}
	}
	return out
}

// social reports whether an operation is one that people do with what is others'.
func social(op *spec.Operation) bool {
	segments := op.Segments()
	if len(segments) == 0 {
		return true
	}
	last := plain(segments[len(segments)-1])
	for _, word := range []string{"like", "vote", "favorit", "favourit", "bookmark", "comment", "review", "rate", "rating", "follow", "subscribe", "watch", "view", "visit", "hit", "click", "report", "flag", "join", "apply", "bid", "message", "reply", "answer", "share", "react", "star", "pin", "read", "seen", "track", "buy", "purchase", "order", "book", "reserve", "checkout", "download", "play", "search", "contact", "rsvp", "attend", "respond", "accept", "decline"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	return false
}

// steady returns an answer to the owner about an object alone, and what was asked, if two
// in a row are the same.
func steady(ctx context.Context, t *probe.Target, o *probe.Object, owner *login.User, why string) (*wire.Exchange, *probe.Case) {
	for _, r := range readers(t, o, owner) {
		if !r.byID || r.Case.Op.Path == "" || strings.Count(r.Case.Op.Path, "{") > 1 {
			continue
		}
		first := t.Send(ctx, owner, r.Case, why)
		if !probe.Granted(first) || len(probe.Leaves(first)) == 0 {
			continue
		}
		second := t.Send(ctx, owner, r.Case, why)
		if name, _, _ := differs(first, second); name == "" && probe.Granted(second) {
			return second, r.Case
		}
	}
	return nil, nil
}

// differs returns the first value that is another one in a second answer. Counters and
// times change for many reasons.
func differs(a, b *wire.Exchange) (name, was, is string) {
	now := map[string][]string{}
	for _, leaf := range probe.Leaves(b) {
		now[leaf.Pointer] = append(now[leaf.Pointer], leaf.Text())
	}
	for _, leaf := range probe.Leaves(a) {
		list := now[leaf.Pointer]
		if len(list) == 0 {
			continue
		}
		now[leaf.Pointer] = list[1:]
		if list[0] != leaf.Text() && !restless(leaf.Name()) {
			return leaf.Name(), leaf.Text(), list[0]
		}
	}
	return "", "", ""
}

// restless reports whether a member changes for many reasons.
func restless(name string) bool {
	name = plain(name)
	for _, part := range []string{"count", "view", "hits", "visits", "updated", "modified", "lastseen", "lastread", "timestamp", "etag", "version", "revision", "nonce", "token", "requestid", "now"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "at") && len(name) > 3
}

func clip(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}
