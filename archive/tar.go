package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"strings"
)

// TarGzip yields the entries of a tar file that is packed by gzip, as they come. What
// is wrong with an entry is found when it is its turn: do not keep what was read
// before all of it is (as [ExtractTo] does not).
//
// Names may begin with "./", which is left out. Sparse files are refused, as are
// several gzip streams in a row and whatever stands behind the end.
func (p *Policy) TarGzip(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		t, err := p.openTar(r)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for {
			e, err := t.next()
			if errors.Is(err, io.EOF) {
				if err := t.atEnd(); err != nil {
					yield(Entry{}, err)
				}
				return
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if e.Name != "" && !yield(e, nil) {
				return
			}
		}
	}
}

// tarFile is a tar.gz file.
type tarFile struct {
	policy  *Policy
	packed  *counted
	buffer  *bufio.Reader // over packed
	raw     *unpacked
	tar     *tar.Reader
	known   *names
	entries int
	total   int64
}

func (p *Policy) openTar(r io.Reader) (*tarFile, error) {
	t := &tarFile{policy: p, packed: &counted{r: r}, known: newNames()}
	t.buffer = bufio.NewReader(t.packed)
	gz, err := gzip.NewReader(t.buffer)
	if err != nil {
		return nil, t.wrong(err)
	}
	gz.Multistream(false)
	// Headers and padding are a block or two for each entry.
	t.raw = &unpacked{file: t, r: gz, limit: p.cfg.Bytes + int64(p.cfg.Entries)*2048 + 10<<10}
	t.tar = tar.NewReader(t.raw)
	return t, nil
}

// counted counts what is read, and keeps the error that is not of the archive.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// unpacked bounds what comes out of gzip.
type unpacked struct {
	file  *tarFile
	r     io.Reader
	n     int64
	limit int64
	over  bool
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	if u.n > u.limit || u.n > max(freeBytes, u.file.policy.cfg.Ratio*u.file.packed.n) {
		u.over = true
		return 0, tooLarge()
	}
	return n, err
}

// wrong says what an error of the standard library means here.
func (t *tarFile) wrong(err error) error {
	switch {
	case t.packed.err != nil:
		return t.packed.err // The disk, or the client.
	case t.raw != nil && t.raw.over:
		return tooLarge()
	case errors.Is(err, gzip.ErrHeader):
		return invalid("it is not packed by gzip")
	}
	return invalid("it is damaged").Wrap(err)
}

// next returns the next entry; its name is empty if it is none that counts.
func (t *tarFile) next() (Entry, error) {
	h, err := t.tar.Next()
	if errors.Is(err, io.EOF) && !t.raw.over && t.packed.err == nil {
		return Entry{}, io.EOF
	}
	if err != nil {
		return Entry{}, t.wrong(err)
	}
	if t.entries++; t.entries > t.policy.cfg.Entries {
		return Entry{}, tooMany()
	}
	if h.Typeflag == tar.TypeXGlobalHeader { // What git writes its commit into.
		return Entry{}, nil
	}
	for record := range h.PAXRecords {
		if strings.HasPrefix(record, "GNU.sparse.") {
			return Entry{}, refused("archive_link", "an entry of the archive is a sparse file")
		}
	}
	e := Entry{Name: strings.TrimPrefix(h.Name, "./"), IsDir: h.Typeflag == tar.TypeDir, Size: h.Size}
	if h.Typeflag != tar.TypeReg && !e.IsDir {
		return Entry{}, refused("archive_link", "an entry of the archive is a link, a device or something else that is no file")
	}
	if e.IsDir {
		e.Name, e.Size = strings.TrimSuffix(e.Name, "/"), 0
		if h.Name == "./" || h.Name == "." {
			return Entry{}, nil
		}
	} else {
		e.content = tarContent{t}
	}
	if err := t.known.check(e.Name, e.IsDir); err != nil {
		return Entry{}, err
	}
	t.total += e.Size
	return e, t.policy.tooMuch(e.Size, t.total)
}

// tarContent is the content of the entry whose turn it is.
type tarContent struct{ file *tarFile }

func (c tarContent) Read(p []byte) (int, error) {
	n, err := c.file.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = c.file.wrong(err)
	}
	return n, err
}

// atEnd looks whether the archive is at its end, too: tar fills it up with zeros, and
// gzip says the sum of it.
func (t *tarFile) atEnd() error {
	buf := make([]byte, 4096)
	for {
		n, err := t.raw.Read(buf)
		for _, b := range buf[:n] {
			if b != 0 {
				return invalid("something stands behind its end")
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.wrong(err)
		}
	}
	if _, err := t.buffer.ReadByte(); err == nil {
		return invalid("something stands behind its end")
	}
	return t.packed.err
}
