package problem

import (
	"encoding/json"
	"math/bits"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Write answers a request with p. It is for defences that stand alone on
// net/http; an app renders problems with its own encoder.
func Write(w http.ResponseWriter, p *Problem) {
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.AppendJSON(nil)) // The client is gone if this fails.
}

// MarshalJSON returns the document.
func (p *Problem) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }

// AppendJSON appends the document to buf.
func (p *Problem) AppendJSON(buf []byte) []byte {
	buf = append(buf, '{')
	if p.Type != "" {
		buf = AppendString(append(buf, `"type":`...), p.Type)
		buf = append(buf, ',')
	}
	buf = AppendString(append(buf, `"title":`...), p.title())
	buf = strconv.AppendInt(append(buf, `,"status":`...), int64(p.Status), 10)
	for _, m := range [...]struct{ name, value string }{
		{`,"detail":`, p.Detail}, {`,"code":`, p.Code}, {`,"instance":`, p.Instance},
	} {
		if m.value != "" {
			buf = AppendString(append(buf, m.name...), m.value)
		}
	}
	if len(p.Errors) > 0 {
		buf = append(buf, `,"errors":[`...)
		for i := range p.Errors {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = p.Errors[i].AppendJSON(buf)
		}
		buf = append(buf, ']')
	}
	if p.Omitted > 0 {
		buf = strconv.AppendInt(append(buf, `,"omitted":`...), int64(p.Omitted), 10)
	}
	return append(p.appendExtensions(buf), '}')
}

func (p *Problem) appendExtensions(buf []byte) []byte {
	var room [8]string
	names := room[:0]
	for name := range p.Extensions {
		switch name {
		case "type", "title", "status", "detail", "code", "instance", "errors", "omitted":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		before := len(buf)
		buf = append(AppendString(append(buf, ','), name), ':')
		switch value := p.Extensions[name].(type) {
		case int64:
			buf = strconv.AppendInt(buf, value, 10)
		case []string:
			buf = appendStrings(buf, value)
		default:
			text, err := json.Marshal(value)
			if err != nil { // A member that cannot be encoded is a bug; the problem itself must still arrive.
				text, buf = nil, buf[:before]
			}
			buf = append(buf, text...)
		}
	}
	return buf
}

func appendStrings(buf []byte, list []string) []byte {
	if list == nil {
		return append(buf, "null"...)
	}
	buf = append(buf, '[')
	for i, s := range list {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = AppendString(buf, s)
	}
	return append(buf, ']')
}

// AppendJSON appends the violation as a member of a problem's "errors".
func (v *Violation) AppendJSON(buf []byte) []byte {
	buf = AppendString(append(buf, `{"in":`...), v.In)
	buf = append(buf, `,"pointer":"`...)
	for _, s := range v.Path {
		buf = append(buf, '/')
		if s.IsIndex {
			buf = strconv.AppendInt(buf, int64(s.Index), 10)
			continue
		}
		buf = appendEscaped(buf, s.Name, true)
	}
	buf = AppendString(append(buf, `","code":`...), v.Code)
	buf = AppendString(append(buf, `,"detail":`...), v.Detail)
	if len(v.Limits) > 0 {
		buf = append(buf, `,"limits":`...)
		buf = AppendLimits(buf, v.Limits)
	}
	return append(buf, '}')
}

// AppendLimits appends limits as a JSON object.
func AppendLimits(buf []byte, limits []Limit) []byte {
	buf = append(buf, '{')
	for i, l := range limits {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = AppendString(buf, l.Name)
		buf = append(buf, ':')
		switch value := l.Value.(type) {
		case string:
			buf = AppendString(buf, value)
		case int:
			buf = strconv.AppendInt(buf, int64(value), 10)
		case json.Number:
			buf = append(buf, value...)
		default:
			text, err := json.Marshal(value)
			if err != nil {
				text = []byte("null")
			}
			buf = append(buf, text...)
		}
	}
	return append(buf, '}')
}

// AppendString appends s as a JSON string that is also safe inside HTML and
// JavaScript: < > & and U+2028, U+2029 are escaped, invalid UTF-8 is replaced.
func AppendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	buf = appendEscaped(buf, s, false)
	return append(buf, '"')
}

const hexDigits = "0123456789abcdef"

// plain has a 1 for each byte that stands in a JSON string as it is.
const plain = "" +
	"0000000000000000000000000000000011011101111111111111111111110101" +
	"1111111111111111111111111111011111111111111111111111111111111111" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"0000000000000000000000000000000000000000000000000000000000000000"

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// plainEnd returns the index of the first byte from i on that does not stand in
// a JSON string as it is. It reads eight bytes at a time; a byte that is not
// there borrows from the bytes above it, so the lowest mark is exact.
func plainEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		angle := (w | 0x02*everyByte) ^ '>'*everyByte     // < and > differ in this bit
		ampersand := (w | 0x04*everyByte) ^ '&'*everyByte // " and & in that one
		slash := w ^ '\\'*everyByte
		mark := w | ((angle - everyByte) &^ angle) | ((ampersand - everyByte) &^ ampersand) |
			((slash - everyByte) &^ slash) | ((w - ' '*everyByte) &^ w)
		if mark &= highBits; mark != 0 {
			return i + bits.TrailingZeros64(mark)>>3
		}
	}
	for i < len(s) && plain[s[i]] == '1' {
		i++
	}
	return i
}

// appendEscaped appends s without its quotes; as a step of a JSON Pointer if
// pointer is set.
func appendEscaped(buf []byte, s string, pointer bool) []byte {
	start := 0
	for i := 0; i < len(s); {
		if !pointer {
			if i = plainEnd(s, i); i == len(s) {
				break
			}
		}
		c := s[i]
		if plain[c] == '1' && (!pointer || c != '~' && c != '/') {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || size > 1) {
				i += size
				continue
			}
			buf = append(buf, s[start:i]...)
			if r == utf8.RuneError {
				buf = append(buf, "\ufffd"...)
			} else {
				buf = append(buf, `\u202`...)
				buf = append(buf, hexDigits[r&0xf])
			}
			i += size
			start = i
			continue
		}
		buf = append(buf, s[start:i]...)
		buf = appendEscapedByte(buf, c, pointer)
		i++
		start = i
	}
	return append(buf, s[start:]...)
}

func appendEscapedByte(buf []byte, c byte, pointer bool) []byte {
	switch {
	case pointer && c == '~':
		return append(buf, "~0"...)
	case pointer && c == '/':
		return append(buf, "~1"...)
	case c == '"' || c == '\\':
		return append(buf, '\\', c)
	case c == '\n':
		return append(buf, `\n`...)
	case c == '\r':
		return append(buf, `\r`...)
	case c == '\t':
		return append(buf, `\t`...)
	default:
		return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}
