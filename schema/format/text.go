package format

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

const (
	codeUUID     = "uuid_parsing"
	sayUUID      = "Input should be a valid UUID"
	codeBase64   = "base64_decode"
	sayBase64    = "Input should be valid base64 with padding"
	sayBase64URL = "Input should be valid base64url"
	codeRegex    = "pattern_regex"
	sayRegex     = "Input should be a valid regular expression"
	sayPointer   = "value is not a valid JSON Pointer"
	sayPhone     = "value is not a valid phone number"
)

// checkUUID takes the textual form of RFC 9562 section 4, of any version and
// variant, in either case. Braces, "urn:uuid:" and the form without hyphens are
// refused: a key with four spellings is four cache entries and one row.
func checkUUID(s string) error {
	const example = "00000000-0000-0000-0000-000000000000"
	if len(s) != len(example) {
		return because(codeUUID, sayUUID, "invalid length: expected 36 characters in groups of 8-4-4-4-12")
	}
	for i := range len(s) {
		switch {
		case example[i] == '-' && s[i] != '-':
			return because(codeUUID, sayUUID, "invalid group length: expected groups of 8-4-4-4-12")
		case example[i] != '-' && !isHex(s[i]):
			return because(codeUUID, sayUUID, "invalid character: expected hexadecimal digits")
		}
	}
	return nil
}

// checkBase64 takes RFC 4648 section 4 with its padding and, unlike
// encoding/base64 even when strict, without line breaks. The unused bits of the
// last character must be zero, so that a value has one spelling.
func checkBase64(s string) error {
	data := trimPadding(s)
	if len(s)%4 != 0 || !isBase64(data, '+', '/') {
		return plain(codeBase64, sayBase64)
	}
	return nil
}

// checkBase64URL takes RFC 4648 section 5. The padding is complete or left out
// altogether.
func checkBase64URL(s string) error {
	data := trimPadding(s)
	if len(data) != len(s) && len(s)%4 != 0 || !isBase64(data, '-', '_') {
		return plain(codeBase64, sayBase64URL)
	}
	return nil
}

func trimPadding(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
}

// isBase64 checks s, which has no padding.
func isBase64(s string, c62, c63 byte) bool {
	last := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z':
			last = c - 'A'
		case 'a' <= c && c <= 'z':
			last = c - 'a' + 26
		case isDigit(c):
			last = c - '0' + 52
		case c == c62:
			last = 62
		case c == c63:
			last = 63
		default:
			return false
		}
	}
	switch len(s) % 4 {
	case 1:
		return false
	case 2:
		return last&0xf == 0
	case 3:
		return last&0x3 == 0
	}
	return true
}

// The bounds of what an untrusted pattern may cost before anybody runs it.
const (
	maxRegex        = 1000 // bytes
	maxRegexClasses = 4    // \p and \P, each of which stands for up to 700 ranges of characters
)

// checkRegex takes the syntax of RE2, which Go runs in linear time. ECMA 262's
// look-around and back-references, which need backtracking, are refused, and so
// is what takes long to parse already: more than 1000 bytes, more than four
// Unicode classes (\p, \P), and ranges of case-insensitive patterns that end
// beyond U+07FF or in \x{…}: (?i)[B-𞥂] alone is 125000 look-ups. Shorter ones
// beyond ASCII count as classes there.
func checkRegex(s string) error {
	if len(s) > maxRegex || wideClasses(s) > maxRegexClasses {
		return plain(codeRegex, sayRegex)
	}
	if _, err := syntax.Parse(s, syntax.Perl); err != nil {
		return plain(codeRegex, sayRegex)
	}
	return nil
}

// wideClasses counts what is expensive in s, or says that it is too much. It does
// not parse: it takes every flag and every hyphen for one that counts.
func wideClasses(s string) int {
	wide := strings.Count(s, `\p`) + strings.Count(s, `\P`)
	if !foldsCase(s) {
		return wide
	}
	for {
		_, after, found := strings.Cut(s, "-")
		switch {
		case !found:
			return wide
		case strings.HasPrefix(after, `\x{`) || after != "" && after[0] >= 0xE0: // The first byte of three or four.
			return maxRegexClasses + 1
		case after != "" && after[0] >= utf8.RuneSelf:
			wide++
		}
		s = after
	}
}

// foldsCase reports whether s may have the flag i.
func foldsCase(s string) bool {
	for {
		_, after, found := strings.Cut(s, "(?")
		if !found {
			return false
		}
		flags := strings.TrimLeft(after, "imsU-")
		if strings.Contains(after[:len(after)-len(flags)], "i") {
			return true
		}
		s = after
	}
}

// checkJSONPointer follows RFC 6901 section 3.
func checkJSONPointer(s string) error {
	if s != "" && s[0] != '/' || !utf8.ValidString(s) {
		return plain(codeValue, sayPointer)
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return plain(codeValue, sayPointer)
		}
	}
	return nil
}

// checkPhone takes an international number of ITU-T E.164: a plus and 7 to 15
// digits, the first not zero, without spaces.
func checkPhone(s string) error {
	digits, ok := strings.CutPrefix(s, "+")
	if !ok || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' || countDigits(digits) != len(digits) {
		return plain(codeValue, sayPhone)
	}
	return nil
}
