// Package filestore keeps the files that users upload, in a folder.
//
//	store, err := filestore.Open("/var/lib/shop/pictures", filestore.Config{MaxBytes: 5 << 20})
//	…
//	info, err := store.Save(ctx, upload)    // info.Key goes into the row of the item
//	file, err := store.Open(info.Key)
//
// # Names
//
// A file is kept under a [Key] that the store makes: 130 random bits. No text of a
// user ever names a file, so there is no path to climb out of, nothing to overwrite
// and nothing to guess. A Key can hold nothing else than a valid key, also if it
// comes from a request or a database.
//
// # What is promised
//
// When Save returns, the file is on the disk, whole, and stays there if the process
// is killed or the machine loses its power: it is written under another name, synced,
// renamed, and the folder is synced. Nobody ever sees a part of a file. What a
// killed process has left half written is removed by the next Open.
//
// A row and a file are two things, and no transaction holds both. Save the file
// first, then commit the row with its key: what a crash can leave is a file that
// nobody refers to, never a row without its file. [Store.Sweep] removes those.
//
// # On the disk
//
// Each file has a header of 512 bytes before the content, which says what it is: its
// media type (found by package mediatype, not claimed by anyone), size and SHA-256. A
// server that is pointed at the folder by mistake, or a program that is told to
// include a file of it, finds no page, no script and no picture there. The folders
// belong to the user of the process alone (mode 0700), and access is through
// [os.Root]: a symbolic link that leads out of the folder is not followed.
//
// Several processes may share a folder, on a file system that they share.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path"
	"runtime"
	"time"

	"github.com/fastness/fastness/problem"
)

// Config configures a [Store]. The zero value is the secure choice.
type Config struct {
	// MaxBytes is the size of one file. The default is 10 MiB.
	MaxBytes int64
	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

// Store is a folder of files. It is safe for concurrent use.
type Store struct {
	root     *os.Root
	maxBytes int64
	now      func() time.Time
}

// The folders in the folder of a store.
const (
	whole = "files"
	half  = "new"
)

// Open opens the store in dir, and makes the folder if there is none. It removes what
// killed processes have left half written. The error names every mistake in cfg.
func Open(dir string, cfg Config) (*Store, error) {
	var mistakes []error
	if dir == "" {
		mistakes = append(mistakes, errors.New("the folder has no name"))
	}
	if cfg.MaxBytes < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxBytes is %d, want at least 1", cfg.MaxBytes))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("filestore config: %w", errors.Join(mistakes...))
	}
	s := &Store{maxBytes: cfg.MaxBytes, now: cfg.Now}
	if s.maxBytes == 0 {
		s.maxBytes = 10 << 20
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.open(dir); err != nil {
		return nil, fmt.Errorf("filestore: %w", err)
	}
	return s, nil
}

func (s *Store) open(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return errors.Join(err, s.root.Close())
	}
	return nil
}

// prepare makes the folders, and looks whether others could change what is in them.
func (s *Store) prepare() error {
	if err := s.belongsToUs(".", 0o022); err != nil {
		return err
	}
	for _, folder := range []string{whole, half} {
		if err := s.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := s.belongsToUs(folder, 0o077); err != nil {
			return err
		}
	}
	if err := s.sync("."); err != nil {
		return err
	}
	return s.removeHalves()
}

// belongsToUs refuses a folder whose mode has bits that it must not have.
func (s *Store) belongsToUs(folder string, forbidden fs.FileMode) error {
	info, err := s.root.Lstat(folder)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", folder)
	case runtime.GOOS != "windows" && info.Mode().Perm()&forbidden != 0:
		return fmt.Errorf("the folder %s is open to others: its mode is %#o, want 0700", path.Join(s.root.Name(), folder), info.Mode().Perm())
	}
	return nil
}

// sync makes sure that names in a folder survive a loss of power.
func (s *Store) sync(folder string) error {
	if runtime.GOOS == "windows" { // It has no such thing.
		return nil
	}
	f, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets go of the folder. Files that are open stay so.
func (s *Store) Close() error { return s.root.Close() }

func notFound() *problem.Problem {
	return problem.New(http.StatusNotFound, "there is no such file").Named("file_not_found")
}

// Open opens a file. If there is none of this key, the error is a problem with
// status 404. The caller closes the file.
func (s *Store) Open(key Key) (*File, error) {
	if key.IsZero() {
		return nil, notFound()
	}
	f, err := s.root.Open(path.Join(whole, key.text))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound().Wrap(err)
	}
	if err != nil {
		return nil, fmt.Errorf("filestore: %w", err)
	}
	file, err := open(f, key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("filestore: %s: %w", key, err), f.Close())
	}
	return file, nil
}

// Delete removes a file. That there is none is no error: it may have been deleted
// by a request that was sent twice. Who has the file open can go on reading it.
func (s *Store) Delete(key Key) error {
	if key.IsZero() {
		return nil
	}
	err := s.root.Remove(path.Join(whole, key.text))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("filestore: %w", err)
	}
	return nil
}

// Files yields the files that are kept, in no order. One that cannot be read comes
// with its key and an error.
func (s *Store) Files(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for name, err := range s.names(ctx, whole) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			key, err := ParseKey(name)
			if err != nil {
				continue // Nothing of ours.
			}
			f, err := s.Open(key)
			if p := problem.From(err); err != nil && p.Status == http.StatusNotFound {
				continue // Deleted meanwhile.
			}
			info := Info{Key: key}
			if err == nil {
				info, err = f.Info, f.Close()
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// names yields the names in a folder, some at a time: there may be millions.
func (s *Store) names(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir, err := s.root.Open(folder)
		if err != nil {
			yield("", fmt.Errorf("filestore: %w", err))
			return
		}
		defer dir.Close()
		for {
			entries, err := dir.ReadDir(256)
			for _, entry := range entries {
				if ctx.Err() != nil {
					yield("", ctx.Err())
					return
				}
				if !yield(entry.Name(), nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield("", fmt.Errorf("filestore: %w", err))
				return
			}
		}
	}
}

// Sweep removes the files that were saved before a time and that nobody refers to,
// and returns how many. Referenced says whether somebody does; its error ends the
// sweep. The time has to leave requests room to save a file and commit the row of it:
// an hour ago is plenty.
//
//	n, err := store.Sweep(ctx, time.Now().Add(-time.Hour), items.HasPicture)
func (s *Store) Sweep(ctx context.Context, before time.Time, referenced func(context.Context, Key) (bool, error)) (removed int, err error) {
	for info, err := range s.Files(ctx) {
		if err != nil {
			return removed, err
		}
		if !info.Saved.Before(before) {
			continue
		}
		used, err := referenced(ctx, info.Key)
		if err != nil {
			return removed, err
		}
		if used {
			continue
		}
		if err := s.Delete(info.Key); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
