package form

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// body splits a multipart body at its boundaries.
type body struct {
	r         *bufio.Reader
	delimiter []byte // CRLF, two hyphens and the boundary.
}

// bufferSize must be able to hold a delimiter and a line of a part's header.
const bufferSize = 8 << 10

func newBody(r io.Reader, boundary string) *body {
	return &body{r: bufio.NewReaderSize(r, bufferSize), delimiter: []byte("\r\n--" + boundary)}
}

// open reads the first delimiter, which has no CRLF before it.
func (b *body) open() (more bool, err error) {
	return b.delimit(b.delimiter[2:])
}

// next reads the delimiter that ends the current part, whose content has been
// read.
func (b *body) next() (more bool, err error) {
	return b.delimit(b.delimiter)
}

func (b *body) delimit(delimiter []byte) (more bool, err error) {
	if err := b.expect(delimiter); err != nil {
		return false, err
	}
	end, err := b.r.Peek(2)
	switch {
	case len(end) < 2:
		return false, ended(err)
	case string(end) == "\r\n":
		_, err = b.r.Discard(2)
		return true, err
	case string(end) != "--":
		return false, badPart("a boundary is followed by other text")
	}
	_, err = b.r.Discard(2)
	if err != nil {
		return false, err
	}
	return false, b.close()
}

// close reads to the end of the body, where a last CRLF is allowed.
func (b *body) close() error {
	rest, err := b.r.Peek(3)
	switch {
	case err != nil && err != io.EOF:
		return ended(err)
	case len(rest) > 0 && string(rest) != "\r\n":
		return badPart("text follows the last boundary")
	}
	return nil
}

func (b *body) expect(want []byte) error {
	got, err := b.r.Peek(len(want))
	switch {
	case bytes.Equal(got, want):
		_, err = b.r.Discard(len(want))
		return err
	case len(got) == len(want):
		return badPart("the boundary is missing")
	}
	return ended(err)
}

// header reads the lines of a part's header and the empty line after them,
// together at most limit bytes.
func (b *body) header(limit int) (lines []string, err error) {
	for size := 0; ; {
		line, err := b.r.ReadSlice('\n')
		size += len(line)
		switch {
		case size > limit || errors.Is(err, bufio.ErrBufferFull):
			return nil, tooLarge("multipart_header_too_large", "the header of a part is too large")
		case err != nil:
			return nil, ended(err)
		}
		text, ok := strings.CutSuffix(string(line), "\r\n")
		switch {
		case !ok:
			return nil, badPart("a header line does not end in CRLF")
		case text == "":
			return lines, b.startsCleanly()
		}
		lines = append(lines, text)
	}
}

// startsCleanly refuses a boundary right after a part's header. Some parsers
// end the part there, others miss the CRLF before it and take it for content.
func (b *body) startsCleanly() error {
	line := b.delimiter[2:]
	if got, _ := b.r.Peek(len(line)); bytes.Equal(got, line) {
		return badPart("a boundary follows the header of a part")
	}
	return nil
}

// copyTo writes the content of the current part to w. It stops with over set
// when there is more than limit.
func (b *body) copyTo(w io.Writer, limit int64) (size int64, over bool, err error) {
	for {
		clear, err := b.search()
		if err != nil || clear == 0 {
			return size, false, err
		}
		chunk, err := b.r.Peek(clear)
		if err != nil {
			return size, false, err
		}
		if size += int64(clear); size > limit {
			return size, true, nil
		}
		if _, err = w.Write(chunk); err != nil {
			return size, false, err
		}
		if _, err = b.r.Discard(clear); err != nil {
			return size, false, err
		}
	}
}

// search returns how much of the buffer is content; nothing means that the
// delimiter is next. What could be the beginning of a delimiter is held back
// until more is read.
func (b *body) search() (clear int, err error) {
	got, err := b.r.Peek(len(b.delimiter))
	if len(got) < len(b.delimiter) {
		return 0, ended(err)
	}
	if got, err = b.r.Peek(b.r.Buffered()); err != nil {
		return 0, err
	}
	if at := bytes.Index(got, b.delimiter); at >= 0 {
		return at, nil
	}
	return len(got) - len(b.delimiter) + 1, nil
}

// ended turns the error of the underlying reader into a problem.
func ended(err error) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return bodyTooLarge()
	}
	return badPart("it ends too early").Wrap(err)
}

func bodyTooLarge() *problem.Problem {
	return tooLarge("body_too_large", "the body is too large")
}

// capped reads at most left bytes and then fails, where [io.LimitReader] would
// pretend that the body ends.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, bodyTooLarge()
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, bodyTooLarge()
	}
	return n, err
}
