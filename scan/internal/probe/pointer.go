package probe

import (
	"strconv"
	"strings"
)

// escapePointer writes a name as a JSON pointer has it (RFC 6901, section 3).
func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// unescapePointer is the inverse of escapePointer.
func unescapePointer(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}

// cutPointer splits the last part off a JSON pointer.
func cutPointer(pointer string) (parent, last string) {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return "", ""
	}
	return pointer[:i], unescapePointer(pointer[i+1:])
}

// pointed returns the value at a pointer, or nil.
func pointed(v any, pointer string) any {
	if pointer == "" {
		return v
	}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = unescapePointer(part)
		switch container := v.(type) {
		case map[string]any:
			v = container[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(container) {
				return nil
			}
			v = container[i]
		default:
			return nil
		}
	}
	return v
}

// setPointer returns v with another value at a pointer. It changes v.
func setPointer(v any, pointer string, value any) any {
	if pointer == "" {
		return value
	}
	first, rest, more := strings.Cut(pointer[1:], "/")
	if more {
		rest = "/" + rest
	}
	first = unescapePointer(first)
	if list, ok := v.([]any); ok {
		if i, err := strconv.Atoi(first); err == nil && i >= 0 && i < len(list) {
			list[i] = setPointer(list[i], rest, value)
		}
		return list
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	m[first] = setPointer(m[first], rest, value)
	return m
}

// Lookup returns the value at a JSON pointer of a decoded document, or nil.
func Lookup(v any, pointer string) any {
	if pointer != "" && pointer[0] != '/' {
		pointer = "/" + pointer
	}
	return pointed(v, pointer)
}
