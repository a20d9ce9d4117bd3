package filestore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/problem"
)

// Save keeps what r has, to its end, and says what it is. Once it returns without an
// error, the file survives whatever happens to the process. With an error, nothing is
// kept.
//
// Errors are problems: 413 if there is more than MaxBytes, 507 if the disk is full,
// 503 if the file cannot be written for another reason. An error of r or ctx is
// returned as it is.
func (s *Store) Save(ctx context.Context, r io.Reader) (Info, error) {
	f, name, err := s.createHalf()
	if err != nil {
		return Info{}, notKept(err)
	}
	info, err := s.fill(ctx, f, r)
	if err == nil {
		err = s.publish(f, name, info.Key)
	}
	if err != nil {
		// After a rename there is none of this name, and that is no trouble.
		if gone := s.root.Remove(name); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		info = Info{}
	}
	_ = f.Close() // It is synced, or not wanted. Only now may others take it for left behind.
	return info, err
}

// createHalf makes a file under a name that nobody looks for, and locks it: what is
// not locked has been left by a process that is dead.
func (s *Store) createHalf() (f *os.File, name string, err error) {
	for range 100 {
		name = path.Join(half, newKey().text)
		if f, err = s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
			return nil, "", err
		}
		if err = lock(f); err != nil {
			return nil, "", errors.Join(err, f.Close(), s.root.Remove(name))
		}
		// Somebody who opens the store may have removed it before it was locked.
		if s.isNamed(f, name) {
			return f, name, nil
		}
		_ = f.Close()
	}
	return nil, "", errors.New("new files are removed as fast as they are made")
}

func (s *Store) isNamed(f *os.File, name string) bool {
	opened, err := f.Stat()
	named, namedErr := s.root.Lstat(name)
	return err == nil && namedErr == nil && os.SameFile(opened, named)
}

// removeHalves removes what processes that are dead have left half written.
func (s *Store) removeHalves() error {
	for name, err := range s.names(context.Background(), half) {
		if err != nil {
			return err
		}
		name = path.Join(half, name)
		f, err := s.root.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if isLeft(f) {
			err = s.root.Remove(name)
		}
		_ = f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// fill writes the content, and before it what it is.
func (s *Store) fill(ctx context.Context, f *os.File, r io.Reader) (Info, error) {
	info := Info{Key: newKey(), Saved: s.now().UTC().Truncate(time.Second)}
	if _, err := f.Write(make([]byte, headerBytes)); err != nil {
		return info, notKept(err)
	}
	hash := sha256.New()
	for buf := make([]byte, 64<<10); ; {
		if err := ctx.Err(); err != nil {
			return info, err
		}
		n, err := r.Read(buf)
		if info.Size += int64(n); info.Size > s.maxBytes {
			return info, problem.New(http.StatusRequestEntityTooLarge, "the file is too large").Named("file_too_large")
		}
		hash.Write(buf[:n])
		if _, err := f.Write(buf[:n]); err != nil {
			return info, notKept(err)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return info, err
		}
	}
	hash.Sum(info.SHA256[:0])
	found, err := mediatype.Detect(io.NewSectionReader(f, headerBytes, info.Size), info.Size)
	if err != nil {
		return info, notKept(err)
	}
	info.Type, info.Width, info.Height = found.Type, found.Width, found.Height
	header, err := info.header()
	if err != nil {
		return info, err
	}
	if _, err := f.WriteAt(header, 0); err != nil {
		return info, notKept(err)
	}
	return info, nil
}

// publish gives a whole file its name. The order decides: content, name, folder.
func (s *Store) publish(f *os.File, name string, key Key) error {
	if err := f.Sync(); err != nil {
		return notKept(err)
	}
	final := path.Join(whole, key.text)
	if err := s.root.Rename(name, final); err != nil {
		return notKept(err)
	}
	if err := s.sync(whole); err != nil {
		return errors.Join(notKept(err), s.root.Remove(final))
	}
	return nil
}

// notKept tells a full disk, which is news for the operator and no fault of the
// client, from other trouble.
func notKept(err error) error {
	err = fmt.Errorf("filestore: %w", err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return problem.New(http.StatusInsufficientStorage, "there is no room for the file").Named("file_no_space").Wrap(err)
	}
	return problem.New(http.StatusServiceUnavailable, "the file cannot be kept").Named("file_not_kept").Wrap(err)
}
