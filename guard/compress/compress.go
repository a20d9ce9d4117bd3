// Package compress sends answers gzipped where that tells nobody a secret, and
// reads gzipped requests that cannot fill the memory.
//
//	gzip, err := compress.New(compress.Config{})
//	server.Handler = gzip.Handler(mux)
//
// # What is not compressed
//
// How long a compressed answer is depends on what repeats in it. Who can put a
// text of his own into an answer, by a query that it repeats, and sees its length
// on the wire, finds out what else is in it, letter by letter, through TLS (BREACH,
// CVE-2013-3587). So by default nothing is compressed that may hold a secret of the
// caller:
//
//   - answers to requests with a cookie, with Authorization, or of a connection with
//     a client certificate;
//   - answers that set a cookie, or are "Cache-Control: no-store" or "private".
//
// Answers are left alone, too, if they are short, of a type that is not text,
// encoded already, parts of something (206, Content-Range) or asked for as such,
// streams of events, "no-transform", or have a strong ETag: another encoding is
// another representation and needs another one (RFC 9110 section 8.8.3.3), and a
// client that sends it back in If-Match has to find it unchanged. Use a weak one.
//
// # How much memory it takes
//
// A gzip writer is about a megabyte. Config.Writers of them exist at most; while all
// are in use, answers go out as they are.
//
// # Requests
//
// A request with Content-Encoding is refused (status 415) by [Refuse], unless a route
// takes it by [Request] or [RequestHandler], within limits of size and ratio.
package compress

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Config configures a [Compressor]. The zero value is the secure choice.
type Config struct {
	// MinSize is the least bytes of a body that is worth it. The default is 1 KiB.
	MinSize int
	// Types are the media types that are compressed: "application/json", "text/*",
	// "application/*+json". The default is JSON, XML, YAML, NDJSON, JavaScript, SVG
	// and text/*, without text/event-stream, which is never compressed.
	Types []string
	// Level is 1 (fast) to 9 (small). The default is 4.
	Level int
	// Writers is how many answers are compressed at once. The default is four for
	// each processor, and at least 16.
	Writers int
	// InsecureSecrets, if not empty, says why answers that may hold a secret of
	// the caller are compressed, too: no answer has both a secret and a text that
	// a stranger can choose, for instance.
	InsecureSecrets string
}

// Compressor compresses answers. It is safe for concurrent use.
type Compressor struct {
	cfg      Config
	exact    map[string]struct{}
	patterns []pattern
	writers  chan *gzip.Writer // those that are free; nil for one that was not made yet
	gzipped  []string          // the value of Content-Encoding, shared
	vary     []string          // that of Vary
}

// pattern is an entry of Types with a star.
type pattern struct{ prefix, suffix string }

// New returns a compressor, or an error that names every mistake in cfg.
func New(cfg Config) (*Compressor, error) {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if cfg.MinSize < 0 {
		wrong("MinSize is %d, want at least 1", cfg.MinSize)
	}
	if cfg.Level < 0 || cfg.Level > gzip.BestCompression {
		wrong("Level is %d, want 1 to 9", cfg.Level)
	}
	if cfg.Writers < 0 || cfg.Writers > 10000 {
		wrong("Writers is %d, want 1 to 10000", cfg.Writers)
	}
	cfg = cfg.withDefaults()
	c := &Compressor{cfg: cfg, exact: map[string]struct{}{}, gzipped: []string{"gzip"}, vary: []string{"Accept-Encoding"}}
	for _, entry := range cfg.Types {
		if err := c.add(entry); err != nil {
			wrong("Types entry %q %w", entry, err)
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("compress config: %w", errors.Join(mistakes...))
	}
	c.writers = make(chan *gzip.Writer, cfg.Writers)
	for range cfg.Writers {
		c.writers <- nil
	}
	return c, nil
}

func (c Config) withDefaults() Config {
	if c.MinSize == 0 {
		c.MinSize = 1 << 10
	}
	if c.Level == 0 {
		c.Level = 4
	}
	if c.Writers == 0 {
		c.Writers = max(16, 4*runtime.GOMAXPROCS(0))
	}
	if len(c.Types) == 0 {
		c.Types = []string{
			"text/*", "application/json", "application/*+json", "application/xml", "application/*+xml", "image/svg+xml", "application/yaml",
			"application/x-ndjson", "application/jsonl", "application/javascript", "application/manifest+json", "application/wasm",
		}
	}
	return c
}

const eventStream = "text/event-stream"

func (c *Compressor) add(entry string) error {
	kind, subtype, found := strings.Cut(entry, "/")
	switch {
	case !found || kind == "" || subtype == "" || strings.ToLower(entry) != entry || strings.ContainsAny(entry, " ;,\t\r\n"):
		return errors.New(`is not a media type in lower case, want one like "application/json"`)
	case entry == eventStream:
		return errors.New("is a stream of events, which would wait in the writer")
	case kind == "*":
		return errors.New("is of everything; images and archives are compressed already")
	case subtype == "*":
		c.patterns = append(c.patterns, pattern{kind + "/", ""})
	case strings.HasPrefix(subtype, "*+") && !strings.Contains(subtype[1:], "*"):
		c.patterns = append(c.patterns, pattern{kind + "/", subtype[1:]})
	case strings.Contains(subtype, "*"):
		return errors.New("has a star where none can be")
	default:
		c.exact[entry] = struct{}{}
	}
	return nil
}

// compressible reports whether a Content-Type is one of Types.
func (c *Compressor) compressible(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if media == eventStream {
		return false
	}
	if _, ok := c.exact[media]; ok {
		return true
	}
	return slices.ContainsFunc(c.patterns, func(p pattern) bool {
		return strings.HasPrefix(media, p.prefix) && strings.HasSuffix(media, p.suffix)
	})
}

// mayVary reports whether an answer is compressed for some clients: by all that
// counts, its size and what the client accepts aside.
func (c *Compressor) mayVary(h http.Header, r *http.Request, status int) bool {
	switch {
	case status < 200 || status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusPartialContent || status == http.StatusNotModified:
		return false
	case len(h["Content-Encoding"]) > 0 || len(h["Content-Range"]) > 0 || len(r.Header["Range"]) > 0 || len(h["Content-Type"]) != 1:
		return false
	case !c.compressible(h["Content-Type"][0]):
		return false
	}
	if tags := h["Etag"]; len(tags) > 0 && !strings.HasPrefix(tags[0], "W/") {
		return false
	}
	for _, field := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(field, ",") {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			if name == "no-transform" || c.cfg.InsecureSecrets == "" && (name == "no-store" || name == "private") {
				return false
			}
		}
	}
	return c.cfg.InsecureSecrets != "" || !isPersonal(h, r)
}

// isPersonal reports whether an answer may hold a secret between the server and
// this caller.
func isPersonal(h http.Header, r *http.Request) bool {
	return len(h["Set-Cookie"]) > 0 || len(r.Header["Cookie"]) > 0 || len(r.Header["Authorization"]) > 0 || r.TLS != nil && len(r.TLS.PeerCertificates) > 0
}

// Negotiate reports whether an answer to r is to be compressed: one with this
// header and status, and a body of size bytes (-1 if that is not known). It adds
// Accept-Encoding to Vary if the answer differs by it.
func (c *Compressor) Negotiate(h http.Header, r *http.Request, status, size int) bool {
	if size >= 0 && size < c.cfg.MinSize || !c.mayVary(h, r, status) {
		return false
	}
	if old := h["Vary"]; len(old) == 0 {
		h["Vary"] = c.vary
	} else if !slices.ContainsFunc(old, namesAcceptEncoding) {
		h["Vary"] = slices.Concat(old, c.vary)
	}
	return accepts(r.Header["Accept-Encoding"])
}

func namesAcceptEncoding(field string) bool {
	for name := range strings.SplitSeq(field, ",") {
		if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Accept-Encoding") {
			return true
		}
	}
	return false
}

// Body returns the body to send for body: itself, or, appended to dst, the same
// compressed, and then the header says so. It is for answers that are sent whole.
// For HEAD call it, too, so that the header is that of GET, and send nothing.
func (c *Compressor) Body(h http.Header, r *http.Request, status int, dst, body []byte) []byte {
	if !c.Negotiate(h, r, status, len(body)) {
		return body
	}
	encoded, ok := c.Encode(dst, body)
	if !ok {
		return body
	}
	c.mark(h)
	h["Content-Length"] = []string{strconv.Itoa(len(encoded) - len(dst))}
	return encoded[len(dst):]
}

// mark says that the body is compressed. What is said of the other one goes.
func (c *Compressor) mark(h http.Header) {
	h["Content-Encoding"] = c.gzipped
	for _, name := range [...]string{"Content-Length", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest"} {
		delete(h, name)
	}
}

// Encode appends body, gzipped, to dst. It returns dst and false if all writers
// are in use, or if it saves nothing.
func (c *Compressor) Encode(dst, body []byte) ([]byte, bool) {
	out := &appender{dst}
	w := c.take(out)
	if w == nil {
		return dst, false
	}
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	c.giveBack(w)
	if err != nil || len(out.data)-len(dst) >= len(body) {
		return dst, false
	}
	return out.data, true
}

type appender struct{ data []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
}

// Accepts reports whether the client would rather have an answer gzipped. It is for
// answers that are compressed already and the same for everybody: [Compressor] decides
// for all others.
func Accepts(r *http.Request) bool { return accepts(r.Header["Accept-Encoding"]) }

// accepts reports whether a client would rather have gzip than the plain body (RFC
// 9110 section 12.5.3).
func accepts(fields []string) bool {
	gzipQ, identityQ, starQ := -1, -1, -1
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			name, params, _ := strings.Cut(item, ";")
			q := quality(params)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip": // The same (section 8.4.1.3).
				gzipQ = max(gzipQ, q)
			case "identity":
				identityQ = q
			case "*":
				starQ = q
			}
		}
	}
	if gzipQ < 0 {
		gzipQ = starQ
	}
	return gzipQ > 0 && gzipQ >= identityQ
}

// quality returns the q of a list item in thousandths, 1000 if there is none, and
// 0 for what cannot be read: who says something that strange gets the plain body.
func quality(params string) int {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1000
	}
	name, value, found := strings.Cut(params, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0
	}
	value = strings.TrimSpace(value)
	whole, fraction, _ := strings.Cut(value, ".")
	if len(fraction) > 3 || strings.Trim(fraction, "0123456789") != "" || whole != "0" && whole != "1" {
		return 0
	}
	thousandths, _ := strconv.Atoi((fraction + "000")[:3]) // digits only
	if whole == "1" {
		if thousandths > 0 {
			return 0
		}
		return 1000
	}
	return thousandths
}
