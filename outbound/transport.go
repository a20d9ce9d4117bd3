package outbound

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// transport checks each request, the first and those of redirects, and bounds
// what comes back.
type transport struct {
	policy  *policy
	base    *http.Transport
	maxBody int64
}

// RoundTrip sends one request if its URL may be fetched.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	clean, err := t.policy.canonical(req.URL)
	if err == nil && req.Host != "" && !strings.EqualFold(req.Host, req.URL.Host) {
		// What answers for a name must be what is connected to.
		err = fmt.Errorf("%w: its host and the Host of the request differ", ErrForbiddenURL)
	}
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	sent := req.Clone(req.Context())
	sent.URL, sent.Host = clean, ""
	sent.Header.Del("Referer") // It would tell one host about another, with its query.
	unzip := req.Method != http.MethodHead && len(req.Header["Accept-Encoding"]) == 0 && len(req.Header["Range"]) == 0
	if unzip {
		sent.Header.Set("Accept-Encoding", "gzip")
	}
	res, err := t.base.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	res.Request = req
	return t.bound(res, unzip)
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// bound puts the limits around the body of an answer.
func (t *transport) bound(res *http.Response, unzip bool) (*http.Response, error) {
	if res.Request.Method == http.MethodHead {
		return res, nil
	}
	if res.ContentLength > t.maxBody {
		res.Body.Close()
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrBodyTooLarge, res.ContentLength, t.maxBody)
	}
	limited := &limitedReader{from: res.Body, left: t.maxBody}
	content := &body{Reader: limited, Closer: res.Body}
	if unzip && res.ContentLength != 0 && strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		// A megabyte of zeros is a kilobyte of gzip, so the limit counts again.
		content.Reader = &limitedReader{from: &gzipReader{from: limited}, left: t.maxBody}
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength = -1
		res.Uncompressed = true
	}
	res.Body = content
	return res, nil
}

type body struct {
	io.Reader
	io.Closer
}

// limitedReader fails after its limit, where [io.LimitReader] would pretend that
// the rest is all.
type limitedReader struct {
	from io.Reader
	left int64
	err  error
}

func (r *limitedReader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1] // One more byte tells whether there is more.
	}
	n, err := r.from.Read(p)
	if int64(n) > r.left {
		n, err = int(r.left), ErrBodyTooLarge
	}
	r.left -= int64(n)
	r.err = err
	return n, err
}

// gzipReader reads the header at the first Read: by then the caller waits.
type gzipReader struct {
	from io.Reader
	zip  *gzip.Reader
	err  error
}

func (r *gzipReader) Read(p []byte) (int, error) {
	if r.zip == nil && r.err == nil {
		r.zip, r.err = gzip.NewReader(r.from)
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.zip.Read(p)
}

// checkRedirect is asked before a redirect is followed. The URL is checked when
// it is fetched.
func (p *policy) checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case p.maxHops == 0:
		return http.ErrUseLastResponse
	case len(via) > p.maxHops:
		return fmt.Errorf("%w: there are more than %d", ErrForbiddenRedirect, p.maxHops)
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: it leads from HTTPS to HTTP", ErrForbiddenRedirect)
	}
	foreign := slices.ContainsFunc(append(via[1:len(via):len(via)], req), func(hop *http.Request) bool { return origin(hop.URL) != origin(first.URL) })
	if !foreign {
		return nil
	}
	if req.Body != nil && req.Body != http.NoBody {
		return errors.Join(fmt.Errorf("%w: it takes the body to another host", ErrForbiddenRedirect), req.Body.Close())
	}
	// Package net/http drops the fields that it knows, and keeps them for
	// subdomains. An API key has a field of its own, which it does not know.
	for name := range req.Header {
		switch name {
		case "Accept", "Accept-Language", "Content-Type", "Range", "User-Agent":
		default:
			delete(req.Header, name)
		}
	}
	return nil
}
