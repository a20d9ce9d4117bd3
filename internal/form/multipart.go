package form

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/internal/filename"
	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/problem"
)

// Limits bound what a multipart body may cost. A zero field means its default.
type Limits struct {
	// Bytes is the size of the whole body. The default is 1 MiB.
	Bytes int64
	// Parts is the number of parts. The default is 100.
	Parts int
	// HeaderBytes is the size of the header of one part. The default, and the
	// most, is 4 KiB.
	HeaderBytes int
	// ValueBytes is the size of one plain field. The default is 64 KiB.
	ValueBytes int64
	// FileBytes is the size of one file. The default is Bytes.
	FileBytes int64
	// FileBytesOf, if not nil, returns the size that a file of the field of this
	// name may have, at most FileBytes. 0 means FileBytes.
	FileBytesOf func(name string) int64
	// MemoryBytes is the size up to which a file is kept in memory. The default
	// is 32 KiB; a negative number sends every file to disk.
	MemoryBytes int64
	// Dir is where larger files go. The default is [os.TempDir].
	Dir string
	// Accept, if not nil, is asked before the content of a part is read. An
	// error refuses the body and is returned as it is.
	Accept func(name string, isFile bool) error

	temp func(dir string) (f spoolFile, path string, err error)
}

const maxPartHeader = 4 << 10

func (l Limits) withDefaults() Limits {
	orElse := func(n, preset int64) int64 {
		if n <= 0 {
			return preset
		}
		return n
	}
	l.Bytes = orElse(l.Bytes, 1<<20)
	l.Parts = int(orElse(int64(l.Parts), 100))
	l.HeaderBytes = int(min(orElse(int64(l.HeaderBytes), maxPartHeader), maxPartHeader))
	l.ValueBytes = orElse(l.ValueBytes, 64<<10)
	l.FileBytes = orElse(l.FileBytes, l.Bytes)
	if l.MemoryBytes == 0 {
		l.MemoryBytes = 32 << 10
	}
	if l.temp == nil {
		l.temp = createTemp
	}
	return l
}

// Part is one part of a multipart body.
type Part struct {
	// Name is the field's name, valid UTF-8 without control characters.
	Name string
	// Value is the content of a plain field, valid UTF-8. It is empty if File
	// is set.
	Value string
	// File is the file, or nil. A file input in which nobody chose a file is
	// sent with an empty name and no content; its File is nil.
	File *File
}

// Parts are the parts of a multipart body in the order in which they came,
// names that came twice included.
type Parts []Part

// Remove frees the files of all parts.
func (p Parts) Remove() error {
	var errs []error
	for i := range p {
		if p[i].File != nil {
			errs = append(errs, p[i].File.Remove())
		}
	}
	return errors.Join(errs...)
}

// Multipart reads a multipart/form-data body (RFC 7578) from r. The caller must
// call Remove on the parts when it is done with them. If Multipart returns an
// error it has removed every file itself.
//
// It reads what clients send and nothing else that MIME has: lines end in CRLF,
// nothing stands before the first boundary or after the last, no header is
// folded, no part is encoded or a multipart itself. That leaves an inspecting
// proxy and this parser no room to disagree.
//
// The boundary is that of the Content-Type. Errors are problems: 400 if the
// body cannot be read, 413 if it exceeds a limit, 507 if the disk is full, and
// 503 if a file cannot be kept for another reason.
func Multipart(r io.Reader, boundary string, limits Limits) (Parts, error) {
	if !isBoundary(boundary) {
		return nil, malformed("multipart_invalid", "the Content-Type has no valid boundary")
	}
	limits = limits.withDefaults()
	m := reader{limits: limits, body: newBody(&capped{r: r, left: limits.Bytes}, boundary)}
	parts, err := m.readAll()
	if err != nil {
		return nil, also(err, parts.Remove())
	}
	return parts, nil
}

// isBoundary follows RFC 2046 section 5.1.1.
func isBoundary(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("'()+_,-./:=? ", c) < 0:
			return false
		}
	}
	return s != "" && len(s) <= 70 && s[len(s)-1] != ' '
}

type reader struct {
	limits Limits
	body   *body
}

func (m *reader) readAll() (parts Parts, err error) {
	more, err := m.body.open()
	for ; err == nil && more; more, err = m.body.next() {
		if len(parts) == m.limits.Parts {
			return parts, tooLarge("multipart_too_many_parts", "the body has too many parts")
		}
		part, err := m.readPart()
		if err != nil {
			return parts, err
		}
		parts = append(parts, part)
	}
	return parts, err
}

func (m *reader) readPart() (Part, error) {
	lines, err := m.body.header(m.limits.HeaderBytes)
	if err != nil {
		return Part{}, err
	}
	head, err := parsePartHeader(lines)
	if err != nil {
		return Part{}, err
	}
	if m.limits.Accept != nil {
		if err := m.limits.Accept(head.name, head.isFile); err != nil {
			return Part{}, err
		}
	}
	part := Part{Name: head.name}
	switch {
	case !head.isFile:
		part.Value, err = m.readValue()
	case head.fileName == "":
		err = m.readNothing()
	default:
		part.File, err = m.readFile(head)
	}
	return part, err
}

func (m *reader) readValue() (string, error) {
	var b strings.Builder
	_, over, err := m.body.copyTo(&b, m.limits.ValueBytes)
	switch {
	case err != nil:
		return "", err
	case over:
		return "", tooLarge("multipart_value_too_large", "the value of a field is too large")
	case !utf8.ValidString(b.String()):
		return "", badPart("the value of a field is not valid UTF-8")
	}
	return b.String(), nil
}

// readNothing reads the part of a file input in which nobody chose a file.
func (m *reader) readNothing() error {
	_, over, err := m.body.copyTo(io.Discard, 0)
	if over {
		return badPart("a file has no name")
	}
	return err
}

func (m *reader) readFile(head partHeader) (*File, error) {
	c, limit := &content{}, m.limits.FileBytes
	if m.limits.FileBytesOf != nil {
		if n := m.limits.FileBytesOf(head.name); n > 0 {
			limit = min(limit, n)
		}
	}
	f := &File{Name: filename.Clean(head.fileName), Claimed: head.mediaType, content: c}
	size, over, err := m.body.copyTo(&spooler{content: c, limits: m.limits}, limit)
	f.Size = size
	switch {
	case over:
		err = tooLarge("multipart_file_too_large", "a file is too large")
	case err == nil:
		err = f.detect()
	}
	if err != nil {
		return nil, also(err, c.remove())
	}
	return f, nil
}

// detect finds out what the content is.
func (f *File) detect() error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	found, err := mediatype.Detect(r, f.Size)
	if err != nil {
		return notKept(err)
	}
	f.ContentType, f.Width, f.Height, f.Doubt = found.Type, found.Width, found.Height, found.Why
	return nil
}

// also returns err as it is if nothing else went wrong.
func also(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}

func badPart(why string) *problem.Problem {
	return malformed("multipart_invalid", "the multipart body cannot be read: "+why)
}
