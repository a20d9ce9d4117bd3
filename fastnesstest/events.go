package fastnesstest

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/internal/eventstream"
	"github.com/fastness/fastness/schema"
)

// maxEvent is the most bytes of a line of an event.
const maxEvent = 16 << 20

// Events sends a GET request that is answered with server-sent events, and returns them
// as they come. When the loop over them ends the caller is gone, and the function waits
// until the operation has noticed. Another answer ends the test.
//
//	for event := range fastnesstest.Events[Price](api, "/prices") {
//		…
//		break
//	}
//
// Data is decoded where it is JSON of a T; Text is the data as it came. An event "error"
// holds a problem document in Text.
func Events[T any](api *API, target string, options ...Option) iter.Seq[fastness.Event[T]] {
	return func(yield func(fastness.Event[T]) bool) {
		api.t.Helper()
		sent := api.request(http.MethodGet, target, nil, options)
		if api.jar != nil {
			api.jar.dress(api, &sent)
		}
		ctx, leave := context.WithCancel(sent.Context())
		read, write := io.Pipe()
		w := &streamed{header: make(http.Header), begun: make(chan struct{}), body: write}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.serve(api.app, sent.WithContext(ctx))
		}()
		defer func() {
			leave()
			_ = read.Close() // What is written from now on has no reader.
			<-ended
		}()
		<-w.begun
		if media := w.sent.Get("Content-Type"); w.status != http.StatusOK || media != eventstream.MediaType {
			body, _ := io.ReadAll(read) // It ends with the answer.
			api.t.Fatalf("GET %s: status %d of type %q, want events; body %q", target, w.status, media, body)
		}
		events := eventstream.NewReader(read, maxEvent)
		for {
			e, err := events.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				api.t.Fatalf("GET %s: %v", target, err)
			}
			if !yield(decoded[T](api, e)) {
				return
			}
		}
	}
}

// decoded returns the event with its data as a T, if that is what it is.
func decoded[T any](api *API, e eventstream.Event) fastness.Event[T] {
	out := fastness.Event[T]{ID: e.ID, Name: e.Name, Retry: e.Retry, Text: e.Data}
	plan, err := api.types.Plan(reflect.TypeFor[T](), "")
	if err != nil || e.Name == "error" {
		return out
	}
	report, fresh := schema.Report{Context: context.Background(), In: "body"}, reflect.New(plan.Type())
	if plan.Decode(&report, []byte(strings.Clone(e.Data)), fresh.Elem()); report.Err() == nil {
		out.Data = *fresh.Interface().(*T)
	}
	return out
}

// streamed is the writer of an answer that is read while it is written.
type streamed struct {
	header http.Header
	sent   http.Header // as it was when the answer began
	status int
	begun  chan struct{}
	body   *io.PipeWriter
}

func (w *streamed) Header() http.Header { return w.header }

func (w *streamed) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		w.sent = w.header.Clone()
		close(w.begun)
	}
}

func (w *streamed) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush does nothing: what is written is read.
func (w *streamed) Flush() {}

// serve answers r, and ends the body.
func (w *streamed) serve(app http.Handler, r *http.Request) {
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler {
			panic(v) // The app answers 500 by itself, so this is a bug of Fastness.
		}
		w.WriteHeader(http.StatusOK)
		_ = w.body.Close() // It never fails.
	}()
	app.ServeHTTP(w, r)
}
