package cors

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// add takes an entry of Origins, or says what is wrong with it, as the rest of a
// sentence.
func (p *Policy) add(cfg *Config, entry string) error {
	o, err := parse(entry)
	if err != nil {
		return err
	}
	switch {
	case o.wildcard && cfg.InsecureSubdomains == "":
		return errors.New("allows whoever gets hold of any such name; list each origin, or say why in InsecureSubdomains")
	case !o.tls && !o.loopback && cfg.InsecureHTTPOrigins == "":
		return errors.New("has no TLS, so that everybody on the way can be it; say why in InsecureHTTPOrigins")
	}
	if o.wildcard {
		key := strings.Replace(entry, "*", "", 1)
		if _, twice := p.wildcards[key]; twice {
			return errors.New("is there twice")
		}
		p.wildcards[key] = struct{}{}
		return nil
	}
	if _, twice := p.exact[entry]; twice {
		return errors.New("is there twice")
	}
	p.exact[entry] = one(entry)
	return nil
}

// origin is what counts about an entry.
type origin struct {
	tls, loopback, wildcard bool
}

// parse takes an entry apart, and refuses those that no browser sends as an
// Origin (Fetch standard, "serializing a request origin"): they would be compared
// for ever and never match.
func parse(entry string) (o origin, err error) {
	switch {
	case entry == "*":
		return o, errors.New("allows every origin; say why in InsecureAnyOrigin")
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
	o.tls = scheme == "https"
	if strings.ContainsAny(rest, "/?#\\") {
		return o, errors.New("has something behind the host; an origin has no path and no final slash")
	}
	if strings.Contains(rest, "@") {
		return o, errors.New("has a user name; an origin has none")
	}
	host, err := cutPort(rest, o.tls)
	if err != nil {
		return o, err
	}
	host, o.wildcard = strings.CutPrefix(host, "*.")
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

func (o *origin) parseHost(host string) error {
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
	if slices.ContainsFunc(labels, func(s string) bool { return !isLabel(s) }) || len(host) > 253 {
		return errors.New("has a host that is none")
	}
	if last[0] >= '0' && last[0] <= '9' { // Browsers read it as an IPv4 address, whatever it says.
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return errors.New("has an address that browsers do not write so")
		}
		return o.isAddress(addr)
	}
	if o.wildcard && len(labels) < 2 && host != "localhost" {
		return errors.New("allows a whole top-level domain")
	}
	o.loopback = last == "localhost"
	return nil
}

func (o *origin) isAddress(addr netip.Addr) error {
	if o.wildcard {
		return errors.New("is an address with a wildcard")
	}
	o.loopback = addr.IsLoopback()
	return nil
}

// isLabel reports whether s can be one part of a host name in lower case. The low
// line is in names that exist.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// underWildcard reports whether the host of origin is one label longer than one
// of the wildcards.
func (p *Policy) underWildcard(origin string) bool {
	i := strings.Index(origin, "://") + len("://")
	if i < len("://") {
		return false
	}
	label, rest, found := strings.Cut(origin[i:], ".")
	if !found || !isLabel(label) {
		return false
	}
	_, ok := p.wildcards[origin[:i]+"."+rest]
	return ok
}

// mistakes returns what is wrong beside Origins.
func (c *Config) mistakes() (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.InsecureAnyOrigin != "" && len(c.Origins) > 0 {
		wrong("Origins and InsecureAnyOrigin contradict each other")
	}
	if c.InsecureAnyOrigin != "" && c.Credentials {
		wrong("Credentials for any origin: every page would read what its visitors may; list the origins")
	}
	if c.MaxAge < 0 || c.MaxAge > 24*time.Hour || c.MaxAge%time.Second != 0 {
		wrong("MaxAge is %v, want whole seconds, at most a day", c.MaxAge)
	}
	seen := map[string]bool{}
	for _, list := range []struct {
		field     string
		names     []string
		forbidden func(string) bool
	}{
		{"Methods", c.Methods, isForbiddenMethod},
		{"Headers", c.Headers, isForbiddenHeader},
		{"ExposeHeaders", c.ExposeHeaders, func(name string) bool { return name == "set-cookie" || name == "set-cookie2" }},
	} {
		for _, name := range list.names {
			key := list.field + " " + strings.ToLower(name)
			switch {
			case name == "*":
				wrong(`%s entry "*" allows each that there will ever be; list the names`, list.field)
			case !isToken(name):
				wrong("%s entry %q is not a name", list.field, name)
			case list.field == "Methods" && strings.ToUpper(name) != name:
				wrong("Methods entry %q: methods are compared as they are, want %q", name, strings.ToUpper(name))
			case list.forbidden(strings.ToLower(name)):
				wrong("%s entry %q is one that no page gets from its browser", list.field, name)
			case seen[key]:
				wrong("%s entry %q is there twice", list.field, name)
			}
			seen[key] = true
		}
	}
	return all
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isForbiddenMethod(name string) bool {
	return name == "connect" || name == "trace" || name == "track"
}

// isForbiddenHeader knows the names that no script can set (Fetch standard,
// "forbidden request-header").
func isForbiddenHeader(name string) bool {
	switch name {
	case "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method", "connection",
		"content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin", "referer", "set-cookie",
		"te", "trailer", "transfer-encoding", "upgrade", "via":
		return true
	}
	return strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, "access-control-request-")
}
