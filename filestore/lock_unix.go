//go:build unix && !aix && !solaris

package filestore

import (
	"os"
	"syscall"
)

// lock marks a file as being written. The system takes the mark away when the
// process ends, however that happens.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

// isLeft reports whether nobody writes the file any more.
func isLeft(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
