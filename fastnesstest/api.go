// Package fastnesstest sends requests to an app and says what is wrong with the
// answers, without a network.
//
//	app := newShop()
//	fastness.Override[Clock](app, fixedClock{}) // providers are replaced before New
//	api := fastnesstest.New(t, app)             // starts the app, stops it at the end of the test
//
//	item := fastnesstest.Post[Item](api, "/items", NewItem{Name: "Lamp"}, fastnesstest.Status(201))
//	api.Get("/items/8").WantProblem(404, "")
//	api.Post("/items", NewItem{}).WantViolation("body", "/name", "string_too_short")
//
// The functions [Get], [Post], [Put], [Patch] and [Delete] return the decoded
// body and end the test if the answer is another one. The methods of [API]
// return a [Response], whose Want methods report what differs and let the test
// go on, so that one run shows everything.
//
// # Bodies
//
// A body is the Go value that the app would decode, written as a client writes
// it, write-only members included. What is wrong on purpose is written out:
//
//	api.Post("/items", fastnesstest.JSON(`{"name":`)).WantProblem(400, "json_invalid")
//	api.Post("/login", url.Values{"user": {"ada"}})
//	api.Post("/photos", fastnesstest.Multipart(
//		fastnesstest.Field("title", "A lamp"),
//		fastnesstest.File("photo", "lamp.png", png)))
//	api.Post("/items", fastnesstest.Raw{ContentType: "text/plain", Body: []byte("{}")})
//
// # Requests
//
// A request comes from 127.0.0.1 over TLS and is for the host "localhost", which
// every app serves that names no Hosts; for others give New an option:
//
//	api := fastnesstest.New(t, app, fastnesstest.Header("Host", "api.example.com"))
//
// Redirects are not followed and cookies are not kept. [API.Browser] keeps them, and
// gets a CSRF token where a request needs one, as a page of the app does. What only a connection
// has, such as framing, deadlines and the cut of half an answer, needs a server:
// see package httptest, and [Response.Aborted].
package fastnesstest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/schema"
)

// API is a started app. Its methods may be called in parallel.
type API struct {
	t       testing.TB
	app     http.Handler
	types   *schema.Types
	options []Option
	jar     *jar // of a browser, or nil
}

// New starts app and stops it when the test ends. An app that cannot start ends
// the test with every mistake of its declarations. The options hold for all
// requests, before those of a request.
func New(t testing.TB, app *fastness.App, options ...Option) *API {
	t.Helper()
	if err := app.Start(t.Context()); err != nil {
		t.Fatalf("the app does not start: %v", err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Errorf("the app does not stop: %v", err)
		}
	})
	types := schema.NewTypes(schema.Config{Client: true, InsecureIgnoreUnknown: "a client reads the members that it knows", Names: app.Names()})
	return &API{t: t, app: app, types: types, options: options}
}

// With returns the same app with further options for all requests: a caller with
// a token, for instance. Failures are reported to t, as a subtest wants it.
func (a *API) With(t testing.TB, options ...Option) *API {
	other := *a
	other.t, other.options = t, append(slices.Clone(a.options), options...)
	return &other
}

// Logger returns a logger that writes to the output of t: what a failing test
// shows beside its messages is why the app answered 500.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// Get sends a GET request. Target is a path, with a query or without.
func (a *API) Get(target string, options ...Option) *Response {
	a.t.Helper()
	return a.Do(http.MethodGet, target, nil, options...)
}

// Post sends a POST request with a body; nil means none.
func (a *API) Post(target string, body any, options ...Option) *Response {
	a.t.Helper()
	return a.Do(http.MethodPost, target, body, options...)
}

// Put sends a PUT request with a body; nil means none.
func (a *API) Put(target string, body any, options ...Option) *Response {
	a.t.Helper()
	return a.Do(http.MethodPut, target, body, options...)
}

// Patch sends a PATCH request with a body; nil means none.
func (a *API) Patch(target string, body any, options ...Option) *Response {
	a.t.Helper()
	return a.Do(http.MethodPatch, target, body, options...)
}

// Delete sends a DELETE request.
func (a *API) Delete(target string, options ...Option) *Response {
	a.t.Helper()
	return a.Do(http.MethodDelete, target, nil, options...)
}

// Do sends a request of any method. The package comment says what body may be.
func (a *API) Do(method, target string, body any, options ...Option) *Response {
	a.t.Helper()
	res, want := a.send(method, target, body, options)
	if want != 0 {
		res.Want(want)
	}
	return res
}

// send sends a request and returns the answer and its expected status, or 0.
func (a *API) send(method, target string, body any, options []Option) (*Response, int) {
	a.t.Helper()
	sent := a.request(method, target, body, options)
	if a.jar == nil {
		return a.Send(sent.Request), sent.status
	}
	a.jar.dress(a, &sent)
	res := a.Send(sent.Request)
	a.jar.keep(sent.Request, res.Header)
	return res, sent.status
}

// request makes a request of the options.
func (a *API) request(method, target string, body any, options []Option) request {
	a.t.Helper()
	content, contentType, err := a.encode(body)
	if err != nil {
		a.t.Fatalf("%s %s: body: %v", method, target, err)
	}
	r, err := newRequest(a.t.Context(), method, target, content)
	if err != nil {
		a.t.Fatalf("%s %q: %v", method, target, err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	sent := request{Request: r}
	for _, o := range a.options {
		o(&sent)
	}
	for _, o := range options {
		o(&sent)
	}
	return sent
}

// newRequest returns a request as a server gets it.
func newRequest(ctx context.Context, method, target string, body []byte) (r *http.Request, err error) {
	defer func() {
		if v := recover(); v != nil { // httptest panics if it cannot read the request that it wrote.
			err = fmt.Errorf("this is no request: %v", v)
		}
	}()
	r = httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:4711"
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: "localhost"}
	return r, nil
}

// Send sends r as it is: no option of New applies to it.
func (a *API) Send(r *http.Request) (res *Response) {
	a.t.Helper()
	w := httptest.NewRecorder()
	res = &Response{t: a.t, types: a.types, request: r.Method + " " + r.URL.RequestURI()}
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			res.Aborted = true
		default:
			panic(v) // The app answers 500 by itself, so this is a bug of Fastness.
		}
		answer := w.Result()
		res.Status, res.Header, res.Body = answer.StatusCode, answer.Header, w.Body.Bytes()
		if r.Method == http.MethodHead { // A server sends none either.
			res.Body = nil
		}
	}()
	a.app.ServeHTTP(w, r)
	return res
}
