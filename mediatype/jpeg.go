package mediatype

import "encoding/binary"

// walkJPEG goes through the segments (ITU T.81 annex B), and the entropy-coded
// data between them.
//
// Phones put more behind the picture: smaller copies and gain maps, which are
// JPEGs as well (CIPA DC-007), and a short film. Both are let in, because most
// pictures of users would be refused else; a ZIP archive, a PDF or a page inside
// of them is found like anywhere.
func walkJPEG(in *input, c *Content) string {
	w := in.walk()
	if why := w.jpeg(c); why != "" {
		return why
	}
	for copies := 0; !w.atEnd(); {
		head, _ := w.buf.Peek(8)
		switch {
		case len(head) == 0:
			return cutShort
		case matches(head, "????ftyp"):
			w.skip(in.size - w.at)
		case matches(head, "\xff\xd8\xff"):
			if copies++; copies > maxCopies {
				return behind
			}
			if why := w.jpeg(new(Content)); why != "" {
				return why
			}
		case w.byte() != 0: // Zeros fill the gaps.
			return behind
		}
	}
	return ""
}

// maxCopies is how many further pictures may stand behind one.
const maxCopies = 16

// jpeg goes through one picture, to the marker of its end.
func (w *walker) jpeg(c *Content) string {
	w.skip(2)
	scans := 0
	for marker := w.marker(); ; {
		switch {
		case w.short:
			return cutShort
		case marker == 0xd9: // EOI
			if scans == 0 || c.Width == 0 || c.Height == 0 {
				return damaged
			}
			return ""
		case marker < 0xc0 || 0xd0 <= marker && marker <= 0xd8:
			return damaged // What has no length, and no place here.
		}
		size := int64(binary.BigEndian.Uint16(w.next(2)))
		if size < 2 {
			return damaged
		}
		switch {
		case isFrame(marker):
			if size < 8 || c.Width > 0 {
				return damaged // A second frame would be another size.
			}
			field := w.next(5)
			c.Height, c.Width = int(binary.BigEndian.Uint16(field[1:])), int(binary.BigEndian.Uint16(field[3:]))
			size -= 5
		case marker == 0xda: // SOS
			if scans++; scans > maxScans || c.Width == 0 {
				return damaged
			}
			w.skip(size - 2)
			marker = w.scan()
			continue
		}
		w.skip(size - 2)
		marker = w.marker()
	}
}

// isFrame reports whether the marker begins a frame: SOF0 to SOF15 without DHT,
// JPG and DAC.
func isFrame(marker byte) bool {
	return 0xc0 <= marker && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

// marker returns the marker that stands here, or 0.
func (w *walker) marker() byte {
	if w.byte() != 0xff {
		return 0
	}
	b := w.byte()
	for b == 0xff && !w.short { // Fill bytes (B.1.1.2).
		b = w.byte()
	}
	return b
}

// scan goes past entropy-coded data and returns the marker behind it.
func (w *walker) scan() byte {
	for !w.short {
		w.until(0xff)
		b := w.byte()
		for b == 0xff && !w.short {
			b = w.byte()
		}
		if b != 0 && (b < 0xd0 || b > 0xd7) {
			return b
		}
	}
	return 0
}
