package content

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// sending is an answer under way.
type sending struct {
	c       *Content
	size    int64
	w       http.ResponseWriter
	control *http.ResponseController
	head    bool
	buffer  []byte
	began   time.Time
}

// one sends a part, or all.
func (s *sending) one(status int, part span) error {
	s.w.Header().Set("Content-Length", strconv.FormatInt(part.length, 10))
	if _, err := s.c.Reader.Seek(part.start, io.SeekStart); err != nil {
		return fmt.Errorf("a part of the content: %w", err)
	}
	s.w.WriteHeader(status)
	if s.head {
		return nil
	}
	return s.copy(part.length)
}

// several sends parts as multipart/byteranges (RFC 9110 section 14.6).
func (s *sending) several(spans []span) error {
	boundary := rand.Text()
	heads := make([]string, len(spans))
	end := "\r\n--" + boundary + "--\r\n"
	total := int64(len(end))
	for i, part := range spans {
		heads[i] = "\r\n--" + boundary + "\r\nContent-Type: " + s.c.Type + "\r\nContent-Range: " + part.contentRange(s.size) + "\r\n\r\n"
		total += int64(len(heads[i])) + part.length
	}
	h := s.w.Header()
	h.Set("Content-Type", "multipart/byteranges; boundary="+boundary)
	h.Set("Content-Length", strconv.FormatInt(total, 10))
	s.w.WriteHeader(http.StatusPartialContent)
	for i, part := range spans {
		if err := s.write([]byte(heads[i])); err != nil {
			return err
		}
		if _, err := s.c.Reader.Seek(part.start, io.SeekStart); err != nil {
			return fmt.Errorf("%w: %w", ErrContent, err)
		}
		if err := s.copy(part.length); err != nil {
			return err
		}
	}
	return s.write([]byte(end))
}

// copy sends the next n bytes of the content. The room is for whichever part is the
// longest: after a first part of one byte the others would go out byte by byte.
func (s *sending) copy(n int64) error {
	if s.buffer == nil {
		s.buffer = make([]byte, min(sendBytes, s.size))
	}
	for left := n; left > 0; {
		next := s.buffer[:min(left, int64(len(s.buffer)))]
		if _, err := io.ReadFull(s.c.Reader, next); err != nil {
			return fmt.Errorf("%w: %w", ErrContent, err)
		}
		if err := s.write(next); err != nil {
			return err
		}
		left -= int64(len(next))
	}
	return nil
}

// write sends p, within the time that the client has for it.
func (s *sending) write(p []byte) error {
	now := time.Now()
	end := now.Add(s.c.Write)
	if last := s.began.Add(s.c.Longest); s.c.Longest > 0 {
		if !now.Before(last) {
			return fmt.Errorf("%w: it took longer than %v", ErrClient, s.c.Longest)
		}
		if s.c.Write == 0 || last.Before(end) {
			end = last
		}
	}
	if s.c.Write > 0 || s.c.Longest > 0 {
		_ = s.control.SetWriteDeadline(end) // A recorder of tests has none.
	}
	if _, err := s.w.Write(p); err != nil {
		return fmt.Errorf("%w: %w", ErrClient, err)
	}
	return nil
}
