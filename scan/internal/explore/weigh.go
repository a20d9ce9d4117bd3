package explore

import (
	"context"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// Lists returns the operations that may list a resource.
func (x *Explorer) Lists(resource string) []*spec.Operation {
	var out []*spec.Operation
	for _, op := range x.t.API.Operations {
		if op.Method == "GET" && !acts(op) && len(op.Segments()) > 0 && ResourceOf(op) == resource && !isParameter(op.Segments()[len(op.Segments())-1]) {
			out = append(out, op)
		}
	}
	return out
}

// Consumers returns the operations that name an object of a resource, with where they do.
func (x *Explorer) Consumers(o *probe.Object) []Consumer {
	var out []Consumer
	for _, op := range x.t.API.Operations {
		for _, r := range x.references(op, o.Owner) {
			if r.Resource == o.Resource && keyOf(o, r.Key) != nil && fits(x.schemaOf(r, op), keyOf(o, r.Key)) {
				out = append(out, Consumer{Op: op, Reference: r})
			}
		}
	}
	return out
}

// Consumer is an operation that names an object, and where.
type Consumer struct {
	Op *spec.Operation
	Reference
}

// references returns what the requests of an operation name: in the path, in declared
// parameters, and in what a request that succeeded had.
func (x *Explorer) references(op *spec.Operation, user *login.User) []Reference {
	out := slices.Clone(x.paths[op.ID])
	c := &probe.Case{Op: op}
	if s := x.t.Sample(op, user); s != nil {
		c = s.Case
	} else if s := x.t.AnySample(op); s != nil {
		c = s.Case
	} else if op.Body != nil && len(op.Body.Media) > 0 {
		c, _ = x.build(op, user, false)
	}
	for _, p := range c.Points() {
		if p.In == "path" {
			continue
		}
		name := p.Last()
		if strings.Trim(name, "0123456789") == "" { // An item of a list.
			parent, _, _ := cutLast(p.Name)
			name = probe.Point{Name: parent}.Last()
		}
		resource, key, ok := x.refer(name, p.Schema)
		if about := BareID(op, p.In, p.Name); about != "" {
			resource, key, ok = about, "id", true
		}
		if !ok && (name == "username" || name == "email" || name == "user") && !signsUp(op) && !logsIn(op) {
			resource, key, ok = "user", strings.Replace(name, "user", "id", 1), true
			if name == "username" {
				key = name
			}
		}
		if ok {
			out = append(out, Reference{In: p.In, Name: p.Name, Resource: resource, Key: key})
		}
	}
	return out
}

func cutLast(pointer string) (parent, last string, ok bool) {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return "", pointer, false
	}
	return pointer[:i], pointer[i+1:], true
}

// Aim returns a request of a user that names an object of anybody at one place, and is
// else as one that succeeded; or nil if there is no telling what it needs.
func (x *Explorer) Aim(to Consumer, o *probe.Object, user *login.User) *probe.Case {
	var c *probe.Case
	switch s := x.t.Sample(to.Op, user); {
	case s != nil:
		c, _ = x.Renew(s, user)
	case x.t.AnySample(to.Op) != nil:
		c, _ = x.Renew(x.t.AnySample(to.Op), user)
	default:
		c, _ = x.build(to.Op, user, false)
	}
	for _, r := range x.paths[to.Op.ID] {
		if v, ok := o.Parents[r.Name]; ok && r.Name != to.Name {
			c.Path[r.Name] = v
			continue
		}
		for name, v := range sortedMap(o.Parents) { // The same parent by another name.
			if resource, _ := split(name); resource == r.Resource && r.Name != to.Name {
				c.Path[r.Name] = v
			}
		}
	}
	return c.With(to.In, to.Name, keyOf(o, to.Key))
}

// weigh finds out who sees which objects: what everybody reads of them by name, what lists
// show to whom, and what users have that they did not make.
func (x *Explorer) weigh(ctx context.Context, users []*login.User) {
	views := x.view(ctx, users)
	x.found(views, users)
	for _, o := range x.t.Objects(nil) {
		x.readers(ctx, o)
		x.judge(ctx, o, views)
	}
}

// view is what an operation that names nothing shows to whom: nil for who got no success.
type view struct {
	op    *spec.Operation
	shown map[string]*probe.Sample // by the user's name
}

// view asks all operations that name no object once more, as everybody: nothing changes in
// between.
func (x *Explorer) view(ctx context.Context, users []*login.User) []view {
	var out []view
	for _, op := range x.t.API.Operations {
		if op.Method != "GET" || acts(op) || x.t.Held(op) != "" || ctx.Err() != nil {
			continue
		}
		v := view{op, map[string]*probe.Sample{}}
		for _, u := range append(slices.Clone(users), nil) {
			s := x.t.Sample(op, u)
			if s == nil {
				continue
			}
			if !strings.Contains(op.Path, "{") || x.listsBelow(op) {
				ex := x.t.Send(ctx, u, s.Case, "explore")
				if probe.Granted(ex) {
					x.harvest(op, u, ex)
					v.shown[u.Called()] = &probe.Sample{Case: s.Case, User: u, Exchange: ex}
				}
			}
		}
		if len(v.shown) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// listsBelow reports whether an operation lists what is below an object: /orders/{id}/items.
func (x *Explorer) listsBelow(op *spec.Operation) bool {
	segments := op.Segments()
	return len(segments) > 0 && !isParameter(segments[len(segments)-1])
}

// shows reports whether an answer has an object: a marker of it, or else an object of its
// kind that has its identifier.
func shows(op *spec.Operation, ex *wire.Exchange, o *probe.Object) bool {
	for _, m := range o.Markers {
		if probe.Holds(ex, m) {
			return true
		}
	}
	return len(o.Markers) == 0 && partOf(op, ex, o) != nil
}

// partOf returns the object in an answer that stands for one that is known, or nil.
func partOf(op *spec.Operation, ex *wire.Exchange, o *probe.Object) map[string]any {
	v, ok := probe.Decode(ex)
	if !ok {
		return nil
	}
	if len(o.Markers) > 0 {
		if m := mainObject(v, o.Markers, o.Resource); m != nil && holdsMark(m, o.Markers) {
			return m
		}
		return nil
	}
	var found map[string]any
	visitObjects(v, ResourceOf(op), func(resource string, m map[string]any) {
		if id := identifierOf(m, resource); found == nil && resource == o.Resource && id != nil && probe.Text(id) == probe.Text(o.ID) {
			found = m
		}
	})
	return found
}

// readers finds the requests of the owner that show an object.
func (x *Explorer) readers(ctx context.Context, o *probe.Object) {
	for _, to := range x.Consumers(o) {
		if to.Op.Method != "GET" || acts(to.Op) || x.t.Held(to.Op) != "" || ctx.Err() != nil || len(o.Readers) >= 4 {
			continue
		}
		if to.In == "body" || to.In == "header" {
			continue
		}
		c := x.Aim(to, o, o.Owner)
		ex := x.t.Send(ctx, o.Owner, c, "explore")
		if !probe.Granted(ex) || !shows(to.Op, ex, o) && !(len(o.Markers) == 0 && to.In == "path" && ResourceOf(to.Op) == o.Resource) {
			continue
		}
		x.harvest(to.Op, o.Owner, ex)
		s := &probe.Sample{Case: c, User: o.Owner, Exchange: ex}
		o.Readers = append(o.Readers, s)
		if x.t.Sample(to.Op, o.Owner) == nil {
			x.t.Learn(s)
			x.t.Cover(probe.Coverage{Op: to.Op, User: o.Owner.Called(), Outcome: OK, Status: ex.Status, Tries: 1})
		}
		x.ownerField(to.Op, o, ex)
	}
}

// ownerField looks for a member of what an answer shows that names the owner.
func (x *Explorer) ownerField(op *spec.Operation, o *probe.Object, ex *wire.Exchange) {
	if o.Owner == nil || o.Evidence.OwnerField != "" {
		return
	}
	m := partOf(op, ex, o)
	if m == nil {
		return
	}
	names := x.namesOf(o.Owner)
	for _, leaf := range probe.LeavesOf(m) {
		if isOwnerLike(leaf.Pointer) && names[leaf.Text()] {
			o.Evidence.OwnerField = leaf.Pointer
			return
		}
	}
}

// isOwnerLike reports whether a member says whose something is.
func isOwnerLike(pointer string) bool {
	for _, w := range value.Words(pointer) {
		switch w {
		case "owner", "user", "username", "userid", "author", "creator", "customer", "created", "createdby", "member", "holder", "seller", "buyer", "email", "account", "login", "by", "sender", "recipient":
			return true
		}
	}
	return false
}

// namesOf returns by what a user is named in answers.
func (x *Explorer) namesOf(u *login.User) map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{"id", "username", "email", "user_id", "name", "uuid", "sub"} {
		if v := u.Known[name]; v != "" {
			names[v] = true
		}
	}
	for _, key := range []string{"id", "username", "email", "uuid", "userid", "login"} {
		if v := x.own[u.Called()][key]; v != nil && probe.Text(v) != "" {
			names[probe.Text(v)] = true
		}
	}
	return names
}
