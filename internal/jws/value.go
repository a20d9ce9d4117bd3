package jws

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one JSON value, as it was written. [Object] has checked it.
type Value []byte

// Text returns the string that v is, if it is one.
func (v Value) Text() (string, bool) {
	raw, ok := v.bytes()
	return string(raw), ok
}

// Is reports whether v is the string s.
func (v Value) Is(s string) bool {
	raw, ok := v.bytes()
	return ok && string(raw) == s
}

func (v Value) bytes() ([]byte, bool) {
	if len(v) < 2 || v[0] != '"' {
		return nil, false
	}
	raw := v[1 : len(v)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	return unescape(raw), true
}

// Integer returns the number that v is, if it is written as an integer that
// fits: neither 1.0 nor 1e3 nor -0.
func (v Value) Integer() (int64, bool) {
	if len(v) == 0 || len(v) > 19 || v[0] != '-' && (v[0] < '0' || v[0] > '9') || string(v) == "-0" {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// Elements calls each with the elements of the array that v is, until one is
// not wanted. It reports whether v is an array and all were.
func (v Value) Elements(each func(Value) bool) bool {
	if len(v) == 0 || v[0] != '[' {
		return false
	}
	o := Object{Data: v, pos: 1}
	for {
		o.space()
		if o.take(']') {
			return true
		}
		o.take(',')
		o.space()
		from := o.pos
		if !o.skip() || !each(v[from:o.pos]) {
			return false
		}
	}
}

// unescapeRune returns the character that s begins with an escape of, and the
// length of the escape; or -1.
func unescapeRune(s []byte) (r rune, n int) {
	if len(s) < 2 {
		return -1, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r := hex4(s)
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if pair := utf16.DecodeRune(r, hex4(s[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return -1, 0
}

// hex4 returns the number of an escape like \u0041, or -1.
func hex4(s []byte) (r rune) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	for _, c := range s[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape returns what the inside of a checked string means.
func unescape(raw []byte) []byte {
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			i++
			continue
		}
		r, n := unescapeRune(raw[i:])
		if r < 0 { // Not reached: the string was checked.
			return nil
		}
		text = utf8.AppendRune(text, r)
		i += n
	}
	return text
}
