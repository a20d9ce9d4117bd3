// Package static serves the files of a folder that are known when the program starts:
// style sheets, scripts, pictures, the front end of an application.
//
//	//go:embed web
//	var web embed.FS
//	…
//	folder, err := fs.Sub(web, "web")
//	files, err := static.New(static.Config{FS: folder})
//	mux.Handle("/static/", http.StripPrefix("/static", files))
//
// All of them are read once, by [New]. A request only looks up a name in a list: there is
// nothing to climb out of the folder from, whatever the path holds, and a file that comes
// into the folder later is not served. Not served are, either, what begins with a full
// stop (.git, .env), links, and source maps unless they are asked for. There are no
// listings. The media type is that of an own table, by the extension.
//
// Files have a strong ETag and are revalidated. Those whose name holds a hash of their
// content, as bundlers make them, are kept for a year. Texts are compressed once: they
// are the same for everybody, so that their length tells nothing.
//
// # Front ends
//
// With Frontend a page of the application that is no file is answered with index.html:
// for GET and HEAD of clients that ask for text/html, and paths without an extension.
// What is missing otherwise is a 404, so that a script that is gone is not a page. Pages
// run scripts of this site, and none that is written into them.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/internal/content"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/problem"
)

// Config configures [Files]. The zero value with an FS is the secure choice.
type Config struct {
	// FS holds the files. It is read by New, and not after.
	FS fs.FS
	// Frontend answers with index.html for pages that are no files; see the package
	// comment.
	Frontend bool
	// Policy is the Content-Security-Policy of the HTML files. The default is that of
	// data, under which nothing runs, and for a front end [FrontendPolicy].
	Policy string
	// SourceMaps serves files that end in ".map". They hold the source of scripts, with
	// its comments.
	SourceMaps bool
	// MaxBytes is how much the files may have together: they are kept in memory. The
	// default is 64 MiB.
	MaxBytes int64
	// Write is how long a client may take to read 32 KiB. The default is 15 seconds.
	Write time.Duration
	// Longest is how long a client may take to read a file. The default is an hour.
	Longest time.Duration
}

// FrontendPolicy lets pages load scripts, styles, pictures and fonts of this site, and
// talk to it.
const FrontendPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// dataPolicy is that of what is no page: a picture that is opened runs nothing.
const dataPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Files is a folder that is served. It is safe for concurrent use.
type Files struct {
	cfg   Config
	files map[string]*file
}

// file is one file, as it is sent.
type file struct {
	plain, gzipped []byte // gzipped is nil if it is not smaller
	mediaType      string
	hash           string
	cache          string
}

// New reads the files, or returns an error that names every mistake.
func New(cfg Config) (*Files, error) {
	var mistakes []error
	if cfg.FS == nil {
		mistakes = append(mistakes, errors.New("FS is nil, want the files"))
	}
	if cfg.MaxBytes < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxBytes is %d, want more than 0", cfg.MaxBytes))
	}
	if cfg.Write < 0 {
		mistakes = append(mistakes, fmt.Errorf("Write is %v, want more than 0", cfg.Write))
	}
	if cfg.Longest < 0 {
		mistakes = append(mistakes, fmt.Errorf("Longest is %v, want more than 0", cfg.Longest))
	}
	if strings.ContainsFunc(cfg.Policy, unicode.IsControl) {
		mistakes = append(mistakes, errors.New("Policy holds a control character"))
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.Write == 0 {
		cfg.Write = 15 * time.Second
	}
	if cfg.Longest == 0 {
		cfg.Longest = time.Hour
	}
	if cfg.Policy == "" {
		cfg.Policy = dataPolicy
		if cfg.Frontend {
			cfg.Policy = FrontendPolicy
		}
	}
	f := &Files{cfg: cfg, files: make(map[string]*file)}
	if len(mistakes) == 0 {
		mistakes = append(mistakes, f.load())
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("static config: %w", err)
	}
	return f, nil
}

// load reads the files.
func (f *Files) load() error {
	left := f.cfg.MaxBytes
	err := fs.WalkDir(f.cfg.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular(), !f.cfg.SourceMaps && strings.EqualFold(path.Ext(name), ".map"):
			return nil
		case strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
			return fmt.Errorf("FS has the name %q, which no path can be trusted to hold", name)
		}
		data, err := fs.ReadFile(f.cfg.FS, name)
		if err != nil {
			return err
		}
		if left -= int64(len(data)); left < 0 {
			return fmt.Errorf("FS has more than MaxBytes, %d, which are kept in memory", f.cfg.MaxBytes)
		}
		f.files[name] = newFile(name, data)
		return nil
	})
	switch {
	case err != nil:
		return err
	case f.cfg.Frontend && f.files["index.html"] == nil:
		return errors.New("FS has no index.html, want the page of the front end")
	case len(f.files) == 0:
		return errors.New("FS has no files")
	}
	return nil
}

func newFile(name string, data []byte) *file {
	sum := sha256.Sum256(data)
	out := &file{plain: data, mediaType: content.Type(name), hash: hex.EncodeToString(sum[:]), cache: "no-cache"}
	if hasHash(path.Base(name)) {
		out.cache = "public, max-age=31536000, immutable"
	}
	if isText(out.mediaType) && len(data) > 1<<10 {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // There is such a level.
		_, _ = w.Write(data)                                  // A bytes.Buffer takes everything.
		if w.Close() == nil && b.Len() < len(data)*9/10 {
			out.gzipped = b.Bytes()
		}
	}
	return out
}

// isText reports whether a type is worth compressing.
func isText(mediaType string) bool {
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "json") || strings.HasSuffix(mediaType, "xml") || mediaType == "application/wasm"
}

// SourceMaps is an option of an app's folders of files; see [Config].SourceMaps.
func SourceMaps() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.SourceMaps = true })
}

// ServeHTTP answers a request, whose path is that of a file in the folder.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := f.Serve(w, r)
	if errors.Is(err, content.ErrClient) || errors.Is(err, content.ErrContent) {
		panic(http.ErrAbortHandler) // Half of a file is not to be taken for all of it.
	}
	if err != nil {
		problem.Write(w, problem.From(err))
	}
}

// Serve is ServeHTTP for who writes problems in their own way. An error that is no
// *problem.Problem comes when the answer has begun: the connection must be cut.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return problem.New(http.StatusMethodNotAllowed, "").With("Allow", "GET, HEAD")
	}
	found := f.find(r)
	if found == nil {
		return problem.New(http.StatusNotFound, "")
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	switch isPage := strings.HasPrefix(found.mediaType, "text/html"); {
	case isPage:
		h.Set("Content-Security-Policy", f.cfg.Policy)
	case h.Get("Content-Security-Policy") == "":
		h.Set("Content-Security-Policy", dataPolicy)
	}
	if h.Get("Cache-Control") == "" { // It is set where the files are not for everybody.
		h.Set("Cache-Control", found.cache)
	}
	c := content.Content{Reader: bytes.NewReader(found.plain), Type: found.mediaType, Tag: conditional.Of(found.hash), Write: f.cfg.Write, Longest: f.cfg.Longest}
	if found.gzipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if compress.Accepts(r) {
			h.Set("Content-Encoding", "gzip")
			c.Reader, c.Tag = bytes.NewReader(found.gzipped), conditional.Of(found.hash, "gzip")
		}
	}
	err := content.Serve(w, r, c)
	if _, refused := errors.AsType[*problem.Problem](err); refused {
		h.Del("Content-Encoding")
		h.Del("ETag")
	}
	return err
}

// find returns the file that r is for, or nil.
func (f *Files) find(r *http.Request) *file {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if found := f.files[name]; found != nil {
		return found
	}
	if !f.cfg.Frontend {
		return nil
	}
	if name = strings.TrimSuffix(name, "/"); name == "" {
		return f.files["index.html"]
	}
	if found := f.files[name+"/index.html"]; found != nil {
		return found
	}
	if path.Ext(name) == "" && !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") && acceptsHTML(r) {
		return f.files["index.html"]
	}
	return nil
}

// acceptsHTML reports whether a page is asked for, and not just anything.
func acceptsHTML(r *http.Request) bool {
	for _, field := range r.Header["Accept"] {
		for item := range strings.SplitSeq(field, ",") {
			media, parameters, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(media), "text/html") && !strings.Contains(strings.ReplaceAll(parameters, " ", "")+";", "q=0;") {
				return true
			}
		}
	}
	return false
}

// hasHash reports whether a file's name holds a hash of its content: "main.3f2a9c1b.js",
// "index-BkX3sf9a.css". What looks like a word or a number does not count: a file that
// changes under a name that is kept for a year is seen by nobody.
func hasHash(name string) bool {
	stem := strings.TrimSuffix(name, path.Ext(name))
	start := strings.LastIndexAny(stem, ".-")
	if start < 0 || len(stem)-start-1 < 8 || start == 0 {
		return false
	}
	var digits, hexLetters, lower, upper int
	hash := stem[start+1:]
	for i := range len(hash) {
		switch c := hash[i]; {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z':
			lower++
			if c <= 'f' {
				hexLetters++
			}
		case 'A' <= c && c <= 'Z':
			upper++
		default:
			return false
		}
	}
	isHex := len(hash)%2 == 0 && digits > 1 && hexLetters > 0 && digits+hexLetters == len(hash)
	isBase32 := len(hash) == 8 && digits > 0 && upper > 3 && lower == 0 // as esbuild's
	isBase64 := len(hash) == 8 && digits > 0 && upper > 1 && lower > 0  // as Vite's
	return isHex || isBase32 || isBase64
}
