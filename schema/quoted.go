package schema

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"reflect"
	"strings"
	"unicode/utf16"
)

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// stringEnd returns the index of the first byte from i on that ends the plain
// run of a string: a quote, a backslash or a control byte. It reads eight bytes
// at a time; a byte that is not there borrows from the bytes above it, so the
// lowest mark is exact and the ones above it may not be.
func stringEnd(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quote := w ^ '"'*everyByte
		slash := w ^ '\\'*everyByte
		mark := ((quote - everyByte) &^ quote) | ((slash - everyByte) &^ slash) | ((w - ' '*everyByte) &^ w)
		if mark &= highBits; mark != 0 {
			return i + bits.TrailingZeros64(mark)>>3
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return len(data)
}

// skipString passes over the string whose opening quote is at d.pos and returns
// where its content lies.
func (d *decoder) skipString() (start, end int, escaped, ok bool) {
	start = d.pos + 1
	i := start
	for {
		i = stringEnd(d.data, i)
		if i >= len(d.data) {
			d.pos = len(d.data)
			return 0, 0, false, d.fail("Unterminated string")
		}
		switch d.data[i] {
		case '"':
			d.pos = i + 1
			return start, i, escaped, true
		case '\\':
			escaped = true
			n := d.escape(i)
			if n == 0 {
				return 0, 0, false, false
			}
			i += n
		default:
			d.pos = i
			return 0, 0, false, d.fail("Invalid control character")
		}
	}
}

// escape checks the escape at i and returns its length, or 0 after failing.
func (d *decoder) escape(i int) int {
	d.pos = i
	if i+1 >= len(d.data) {
		d.fail("Unterminated string")
		return 0
	}
	switch d.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r := hex4(d.data, i+2)
		switch {
		case r < 0:
			d.fail(`Invalid \uXXXX escape`)
			return 0
		case !utf16.IsSurrogate(r):
			return 6
		}
		// A lone surrogate is no character: what reads it next may replace it,
		// and two names that differ here become one there.
		if r < 0xDC00 && i+7 < len(d.data) && d.data[i+6] == '\\' && d.data[i+7] == 'u' {
			if low := hex4(d.data, i+8); low >= 0xDC00 && low <= 0xDFFF {
				return 12
			}
		}
		d.fail("Lone surrogate")
		return 0
	default:
		d.fail(`Invalid \escape`)
		return 0
	}
}

// hex4 reads four hexadecimal digits at i, or returns -1.
func hex4(data []byte, i int) rune {
	if i+4 > len(data) {
		return -1
	}
	var r rune
	for _, c := range data[i : i+4] {
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

// readString reads the string at d.pos.
func (d *decoder) readString() (string, bool) {
	start, end, escaped, ok := d.skipString()
	if !ok {
		return "", false
	}
	return d.content(start, end, escaped), true
}

// readQuoted reads the string at d.pos as text of n, or records code for what is
// there instead.
func (d *decoder) readQuoted(n textNode, code string, v reflect.Value) bool {
	if d.peek() != '"' {
		d.violate(code)
		return d.skip()
	}
	s, ok := d.readString()
	if ok {
		n.decodeText(d, s, v)
	}
	return ok
}

// content returns the string whose raw content is data[start:end]. The strings of
// a small body share one allocation; what they are made of is never written
// again, so a slice of it stays what it was.
func (d *decoder) content(start, end int, escaped bool) string {
	switch {
	case start == end:
		return ""
	case !d.shares && escaped:
		var out strings.Builder
		out.Grow(end - start)
		unescape(&out, d.data[start:end])
		return out.String()
	case !d.shares:
		return string(d.data[start:end])
	}
	if d.strings.Cap() == 0 {
		d.strings.Grow(len(d.data) - start)
	}
	begin := d.strings.Len()
	if escaped {
		unescape(&d.strings, d.data[start:end])
	} else {
		d.strings.Write(d.data[start:end])
	}
	return d.strings.String()[begin:]
}

// unescape appends raw without its escapes, which escape has checked.
func unescape(out *strings.Builder, raw []byte) {
	for {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			out.Write(raw)
			return
		}
		out.Write(raw[:plain])
		switch c := raw[plain+1]; c {
		case 'b':
			out.WriteByte('\b')
		case 'f':
			out.WriteByte('\f')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 't':
			out.WriteByte('\t')
		case 'u':
			r := hex4(raw, plain+2)
			plain += 4
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(raw, plain+4))
				plain += 6
			}
			out.WriteRune(r)
		default: // a quote, a backslash or a slash
			out.WriteByte(c)
		}
		raw = raw[plain+2:]
	}
}
