package form

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"mime/multipart"
	"os"
)

// File is a file that a client uploaded with a form.
//
// Nothing of it is trusted. Name is cleaned and only fit for showing or as a
// hint; keep the content under a name of your own making. ContentType is what
// the content is, not what the client claims. Serve an upload with nosniff, and
// as an attachment unless it is of a type that you chose.
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
	// ContentType is the media type that [mediatype.Detect] finds in the content.
	// What is of no type, or of two, is application/octet-stream.
	ContentType string
	// Width and Height are the size in pixels of a PNG, JPEG, GIF or WebP, as its
	// header says; 0 for what is none.
	Width, Height int
	// Claimed is the media type that the client claims, or empty. It is good for
	// nothing but being compared.
	Claimed string
	// Doubt says why ContentType is application/octet-stream although the
	// content begins as something else; it is empty in all other cases.
	Doubt string

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
func (f File) Open() (multipart.File, error) {
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

// readable is what readers of memory and of a disk have in common.
type readable interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

type opened struct{ readable }

func (opened) Close() error { return nil }
