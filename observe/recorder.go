package observe

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// Recorder is a ResponseWriter that remembers the status and counts the bytes
// of an answer. What the writer below can do besides, [http.ResponseController]
// reaches through Unwrap.
type Recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Record returns a recorder around w.
func Record(w http.ResponseWriter) *Recorder { return &Recorder{ResponseWriter: w} }

// Status returns the status of the answer, 0 if none was written yet. Of a
// hijacked connection it is 101.
func (w *Recorder) Status() int { return w.status }

// Bytes returns how many bytes of the body were written.
func (w *Recorder) Bytes() int64 { return w.bytes }

// Started reports whether it is too late for another answer.
func (w *Recorder) Started() bool { return w.status != 0 }

// WriteHeader passes on the status. The first one that is not informational
// counts.
func (w *Recorder) WriteHeader(status int) {
	final := status < 100 || status > 199 || status == http.StatusSwitchingProtocols
	w.ResponseWriter.WriteHeader(status) // It may panic; then nothing was written.
	if final && w.status == 0 {
		w.status = status
	}
}

// Write passes on a part of the body.
func (w *Recorder) Write(b []byte) (int, error) {
	w.implicitOK()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// WriteString passes on a part of the body without a copy, where the writer
// below can.
func (w *Recorder) WriteString(s string) (int, error) {
	w.implicitOK()
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom copies from src, by sendfile where the server can.
func (w *Recorder) ReadFrom(src io.Reader) (int64, error) {
	w.implicitOK()
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Flush implements [http.Flusher].
func (w *Recorder) Flush() { _ = w.FlushError() } // Flusher has no error; ResponseController calls FlushError.

// FlushError sends what was written so far.
func (w *Recorder) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		w.implicitOK()
	}
	return err
}

// Hijack implements [http.Hijacker]. It fails with an error that is
// [http.ErrNotSupported] where the writer below cannot, as in HTTP/2.
func (w *Recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap returns the writer below, for [http.ResponseController].
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// implicitOK notes what net/http answers if a handler names no status.
func (w *Recorder) implicitOK() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}
