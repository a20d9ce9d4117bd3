// Package eventstream writes and reads the text of server-sent events (WHATWG HTML
// section 9.2, "text/event-stream").
//
//	text, err := eventstream.Append(nil, eventstream.Event{ID: "7", Name: "order", Data: `{"id":7}`})
//
// The format is lines: who gets a line break into an id or a name writes the next
// field, and so an event of their own (CWE-93). [Append] refuses such an id or name,
// and gives each line of the data a field of its own.
package eventstream

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MediaType is that of a stream of events. It is always UTF-8.
const MediaType = "text/event-stream"

// Comment is a line that readers pass over. Sent now and then, it keeps proxies from
// closing a connection on which nothing happens.
const Comment = ":\n\n"

// Event is one event.
type Event struct {
	// ID is what a client that reconnects sends back as Last-Event-ID.
	ID string
	// Name is the type of the event; "" is "message".
	Name string
	// Retry is how long a client waits before it reconnects, 0 for what it did before.
	Retry time.Duration
	Data  string
}

// MaxID is the most bytes of an id, and of a name: an id comes back in the head of a
// request, which is bounded, too.
const MaxID = 256

// Append appends the event to dst. An id or name that is not printable ASCII, has
// spaces at its ends or is longer than [MaxID] is an error: it would end the field, or
// come back as another one, or as a head that no server takes.
func Append(dst []byte, e Event) ([]byte, error) {
	if err := errors.Join(check("id", e.ID), check("name", e.Name)); err != nil {
		return dst, err
	}
	if e.Retry < 0 || e.Retry > 24*time.Hour {
		return dst, fmt.Errorf("the retry time of an event is %v, want 0 to 24 hours", e.Retry)
	}
	if e.ID != "" {
		dst = append(append(append(dst, "id: "...), e.ID...), '\n')
	}
	if e.Name != "" {
		dst = append(append(append(dst, "event: "...), e.Name...), '\n')
	}
	if e.Retry > 0 {
		dst = append(strconv.AppendInt(append(dst, "retry: "...), e.Retry.Milliseconds(), 10), '\n')
	}
	return append(appendData(dst, e.Data), '\n'), nil
}

func check(what, value string) error {
	switch {
	case len(value) > MaxID:
		return fmt.Errorf("the %s of an event has %d bytes, want at most %d", what, len(value), MaxID)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("the %s of an event has a character that is not printable ASCII", what)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("the %s of an event has a space at an end", what)
	}
	return nil
}

// appendData appends a field for each line: LF, CR and CRLF all end one.
func appendData(dst []byte, data string) []byte {
	for {
		end := strings.IndexAny(data, "\r\n")
		dst = append(dst, "data: "...)
		if end < 0 {
			return append(append(dst, data...), '\n')
		}
		dst = append(append(dst, data[:end]...), '\n')
		if strings.HasPrefix(data[end:], "\r\n") {
			end++
		}
		data = data[end+1:]
	}
}
