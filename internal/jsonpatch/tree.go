package jsonpatch

import (
	"encoding/json"
	"slices"
	"strings"
)

// tree is a document on its way.
type tree struct {
	root any
	room int
}

func (t *tree) do(o *operation) *Error {
	switch o.op {
	case "add":
		return t.put(o.path, o.value, false)
	case "replace":
		return t.put(o.path, o.value, true)
	case "remove":
		_, err := t.remove(o.path)
		return err
	case "move":
		value, err := t.remove(o.from)
		if err != nil {
			return blame(err, "from")
		}
		return t.insert(o.path, value, false)
	case "copy":
		value, err := t.get(o.from)
		if err != nil {
			return blame(err, "from")
		}
		return t.put(o.path, value, false)
	default: // test: Compile lets no other through.
		value, err := t.get(o.path)
		if err == nil && !Equal(value, o.value) {
			err = &Error{Kind: Conflict, Member: "value", Code: "patch_test_failed", Detail: "The value is another one"}
		}
		return err
	}
}

func blame(e *Error, member string) *Error {
	e.Member = member
	return e
}

func missing() *Error {
	return &Error{Kind: Conflict, Member: "path", Code: "patch_path_missing", Detail: "There is no such place"}
}

// put inserts a copy of value, and counts what it takes.
func (t *tree) put(path Pointer, value any, replace bool) *Error {
	n, ok := size(value, 0)
	if t.room -= n; !ok || t.room < 0 {
		return &Error{Kind: TooLarge, Code: "too_complex", Detail: "The patch makes more than can be kept"}
	}
	return t.insert(path, clone(value), replace)
}

// get returns the value at path.
func (t *tree) get(path Pointer) (any, *Error) {
	value := t.root
	for _, step := range path {
		switch inner := value.(type) {
		case map[string]any:
			member, ok := inner[step]
			if !ok {
				return nil, missing()
			}
			value = member
		case []any:
			i, ok := index(step, len(inner)-1)
			if !ok {
				return nil, missing()
			}
			value = inner[i]
		default:
			return nil, missing()
		}
	}
	return value, nil
}

// insert puts value at path: into a list before what is there, or in its stead.
func (t *tree) insert(path Pointer, value any, replace bool) *Error {
	if len(path) == 0 {
		t.root = value
		return nil
	}
	parent, last := path[:len(path)-1], path[len(path)-1]
	holder, err := t.get(parent)
	if err != nil {
		return err
	}
	switch inner := holder.(type) {
	case map[string]any:
		if _, ok := inner[last]; replace && !ok {
			return missing()
		}
		inner[last] = value
		return nil
	case []any:
		if replace {
			i, ok := index(last, len(inner)-1)
			if !ok {
				return missing()
			}
			inner[i] = value
			return nil
		}
		i, ok := index(last, len(inner))
		if last == "-" { // After the last one (RFC 6902 section 4.1).
			i, ok = len(inner), true
		}
		if !ok {
			return missing()
		}
		return t.insert(parent, slices.Insert(inner, i, value), true)
	}
	return missing()
}

// remove takes the value at path out.
func (t *tree) remove(path Pointer) (any, *Error) {
	value, err := t.get(path)
	if err != nil {
		return nil, err
	}
	if len(path) == 0 {
		t.root = nil
		return value, nil
	}
	parent, last := path[:len(path)-1], path[len(path)-1]
	holder, err := t.get(parent)
	if err != nil {
		return nil, err
	}
	switch inner := holder.(type) {
	case map[string]any:
		delete(inner, last)
	case []any:
		i, _ := index(last, len(inner)-1) // get has found it.
		return value, t.insert(parent, slices.Delete(inner, i, i+1), true)
	}
	return value, nil
}

// Equal reports whether two values are the same (RFC 6902 section 4.6): numbers by
// what they are, not by how they are written.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && canonical(string(a)) == canonical(string(b))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, member := range a {
			other, ok := b[name]
			if !ok || !Equal(member, other) {
				return false
			}
		}
		return true
	case nil, bool, string:
		switch b.(type) {
		case nil, bool, string:
			return a == b
		}
	}
	return false
}

// number is what a number's text says: ±0.digits × 10^exponent.
type number struct {
	negative bool
	digits   string
	exponent int64
}

// canonical reads a JSON number without computing it: 1e999999999 is a few bytes
// here and a gigabyte as an integer.
func canonical(text string) (n number) {
	text, n.negative = strings.CutPrefix(text, "-")
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n.digits = strings.TrimLeft(whole+fraction, "0")
	if n.digits == "" {
		return number{}
	}
	n.exponent = int64(len(whole)) - int64(len(whole)+len(fraction)-len(n.digits)) + power(exponent)
	n.digits = strings.TrimRight(n.digits, "0")
	return n
}

// power reads an exponent. One beyond any real number stays beyond it.
func power(text string) (p int64) {
	text, negative := strings.CutPrefix(text, "-")
	for _, c := range strings.TrimPrefix(text, "+") {
		p = min(p*10+int64(c-'0'), 1<<53)
	}
	if negative {
		return -p
	}
	return p
}
