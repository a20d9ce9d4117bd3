package explore

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// made keeps the object that a request made, if it made one.
func (x *Explorer) made(ctx context.Context, op *spec.Operation, s *probe.Sample) *probe.Object {
	if op.Method != "POST" && op.Method != "PUT" || logsIn(op) || isAction(op) && s.Exchange.Status != 201 {
		return nil
	}
	o := x.objectOf(ctx, op, s)
	if o == nil {
		return nil
	}
	for _, have := range x.t.Objects(s.User) {
		if have.Resource == o.Resource && probe.Text(have.ID) == probe.Text(o.ID) {
			return nil
		}
	}
	x.t.AddObject(o)
	x.resources[o.Resource] = true
	return o
}

// objectOf returns what a request made.
func (x *Explorer) objectOf(ctx context.Context, op *spec.Operation, s *probe.Sample) *probe.Object {
	resource := ResourceOf(op)
	o := &probe.Object{
		Resource: resource, Owner: s.User, Made: s, Markers: s.Markers, Keys: map[string]any{}, Parents: map[string]any{},
	}
	for _, r := range x.paths[op.ID] {
		o.Parents[r.Name] = s.Case.Path[r.Name]
	}
	body, _ := s.Case.Body.(map[string]any)
	x.addKeys(o, body)
	if v, ok := probe.Decode(s.Exchange); ok {
		if m := mainObject(v, s.Markers, resource); m != nil {
			x.addKeys(o, m)
			o.ID = identifierOf(m, resource)
		} else if isScalar(v) && v != nil && v != true {
			o.ID = v
		}
	}
	if o.ID == nil {
		o.ID = x.keyed(o)
	}
	if o.ID == nil {
		o.ID = x.located(s.Exchange)
	}
	if o.ID == nil {
		x.findInLists(ctx, o)
	}
	if o.ID == nil {
		o.ID = x.namedBy(o, body)
	}
	if o.ID == nil || x.isOldID(o, s) {
		return nil
	}
	if o.Keys["id"] == nil {
		o.Keys["id"] = o.ID
	}
	o.Field, o.Marker = chooseMark(o, nil)
	x.t.Observe(probe.Observed{Resource: resource, Field: "id", Value: o.ID, User: s.User.Called(), Op: op.ID})
	return o
}

// isOldID reports whether the identifier is one that the request named already: it changed
// something and made nothing.
func (x *Explorer) isOldID(o *probe.Object, s *probe.Sample) bool {
	if s.Case.Op.Method == "PUT" {
		return true
	}
	for _, m := range o.Markers {
		if probe.Holds(s.Exchange, m) || strings.Contains(probe.Text(o.ID), m) {
			return false
		}
	}
	for _, p := range s.Case.Points() {
		if probe.Text(p.Value) == probe.Text(o.ID) && len(o.Markers) == 0 {
			return true
		}
	}
	return s.Exchange.Status != 201 && (probe.Text(x.ownValue(s.User, "id")) == probe.Text(o.ID) || x.seenElsewhere(o, s.Case.Op))
}

// seenElsewhere reports whether another operation showed the identifier before.
func (x *Explorer) seenElsewhere(o *probe.Object, by *spec.Operation) bool {
	return slices.ContainsFunc(x.t.Values(o.Resource, "id", o.Owner), func(v probe.Observed) bool {
		return v.Op != by.ID && probe.Text(v.Value) == probe.Text(o.ID)
	})
}

// changed notes which markers an object of the user has after a request that named it in
// its path.
func (x *Explorer) changed(op *spec.Operation, s *probe.Sample) {
	references := x.paths[op.ID]
	if len(references) == 0 || len(s.Markers) == 0 {
		return
	}
	r := references[len(references)-1]
	for _, o := range x.t.Objects(s.User) {
		if s.User == nil || o.Resource != r.Resource || probe.Text(keyOf(o, r.Key)) != probe.Text(s.Case.Path[r.Name]) {
			continue
		}
		merged := maps.Clone(o.Markers)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, s.Markers)
		o.Markers = merged
		o.Field, o.Marker = chooseMark(o, nil)
		body, _ := s.Case.Body.(map[string]any)
		for _, key := range []string{"title", "name", "slug", "username"} {
			if v := body[key]; v != nil && o.Keys[key] != nil {
				o.Keys[key] = v
			}
		}
	}
}

// addKeys keeps by what an object may be named.
func (x *Explorer) addKeys(o *probe.Object, m map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		v := m[name]
		if !isScalar(v) || v == nil || probe.Text(v) == "" || len(probe.Text(v)) > 200 {
			continue
		}
		words := value.Words(name)
		if len(words) == 0 || !isKey(words[len(words)-1]) {
			continue
		}
		resource, key := split(name)
		if resource == "" || alias(resource) == o.Resource {
			o.Keys[key] = v
		}
		o.Keys[value.Normal(name)] = v
	}
}

// keyed returns the value by which a path names objects of its kind, as the code of
// /gift-cards/{code}, or nil.
func (x *Explorer) keyed(o *probe.Object) any {
	for _, op := range x.t.API.Operations {
		for _, r := range x.paths[op.ID] {
			if r.In == "path" && r.Resource == o.Resource && o.Keys[r.Key] != nil {
				return o.Keys[r.Key]
			}
		}
	}
	return nil
}

// located returns the last part of the Location of an answer, or nil.
func (x *Explorer) located(ex *wire.Exchange) any {
	at, err := url.Parse(ex.Header.Get("Location"))
	if err != nil || at.Path == "" {
		return nil
	}
	segments := strings.FieldsFunc(at.EscapedPath(), func(r rune) bool { return r == '/' })
	if len(segments) == 0 {
		return nil
	}
	last, err := url.PathUnescape(segments[len(segments)-1])
	if err != nil || ex.Status != 201 && ex.Status != 202 && ex.Status != 303 && ex.Status != 302 {
		return nil
	}
	return last
}

// findInLists looks for what was made in lists of the same resource.
func (x *Explorer) findInLists(ctx context.Context, o *probe.Object) {
	if len(o.Markers) == 0 {
		return
	}
	for _, op := range x.Lists(o.Resource) {
		s := x.t.Sample(op, o.Owner)
		if s == nil || x.t.Held(op) != "" {
			continue
		}
		ex := x.t.Send(ctx, o.Owner, s.Case, "explore")
		if v, ok := probe.Decode(ex); ok && probe.Granted(ex) {
			if m := mainObject(v, o.Markers, o.Resource); m != nil && holdsMark(m, o.Markers) {
				x.addKeys(o, m)
				if o.ID = identifierOf(m, o.Resource); o.ID != nil {
					x.harvest(op, o.Owner, ex)
					return
				}
			}
		}
	}
}

// namedBy returns the value of the request by which other operations name the object, or
// nil: the username of a registration, the title of a book.
func (x *Explorer) namedBy(o *probe.Object, body map[string]any) any {
	for _, op := range x.t.API.Operations {
		for _, r := range x.paths[op.ID] {
			if r.Resource != o.Resource || r.Key == "id" {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(body)) {
				if _, key := split(name); key == r.Key && isScalar(body[name]) && probe.Text(body[name]) != "" {
					return body[name]
				}
			}
		}
	}
	return nil
}

// chooseMark returns the field of an object whose marker tells most: one that others do
// not see, that names nothing, that is a text.
func chooseMark(o *probe.Object, seen map[string]bool) (field, marker string) {
	best := -1
	for _, at := range slices.Sorted(maps.Keys(o.Markers)) {
		score := 10
		name := at[strings.LastIndexByte(at, '/')+1:]
		if seen[o.Markers[at]] {
			score -= 8
		}
		if words := value.Words(name); len(words) > 0 && isKey(words[len(words)-1]) {
			score -= 2
		}
		switch value.SenseOf(name) {
		case "text":
			score++
		case "email", "slug", "username":
			score -= 2
		}
		if score > best {
			best, field, marker = score, at, o.Markers[at]
		}
	}
	return field, marker
}
