package form

import (
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

// DefaultPairs is the number of pairs that a query or a form may have if the
// caller does not say.
const DefaultPairs = 256

// Query parses a query string, without its question mark, and calls yield with
// each pair in order. An error of yield ends it and is returned as it is.
//
// It follows the WHATWG URL standard's application/x-www-form-urlencoded, and
// refuses what others read in another way: a semicolon, which was a separator
// once; a percent sign that is not an escape; what is not UTF-8 after decoding;
// control characters in names, and unescaped ones anywhere. Empty pieces, as in
// "a=1&&b=2", are skipped. More than maxPairs pairs are refused; 0 means
// [DefaultPairs].
//
// Names and values without an escape are parts of raw; nothing is allocated for
// them.
func Query(raw string, maxPairs int, yield func(name, value string) error) error {
	return inQuery.parse(raw, maxPairs, yield)
}

// AppendQuery appends the pairs of a query string to dst; see [Query].
func AppendQuery(dst Pairs, raw string, maxPairs int) (Pairs, error) {
	err := Query(raw, maxPairs, func(name, value string) error {
		dst = append(dst, Pair{name, value})
		return nil
	})
	return dst, err
}

// Body parses the text of an application/x-www-form-urlencoded body as [Query]
// does. Its size is the caller's to limit while reading.
func Body(text string, maxPairs int, yield func(name, value string) error) error {
	return inBody.parse(text, maxPairs, yield)
}

// AppendBody appends the pairs of a body to dst; see [Body].
func AppendBody(dst Pairs, text string, maxPairs int) (Pairs, error) {
	err := Body(text, maxPairs, func(name, value string) error {
		dst = append(dst, Pair{name, value})
		return nil
	})
	return dst, err
}

// source is where urlencoded text came from.
type source bool

const (
	inQuery source = false
	inBody  source = true
)

func (in source) parse(raw string, maxPairs int, yield func(name, value string) error) error {
	if maxPairs <= 0 {
		maxPairs = DefaultPairs
	}
	for pairs := 0; raw != ""; {
		var piece string
		piece, raw, _ = strings.Cut(raw, "&")
		if piece == "" {
			continue
		}
		if pairs++; pairs > maxPairs {
			return in.tooMany()
		}
		name, value, _ := strings.Cut(piece, "=")
		name, why := decode(name)
		if why == "" {
			value, why = decode(value)
		}
		if why == "" && hasControl(name) {
			why = "a name holds a control character"
		}
		if why != "" {
			return in.malformed(why)
		}
		if err := yield(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (in source) malformed(why string) *problem.Problem {
	if in == inBody {
		return malformed("form_invalid", "the form cannot be read: "+why)
	}
	return malformed("query_invalid", "the query string cannot be read: "+why)
}

func (in source) tooMany() *problem.Problem {
	if in == inBody {
		return tooLarge("form_too_many_fields", "the form has too many fields")
	}
	return malformed("query_too_many_parameters", "the query string has too many parameters")
}

// decode decodes one name or value, once, and says why it could not.
func decode(s string) (text, why string) {
	escapes, ascii := 0, true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if len(s) < i+3 || unhex(s[i+1]) > 15 || unhex(s[i+2]) > 15 {
				return "", "a percent sign is not followed by two hexadecimal digits"
			}
			ascii = ascii && s[i+1] < '8'
			escapes++
			i += 2
		case c == '+':
			escapes++
		case c == ';':
			return "", "a semicolon must be written %3B"
		case isControl(c):
			return "", "a control character is not escaped"
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if escapes > 0 {
		s = unescape(s)
	}
	if !ascii && !utf8.ValidString(s) {
		return "", "the text is not valid UTF-8"
	}
	return s, ""
}

// unescape decodes s, whose escapes are known to be valid.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b.WriteByte(' ')
		case '%':
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unhex returns the value of a hexadecimal digit, or more than 15.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// hasControl reports whether s holds a control character of Unicode's C0 or C1
// set.
func hasControl(s string) bool {
	for i := range len(s) {
		if isControl(s[i]) || s[i] == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0 {
			return true
		}
	}
	return false
}
