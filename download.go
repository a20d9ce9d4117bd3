package fastness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/internal/content"
	"github.com/fastness/fastness/internal/filename"
)

// Download is an answer that is a file, of any length: the browser saves it. It is sent
// while it is read, as fast as the caller reads, in ranges where the caller asks for
// them (RFC 9110 section 14), and not again to whom has it.
//
//	func readInvoice(ctx context.Context, in invoiceInput) (fastness.Download, error) {
//		file, err := in.Invoices.Open(in.Invoice.Key)
//		return fastness.Download{Content: file, Name: in.Invoice.Title + ".pdf"}, err
//	}
//
// What users have uploaded is served so: under a name that is made harmless, with
// nosniff, and with a policy under which nothing of it runs.
//
// If the content cannot be read to its end the connection is cut. A caller who reads
// nothing for as long as [StreamLimits].Write is cut off. What providers hold lasts until
// all is sent, so one that writes is a mistake, as in [SSE].
type Download struct {
	// Content is required. It is closed, if it is an io.Closer, when all is sent. If it
	// is an fs.File its name and the time of its change are used where Name and
	// Modified are not set.
	Content io.ReadSeeker
	// Name is what the browser calls the file, once it is made harmless. The default is
	// "download".
	Name string
	// ContentType is the media type. The default is that of Name's extension, or else
	// application/octet-stream; nobody looks into the content.
	ContentType string
	// Inline lets the browser show the file: pictures, sound, moving pictures and plain
	// text only. What could hold a script, such as HTML, SVG and PDF, is saved all the
	// same.
	Inline bool
	// Version changes whenever the content does: a hash, or a key that is used once. The
	// ETag is made of it. Without it and Modified a client cannot resume.
	Version string
	// Modified is when the content was last modified.
	Modified time.Time
	// Header holds further headers, such as Cache-Control.
	Header http.Header
}

func (d *Download) outline() outline { return outline{content: "*/*", stream: bytesOnly} }

func (d *Download) fill(a *answer) (err error) {
	if d.Content == nil {
		return errors.New("download without Content")
	}
	defer func() {
		if closer, ok := d.Content.(io.Closer); ok && err != nil {
			_ = closer.Close() // It would not be read.
		}
	}()
	send := &downloaded{content: content.Content{Reader: d.Content, Type: d.ContentType, Tag: conditional.Of(d.Version), Modified: d.Modified}}
	name := d.Name
	if file, ok := d.Content.(fs.File); ok && (name == "" || d.Modified.IsZero()) {
		info, err := file.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return errors.Join(errors.New("the content of a download is no file that can be read"), err)
		}
		name, send.content.Modified = cmp.Or(name, info.Name()), d.Modified
		if d.Modified.IsZero() {
			send.content.Modified = info.ModTime()
		}
	}
	name = filename.Clean(cmp.Or(name, "download"))
	send.content.Type = cmp.Or(d.ContentType, content.Type(name))
	if breaksHeader(send.content.Type) {
		return errors.New("download without a valid content type")
	}
	if a.header, err = checkHeader(d.Header); err != nil {
		return err
	}
	if a.header == nil {
		a.header = make(http.Header, 2)
	}
	a.header.Set("Content-Disposition", filename.Attachment(name))
	if d.Inline && content.MayShow(send.content.Type) {
		a.header.Set("Content-Disposition", filename.Inline(name))
	}
	a.header.Set("Content-Security-Policy", downloadPolicy)
	a.sender = send
	return nil
}

// downloadPolicy is under what a browser shows a file of a stranger's. In the sandbox it
// is of no origin, and so without cookies and storage.
const downloadPolicy = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// downloaded is a file that is being sent.
type downloaded struct{ content content.Content }

func (d *downloaded) cuts() bool { return true }

func (d *downloaded) drop() {
	if closer, ok := d.content.Reader.(io.Closer); ok {
		_ = closer.Close() // It was not read.
	}
}

func (d *downloaded) send(x *exchange, op *operationPlan) (err error) {
	if closer, ok := d.content.Reader.(io.Closer); ok {
		defer func() {
			if failed := closer.Close(); failed != nil {
				x.app.cfg.Logger.WarnContext(&x.ctx, "the content of a download could not be closed", "error", failed, "request_id", x.ctx.id[0])
			}
		}()
	}
	if !x.starting.Stop() {
		return context.DeadlineExceeded
	}
	x.prepare(&x.answer)
	control := http.NewResponseController(x.out)
	x.watchCaller(control, op)
	defer x.watchedCaller(control, op)
	d.content.Write, d.content.Longest = op.spec.Stream.Write, op.spec.Stream.Longest
	err = content.Serve(x.out, x.r, d.content)
	if errors.Is(err, content.ErrClient) {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	return err
}

// watchCaller ends the time limit of reading the request, which is over: what watches
// the connection for the caller's going away would take it for that.
func (x *exchange) watchCaller(control *http.ResponseController, op *operationPlan) {
	if x.r.Body == http.NoBody || op.input.body.kind != noBody && (x.incoming == nil || x.incoming.failed == io.EOF) {
		_ = control.SetReadDeadline(time.Time{})
	}
}

// watchedCaller sets it again, for what the caller has sent and nobody has read.
func (x *exchange) watchedCaller(control *http.ResponseController, op *operationPlan) {
	_ = control.SetReadDeadline(time.Now().Add(op.spec.Stream.Write))
}

// refusalsOfDownloads returns the statuses by which an answer of ranges is refused.
func refusalsOfDownloads(op *operationPlan) []int {
	if op.outline.stream != bytesOnly {
		return nil
	}
	return []int{http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable}
}
