package compress

import (
	"bufio"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strconv"
)

// take returns a writer to out, or nil if all are in use.
func (c *Compressor) take(out io.Writer) *gzip.Writer {
	select {
	case w := <-c.writers:
		if w == nil {
			w, _ = gzip.NewWriterLevel(out, c.cfg.Level) // The level was checked.
			return w
		}
		w.Reset(out)
		return w
	default:
		return nil
	}
}

// giveBack makes w free. It holds on to nothing of the answer.
func (c *Compressor) giveBack(w *gzip.Writer) {
	w.Reset(io.Discard)
	c.writers <- w
}

// Handler compresses the answers of next. An answer waits until MinSize bytes are
// there, or next flushes or returns. Requests for an upgrade are not touched.
func (c *Compressor) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Upgrade"]) > 0 || r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		cw := &writer{ResponseWriter: w, compressor: c, request: r}
		done := false
		defer func() {
			if !done { // A panic: half of an answer must not end like a whole one.
				cw.abandon()
			}
		}()
		next.ServeHTTP(cw, r)
		done = true
		cw.close()
	})
}

// writer is one answer.
type writer struct {
	http.ResponseWriter
	compressor *Compressor
	request    *http.Request
	status     int // 0 until the handler says, or writes
	waiting    []byte
	undecided  bool         // the status is known and the header is not sent
	gzip       *gzip.Writer // nil for a plain answer
	hijacked   bool
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the header, unless the body decides about it.
func (w *writer) WriteHeader(status int) {
	switch {
	case w.status != 0 || w.hijacked:
		return // net/http only complains about a second one.
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	h, size := w.Header(), -1
	if length := h["Content-Length"]; len(length) == 1 {
		if n, err := strconv.Atoi(length[0]); err == nil {
			size = n
		}
	}
	if !w.compressor.Negotiate(h, w.request, status, size) {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.request.Method == http.MethodHead {
		if size >= 0 { // It would be compressed. Of another one nobody knows.
			w.compressor.mark(h)
		}
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.undecided = true
}

// Write compresses p, or keeps it until there is enough to decide.
func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.undecided {
		if len(w.waiting)+len(p) < w.compressor.cfg.MinSize {
			w.waiting = append(w.waiting, p...)
			return len(p), nil
		}
		if err := w.begin(); err != nil {
			return 0, err
		}
	}
	if w.gzip != nil {
		return w.gzip.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// begin sends the header of a compressed answer, if a writer is free, and what has
// waited.
func (w *writer) begin() error {
	w.undecided = false
	if w.gzip = w.compressor.take(w.ResponseWriter); w.gzip != nil {
		w.compressor.mark(w.Header())
	}
	return w.sendWaiting()
}

func (w *writer) sendWaiting() error {
	w.ResponseWriter.WriteHeader(w.status)
	waiting := w.waiting
	w.waiting = nil
	if len(waiting) == 0 {
		return nil
	}
	var err error
	if w.gzip != nil {
		_, err = w.gzip.Write(waiting)
	} else {
		_, err = w.ResponseWriter.Write(waiting)
	}
	return err
}

// Flush sends what is there. Flusher has no error; ResponseController calls
// FlushError.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError sends what is there: how much more is to come is not known then, so
// a short answer is compressed, too.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.undecided {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if w.gzip != nil {
		if err := w.gzip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands out the connection.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, rw, err
}

// close ends the answer. One that is short goes out as it is.
func (w *writer) close() {
	if w.hijacked {
		w.abandon()
		return
	}
	if w.status == 0 && w.request.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK) // Its header is decided about without a body.
	}
	if w.undecided {
		w.undecided = false
		_ = w.sendWaiting() // The client is gone if this fails.
	}
	if w.gzip != nil {
		_ = w.gzip.Close() // As above.
		w.compressor.giveBack(w.gzip)
		w.gzip = nil
	}
}

func (w *writer) abandon() {
	if w.gzip != nil {
		w.compressor.giveBack(w.gzip)
		w.gzip = nil
	}
}
