package discover

import (
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// maxLists is how many lists are asked for, to see what is in them.
const maxLists = 25

// items tries what is in lists by its id: "/loans/7" beside "/loans".
func (f *finder) items(ctx context.Context) {
	lists := 0
	for _, op := range f.all() {
		slash := ""
		if strings.HasSuffix(op.Path, "/") {
			slash = "/"
		}
		path := strings.TrimRight(op.Path, "/") + "/{id}" + slash
		if op.Method != http.MethodGet || strings.Contains(op.Path, "{") || f.known[key(http.MethodGet, path)] || Dangerous(op.Path) || lists >= maxLists {
			continue
		}
		target := f.concrete(op)
		lists++
		list := f.ask(ctx, http.MethodGet, target, "list")
		if list == nil || !list.OK() {
			continue
		}
		id := firstID(list)
		if id == "" {
			continue
		}
		target, _, _ = strings.Cut(target, "?")
		target = strings.TrimRight(target, "/") + "/" + escape(id) + slash
		answer, absent, ok := f.exists(ctx, http.MethodGet, target, "item of a list")
		if !ok || answer.Status == http.StatusMethodNotAllowed {
			continue
		}
		f.add(&spec.Operation{
			Method: http.MethodGet, Path: path, Security: op.Security, Secured: op.Secured,
			Params: []*spec.Param{{Name: "id", In: "path", Required: true, Style: "simple", Schema: &spec.Schema{}, Examples: []any{id}}},
			Found:  fmt.Sprintf("an id of the list %s; GET answers %d, unlike paths that are not there", op.Path, answer.Status),
		}, answer, absent)
	}
}

func escape(id string) string { return fill("{id}", func(string) string { return id }) }

// firstID returns the id of the first object of a list, or "".
func firstID(ex *wire.Exchange) string {
	v, ok := probe.Decode(ex)
	if !ok {
		return ""
	}
	return idIn(v, 0)
}

func idIn(v any, depth int) string {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			return ""
		}
		m, ok := v[0].(map[string]any)
		if !ok {
			return ""
		}
		for _, want := range []string{"id", "uuid", "guid", "slug", "code", "key"} {
			for _, name := range slices.Sorted(maps.Keys(m)) {
				if strings.Trim(strings.ToLower(name), "_") == want {
					if text := probe.Text(m[name]); text != "" && len(text) <= 64 && !strings.ContainsAny(text, "/?#{} ") {
						return text
					}
				}
			}
		}
	case map[string]any:
		if depth > 2 {
			return ""
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if id := idIn(v[name], depth+1); id != "" {
				return id
			}
		}
	}
	return ""
}

// What pages for developers look like that list the paths there are (Django).
var (
	routeList = regexp.MustCompile(`(?s)URLconf.{0,600}?<ol>(.*?)</ol>`)
	routeItem = regexp.MustCompile(`(?s)<li>(.*?)</li>`)
	anyTag    = regexp.MustCompile(`(?s)<[^>]*>`)
	routeName = regexp.MustCompile(`\[name=[^\]]*\]`)
	pathParam = regexp.MustCompile(`\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>`)
)

// routes reads the paths that a target names itself when it is asked for one that it does
// not have: pages for developers list all of them.
func (f *finder) routes(ctx context.Context) {
	page := f.ask(ctx, http.MethodGet, f.decoy(f.config.Base+"/routes"), "routes")
	if page == nil || page.Status != http.StatusNotFound {
		return
	}
	m := routeList.FindStringSubmatch(page.Text())
	if m == nil {
		return
	}
	for _, item := range routeItem.FindAllStringSubmatch(m[1], maxRefsPage) {
		text := routeName.ReplaceAllString(html.UnescapeString(anyTag.ReplaceAllString(item[1], "")), "")
		text = pathParam.ReplaceAllString(strings.Join(strings.Fields(text), ""), "{$1$2}")
		text = strings.NewReplacer("^", "", "$", "", `\Z`, "", `\`, "").Replace(text)
		if text != "" && !strings.ContainsAny(text, "()[]|*+?") {
			f.note(ref{path: "/" + text, base: "/", source: "list of routes"})
		}
	}
}
