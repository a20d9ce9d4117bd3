package fastness

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/internal/content"
	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// Stream is a request body of bytes that the operation reads while they come: of any
// length that BodyLimit allows, and in no memory but its own.
//
//	type putPhotoInput struct {
//		ID   int64           `path:"id"`
//		Body fastness.Stream `accept:"image/png, image/jpeg"`
//	}
//
//	fastness.Put(app, "/photos/{id}", putPhoto, access.Role("seller"), fastness.BodyLimit(50<<20), fastness.Timeout(10*time.Minute))
//
// accept lists the media types that are taken; the default is application/octet-stream.
// Another one is a 415. Nobody has looked into the bytes: package mediatype does.
//
// A Stream is an io.Reader until the operation returns. Its errors are answers: return
// them. They are 413 beyond BodyLimit, and 408 if the caller sends nothing for as long as
// [StreamLimits].Read, or if the operation's Timeout is over: give it the time that a
// slow caller needs.
type Stream struct{ in *incoming }

// Read reads what has come.
func (s Stream) Read(p []byte) (int, error) {
	if s.in == nil {
		return 0, io.EOF
	}
	return s.in.read(p)
}

// ContentType returns the media type that the caller claims, without parameters, "" for
// an empty body without one.
func (s Stream) ContentType() string {
	if s.in == nil {
		return ""
	}
	return s.in.media
}

// incoming is a body that is being read.
type incoming struct {
	body     io.Reader
	media    string
	deadline time.Time // of the operation
	ctx      context.Context
	idle     time.Duration
	limit    int64
	left     int64
	failed   error

	mu      sync.Mutex // guards following
	over    bool
	control *http.ResponseController
}

var errBodyOver = errors.New("the body is read after the operation has returned")

func (in *incoming) read(p []byte) (int, error) {
	if in.failed == nil {
		in.failed = in.extend()
	}
	if in.failed != nil || len(p) == 0 {
		return 0, in.failed
	}
	if int64(len(p)) > in.left {
		p = p[:in.left+1] // One more, to see that there is more.
	}
	n, err := in.body.Read(p)
	if in.left -= int64(n); in.left < 0 {
		in.failed = tooLarge(in.limit)
		return n - 1, in.failed
	}
	if err != nil && err != io.EOF {
		err = bodyError(err, in.limit)
	}
	in.failed = err
	return n, err
}

// extend gives the caller time for the next part, and the answer time after it.
func (in *incoming) extend() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over {
		return errBodyOver
	}
	if err := in.ctx.Err(); err != nil {
		return problem.New(http.StatusRequestTimeout, "the body took too long").With("Connection", "close").Wrap(err)
	}
	until := time.Now().Add(in.idle)
	if in.deadline.Before(until) {
		until = in.deadline
	}
	_ = in.control.SetReadDeadline(until) // A recorder of tests has none.
	_ = in.control.SetWriteDeadline(until.Add(in.idle))
	return nil
}

// end ends the reading: what is left is read by the server, which has a limit for that,
// and a time.
func (in *incoming) end() {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.over {
		in.over = true
		_ = in.control.SetReadDeadline(time.Now().Add(in.idle))
	}
}

// isStream reports whether a field of type t takes the body as bytes.
func isStream(t reflect.Type) bool { return t == reflect.TypeFor[Stream]() }

// compileStream reads the media types that are taken.
func (b *bodyPlan) compileStream(sf reflect.StructField) error {
	b.kind = streamBody
	tag, given := sf.Tag.Lookup("accept")
	if !given {
		b.accepted = []string{content.Binary}
		return nil
	}
	for entry := range strings.SplitSeq(tag, ",") {
		entry = strings.TrimSpace(entry)
		kind, subtype, ok := strings.Cut(entry, "/")
		if !ok || !field.IsToken(kind) || kind == "*" || !field.IsToken(subtype) || entry != strings.ToLower(entry) || strings.Contains(subtype, "*") && subtype != "*" {
			return errors.New("accept: want media types in lower case, such as image/png or image/*")
		}
		b.accepted = append(b.accepted, entry)
	}
	return nil
}

// bindStream hands the body over.
func (b *bodyPlan) bindStream(x *exchange, v reflect.Value, empty bool) error {
	op := x.match.Value.operation
	in := &incoming{
		ctx: &x.ctx, deadline: x.ctx.start.Add(op.spec.Timeout), idle: op.spec.Stream.Read, limit: op.spec.BodyLimit, left: op.spec.BodyLimit,
		control: http.NewResponseController(x.out), body: http.NoBody,
	}
	if !empty {
		if x.r.ContentLength > op.spec.BodyLimit {
			return op.tooLarge
		}
		if err := x.decompress(); err != nil {
			return err
		}
		media, err := form.ContentType(x.r.Header["Content-Type"])
		if err == nil && !b.takes(media.Type) {
			err = problem.New(http.StatusUnsupportedMediaType, "the body must be of type "+strings.Join(b.accepted, ", ")).Named("unsupported_media_type")
		}
		if err != nil {
			return err
		}
		in.body, in.media = x.r.Body, media.Type
	}
	x.incoming = in
	v.FieldByIndex(b.index).Set(reflect.ValueOf(Stream{in}))
	return nil
}

func (b *bodyPlan) takes(media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	return slices.Contains(b.accepted, media) || slices.Contains(b.accepted, kind+"/*")
}

// describe describes a body of bytes.
func (b *bodyPlan) describe() *openapi.RequestBody {
	body := &openapi.RequestBody{}
	for _, media := range b.accepted {
		body.Content.Set(media, &openapi.MediaType{Schema: &openapi.Schema{}}) // Bytes: OpenAPI 3.1, 4.8.14.
	}
	return body
}
