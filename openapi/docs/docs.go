// Package docs serves the page on which people read an OpenAPI document and try
// its operations: Swagger UI, with nothing from any other host and without one
// inline script or style, under a policy that allows neither.
//
// [New] returns an http.Handler. Mount it with [http.StripPrefix] under any
// path, with and without a trailing slash:
//
//	mux.Handle("/docs", http.StripPrefix("/docs", page))
//	mux.Handle("/docs/", http.StripPrefix("/docs", page))
//
// All addresses in the page are relative, so that it also works behind a proxy
// that adds a prefix.
package docs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/fastness/fastness/problem"
)

// Policy is the Content-Security-Policy of the page and all that belongs to it.
// Operations can be tried on the origin that serves the page, and no other.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed web
var web embed.FS

// Config configures the page. The zero value is a page for the document that is
// served beside it.
type Config struct {
	// Title is plain text. The default is "API documentation".
	Title string
	// DocumentURL is where the OpenAPI document is, relative to the page as it
	// is mounted: for a page at /v1/docs, "openapi.json" is /v1/openapi.json.
	// The default is "openapi.json". It must not name a host: the policy of the
	// page would refuse it.
	DocumentURL string
}

func (c Config) withDefaults() Config {
	if c.Title == "" {
		c.Title = "API documentation"
	}
	if c.DocumentURL == "" {
		c.DocumentURL = "openapi.json"
	}
	return c
}

func (c Config) validate() error {
	u, err := url.Parse(c.DocumentURL)
	switch {
	case err != nil:
		return errors.New("DocumentURL is not a URL reference")
	case u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.HasPrefix(c.DocumentURL, "//"):
		return errors.New("DocumentURL names a scheme or host, want a relative one")
	case strings.ContainsRune(c.DocumentURL, '\\'): // Browsers read \\host as //host.
		return errors.New("DocumentURL has a backslash")
	case u.Path == "" || u.Fragment != "":
		return errors.New("DocumentURL has no path, or a fragment")
	}
	return nil
}

// New returns the handler of the page, or an error that says what is wrong with
// cfg.
func New(cfg Config) (http.Handler, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("docs config: %w", err)
	}
	pages, err := template.ParseFS(web, "web/*.html")
	if err != nil {
		return nil, fmt.Errorf("docs page: %w", err)
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("docs assets: %w", err)
	}
	return &handler{cfg: cfg, pages: pages, assets: assets, prefix: "/assets/" + version(assets) + "/"}, nil
}

type handler struct {
	cfg    Config
	pages  *template.Template
	assets map[string]asset
	prefix string // changes with the content, so that assets are cached for good
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.Write(w, problem.New(http.StatusMethodNotAllowed, "").With("Allow", "GET, HEAD"))
		return
	}
	if r.URL.Path == "" || r.URL.Path == "/" {
		h.servePage(w, h.view(r), "index.html")
		return
	}
	if r.URL.Path == redirectPage { // It is beside the assets, whatever the page above it is called.
		h.servePage(w, view{Title: h.cfg.Title, Assets: "." + h.prefix}, "oauth2-redirect.html")
		return
	}
	name, versioned := strings.CutPrefix(r.URL.Path, h.prefix)
	a, ok := h.assets[name]
	if !versioned || !ok {
		problem.Write(w, problem.New(http.StatusNotFound, ""))
		return
	}
	a.serve(w, r)
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
}

// redirectPage is where a log-in in a window of its own ends: the redirect URI of a
// client that is this page.
const redirectPage = "/oauth2-redirect.html"

func (h *handler) servePage(w http.ResponseWriter, v view, name string) {
	var body bytes.Buffer
	if err := h.pages.ExecuteTemplate(&body, name, v); err != nil {
		problem.Write(w, problem.New(http.StatusInternalServerError, "").Wrap(err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body.Bytes()) // The client is gone if this fails.
}

// view is what the template shows.
type view struct{ Title, Document, Assets, Redirect string }

// view makes the addresses relative to the one that the browser has: from /docs
// an asset is ./docs/assets/…, from /docs/ it is ./assets/… and the document is
// one level up. A <base> would do the same, but for the policy.
func (h *handler) view(r *http.Request) view {
	v := view{Title: h.cfg.Title, Document: h.cfg.DocumentURL}
	seen := r.URL.EscapedPath()
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		seen = u.EscapedPath() // http.StripPrefix does not change it.
	}
	if strings.HasSuffix(seen, "/") {
		v.Assets, v.Redirect = "."+h.prefix, "."+redirectPage
		if !strings.HasPrefix(v.Document, "/") && seen != "/" {
			v.Document = "../" + v.Document
		}
		return v
	}
	v.Assets, v.Redirect = "./"+path.Base(seen)+h.prefix, "./"+path.Base(seen)+redirectPage
	return v
}
