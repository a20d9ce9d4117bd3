package discover

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// ref is something of the target that an answer names.
type ref struct {
	method string
	path   string // may hold {name}
	query  string
	fields []field
	media  string // of the body
	source string // as "form in /login"
	base   string // path of the page
}

// field is a member of a body, or of a form.
type field struct {
	name, kind, value string // kind is that of an input
	required          bool
}

// Bounds of what is taken from one answer, and in all.
const (
	maxRefsPage = 400
	maxRefs     = 4000
)

// note keeps a reference, once.
func (f *finder) note(r ref) {
	target, ok := f.resolve(r.base, r.path)
	if !ok || len(f.refs) >= maxRefs {
		return
	}
	r.path, r.query, _ = strings.Cut(target, "?")
	if r.method == "" {
		r.method = "GET"
	}
	r.method = strings.ToUpper(r.method)
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.method) {
		return
	}
	if isStatic(r.path) {
		f.enqueue(target)
		return
	}
	k := r.method + " " + r.path + "?" + strings.Join(queryNames(r.query), "&")
	if f.seen[k] {
		return
	}
	f.seen[k] = true
	f.refs = append(f.refs, r)
}

// resolve returns path and query of a reference from a page, if it stays with the target.
// What stands in braces stays.
func (f *finder) resolve(from, to string) (string, bool) {
	to = strings.TrimSpace(to)
	to, _, _ = strings.Cut(to, "#")
	if to == "" || len(to) > 500 || strings.ContainsAny(to, " \t\r\n<>\"'`\\|^") {
		return "", false
	}
	// A URI template (RFC 6570) in a link of hypermedia names its query in {?a,b}.
	if before, names, found := strings.Cut(to, "{?"); found {
		to = before
		if names, _, closed := strings.Cut(names, "}"); closed {
			to += "?" + strings.Join(strings.Split(names, ","), "=&") + "="
		}
	}
	escaped := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(to)
	u, err := url.Parse(escaped)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", false
	}
	if u.Host != "" && !f.isTarget(u) || u.Host == "" && u.Scheme != "" {
		return "", false
	}
	base := &url.URL{Path: "/"}
	if parsed, err := url.Parse(from); err == nil && strings.HasPrefix(from, "/") && !strings.HasPrefix(from, "//") {
		base = parsed
	}
	full := base.ResolveReference(u)
	out := full.EscapedPath()
	if out == "" {
		out = "/"
	}
	if strings.HasPrefix(out, "//") {
		return "", false
	}
	if full.RawQuery != "" {
		out += "?" + full.RawQuery
	}
	return strings.NewReplacer("%7B", "{", "%7D", "}").Replace(out), true
}

// isTarget reports whether an address is one of the target. An application behind a proxy
// may not know its own port, nor that it is reached by https.
func (f *finder) isTarget(u *url.URL) bool {
	own, err := url.Parse(f.origin)
	return err == nil && (u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Hostname(), own.Hostname()) &&
		(u.Port() == own.Port() || u.Port() == "" || own.Port() == "")
}

// static are endings of files that hold no operation.
var static = regexp.MustCompile(`(?i)\.(css|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|eot|map|mp[34]|webm|pdf|zip|js|mjs|txt|wasm|html?)$`)

func isStatic(path string) bool { return static.MatchString(path) }

// isLinkName reports whether the member of an object holds an address, by its name.
func isLinkName(name string) bool {
	n := strings.ToLower(name)
	for _, end := range []string{"href", "url", "uri", "link", "links", "path", "endpoint", "location"} {
		if n == end || strings.HasSuffix(n, "_"+end) || len(n) > len(end) && strings.HasSuffix(n, end) && end != "path" {
			return true
		}
	}
	return slices.Contains([]string{"self", "next", "prev", "previous", "first", "last", "@id", "related", "route"}, n)
}

// fromJSON notes what the members of an answer link to.
func (f *finder) fromJSON(ex *wire.Exchange, v any) {
	left := maxRefsPage
	f.walk(ex.Request.Path, "", v, 0, &left)
}

func (f *finder) walk(page, name string, v any, depth int, left *int) {
	if depth > 12 || *left <= 0 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		method, _ := v["method"].(string)
		for _, member := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[member].(string); ok {
				f.text(page, member, text, method, left)
				continue
			}
			// A path as the name of a member is what lists of routes look like.
			if strings.HasPrefix(member, "/") && depth <= 3 {
				f.text(page, "path", member, "", left)
			}
			f.walk(page, member, v[member], depth+1, left)
		}
	case []any:
		for _, e := range v[:min(len(v), 50)] {
			if text, ok := e.(string); ok {
				f.text(page, name, text, "", left)
				continue
			}
			f.walk(page, name, e, depth+1, left)
		}
	}
}

// text notes a string of an answer if it is an address of the target.
func (f *finder) text(page, name, text, method string, left *int) {
	address := strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
	rooted := strings.HasPrefix(text, "/") && len(text) > 1 && (isLinkName(name) || f.config.Base != "" && strings.HasPrefix(text, f.config.Base+"/") || strings.HasPrefix(text, "/api/"))
	// "GET /items" is how some list their routes.
	if verb, path, found := strings.Cut(text, " "); found && strings.HasPrefix(path, "/") && verb == strings.ToUpper(verb) {
		method, text, rooted = verb, path, true
	}
	if !address && !rooted {
		return
	}
	*left--
	f.note(ref{method: method, path: text, base: page, source: "link in " + page})
}

// headerLink is a target of the Link field (RFC 8288, section 3).
var headerLink = regexp.MustCompile(`<([^<>]+)>`)

// fromHeader notes what header fields link to.
func (f *finder) fromHeader(ex *wire.Exchange) {
	page := ex.Request.Path
	for _, value := range ex.Header.Values("Link") {
		for _, m := range headerLink.FindAllStringSubmatch(value, 20) {
			f.note(ref{path: m[1], base: page, source: "Link field of " + page})
		}
	}
	for _, name := range []string{"Location", "Content-Location"} {
		if to := ex.Header.Get(name); to != "" {
			f.note(ref{path: to, base: page, source: name + " of " + page})
		}
	}
}

// harvest notes all that an answer names.
func (f *finder) harvest(ex *wire.Exchange) {
	f.fromHeader(ex)
	media := ex.Media()
	switch {
	case strings.Contains(media, "html"):
		f.fromHTML(ex)
	case strings.Contains(media, "javascript") || strings.Contains(media, "ecmascript"):
		f.fromScript(ex.Text(), ex.Request.Path, ex.Request.Path)
	case media == "text/plain" && strings.HasSuffix(ex.Request.Path, "/robots.txt"):
		f.fromRobots(ex)
	case strings.HasSuffix(media, "xml") && strings.Contains(ex.Text(), "<loc>"):
		for _, m := range siteLink.FindAllStringSubmatch(ex.Text(), maxRefsPage) {
			f.note(ref{path: m[1], base: "/", source: "sitemap"})
		}
	default:
		if v, ok := probe.Decode(ex); ok {
			f.fromJSON(ex, v)
		}
	}
}

var siteLink = regexp.MustCompile(`<loc>\s*([^<\s]+)\s*</loc>`)

// fromRobots notes what robots are asked to leave alone (RFC 9309, section 2.2.2).
func (f *finder) fromRobots(ex *wire.Exchange) {
	for line := range strings.Lines(ex.Text()) {
		name, path, _ := strings.Cut(line, ":")
		path = strings.TrimSpace(path)
		if n := strings.ToLower(strings.TrimSpace(name)); (n == "disallow" || n == "allow") && !strings.ContainsAny(path, "*$") {
			f.note(ref{path: path, base: "/", source: "robots.txt"})
		}
	}
}

func queryNames(query string) []string {
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err == nil && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
