package scan

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"

	"github.com/fastness/fastness/scan/wire"
)

// inProcess is a transport that calls a handler: no network, no listener, no server.
type inProcess struct{ handler http.Handler }

// clientAddress returns where a request comes from, for the handler: each user has a
// loopback address for each check. A limit for each client holds, as for an attacker who
// has one address; what an earlier check used up does not count.
func clientAddress(r *http.Request) string {
	sent := wire.Sent(r.Context())
	sum := sha256.Sum256([]byte(sent.User + "\n" + sent.Why))
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, sum[0], sum[1], max(1, min(sum[2], 254))}), 49152).String()
}

// RoundTrip implements [http.RoundTripper]. It returns with the head of the answer; the
// body comes while it is read. To close the body ends the context of the request.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in, err := received(r)
	if err != nil { // A server says so before any handler.
		return &http.Response{
			Status: "400 Bad Request", StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, Request: r,
		}, nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	body, out := io.Pipe()
	w := &answer{header: http.Header{}, out: out, head: make(chan struct{})}
	go func() {
		defer func() {
			var err error
			switch v := recover(); {
			case v == http.ErrAbortHandler:
				err = errors.New("the handler aborted the answer")
			case v != nil:
				err = fmt.Errorf("the handler panicked: %v", v)
			}
			w.end(err)
		}()
		p.handler.ServeHTTP(w, in.WithContext(ctx))
	}()
	select {
	case <-w.head:
	case <-ctx.Done():
		cancel()
		return nil, r.Context().Err()
	}
	if w.err != nil {
		cancel()
		return nil, w.err
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, ContentLength: -1, Body: &answerBody{body, cancel}, Request: r,
	}, nil
}

// received returns the request as a server would have read it.
func received(r *http.Request) (*http.Request, error) {
	target := r.URL.RequestURI()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.URL, in.RequestURI, in.RemoteAddr = u, target, clientAddress(r)
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: r.URL.Hostname()}
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in, nil
}

// answer hands what a handler writes to who reads the answer.
type answer struct {
	header http.Header
	out    *io.PipeWriter

	once   sync.Once
	head   chan struct{} // closed once what follows is known
	status int
	sent   http.Header
	err    error
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.head)
	})
}

// Write implements [io.Writer].
func (a *answer) Write(p []byte) (int, error) {
	a.once.Do(func() {
		a.status, a.sent = http.StatusOK, a.header.Clone()
		if a.sent.Get("Content-Type") == "" {
			a.sent.Set("Content-Type", http.DetectContentType(p))
		}
		close(a.head)
	})
	return a.out.Write(p)
}

// Flush implements [http.Flusher]: nothing is held back.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

// end is called when the handler is done.
func (a *answer) end(err error) {
	a.once.Do(func() {
		a.status, a.sent, a.err = http.StatusOK, a.header.Clone(), err
		close(a.head)
	})
	_ = a.out.CloseWithError(err) // It is always nil; err nil is the end of the body.
}

// answerBody ends the request when it is closed.
type answerBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *answerBody) Close() error {
	defer b.cancel()
	return b.PipeReader.Close()
}
