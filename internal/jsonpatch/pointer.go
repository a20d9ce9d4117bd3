package jsonpatch

import (
	"strconv"
	"strings"
)

// Pointer is a JSON Pointer (RFC 6901), as its unescaped steps. The empty one is
// the whole document.
type Pointer []string

// ParsePointer reads a pointer.
func ParsePointer(text string) (p Pointer, ok bool) {
	if text == "" {
		return Pointer{}, true
	}
	if text[0] != '/' {
		return nil, false
	}
	p = strings.Split(text[1:], "/")
	for i, step := range p {
		if p[i], ok = unescape(step); !ok {
			return nil, false
		}
	}
	return p, true
}

// unescape reads ~0 and ~1. Any other ~ is an error (RFC 6901 section 3).
func unescape(step string) (string, bool) {
	if !strings.Contains(step, "~") {
		return step, true
	}
	var b strings.Builder
	for i := 0; i < len(step); i++ {
		if step[i] != '~' {
			b.WriteByte(step[i])
			continue
		}
		i++
		switch {
		case i < len(step) && step[i] == '0':
			b.WriteByte('~')
		case i < len(step) && step[i] == '1':
			b.WriteByte('/')
		default:
			return "", false
		}
	}
	return b.String(), true
}

// String returns the pointer as it is written.
func (p Pointer) String() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, step := range p {
		b.WriteString("/" + escape.Replace(step))
	}
	return b.String()
}

// index reads a place in a list: digits without a leading zero (RFC 6901 section
// 4). most is the greatest that is there.
func index(step string, most int) (int, bool) {
	if step == "" || len(step) > 9 || len(step) > 1 && step[0] == '0' || strings.Trim(step, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(step)
	return i, err == nil && i <= most
}
