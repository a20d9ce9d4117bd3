// Package origin reads the origins in a configuration, such as
// "https://app.example.com:8443", strictly, and tells the server's own from others.
//
// What is compared with the origin of a request must be written as a browser
// writes it (Fetch standard, "serializing a request origin"): an entry in any
// other spelling is compared for ever and never matches, or matches in one
// comparison and not in the next. So there is one spelling, and the errors say
// what is wrong with the others.
package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Origin is what counts about an origin beside its spelling.
type Origin struct {
	// TLS is set for https.
	TLS bool
	// Loopback is set for this machine: localhost, names below it, addresses.
	Loopback bool
	// Wildcard is set if the host begins with "*.".
	Wildcard bool
}

// Parse takes an entry apart. The error is the rest of a sentence that begins with
// the entry.
func Parse(entry string) (o Origin, err error) {
	switch {
	case entry == "null":
		return o, errors.New("is the origin of every sandboxed frame, so anybody's")
	case strings.ContainsFunc(entry, func(r rune) bool { return r > '~' }):
		return o, errors.New("has a character beyond ASCII; browsers send such names as xn--…")
	case strings.ContainsFunc(entry, func(r rune) bool { return r <= ' ' }):
		return o, errors.New("has a space or a control character")
	case strings.ToLower(entry) != entry:
		return o, errors.New("has a capital letter; browsers send none")
	}
	scheme, rest, found := strings.Cut(entry, "://")
	if !found || scheme != "https" && scheme != "http" {
		return o, errors.New(`is not an origin, want one like "https://app.example.com"`)
	}
	o.TLS = scheme == "https"
	if strings.ContainsAny(rest, `/?#\`) {
		return o, errors.New("has something behind the host; an origin has no path and no final slash")
	}
	if strings.Contains(rest, "@") {
		return o, errors.New("has a user name; an origin has none")
	}
	host, err := cutPort(rest, o.TLS)
	if err != nil {
		return o, err
	}
	host, o.Wildcard = strings.CutPrefix(host, "*.")
	return o, o.parseHost(host)
}

// cutPort takes the port off a host, and refuses the ways to write one that no
// browser uses.
func cutPort(rest string, tls bool) (host string, err error) {
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || strings.HasSuffix(rest, "]") {
		return rest, nil
	}
	port := rest[i+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", errors.New("has a port that is none")
	}
	if tls && n == 443 || !tls && n == 80 {
		return "", fmt.Errorf("has the port %d, which browsers leave out", n)
	}
	return rest[:i], nil
}

func (o *Origin) parseHost(host string) error {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Is4In6() || addr.Zone() != "" || "["+addr.String()+"]" != host {
			return errors.New("has an address that browsers do not write so")
		}
		return o.isAddress(addr)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if last == "" {
		return errors.New("has no host, or one that ends in a full stop, which is another origin to browsers")
	}
	if slices.ContainsFunc(labels, func(s string) bool { return !IsLabel(s) }) || len(host) > 253 {
		return errors.New("has a host that is none")
	}
	if last[0] >= '0' && last[0] <= '9' { // Browsers read it as an IPv4 address, whatever it says.
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return errors.New("has an address that browsers do not write so")
		}
		return o.isAddress(addr)
	}
	if o.Wildcard && len(labels) < 2 && host != "localhost" {
		return errors.New("allows a whole top-level domain")
	}
	o.Loopback = last == "localhost"
	return nil
}

func (o *Origin) isAddress(addr netip.Addr) error {
	if o.Wildcard {
		return errors.New("is an address with a wildcard")
	}
	o.Loopback = addr.IsLoopback()
	return nil
}

// IsLabel reports whether s can be one part of a host name in lower case. The low
// line is in names that exist.
func IsLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// Trust says what is wrong with an entry of a list of origins that are trusted, byte for
// byte: no parser decides who is. The error is the rest of a sentence that begins with
// the entry. Insecure is the reason why some may be without TLS, and name the field that
// it is in.
func Trust(entry, insecure, name string) error {
	o, err := Parse(entry)
	switch {
	case err != nil:
		return err
	case o.Wildcard:
		return errors.New("has a wildcard: who gets hold of one such name is trusted; list each origin")
	case !o.TLS && !o.Loopback && insecure == "":
		return errors.New("has no TLS, so that everybody on the way can be it; say why in " + name)
	}
	return nil
}

// IsOwn reports whether the Origin of a request is that of the server, as the request
// has addressed it by its host. A page without TLS counts only where the server itself is
// reached without. One with TLS counts there, too: a proxy may have ended it, and it
// cannot be an attacker's.
func IsOwn(origin, host string, tls bool) bool {
	port := ":443"
	page, ok := strings.CutPrefix(origin, "https://")
	if !ok {
		port = ":80"
		if page, ok = strings.CutPrefix(origin, "http://"); !ok || tls {
			return false
		}
	}
	page = strings.TrimSuffix(page, port)
	return page != "" && strings.EqualFold(page, strings.TrimSuffix(host, port))
}
