// Package content answers with a file or a part of it: conditions (RFC 9110 section 13),
// ranges (section 14), and time limits that follow how it is read.
//
//	err := content.Serve(w, r, content.Content{Reader: file, Type: "image/png", Modified: modified})
//
// A reader who stops reading is cut off; one who is slow but goes on is not. Requests for
// many parts, or for parts that overlap, are refused: see [Serve].
package content

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/problem"
)

// Content is what is answered with.
type Content struct {
	Reader io.ReadSeeker
	// Type is the media type. It is required: nobody looks into the file for it.
	Type string
	// Tag changes whenever the content does. It must be strong for a download to be
	// resumed by it. The zero Tag is none.
	Tag conditional.Tag
	// Modified is when it was last modified; zero if nobody knows.
	Modified time.Time
	// Write is how long the client may take to read 32 KiB. 0 means no limit but that of
	// the server.
	Write time.Duration
	// Longest is how long all of it may take: who reads a little now and then would hold
	// a file and a place in flight for days. 0 means no limit.
	Longest time.Duration
}

var (
	// ErrClient is a client that is gone, or does not read what is sent.
	ErrClient = errors.New("the client is gone, or does not read what is sent")
	// ErrContent is content that cannot be read to its end.
	ErrContent = errors.New("the content cannot be read to its end")
)

// sendBytes is how much is sent at a time.
const sendBytes = 32 << 10

// Serve answers a GET or HEAD with c: 200, 206, or 304. What it returns is a
// *problem.Problem with status 412 or 416 or another error, and nothing is sent yet; or
// it is one that is ErrClient or ErrContent, the answer has begun, and the connection
// must be cut.
//
// At most 10 parts that do not overlap are sent. More are refused by 416.
func Serve(w http.ResponseWriter, r *http.Request, c Content) error {
	size, err := c.Reader.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("the size of the content: %w", err)
	}
	h := w.Header()
	if err := c.check(r); err != nil {
		return err
	}
	if tag := c.Tag.String(); tag != "" {
		h.Set("ETag", tag)
	}
	if !c.Modified.IsZero() {
		h.Set("Last-Modified", c.Modified.UTC().Format(http.TimeFormat))
	}
	if conditional.NotModified(r, c.Tag, c.Modified) {
		for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Encoding"} {
			h.Del(name)
		}
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", c.Type)
	out := &sending{c: &c, size: size, w: w, control: http.NewResponseController(w), head: r.Method == http.MethodHead, began: time.Now()}
	var spans []span
	if values := r.Header["Range"]; len(values) == 1 && r.Method == http.MethodGet && c.isCurrent(r.Header.Get("If-Range")) {
		if spans, err = parseRange(values[0], size); err != nil {
			return problem.New(http.StatusRequestedRangeNotSatisfiable, "the ranges are not in the content, are more than 10 or overlap").
				Named("range_not_satisfiable").With("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
		}
	}
	switch len(spans) {
	case 0:
		return out.one(http.StatusOK, span{0, size})
	case 1:
		h.Set("Content-Range", spans[0].contentRange(size))
		return out.one(http.StatusPartialContent, spans[0])
	}
	return out.several(spans)
}

// check asks the conditions under which there is an answer at all.
func (c *Content) check(r *http.Request) error {
	if values := r.Header["If-Match"]; len(values) > 0 {
		return conditional.Check(&http.Request{Method: r.Method, Header: http.Header{"If-Match": values}}, c.Tag)
	}
	since, err := http.ParseTime(r.Header.Get("If-Unmodified-Since"))
	if err == nil && !c.Modified.IsZero() && c.Modified.Truncate(time.Second).After(since) {
		return problem.New(http.StatusPreconditionFailed, "it was modified since").Named("precondition_failed")
	}
	return nil
}

// isCurrent reports whether a part of c fits to what a client has already, as its
// If-Range says (RFC 9110 section 13.1.5).
func (c *Content) isCurrent(ifRange string) bool {
	if ifRange == "" {
		return true
	}
	if strings.HasPrefix(ifRange, `"`) {
		return ifRange == c.Tag.String() // A weak one begins with W/, and is none here.
	}
	when, err := http.ParseTime(ifRange)
	return err == nil && !c.Modified.IsZero() && c.Modified.Truncate(time.Second).Equal(when)
}
