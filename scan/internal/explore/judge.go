package explore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// sortedMap ranges over a map in the order of its keys.
func sortedMap[V any](in map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(in)) {
			if !yield(name, in[name]) {
				return
			}
		}
	}
}

// judge weighs whose an object is, and chooses the marker that others see least.
func (x *Explorer) judge(ctx context.Context, o *probe.Object, views []view) {
	if o.Owner == nil {
		return
	}
	seen := map[string]bool{} // Markers that somebody else was shown.
	for _, v := range views {
		own := v.shown[o.Owner.Called()]
		if strings.Contains(v.op.Path, "{") && (own == nil || !shows(v.op, own.Exchange, o)) {
			continue
		}
		ownShown := own != nil && shows(v.op, own.Exchange, o)
		if ownShown {
			o.Evidence.OwnLists = append(o.Evidence.OwnLists, v.op.ID)
			o.Evidence.Mine = o.Evidence.Mine || mine(v.op)
			o.Readers = append(o.Readers, own)
			x.ownerField(v.op, o, own.Exchange)
		}
		for name, s := range sortedMap(v.shown) {
			if name == o.Owner.Called() || s.User != nil && s.User.Admin || sameNames(v.op, s, own) {
				continue
			}
			shown := shows(v.op, s.Exchange, o)
			noteMarks(seen, s, o)
			switch {
			case shown && s.User == nil:
				o.Evidence.PublicLists = append(o.Evidence.PublicLists, v.op.ID)
			case shown:
				o.Evidence.OtherLists = append(o.Evidence.OtherLists, v.op.ID)
			case ownShown && s.User != nil:
				o.Evidence.Hidden = append(o.Evidence.Hidden, v.op.ID)
			}
		}
	}
	o.Evidence.Hidden = slices.Compact(o.Evidence.Hidden)
	o.Evidence.Mine = o.Evidence.Mine || x.belowOwner(o)
	for _, r := range o.Readers {
		if r.Case.Op.Method == "GET" && names(r.Case, o) && ctx.Err() == nil {
			s := &probe.Sample{Exchange: x.t.Send(ctx, nil, r.Case, "explore")}
			if probe.Granted(s.Exchange) && shows(r.Case.Op, s.Exchange, o) {
				o.Evidence.Public = true
				noteMarks(seen, s, o)
			}
		}
	}
	o.Field, o.Marker = chooseMark(o, seen)
	elsewhere := len(o.Evidence.OtherLists)+len(o.Evidence.PublicLists) > 0 || o.Evidence.Public
	o.Shared = elsewhere && (o.Marker == "" || seen[o.Marker])
}

// sameNames reports whether two users asked an operation below objects about different
// ones: then what they see cannot be compared.
func sameNames(op *spec.Operation, a, b *probe.Sample) bool {
	if !strings.Contains(op.Path, "{") || b == nil {
		return false
	}
	return a.Case.Request().Path != b.Case.Request().Path
}

func noteMarks(seen map[string]bool, s *probe.Sample, o *probe.Object) {
	for _, m := range o.Markers {
		if probe.Holds(s.Exchange, m) {
			seen[m] = true
		}
	}
}

// names reports whether a request names an object.
func names(c *probe.Case, o *probe.Object) bool {
	for _, values := range []map[string]any{c.Path, c.Query} {
		for _, v := range values {
			if probe.Text(v) == probe.Text(o.ID) {
				return true
			}
			for _, key := range o.Keys {
				if probe.Text(v) == probe.Text(key) {
					return true
				}
			}
		}
	}
	return false
}

// belowOwner reports whether the path of what made an object names its owner.
func (x *Explorer) belowOwner(o *probe.Object) bool {
	if o.Made == nil {
		return false
	}
	if mine(o.Made.Case.Op) {
		return true
	}
	owner := x.namesOf(o.Owner)
	for _, r := range x.paths[o.Made.Case.Op.ID] {
		if r.Resource == "user" && owner[probe.Text(o.Parents[r.Name])] {
			return true
		}
	}
	return false
}

// found keeps what users have that they did not make: who they are, what operations about
// the caller show, and items of a list that another user is not shown.
func (x *Explorer) found(views []view, users []*login.User) {
	for _, u := range users {
		if u.Admin {
			continue
		}
		if id := x.ownID(u); id != nil {
			o := &probe.Object{Resource: "user", Owner: u, ID: id, Keys: maps.Clone(x.own[u.Called()]), Evidence: probe.Evidence{Mine: true}}
			if o.Keys == nil {
				o.Keys = map[string]any{}
			}
			for key, v := range sortedMap(u.Known) {
				if key != "password" && o.Keys[key] == nil {
					o.Keys[key] = v
				}
			}
			x.addFound(o)
		}
		for _, v := range views {
			if s := v.shown[u.Called()]; s != nil {
				x.foundIn(v, s, u)
			}
		}
	}
}

func (x *Explorer) ownID(u *login.User) any {
	for _, key := range []string{"id", "uuid", "username"} {
		if v := x.ownValue(u, key); v != nil && probe.Text(v) != "" {
			return v
		}
	}
	return nil
}

// maxFound is how many objects of a list are taken for those of a user.
const maxFound = 3

// foundIn keeps the objects of one answer that only this user is shown.
func (x *Explorer) foundIn(v view, s *probe.Sample, u *login.User) {
	decoded, ok := probe.Decode(s.Exchange)
	if !ok {
		return
	}
	count := 0
	visitObjects(decoded, ResourceOf(v.op), func(resource string, m map[string]any) {
		id := identifierOf(m, resource)
		if id == nil || count >= maxFound || resource == "" || resource == "user" || x.shownToOthers(v, u, resource, probe.Text(id)) {
			return
		}
		others := false
		for name, o := range v.shown {
			others = others || name != u.Called() && o.User != nil && !o.User.Admin
		}
		if !mine(v.op) && !others {
			return
		}
		o := &probe.Object{Resource: resource, Owner: u, ID: id, Keys: map[string]any{}}
		x.addKeys(o, m)
		if o.Keys["id"] == nil {
			o.Keys["id"] = id
		}
		if x.addFound(o) {
			count++
		}
	})
}

func (x *Explorer) shownToOthers(v view, u *login.User, resource, id string) bool {
	for name, s := range v.shown {
		if name == u.Called() || s.User != nil && s.User.Admin {
			continue
		}
		if partOf(v.op, s.Exchange, &probe.Object{Resource: resource, ID: id}) != nil {
			return true
		}
	}
	return false
}

// visitObjects calls f for each object of an answer, with what it is.
func visitObjects(v any, resource string, f func(resource string, m map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v[:min(len(v), maxItems)] {
			visitObjects(e, resource, f)
		}
	case map[string]any:
		f(resource, v)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if isScalar(v[name]) {
				continue
			}
			inner := resource
			if !isEnvelope(name) {
				inner = alias(nounOf(name))
			}
			visitObjects(v[name], inner, f)
		}
	}
}

// addFound adds an object unless it is known, whoever has it.
func (x *Explorer) addFound(o *probe.Object) bool {
	for _, have := range x.t.Objects(nil) {
		if have.Resource == o.Resource && probe.Text(have.ID) == probe.Text(o.ID) {
			return false
		}
	}
	x.resources[o.Resource] = true
	x.t.AddObject(o)
	return true
}

// deleters tries what removes objects, each on one that was made for it.
func (x *Explorer) deleters(ctx context.Context, user *login.User) {
	for _, op := range x.ordered() {
		if op.Method != "DELETE" || ctx.Err() != nil {
			continue
		}
		c := probe.Coverage{Op: op, User: user.Called(), Outcome: HeldBack, Note: x.t.Held(op)}
		if c.Note == "" {
			c = x.remove(ctx, op, user)
		}
		x.t.Cover(c)
	}
}

// remove makes an object and removes it.
func (x *Explorer) remove(ctx context.Context, op *spec.Operation, user *login.User) probe.Coverage {
	c := probe.Coverage{Op: op, User: user.Called(), Outcome: Skipped}
	fresh, to, err := x.victim(ctx, op, user)
	if err != nil {
		c.Note = err.Error()
		return c
	}
	request := x.Aim(to, fresh, user)
	ex := x.t.Send(ctx, user, request, "explore")
	c.Outcome, c.Status, c.Tries = OutcomeOf(ex), ex.Status, 1
	if c.Outcome != OK {
		c.Note = noteOf(ex)
		return c
	}
	x.t.Learn(&probe.Sample{Case: request, User: user, Exchange: ex})
	x.t.Forget(fresh)
	x.stillIn(ctx, op, user)
	return c
}

// victim makes an object that an operation can remove.
func (x *Explorer) victim(ctx context.Context, op *spec.Operation, user *login.User) (*probe.Object, Consumer, error) {
	err := errors.New("the scan made nothing that it removes")
	for _, o := range x.t.Objects(user) {
		if o.Made == nil || o.Resource == "user" {
			continue
		}
		references := x.paths[op.ID]
		if len(references) == 0 {
			break
		}
		r := references[len(references)-1]
		if r.Resource != o.Resource || keyOf(o, r.Key) == nil {
			continue
		}
		fresh, failed := x.Fresh(ctx, user, o)
		if failed != nil {
			err = fmt.Errorf("it needs an object of its own: %w", failed)
			x.t.Logger().Debug("no object to remove", slog.String("operation", op.String()), slog.String("why", failed.Error()))
			continue
		}
		return fresh, Consumer{op, r}, nil
	}
	return nil, Consumer{}, err
}
