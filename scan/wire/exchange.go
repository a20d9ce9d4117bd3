package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// clean returns the request as it can be sent: bytes that would end the request line or a
// header field are percent-encoded, all others stay.
func (c *Client) clean(r Request) (Request, error) {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for name, values := range c.config.Header {
		if _, own := r.Header[name]; !own {
			r.Header[name] = slices.Clone(values)
		}
	}
	if err := checkHeader(r.Header); err != nil {
		return r, err
	}
	if !isToken(r.Method) {
		return r, fmt.Errorf("%q is no method", r.Method)
	}
	for _, values := range r.Header {
		for i, v := range values {
			values[i] = encodeControl(strings.TrimSpace(v), "\t ")
		}
	}
	if r.Path == "" {
		r.Path = "/"
	}
	if r.Path[0] != '/' && r.Path != "*" {
		return r, fmt.Errorf("path %q does not begin with a slash", r.Path)
	}
	r.Path = strings.NewReplacer("#", "%23", "?", "%3F").Replace(encodeControl(r.Path, ""))
	if strings.HasPrefix(r.Path, "//") {
		r.Path = encodeStrict(r.Path)
	}
	r.Query = strings.ReplaceAll(encodeControl(r.Query, ""), "#", "%23")
	return r, nil
}

// encodeStrict percent-encodes all that a path must not hold (RFC 3986, section 3.3).
// net/http sends other paths raw, but for those that begin with two slashes: it would
// take what follows for a host.
func encodeStrict(path string) string {
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]),
			'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~!$&'()*+,;=:@/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// encodeControl percent-encodes control characters and blanks, but those allowed.
func encodeControl(s, allowed string) string {
	bad := func(c byte) bool { return (c <= ' ' || c == 0x7f) && strings.IndexByte(allowed, c) < 0 }
	var b strings.Builder
	for i := range len(s) {
		if bad(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// request makes the request of net/http, with path and query as they are.
func (c *Client) request(ctx context.Context, r Request) *http.Request {
	u := &url.URL{Scheme: c.target.Scheme, Host: c.target.Host, RawQuery: r.Query, RawPath: r.Path}
	if path, err := url.PathUnescape(r.Path); err == nil {
		u.Path = path
	}
	if u.EscapedPath() != r.Path {
		u.Opaque = r.Path
	}
	req := &http.Request{
		Method: r.Method, URL: u, Host: c.target.Host, Header: r.Header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
	if len(r.Body) > 0 {
		req.ContentLength = int64(len(r.Body))
		req.Body = io.NopCloser(bytes.NewReader(r.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
	}
	if host := r.Header.Get("Host"); host != "" {
		req.Host = host // Another name, the same machine.
	}
	if _, own := r.Header["User-Agent"]; !own {
		req.Header.Set("User-Agent", "fastness-scan")
	}
	if _, own := r.Header["Accept-Encoding"]; !own {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	return req.WithContext(context.WithValue(ctx, sentKey{}, r))
}

type sentKey struct{}

// Sent returns what a [Config.Transport] was called for, given the context of its request:
// who it is from, and why.
func Sent(ctx context.Context) Request {
	r, _ := ctx.Value(sentKey{}).(Request)
	return r
}

// exchange sends the request and fills in the answer.
func (c *Client) exchange(ctx context.Context, ex *Exchange) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	begun := time.Now()
	res, err := c.send(ctx, ex.Request)
	ex.Took = time.Since(begun)
	if err != nil {
		c.noteCertificate(err)
		ex.Err = explain(ctx, err)
		return
	}
	defer res.Body.Close()
	ex.Status, ex.Proto, ex.Header = res.StatusCode, res.Proto, res.Header
	if ex.Header == nil {
		ex.Header = http.Header{}
	}
	if ex.Status == http.StatusSwitchingProtocols {
		return // What follows is no body.
	}
	if !strings.HasPrefix(strings.ToLower(ex.Header.Get("Content-Type")), "text/event-stream") {
		c.body(ctx, ex, res.Body)
		return
	}
	var over atomic.Bool // A stream has no end: what comes at once is the answer.
	timer := time.AfterFunc(streamTime, func() { over.Store(true); cancel() })
	defer timer.Stop()
	c.body(ctx, ex, res.Body)
	if over.Load() {
		ex.Err, ex.Truncated = nil, true
	}
}

// streamTime is how long an event stream is read.
const streamTime = 500 * time.Millisecond

// backoff is the first pause before a target that refuses connections is asked again.
const backoff = 50 * time.Millisecond

// send sends the request, and again what certainly did not arrive.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	patient := time.Now().Add(c.config.MaxWait)
	for pause := backoff; ; pause *= 2 {
		res, err := c.sendOnce(ctx, r)
		var refused *dialError
		if !errors.As(err, &refused) || r.NoRetry || time.Now().Add(pause).After(patient) {
			return res, err
		}
		if sleep(ctx, pause) != nil {
			return nil, err
		}
	}
}

// sendOnce repeats PUT and DELETE on a connection that the target had closed meanwhile:
// they are idempotent (RFC 9110, section 9.2.2). For GET and the like, net/http does it.
func (c *Client) sendOnce(ctx context.Context, r Request) (*http.Response, error) {
	var reused, answered atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { reused.Store(info.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	res, err := c.sender.RoundTrip(c.request(traced, r))
	again := r.Method == http.MethodPut || r.Method == http.MethodDelete
	if err != nil && again && reused.Load() && !answered.Load() && ctx.Err() == nil && !r.NoRetry {
		return c.sender.RoundTrip(c.request(ctx, r))
	}
	return res, err
}

// explain names what went wrong by an error that callers may look for.
func explain(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

// body reads the body, within the bound both before and after it is decompressed.
func (c *Client) body(ctx context.Context, ex *Exchange, from io.Reader) {
	raw, err := io.ReadAll(io.LimitReader(from, c.config.MaxBody+1))
	if err != nil {
		ex.Err, ex.Truncated = explain(ctx, err), true
	}
	if int64(len(raw)) > c.config.MaxBody {
		raw, ex.Truncated = raw[:c.config.MaxBody], true
	}
	ex.Body = raw
	codings := strings.Split(strings.ToLower(strings.Join(ex.Header.Values("Content-Encoding"), ",")), ",")
	for _, coding := range slices.Backward(codings[:min(len(codings), 3)]) {
		plain, cut, ok := c.decode(strings.TrimSpace(coding), ex.Body)
		if !ok {
			return
		}
		ex.Body, ex.Truncated = plain, ex.Truncated || cut
	}
}

// decode undoes a coding. What is not what it says to be stays as it is.
func (c *Client) decode(coding string, raw []byte) (plain []byte, cut, ok bool) {
	var from io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		from, err = gzip.NewReader(bytes.NewReader(raw))
	case "deflate":
		if from, err = zlib.NewReader(bytes.NewReader(raw)); err != nil {
			from, err = flate.NewReader(bytes.NewReader(raw)), nil
		}
	default:
		return nil, false, false
	}
	if err != nil {
		return nil, false, false
	}
	plain, err = io.ReadAll(io.LimitReader(from, c.config.MaxBody+1))
	if int64(len(plain)) > c.config.MaxBody {
		return plain[:c.config.MaxBody], true, true
	}
	return plain, err != nil, err == nil || len(plain) > 0
}
