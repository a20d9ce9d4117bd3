package mediatype

import (
	"bytes"
	"encoding/binary"
)

// What is wrong with content that begins as one thing.
const (
	cutShort = "it ends before its end"
	behind   = "more stands behind its end"
	damaged  = "it is not as its format wants it"
)

// maxScans is how many passes a progressive JPEG may make over its pixels. Writers
// make about ten. Each costs the decoder the whole picture, and the file a few
// bytes.
const maxScans = 24

// walkPNG goes through the chunks (ISO/IEC 15948 section 5).
func walkPNG(in *input, c *Content) string {
	w := in.walk()
	w.skip(8)
	for first := true; ; first = false {
		head := w.next(8)
		size, name := binary.BigEndian.Uint32(head), string(head[4:8])
		switch {
		case w.short:
			return cutShort
		case size >= 1<<31 || first != (name == "IHDR"):
			return damaged
		case first:
			if size != 13 {
				return damaged
			}
			field := w.next(13)
			c.Width, c.Height = int(binary.BigEndian.Uint32(field)&0x7fffffff), int(binary.BigEndian.Uint32(field[4:])&0x7fffffff)
			w.skip(4)
			continue
		}
		w.skip(int64(size) + 4)
		if name == "IEND" {
			return ending(w, c, size == 0)
		}
	}
}

// ending judges a picture whose format has come to its end.
func ending(w *walker, c *Content, sound bool) string {
	switch {
	case w.short:
		return cutShort
	case !sound || c.Width <= 0 || c.Height <= 0:
		return damaged
	case !w.onlyZeros():
		return behind
	}
	return ""
}

// walkGIF goes through the blocks (GIF89a section 12 and following).
func walkGIF(in *input, c *Content) string {
	w := in.walk()
	head := w.next(13)
	if head[4] != '7' && head[4] != '9' {
		return damaged
	}
	c.Width, c.Height = int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	w.skip(colours(head[10]))
	for images := 0; ; {
		switch block := w.byte(); {
		case w.short:
			return cutShort
		case block == 0x21:
			w.skip(1)
			w.subBlocks()
		case block == 0x2c:
			images++
			place := w.next(9)
			left, top := int(binary.LittleEndian.Uint16(place)), int(binary.LittleEndian.Uint16(place[2:]))
			width, height := int(binary.LittleEndian.Uint16(place[4:])), int(binary.LittleEndian.Uint16(place[6:]))
			if left+width > c.Width || top+height > c.Height {
				return damaged // A picture larger than it says.
			}
			w.skip(colours(place[8]) + 1)
			w.subBlocks()
		case block == 0x3b:
			return ending(w, c, images > 0)
		default:
			return damaged
		}
	}
}

// colours is the size of the table that the flags announce.
func colours(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (w *walker) subBlocks() {
	for size := w.byte(); size > 0; size = w.byte() {
		w.skip(int64(size))
	}
}

// walkWebP goes through the chunks (RFC 9649 section 2).
func walkWebP(in *input, c *Content) string {
	w := in.walk()
	length := int64(binary.LittleEndian.Uint32(w.next(12)[4:])) + 8
	if length > in.size {
		return cutShort
	}
	if length < in.size {
		return behind
	}
	for first := true; !w.atEnd(); first = false {
		head := w.next(8)
		size, name := int64(binary.LittleEndian.Uint32(head[4:])), string(head[:4])
		if w.short {
			return cutShort
		}
		if first {
			if size < 10 {
				return damaged
			}
			if !sizeOfWebP(name, w.next(10), c) {
				return damaged
			}
			w.skip(-10 + size + size&1)
			continue
		}
		w.skip(size + size&1)
	}
	return ending(w, c, true)
}

// sizeOfWebP reads the size from the beginning of the first chunk.
func sizeOfWebP(name string, b []byte, c *Content) bool {
	switch name {
	case "VP8 ": // RFC 6386 section 9.1
		c.Width, c.Height = int(binary.LittleEndian.Uint16(b[6:]))&0x3fff, int(binary.LittleEndian.Uint16(b[8:]))&0x3fff
		return bytes.Equal(b[3:6], []byte{0x9d, 0x01, 0x2a})
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[1:])
		c.Width, c.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		return b[0] == 0x2f
	case "VP8X":
		c.Width, c.Height = int(b[4])|int(b[5])<<8|int(b[6])<<16, int(b[7])|int(b[8])<<8|int(b[9])<<16
		c.Width++
		c.Height++
		return true
	}
	return false
}
