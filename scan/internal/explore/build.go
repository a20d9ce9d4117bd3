package explore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// maker returns a maker of values for a request of a user.
func (x *Explorer) maker(op *spec.Operation, user *login.User, lean bool) *value.Maker {
	x.serial++
	m := &value.Maker{
		Rand:   x.t.Rand(fmt.Sprintf("%s %s %d", op.ID, user.Called(), x.serial)),
		Marker: x.t.Marker, Lean: lean,
	}
	if user != nil && keepsSelf(op) {
		m.Known = user.Known
	}
	if listener := x.t.Listener(); listener != nil {
		m.Link = listener.URL
	}
	m.Refer = func(name string, s *spec.Schema) (any, bool) {
		resource, key, ok := x.refer(name, s)
		if about := BareID(op, "body", name); about != "" {
			resource, key, ok = about, "id", true
		}
		if !ok {
			return nil, false
		}
		found := x.candidates(Reference{In: "body", Name: name, Resource: resource, Key: key}, op, user)
		if len(found) == 0 {
			return nil, true
		}
		return found[0], true
	}
	return m
}

// keepsSelf reports whether an operation takes values of its caller: a log-in, or a change
// of the caller's own account, which must stay as it is.
func keepsSelf(op *spec.Operation) bool {
	if signsUp(op) {
		return false
	}
	return logsIn(op) || ResourceOf(op) == "user" && (op.Method == "PUT" || op.Method == "PATCH" || mine(op))
}

// build makes a request from what is declared. Lean leaves out what is not required.
func (x *Explorer) build(op *spec.Operation, user *login.User, lean bool) (*probe.Case, map[string]string) {
	c := &probe.Case{Op: op, Path: map[string]any{}}
	plain := x.maker(op, user, lean)
	plain.Marker = nil
	for _, r := range x.paths[op.ID] {
		c.Path[r.Name] = x.parameter(op, user, r, plain)
	}
	for _, p := range op.Params {
		if !p.Required || p.In == "path" {
			continue
		}
		v := plain.Make("", p.Name, p.Schema, p.Examples)
		if p.In == "header" && strings.EqualFold(p.Name, "If-Match") {
			v = anyVersion
		}
		switch p.In {
		case "query":
			c = c.With("query", p.Name, v)
		case "header":
			if !slices.Contains([]string{"authorization", "accept", "content-type", "cookie", "host"}, strings.ToLower(p.Name)) && !isCredential(user, p.Name) {
				c = c.With("header", p.Name, v)
			}
		case "cookie":
			if !isCredential(user, p.Name) {
				c = c.With("cookie", p.Name, v)
			}
		}
	}
	if op.Body == nil || len(op.Body.Media) == 0 {
		return c, nil
	}
	m := x.maker(op, user, lean)
	fill(c, op.Body.Media[0], m)
	return c, m.Marks
}

// fill makes the body.
func fill(c *probe.Case, media *spec.Media, m *value.Maker) {
	c.Media = media.Type
	if !strings.HasSuffix(c.Media, "json") && !strings.Contains(c.Media, "form") {
		for _, e := range media.Examples { // A document of its own kind.
			if text, ok := e.(string); ok && text != "" {
				c.Body = text
				return
			}
		}
	}
	c.Body = m.Make("", "", media.Schema, media.Examples)
	if parts, ok := c.Body.(map[string]any); ok {
		for name, v := range parts {
			if _, file := v.(probe.File); file && strings.Contains(media.Encoding[name], "image/") {
				parts[name] = value.File("image")
			}
		}
	}
	if text, ok := c.Body.(string); ok && text != "" && media.Schema == nil && (strings.HasSuffix(c.Media, "json") || strings.Contains(c.Media, "form")) {
		c.Body, m.Marks = map[string]any{}, nil // Nothing is known of it.
	}
	if _, isMap := c.Body.(map[string]any); !isMap && strings.Contains(c.Media, "form") {
		c.Body = map[string]any{}
	}
}

// isCredential reports whether a user sends a header or cookie of a name anyway.
func isCredential(user *login.User, name string) bool {
	return slices.ContainsFunc(user.Credentials(), func(c login.Credential) bool { return strings.EqualFold(c.Name, name) })
}

// parameter returns a value for a parameter of the path.
func (x *Explorer) parameter(op *spec.Operation, user *login.User, r Reference, m *value.Maker) any {
	if found := x.candidates(r, op, user); len(found) > 0 {
		return found[0]
	}
	p := op.Param("path", r.Name)
	if p == nil {
		p = &spec.Param{Name: r.Name}
	}
	if p.Schema == nil && r.Key == "id" {
		return "1"
	}
	return m.Make("", r.Name, p.Schema, p.Examples)
}

// identifiers are the names that an identifier of a resource has in answers, in one form.
func identifiers(resource string) []string {
	return []string{"id", "uuid", "guid", "pk", "oid", resource + "id", resource + "uuid", resource + "number", resource}
}

// maxCandidates of a reference.
const maxCandidates = 6

// candidates returns what a reference of a user's request can be, the likeliest first:
// objects of the user, what is known of the user, what answers showed.
func (x *Explorer) candidates(r Reference, op *spec.Operation, user *login.User) []any {
	var out []any
	schema := x.schemaOf(r, op)
	add := func(v any) {
		if v == nil || probe.Text(v) == "" || len(out) >= maxCandidates || !fits(schema, v) {
			return
		}
		if !slices.ContainsFunc(out, func(o any) bool { return probe.Text(o) == probe.Text(v) }) {
			out = append(out, v)
		}
	}
	if r.In == "path" && r.Resource == "user" && !op.Safe() {
		return x.expendable(r, user, schema)
	}
	if user != nil {
		for _, o := range slices.Backward(x.t.Objects(user)) {
			if o.Resource == r.Resource && (r.Resource != "user" || o.Made == nil) {
				add(keyOf(o, r.Key))
			}
		}
		if r.Resource == "user" || r.Resource == "" || r.Key == "username" || r.Key == "email" {
			add(x.ownValue(user, r.Key))
		}
	}
	if p := op.Param(r.In, r.Name); p != nil {
		for _, e := range p.Examples {
			add(e)
		}
	}
	names := []string{r.Key, r.Resource + r.Key}
	if r.Key == "id" {
		names = identifiers(r.Resource)
	}
	for _, name := range names {
		for _, v := range x.t.Values(r.Resource, name, user) {
			add(v.Value)
		}
	}
	if r.In == "path" || r.Key != "id" {
		for _, name := range []string{value.Normal(r.Name), r.Resource + r.Key} {
			if name == "id" {
				continue
			}
			for _, v := range x.t.Values("", name, user) {
				add(v.Value)
			}
		}
	}
	return out
}

// expendable returns the accounts that a request may change: those that the user has made,
// and their own, but not that of an admin, who could lock themselves out. What an admin
// could do to all others would lock the scan out, or people.
func (x *Explorer) expendable(r Reference, user *login.User, schema *spec.Schema) (out []any) {
	if user == nil {
		return nil
	}
	for _, o := range slices.Backward(x.t.Objects(user)) {
		if v := keyOf(o, r.Key); o.Resource == "user" && o.Made != nil && len(out) < maxCandidates && fits(schema, v) {
			out = append(out, v)
		}
	}
	if v := x.ownValue(user, r.Key); v != nil && !user.Admin && fits(schema, v) {
		out = append(out, v)
	}
	return out
}

func (x *Explorer) schemaOf(r Reference, op *spec.Operation) *spec.Schema {
	if p := op.Param(r.In, r.Name); p != nil {
		return p.Schema
	}
	return nil
}

// fits reports whether a value can be what a parameter is declared as.
func fits(s *spec.Schema, v any) bool {
	text := probe.Text(v)
	switch {
	case s == nil:
		return true
	case s.Is("integer") && !s.Is("string"):
		return strings.Trim(text, "0123456789-") == ""
	case s.Format == "uuid":
		return len(text) == 36 && strings.Count(text, "-") == 4
	case s.Is("string"):
		return value.Violation(s, text) == ""
	}
	return true
}

// keyOf returns by which value a reference names an object, or nil.
func keyOf(o *probe.Object, key string) any {
	if v := o.Keys[key]; v != nil {
		return v
	}
	if v := o.Keys[o.Resource+key]; v != nil {
		return v
	}
	switch key {
	case "username", "email", "name", "title":
		return nil
	}
	return o.ID
}

// ownValue returns what is known of a user under a key, or nil.
func (x *Explorer) ownValue(user *login.User, key string) any {
	if user == nil {
		return nil
	}
	if v := x.own[user.Called()][key]; v != nil {
		return v
	}
	for _, name := range []string{key, "user_" + key, "user" + key} {
		if v := user.Known[name]; v != "" && key != "password" {
			return v
		}
	}
	for _, o := range x.t.Objects(user) {
		if o.Resource == "user" && o.Made == nil {
			return keyOf(o, key)
		}
	}
	return nil
}

// Renew returns the request of a sample as another would send it, or the same user once
// more: with new markers, and with the user's own objects and names.
func (x *Explorer) Renew(s *probe.Sample, user *login.User) (*probe.Case, map[string]string) {
	c, marks := s.Case.Clone(), maps.Clone(s.Markers)
	for _, at := range slices.Sorted(maps.Keys(s.Markers)) {
		old := s.Markers[at]
		marks[at] = shaped(old, x.t.Marker())
		c = c.With("body", at, strings.ReplaceAll(probe.Text(probe.Lookup(c.Body, at)), old, marks[at]))
	}
	if s.User == user {
		return c, marks
	}
	for _, r := range x.paths[c.Op.ID] {
		if found := x.candidates(r, c.Op, user); len(found) > 0 {
			c.Path[r.Name] = found[0]
		}
	}
	for _, p := range c.Points() {
		if p.In == "path" || p.Value == nil || marks[p.Name] != "" {
			continue
		}
		if v := x.theirs(c.Op, p, s.User, user); v != nil {
			c = c.With(p.In, p.Name, v)
		}
	}
	return c, marks
}

// theirs returns what stands at a place in the request of another user, or nil for the
// same.
func (x *Explorer) theirs(op *spec.Operation, p probe.Point, from, to *login.User) any {
	if from != nil && to != nil {
		for _, name := range slices.Sorted(maps.Keys(from.Known)) {
			if from.Known[name] == probe.Text(p.Value) && to.Known[name] != "" {
				return to.Known[name]
			}
		}
	}
	resource, key, ok := x.refer(p.Last(), p.Schema)
	if about := BareID(op, p.In, p.Name); about != "" {
		resource, key, ok = about, "id", true
	}
	if !ok {
		return nil
	}
	r := Reference{In: p.In, Name: p.Last(), Resource: resource, Key: key}
	for _, o := range x.t.Objects(to) {
		if o.Resource == resource {
			if found := x.candidates(r, op, to); len(found) > 0 {
				return found[0]
			}
		}
	}
	return nil
}

// shaped returns a marker in the form that another one was cut to.
func shaped(old, marker string) string {
	switch {
	case !strings.ContainsAny(old, "0123456789"):
		marker = value.Letters(marker)
	case strings.ToUpper(old) == old:
		marker = strings.ToUpper(marker)
	case old[:1] != strings.ToLower(old[:1]):
		marker = strings.ToUpper(marker[:1]) + marker[1:]
	}
	for len(marker) < len(old) {
		marker += "x"
	}
	return marker[:len(old)]
}
