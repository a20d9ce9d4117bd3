package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Zip yields the entries of a ZIP file in the order of its directory. All headers are
// read and checked before the first; if something is wrong with one of them, the
// error is all that is yielded.
//
// The entries have to follow each other from the first byte to the directory, so
// that there is one way to read them. Programs that pack files write them so; an
// archive with a program in front that unpacks it is refused.
func (p *Policy) Zip(r io.ReaderAt, size int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		z := &zipFile{policy: p, r: r, size: size}
		if err := z.readAll(); err != nil {
			yield(Entry{}, err)
			return
		}
		for i := range z.entries {
			e := &z.entries[i]
			out := Entry{Name: strings.TrimSuffix(e.name, "/"), IsDir: e.isDir(), Size: int64(e.size)}
			if !out.IsDir {
				out.content = z.open(e)
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// zipFile is a ZIP file (APPNOTE.TXT, section 4.3).
type zipFile struct {
	policy  *Policy
	r       io.ReaderAt
	size    int64
	entries []zipEntry
}

// zipEntry is an entry as the directory says it is.
type zipEntry struct {
	name         string
	flags        uint16
	method       uint16
	sum          uint32
	packed, size uint32
	offset       int64 // of the local header
	data         int64 // of the content
}

func (e *zipEntry) isDir() bool { return strings.HasSuffix(e.name, "/") }

const (
	endBytes     = 22
	centralBytes = 46
	localBytes   = 30

	stored   = 0
	deflated = 8

	// What the flags may be: how hard the packer tried, a descriptor behind the
	// content, a name in UTF-8.
	flagDescriptor = 0x0008
	flagUTF8       = 0x0800
	flagsKnown     = 0x0002 | 0x0004 | flagDescriptor | flagUTF8
)

// read returns n bytes from an offset.
func (z *zipFile) read(offset int64, n int) ([]byte, error) {
	if offset < 0 || offset > z.size-int64(n) {
		return nil, invalid("it ends before its end")
	}
	b := make([]byte, n)
	if got, err := z.r.ReadAt(b, offset); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = invalid("it ends before its end")
		}
		return nil, err
	}
	return b, nil
}

func (z *zipFile) readAll() error {
	count, start, end, err := z.readEnd()
	if err != nil {
		return err
	}
	if err := z.readDirectory(count, start, end); err != nil {
		return err
	}
	return z.readLocals(start)
}

// readEnd finds the end record, and where the directory is.
func (z *zipFile) readEnd() (count int, start, end int64, err error) {
	tail, err := z.read(max(0, z.size-endBytes-1<<16), int(min(z.size, endBytes+1<<16)))
	if err != nil {
		return 0, 0, 0, err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < endBytes {
		return 0, 0, 0, invalid("it has no end record")
	}
	b, end := tail[at:], z.size-int64(len(tail)-at)
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	size, start := int64(u32(b[12:])), int64(u32(b[16:]))
	count = int(u16(b[10:]))
	switch {
	case int(u16(b[20:])) != len(b)-endBytes:
		err = invalid("something stands behind it")
	case u16(b[4:]) != 0 || u16(b[6:]) != 0 || u16(b[8:]) != u16(b[10:]):
		err = invalid("it is in several pieces")
	case at >= 20 && bytes.HasPrefix(tail[at-20:], []byte("PK\x06\x07")) || count == 1<<16-1 || start == 1<<32-1:
		err = invalid("it is a ZIP64") // More than 65,534 entries or 4 GiB.
	case count > z.policy.cfg.Entries:
		err = tooMany()
	case start+size != end || size < int64(count)*centralBytes:
		err = invalid("its directory is not where it should be")
	}
	return count, start, end, err
}

// readDirectory reads the directory, which is the count entries between two places,
// and nothing else.
func (z *zipFile) readDirectory(count int, at, end int64) error {
	known, total := newNames(), int64(0)
	z.entries = make([]zipEntry, 0, count)
	for range count {
		b, err := z.read(at, centralBytes)
		if err != nil {
			return err
		}
		u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
		nameBytes, extraBytes, commentBytes := int(u16(b[28:])), int(u16(b[30:])), int(u16(b[32:]))
		if !bytes.HasPrefix(b, []byte("PK\x01\x02")) || at+centralBytes+int64(nameBytes+extraBytes+commentBytes) > end {
			return invalid("its directory is damaged")
		}
		rest, err := z.read(at+centralBytes, nameBytes+extraBytes)
		if err != nil {
			return err
		}
		at += centralBytes + int64(nameBytes+extraBytes+commentBytes)
		e := zipEntry{
			name: string(rest[:nameBytes]), flags: u16(b[8:]), method: u16(b[10:]), sum: u32(b[16:]),
			packed: u32(b[20:]), size: u32(b[24:]), offset: int64(u32(b[42:])),
		}
		if err := z.policy.checkEntry(&e, b, rest[nameBytes:]); err != nil {
			return err
		}
		if err := known.check(strings.TrimSuffix(e.name, "/"), e.isDir()); err != nil {
			return err
		}
		total += int64(e.size)
		if err := z.policy.tooMuch(int64(e.size), total); err != nil {
			return err
		}
		z.entries = append(z.entries, e)
	}
	if at != end {
		return invalid("its directory has more entries than it says")
	}
	return nil
}

// checkEntry refuses what is no plain file and no folder.
func (p *Policy) checkEntry(e *zipEntry, central, extra []byte) error {
	switch system, mode := central[5], binary.LittleEndian.Uint32(central[38:])>>16; {
	case e.flags&^flagsKnown != 0:
		return invalid("an entry is encrypted, or uses what is not read")
	case e.method != stored && e.method != deflated:
		return invalid("an entry is packed in a way that is not read")
	case binary.LittleEndian.Uint16(central[34:]) != 0:
		return invalid("it is in several pieces")
	case (system == 3 || system == 19) && !isPlainMode(mode, e.isDir()): // Unix, macOS
		return refused("archive_link", "an entry of the archive is a link, a device or something else that is no file")
	case e.method == stored && e.packed != e.size, e.isDir() && (e.size != 0 || e.packed > 2):
		return invalid("the size of an entry is not that of its content")
	case e.flags&flagUTF8 == 0 && strings.ContainsFunc(e.name, func(r rune) bool { return r >= utf8.RuneSelf }):
		return invalid("a name is in a character set that is not said")
	case int64(e.size) > max(freeBytes, p.cfg.Ratio*int64(e.packed)):
		return tooLarge()
	}
	return checkExtra(extra, e.name)
}

// isPlainMode reports whether a mode of Unix is that of a file or a folder, or says
// neither.
func isPlainMode(mode uint32, isDir bool) bool {
	switch mode & 0o170000 {
	case 0:
		return true
	case 0o100000:
		return !isDir
	case 0o040000:
		return isDir
	}
	return false
}

// checkExtra goes through the extra fields (section 4.5): one that says another name
// or another size makes a second way to read the entry.
func checkExtra(extra []byte, name string) error {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return invalid("an extra field is damaged")
		}
		switch id {
		case 0x0001:
			return invalid("it is a ZIP64")
		case 0x7075: // a name in Unicode, behind its version and a sum
			if size < 5 || string(extra[5:size]) != name {
				return invalid("an entry has two names")
			}
		}
		extra = extra[size:]
	}
	return nil // What is left is what Android aligns with.
}

// readLocals compares the local headers with the directory. Sorted by where they
// are, the entries fill the file up to the directory: none overlaps, and nothing is
// between them.
func (z *zipFile) readLocals(end int64) error {
	sorted := make([]*zipEntry, len(z.entries))
	for i := range z.entries {
		sorted[i] = &z.entries[i]
	}
	slices.SortFunc(sorted, func(a, b *zipEntry) int { return int(a.offset - b.offset) })
	at := int64(0)
	for i, e := range sorted {
		if e.offset != at {
			return invalid("its entries do not follow each other")
		}
		if at = end; i+1 < len(sorted) {
			at = sorted[i+1].offset
		}
		if err := z.readLocal(e, at); err != nil {
			return err
		}
	}
	if at != end {
		return invalid("its entries do not follow each other")
	}
	return nil
}

// readLocal compares the local header of an entry, which has the room up to next.
func (z *zipFile) readLocal(e *zipEntry, next int64) error {
	b, err := z.read(e.offset, localBytes)
	if err != nil {
		return err
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	nameBytes, extraBytes := int(u16(b[26:])), int(u16(b[28:]))
	rest, err := z.read(e.offset+localBytes, nameBytes+extraBytes)
	if err != nil {
		return err
	}
	same := func(here, there uint32) bool {
		return here == there || e.flags&flagDescriptor != 0 && here == 0
	}
	if !bytes.HasPrefix(b, []byte("PK\x03\x04")) || string(rest[:nameBytes]) != e.name || u16(b[6:]) != e.flags || u16(b[8:]) != e.method ||
		!same(u32(b[14:]), e.sum) || !same(u32(b[18:]), e.packed) || !same(u32(b[22:]), e.size) {
		return invalid("an entry is not what the directory says")
	}
	if err := checkExtra(rest[nameBytes:], e.name); err != nil {
		return err
	}
	e.data = e.offset + localBytes + int64(nameBytes+extraBytes)
	return z.readDescriptor(e, e.data+int64(e.packed), next)
}

// readDescriptor compares what stands behind the content of an entry (section
// 4.3.9): nothing, or its sum and sizes once more, with a signature or without.
func (z *zipFile) readDescriptor(e *zipEntry, at, next int64) error {
	if e.flags&flagDescriptor == 0 && at == next {
		return nil
	}
	if e.flags&flagDescriptor == 0 || next-at != 12 && next-at != 16 {
		return invalid("its entries do not follow each other")
	}
	b, err := z.read(at, int(next-at))
	if err != nil {
		return err
	}
	if len(b) == 16 {
		found := false
		if b, found = bytes.CutPrefix(b, []byte("PK\x07\x08")); !found {
			return invalid("an entry is not what the directory says")
		}
	}
	u32 := binary.LittleEndian.Uint32
	if u32(b) != e.sum || u32(b[4:]) != e.packed || u32(b[8:]) != e.size {
		return invalid("an entry is not what the directory says")
	}
	return nil
}
