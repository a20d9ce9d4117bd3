package fastness

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/openapi/docs"
	"github.com/fastness/fastness/problem"
)

// builtin is an answer that every app gives by itself.
type builtin struct {
	path    string
	answer  func(*exchange) error
	summary string
}

// addWellKnown adds the document, the docs page and the health checks, where
// the application has not taken their paths.
func (a *App) addWellKnown() (errs []error) {
	taken := make(map[string]bool)
	for _, op := range a.operations {
		taken[op.path] = true
	}
	page, err := docs.New(docs.Config{Title: a.cfg.Title})
	if err != nil {
		errs = append(errs, err)
	}
	builtins := []builtin{
		{"/openapi.json", a.whereShown(a.serveJSON), "OpenAPI document"},
		{"/openapi.yaml", a.whereShown(a.serveYAML), "OpenAPI document in YAML"},
		{"/docs", a.whereShown(serveDocs(page)), "docs page"},
		{"/docs/{asset...}", a.whereShown(serveDocs(page)), "docs page"},
	}
	for i := range builtins {
		b := &builtins[i]
		if taken[b.path] {
			continue
		}
		if err := a.routes.Add(http.MethodGet, b.path, endpoint{builtin: b}); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// whereShown answers 404 where the docs are not to be seen: in the same words
// as for a path that does not exist.
func (a *App) whereShown(answer func(*exchange) error) func(*exchange) error {
	return func(x *exchange) error {
		if !a.DocsShown() {
			return problem.New(http.StatusNotFound, "")
		}
		return answer(x)
	}
}

// DocsShown reports whether the document and the docs page are served.
func (a *App) DocsShown() bool {
	return a.cfg.Docs == DocsPublic || a.cfg.Docs == DocsInDevelopment && a.development.Load()
}

func (a *App) serveJSON(x *exchange) error {
	data, err := a.document.JSON()
	return x.sendRaw(data, "application/json", err)
}

func (a *App) serveYAML(x *exchange) error {
	data, err := a.document.YAML()
	return x.sendRaw(data, "application/yaml", err)
}

func (x *exchange) sendRaw(data []byte, contentType string, err error) error {
	if err != nil {
		return err
	}
	x.send(&answer{status: http.StatusOK, raw: data, content: contentType}, nil)
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
