package spec

import (
	"net/url"
	"slices"
	"strings"
)

// bases fills the servers and what can stand before the paths. The host of a server is
// never used: a document must not choose whom a scan attacks.
func (l *loader) bases(root *place) {
	var ours, others []string
	add := func(address string) {
		if !slices.Contains(l.api.Servers, address) {
			l.api.Servers = append(l.api.Servers, address)
		}
		base, same := l.baseOf(address)
		if same {
			ours = append(ours, base)
		} else {
			others = append(others, base)
		}
	}
	for _, address := range l.serversOf(root) {
		add(address)
	}
	if base := root.text("basePath"); base != "" || root.text("host") != "" {
		address := base
		if host := root.text("host"); host != "" {
			scheme := "https"
			if s := root.texts("schemes"); len(s) > 0 {
				scheme = s[0]
			}
			address = scheme + "://" + host + "/" + strings.TrimLeft(base, "/")
		}
		add(address)
	}
	l.api.Bases = append(ours, others...)
	if allBelow(root.get("paths"), l.api.Bases) {
		l.api.Bases = slices.Insert(l.api.Bases, 0, "")
	}
	l.api.Bases = append(l.api.Bases, "")
	if source, err := url.Parse(l.config.Source); err == nil && isAddress(l.config.Source) {
		folder := source.EscapedPath()
		l.api.Bases = append(l.api.Bases, strings.TrimRight(folder[:strings.LastIndexByte(folder, '/')+1], "/"))
	}
	l.api.Bases = unique(l.api.Bases)
	l.api.Base = l.api.Bases[0]
}

// allBelow reports whether the paths already begin with the first base.
func allBelow(paths *place, bases []string) bool {
	if len(bases) == 0 || bases[0] == "" || paths.kind() != isObject || len(paths.node.keys) == 0 {
		return false
	}
	return !slices.ContainsFunc(paths.node.keys, func(key string) bool {
		return strings.HasPrefix(key, "/") && !strings.HasPrefix(key+"/", bases[0]+"/")
	})
}

// maxServers that are looked at, with the values of their variables.
const maxServers = 20

// serversOf returns the addresses of a document, path or operation, with the values of
// their variables.
func (l *loader) serversOf(p *place) (out []string) {
	servers := p.get("servers")
	list := servers.children()
	if servers.kind() == isObject {
		list = []*place{servers} // One server, not in a list.
	}
	for _, server := range list {
		address := server.text("url")
		if server.kind() == isString {
			address = server.node.text
		}
		variants := []string{strings.TrimSpace(address)}
		for _, v := range server.get("variables").children() {
			values := []string{v.text("default")}
			for _, e := range v.texts("enum") {
				if e != values[0] {
					values = append(values, e)
				}
			}
			var next []string
			for _, value := range values {
				for _, variant := range variants {
					if len(next) < maxServers {
						next = append(next, strings.ReplaceAll(variant, "{"+v.key+"}", value))
					}
				}
			}
			variants = unique(next)
		}
		for _, variant := range variants {
			if variant != "" && len(out) < maxServers && len(variant) < 2000 {
				out = append(out, variant)
			}
		}
	}
	return out
}

// baseOf returns the path of a server, and whether it is of the host of the document.
func (l *loader) baseOf(address string) (base string, same bool) {
	clean := address
	if i := strings.Index(clean, "://"); i >= 0 {
		// A variable in the host is no address.
		host, rest, _ := strings.Cut(clean[i+3:], "/")
		clean = "https://" + strings.NewReplacer("{", "", "}", "").Replace(host) + "/" + rest
	}
	u, err := url.Parse(clean)
	if err != nil {
		return "", false
	}
	if source, err := url.Parse(l.config.Source); err == nil && isAddress(l.config.Source) {
		u = source.ResolveReference(u)
		same = strings.EqualFold(u.Host, source.Host)
	}
	base = strings.TrimRight(u.EscapedPath(), "/")
	if base != "" && base[0] != '/' {
		base = "/" + strings.TrimLeft(base, "./")
	}
	if strings.ContainsAny(base, "{}") || strings.Contains(base, "%7B") {
		return "", same
	}
	return strings.TrimRight(base, "/"), same
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
