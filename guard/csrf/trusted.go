package csrf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// wrongOrigin says what is wrong with a trusted origin, or "". Entries are compared
// byte for byte with what browsers send (Fetch standard, "serializing a request
// origin"), so that no parser decides who is trusted. One that no browser sends
// would do nothing.
func (c *Config) wrongOrigin(entry string) string {
	const notOne = `is not an origin, want one like "https://app.example.com"`
	scheme, rest, found := strings.Cut(entry, "://")
	switch {
	case entry == "null":
		return "is the origin of every sandboxed frame, so anybody's"
	case strings.Contains(entry, "*"):
		return "has a wildcard: who gets hold of one such name is trusted; list each origin"
	case strings.ContainsFunc(entry, func(r rune) bool { return r <= ' ' || r > '~' || 'A' <= r && r <= 'Z' }):
		return "has capitals, spaces or characters beyond ASCII, which browsers do not send in an origin"
	case !found || scheme != "https" && scheme != "http" || strings.ContainsAny(rest, `/?#\@`):
		return notOne
	}
	host, ok := cutPort(rest, scheme)
	loopback, isHost := parseHost(host)
	switch {
	case !ok:
		return "has a port that is none, or its default port, which browsers leave out"
	case !isHost:
		return "has a host that is none, or that browsers write in another way"
	case scheme == "http" && !loopback && c.InsecureTrustedHTTP == "":
		return "has no TLS, so that everybody on the way can be it; say why in InsecureTrustedHTTP"
	}
	return ""
}

func cutPort(rest, scheme string) (host string, ok bool) {
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || strings.HasSuffix(rest, "]") {
		return rest, true
	}
	n, err := strconv.ParseUint(rest[i+1:], 10, 16)
	usual := map[string]uint64{"https": 443, "http": 80}[scheme]
	return rest[:i], err == nil && n != 0 && n != usual && strconv.FormatUint(n, 10) == rest[i+1:]
}

func parseHost(host string) (loopback, ok bool) {
	if inner, bracket := strings.CutPrefix(host, "["); bracket {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Is4In6() || addr.Zone() != "" || "["+addr.String()+"]" != host {
			return false, false
		}
		return addr.IsLoopback(), true
	}
	labels := strings.Split(host, ".")
	if len(host) > 253 || slices.ContainsFunc(labels, func(s string) bool { return !isLabel(s) }) {
		return false, false
	}
	last := labels[len(labels)-1]
	if '0' <= last[0] && last[0] <= '9' { // Browsers read it as an IPv4 address, whatever it says.
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.IsLoopback(), err == nil
	}
	return last == "localhost", true
}

// isLabel reports whether s can be one part of a host name. The low line is in
// names that exist.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
