package explore

import (
	"context"
	"fmt"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// Fresh makes another object like one that was made, in the name of a user. Changes are
// made to the request before it is sent.
func (x *Explorer) Fresh(ctx context.Context, user *login.User, like *probe.Object, changes ...func(*probe.Case) *probe.Case) (*probe.Object, error) {
	if like.Made == nil {
		return nil, fmt.Errorf("nobody made %s %v through the API", like.Resource, like.ID)
	}
	op := like.Made.Case.Op
	if why := x.t.Held(op); why != "" {
		return nil, fmt.Errorf("%s is held back: %s", op, why)
	}
	template := like.Made
	if own := x.t.Sample(op, user); own != nil {
		template = own
	}
	c, marks := x.Renew(template, user)
	c = changed(c, changes)
	ex := x.t.Send(ctx, user, c, "explore")
	if !probe.Granted(ex) && ex.Status < 500 {
		c, marks, ex = x.insist(ctx, user, c, marks, ex, changes)
	}
	if !probe.Granted(ex) {
		return nil, fmt.Errorf("%s answered %d", op, ex.Status)
	}
	s := &probe.Sample{Case: c, User: user, Exchange: ex, Markers: marks}
	o := x.objectOf(ctx, op, s)
	if o == nil {
		return nil, fmt.Errorf("the answer of %s does not say what it made", op)
	}
	for _, have := range x.t.Objects(user) {
		if have.Resource == o.Resource && probe.Text(have.ID) == probe.Text(o.ID) {
			return nil, fmt.Errorf("%s gives the same object again", op)
		}
	}
	x.harvest(op, user, ex)
	o.Shared, o.Evidence = like.Shared, like.Evidence
	if like.Owner == user {
		o.Evidence.OwnerField = like.Evidence.OwnerField
	}
	if like.Field != "" && o.Markers[like.Field] != "" {
		o.Field, o.Marker = like.Field, o.Markers[like.Field]
	}
	x.t.AddObject(o)
	return o, nil
}

// changed returns a case after all changes.
func changed(c *probe.Case, changes []func(*probe.Case) *probe.Case) *probe.Case {
	for _, change := range changes {
		c = change(c)
	}
	return c
}

// maxParents is how many things are tried that a new object may belong to.
const maxParents = 5

// maxOfDepth is how many things are made, one for the other: an item for an order of it.
const maxOfDepth = 2

// insist sends a request for an object again that was refused: as the answer wants it, and
// with something else that it belongs to. A review may be given once for each item, and an
// item may be sold out.
func (x *Explorer) insist(ctx context.Context, user *login.User, c *probe.Case, marks map[string]string, ex *wire.Exchange, changes []func(*probe.Case) *probe.Case) (*probe.Case, map[string]string, *wire.Exchange) {
	op := c.Op
	if len(changes) == 0 {
		r := &repair{x: x, op: op, user: user}
		if next := r.otherBody(&try{c, marks}); next != nil {
			if again := x.t.Send(ctx, user, next.c, "explore"); probe.Granted(again) {
				return next.c, next.marks, again
			}
		}
	}
	for _, r := range x.references(op, user) {
		if r.Resource == "" || r.Resource == "user" || r.In != "path" && r.In != "body" {
			continue
		}
		for _, v := range x.parents(ctx, r, c, user) {
			next := changed(c.With(r.In, r.Name, v), changes)
			if again := x.t.Send(ctx, user, next, "explore"); probe.Granted(again) {
				return next, marks, again
			}
		}
	}
	return c, marks, ex
}

// parents returns what a reference may name beside what it names now: something that the
// user makes for it, then what has been seen.
func (x *Explorer) parents(ctx context.Context, r Reference, c *probe.Case, user *login.User) (out []any) {
	now := probe.Text(probe.Lookup(map[string]any{"path": c.Path, "body": c.Body}, "/"+r.In+"/"+trimSlash(r.Name)))
	x.depth++
	defer func() { x.depth-- }()
	for _, o := range x.t.Objects(user) {
		if x.depth <= maxOfDepth && o.Resource == r.Resource && o.Made != nil && o.Made.Case.Op != c.Op {
			if fresh, err := x.Fresh(ctx, user, o); err == nil {
				out = append(out, keyOf(fresh, r.Key))
			}
			break
		}
	}
	for _, v := range x.candidates(r, c.Op, user) {
		if len(out) < maxParents && probe.Text(v) != now {
			out = append(out, v)
		}
	}
	return out
}

func trimSlash(name string) string {
	if name != "" && name[0] == '/' {
		return name[1:]
	}
	return name
}
