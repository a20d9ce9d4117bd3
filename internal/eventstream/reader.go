package eventstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Reader reads events as browsers do.
type Reader struct {
	lines *bufio.Scanner
	last  string // the id that the next event has, unless it has its own
}

// NewReader returns a reader of the events in r. A line of more than limit bytes ends it
// with an error.
func NewReader(r io.Reader, limit int) *Reader {
	s := bufio.NewScanner(r)
	s.Buffer(nil, limit)
	first := true
	s.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		advance, line, err := splitLine(data, atEOF)
		if first && line != nil {
			first, line = false, bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		return advance, line, err
	})
	return &Reader{lines: s}
}

// splitLine ends a line at LF, CRLF or CR. What has no end is not a line: the event
// that it belongs to is incomplete.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	end := bytes.IndexAny(data, "\r\n")
	switch {
	case end < 0 && atEOF:
		return len(data), nil, nil
	case end < 0:
		return 0, nil, nil
	case data[end] == '\n':
		return end + 1, data[:end:end], nil
	case end+1 == len(data) && !atEOF: // Whether a line feed follows is not known yet.
		return 0, nil, nil
	case end+1 < len(data) && data[end+1] == '\n':
		return end + 2, data[:end:end], nil
	}
	return end + 1, data[:end:end], nil
}

// Next returns the next event, or [io.EOF] at the end. One that the end interrupts is
// dropped, and so is one without data, as the standard wants it.
func (r *Reader) Next() (Event, error) {
	e := Event{ID: r.last}
	var data []string
	for r.lines.Scan() {
		line := strings.ToValidUTF8(r.lines.Text(), "\ufffd")
		if line == "" {
			r.last = e.ID
			if data == nil {
				e = Event{ID: r.last}
				continue
			}
			e.Data = strings.Join(data, "\n")
			return e, nil
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			data = append(data, value)
		case "event":
			e.Name = value
		case "id":
			if !strings.Contains(value, "\x00") {
				e.ID = value
			}
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				e.Retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
	if err := r.lines.Err(); err != nil {
		return Event{}, errors.Join(errors.New("the stream of events cannot be read"), err)
	}
	return Event{}, io.EOF
}
