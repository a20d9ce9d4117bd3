package archive

import (
	"bufio"
	"compress/flate"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// open returns the content of an entry.
func (z *zipFile) open(e *zipEntry) io.Reader {
	packed := bufio.NewReader(io.NewSectionReader(z.r, e.data, int64(e.packed)))
	c := &content{from: packed, left: int64(e.size), sum: e.sum, hash: crc32.NewIEEE(), packed: packed}
	if e.method == deflated {
		c.from = flate.NewReader(packed)
	}
	return c
}

// content is the content of an entry. It ends with io.EOF only if it is as long as
// the directory says, has its sum, and leaves nothing of what was packed.
type content struct {
	from   io.Reader
	left   int64
	sum    uint32
	hash   hash.Hash32
	packed *bufio.Reader
	err    error
}

func (c *content) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	if c.left == 0 {
		c.err = c.atEnd()
		return 0, c.err
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.hash.Write(p[:n])
	c.left -= int64(n)
	switch {
	case err == nil || c.left == 0 && errors.Is(err, io.EOF):
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		c.err = invalid("the content of an entry ends early")
	default:
		c.err = damagedOr(err)
	}
	return n, c.err
}

// atEnd looks whether the content is at its end, too.
func (c *content) atEnd() error {
	if n, err := io.ReadFull(c.from, make([]byte, 1)); n > 0 {
		return invalid("the content of an entry goes on behind its size")
	} else if !errors.Is(err, io.EOF) {
		return damagedOr(err)
	}
	if _, err := c.packed.ReadByte(); err == nil {
		return invalid("something stands behind the content of an entry")
	}
	if c.hash.Sum32() != c.sum {
		return invalid("the content of an entry is damaged")
	}
	return io.EOF
}

// damagedOr tells content that cannot be unpacked from a disk that cannot be read.
func damagedOr(err error) error {
	if _, corrupt := errors.AsType[flate.CorruptInputError](err); corrupt || errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the content of an entry is damaged")
	}
	return err
}
