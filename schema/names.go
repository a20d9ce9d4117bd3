package schema

import (
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/problem"
)

// A member has a name in requests (the tag json, or the style of the Types), further
// ones there (alias), and one in answers (out; without the tag that of requests). A
// patch is about what its caller has read, so it has the names of answers. What Go
// code says of a member (Fields.Has, MergePatch.Sent, InvalidError.At) is by its
// name in requests, whatever a caller has called it.
//
// No two members of an object share a name, not even one in requests and the other
// in answers: who sends back what they have read would write one member into another.

// nameMember reads the names of f. It comes after all that says whether f is in
// requests and in answers.
func (c *compiler) nameMember(f *field, tag reflect.StructTag, where string) {
	f.out = f.name
	out, ok := tag.Lookup("out")
	switch {
	case !ok:
	case out == "":
		c.mistake(where, "out is empty, want the name in answers")
	case f.readOnly || f.writeOnly:
		c.mistake(where, "out on a member that only requests or only answers have: json names it")
	default:
		f.out = out
	}
	if c.client { // It reads what answers hold.
		f.name, f.out = f.out, f.name
	}
}

// register adds f under all of its names.
func (c *compiler) register(n *structNode, f field, aliases, where string) {
	c.claim(n, f.name, where)
	if f.out != f.name {
		c.claim(n, f.out, where)
	}
	if aliases != "" && !c.client { // No answer uses an alias.
		f.aliases = strings.Split(aliases, ",")
	}
	n.fields = append(n.fields, f)
	if f.readOnly {
		return
	}
	last := len(n.fields) - 1
	n.byName[f.name] = last
	n.byAnswer[f.out] = last
	for _, alias := range f.aliases {
		if alias == f.name {
			c.mistake(where, "alias %q is the name of the member", alias)
		}
		if alias != f.out {
			c.claim(n, alias, where)
		}
		n.byName[alias], n.byAnswer[alias] = last, last
	}
}

// claim refuses a name that would need escaping in answers, or that another member
// has.
func (c *compiler) claim(n *structNode, name, where string) {
	if name != strings.ToValidUTF8(name, "") || strings.ContainsAny(name, "\"\\<>&\u2028\u2029") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		c.mistake(where, "member name %q needs escaping", name)
	}
	if first, taken := n.owners[name]; taken {
		c.mistake(where, "member %q is declared twice: %s has that name, too", name, first)
		return
	}
	n.owners[name] = where
}

// wire returns what the text that d reads calls f.
func (d *decoder) wire(f *field) string {
	if d.answers {
		return f.out
	}
	return f.name
}

// known returns the numbers of the members that the text which d reads may have, by
// their names there.
func (n *structNode) known(d *decoder) map[string]int {
	if d.answers {
		return n.byAnswer
	}
	return n.byName
}

// written returns the field that the text which d reads calls name, or nil: one that
// may be sent, or that is read-only.
func (n *structNode) written(d *decoder, name string) *field {
	if i, sent := n.known(d)[name]; sent {
		return &n.fields[i]
	}
	for i := range n.fields {
		if f := &n.fields[i]; f.readOnly && d.wire(f) == name {
			return f
		}
	}
	return nil
}

// named returns the field that has the name, in requests or in answers, or nil.
func (n *structNode) named(name string) *field {
	if i, sent := n.byName[name]; sent {
		return &n.fields[i]
	}
	i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name || f.out == name })
	if i < 0 {
		return nil
	}
	return &n.fields[i]
}

// said is what a merge patch says something about.
type said struct {
	list   []string // pointers from the step base of the path, by the names that Go code knows
	base   int
	called []string // what Go code calls the members in the path
}

// at says in the path that d is at a member which the caller calls name.
func (d *decoder) at(last int, name, member string) {
	d.path[last] = problem.Name(name)
	if d.said != nil {
		for len(d.said.called) <= last {
			d.said.called = append(d.said.called, "")
		}
		d.said.called[last] = member
	}
}

// note keeps that the patch says something about the member at d.path.
func (d *decoder) note() {
	s := d.said
	if s == nil {
		return
	}
	path := slices.Clone(d.path[s.base:])
	for i := range path {
		path[i].Name = s.called[s.base+i]
	}
	s.list = append(s.list, problem.Violation{Path: path}.Pointer())
}

// maxSpellings is how many uses of an alias a report remembers: enough for a person,
// too few to fill the memory with a body of aliases.
const maxSpellings = 32

// spelling is the use of an alias: the way to it as it was sent, and what the member
// is called otherwise.
type spelling struct {
	in     string
	path   []problem.Segment
	member string
	number int
	before *spelling
}

// met says in the path that d is at f, which the caller calls name.
func (d *decoder) met(f *field, name []byte) {
	step := &d.path[len(d.path)-1].Name
	if *step = d.wire(f); *step == string(name) {
		return
	}
	for _, alias := range f.aliases {
		if alias == string(name) {
			*step = alias
		}
	}
	if r := d.report; !r.fullOfSpellings() {
		r.remember(r.In, slices.Concat(r.Prefix, d.path), d.wire(f))
	}
}

func (r *Report) fullOfSpellings() bool { return r.spelt.count() >= maxSpellings }

func (r *Report) remember(in string, path []problem.Segment, member string) {
	r.spelt = &spelling{in, path, member, r.spelt.count() + 1, r.spelt}
}

// count returns how many are remembered, up to s.
func (s *spelling) count() int {
	if s == nil {
		return 0
	}
	return s.number
}

// asSent returns what a Validate method calls path, from the value of n at base, in
// the names that the caller has used.
func (r *Report) asSent(n node, answers bool, base, path []problem.Segment) []problem.Segment {
	path = slices.Clone(path)
	if answers {
		inAnswers(n, path)
	}
	whole := slices.Concat(r.Prefix, base, path)
	start := len(whole) - len(path)
	for i := start; i < len(whole); i++ {
		for s := r.spelt; s != nil; s = s.before {
			if last := len(s.path) - 1; s.in == r.In && last == i && s.member == whole[i].Name && slices.Equal(s.path[:last], whole[:i]) {
				whole[i].Name = s.path[last].Name
			}
		}
	}
	return whole[start:]
}

// inAnswers gives the members on the way path, which starts at a value of n, their
// names in answers.
func inAnswers(n node, path []problem.Segment) {
	if len(path) == 0 || n == nil {
		return
	}
	switch n := n.(type) {
	case *structNode:
		if f := n.named(path[0].Name); f != nil {
			path[0].Name = f.out
			inAnswers(f.plan, path[1:])
		}
	case *listNode:
		inAnswers(n.item, path[1:])
	case *mapNode:
		inAnswers(n.value, path[1:])
	case *unionNode:
		for i := range n.variants {
			if s, ok := n.variants[i].plan.(*structNode); ok && s.named(path[0].Name) != nil {
				inAnswers(s, path)
				return
			}
		}
	default:
		for _, inner := range inside(n) {
			inAnswers(inner, path)
		}
	}
}

// renames reports whether values of n have members that answers call otherwise than
// requests may.
func renames(n node, seen map[*structNode]bool) bool {
	s, ok := n.(*structNode)
	if !ok {
		return slices.ContainsFunc(inside(n), func(inner node) bool { return renames(inner, seen) })
	}
	if seen[s] {
		return false
	}
	seen[s] = true
	for name, i := range s.byName {
		if name != s.fields[i].out {
			return true
		}
	}
	return slices.ContainsFunc(s.fields, func(f field) bool { return renames(f.plan, seen) })
}
