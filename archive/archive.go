// Package archive reads ZIP and tar.gz files from strangers.
//
// An archive is a program for whoever unpacks it: it says where to write, how much,
// and through which links. This package reads what people send, which is plain files
// with plain names, and refuses everything else:
//
//   - What would be too much: more entries, more bytes or a higher ratio than allowed.
//     Of a ZIP that is known before a byte is unpacked, and the overlapping entries of
//     a bomb that is small to the eye are no ZIP here.
//   - Names that lead out of the folder (zip slip), or mean something else on another
//     system: absolute, with "..", backslashes, drive letters, names of devices,
//     control characters; and names that are one file where case does not count.
//   - Symbolic and hard links, devices, and whatever else is no file and no folder.
//   - What two programs could read in two ways: local headers that differ from the
//     directory, bytes that belong to no entry, encryption, ZIP64.
//
// It is read in a loop:
//
//	archives, err := archive.New(archive.Config{Bytes: 50 << 20})
//	…
//	for entry, err := range archives.Zip(upload, size) {
//		if err != nil {
//			return err
//		}
//		if strings.HasSuffix(entry.Name, ".csv") {
//			err = load(entry) // an io.Reader
//		}
//	}
//
// or unpacked into a folder, all or nothing, by [ExtractTo].
//
// An archive in an archive is a file like any other. Whoever opens it as well, opens
// a new budget: count how deep you go.
//
// Errors are problems with status 422 and the codes archive_invalid, archive_name,
// archive_link, archive_too_large, archive_too_many_entries; 507 and 503 if what is
// unpacked cannot be kept. None tells a name out of the archive.
package archive

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// Config says how much an archive may be. A zero field means its default.
type Config struct {
	// Bytes is the size of all entries together, unpacked. The default is 100 MiB.
	Bytes int64
	// EntryBytes is the size of one entry, unpacked. The default is Bytes.
	EntryBytes int64
	// Entries is how many there may be, folders included. The default is 10,000; a
	// ZIP can have 65,535.
	Entries int
	// Ratio is how many times its packed size an entry may be, or all of a tar.gz.
	// The default is 100. Less than a mebibyte is never too much for it. Texts are
	// packed to a tenth; a file of zeros to a thousandth.
	Ratio int64
}

// freeBytes may be unpacked out of next to nothing: many empty lines are no bomb.
const freeBytes = 1 << 20

// Policy reads archives within bounds. It is safe for concurrent use.
type Policy struct{ cfg Config }

// New returns a policy, or an error that names every mistake in cfg.
func New(cfg Config) (*Policy, error) {
	var mistakes []error
	if cfg.Bytes < 0 || cfg.EntryBytes < 0 {
		mistakes = append(mistakes, fmt.Errorf("Bytes and EntryBytes are %d and %d, want at least 1", cfg.Bytes, cfg.EntryBytes))
	}
	if cfg.Entries < 0 {
		mistakes = append(mistakes, fmt.Errorf("Entries is %d, want at least 1", cfg.Entries))
	}
	if cfg.Ratio < 0 || cfg.Ratio > 1<<20 {
		mistakes = append(mistakes, fmt.Errorf("Ratio is %d, want 1 to 1048576", cfg.Ratio))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("archive config: %w", errors.Join(mistakes...))
	}
	if cfg.Bytes == 0 {
		cfg.Bytes = 100 << 20
	}
	if cfg.EntryBytes == 0 {
		cfg.EntryBytes = cfg.Bytes
	}
	if cfg.Entries == 0 {
		cfg.Entries = 10_000
	}
	if cfg.Ratio == 0 {
		cfg.Ratio = 100
	}
	return &Policy{cfg}, nil
}

// Entry is a file or a folder in an archive. It is an [io.Reader] of the content, up
// to the next step of the loop. The last read fails if the content is not what the
// archive says of it: what was read before counts only if that one returned io.EOF.
type Entry struct {
	// Name is a path with forward slashes, without "." and "..", that is harmless on
	// every system: [path/filepath.IsLocal] holds. A folder has no slash at the end.
	Name string
	// IsDir reports whether it is a folder.
	IsDir bool
	// Size is the length of the content in bytes.
	Size int64

	content io.Reader
}

// Read reads the content.
func (e Entry) Read(p []byte) (int, error) {
	if e.content == nil {
		return 0, io.EOF
	}
	return e.content.Read(p)
}

// tooMuch refuses an entry by what it would be, and what all would be with it.
func (p *Policy) tooMuch(size, total int64) error {
	if size > p.cfg.EntryBytes || total > p.cfg.Bytes {
		return tooLarge()
	}
	return nil
}

func tooLarge() *problem.Problem {
	return refused("archive_too_large", "what is in the archive is too large")
}

func tooMany() *problem.Problem {
	return refused("archive_too_many_entries", "the archive has too many entries")
}

func invalid(why string) *problem.Problem {
	return refused("archive_invalid", "the archive cannot be read: "+why)
}

func refused(code, detail string) *problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, detail).Named(code)
}
