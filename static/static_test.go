package static_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fastness/fastness/static"
)

func Example() {
	files, err := static.New(static.Config{FS: fstest.MapFS{"app.js": {Data: []byte("go()")}, ".env": {Data: []byte("secret")}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/static/", http.StripPrefix("/static", files))
	for _, path := range []string{"/static/app.js", "/static/.env"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 text/javascript; charset=utf-8
	// 404 application/problem+json
}

func folder() fstest.MapFS {
	return fstest.MapFS{
		"index.html":                {Data: []byte("<!doctype html>home")},
		"about/index.html":          {Data: []byte("<!doctype html>about")},
		"shop.css":                  {Data: []byte(strings.Repeat("body{}", 1000))},
		"a.svg":                     {Data: []byte("<svg><script>alert(1)</script></svg>")},
		"main.3f2a9c1b.js":          {Data: []byte("1")},
		"main.3f2a9c1b.js.map":      {Data: []byte("{}")},
		".env":                      {Data: []byte("secret")},
		".git/config":               {Data: []byte("secret")},
		"a/.hidden":                 {Data: []byte("secret")},
		"evil.html.unknown":         {Data: []byte("<script>alert(1)</script>")},
		"with space and ü.txt":      {Data: []byte("hello")},
		"deep/er/file.txt":          {Data: []byte("deep")},
		"report-20240101.css":       {Data: []byte("1")},
		"report-20240101a.css":      {Data: []byte("1")},
		"ad-iPhone15Pro.css":        {Data: []byte("1")},
		"assets/index-BkX3sf9a.css": {Data: []byte("1")},
	}
}

func newFiles(t *testing.T, cfg static.Config) http.Handler {
	t.Helper()
	if cfg.FS == nil {
		cfg.FS = folder()
	}
	files, err := static.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func get(h http.Handler, method, path string, fields ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, "/", nil)
	u, err := url.Parse(path)
	if err != nil {
		u = &url.URL{Path: path} // What net/http would have refused.
	}
	r.URL = u
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	h.ServeHTTP(w, r)
	return w
}

func TestFilesAreServedWithWhatTheyNeed(t *testing.T) {
	for path, want := range map[string]struct{ mediaType, cache string }{
		"/shop.css":                   {"text/css; charset=utf-8", "no-cache"},
		"/main.3f2a9c1b.js":           {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/assets/index-BkX3sf9a.css":  {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		"/report-20240101.css":        {"text/css; charset=utf-8", "no-cache"},
		"/report-20240101a.css":       {"text/css; charset=utf-8", "no-cache"},
		"/ad-iPhone15Pro.css":         {"text/css; charset=utf-8", "no-cache"},
		"/evil.html.unknown":          {"application/octet-stream", "no-cache"},
		"/with%20space%20and%20ü.txt": {"text/plain; charset=utf-8", "no-cache"},
		"/deep/er/file.txt":           {"text/plain; charset=utf-8", "no-cache"},
		"/index.html":                 {"text/html; charset=utf-8", "no-cache"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := get(newFiles(t, static.Config{}), method, path)
			h := w.Header()
			if w.Code != 200 || h.Get("Content-Type") != want.mediaType || h.Get("Cache-Control") != want.cache || h.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; style-src 'unsafe-inline';") || !strings.HasPrefix(h.Get("ETag"), `"`) || (w.Body.Len() == 0) != (method == "HEAD") {
				t.Errorf("%s %s: %d %v", method, path, w.Code, h)
			}
		}
	}
}

// TestPathsLeadToNothingButTheFiles: there is nothing to climb out of.
func TestPathsLeadToNothingButTheFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	web := filepath.Join(dir, "web")
	if err := os.MkdirAll(filepath.Join(web, "css"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(web, "css", "a.css"), []byte("a{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link.txt": filepath.Join(dir, "secret.txt"), "up": dir, "rel.txt": "../secret.txt"} {
		if err := os.Symlink(target, filepath.Join(web, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(web)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	handlers := []http.Handler{newFiles(t, static.Config{}), newFiles(t, static.Config{FS: os.DirFS(web)}), newFiles(t, static.Config{FS: root.FS()})}
	if w := get(handlers[2], "GET", "/css/a.css"); w.Code != 200 {
		t.Fatalf("a file of the folder: %d", w.Code)
	}
	if err := os.WriteFile(filepath.Join(web, "later.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/../secret.txt", "/css/../../secret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/..%2fsecret.txt", `/..\secret.txt`, `/..%5csecret.txt`, "/css/%00a.css", "/css/a.css%00.txt",
		"/....//secret.txt", "/..;/secret.txt", "//etc/passwd", "/" + dir + "/secret.txt", "/file:///etc/passwd", "/css", "/css/", "/", "/.", "/..", "/link.txt", "/up/secret.txt", "/rel.txt",
		"/later.txt", "/.env", "/.git/config", "/a/.hidden", "/%2eenv", "/css/./a.css", "/css//a.css", "/CSS/a.css", "/css/a.css/", "/css/a.css.", "/css/a.css ", "/css/a.css::$DATA",
		"/main.3f2a9c1b.js.map", "/%c0%ae%c0%ae/secret.txt", "/\u2025/secret.txt", "/css/a.css~", "/deep", "/deep/er",
	} {
		for i, h := range handlers {
			if w := get(h, "GET", path, "Accept", "text/html"); w.Code != 404 || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("folder %d: %q: %d %q, want 404", i, path, w.Code, w.Body)
			}
		}
	}
}

func TestSourceMapsAreServedIfAskedFor(t *testing.T) {
	if w := get(newFiles(t, static.Config{SourceMaps: true}), "GET", "/main.3f2a9c1b.js.map"); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestFrontEndAnswersItsPagesOnly(t *testing.T) {
	h := newFiles(t, static.Config{Frontend: true})
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	for _, tt := range []struct {
		method, path, accept string
		status               int
		body                 string
	}{
		{"GET", "/", browser, 200, "home"},
		{"GET", "/", "", 200, "home"},
		{"GET", "/orders/7", browser, 200, "home"},
		{"HEAD", "/orders/7", browser, 200, ""},
		{"GET", "/about", browser, 200, "about"},
		{"GET", "/about/", browser, 200, "about"},
		{"GET", "/orders/7", "*/*", 404, ""},
		{"GET", "/orders/7", "application/json", 404, ""},
		{"GET", "/orders/7", "text/html;q=0, */*", 404, ""},
		{"GET", "/gone.js", browser, 404, ""},
		{"GET", "/.git/config", browser, 404, ""},
		{"GET", "/a/.git/x", browser, 404, ""},
		{"GET", "/.env", browser, 404, ""},
		{"POST", "/orders/7", browser, 405, ""},
		{"DELETE", "/", browser, 405, ""},
	} {
		fields := []string{"Accept", tt.accept}
		if tt.accept == "" {
			fields = nil
		}
		w := get(h, tt.method, tt.path, fields...)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || tt.status == 200 && w.Header().Get("Content-Security-Policy") != static.FrontendPolicy ||
			tt.status == 405 && w.Header().Get("Allow") != "GET, HEAD" || tt.status == 200 && w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s %s (%s): %d %q %v, want %d", tt.method, tt.path, tt.accept, w.Code, w.Body, w.Header(), tt.status)
		}
	}
}

func TestTextsAreCompressedWithATagOfTheirOwn(t *testing.T) {
	h := newFiles(t, static.Config{})
	plain, packed := get(h, "GET", "/shop.css"), get(h, "GET", "/shop.css", "Accept-Encoding", "gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("ETag") == plain.Header().Get("ETag") || packed.Header().Get("Vary") != "Accept-Encoding" ||
		plain.Header().Get("Vary") != "Accept-Encoding" || packed.Body.Len() >= plain.Body.Len() {
		t.Errorf("plain %v, gzipped %v", plain.Header(), packed.Header())
	}
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != plain.Body.String() {
		t.Errorf("gunzipped %d bytes, %v", len(text), err)
	}
	if w := get(h, "GET", "/shop.css", "If-None-Match", plain.Header().Get("ETag")); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("status %d, want 304", w.Code)
	}
	if w := get(h, "GET", "/shop.css", "Range", "bytes=0-3"); w.Code != 206 || w.Body.String() != "body" {
		t.Errorf("a part: %d %q", w.Code, w.Body)
	}
	w := get(h, "GET", "/shop.css", "Accept-Encoding", "gzip", "Range", "bytes=0-9,0-9")
	if w.Code != 416 || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("a flood of ranges: %d %v", w.Code, w.Header())
	}
}

func TestMistakesAreAllNamed(t *testing.T) {
	_, err := static.New(static.Config{MaxBytes: -1, Write: -1, Policy: "a\nb"})
	for _, want := range []string{"FS is nil", "MaxBytes is -1", "Write is -1ns", "Policy holds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
	for name, cfg := range map[string]static.Config{
		"no files":    {FS: fstest.MapFS{".env": {}}},
		"too large":   {FS: folder(), MaxBytes: 100},
		"no page":     {FS: fstest.MapFS{"a.js": {}}, Frontend: true},
		"a bad name":  {FS: fstest.MapFS{`a\b`: {}}},
		"a line feed": {FS: fstest.MapFS{"a\nb": {}}},
	} {
		if _, err := static.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzPath: whatever the path, what is answered is a file of the folder or nothing.
func FuzzPath(f *testing.F) {
	files, err := static.New(static.Config{FS: folder(), Frontend: true})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"/", "/shop.css", "/../x", "/.env", "/about/", "//", "/a/.hidden", "/%2e%2e"} {
		f.Add(seed, "text/html")
	}
	f.Fuzz(func(t *testing.T, path, accept string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: path}
		r.Header["Accept"] = []string{accept}
		w := httptest.NewRecorder()
		files.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 404 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%q: %d %q", path, w.Code, w.Body)
		}
	})
}
