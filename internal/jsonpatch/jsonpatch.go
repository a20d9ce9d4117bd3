// Package jsonpatch applies JSON Patches (RFC 6902) and JSON Merge Patches (RFC
// 7396) to decoded JSON: nil, bool, string, json.Number, []any and map[string]any.
//
//	patch, err := jsonpatch.Compile(operations)
//	changed, err := patch.Apply(document, 1<<20)
//
// A patch of a few bytes can ask for much: each copy of the whole document into
// itself doubles it, so that a hundred of them are more than any memory holds. A
// patch has at most [MaxOperations] of them, and [Patch.Apply] is told how many
// bytes they may add.
package jsonpatch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// MaxOperations is the most operations of a patch.
const MaxOperations = 100

// maxDepth is how deep a value may be nested that is copied.
const maxDepth = 64

// Patch is a checked list of operations.
type Patch struct{ operations []operation }

type operation struct {
	op         string
	path, from Pointer
	value      any
}

// Kind says what is wrong with a patch, or with the document for it.
type Kind int

const (
	// Malformed is a patch that is none (RFC 6902 sections 3 and 4).
	Malformed Kind = iota
	// Conflict is a patch that does not fit the document: a place that is not
	// there, or a test that fails.
	Conflict
	// TooLarge is a patch that makes more than it may.
	TooLarge
)

// Error is an operation that cannot be done.
type Error struct {
	Kind Kind
	// Operation is its index in the patch.
	Operation int
	// Member is the member of the operation that is to blame, or "".
	Member string
	// Code is a stable name of the reason, and Detail says it. Neither holds what
	// the caller sent or what the document holds.
	Code, Detail string
}

// Error returns the reason.
func (e *Error) Error() string { return fmt.Sprintf("operation %d: %s", e.Operation, e.Detail) }

// Len returns the number of operations.
func (p *Patch) Len() int { return len(p.operations) }

// Path returns the place that operation i is about.
func (p *Patch) Path(i int) Pointer { return slices.Clone(p.operations[i].path) }

// Compile checks a decoded patch document. All that is wrong is in the list.
// Members that the RFC does not define are ignored (section 4).
func Compile(document any) (*Patch, []*Error) {
	list, ok := document.([]any)
	if !ok {
		return nil, []*Error{{Operation: -1, Code: "list_type", Detail: "Input should be a valid list"}}
	}
	if len(list) > MaxOperations {
		return nil, []*Error{{Operation: -1, Code: "too_long", Detail: fmt.Sprintf("List should have at most %d items", MaxOperations)}}
	}
	p := &Patch{operations: make([]operation, 0, len(list))}
	var errs []*Error
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			errs = append(errs, &Error{Operation: i, Code: "model_attributes_type", Detail: "Input should be a valid dictionary"})
			continue
		}
		r := reader{index: i, object: object}
		p.operations = append(p.operations, r.read())
		errs = append(errs, r.errs...)
	}
	if errs != nil {
		return nil, errs
	}
	return p, nil
}

// reader reads one operation.
type reader struct {
	index  int
	object map[string]any
	errs   []*Error
}

func (r *reader) wrong(member, code, detail string) {
	r.errs = append(r.errs, &Error{Operation: r.index, Member: member, Code: code, Detail: detail})
}

func (r *reader) read() (o operation) {
	name, sent := r.object["op"]
	if !sent {
		r.wrong("op", "missing", "Field required")
		return o
	}
	switch o.op, _ = name.(string); o.op {
	case "add", "replace", "test":
		if o.value, sent = r.object["value"]; !sent {
			r.wrong("value", "missing", "Field required")
		}
	case "move", "copy":
		o.from = r.pointer("from")
	case "remove":
	default:
		r.wrong("op", "enum", "Input should be 'add', 'remove', 'replace', 'move', 'copy' or 'test'")
	}
	o.path = r.pointer("path")
	if o.op == "move" && len(o.path) > len(o.from) && slices.Equal(o.path[:len(o.from)], o.from) {
		r.wrong("path", "patch_move_inside", "A value cannot be moved into itself") // RFC 6902 section 4.4
	}
	return o
}

func (r *reader) pointer(member string) Pointer {
	value, sent := r.object[member]
	text, ok := value.(string)
	switch {
	case !sent:
		r.wrong(member, "missing", "Field required")
		return nil
	case !ok:
		r.wrong(member, "string_type", "Input should be a valid string")
		return nil
	}
	p, ok := ParsePointer(text)
	if !ok {
		r.wrong(member, "json_pointer", "Input should be a JSON Pointer")
	}
	return p
}

// Apply returns the document as the patch makes it. The document itself is not
// changed. What the operations put into it may take room bytes in all, as JSON.
// The error is an [*Error]; then nothing holds.
func (p *Patch) Apply(document any, room int) (any, error) {
	t := tree{root: clone(document), room: room}
	for i := range p.operations {
		if err := t.do(&p.operations[i]); err != nil {
			err.Operation = i
			return nil, err
		}
	}
	return t.root, nil
}

// Merge returns target as the merge patch makes it (RFC 7396 section 2), without
// changing either.
func Merge(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if object = maps.Clone(object); !ok || object == nil {
		object = make(map[string]any, len(changes))
	}
	for name, change := range changes {
		if change == nil {
			delete(object, name)
		} else {
			object[name] = Merge(object[name], change)
		}
	}
	return object
}

// clone copies lists and objects, so that a change of one is none of the other.
func clone(value any) any {
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = clone(value[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, member := range value {
			object[name] = clone(member)
		}
		return object
	}
	return value
}

// size is about how many bytes a value takes as JSON. It is false for one that is
// nested too deep.
func size(value any, depth int) (n int, ok bool) {
	if depth > maxDepth {
		return 0, false
	}
	n = 8
	switch value := value.(type) {
	case string:
		n += len(value)
	case json.Number:
		n += len(value)
	case []any:
		for _, item := range value {
			inner, ok := size(item, depth+1)
			if n += inner; !ok {
				return 0, false
			}
		}
	case map[string]any:
		for name, member := range value {
			inner, ok := size(member, depth+1)
			if n += inner + len(name); !ok {
				return 0, false
			}
		}
	}
	return n, true
}
