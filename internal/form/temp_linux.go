package form

import (
	"errors"
	"os"
	"syscall"
)

// tmpFile is O_TMPFILE, which package syscall lacks. Its value is the same on all
// architectures of Linux that Go runs on, but for O_DIRECTORY in it.
const tmpFile = 0o20000000 | syscall.O_DIRECTORY

// createNameless opens a file without a name. O_EXCL means that it never gets one.
func createNameless(dir string) (*os.File, error) {
	file, err := os.OpenFile(dir, os.O_RDWR|os.O_EXCL|tmpFile, 0o600)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EINVAL) {
		return nil, errors.ErrUnsupported // of this file system
	}
	return file, err
}
