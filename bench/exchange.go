package main

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
)

// An exchange is one request that is sent to a handler again and again. It
// reuses what a server would make for each request, so that what is counted is
// the peer's own work:
//
//   - the ResponseWriter: the header map is cleared, the body counted and
//     dropped;
//   - the request: copied from a template, so that nothing that a router or a
//     parsed form left in it is seen by the next; the URL and the header map
//     are shared;
//   - the body: one reader over the same bytes.
//
// With more authorizations than one each request has the next of them.
type exchange struct {
	template http.Request
	request  http.Request
	writer   writer
	body     body
	// authorizations take turns in the header, if there are any.
	authorizations []string
	next           int
}

// newExchange returns the exchange of method and target, which is a POST of
// payload as JSON if payload is not nil.
func newExchange(method, target string, payload []byte, authorizations ...string) (*exchange, error) {
	e := &exchange{body: body{payload: payload}, authorizations: authorizations, writer: writer{header: make(http.Header)}}
	r, err := http.NewRequestWithContext(context.Background(), method, "http://bench.example"+target, nil)
	if err != nil {
		return nil, err
	}
	r.RequestURI = target
	r.RemoteAddr = "192.0.2.1:40000"
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "bench")
	r.Body = http.NoBody
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Length", strconv.Itoa(len(payload)))
		r.ContentLength = int64(len(payload))
		r.Body = &e.body
	}
	if len(authorizations) > 0 {
		r.Header.Set("Authorization", authorizations[0])
	}
	e.template = *r
	return e, nil
}

// send gives the request to h and returns the status of the answer.
func (e *exchange) send(h http.Handler) int {
	e.writer.reset()
	e.body.Reset(e.body.payload)
	e.request = e.template
	if n := len(e.authorizations); n > 1 {
		e.next = (e.next + 1) % n
		e.request.Header["Authorization"][0] = e.authorizations[e.next]
	}
	h.ServeHTTP(&e.writer, &e.request)
	return e.writer.status
}

// answer is send for an answer that is read.
func (e *exchange) answer(h http.Handler) (status int, header http.Header, content []byte) {
	var kept bytes.Buffer
	e.writer.keep = &kept
	status = e.send(h)
	e.writer.keep = nil
	return status, e.writer.header.Clone(), kept.Bytes()
}

type body struct {
	bytes.Reader
	payload []byte
}

func (*body) Close() error { return nil }

type writer struct {
	header http.Header
	status int
	count  int
	keep   *bytes.Buffer // nil while the clock runs
}

func (w *writer) reset() {
	clear(w.header)
	w.status, w.count = 0, 0
}

func (w *writer) Header() http.Header { return w.header }

// WriteHeader keeps the first status, as a server does.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.count += len(p)
	if w.keep != nil {
		w.keep.Write(p)
	}
	return len(p), nil
}

// WriteString and Flush are there because a server's writer has them, and what
// wraps it may ask.
func (w *writer) WriteString(s string) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.count += len(s)
	if w.keep != nil {
		w.keep.WriteString(s)
	}
	return len(s), nil
}

func (w *writer) Flush() { w.WriteHeader(http.StatusOK) }
