package discover

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Document is a document of the target, as it was found.
type Document struct {
	// Path is where it is served, with its query; the page, if it is part of one.
	Path string
	Text []byte
	// Paths is how many paths it has.
	Paths int
}

// places are where frameworks serve their documents, the usual ones first.
const places = `
/openapi.json /swagger.json /v3/api-docs /openapi.yaml /api-docs /swagger/v1/swagger.json /api/openapi.json /api/swagger.json
/api/v1/openapi.json /v2/api-docs /docs/openapi.json /api-docs.json /api-json /api/docs-json /docs-json /docs.json /swagger-json
/openapi /openapi.yml /swagger.yaml /swagger.yml /spec /spec.json /apispec_1.json /apispec.json /schema/ /api/schema/ /schema.json
/api/v1/swagger.json /v1/openapi.json /v1/swagger.json /api/v2/openapi.json /v2/openapi.json /v2/swagger.json /api/v3/openapi.json /v3/openapi.json
/swagger/doc.json /swagger/v2/swagger.json /docs/swagger.json /docs/api-docs.json /docs/api.json /api/doc.json /api/api-docs /api/openapi.yaml /api/swagger.yaml
/static/swagger.json /static/openapi.json /public/swagger.json /_spec /.well-known/openapi.json /.well-known/openapi.yaml /q/openapi /openapi3.json /rest/openapi.json
/api/spec /api/spec.json /docs/openapi.yaml /swagger/swagger.json /swagger-resources /api`

// docPages are pages that show a document, and name it.
const docPages = `/ /docs /docs/ /api-docs/ /swagger-ui/index.html /swagger-ui.html /swagger /swagger/ /swagger/index.html /redoc /api/docs /api/docs/ /documentation /scalar /rapidoc /reference /api/ /api /ui/ /api/ui/ /api/v1/docs /v1/docs /explorer/ /q/swagger-ui/`

// What pages and scripts call their document.
var (
	specAttr = regexp.MustCompile(`(?i)(?:spec-url|data-url|apiDescriptionUrl|api-description-url|data-spec-url|specUrl|spec_url|openapi-url)\s*[=:]\s*["'` + "`" + `]([^"'` + "`" + `\s]{1,300})["'` + "`" + `]`)
	specURL  = regexp.MustCompile(`(?i)["']?(?:url|configUrl|swaggerUrl|openapi_url|content)["']?\s*:\s*["'` + "`" + `]([^"'` + "`" + `\s]{1,300})["'` + "`" + `]`)
	specText = regexp.MustCompile(`(?i)["'` + "`" + `]([^"'` + "`" + `\s<>]{0,200}(?:openapi|swagger|api-?docs|apispec|schema)[^"'` + "`" + `\s<>]{0,100})["'` + "`" + `]`)
	embedded = regexp.MustCompile(`["']?(?:swaggerDoc|spec|openapi_document|definition)["']?\s*[:=]\s*\{`)
)

// maxDocuments that are looked for at the end, and requests that it takes.
const (
	maxDocuments = 4
	maxLooks     = 160
)

// Documents looks for documents of the target: below base, the path of the configured
// target without a slash at its end, and at the root. The one with most paths comes first.
func Documents(ctx context.Context, send Send, base string) []Document {
	d := &documents{f: newFinder(Config{Send: send, Base: base, MaxRequests: maxLooks})}
	bases := []string{""}
	if base = strings.TrimRight(base, "/"); base != "" {
		bases = []string{base, ""}
	}
	if base != "" {
		d.look(ctx, base) // It may be the document itself, or its page.
	}
	d.look(ctx, "/.well-known/api-catalog")
	for _, b := range bases {
		for _, place := range strings.Fields(places)[:8] {
			d.look(ctx, b+place)
		}
	}
	for _, rest := range [][]string{strings.Fields(docPages), strings.Fields(places)[8:]} {
		for _, b := range bases {
			for _, place := range rest {
				if len(d.found) > 0 {
					break
				}
				d.look(ctx, b+place)
			}
		}
	}
	slices.SortStableFunc(d.found, func(a, b Document) int { return b.Paths - a.Paths })
	return d.found
}

type documents struct {
	f     *finder
	found []Document
	looks map[string]bool
}

// look asks for a path: a document is kept, and what a page names is looked at.
func (d *documents) look(ctx context.Context, target string) { d.lookAt(ctx, target, 0) }

func (d *documents) lookAt(ctx context.Context, target string, depth int) {
	if d.looks == nil {
		d.looks = map[string]bool{}
	}
	if d.looks[target] || depth > 3 || len(d.found) >= maxDocuments {
		return
	}
	d.looks[target] = true
	ex := d.f.ask(ctx, http.MethodGet, target, "document")
	if ex == nil || ex.Status == 0 {
		return
	}
	if to, ok := d.f.resolve(ex.Request.Path, ex.Header.Get("Location")); ok && ex.Status >= 300 && ex.Status < 400 {
		d.lookAt(ctx, to, depth+1)
		return
	}
	for _, value := range ex.Header.Values("Link") {
		if strings.Contains(value, "service-desc") || strings.Contains(value, "service-doc") {
			for _, m := range headerLink.FindAllStringSubmatch(value, 5) {
				d.follow(ctx, ex, m[1], depth)
			}
		}
	}
	if !ex.OK() || d.keep(target, ex.Body) {
		return
	}
	for _, to := range d.named(ex) {
		d.follow(ctx, ex, to, depth)
	}
}

func (d *documents) follow(ctx context.Context, from *wire.Exchange, to string, depth int) {
	if target, ok := d.f.resolve(from.Request.Path, to); ok && !strings.Contains(target, "{") {
		d.lookAt(ctx, target, depth+1)
	}
}

// keep keeps a text if it is a document.
func (d *documents) keep(target string, text []byte) bool {
	head := string(text[:min(len(text), 1<<20)])
	if !strings.Contains(head, "openapi") && !strings.Contains(head, "swagger") || strings.HasPrefix(strings.TrimSpace(head), "<") {
		return false
	}
	api, err := spec.Parse(text, spec.ParseConfig{Source: target})
	if err != nil || len(api.Operations) == 0 {
		return false
	}
	if !slices.ContainsFunc(d.found, func(other Document) bool { return string(other.Text) == string(text) }) {
		d.found = append(d.found, Document{Path: target, Text: text, Paths: len(api.Operations)})
	}
	return true
}

// named are the addresses that a page, a script or a catalogue names as its document.
func (d *documents) named(ex *wire.Exchange) []string {
	text := ex.Text()
	var out []string
	add := func(to string) {
		to = strings.ReplaceAll(to, `\/`, "/")
		if to != "" && len(out) < 12 && !slices.Contains(out, to) && !strings.HasSuffix(to, ".css") && !strings.HasSuffix(to, ".png") {
			out = append(out, to)
		}
	}
	if v, ok := probe.Decode(ex); ok {
		// RFC 9727, and the configuration of Swagger UI: names of members say it.
		for _, leaf := range probe.LeavesOf(v)[:min(len(probe.LeavesOf(v)), 300)] {
			to, isText := leaf.Value.(string)
			if isText && (strings.Contains(leaf.Pointer, "service-desc") || strings.HasSuffix(leaf.Pointer, "/url") || strings.HasSuffix(strings.ToLower(leaf.Pointer), "openapi") || strings.HasSuffix(leaf.Pointer, "/location") || strings.HasSuffix(leaf.Pointer, "/swagger")) {
				add(to)
			}
		}
		return out
	}
	for _, at := range embedded.FindAllStringIndex(text, 5) {
		var doc json.RawMessage
		if json.NewDecoder(strings.NewReader(text[at[1]-1:])).Decode(&doc) == nil {
			d.keep(ex.Request.Target(), doc)
		}
	}
	for _, pattern := range []*regexp.Regexp{specAttr, specURL, specText} {
		for _, m := range pattern.FindAllStringSubmatch(text, 12) {
			add(m[1])
		}
	}
	if strings.Contains(text, "swagger-initializer.js") {
		add("swagger-initializer.js")
	}
	return out
}
