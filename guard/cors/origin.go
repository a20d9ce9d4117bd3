package cors

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/internal/origin"
)

// add takes an entry of Origins, or says what is wrong with it, as the rest of a
// sentence.
func (p *Policy) add(cfg *Config, entry string) error {
	if entry == "*" {
		return errors.New("allows every origin; say why in InsecureAnyOrigin")
	}
	o, err := origin.Parse(entry)
	switch {
	case err != nil:
		return err
	case o.Wildcard && cfg.InsecureSubdomains == "":
		return errors.New("allows whoever gets hold of any such name; list each origin, or say why in InsecureSubdomains")
	case !o.TLS && !o.Loopback && cfg.InsecureHTTPOrigins == "":
		return errors.New("has no TLS, so that everybody on the way can be it; say why in InsecureHTTPOrigins")
	}
	if o.Wildcard {
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

// underWildcard reports whether the host of asked is one label longer than one of
// the wildcards.
func (p *Policy) underWildcard(asked string) bool {
	i := strings.Index(asked, "://") + len("://")
	if i < len("://") {
		return false
	}
	label, rest, found := strings.Cut(asked[i:], ".")
	if !found || !origin.IsLabel(label) {
		return false
	}
	_, ok := p.wildcards[asked[:i]+"."+rest]
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
			case !field.IsToken(name):
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
