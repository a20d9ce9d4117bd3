package main

import (
	"bytes"
	"net/http"
	"path"
	"sync"
	"time"
)

// cache stands for the content delivery network in front of the shop. It keeps what
// looks like a file.
type cache struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	head  http.Header
	body  []byte
	until time.Time
}

func newCache() *cache { return &cache{kept: map[string]kept{}} }

// recorder keeps a copy of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

func (c *cache) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path.Ext(r.URL.Path) {
		case ".css", ".js", ".png", ".ico":
		default:
			next.ServeHTTP(w, r)
			return
		}
		// FLAW LK-58 (CA-01, API8:2023, CWE-524): what ends like a file is kept for everybody, and /v2/me/x.css is the account of who asks first
		c.mu.Lock()
		if len(c.kept) > 1000 {
			clear(c.kept)
		}
		found, ok := c.kept[r.URL.Path]
		c.mu.Unlock()
		if ok && time.Now().Before(found.until) && r.Method == http.MethodGet {
			for name, values := range found.head {
				w.Header()[name] = values
			}
			w.Header().Set("X-Cache", "HIT")
			_, _ = w.Write(found.body)
			return
		}
		w.Header().Set("X-Cache", "MISS")
		rec := &recorder{ResponseWriter: w, status: 200}
		next.ServeHTTP(rec, r)
		if rec.status == 200 && r.Method == http.MethodGet {
			c.mu.Lock()
			c.kept[r.URL.Path] = kept{w.Header().Clone(), rec.body.Bytes(), time.Now().Add(10 * time.Second)}
			c.mu.Unlock()
		}
	})
}

// clientConfig tells the front end where the API is.
func (s *shop) clientConfig(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	// FLAW LK-59 (CA-01, API8:2023, CWE-349): a header that is no part of the key decides what the cache gives to everybody
	if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" {
		host = forwarded
	}
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = w.Write([]byte(`window.API = "http://` + host + `/v2";` + "\n"))
}
