package eventstream_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/internal/eventstream"
)

func Example() {
	text, err := eventstream.Append(nil, eventstream.Event{ID: "7", Name: "order", Retry: 5 * time.Second, Data: "{\"id\":7}\ntwo"})
	fmt.Printf("%s%v\n", text, err)
	_, err = eventstream.Append(nil, eventstream.Event{Name: "order\ndata: forged"})
	fmt.Println(err)
	// Output:
	// id: 7
	// event: order
	// retry: 5000
	// data: {"id":7}
	// data: two
	//
	// <nil>
	// the name of an event has a character that is not printable ASCII
}

// TestLineBreakInAnEventsIDOrNameIsRefused: the next line would be a field of the
// attacker's, and an empty one would end the event.
func TestLineBreakInAnEventsIDOrNameIsRefused(t *testing.T) {
	for _, bad := range []string{"a\nb", "a\rb", "a\r\n\r\ndata: forged", "\n", "a\x00b", "\u2028", "ü", " a", "a ", "\t", "a\x7f", strings.Repeat("a", eventstream.MaxID+1)} {
		for what, e := range map[string]eventstream.Event{"id": {ID: bad}, "name": {Name: bad}} {
			if text, err := eventstream.Append(nil, e); err == nil || len(text) > 0 {
				t.Errorf("Append(%s %q) = %q, %v, want an error", what, bad, text, err)
			}
		}
	}
	for _, retry := range []time.Duration{-1, 25 * time.Hour} {
		if _, err := eventstream.Append(nil, eventstream.Event{Retry: retry}); err == nil {
			t.Errorf("Append(retry %v) = nil, want an error", retry)
		}
	}
}

func TestDataCannotLeaveItsField(t *testing.T) {
	for _, data := range []string{"", "\n", "a\nb", "a\rb", "a\r\nb", "a\n\nevent: forged\ndata: x", "\r\r\n\n", "data: x", ": x", " leading", "a\n"} {
		text, err := eventstream.Append(nil, eventstream.Event{ID: "1", Name: "n", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		got, err := eventstream.NewReader(strings.NewReader(string(text)), 1<<10).Next()
		want := strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		if err != nil || got.Data != want || got.Name != "n" || got.ID != "1" {
			t.Errorf("data %q came back as %+v, %v", data, got, err)
		}
	}
}

// TestStreamsAreReadAsTheStandardSays has the examples of WHATWG HTML section 9.2.6.
func TestStreamsAreReadAsTheStandardSays(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []eventstream.Event
	}{
		{"several lines of data", "data: YHOO\ndata: +2\ndata: 10\n\n", []eventstream.Event{{Data: "YHOO\n+2\n10"}}},
		{"ids, and a comment in front", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			[]eventstream.Event{{ID: "1", Data: "first event"}, {Data: "second event"}, {Data: " third event"}}},
		{"the last is incomplete", "data\n\ndata\ndata\n\ndata:", []eventstream.Event{{}, {Data: "\n"}}},
		{"a space is dropped once", "data:test\n\ndata: test\n\n", []eventstream.Event{{Data: "test"}, {Data: "test"}}},
		{"an id stays", "id: 3\ndata: a\n\ndata: b\n\n", []eventstream.Event{{ID: "3", Data: "a"}, {ID: "3", Data: "b"}}},
		{"an id with NUL is none", "id: a\x00\ndata: a\n\n", []eventstream.Event{{Data: "a"}}},
		{"a byte order mark", "\ufeffdata: a\n\n", []eventstream.Event{{Data: "a"}}},
		{"all line ends", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", []eventstream.Event{{Data: "a"}, {Data: "b"}, {Data: "c"}}},
		{"retry", "retry: 10\ndata: a\n\nretry: x\ndata: b\n\n", []eventstream.Event{{Retry: 10 * time.Millisecond, Data: "a"}, {Data: "b"}}},
		{"unknown fields, and no data", "foo: bar\nevent: x\n\ndata: a\n\n", []eventstream.Event{{Data: "a"}}},
	} {
		var got []eventstream.Event
		r := eventstream.NewReader(strings.NewReader(tt.text), 1<<10)
		for {
			e, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			got = append(got, e)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestLineWithoutEndIsBounded(t *testing.T) {
	if _, err := eventstream.NewReader(strings.NewReader("data: "+strings.Repeat("a", 2000)), 1000).Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Next() = %v, want an error", err)
	}
}

// FuzzEvent: whatever is written is read as one event, the same.
func FuzzEvent(f *testing.F) {
	f.Add("7", "order", "a\nb", uint16(3))
	f.Add("\n", "a\rdata: x", "\r\n\r\n", uint16(0))
	f.Fuzz(func(t *testing.T, id, name, data string, retry uint16) {
		e := eventstream.Event{ID: id, Name: name, Data: data, Retry: time.Duration(retry) * time.Millisecond}
		text, err := eventstream.Append(nil, e)
		if err != nil {
			return
		}
		r := eventstream.NewReader(strings.NewReader(string(text)), 1<<20)
		got, err := r.Next()
		e.Data = strings.ReplaceAll(strings.ReplaceAll(e.Data, "\r\n", "\n"), "\r", "\n")
		e.Data = strings.ReplaceAll(strings.Join(lines(e.Data), "\n"), "\r", "\n")
		if err != nil || got != e {
			t.Fatalf("%q was read as %+v, %v, want %+v", text, got, err, e)
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%q has a second event", text)
		}
	})
}

// lines replaces what is not UTF-8, line by line.
func lines(data string) []string {
	all := strings.Split(data, "\n")
	for i := range all {
		all[i] = strings.ToValidUTF8(all[i], "\ufffd")
	}
	return all
}

// FuzzReader: no text makes it hang, panic or return what cannot be.
func FuzzReader(f *testing.F) {
	f.Add("data: a\n\nid: 1\r\ndata:b\r\rretry: 9\n\n")
	f.Add("\ufeff:\n\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		r := eventstream.NewReader(strings.NewReader(text), 1<<10)
		for range len(text) + 2 {
			e, err := r.Next()
			if err != nil {
				return
			}
			if strings.ContainsAny(e.ID+e.Name, "\r\n") || strings.Contains(e.Data, "\r") {
				t.Fatalf("%q was read as %+v", text, e)
			}
		}
		t.Fatal("more events than bytes")
	})
}
