package docs_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi/docs"
)

// mount serves the page at prefix.
func mount(t *testing.T, prefix string, cfg docs.Config) http.Handler {
	t.Helper()
	page, err := docs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(prefix, http.StripPrefix(prefix, page))
	mux.Handle(prefix+"/", http.StripPrefix(prefix, page))
	return mux
}

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// links returns what the page refers to, as a browser at address resolves it.
func links(t *testing.T, page *httptest.ResponseRecorder, address string) []string {
	t.Helper()
	base := httptest.NewRequest(http.MethodGet, address, nil).URL
	var all []string
	for _, match := range regexp.MustCompile(`(?:src|href|data-document)="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		u, err := base.Parse(match[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u.String())
	}
	return all
}

func TestPageRefersToItsFilesAndItsDocumentUnderAnyPrefix(t *testing.T) {
	for _, tt := range []struct{ prefix, address, document, want string }{
		{"/docs", "/docs", "", "/openapi.json"},
		{"/docs", "/docs/", "", "/openapi.json"},
		{"/docs", "/docs?x=1", "", "/openapi.json"},
		{"/a/b/docs", "/a/b/docs", "v2/api.json", "/a/b/v2/api.json"},
		{"/a/b/docs", "/a/b/docs/", "v2/api.json", "/a/b/v2/api.json"},
		{"/a/b/docs", "/a/b/docs/", "../api.yaml?pretty", "/a/api.yaml?pretty"},
		{"/a/b/docs", "/a/b/docs/", "/openapi.json", "/openapi.json"},
	} {
		h := mount(t, tt.prefix, docs.Config{DocumentURL: tt.document})
		page := get(h, tt.address)
		if page.Code != http.StatusOK {
			t.Errorf("%s: status %d, want 200", tt.address, page.Code)
			continue
		}
		all := links(t, page, tt.address)
		if len(all) != 7 {
			t.Errorf("%s: page refers to %d addresses, want 7: %v", tt.address, len(all), all)
		}
		for _, link := range all {
			if !strings.Contains(link, "/assets/") {
				if link != tt.want {
					t.Errorf("%s: document is at %s, want %s", tt.address, link, tt.want)
				}
				continue
			}
			if file := get(h, link); file.Code != http.StatusOK || file.Body.Len() == 0 {
				t.Errorf("%s: %s is status %d with %d bytes, want 200", tt.address, link, file.Code, file.Body.Len())
			}
		}
	}
}

func TestPageAtTheRootRefersToItsFiles(t *testing.T) {
	page, err := docs.New(docs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links(t, get(page, "/"), "/") {
		if strings.Contains(link, "/assets/") {
			if got := get(page, link).Code; got != http.StatusOK {
				t.Errorf("%s: status %d, want 200", link, got)
			}
		} else if link != "/openapi.json" {
			t.Errorf("document is at %s, want /openapi.json", link)
		}
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	h := mount(t, "/docs", docs.Config{})
	asset := assetURL(t, h, "theme.css")
	for _, target := range []string{"/docs", "/docs/", asset, "/docs/missing", "/docs/assets/old/theme.css"} {
		header := get(h, target).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
				"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Robots-Tag":                 "noindex",
		} {
			if got := header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

func TestPageHasNoInlineScriptOrStyle(t *testing.T) {
	body := get(mount(t, "/docs", docs.Config{}), "/docs").Body.String()
	for _, forbidden := range []string{`<script>`, `<style`, ` style=`, ` onload=`, `javascript:`, `http://`, `https://`} {
		if strings.Contains(body, forbidden) {
			t.Errorf("page has %s:\n%s", forbidden, body)
		}
	}
}

func TestALogInComesBackToAPageUnderThePolicy(t *testing.T) {
	h := mount(t, "/v1/docs", docs.Config{})
	res := get(h, "/v1/docs/oauth2-redirect.html?code=x&state=y")
	if res.Code != http.StatusOK || res.Header().Get("Content-Security-Policy") != docs.Policy {
		t.Fatalf("status %d, policy %q", res.Code, res.Header().Get("Content-Security-Policy"))
	}
	found := links(t, res, "https://api.example/v1/docs/oauth2-redirect.html")
	if len(found) != 1 || get(h, found[0]).Code != http.StatusOK {
		t.Errorf("the page refers to %q, want its script and nothing else", found)
	}
	if body := res.Body.String(); strings.Contains(body, "code=x") {
		t.Errorf("the page shows the code: %s", body)
	}
}

func TestTitleCannotBecomeMarkup(t *testing.T) {
	body := get(mount(t, "/docs", docs.Config{Title: `</title><script src=//evil.example>"`}), "/docs").Body.String()
	if strings.Contains(body, "<script src=//evil") || !strings.Contains(body, "<title>&lt;/title&gt;") {
		t.Errorf("title is not escaped:\n%s", body)
	}
}

// The path that the client asked for is in the page, to make links relative.
func TestPathCannotBecomeMarkupOrAnotherOrigin(t *testing.T) {
	page, err := docs.New(docs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{`/"><script>alert(1)</script>`, `/javascript:alert(1)`, `//evil.example`, `/a/%22onload=x`, `http://evil.example/docs`} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.RequestURI = "", uri
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		body := w.Body.String()
		if strings.Contains(body, "<script>") || strings.Contains(body, `"onload`) {
			t.Errorf("%s: markup in the page:\n%s", uri, body)
		}
		for _, match := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(match[1], "./") && match[1] != "openapi.json" && match[1] != "../openapi.json" {
				t.Errorf("%s: page refers to %s, want a relative address", uri, match[1])
			}
		}
	}
}

func TestDocumentOnAnotherHostIsRefused(t *testing.T) {
	for _, document := range []string{
		"https://evil.example/openapi.json", "//evil.example/openapi.json", "///evil.example/x", `\\evil.example/x`, `/\evil.example/x`,
		"javascript:alert(1)", "data:,x", "a:b", "#x", "?x", "%zz", "openapi.json#x",
	} {
		if _, err := docs.New(docs.Config{DocumentURL: document}); err == nil {
			t.Errorf("New(DocumentURL: %q) = nil error, want one", document)
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	h := mount(t, "/docs", docs.Config{})
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/docs", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q, want 405 and GET, HEAD", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	h := mount(t, "/docs", docs.Config{})
	dir := path.Dir(assetURL(t, h, "theme.css"))
	for _, target := range []string{
		"/docs/x", "/docs/index.html", "/docs/assets/", "/docs/assets/old/theme.css", dir + "/", dir + "/swagger-ui.css.gz",
		dir + "/index.html", dir + "/theme.css/", dir + "/%2e%2e/web/index.html",
	} {
		if got := get(h, target).Code; got != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", target, got)
		}
	}
}

func assetURL(t *testing.T, h http.Handler, name string) string {
	t.Helper()
	for _, link := range links(t, get(h, "/docs"), "/docs") {
		if path.Base(link) == name {
			return link
		}
	}
	t.Fatalf("page does not refer to %s", name)
	return ""
}

func TestAssetsAreCompressedForWhoAccepts(t *testing.T) {
	h := mount(t, "/docs", docs.Config{})
	bundle := assetURL(t, h, "swagger-ui-bundle.js")
	plain := get(h, bundle).Body.Bytes()
	for _, tt := range []struct {
		accept  string
		gzipped bool
	}{
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"*", true}, {"deflate, *;q=0.1", true}, {"x-gzip", true},
		{"", false}, {"br", false}, {"gzip;q=0", false}, {"*, gzip; q=0.000", false}, {"gzip;q=0, *", false}, {"gzip;q=x", false}, {"identity", false},
	} {
		w := get(h, bundle, "Accept-Encoding", tt.accept)
		body, encoding := w.Body.Bytes(), w.Header().Get("Content-Encoding")
		if length := fmt.Sprint(len(body)); w.Header().Get("Content-Length") != length {
			t.Errorf("%q: Content-Length %s, want %s", tt.accept, w.Header().Get("Content-Length"), length)
		}
		if (encoding == "gzip") != tt.gzipped {
			t.Errorf("%q: Content-Encoding %q, want gzip: %v", tt.accept, encoding, tt.gzipped)
			continue
		}
		if tt.gzipped {
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, plain) {
			t.Errorf("%q: %d bytes differ from the %d plain ones", tt.accept, len(body), len(plain))
		}
		if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("%q: Vary is %q, want Accept-Encoding", tt.accept, got)
		}
	}
}

func TestAssetsAreCachedForGoodAndThePageIsNot(t *testing.T) {
	h := mount(t, "/docs", docs.Config{})
	if got := get(h, "/docs").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control is %q, want no-cache", got)
	}
	bundle := assetURL(t, h, "swagger-ui-bundle.js")
	first := get(h, bundle, "Accept-Encoding", "gzip")
	if got := first.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("asset: Cache-Control is %q", got)
	}
	tag := first.Header().Get("ETag")
	if plain := get(h, bundle).Header().Get("ETag"); plain == tag || tag == "" || plain == "" {
		t.Errorf("ETag of gzip is %s and of plain %s, want two different ones", tag, plain)
	}
	for value, want := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200,
	} {
		w := get(h, bundle, "Accept-Encoding", "gzip", "If-None-Match", value)
		if w.Code != want || want == 304 && w.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: status %d with %d bytes, want %d", value, w.Code, w.Body.Len(), want)
		}
	}
}

func Example() {
	page, err := docs.New(docs.Config{Title: "Shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/docs", http.StripPrefix("/docs", page))
	mux.Handle("/docs/", http.StripPrefix("/docs", page))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/docs", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
