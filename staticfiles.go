package fastness

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/fastness/fastness/internal/content"
	"github.com/fastness/fastness/static"
)

// Static serves the files of a folder below prefix, to whom the access rule lets in:
//
//	//go:embed web
//	var web embed.FS
//	…
//	fastness.Static(app, "/static", web, access.Public) // /static/web/shop.css
//
// They are read when the app starts, and a change shows after the next start. What is
// not served, and what browsers keep, package static says. For a folder on disk let
// files be that of an os.Root, or os.DirFS; links are not followed.
func Static(r Router, prefix string, files fs.FS, options ...Option) {
	addFiles(r, prefix, static.Config{FS: files}, options)
}

// Frontend serves a front end, as a bundler makes it, below prefix: like [Static], and
// every page of it that is no file is its index.html. Operations and other mounts come
// first, so that it may have the whole rest of the site:
//
//	dist, err := fs.Sub(web, "dist")
//	…
//	fastness.Frontend(app, "/", dist, access.Public)
//
// Its pages load what [Config].Pages allows, and run scripts of this site.
func Frontend(r Router, prefix string, files fs.FS, options ...Option) {
	addFiles(r, prefix, static.Config{FS: files, Frontend: true}, options)
}

// addFiles declares a mount of files, which are read when the app starts.
func addFiles(r Router, prefix string, cfg static.Config, options []Option) {
	m := &folder{cfg: cfg}
	Mount(r, prefix, m, options...)
	mounts := r.router().app.mounts
	mounts[len(mounts)-1].folder = m
}

// folder is what a mount of files serves.
type folder struct {
	cfg   static.Config
	files *static.Files
}

// ServeHTTP is for the middleware around it.
func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.files.ServeHTTP(w, r) }

// load reads the files.
func (f *folder) load(a *App, m *mount) (err error) {
	f.cfg.SourceMaps, f.cfg.Write, f.cfg.Longest = m.spec.SourceMaps, m.spec.Stream.Write, m.spec.Stream.Longest
	if f.cfg.Frontend && a.pages != nil {
		f.cfg.Policy = a.pages.Policy("") + "; script-src 'self'; worker-src 'self'; manifest-src 'self'"
	}
	f.files, err = static.New(f.cfg)
	return err
}

// serve answers with a file.
func (f *folder) serve(x *exchange, r *http.Request) error {
	err := f.files.Serve(x.out, r)
	switch {
	case errors.Is(err, content.ErrClient):
		panic(http.ErrAbortHandler)
	case errors.Is(err, content.ErrContent):
		panic(fmt.Sprintf("a file that is in memory: %v", err))
	}
	return err
}
