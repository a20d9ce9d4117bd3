package form

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// File is a file that a client uploaded with a form.
//
// Nothing of it is trusted. Name is cleaned and only fit for showing or as a
// hint; keep the content under a name of your own making. ContentType is what
// the content looks like, not what the client claims; it can still be two
// things at once, so serve an upload as an attachment, with nosniff.
//
// The content is in memory if it is small, else in a temporary file that goes
// away when the request ends. Copy what you want to keep:
//
//	r, err := in.Avatar.Open()
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	_, err = io.Copy(dst, r)
//
// A File may be copied; the copies share the content.
type File struct {
	// Name is the last element of the client's file name, without control,
	// bidirectional and path characters, at most 255 bytes and never empty.
	Name string
	// Size is the length of the content in bytes.
	Size int64
	// ContentType is the media type found in the first 512 bytes, by the rules
	// of [net/http.DetectContentType].
	ContentType string

	content *content
}

// content is where the bytes of a file are: in memory, or on disk once spool
// is set.
type content struct {
	memory []byte
	spool  spoolFile
	path   string // To be removed; empty if the file has no name any more.
	gone   bool
}

// spoolFile is what is needed of an [os.File].
type spoolFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// Open returns a reader of the content, at its beginning. Each call returns
// another one; they may be used at the same time. Close only the reader: the
// content stays until the request ends. After that, Open and the readers fail
// with [fs.ErrClosed].
func (f File) Open() (io.ReadSeekCloser, error) {
	switch {
	case f.content == nil || f.content.gone:
		return nil, fs.ErrClosed
	case f.content.spool != nil:
		return opened{io.NewSectionReader(f.content.spool, 0, f.Size)}, nil
	}
	return opened{bytes.NewReader(f.content.memory)}, nil
}

// IsZero reports whether no file was sent.
func (f File) IsZero() bool { return f.content == nil }

// Remove frees the content of the file. The framework calls it at the end of
// the request; calling it twice does no harm.
func (f File) Remove() error {
	if f.content == nil {
		return nil
	}
	return f.content.remove()
}

func (c *content) remove() error {
	if c.gone {
		return nil
	}
	c.gone, c.memory = true, nil
	if c.spool == nil {
		return nil
	}
	err := c.spool.Close()
	if c.path != "" {
		err = errors.Join(err, os.Remove(c.path))
	}
	return err
}

type opened struct{ io.ReadSeeker }

func (opened) Close() error { return nil }

// createTemp makes a file in dir and takes its name away at once, so that
// nothing is left behind even if the process is killed. Where a system cannot
// do that, path is the name to remove later.
func createTemp(dir string) (f spoolFile, path string, err error) {
	file, err := os.CreateTemp(dir, "upload-*")
	if err != nil {
		return nil, "", err
	}
	if os.Remove(file.Name()) == nil {
		return file, "", nil
	}
	return file, file.Name(), nil
}
