package outbound

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// canonical returns u with its host in ASCII and lower case, or an error if it
// must not be fetched.
func (p *policy) canonical(u *url.URL) (*url.URL, error) {
	refuse := func(why string) (*url.URL, error) { return nil, fmt.Errorf("%w: %s", ErrForbiddenURL, why) }
	switch {
	case u == nil:
		return refuse("there is none")
	case u.Scheme != "https" && !(u.Scheme == "http" && p.plain):
		return refuse("its scheme is not https")
	case u.Opaque != "":
		return refuse("it has no host")
	case u.User != nil:
		// "https://good.example@evil.example/" deceives who reads it, and a
		// password in a URL ends in logs.
		return refuse("it has user information")
	}
	name, port, err := splitHost(u)
	if err != nil {
		return refuse(err.Error())
	}
	host, addr, err := parseHost(name)
	switch {
	case err != nil:
		return refuse(err.Error())
	case !slices.Contains(p.ports, port):
		return refuse("its port is not allowed")
	case !p.allows(host, addr):
		return refuse("its host is not allowed")
	}
	if addr.IsValid() {
		if err := p.mayConnect(addr); err != nil {
			return nil, err
		}
	}
	clean := *u
	clean.Host = joinHost(host, addr, port, u.Scheme)
	return &clean, nil
}

// joinHost spells the host and the port in the one way that has no default port.
func joinHost(host string, addr netip.Addr, port uint16, scheme string) string {
	if addr.Is6() {
		host = "[" + host + "]"
	}
	if scheme == "https" && port == 443 || scheme == "http" && port == 80 {
		return host
	}
	return host + ":" + strconv.Itoa(int(port))
}

// splitHost returns the host, an IPv6 address with its brackets, and the port.
func splitHost(u *url.URL) (host string, port uint16, err error) {
	colon := strings.LastIndexByte(u.Host, ':')
	if colon < 0 || strings.HasSuffix(u.Host, "]") {
		if u.Scheme == "http" {
			return u.Host, 80, nil
		}
		return u.Host, 443, nil
	}
	digits := u.Host[colon+1:]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || digits[0] == '0' {
		return "", 0, errors.New("its port is no number from 1 to 65535")
	}
	return u.Host[:colon], uint16(n), nil
}

// parseHost reads a host as a URL has it. An address comes back as such too; a
// name is in ASCII and lower case.
func parseHost(text string) (string, netip.Addr, error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", netip.Addr{}, errors.New("its host is no IPv6 address")
		}
		addr = addr.Unmap()
		return addr.String(), addr, nil
	}
	host, err := toASCII(text)
	if err != nil {
		return "", netip.Addr{}, err
	}
	if err := checkName(host); err != nil {
		return "", netip.Addr{}, err
	}
	if !endsInNumber(host) {
		return host, netip.Addr{}, nil
	}
	// Resolvers of C read 0x7f.1, 0177.0.0.1, 127.1 and 2130706433 as 127.0.0.1.
	// Nobody who means well writes so.
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "", netip.Addr{}, errors.New("its host is a number and no IPv4 address in four decimal parts")
	}
	return host, addr, nil
}

// toASCII turns a host beyond ASCII into the form that is looked up, xn--… It
// takes lower-case letters and what belongs to them. Signs are refused: to a
// browser a digit in a circle is a digit, and an ideographic full stop is one,
// too. The rest is done by net/http, which writes a request for it, so that what
// is checked is what net/http connects to.
func toASCII(host string) (string, error) {
	host = strings.ToLower(host)
	ascii := true
	for _, r := range host { // Bytes that are no UTF-8 become a sign.
		if r < utf8.RuneSelf {
			continue
		}
		if ascii = false; !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return "", errors.New("its host is no name")
		}
	}
	if ascii {
		return host, nil
	}
	var request bytes.Buffer
	err := (&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: host, Path: "/"}}).Write(&request)
	_, rest, found := bytes.Cut(request.Bytes(), []byte("\r\nHost: "))
	line, _, ended := bytes.Cut(rest, []byte("\r\n"))
	if err != nil || !found || !ended {
		return "", errors.New("its host is no name")
	}
	return string(line), nil
}

// checkName returns an error unless host is made of labels of letters, digits,
// hyphens and underscores. A name that ends in a full stop is looked up like the
// one without it, but is another one to lists, certificates and caches.
func checkName(host string) error {
	if host == "" || len(host) > 253 {
		return errors.New("its host is empty or too long")
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return errors.New("its host has an empty label, a full stop at the end, or a label that is too long")
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return errors.New("its host is no name")
			}
		}
	}
	return nil
}

// endsInNumber reports whether the last label is a number, so that the host can
// only be an IPv4 address (as in the URL standard of the WHATWG).
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(last[2:], "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// allows reports whether AllowHosts has the host.
func (p *policy) allows(host string, addr netip.Addr) bool {
	if p.any {
		return true
	}
	if addr.IsValid() {
		_, ok := p.addrs[addr]
		return ok
	}
	if _, ok := p.names[host]; ok {
		return true
	}
	if dot := strings.IndexByte(host, '.'); dot > 0 { // Only the first label may vary.
		_, ok := p.suffixes[host[dot:]]
		return ok
	}
	return false
}

// origin is what credentials belong to.
func origin(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = u.Scheme
	}
	return u.Scheme + "://" + strings.ToLower(net.JoinHostPort(host, port))
}
