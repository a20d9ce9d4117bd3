package discover

import (
	"context"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxAlike is how many pages of one shape are read: the hundredth item links to nothing new.
const maxAlike = 3

// readable are files that may name something of the API.
var readable = regexp.MustCompile(`(?i)\.(html?|m?js|txt)$`)

// enqueue keeps a file that is to be read later.
func (f *finder) enqueue(target string) {
	p, _, _ := strings.Cut(target, "?")
	if readable.MatchString(p) && !f.queued[p] && len(f.queue) < maxRefsPage {
		f.queued[p] = true
		f.queue = append(f.queue, target)
	}
}

// script keeps a script of a page that is to be read.
func (f *finder) script(base, src string) {
	if target, ok := f.resolve(base, src); ok {
		p, _, _ := strings.Cut(target, "?")
		if !f.queued[p] && len(f.queue) < maxRefsPage {
			f.queued[p] = true
			f.queue = append(f.queue, target)
		}
	}
}

// crawl follows links, as far as it may.
func (f *finder) crawl(ctx context.Context) {
	for _, ex := range f.config.Seen {
		f.harvest(ex)
	}
	start := []string{"/", "/robots.txt", "/sitemap.xml"}
	if f.config.Base != "" {
		start = append(start, f.config.Base, f.config.Base+"/")
	}
	for _, target := range start {
		f.read(ctx, target)
	}
	for next := 0; (next < len(f.queue) || f.done < len(f.refs)) && f.pages < f.config.MaxPages; {
		if next < len(f.queue) {
			f.read(ctx, f.queue[next])
			next++
			continue
		}
		r := f.refs[f.done]
		f.done++
		if r.method == http.MethodGet && !strings.Contains(r.path, "{") {
			f.read(ctx, withQuery(r.path, r.query))
		}
	}
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// read asks for a page and notes what it names.
func (f *finder) read(ctx context.Context, target string) {
	p, query, _ := strings.Cut(target, "?")
	shape := shapeOf(p) + "?" + strings.Join(queryNames(query), "&")
	if f.shapes[shape] >= maxAlike || f.pages >= f.config.MaxPages {
		return
	}
	f.shapes[shape]++
	f.pages++
	if ex := f.ask(ctx, http.MethodGet, target, "link"); ex != nil && ex.Status != 0 && ex.Status != http.StatusNotFound {
		f.harvest(ex)
	}
}

// dangerous are names of what a scan must not ask for, even with GET.
var dangerous = regexp.MustCompile(`^(re-?set|re-?init|re-?seed|seed|init|delete|remove|drop|create|destroy|erase|clear|log-?out|sign-?out|log-?off|shut-?down|re-?start|reboot|stop|kill|exit|quit|halt|purge|flush|wipe|truncate|unsubscribe|deactivate|disable|install|uninstall|migrate|rollback|revoke|terminate|populate)(s|d|ed)?$|^(create|drop|delete|reset|clear|init|seed|wipe|populate|remove)-?_?(db|database|data|all|tables?|users?|cache|account|everything)$`)

// Dangerous reports whether a path says that asking for it changes or ends something, so
// that it is not asked for, whatever the method.
func Dangerous(target string) bool {
	p, _, _ := strings.Cut(target, "?")
	return slices.ContainsFunc(strings.Split(p, "/"), func(part string) bool {
		if dangerous.MatchString(strings.ToLower(part)) {
			return true
		}
		first := strings.FieldsFunc(splitWords(part), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
		return len(first) > 1 && dangerous.MatchString(strings.ToLower(first[0]))
	})
}

// splitWords writes camelCase with hyphens.
func splitWords(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && 'A' <= r && r <= 'Z' && s[i-1] >= 'a' && s[i-1] <= 'z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// parents are the folders above a path, the nearest first.
func parents(p string) []string {
	var out []string
	for p = path.Dir(strings.TrimRight(p, "/")); p != "/" && p != "." && p != ""; p = path.Dir(p) {
		out = append(out, p)
	}
	return out
}
