package fastness

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/fastness/fastness/internal/eventstream"
	"github.com/fastness/fastness/internal/operation"
)

// linesType is the media type of [JSONLines], as OpenAPI 3.2 has it.
const linesType = "application/jsonl"

// Event is one server-sent event.
type Event[T any] struct {
	// ID is what a client that reconnects sends back in Last-Event-ID: printable ASCII,
	// at most 256 bytes, without spaces at its ends. A browser keeps the last one.
	ID string
	// Name is what the client listens for; "" is "message". "error" is taken. The
	// rules are those of ID.
	Name string
	// Retry tells the client how long to wait before it reconnects, up to 24 hours. 0
	// says nothing: browsers wait some seconds.
	Retry time.Duration
	// Data is sent as JSON: as the caller may see it.
	Data T
	// Text, if not empty, is sent instead of Data, as it is: a piece of HTML, for
	// instance. Its line ends come out as line feeds.
	Text string
}

// SSE is an answer of server-sent events (WHATWG HTML section 9.2), which a browser
// reads with new EventSource(path):
//
//	type watchInput struct {
//		Last fastness.Opt[int64] `header:"Last-Event-ID"` // where a client that reconnects goes on
//		Prices *Prices
//	}
//
//	func watch(ctx context.Context, in watchInput) (fastness.SSE[Price], error) {
//		return fastness.SSE[Price]{Events: func(yield func(fastness.Event[Price], error) bool) {
//			for price, err := range in.Prices.After(ctx, in.Last.Or(0)) {
//				if !yield(fastness.Event[Price]{ID: strconv.FormatInt(price.ID, 10), Data: price}, err) {
//					return
//				}
//			}
//		}}, nil
//	}
//
// Each event is sent at once. An error that comes first, within a second, is answered
// like that of any operation. One that comes later is sent as an event "error" with the
// problem document, and ends the stream. The iterator must end when ctx is done: when
// the caller is gone or reads too slowly, when the stream has lasted its time or the app
// stops. The client then reconnects; so it does after the last event, unless it is told
// not to: SSE without Events is the answer 204, at which it stops.
//
// Who may call was asked before the first event, and [StreamLimits] bound how long that
// holds. Providers clean up after the last event. One that writes, such as a *sqldb.Tx,
// is a mistake: its commit would come after the answer.
type SSE[T any] struct {
	Events iter.Seq2[Event[T], error]
}

func (s *SSE[T]) outline() outline {
	return outline{body: reflect.TypeFor[T](), content: eventstream.MediaType, stream: events}
}

func (s *SSE[T]) fill(a *answer) error {
	if s.Events == nil {
		a.status = http.StatusNoContent
		return nil
	}
	all := s.Events
	a.sender = &streamed{kind: events, each: func(yield func(eventstream.Event, reflect.Value, error) bool) {
		all(func(e Event[T], err error) bool {
			return yield(eventstream.Event{ID: e.ID, Name: e.Name, Retry: e.Retry, Data: e.Text}, reflect.ValueOf(&e.Data).Elem(), err)
		})
	}}
	return nil
}

// JSONLines is an answer of JSON values, one a line (application/jsonl), which are sent
// while they are made: an export of any length that nobody holds in memory.
//
//	func exportItems(ctx context.Context, in exportInput) (fastness.JSONLines[Item], error) {
//		return fastness.JSONLines[Item]{Items: in.Items.All(ctx)}, nil
//	}
//
// An error before the first line is answered like that of any operation. One that comes
// later cuts the connection, so that nobody takes half of an answer for a whole one;
// over HTTP/1.0 it cannot be told. For what Providers may do, and for limits, see [SSE].
type JSONLines[T any] struct {
	Items iter.Seq2[T, error]
}

func (l *JSONLines[T]) outline() outline {
	return outline{body: reflect.TypeFor[T](), content: linesType, stream: lines}
}

func (l *JSONLines[T]) fill(a *answer) error {
	all := l.Items
	if all == nil {
		return errors.New("JSON lines without Items")
	}
	a.sender = &streamed{kind: lines, each: func(yield func(eventstream.Event, reflect.Value, error) bool) {
		all(func(item T, err error) bool { return yield(eventstream.Event{}, reflect.ValueOf(&item).Elem(), err) })
	}}
	return nil
}

// streamKind is a kind of answer that is sent while it is made.
type streamKind int

const (
	noStream streamKind = iota
	events
	lines
	bytesOnly // a download: there is nothing to encode
)

// StreamLimits is an option of operations that answer with [SSE], [JSONLines] or a
// [Download], or take a [Stream], and of folders of files. The Timeout of the former only limits what comes
// before the header.
type StreamLimits struct {
	// Write is how long the caller may take to read what is sent, 64 KiB at most at a
	// time. Who takes longer is cut off. The default is 15 seconds.
	Write time.Duration
	// Heartbeat is how long nothing is sent before a comment is, so that proxies keep
	// the connection of events. The default is 15 seconds.
	Heartbeat time.Duration
	// Read is how long the caller of an operation with a [Stream] may take to send the
	// next part of it. The default is 15 seconds.
	Read time.Duration
	// Longest is how long a stream may last. The default is an hour.
	Longest time.Duration
}

// Apply implements [Option].
func (l StreamLimits) Apply(s *operation.Spec) {
	for _, limit := range []struct {
		name string
		d    time.Duration
	}{{"Write", l.Write}, {"Read", l.Read}, {"Heartbeat", l.Heartbeat}, {"Longest", l.Longest}} {
		if limit.d < 0 {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("StreamLimits.%s is %v, want more than 0", limit.name, limit.d))
		}
	}
	s.Stream = operation.Stream{Write: l.Write, Read: l.Read, Heartbeat: l.Heartbeat, Longest: l.Longest}
}
