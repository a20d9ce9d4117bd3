package sanitize

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// isPlain reports whether s is its own clean form: text in which nothing is
// escaped and nothing has to be.
func isPlain(s string) bool {
	if len(s) <= 32 {
		for i := range len(s) {
			if c := s[i]; c == '<' || c == '&' || c == '>' || c == '\r' || c == 0 || c >= utf8.RuneSelf {
				return c >= utf8.RuneSelf && isPlainUTF8(s)
			}
		}
		return true
	}
	return isPlainUTF8(s)
}

// isPlainUTF8 is isPlain for texts of some length: what looks for one byte looks
// at many at once.
func isPlainUTF8(s string) bool {
	return strings.IndexByte(s, '<') < 0 && strings.IndexByte(s, '&') < 0 && strings.IndexByte(s, '>') < 0 &&
		strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0 && (strings.IndexByte(s, 0xc2) < 0 || !strings.Contains(s, "\u00a0")) &&
		utf8.ValidString(s)
}

// isSpace reports whether s is white space as HTML has it.
func isSpace(s []byte) bool {
	return !bytes.ContainsFunc(s, func(r rune) bool { return !isSpaceRune(r) })
}

func isSpaceRune(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\f' || r == '\r' }

// appendText appends a text between tags.
func appendText(out, s []byte) []byte { return appendEscaped(out, s, false) }

// appendEscaped appends a text, or the value of an attribute in quotes. A carriage
// return is written as a reference, because a parser reads the character itself as a
// line feed; a NUL in a text is left out, as a parser does.
func appendEscaped[T []byte | string](out []byte, s T, quoted bool) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		escape, width := "", 1
		switch c := s[i]; {
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '\r':
			escape = "&#13;"
		case c == '"' && quoted:
			escape = "&quot;"
		case c == 0 && !quoted:
		case c == 0xc2 && i+1 < len(s) && s[i+1] == 0xa0:
			escape, width = "&nbsp;", 2
		default:
			continue
		}
		out = append(append(out, s[from:i]...), escape...)
		from = i + width
		i = from - 1
	}
	return append(out, s[from:]...)
}

// escapeText returns a text as HTML that shows it.
func escapeText(s string) string {
	return string(appendText(nil, []byte(strings.ToValidUTF8(s, "\uFFFD"))))
}

// appendAttribute appends an attribute. Angle brackets are escaped although a
// parser would not mind them in quotes: text that is parsed by the wrong rules
// still holds no tag.
func appendAttribute(out []byte, name, value string) []byte {
	out = append(append(append(out, ' '), name...), `="`...)
	return append(appendEscaped(out, value, true), '"')
}

// escapeAll escapes every character that means something anywhere in HTML.
func escapeAll(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsAny(s, "<>&\"'`/= \t\n\f\r\x00") {
		return s
	}
	b := make([]byte, 0, len(s)+len(s)/2)
	for i := range len(s) {
		switch c := s[i]; c {
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '&':
			b = append(b, "&amp;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\'':
			b = append(b, "&apos;"...)
		case '`':
			b = append(b, "&grave;"...)
		case '/':
			b = append(b, "&#47;"...)
		case '=':
			b = append(b, "&#61;"...)
		case ' ':
			b = append(b, "&#32;"...)
		case '\t':
			b = append(b, "&#9;"...)
		case '\n':
			b = append(b, "&#10;"...)
		case '\f':
			b = append(b, "&#12;"...)
		case '\r':
			b = append(b, "&#13;"...)
		case 0:
			b = append(b, "&#65533;"...)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
