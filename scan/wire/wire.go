// Package wire sends the requests of a scan, and keeps it within its bounds: one host,
// so many requests, so fast, so much of an answer, so long. The target may be hostile: an
// answer that does not end, a bomb of gzip, a loop of redirects, a text that moves the
// cursor of a terminal. Nothing of that hangs the scan or harms who runs it.
//
//	client, err := wire.New(wire.Config{Target: "http://127.0.0.1:8080"})
//	…
//	ex := client.Do(ctx, wire.Request{Method: "GET", Path: "/items/1"})
//	fmt.Println(ex.Status, ex.Text())
//
// Do never returns an error: what went wrong is part of the [Exchange].
package wire

import (
	"net/http"
	"strings"
	"time"
)

// Request is a request to the target. Neither path nor query are made nice: they are sent
// as they are.
type Request struct {
	Method string
	// Path is escaped and begins with a slash.
	Path string
	// Query is escaped, without the question mark.
	Query  string
	Header http.Header
	Body   []byte
	// User is the name of who sends it, or empty.
	User string
	// Operation is the id of the operation, Why the purpose: the id of a check, or what a
	// phase of the scan wants to know.
	Operation, Why string
	// NoRetry hands back the first answer, whatever it is: limits are not waited for.
	NoRetry bool
}

// Target returns path and query.
func (r *Request) Target() string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

// Exchange is a request and what came of it.
type Exchange struct {
	// Seq counts the exchanges of a scan, from 1.
	Seq     int
	Request Request
	// Origin is where it went: scheme://host[:port].
	Origin string
	// Status is 0 if no answer came.
	Status int
	Proto  string
	Header http.Header
	// Body has been decompressed, and is cut at the limit.
	Body      []byte
	Truncated bool
	At        time.Time
	// Took is the time to the first byte of the answer.
	Took time.Duration
	// Err tells why there is no answer, or not all of it.
	Err error
}

// OK reports whether the status is one of success.
func (e *Exchange) OK() bool { return e.Status >= 200 && e.Status < 300 }

// Text returns the body.
func (e *Exchange) Text() string { return string(e.Body) }

// Media returns the media type of the answer, without its parameters, in lower case.
func (e *Exchange) Media() string {
	media, _, _ := strings.Cut(e.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// IsJSON reports whether the answer says that it is JSON.
func (e *Exchange) IsJSON() bool {
	m := e.Media()
	return m == "application/json" || strings.HasSuffix(m, "+json") || m == "text/json"
}
