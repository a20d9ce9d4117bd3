package route

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// cleanPath returns the decoded path of u to match on. If ok is false, verdict
// is the outcome.
//
// net/url has decoded the path once, into u.Path, and kept the original in
// u.RawPath if that is not its own way to write u.Path. Splitting u.Path at its
// slashes is only right if none of them was encoded, so both forms are judged.
// That way no segment has to be decoded here, and nothing is decoded twice.
//
// [url.URL.EscapedPath] is no substitute: it drops a RawPath that holds, say, a
// raw quotation mark, and with it the only trace of a %2f.
func cleanPath(u *url.URL) (path string, verdict Outcome, ok bool) {
	if u.Opaque != "" || u.RawPath != "" && !isCleanRaw(u.RawPath) {
		return "", Malformed, false
	}
	if u.Path == "" && u.Host != "" { // "GET http://host" means "/" (RFC 9110 section 4.2.3).
		return "/", Found, true
	}
	verdict = inspect(u.Path)
	return u.Path, verdict, verdict == Found
}

// inspect returns Found for a decoded path that may be matched.
func inspect(path string) Outcome {
	if path == "" || path[0] != '/' {
		return Malformed
	}
	start, ascii, hollow := 1, true, false
	for i := 1; i < len(path); i++ {
		switch c := path[i]; {
		case c == '/':
			if i == start {
				hollow = true
			} else if path[start] == '.' && isDots(path[start:i]) {
				return Malformed
			}
			start = i + 1
		case c < ' ', c == 0x7f, c == '\\':
			return Malformed
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	switch last := path[start:]; {
	case last != "" && last[0] == '.' && isDots(last):
		return Malformed
	case !ascii && (!utf8.ValidString(path) || strings.ContainsFunc(path, isControl)):
		return Malformed
	case hollow:
		return NotFound
	}
	return Found
}

// isDots reports whether a segment is "." or "..", also with parameters as in
// "..;x": servers that know path parameters drop them and then climb.
func isDots(segment string) bool {
	name, _, _ := strings.Cut(segment, ";")
	return name == "." || name == ".."
}

// isControl reports whether r is a C0 or C1 control character or DEL.
func isControl(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }

// isCleanRaw reports whether an encoded path can be split at its slashes before
// or after decoding with the same result, and holds only what HTTP/1 and HTTP/2
// both carry. Beyond the characters of RFC 3986 section 3.3 it allows [ ] | and
// ^, which browsers send as they are.
func isCleanRaw(raw string) bool {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '%':
			if i+2 >= len(raw) || isHiddenSeparator(raw[i+1], raw[i+2]) {
				return false
			}
			i += 2
		case c <= ' ', c >= 0x7f, c == '"', c == '#', c == '<', c == '>', c == '\\', c == '`', c == '{', c == '}':
			return false
		}
	}
	return true
}

// isHiddenSeparator reports whether %xy is a slash or a backslash.
func isHiddenSeparator(x, y byte) bool {
	y |= 0x20
	return x == '2' && y == 'f' || x == '5' && y == 'c'
}

// otherForm returns the reference to u with the trailing slash added or taken
// away. The path was inspected: it has no empty segment, so the reference
// cannot start with "//" and name another host.
func otherForm(u *url.URL) string {
	path := u.EscapedPath()
	buf := make([]byte, 0, len(path)+len(u.RawQuery)+2)
	if without, ok := strings.CutSuffix(path, "/"); ok {
		buf = append(buf, without...)
	} else {
		buf = append(append(buf, path...), '/')
	}
	if u.RawQuery != "" || u.ForceQuery {
		buf = append(buf, '?')
	}
	return string(appendQuery(buf, u.RawQuery))
}

// appendQuery appends a raw query; what may not stand in a header or would end
// the query is percent-encoded.
func appendQuery(buf []byte, query string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(query) {
		switch c := query[i]; {
		case c <= ' ', c >= 0x7f, c == '"', c == '#', c == '<', c == '>', c == '\\':
			buf = append(buf, '%', hex[c>>4], hex[c&15])
		default:
			buf = append(buf, c)
		}
	}
	return buf
}
