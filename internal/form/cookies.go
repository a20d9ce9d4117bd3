package form

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/problem"
)

// Limits of the cookies of one request.
const (
	MaxCookieBytes = 16 << 10
	MaxCookies     = 100
)

// Cookies parses the values of all Cookie header fields and calls yield with
// each cookie in order, a name that comes twice as often as it comes. An error
// of yield ends it and is returned as it is.
//
// The syntax is that of RFC 6265 section 4.2.1, of which only the space after a
// semicolon may be missing; an empty field has no cookies. Anything else is refused with the whole request.
// net/http drops what it cannot read, and strips the quotes off a quoted value
// that the sender's browser counts as part of it; a proxy that does otherwise
// then sees other cookies than the app. Quoted values are refused for that
// reason.
func Cookies(header []string, yield func(name, value string) error) error {
	size, count := 0, 0
	for _, line := range header {
		if size += len(line); size > MaxCookieBytes {
			return cookiesTooLarge("the cookies are too large")
		}
	}
	for _, line := range header {
		for more := line != ""; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			line = strings.TrimPrefix(line, " ")
			name, value, found := strings.Cut(pair, "=")
			if !found || !field.IsToken(name) || !isCookieValue(value) {
				return malformed("cookie_invalid", "the Cookie header cannot be read")
			}
			if count++; count > MaxCookies {
				return cookiesTooLarge("there are too many cookies")
			}
			if err := yield(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// AppendCookies appends all cookies to dst; see [Cookies].
func AppendCookies(dst Pairs, header []string) (Pairs, error) {
	err := Cookies(header, func(name, value string) error {
		dst = append(dst, Pair{name, value})
		return nil
	})
	return dst, err
}

func cookiesTooLarge(detail string) *problem.Problem {
	return problem.New(http.StatusRequestHeaderFieldsTooLarge, detail).Named("cookies_too_large")
}

// isCookieValue reports whether s consists of cookie-octets of RFC 6265 section
// 4.1.1.
func isCookieValue(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f:
			return false
		case c == '"' || c == ',' || c == ';' || c == '\\':
			return false
		}
	}
	return true
}
