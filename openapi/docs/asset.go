package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/swaggest/swgui/v5/static"

	"github.com/fastness/fastness/problem"
)

// asset is a file of the page. Swagger UI comes compressed and stays so; few
// clients do not take it like that.
type asset struct {
	mediaType string
	gzipped   []byte // nil for a file that is served as it is
	plain     func() ([]byte, error)
	tag       string
}

// loadAssets returns the files of the page by name.
func loadAssets() (map[string]asset, error) {
	assets := make(map[string]asset)
	for _, file := range []struct {
		from            fs.FS
		name, mediaType string // Not by extension: the tables of some systems call .js text/plain.
	}{
		{web, "web/init.js", "text/javascript; charset=utf-8"},
		{web, "web/oauth2-redirect.js", "text/javascript; charset=utf-8"},
		{web, "web/theme.css", "text/css; charset=utf-8"},
		{static.FS, "swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8"},
		{static.FS, "swagger-ui.css.gz", "text/css; charset=utf-8"},
		{static.FS, "favicon-32x32.png", "image/png"},
	} {
		data, err := fs.ReadFile(file.from, file.name)
		if err != nil {
			return nil, err
		}
		name, compressed := strings.CutSuffix(path.Base(file.name), ".gz")
		assets[name] = newAsset(file.mediaType, data, compressed)
	}
	return assets, nil
}

func newAsset(mediaType string, data []byte, compressed bool) asset {
	sum := sha256.Sum256(data)
	a := asset{
		mediaType: mediaType,
		plain:     func() ([]byte, error) { return data, nil },
		tag:       hex.EncodeToString(sum[:12]),
	}
	if compressed {
		a.gzipped = data
		// Once, not per request: asking for megabytes must stay cheap to answer.
		a.plain = sync.OnceValues(func() ([]byte, error) {
			r, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		})
	}
	return a
}

// version names the content of all assets.
func version(assets map[string]asset) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		io.WriteString(hash, name+" "+assets[name].tag+"\n")
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	tag, body := `"`+a.tag+`"`, a.gzipped
	if a.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if a.gzipped != nil && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		tag = `"` + a.tag + `-gzip"` // Other bytes need another strong tag (RFC 9110, 8.8.1).
		h.Set("Content-Encoding", "gzip")
	} else {
		var err error
		if body, err = a.plain(); err != nil {
			problem.Write(w, problem.New(http.StatusInternalServerError, "").Wrap(err))
			return
		}
	}
	h.Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // The client is gone if this fails.
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3). A weight of 0 means no.
func acceptsGzip(values []string) bool {
	accepted := false
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, weight, _ := strings.Cut(item, ";")
		wanted := weightOf(weight) > 0
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			accepted = wanted
		}
	}
	return accepted
}

// weightOf reads "q=0.5". No weight is 1, and what is not one is 0: plain bytes
// suit everybody.
func weightOf(s string) float64 {
	if s = strings.TrimSpace(s); s == "" {
		return 1
	}
	name, value, _ := strings.Cut(s, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0
	}
	return q
}

// matches compares If-None-Match weakly with tag (RFC 9110, 13.1.2).
func matches(values []string, tag string) bool {
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}
