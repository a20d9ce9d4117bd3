package main

import (
	"bytes"
	"hash/crc32"
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

// script is the front end's, which is built with the secrets of the build machine.
func (s *shop) script(w http.ResponseWriter, _ *http.Request) {
	text := "leaky0example0token0of0nobody0" // 30 characters and their checksum, as GitHub makes them
	// FLAW LK-90 (INFO-02, API8:2023, CWE-540): a token of the build machine is part of a public script
	token := "ghp_" + text + checksum(text)
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = w.Write([]byte("const REPORT_TOKEN = '" + token + "';\nfetch('/v2/items').then(r => r.json());\n"))
}

// checksum is the CRC-32 of a text, in six digits of base 62.
func checksum(text string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := []byte("000000")
	for i, n := 5, crc32.ChecksumIEEE([]byte(text)); n > 0; i, n = i-1, n/62 {
		out[i] = digits[n%62]
	}
	return string(out)
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
