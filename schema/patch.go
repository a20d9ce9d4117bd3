package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/fastness/fastness/internal/jsonpatch"
	"github.com/fastness/fastness/problem"
)

// MergePatch is what a request wants changed about a T: a JSON Merge Patch (RFC
// 7396). Members that it does not mention stay as they are, and a null takes a
// member away that a request may leave out. Objects are merged, lists replaced.
//
// What was sent is checked by the rules of T while it is decoded: types, limits,
// unknown members, read-only ones and those that the caller may not send. Members
// have their names in answers, which is what a caller has read. A null
// for a member that must be there is refused. What only the whole value can tell,
// [MergePatch.Apply] checks. The zero value changes nothing.
type MergePatch[T any] struct{ held *heldPatch }

// heldPatch is a patch, and all that is needed to apply it later.
type heldPatch struct {
	types  *Types
	node   node // of a T
	data   []byte
	sent   []string         // of a merge patch
	list   *jsonpatch.Patch // of a JSON Patch
	ctx    context.Context
	viewer Viewer
	in     string
	prefix []problem.Segment
}

// Sent reports whether the patch says anything about the member, whose name is
// the last one of path; those before lead to it from the T. The names are those of
// requests, whatever the patch has called the members.
func (p MergePatch[T]) Sent(path ...string) bool {
	return p.held != nil && slices.Contains(p.held.sent, jsonpatch.Pointer(path).String())
}

// IsZero reports whether the patch changes nothing: {}, or none.
func (p MergePatch[T]) IsZero() bool { return p.held == nil || len(p.held.sent) == 0 }

// Apply returns current with the changes. It changes nothing that current leads
// to: pointers, maps and lists that differ are new ones.
//
// The result is checked as a whole: the Validate methods of T and of all objects
// in it that change are asked, and an object that was not there must be complete.
// So a patch does not get around a rule about two members by sending one. The
// error is then a *problem.Problem of status 422, and the returned value is
// current.
func (p MergePatch[T]) Apply(current T) (T, error) {
	if p.held == nil {
		return current, nil
	}
	changed := current
	if err := p.held.merge(reflect.ValueOf(&changed).Elem()); err != nil {
		return current, err
	}
	return changed, nil
}

// MarshalJSON writes the patch as it was sent.
func (p MergePatch[T]) MarshalJSON() ([]byte, error) {
	if p.held == nil {
		return []byte("{}"), nil
	}
	return p.held.data, nil
}

func (p *MergePatch[T]) patches() (reflect.Type, patchFormat) {
	return reflect.TypeFor[T](), mergePatch
}

func (p *MergePatch[T]) hold(h *heldPatch) { p.held = h }

func (h *heldPatch) report() *Report {
	r := &Report{Context: h.ctx, In: h.in, Prefix: h.prefix, Viewer: h.viewer}
	r.read = &readPart{h.prefix, h.node, nil}
	return r
}

func (h *heldPatch) merge(v reflect.Value) error {
	report := h.report()
	d := h.types.decoders.get()
	defer h.types.decoders.put(d)
	d.cfg, d.report, d.data, d.ascii, d.answers = &h.types.cfg, report, h.data, isASCII(h.data), true
	d.merge(h.node, v, false)
	return report.Err()
}

// patchFormat is a format of patches.
type patchFormat int

const (
	mergePatch patchFormat = iota
	jsonPatch
)

// patcher is implemented by pointers to the types of patches.
type patcher interface {
	patches() (reflect.Type, patchFormat)
	hold(*heldPatch)
}

func patchedBy(t reflect.Type) (of reflect.Type, format patchFormat, ok bool) {
	if t.Kind() != reflect.Struct || !reflect.PointerTo(t).Implements(reflect.TypeFor[patcher]()) {
		return nil, 0, false
	}
	of, format = reflect.New(t).Interface().(patcher).patches()
	return of, format, true
}

// patchNode is the plan of a patch.
type patchNode struct {
	types  *Types
	format patchFormat
	of     node
}

func (c *compiler) patch(of reflect.Type, format patchFormat, where string) node {
	n := &patchNode{types: c.types, format: format, of: c.compile(of, &rules{used: map[string]bool{}}, where)}
	s := structBelow(n.of)
	_, writes := n.of.(*writtenNode)
	if s == nil || writes && format == jsonPatch {
		c.mistake(where, "a patch of %s: want a struct, which does not write itself", of)
		return n
	}
	c.after = append(c.after, func() {
		if c.client {
			return
		}
		if name := lostIn(s, format, make(map[*structNode]bool)); name != "" {
			c.mistake(where, "a patch of %s replaces %s as a whole, and in it are members that its caller does not see or send: they would be lost", of, name)
		}
		if format == jsonPatch {
			for _, err := range secretsIn(n.of, where, make(map[*structNode]bool)) {
				c.mistake(where, "a JSON Patch sees what an answer shows: %v", err)
			}
		}
	})
	return n
}

// structBelow returns the struct whose values n has, or nil.
func structBelow(n node) *structNode {
	switch n := n.(type) {
	case *structNode:
		return n
	case *checkedNode:
		return structBelow(n.node)
	case *writtenNode:
		return structBelow(n.node)
	}
	return nil
}

// lostIn returns the name of a member that a patch replaces as a whole and whose
// values have members that not everybody gets and sends, or "": who replaces it
// would empty them. Lists are replaced, and by a JSON Patch unions.
func lostIn(n node, format patchFormat, seen map[*structNode]bool) string {
	switch n := n.(type) {
	case *structNode:
		if seen[n] {
			return ""
		}
		seen[n] = true
		for i := range n.fields {
			f := &n.fields[i]
			if whole := wholeBelow(f.plan, format); whole != nil && !f.readOnly && keepsBack(whole, make(map[*structNode]bool)) {
				return n.typ.String() + "." + f.name
			}
			if name := lostIn(f.plan, format, seen); name != "" {
				return name
			}
		}
	case *listNode, *encodedNode, *patchNode: // What is in it is replaced with it.
	default:
		for _, inner := range inside(n) {
			if name := lostIn(inner, format, seen); name != "" {
				return name
			}
		}
	}
	return ""
}

// wholeBelow returns what a patch replaces as a whole where n stands, or nil.
func wholeBelow(n node, format patchFormat) node {
	switch n := n.(type) {
	case *listNode, *encodedNode:
		return n
	case *unionNode:
		if format == jsonPatch {
			return n
		}
	case *mapNode:
		if format == jsonPatch && n.key != nil {
			return n
		}
		return wholeBelow(n.value, format)
	case *wrapNode:
		return wholeBelow(n.inner, format)
	case *checkedNode:
		return wholeBelow(n.node, format)
	case *writtenNode:
		return wholeBelow(n.node, format)
	}
	return nil
}

// keepsBack reports whether values of n have members that some callers do not get,
// or do not send.
func keepsBack(n node, seen map[*structNode]bool) bool {
	if n, ok := n.(*structNode); ok {
		if seen[n] {
			return false
		}
		seen[n] = true
		return slices.ContainsFunc(n.fields, func(f field) bool { return f.veiled || f.sealed || keepsBack(f.plan, seen) })
	}
	return slices.ContainsFunc(inside(n), func(inner node) bool { return keepsBack(inner, seen) })
}

func (n *patchNode) decode(d *decoder, v reflect.Value) bool {
	h := &heldPatch{types: n.types, node: n.of, ctx: d.report.Context, viewer: d.report.Viewer, in: d.report.In,
		prefix: slices.Concat(d.report.Prefix, d.path)}
	if h.ctx == nil {
		h.ctx = context.Background()
	}
	start := d.pos
	read := n.sketch
	if n.format == jsonPatch {
		read = n.operations
	}
	if !read(d, h) {
		return false
	}
	h.data = bytes.Clone(d.data[start:d.pos])
	v.Addr().Interface().(patcher).hold(h)
	return true
}

// sketch reads a merge patch without what it will change.
func (n *patchNode) sketch(d *decoder, h *heldPatch) bool {
	sketches, before, answers := d.sketches, d.said, d.answers
	d.sketches, d.said, d.answers = true, &said{base: len(d.path)}, true
	ok := d.merge(n.of, reflect.New(structBelow(n.of).typ).Elem(), false)
	h.sent = d.said.list
	d.sketches, d.said, d.answers = sketches, before, answers
	return ok
}

func (n *patchNode) encode(e *encoder, v reflect.Value) { e.written(v.Type(), v) }

// MediaTypes returns the media types of texts of the plan, the best one first:
// those of its format for a patch, and application/json for all else.
func (p *Plan) MediaTypes() []string {
	n, ok := p.node.(*patchNode)
	switch {
	case ok && n.format == mergePatch:
		return []string{"application/merge-patch+json", "application/json"}
	case ok:
		return []string{"application/json-patch+json"}
	}
	return []string{"application/json"}
}

// parse reads JSON as anyNode does. It is for texts of this process.
func parse(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}
