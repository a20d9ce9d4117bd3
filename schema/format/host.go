package format

import (
	"net/netip"
	"strings"
)

const (
	sayHostname = "value is not a valid hostname"
	sayEmail    = "value is not a valid email address"
	codeIPv4    = "ip_v4_address"
	sayIPv4     = "Input is not a valid IPv4 address"
	codeIPv6    = "ip_v6_address"
	sayIPv6     = "Input is not a valid IPv6 address"
	codeIP      = "ip_any_address"
	sayIP       = "value is not a valid IPv4 or IPv6 address"
	codeNetwork = "ip_any_network"
	sayNetwork  = "value is not a valid IPv4 or IPv6 network"
)

// checkHostname follows RFC 1123 section 2.1: labels of letters, digits and
// inner hyphens. The last label must not be a number, or the name could be an
// IPv4 address to the next reader. A trailing dot is refused, since
// "example.com." and "example.com" are one host and two strings.
func checkHostname(s string) error {
	if !isHostname(s) {
		return plain(codeValue, sayHostname)
	}
	return nil
}

func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for {
		label, rest, more := strings.Cut(s, ".")
		kind := labelOf(label)
		switch {
		case kind == notLabel:
			return false
		case !more:
			return kind == labelWord
		}
		s = rest
	}
}

type labelKind int

const (
	notLabel labelKind = iota
	labelNumber
	labelWord
)

func labelOf(s string) labelKind {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return notLabel
	}
	kind := labelNumber
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
		case isLetter(c) || c == '-':
			kind = labelWord
		default:
			return notLabel
		}
	}
	return kind
}

// checkEmail accepts the addresses that mail systems agree on: a dot-atom of at
// most 64 bytes (RFC 5321 sections 4.1.2 and 4.5.3.1), and a domain with at
// least one dot. Quoted local parts, comments and address literals are refused:
// parsers differ about where such an address ends, and "a@localhost" or
// "a@[127.0.0.1]" sends mail into the own network.
func checkEmail(s string) error {
	local, domain, found := strings.Cut(s, "@")
	switch {
	case !found:
		return badEmail("An email address must have an @-sign.")
	case local == "":
		return badEmail("There must be something before the @-sign.")
	case domain == "":
		return badEmail("There must be something after the @-sign.")
	case len(s) > 254 || len(local) > 64:
		return badEmail("The email address is too long.")
	case !isDotAtom(local):
		return badEmail("The part before the @-sign contains invalid characters or misplaced periods.")
	case !strings.Contains(domain, "."):
		return badEmail("The part after the @-sign is not valid. It should have a period.")
	case !isHostname(domain):
		return badEmail("The part after the @-sign is not a valid hostname.")
	}
	return nil
}

func badEmail(reason string) error {
	return &Mistake{codeValue, sayEmail + ": " + reason, "reason", reason}
}

func isDotAtom(s string) bool {
	dot := true // A dot must not come first, last, or after a dot.
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && dot:
			return false
		case c == '.':
			dot = true
		case isLetter(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
			dot = false
		default:
			return false
		}
	}
	return !dot
}

// checkIPv4 takes four decimal numbers. A leading zero is refused: some readers
// take 010.0.0.1 for octal and connect to 8.0.0.1.
func checkIPv4(s string) error {
	if addr, ok := parseIP(s); !ok || !addr.Is4() {
		return plain(codeIPv4, sayIPv4)
	}
	return nil
}

// checkIPv6 takes any form of RFC 4291 section 2.2 and refuses a zone, which
// means something only on the machine that it names.
func checkIPv6(s string) error {
	if !isIPv6(s) {
		return plain(codeIPv6, sayIPv6)
	}
	return nil
}

func isIPv6(s string) bool {
	addr, ok := parseIP(s)
	return ok && addr.Is6()
}

// maxIP is the length of the longest address, an IPv6 address that ends in an
// IPv4 address. The error of netip holds the whole input, however long.
const maxIP = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")

func parseIP(s string) (addr netip.Addr, ok bool) {
	if len(s) > maxIP {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(s)
	return addr, err == nil && addr.Zone() == ""
}

func checkIP(s string) error {
	if _, ok := parseIP(s); !ok {
		return plain(codeIP, sayIP)
	}
	return nil
}

// checkCIDR takes a network whose host bits are zero. 10.0.0.1/8 is refused:
// whoever wrote it meant either one address or a whole network, and in an
// allowlist the difference is sixteen million hosts.
func checkCIDR(s string) error {
	if len(s) <= maxIP+len("/128") {
		if network, err := netip.ParsePrefix(s); err == nil && network == network.Masked() {
			return nil
		}
	}
	return plain(codeNetwork, sayNetwork)
}
