package mediatype

import (
	"bufio"
	"errors"
	"io"
)

// pieceBytes is how much is held at a time.
const pieceBytes = 32 << 10

// input is the content that is looked at. The first error of reading is kept, and
// ends what is going on; the content is then nothing.
type input struct {
	r    io.ReaderAt
	size int64
	head []byte
	err  error
	buf  []byte // of piece
}

// window returns the bytes from one place to another, or fewer if they cannot be
// read.
func (in *input) window(from, to int64) []byte {
	if in.err != nil || to <= from {
		return nil
	}
	return in.fill(make([]byte, to-from), from)
}

// piece returns what stands at a place, up to pieceBytes. It holds until the next
// call.
func (in *input) piece(at int64) []byte {
	if in.err != nil {
		return nil
	}
	if in.buf == nil {
		in.buf = make([]byte, min(in.size, pieceBytes))
	}
	return in.fill(in.buf[:min(pieceBytes, in.size-at)], at)
}

func (in *input) fill(buf []byte, at int64) []byte {
	n, err := in.r.ReadAt(buf, at)
	if n < len(buf) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		in.err = err
	}
	return buf[:n]
}

// walker reads the content from the beginning to the end. After the first byte
// that is missing, all it returns is zero, and short is set.
type walker struct {
	in    *input
	buf   *bufio.Reader
	at    int64
	short bool
}

func (in *input) walk() *walker {
	return &walker{in: in, buf: bufio.NewReaderSize(io.NewSectionReader(in.r, 0, in.size), pieceBytes)}
}

func (w *walker) fail(err error) {
	w.short = true
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && w.in.err == nil {
		w.in.err = err
	}
}

// next returns the next n bytes, at most a few. They hold until the next call.
func (w *walker) next(n int) []byte {
	if !w.short {
		piece, err := w.buf.Peek(n)
		if err == nil {
			_, _ = w.buf.Discard(n)
			w.at += int64(n)
			return piece
		}
		w.fail(err)
	}
	return make([]byte, n)
}

func (w *walker) byte() byte { return w.next(1)[0] }

// skip goes past n bytes. It reads them: seeking costs a call of the system each
// time, and what is skipped may be a few bytes, a million times.
func (w *walker) skip(n int64) {
	for n > 0 && !w.short {
		done, err := w.buf.Discard(int(min(n, 1<<30)))
		w.at += int64(done)
		n -= int64(done)
		if err != nil {
			w.fail(err)
		}
	}
}

// until goes past the next byte that is b.
func (w *walker) until(b byte) {
	for !w.short {
		piece, err := w.buf.ReadSlice(b)
		w.at += int64(len(piece))
		if err == nil {
			return
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			w.fail(err)
		}
	}
}

func (w *walker) atEnd() bool { return w.at == w.in.size }

// onlyZeros reports whether nothing but zero bytes is left. Some cameras fill a
// file up.
func (w *walker) onlyZeros() bool {
	for !w.atEnd() && !w.short {
		if w.byte() != 0 {
			return false
		}
	}
	return !w.short
}
