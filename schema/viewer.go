package schema

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// Viewer is the caller, as far as members that are not for everybody need to
// know. A nil Viewer is nobody: such members are left out of what nobody gets,
// and refused where nobody sends them.
type Viewer interface {
	// HasRole reports whether the caller has the role called name.
	HasRole(name string) bool
}

// roles are those that something is open to, any of them. Nil is everybody; a
// tag that lists nobody is a mistake.
type roles []string

func (r roles) include(viewer Viewer) bool { return r == nil || r.haveOne(viewer) }

func (r roles) haveOne(viewer Viewer) bool {
	if viewer == nil {
		return false
	}
	for _, name := range r {
		if viewer.HasRole(name) {
			return true
		}
	}
	return false
}

// everyRole is the viewer for what the declaration says itself: a default may
// set what its caller may not.
type everyRole struct{}

func (everyRole) HasRole(string) bool { return true }

// shows reports whether the member is part of what e writes.
func (e *encoder) shows(f *field) bool {
	return e.compares || !f.writeOnly && f.visibleTo.include(e.viewer)
}

// seen returns a copy of v without what e does not show of it: a struct that
// is left out where it is zero, and is not, would tell that a hidden member is
// not.
func (e *encoder) seen(n node, v reflect.Value) reflect.Value {
	seen := reflect.New(v.Type()).Elem()
	seen.Set(v)
	e.blank(n, seen)
	return seen
}

func (e *encoder) blank(n node, v reflect.Value) {
	switch n := n.(type) {
	case *structNode:
		for i := range n.fields {
			f := &n.fields[i]
			if value := fieldAt(v, f.index); f.veiled && !e.shows(f) {
				value.SetZero()
			} else if f.partial {
				e.blank(f.plan, value)
			}
		}
	case *listNode:
		for i := range v.Len() {
			e.blank(n.item, v.Index(i))
		}
	}
}

// veils reports whether values of n hold veiled members in themselves, not
// behind a pointer. Such a struct is compiled before what holds it.
func veils(n node) bool {
	switch n := n.(type) {
	case *structNode:
		return slices.ContainsFunc(n.fields, func(f field) bool { return f.veiled || f.partial })
	case *listNode:
		return n.array && veils(n.item)
	}
	return false
}

// hides reports whether viewer neither sees the member nor may send it.
func (f *field) hides(viewer Viewer) bool {
	sees := !f.writeOnly && f.visibleTo.include(viewer)
	sends := !f.readOnly && f.writableBy.include(viewer)
	return !sees && !sends
}

// roles reads a tag that lists roles.
func (c *compiler) roles(tag reflect.StructTag, where, key string) roles {
	text, ok := tag.Lookup(key)
	if !ok {
		return nil
	}
	list := roles{}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			c.mistake(where, "%s is %q, want names of roles with commas between", key, text)
		case slices.Contains(list, name):
			c.mistake(where, "%s lists %q twice", key, name)
		}
		list = append(list, name)
	}
	return list
}

// restrict reads who sees the member and who may send it. It comes last, when
// all else is known about f.
func (c *compiler) restrict(f *field, tag reflect.StructTag, where string) {
	visible, writable := c.roles(tag, where, "visibleTo"), c.roles(tag, where, "writableBy")
	if c.client { // It may not get the one, and sends the other only where it has something to say.
		f.optional = f.optional || visible != nil
		if writable != nil && f.omit == omitNever {
			f.omit = omitZero
		}
		visible, writable = nil, nil
	}
	if visible != nil && f.writeOnly {
		c.mistake(where, "visibleTo on a write-only member, which nobody sees")
	}
	if writable != nil && f.readOnly {
		c.mistake(where, "writableBy on a read-only member, which nobody sends")
	}
	if writable != nil && !f.optional && f.preset == nil {
		c.mistake(where, "writableBy on a required member: who lacks the role could send nothing at all; give it a default, or omitzero")
	}
	f.visibleTo, f.writableBy = visible, writable
	f.veiled = f.writeOnly || visible != nil
	f.sealed = f.readOnly || writable != nil
	f.partial = veils(f.plan)
}

// accessKeys are the tags about who sees and who sends a member.
func accessKeys() []string { return []string{"visibleTo", "writeOnly", "writableBy", "readOnly"} }

// misplaced refuses tags of what is no member, such as an embedded struct: the
// members inside would not be held to them.
func (c *compiler) misplaced(tag reflect.StructTag, where string, keys ...string) {
	for _, key := range keys {
		if _, ok := tag.Lookup(key); ok {
			c.mistake(where, "%s is for members of objects, and this is none", key)
		}
	}
}

// opaque refuses roles and names inside a type that reads or writes itself: its
// methods do not know who is looking, nor what a member is called.
func (c *compiler) opaque(t reflect.Type, n node, where string) {
	keys := append(accessKeys(), "out")
	switch n.(type) {
	case *customNode, *textTypeNode:
	case *writtenNode:
		keys = []string{"visibleTo", "out"} // It is read like any other, and what hides its write-only members may be the method.
	default:
		return
	}
	if c.client {
		return
	}
	switch key, name := taggedIn(t, keys, make(map[reflect.Type]bool)); key {
	case "":
	case "out":
		c.mistake(where, "%s reads or writes itself: out of %s names nothing", t, name)
	default:
		c.mistake(where, "%s reads or writes itself: %s of %s holds nobody back", t, key, name)
	}
}

// taggedIn returns a tag with one of keys inside t, and the field that has it.
// Unexported fields count: the methods of t see them.
func taggedIn(t reflect.Type, keys []string, seen map[reflect.Type]bool) (key, field string) {
	if seen[t] {
		return "", ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return taggedIn(t.Elem(), keys, seen)
	case reflect.Struct:
		for f := range t.Fields() {
			for _, key := range keys {
				if _, ok := f.Tag.Lookup(key); ok {
					return key, t.String() + "." + f.Name
				}
			}
			if key, field := taggedIn(f.Type, keys, seen); key != "" {
				return key, field
			}
		}
	}
	return "", ""
}

// audience says for whom the members of a plan are that are not for everybody.
type audience struct {
	roles       map[string]bool
	sees, sends bool // there are members that only some see, or may send
	known       map[*structNode]bool
}

// add adds what is inside n.
func (a *audience) add(n node) {
	if s, ok := n.(*structNode); ok {
		a.addStruct(s)
		return
	}
	for _, inner := range inside(n) {
		a.add(inner)
	}
}

func (a *audience) addStruct(n *structNode) {
	if a.known[n] {
		return
	}
	a.known[n] = true
	for i := range n.fields {
		f := &n.fields[i]
		a.open(f.visibleTo, &a.sees)
		a.open(f.writableBy, &a.sends)
		a.add(f.plan)
	}
	for i := range n.computed {
		a.open(n.computed[i].visibleTo, &a.sees)
		a.add(n.computed[i].result)
	}
}

// open adds roles, and sets some if there are any.
func (a *audience) open(r roles, some *bool) {
	*some = *some || r != nil
	for _, name := range r {
		a.roles[name] = true
	}
}

// survey finds out for whom the plan's members are.
func (p *Plan) survey() {
	a := audience{roles: make(map[string]bool), known: make(map[*structNode]bool)}
	a.open(p.writableBy, &a.sends)
	a.add(p.node)
	p.roles, p.sees, p.sends = slices.Sorted(maps.Keys(a.roles)), a.sees, a.sends
}

// Restricted reports whether the plan has members that only some callers may
// send (Input) or see (Output), so that an answer is not the same for all. What
// an any holds is not known before it is encoded; its members are hidden all the
// same.
func (p *Plan) Restricted(mode Mode) bool {
	if mode == Input {
		return p.sends
	}
	return p.sees
}

// Roles returns the names of all roles that the plan's tags visibleTo and
// writableBy mention, sorted: a role that nobody can have is a mistake that only
// the application can see.
func (p *Plan) Roles() []string { return slices.Clone(p.roles) }

// WritableBy reports whether viewer may send a value of the plan at all: what
// the tag writableBy of a parameter says.
func (p *Plan) WritableBy(viewer Viewer) bool { return p.writableBy.include(viewer) }

// allowed reports whether the plan's value may be sent, and records that not.
func (p *Plan) allowed(report *Report) bool {
	if p.writableBy.include(report.Viewer) {
		return true
	}
	report.Violate(nil, "read_only")
	return false
}

// tellable returns how many steps of path viewer may be told: all, or those
// before the first member that is hidden.
func tellable(n node, path []problem.Segment, viewer Viewer) int {
	if len(path) == 0 {
		return 0
	}
	switch n := n.(type) {
	case *wrapNode:
		return tellable(n.inner, path, viewer)
	case *encodedNode:
		return tellable(n.inner, path, viewer)
	case *checkedNode:
		return tellable(n.node, path, viewer)
	case *writtenNode:
		return tellable(n.node, path, viewer)
	case *listNode:
		return 1 + tellable(n.item, path[1:], viewer)
	case *mapNode:
		return 1 + tellable(n.value, path[1:], viewer)
	case *patchNode:
		return tellable(n.of, path, viewer)
	case *unionNode:
		least := len(path)
		for i := range n.variants { // Which one it is does not matter: better too little.
			least = min(least, tellable(n.variants[i].plan, path, viewer))
		}
		return least
	case *structNode:
		f := n.named(path[0].Name)
		switch {
		case f == nil:
		case f.hides(viewer):
			return 0
		default:
			return 1 + tellable(f.plan, path[1:], viewer)
		}
	}
	return len(path)
}

// publish writes roles into the schema of a member, which may be shared.
func publish(s *openapi.Schema, key string, r roles) {
	if r == nil {
		return
	}
	s.Extensions = maps.Clone(s.Extensions)
	if s.Extensions == nil {
		s.Extensions = make(map[string]any, 1)
	}
	s.Extensions[key] = []string(r)
}
