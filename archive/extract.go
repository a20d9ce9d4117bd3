package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path"
	"syscall"

	"github.com/fastness/fastness/problem"
)

// ExtractTo unpacks entries into the new folder dir of root, all or nothing: they are
// unpacked into a folder beside it, which gets the name when the last one is written.
// That dir is there already is an error.
//
//	root, err := os.OpenRoot("/var/lib/shop/imports")
//	…
//	err = archive.ExtractTo(ctx, root, "2026-11-23", archives.Zip(upload, size))
//
// Files have mode 0600 and folders 0700, whatever the archive says. Nothing is ever
// written outside of root, nor over another file. A process that is killed meanwhile
// leaves a folder whose name begins with ".unpacking-".
func ExtractTo(ctx context.Context, root *os.Root, dir string, entries iter.Seq2[Entry, error]) (err error) {
	if _, err := root.Lstat(dir); err == nil {
		return fmt.Errorf("archive: extract to %s: %w", dir, fs.ErrExist)
	}
	work := path.Join(path.Dir(dir), ".unpacking-"+rand.Text())
	if err := root.Mkdir(work, 0o700); err != nil {
		return notKept(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.RemoveAll(work))
		}
	}()
	inside, err := root.OpenRoot(work)
	if err != nil {
		return notKept(err)
	}
	err = extract(ctx, inside, entries)
	if closed := inside.Close(); err == nil && closed != nil {
		err = notKept(closed)
	}
	if err != nil {
		return err
	}
	if err := root.Rename(work, dir); err != nil {
		return notKept(err)
	}
	return nil
}

func extract(ctx context.Context, root *os.Root, entries iter.Seq2[Entry, error]) error {
	for e, err := range entries {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		folder := e.Name
		if !e.IsDir {
			folder = path.Dir(e.Name)
		}
		if err := root.MkdirAll(folder, 0o700); err != nil {
			return notKept(err)
		}
		if e.IsDir {
			continue
		}
		if err := writeFile(ctx, root, e); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(ctx context.Context, root *os.Root, e Entry) (err error) {
	f, err := root.OpenFile(e.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return notKept(err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = notKept(closed)
		}
	}()
	for buf := make([]byte, 32<<10); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := e.Read(buf)
		if _, err := f.Write(buf[:n]); err != nil {
			return notKept(err)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// notKept tells a full disk, which is news for the operator and no fault of the
// client, from other trouble.
func notKept(err error) error {
	err = fmt.Errorf("archive: %w", err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return problem.New(http.StatusInsufficientStorage, "there is no room for what is in the archive").Named("archive_no_space").Wrap(err)
	}
	return problem.New(http.StatusServiceUnavailable, "what is in the archive cannot be kept").Named("archive_not_kept").Wrap(err)
}
