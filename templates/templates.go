// Package templates loads the pages of an application when it starts: a layout, what
// pages share, and the pages. Whatever a page would fail with when it is shown is found
// there: a file that is missing, a template that nobody defines, a field that the data
// does not have, a place where html/template cannot escape.
//
//	//go:embed web
//	var web embed.FS
//
//	pages, err := templates.New(templates.Config{
//		Files: web, Layout: "web/layout.html", Shared: "web/shared/*.html",
//		Pages: map[string]any{"web/items.html": itemsPage{}, "web/item.html": itemPage{}},
//	})
//	…
//	return fastness.View[itemsPage]{Template: pages.Page("web/items.html"), Body: page}, nil
//
// The layout is what is executed; a page defines the parts that it leaves open:
//
//	layout:  <title>{{block "title" .}}Shop{{end}}</title> <main>{{template "content" .}}</main>
//	page:    {{define "title"}}Items{{end}} {{define "content"}} … {{end}}
//
// Templates are the program's own files. What users send is data and never becomes a
// part of one: {{7*7}} in a name is shown as it is. Contextual escaping is
// html/template's, and a field whose type switches it off (template.HTML, template.JS
// …) is refused, because a text gets into it by a conversion that nobody sees: let a
// method give it, as that of sanitize.HTML does.
package templates

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
)

// Config says which templates there are. Names are paths in Files.
type Config struct {
	// Files has all of them, usually an embed.FS. It is required.
	Files fs.FS
	// Layout is the template around all pages. Without one a page is executed by
	// itself.
	Layout string
	// Shared is a pattern of path.Match for files whose templates all pages can use.
	Shared string
	// Pages are the pages, each with a value of the type that it is shown with. The value
	// does not matter.
	Pages map[string]any
	// Funcs are functions for all templates.
	Funcs template.FuncMap
}

// Set is what was loaded. It is safe for concurrent use.
type Set struct{ pages map[string]*template.Template }

// New loads and checks the templates, or names every mistake.
func New(cfg Config) (*Set, error) {
	if cfg.Files == nil || len(cfg.Pages) == 0 {
		return nil, errors.New("templates config: there are no Files or no Pages")
	}
	base, err := cfg.base()
	if err != nil {
		return nil, fmt.Errorf("templates config: %w", err)
	}
	s := &Set{pages: make(map[string]*template.Template, len(cfg.Pages))}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(cfg.Pages)) {
		page, err := cfg.page(base, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("templates config: %s: %w", name, err))
			continue
		}
		for _, err := range check(page, reflect.TypeOf(cfg.Pages[name])) {
			errs = append(errs, fmt.Errorf("templates config: %s: %w", name, err))
		}
		s.pages[name] = page
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// base parses what all pages share.
func (c *Config) base() (*template.Template, error) {
	base := template.New("").Funcs(c.Funcs)
	if c.Layout != "" {
		if err := addFile(base, c.Files, c.Layout); err != nil {
			return nil, err
		}
	}
	if c.Shared == "" {
		return base, nil
	}
	names, err := fs.Glob(c.Files, c.Shared)
	if err != nil || len(names) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no file fits Shared, %s", c.Shared))
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, addFile(base, c.Files, name))
	}
	return base, errors.Join(errs...)
}

// page returns the template of a page, within the layout.
func (c *Config) page(base *template.Template, name string) (*template.Template, error) {
	set, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if err := addFile(set, c.Files, name); err != nil {
		return nil, err
	}
	if c.Layout != "" {
		name = c.Layout
	}
	page := set.Lookup(name)
	if page == nil || page.Tree == nil {
		return nil, errors.New("it is empty")
	}
	return page, nil
}

// addFile adds a file under its own name.
func addFile(set *template.Template, files fs.FS, name string) error {
	if !fs.ValidPath(name) || path.Clean(name) != name {
		return fmt.Errorf("%q is no path", name)
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	_, err = set.New(name).Parse(string(text))
	return err
}

// escapes reports whether html/template knows how to escape everything in the page. It
// finds out when it is executed for the first time, before the data matters.
func escapes(page *template.Template) error {
	copied, err := page.Clone()
	if err != nil {
		return err
	}
	if wrong, ok := errors.AsType[*template.Error](copied.Execute(io.Discard, nil)); ok {
		return wrong
	}
	return nil
}

// Page returns the template of a page, to be executed with a value of its type. One
// that was not declared is a template that only fails.
func (s *Set) Page(name string) *template.Template {
	if page := s.pages[name]; page != nil {
		return page
	}
	return template.New(name)
}
