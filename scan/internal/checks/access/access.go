// Package access has the checks of who may have what: each operation as each user, with
// the objects of each other user. They find broken authorization of objects, of their
// properties and of functions (OWASP API1, API3 and API5), and log-ins that are declared
// and not enforced.
//
// A status proves nothing. What proves is a text that only the owner can know, in an answer
// to somebody else, or a change that the owner reads back.
package access

import (
	"context"
	"maps"
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

// Checks returns the checks of this group.
func Checks() []check.Check {
	return []check.Check{
		readOfOthers(), listOfOthers(), noLogIn(), function(),
		writeToOthers(), writeForOthers(), anonymousWrite(), createWithMore(), updateWithMore(),
		deleteOfOthers(), grantSelf(), takeOver(),
	}
}

// reference is a value of a request that names something of somebody.
type reference struct {
	point probe.Point
	// object is what it names, or nil if it names the owner themselves.
	object *probe.Object
}

// references returns what a case of a user names of what is theirs.
func references(t *probe.Target, c *probe.Case, owner *login.User) (out []reference) {
	objects := t.Objects(owner)
	for _, point := range c.Points() {
		text := probe.Text(point.Value)
		if text == "" || point.In == "cookie" {
			continue
		}
		if o := named(objects, c.Op, point, text); o != nil {
			out = append(out, reference{point, o})
		} else if isOwn(owner, point, text) {
			out = append(out, reference{point: point})
		}
	}
	return out
}

// named returns the object that a value names: small numbers name something of each kind, so
// the name of the point, or the path, has to fit, too.
func named(objects []*probe.Object, op *spec.Operation, point probe.Point, text string) *probe.Object {
	var weak *probe.Object
	for _, o := range objects {
		if probe.Text(o.ID) != text {
			continue
		}
		name := plain(point.Last())
		resource := plain(o.Resource)
		switch {
		case strings.Contains(name, resource) && resource != "":
			return o
		case resource != "" && plain(explore.BareID(op, point.In, point.Name)) == resource:
			return o
		case point.In == "path" && strings.Contains(plain(before(op.Path, point.Name)), resource):
			return o
		case len(text) >= 8: // No two kinds share such a value by chance.
			weak = o
		}
	}
	return weak
}

// before returns the segment of a path template that stands before a parameter.
func before(path, param string) string {
	head, _, _ := strings.Cut(path, "{"+param)
	parts := strings.Split(strings.Trim(head, "/"), "/")
	for _, part := range slices.Backward(parts) {
		if part != "" && !strings.HasPrefix(part, "{") {
			return part
		}
	}
	return ""
}

// isOwn reports whether a value names the user themselves, at a place that takes a user.
func isOwn(u *login.User, point probe.Point, text string) bool {
	for kind, known := range u.Known {
		if known != text || kind == "password" {
			continue
		}
		if kind == "id" && len(text) < 8 {
			return point.In == "path" || userLike(point.Last())
		}
		return true
	}
	return false
}

// plain returns a name without case and separators.
func plain(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, name))
}

// pairs calls f for each ordinary user as the owner and each other one as the stranger,
// until it reports true.
func pairs(t *probe.Target, f func(owner, stranger *login.User) (done bool)) {
	for _, owner := range t.Ordinary() {
		for _, stranger := range t.Others(owner) {
			if f(owner, stranger) {
				return
			}
		}
	}
}

// users names a stranger and whose place they take.
func users(stranger, owner *login.User) string {
	return stranger.Called() + " as " + owner.Called()
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

// secrets returns the texts of an answer to the owner that show whose it is: markers of
// their objects, and values that are not in the request and cannot be guessed.
func secrets(t *probe.Target, ex *wire.Exchange, owner *login.User) (out []string) {
	sent := ex.Request.Target() + "\n" + string(ex.Request.Body)
	for _, m := range t.MarkersOf(owner, ex) {
		if !strings.Contains(sent, m) {
			out = append(out, m)
		}
	}
	for _, kind := range []string{"email", "phone", "username", "name"} {
		v := owner.Known[kind]
		if len(v) >= 5 && !commonName(v) && probe.Holds(ex, v) && !strings.Contains(sent, v) {
			out = append(out, v)
		}
	}
	return out
}

// commonName reports whether a name says nothing of who has it: documents and rules are
// full of it.
func commonName(name string) bool {
	switch plain(name) {
	case "admin", "administrator", "guest", "manager", "owner", "staff", "tester", "default", "member", "customer", "support", "operator", "system", "public", "anonymous", "login", "users":
		return true
	}
	return false
}

// shows returns the first of some texts that an answer has, or "".
func shows(ex *wire.Exchange, texts []string) string {
	for _, text := range texts {
		if probe.Holds(ex, text) {
			return text
		}
	}
	return ""
}

// impossible returns a case that names nothing that exists.
func impossible(t *probe.Target, c *probe.Case, refs []reference) *probe.Case {
	for _, r := range refs {
		c = c.With(r.point.In, r.point.Name, nowhere(t, r.point))
	}
	return c
}

// nowhere returns a value of the same form that names nothing.
func nowhere(t *probe.Target, point probe.Point) any {
	text := probe.Text(point.Value)
	digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
	switch {
	case digits:
		return "98" + strings.Repeat("7", min(len(text)+3, 7))
	case len(text) == 36 && strings.Count(text, "-") == 4:
		return "00000000-0000-4000-8000-0000deadbeef"
	case strings.Contains(text, "@"):
		return "nobody." + t.Marker() + "@example.com"
	}
	return t.Marker()
}

// again sends the request of a sample as a user.
func again(ctx context.Context, t *probe.Target, s *probe.Sample, as *login.User, why string) *wire.Exchange {
	return t.Send(ctx, as, s.Case, why)
}

// sorted returns the names of values in order.
func sorted(values map[string]string) []string { return slices.Sorted(maps.Keys(values)) }
