package access

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// status returns how an answer is spoken of.
func status(ex *wire.Exchange) string {
	if ex.Status == 0 {
		return "not at all"
	}
	return fmt.Sprintf("%d %s", ex.Status, http.StatusText(ex.Status))
}

// reader is a case by which the owner reads an object.
type reader struct {
	Case *probe.Case
	byID bool
}

// readers returns the ways in which an owner reads an object: by its id first, then in
// lists. They are made of samples of the owner; where those read another object of the
// kind, its id is exchanged.
func readers(t *probe.Target, o *probe.Object, owner *login.User) []reader {
	var byID, lists []reader
	for _, op := range t.API.Operations {
		if op.Method != "GET" {
			continue
		}
		if c := aimed(t, op, o, owner); c != nil {
			byID = append(byID, reader{c, true})
		} else if c := besides(t, op, o, owner); c != nil {
			lists = append(lists, reader{c, false})
		}
	}
	return slices.Concat(byID, lists)
}

// besides returns a case that reads where an object may be listed: below its parents, or
// below nothing. It is nil if there is none.
func besides(t *probe.Target, op *spec.Operation, o *probe.Object, owner *login.User) *probe.Case {
	s := t.Sample(op, owner)
	if s == nil || s.Exchange.Took > slow {
		return nil
	}
	c := s.Case
	for _, p := range op.Params {
		if p.In != "path" {
			continue
		}
		parent, known := o.Parents[p.Name]
		if !known {
			return nil
		}
		c = c.With("path", p.Name, parent)
	}
	if strings.Contains(op.Path, "{") || !slices.ContainsFunc(references(t, c, owner), func(r reference) bool { return r.object != nil }) {
		return c
	}
	return nil
}

// aimed returns a case of an operation that names an object, or nil if it names none of
// that kind. The other values are those of a request of the user, or of another one, that
// succeeded.
func aimed(t *probe.Target, op *spec.Operation, o *probe.Object, user *login.User) *probe.Case {
	x := explore.For(t)
	for _, consumer := range x.Consumers(o) {
		if consumer.Op == op {
			return x.Aim(consumer, o, user)
		}
	}
	return nil
}

// takes reports whether a point of an operation takes the id of a kind of object.
func takes(op *spec.Operation, point probe.Point, o *probe.Object) bool {
	resource, name := plain(o.Resource), plain(point.Last())
	if resource == "" {
		return false
	}
	if point.In == "path" {
		segment := plain(before(op.Path, point.Name))
		if strings.Contains(segment, resource) && lastParam(op.Path, segment) == point.Name {
			return true
		}
	}
	return name == resource+"id" || name == resource+"uuid" || name == resource+"number" || name == resource+"slug" || name == resource+"code" ||
		point.In == "path" && name == resource
}

// lastParam returns the parameter that directly follows a segment.
func lastParam(path, segment string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range len(parts) - 1 {
		if plain(parts[i]) == segment && strings.HasPrefix(parts[i+1], "{") {
			return strings.Trim(parts[i+1], "{}")
		}
	}
	return ""
}

// oneByOne asks for an object by its id, as its owner and as a stranger. It returns how the
// stranger was refused, or nil if they were not, or nobody can ask.
func oneByOne(ctx context.Context, t *probe.Target, o *probe.Object, owner, stranger *login.User, why string) (refused, mine *wire.Exchange) {
	for _, r := range readers(t, o, owner) {
		if !r.byID || strings.Count(r.Case.Op.Path, "{") > 1 { // Below a user, the user may be what is refused.
			continue
		}
		mine := t.Send(ctx, owner, r.Case, why)
		if len(t.MarkersOf(owner, mine)) == 0 || probe.Refused(mine) {
			continue
		}
		if theirs := t.Send(ctx, stranger, r.Case, why); probe.Refused(theirs) && theirs.Status != http.StatusTooManyRequests && theirs.Status < 500 && theirs.Status != 0 {
			return theirs, mine
		}
	}
	return nil, nil
}

// holding returns an answer to the owner that holds a text, and what was asked; or nil. An
// empty text is any that the owner has put into the object.
func holding(ctx context.Context, t *probe.Target, o *probe.Object, owner *login.User, text, why string) (*wire.Exchange, *probe.Case) {
	for _, r := range readers(t, o, owner) {
		if text == "" && !r.byID && o.Marker == "" {
			continue
		}
		ex := t.Send(ctx, owner, r.Case, why)
		switch {
		case probe.Refused(ex):
		case text != "" && probe.Holds(ex, text), text == "" && r.byID && len(t.MarkersOf(owner, ex)) > 0, text == "" && probe.Holds(ex, o.Marker):
			return ex, r.Case
		}
	}
	return nil, nil
}
