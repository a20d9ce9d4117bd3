package framing

import (
	"bytes"
	"net/netip"
)

// Classes of bytes, as bits.
const (
	tokenByte  byte = 1 << iota // RFC 9110 section 5.6.2
	methodByte                  // a token byte that is not a lower-case letter
	targetByte                  // visible ASCII without '#': a fragment is never sent
	valueByte                   // RFC 9110 section 5.5: visible, space, tab, and 0x80 to 0xff
	hexDigit
	digitByte
	nameByte // of a registered name, without escapes (RFC 3986 section 3.2.2)
)

// classes is never written after it is made.
var classes = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		lower, upper := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z'
		digit := '0' <= c && c <= '9'
		if lower || upper || digit || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0 {
			t[i] |= tokenByte
			if !lower {
				t[i] |= methodByte
			}
		}
		if '!' <= c && c <= '~' && c != '#' {
			t[i] |= targetByte
		}
		if ' ' <= c && c != 0x7f || c == '\t' {
			t[i] |= valueByte
		}
		if digit {
			t[i] |= digitByte
		}
		if digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' {
			t[i] |= hexDigit
		}
		if lower || upper || digit || c == '-' || c == '.' || c == '_' || c == '~' {
			t[i] |= nameByte
		}
	}
	return t
}()

// all reports whether every byte of b is of a class.
func all[T []byte | string](b T, class byte) bool {
	for i := range len(b) {
		if classes[b[i]]&class == 0 {
			return false
		}
	}
	return true
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// fold reports whether b is want, which is in lower case. Only ASCII is folded: in
// Unicode the Kelvin sign is a k.
func fold[T []byte | string](b T, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i := range len(want) {
		if lower(b[i]) != want[i] {
			return false
		}
	}
	return true
}

// trim cuts spaces and tabs off both ends.
func trim[T []byte | string](b T) T {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// lists reports whether the comma-separated list b has an item that is token,
// which is in lower case.
func lists[T []byte | string](b T, token string) bool {
	for len(b) > 0 {
		end := 0
		for end < len(b) && b[end] != ',' {
			end++
		}
		if fold(trim(b[:end]), token) {
			return true
		}
		b = b[min(end+1, len(b)):]
	}
	return false
}

// sameHost reports whether a and b are equal but for the case of ASCII letters.
func sameHost(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// validHost reports whether b is a name, an IPv4 address or an IPv6 address in
// brackets, and perhaps a port.
func validHost(b []byte) bool {
	if len(b) == 0 || len(b) > 255+len(":65535") {
		return false
	}
	end := bytes.LastIndexByte(b, ':')
	if b[0] == '[' {
		end = bytes.IndexByte(b, ']') + 1
		if end == 0 {
			return false
		}
		addr, err := netip.ParseAddr(string(b[1 : end-1]))
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
	} else {
		if end < 0 {
			end = len(b)
		}
		if end == 0 || !all(b[:end], nameByte) {
			return false
		}
	}
	if end == len(b) {
		return true
	}
	port := b[end+1:]
	return b[end] == ':' && len(port) >= 1 && len(port) <= 5 && all(port, digitByte)
}

// validEscapes reports whether every % in the path of a target has two digits.
// net/http would refuse it too, but in its own words.
func validEscapes(path []byte) bool {
	for i := 0; i < len(path) && path[i] != '?'; i++ {
		if path[i] != '%' {
			continue
		}
		if i+2 >= len(path) || classes[path[i+1]]&classes[path[i+2]]&hexDigit == 0 {
			return false
		}
		i += 2
	}
	return true
}
