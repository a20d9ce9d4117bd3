package schema

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"

	"github.com/fastness/fastness/internal/jsonpatch"
	"github.com/fastness/fastness/problem"
)

// maxPatchGrowth is the most bytes that a JSON Patch may put into a value: copies
// of copies double.
const maxPatchGrowth = 1 << 20

// JSONPatch is what a request wants changed about a T: a JSON Patch (RFC 6902) of
// at most 100 operations. They see the T as its caller does: what is not visible
// to the caller cannot be tested, copied or moved, and is kept.
type JSONPatch[T any] struct{ held *heldPatch }

// IsZero reports whether the patch has no operations.
func (p JSONPatch[T]) IsZero() bool { return p.held == nil || p.held.list.Len() == 0 }

// Apply returns current with the changes, all of them or none. It changes nothing
// that current leads to.
//
// What has changed is checked by the rules of T, and who may send it: a member
// that is read-only, or writable by others, is a violation if its value is another
// one afterwards. Then the Validate methods of T and of all objects in it that
// changed are asked. The error is a *problem.Problem, and names the operation: of
// status 409 for a test that fails and a place that is not there (RFC 5789 section
// 2.2), of status 422 for a result that is not as declared. The returned value is
// then current.
func (p JSONPatch[T]) Apply(current T) (T, error) {
	if p.held == nil {
		return current, nil
	}
	changed := current
	if err := p.held.patch(reflect.ValueOf(&changed).Elem()); err != nil {
		return current, err
	}
	return changed, nil
}

// MarshalJSON writes the patch as it was sent.
func (p JSONPatch[T]) MarshalJSON() ([]byte, error) {
	if p.held == nil {
		return []byte("[]"), nil
	}
	return p.held.data, nil
}

func (p *JSONPatch[T]) patches() (reflect.Type, patchFormat) { return reflect.TypeFor[T](), jsonPatch }

func (p *JSONPatch[T]) hold(h *heldPatch) { p.held = h }

// operations reads a JSON Patch.
func (n *patchNode) operations(d *decoder, h *heldPatch) bool {
	strict := anyNode{}
	document, ok := strict.read(d)
	if !ok {
		return false
	}
	list, wrong := jsonpatch.Compile(document)
	for _, e := range wrong {
		d.report.Add(problem.Violation{Path: append(d.report.place(d.path), stepsTo(e)...), Code: e.Code, Detail: e.Detail})
	}
	h.list = list
	return true
}

// stepsTo leads from a patch to what is wrong in it.
func stepsTo(e *jsonpatch.Error) (path []problem.Segment) {
	if e.Operation >= 0 {
		path = append(path, problem.Index(e.Operation))
	}
	if e.Member != "" {
		path = append(path, problem.Name(e.Member))
	}
	return path
}

// patch changes v, which is a T.
func (h *heldPatch) patch(v reflect.Value) error {
	e := h.types.encoders.get()
	defer h.types.encoders.put(e)
	e.viewer = h.viewer
	h.node.encode(e, v)
	if e.err != nil {
		return e.err
	}
	before, err := parse(e.buf)
	if err != nil {
		return err
	}
	after, err := h.list.Apply(before, maxPatchGrowth)
	if wrong, ok := errors.AsType[*jsonpatch.Error](err); ok {
		return h.refusal(wrong)
	}
	report := h.report()
	report.Prefix = nil // The paths are those of the result, until they are blamed on an operation.
	report.read = &readPart{nil, h.node, nil}
	d := &decoder{cfg: &h.types.cfg, report: report, answers: true}
	d.reconcile(h.node, v, before, after)
	for i := range report.violations {
		h.blame(&report.violations[i])
	}
	return report.Err()
}

// refusal is the answer to a patch that does not fit the value.
func (h *heldPatch) refusal(e *jsonpatch.Error) error {
	status, detail := http.StatusConflict, "the patch does not fit what is there"
	if e.Kind == jsonpatch.TooLarge {
		status, detail = http.StatusRequestEntityTooLarge, "the patch makes more than can be kept"
	}
	p := problem.New(status, detail).Named(e.Code)
	p.Errors = []problem.Violation{{In: h.in, Path: append(slices.Clone(h.prefix), stepsTo(e)...), Code: e.Code, Detail: e.Detail}}
	return p
}

// blame makes the path of v lead to the last operation that is about the place, and
// keeps where in the result that is. What no operation is about is blamed on all.
func (h *heldPatch) blame(v *problem.Violation) {
	target := v.Pointer()
	place, _ := jsonpatch.ParsePointer(target) // It is one.
	v.Limits = append(slices.Clone(v.Limits), problem.Limit{Name: "member", Value: target})
	v.Path = slices.Clone(h.prefix)
	for i := h.list.Len() - 1; i >= 0; i-- {
		path := h.list.Path(i)
		if k := min(len(path), len(place)); len(path) == 0 || len(place) > 0 && slices.Equal(path[:k], place[:k]) {
			v.Path = append(v.Path, problem.Index(i), problem.Name("path"))
			return
		}
	}
}

// reconcile makes of v, which the caller sees as before, what they see as after.
// What they do not see stays, and so does what is the same: a value whose text is
// not the whole of it is never read back.
func (d *decoder) reconcile(n node, v reflect.Value, before, after any) {
	switch n := n.(type) {
	case *structNode:
		old, was := before.(map[string]any)
		now, is := after.(map[string]any)
		if was && is {
			n.reconcile(d, v, old, now)
			return
		}
	case *checkedNode:
		count := d.report.count()
		d.reconcile(n.node, v, before, after)
		if d.report.count() == count {
			d.checkValue(n.node, v)
		}
		return
	case *mapNode:
		old, was := before.(map[string]any)
		now, is := after.(map[string]any)
		if was && is && n.key == nil {
			n.reconcile(d, v, old, now)
			return
		}
	case *wrapNode:
		if value, there := n.open(v); there && after != nil {
			if n.kind == kindPointer {
				p := reflect.New(value.Type())
				p.Elem().Set(value)
				v.Set(p)
				value = p.Elem()
			}
			d.reconcile(n.inner, value, before, after)
			return
		}
	}
	d.replace(n, v, after)
}

// replace reads value in the stead of v.
func (d *decoder) replace(n node, v reflect.Value, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		d.report.Fail(err)
		return
	}
	inner := &decoder{cfg: d.cfg, report: d.report, data: text, path: d.path, deepest: len(d.path), ascii: isASCII(text), answers: d.answers}
	v.SetZero()
	n.decode(inner, v)
	d.report.malformed = false // It is the patch that is well-formed.
}

// reconcile makes a new map: the values that are the same are kept.
func (n *mapNode) reconcile(d *decoder, v reflect.Value, before, after map[string]any) {
	m := reflect.MakeMap(v.Type())
	last := d.down()
	for name, now := range after {
		d.path[last] = problem.Name(name)
		key := reflect.New(v.Type().Key()).Elem()
		key.SetString(name)
		elem := reflect.New(v.Type().Elem()).Elem()
		old, was := before[name]
		if there := v.MapIndex(key); !was || !there.IsValid() {
			d.replace(n.value, elem, now)
		} else if elem.Set(there); !jsonpatch.Equal(old, now) {
			d.reconcile(n.value, elem, old, now)
		}
		m.SetMapIndex(key, elem)
	}
	d.up()
	v.Set(m)
	n.checkLength(d, m.Len())
}

func (n *structNode) reconcile(d *decoder, v reflect.Value, before, after map[string]any) {
	count := d.report.count()
	last := d.down()
	for i := range n.fields {
		f := &n.fields[i]
		d.path[last] = problem.Name(f.out)
		old, was := before[f.out]
		now, is := after[f.out]
		switch value := fieldAt(v, f.index); {
		case was == is && jsonpatch.Equal(old, now):
		case f.readOnly || !f.writableBy.include(d.report.Viewer):
			d.violate("read_only")
		case is && was:
			d.reconcile(f.plan, value, old, now)
		case is:
			d.replace(f.plan, value, now)
		case f.removable():
			f.remove(d.cfg, v)
		default:
			d.violate("missing")
		}
	}
	d.up()
	n.reconcileOthers(d, before, after)
	if n.checks != nil && d.report.count() == count {
		d.ask(n, v)
	}
}

// reconcileOthers refuses changes of members that nobody sends.
func (n *structNode) reconcileOthers(d *decoder, before, after map[string]any) {
	last := d.down()
	defer d.up()
	for i := range n.computed {
		name := n.computed[i].name
		old, was := before[name]
		now, is := after[name]
		if d.path[last] = problem.Name(name); was != is || !jsonpatch.Equal(old, now) {
			d.violate("read_only")
		}
	}
	for name := range after {
		f := n.written(d, name)
		computed := slices.ContainsFunc(n.computed, func(c computed) bool { return c.name == name })
		if d.path[last] = problem.Name(name); !computed && (f == nil || f.out != name) {
			d.violate("extra_forbidden")
		}
	}
}
