package host

import (
	"net/netip"
	"strings"
)

// maxHost is the longest host that is looked at: a DNS name of 253 bytes, its
// final full stop and a port.
const maxHost = 253 + 1 + 6

// parsed is a host in the one form that is compared.
type parsed struct {
	name []byte     // in lower case, without a final full stop
	addr netip.Addr // instead of a name
	port uint16     // 0 if there is none
}

// parse reads a host with or without a port into buf. It takes less than RFC
// 3986 section 3.2.2 does: no percent-encoding, no sub-delims, no userinfo, no
// zone and nothing beyond ASCII, since each of these was read in two ways by
// two programs before.
func parse(buf *[maxHost]byte, s string) (p parsed, ok bool) {
	if s == "" || len(s) > maxHost {
		return p, false
	}
	if s[0] == '[' {
		return parseIPv6(s)
	}
	name, port, found := strings.Cut(s, ":")
	if found {
		if p.port, ok = parsePort(port); !ok {
			return p, false
		}
	}
	if p.name, ok = appendName(buf[:0], name); !ok {
		return p, false
	}
	// "127.0.0.1." is the address too. What only looks like one to lenient
	// parsers ("127.1", "0x7f.1") stays a name, and nobody has that name.
	if dotted := strings.TrimSuffix(name, "."); strings.Trim(dotted, "0123456789.") == "" {
		if addr, err := netip.ParseAddr(dotted); err == nil {
			p.addr, p.name = addr, nil
		}
	}
	return p, true
}

func parseIPv6(s string) (p parsed, ok bool) {
	inner, rest, found := strings.Cut(s[1:], "]")
	if !found || strings.IndexByte(inner, '%') >= 0 {
		return p, false
	}
	addr, err := netip.ParseAddr(inner)
	if err != nil || !addr.Is6() {
		return p, false
	}
	p.addr = addr
	if rest == "" {
		return p, true
	}
	if rest[0] != ':' {
		return p, false
	}
	p.port, ok = parsePort(rest[1:])
	return p, ok
}

// appendName appends a DNS name in lower case, without its final full stop. An
// underscore is no part of a host name, but names with one are in use.
func appendName(buf []byte, s string) ([]byte, bool) {
	s = strings.TrimSuffix(s, ".")
	label := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.':
			if label == 0 {
				return nil, false
			}
			label = -1
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return nil, false
		}
		if label++; label > 63 {
			return nil, false
		}
		buf = append(buf, c)
	}
	return buf, label > 0 && len(s) <= 253
}

// parsePort accepts 1 to 65535 without leading zeros.
func parsePort(s string) (uint16, bool) {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return uint16(n), n <= 65535
}
