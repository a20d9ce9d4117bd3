package fastness

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/openapi/docs"
	"github.com/fastness/fastness/securitytxt"
)

// builtin is an answer that every app gives by itself.
type builtin struct {
	path, access, summary string
	answer                func(*exchange) error
	post                  bool // instead of GET
}

func (b *builtin) method() string {
	if b.post {
		return http.MethodPost
	}
	return http.MethodGet
}

// addWellKnown adds the document, the docs page and the health checks, where
// the application has not taken their paths.
func (a *App) addWellKnown() (errs []error) {
	page, err := docs.New(docs.Config{Title: a.cfg.Title})
	if err != nil {
		errs = append(errs, err)
	}
	access := a.docsAccess()
	errs = append(errs, a.addBuiltins([]builtin{
		{path: "/openapi.json", access: access, summary: "OpenAPI document", answer: a.whereShown(a.serveJSON)},
		{path: "/openapi.yaml", access: access, summary: "OpenAPI document in YAML", answer: a.whereShown(a.serveYAML)},
		{path: "/docs", access: access, summary: "Docs page", answer: a.whereShown(serveDocs(page))},
		{path: "/docs/{asset...}", access: access, summary: "Docs page", answer: a.whereShown(serveDocs(page))},
	})...)
	if a.describesSockets() {
		errs = append(errs, a.addBuiltins([]builtin{{path: "/asyncapi.json", access: access, summary: "AsyncAPI document", answer: a.whereShown(a.serveAsync)}})...)
	}
	if a.outer != nil { // What the site as a whole says is the outer one's.
		return errs
	}
	if a.contact != nil {
		errs = append(errs, a.addBuiltins([]builtin{{path: securitytxt.Path, access: "public", summary: "Whom to tell of a vulnerability", answer: a.serveContact}})...)
	}
	if a.reports != nil {
		errs = append(errs, a.addBuiltins([]builtin{{path: a.cfg.Headers.ReportTo, access: "public", summary: "Reports of what policies blocked", answer: a.takeReport, post: true}})...)
	}
	return append(errs, a.addHealth()...)
}

// addBuiltins adds those whose paths the application has not taken, by an
// operation or by a mount that is more than a mount of everything.
func (a *App) addBuiltins(builtins []builtin) (errs []error) {
	for i := range builtins {
		b := &builtins[i]
		if a.takes(b.path) {
			continue
		}
		if err := a.routes.Add(b.method(), b.path, endpoint{builtin: b}); err != nil {
			errs = append(errs, err)
		}
		a.builtins = append(a.builtins, b)
	}
	return errs
}

func (a *App) takes(path string) bool {
	for _, op := range a.operations {
		if op.path == path {
			return true
		}
	}
	for _, m := range a.mounts {
		prefix := strings.TrimSuffix(m.prefix, "/")
		if prefix != "" && (path == prefix || strings.HasPrefix(path, prefix+"/")) {
			return true
		}
	}
	return slices.ContainsFunc(a.subApps, func(m *subApp) bool { return path == m.prefix || strings.HasPrefix(path, m.prefix+"/") })
}

// hasBuiltin reports whether path is not the application's own.
func (a *App) hasBuiltin(path string) bool {
	return slices.ContainsFunc(a.builtins, func(b *builtin) bool { return b.path == path })
}

// docsAccess says who gets to see the document, as the routes table shows it.
func (a *App) docsAccess() string {
	switch a.cfg.Docs {
	case DocsPublic:
		return "public"
	case DocsInDevelopment:
		return "in development"
	}
	return "nobody"
}

// whereShown answers 404 where the docs are not to be seen: in the same words
// as for a path that does not exist.
func (a *App) whereShown(answer func(*exchange) error) func(*exchange) error {
	return func(x *exchange) error {
		if !a.DocsShown() {
			return a.notFound
		}
		return answer(x)
	}
}

// DocsShown reports whether the document and the docs page are served.
func (a *App) DocsShown() bool {
	return a.cfg.Docs == DocsPublic || a.cfg.Docs == DocsInDevelopment && a.outermost().development.Load()
}

// rendered is the document as it is served, made when it is first asked for.
type rendered struct {
	json, yaml func() ([]byte, error)
}

func newRendered(d *openapi.Document) rendered {
	return rendered{sync.OnceValues(d.JSON), sync.OnceValues(d.YAML)}
}

func (a *App) serveJSON(x *exchange) error {
	data, err := a.rendered.json()
	return x.sendRaw(data, "application/json", err)
}

func (a *App) serveYAML(x *exchange) error {
	data, err := a.rendered.yaml()
	return x.sendRaw(data, "application/yaml", err)
}

func (x *exchange) sendRaw(data []byte, contentType string, err error) error {
	if err != nil {
		return err
	}
	x.send(&answer{status: http.StatusOK, raw: data, content: contentType})
	return nil
}

func (a *App) serveContact(x *exchange) error {
	a.contact.ServeHTTP(x.out, x.r)
	return nil
}

// takeReport takes what browsers say that a policy has blocked, and says nothing.
func (a *App) takeReport(x *exchange) error {
	if err := a.reports.Take(x.r.WithContext(&x.ctx)); err != nil {
		return err
	}
	x.out.WriteHeader(http.StatusNoContent)
	return nil
}

func serveDocs(page http.Handler) func(*exchange) error {
	return func(x *exchange) error {
		r := x.r.WithContext(&x.ctx)
		u := *r.URL
		u.Path, u.RawPath = strings.TrimPrefix(u.Path, "/docs"), ""
		r.URL = &u
		page.ServeHTTP(x.out, r)
		return nil
	}
}
