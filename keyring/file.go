package keyring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// file keeps the ring in one file, beside a lock.
type file struct{ path string }

// File returns a store that keeps the ring in a file, which only its owner can
// use. Several processes of one machine may share it; on a network file system
// locks are not to be relied on. It needs a Unix.
func File(path string) Store { return &file{path} }

// Load reads the file. One that is empty is not the same as none.
func (s *file) Load(context.Context) ([]byte, string, error) {
	document, err := s.read()
	if err != nil {
		return nil, "", fmt.Errorf("key ring file: %w", err)
	}
	return document, versionOf(document), nil
}

// read returns the document, and nil if there is no file. It needs no lock: the
// file is only ever replaced as a whole.
func (s *file) read() ([]byte, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := private(f); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxDocument+1)) // Never nil.
}

// Save writes a second file and renames it over the first.
func (s *file) Save(ctx context.Context, document []byte, version string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return "", fmt.Errorf("lock the key ring file: %w", err)
	}
	defer unlock()
	stored, err := s.read()
	if err != nil {
		return "", fmt.Errorf("key ring file: %w", err)
	}
	if versionOf(stored) != version {
		return "", ErrConflict
	}
	next := s.path + ".new" // The lock makes it ours.
	if err := writeSynced(next, document); err != nil {
		return "", fmt.Errorf("key ring file: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return "", fmt.Errorf("key ring file: %w", err)
	}
	if err := syncFolder(filepath.Dir(s.path)); err != nil {
		return "", fmt.Errorf("key ring file: %w", err)
	}
	return versionOf(document), nil
}

// lock waits for the lock, which ends with the process that has it.
func (s *file) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(s.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		ok, err := tryLock(f)
		if ok {
			return func() { f.Close() }, nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(5 * time.Millisecond):
				continue
			}
		}
		return nil, errors.Join(err, f.Close())
	}
}
