package jws

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// ErrJSON says that a text is not the strict JSON that this package reads.
var ErrJSON = errors.New("not strict json")

const (
	maxDepth = 16
	// maxNames bounds the members of all objects that are open at once, and with
	// it the work of finding a name that occurs twice.
	maxNames = 128
)

// Object reads the members of one JSON object, in their order:
//
//	o := jws.Object{Data: data}
//	for o.Next() {
//		switch string(o.Name()) { … o.Value().Text() … }
//	}
//	if o.Err() != nil { … }
//
// It is strict, because two parsers that read one token differently are an
// attack: the whole text is one object, names occur once at every depth (after
// their escapes are undone), strings are UTF-8 with paired surrogates, and there
// is neither a byte order mark nor anything behind the end. Until Next has
// returned false and Err nil, nothing that was read may be relied on.
//
// It allocates nothing, and keeps no reference to Data.
type Object struct {
	Data []byte

	pos     int
	depth   int
	open    int // how many of names are in use
	names   [maxNames]span
	name    span
	value   span
	started bool
	failed  bool
}

// span is a part of Object.Data; for a string it is without the quotes.
type span struct {
	from, to uint32
	escaped  bool
}

// Next moves to the next member. It returns false at the end and at the first
// mistake.
func (o *Object) Next() bool {
	if o.failed {
		return false
	}
	if !o.started {
		o.started = true
		o.space()
		if !o.take('{') {
			return o.fail()
		}
		o.depth = 1
		o.space()
		if o.take('}') {
			return o.end()
		}
	} else {
		if o.depth == 0 {
			return false
		}
		o.space()
		if o.take('}') {
			return o.end()
		}
		if !o.take(',') {
			return o.fail()
		}
		o.space()
	}
	if !o.member(0) {
		return o.fail()
	}
	return true
}

// Name returns the name of the member that Next has moved to. It is shared with
// Data unless it was written with escapes.
func (o *Object) Name() []byte { return o.text(o.name) }

// Value returns the value of the member that Next has moved to.
func (o *Object) Value() Value { return Value(o.Data[o.value.from:o.value.to]) }

// Err returns [ErrJSON] if the text is not one strict JSON object.
func (o *Object) Err() error {
	if o.failed || o.depth != 0 || !o.started {
		return ErrJSON
	}
	return nil
}

func (o *Object) fail() bool {
	o.failed = true
	return false
}

// end is called behind the last brace: nothing may follow.
func (o *Object) end() bool {
	o.depth = 0
	o.space()
	if o.pos != len(o.Data) {
		o.failed = true
	}
	return false
}

func (o *Object) space() {
	for o.pos < len(o.Data) {
		switch o.Data[o.pos] {
		case ' ', '\t', '\n', '\r':
			o.pos++
		default:
			return
		}
	}
}

func (o *Object) take(c byte) bool {
	if o.pos < len(o.Data) && o.Data[o.pos] == c {
		o.pos++
		return true
	}
	return false
}

// member reads a name and its value. The names of its object begin at first.
func (o *Object) member(first int) bool {
	name, ok := o.string()
	if !ok || o.open == maxNames {
		return false
	}
	for _, earlier := range o.names[first:o.open] {
		if o.same(earlier, name) {
			return false
		}
	}
	o.names[o.open] = name
	o.open++
	o.space()
	if !o.take(':') {
		return false
	}
	o.space()
	from := o.pos
	if !o.skip() {
		return false
	}
	o.name, o.value = name, span{from: uint32(from), to: uint32(o.pos)}
	return true
}

func (o *Object) same(a, b span) bool {
	if !a.escaped && !b.escaped {
		return bytes.Equal(o.Data[a.from:a.to], o.Data[b.from:b.to])
	}
	return bytes.Equal(o.text(a), o.text(b))
}

func (o *Object) text(s span) []byte {
	if raw := o.Data[s.from:s.to]; !s.escaped {
		return raw
	} else {
		return unescape(raw)
	}
}

// skip reads one value of any kind.
func (o *Object) skip() bool {
	if o.pos == len(o.Data) {
		return false
	}
	switch c := o.Data[o.pos]; {
	case c == '"':
		_, ok := o.string()
		return ok
	case c == '{':
		return o.nested('}', func(first int) bool { return o.member(first) })
	case c == '[':
		return o.nested(']', func(int) bool { return o.skip() })
	case c == '-' || '0' <= c && c <= '9':
		return o.number()
	default:
		return o.word("true") || o.word("false") || o.word("null")
	}
}

// nested reads an object or an array whose parts each reads.
func (o *Object) nested(end byte, each func(first int) bool) bool {
	first := o.open
	o.pos++
	if o.depth++; o.depth > maxDepth {
		return false
	}
	o.space()
	if !o.take(end) {
		for {
			if !each(first) {
				return false
			}
			o.space()
			if o.take(end) {
				break
			}
			if !o.take(',') {
				return false
			}
			o.space()
		}
	}
	o.depth--
	o.open = first
	return true
}

func (o *Object) word(w string) bool {
	if len(o.Data)-o.pos >= len(w) && string(o.Data[o.pos:o.pos+len(w)]) == w {
		o.pos += len(w)
		return true
	}
	return false
}

// number reads what RFC 8259, section 6, calls one.
func (o *Object) number() bool {
	o.take('-')
	if !o.take('0') && !o.digits() {
		return false
	}
	if o.take('.') && !o.digits() {
		return false
	}
	if o.take('e') || o.take('E') {
		if !o.take('+') {
			o.take('-')
		}
		return o.digits()
	}
	return true
}

func (o *Object) digits() bool {
	from := o.pos
	for o.pos < len(o.Data) && '0' <= o.Data[o.pos] && o.Data[o.pos] <= '9' {
		o.pos++
	}
	return o.pos > from
}

func (o *Object) string() (span, bool) {
	if !o.take('"') {
		return span{}, false
	}
	s := span{from: uint32(o.pos)}
	for o.pos < len(o.Data) {
		switch c := o.Data[o.pos]; {
		case c == '"':
			s.to = uint32(o.pos)
			o.pos++
			return s, true
		case c == '\\':
			s.escaped = true
			if !o.escape() {
				return s, false
			}
		case c < ' ':
			return s, false
		case c < utf8.RuneSelf:
			o.pos++
		default:
			r, n := utf8.DecodeRune(o.Data[o.pos:])
			if r == utf8.RuneError && n == 1 {
				return s, false
			}
			o.pos += n
		}
	}
	return s, false
}

// escape reads one escape, or the two of a surrogate pair.
func (o *Object) escape() bool {
	r, n := unescapeRune(o.Data[o.pos:])
	o.pos += n
	return r >= 0
}
