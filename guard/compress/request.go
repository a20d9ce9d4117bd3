package compress

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// The defaults of [Reader].
const (
	DefaultLimit = 1 << 20
	DefaultRatio = 100
)

// slack is what a body may grow to whatever its ratio: a short text that repeats is
// no bomb.
const slack = 64 << 10

// Reader returns what reads src, one member of gzip (RFC 1952), and gives at most
// limit bytes ([DefaultLimit] if it is 0), and at most ratio times as many as it has
// read ([DefaultRatio] if it is 0; the first 64 KiB are free). It takes about 50 KiB
// of memory whatever comes.
//
// Its errors, io.EOF aside, are [*problem.Problem]: status 413 beyond a limit, 400 for
// what is not gzip, ends too early, or has anything behind its end: a second member,
// which some readers append and others leave out; or is gzip within gzip. An
// error of src is its cause.
func Reader(src io.Reader, limit int64, ratio int) io.Reader {
	if limit <= 0 {
		limit = DefaultLimit
	}
	if ratio <= 0 {
		ratio = DefaultRatio
	}
	limit = min(limit, math.MaxInt64-slack)
	// The compressed body of an empty text can be endless, too.
	counted := &counter{src: src, left: limit + slack}
	return &reader{counted: counted, buffer: bufio.NewReader(counted), limit: limit, ratio: int64(ratio)}
}

type reader struct {
	counted *counter
	buffer  *bufio.Reader
	gzip    *gzip.Reader
	limit   int64
	ratio   int64
	given   int64
	first   [2]byte
	err     error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.read(p)
	if err != nil && err != io.EOF {
		n, err = 0, r.refusal(err) // Nobody is to use half of it.
	}
	r.err = err
	return n, err
}

var (
	errTooLong  = errors.New("more than the limit")
	errBomb     = errors.New("more than the ratio")
	errTrailing = errors.New("data behind the end")
	errNested   = errors.New("gzip in gzip")
)

func (r *reader) read(p []byte) (n int, err error) {
	if r.gzip == nil {
		// The buffer has ReadByte, so that not one byte too many is taken from it.
		if r.gzip, err = gzip.NewReader(r.buffer); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF // Nothing is no member of gzip.
			}
			return 0, err
		}
		r.gzip.Multistream(false)
	}
	if most := r.limit - r.given + 1; int64(len(p)) > most { // One byte more tells that there is more.
		p = p[:most]
	}
	n, err = r.gzip.Read(p)
	for i := range min(n, 2) {
		if at := r.given + int64(i); at < 2 {
			r.first[at] = p[i]
		}
	}
	r.given += int64(n)
	taken := r.counted.taken - int64(r.buffer.Buffered())
	switch {
	case r.given > r.limit:
		return 0, errTooLong
	case r.given > slack && r.given > r.ratio*taken:
		return 0, errBomb
	case r.given >= 2 && r.first == [2]byte{0x1f, 0x8b}:
		return 0, errNested
	case err == io.EOF:
		if _, err := r.buffer.ReadByte(); err != io.EOF {
			return 0, errors.Join(errTrailing, err)
		}
	}
	return n, err
}

// refusal says to the caller what is wrong.
func (r *reader) refusal(err error) error {
	switch {
	case r.counted.full || errors.Is(err, errTooLong):
		return problem.New(http.StatusRequestEntityTooLarge, "the body is too large").Named("body_too_large").Wrap(err)
	case errors.Is(err, errBomb):
		return problem.New(http.StatusRequestEntityTooLarge, "the body is compressed too much").Named("compression_ratio").Wrap(err)
	case r.counted.err != nil: // The connection, or a guard of it.
		if p, ok := errors.AsType[*problem.Problem](r.counted.err); ok {
			return p
		}
		return problem.New(http.StatusBadRequest, "the body could not be read").Wrap(r.counted.err)
	}
	return problem.New(http.StatusBadRequest, "the body is not one member of gzip").Named("malformed_gzip").Wrap(err)
}

// counter counts what is read, up to a limit.
type counter struct {
	src         io.Reader
	taken, left int64
	full        bool
	err         error
}

func (c *counter) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.full = true
		return 0, errTooLong
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.src.Read(p)
	c.taken += int64(n)
	c.left -= int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// Request makes the body of r plain: if it has "Content-Encoding: gzip", what is
// read from r.Body is what [Reader] gives, its length is not known any more, and the
// field is gone. Without Content-Encoding r stays as it is. Any other coding, and
// several of them, are a [*problem.Problem] with status 415.
func Request(r *http.Request, limit int64, ratio int) error {
	fields := r.Header["Content-Encoding"]
	switch {
	case len(fields) == 0:
		return nil
	case len(fields) > 1 || !strings.EqualFold(fields[0], "gzip") && !strings.EqualFold(fields[0], "x-gzip"):
		return unsupported("gzip")
	}
	delete(r.Header, "Content-Encoding")
	delete(r.Header, "Content-Length")
	r.ContentLength = -1
	r.Body = body{Reader(r.Body, limit, ratio), r.Body}
	return nil
}

type body struct {
	io.Reader
	io.Closer
}

// Refuse returns a [*problem.Problem] with status 415 if r has a Content-Encoding:
// for routes that do not take any.
func Refuse(r *http.Request) error {
	if len(r.Header["Content-Encoding"]) == 0 {
		return nil
	}
	return unsupported("identity")
}

// unsupported says what would be supported (RFC 7694 section 3).
func unsupported(accept string) error {
	return problem.New(http.StatusUnsupportedMediaType, "the body has a content coding that is not supported here").
		Named("unsupported_content_encoding").With("Accept-Encoding", accept)
}

// RequestHandler is [Request] in front of next.
func RequestHandler(next http.Handler, limit int64, ratio int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain := r.WithContext(r.Context())
		plain.Header = r.Header.Clone() // A handler must not change the request of others.
		if err := Request(plain, limit, ratio); err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		next.ServeHTTP(w, plain)
	})
}
