// Package field knows what a token of HTTP is: what names of header fields, cookies,
// methods and media types are made of (RFC 9110 section 5.6.2). A name that is none
// can end a field and begin the next one.
package field

// IsToken reports whether s is a token.
func IsToken(s string) bool {
	for i := range len(s) {
		if !IsTokenChar(s[i]) {
			return false
		}
	}
	return s != ""
}

// IsTokenChar reports whether c can be in a token.
func IsTokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}
