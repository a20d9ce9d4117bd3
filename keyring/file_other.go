//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package keyring

import (
	"fmt"
	"os"
	"runtime"
)

// tryLock fails: a lock that outlasts the process that has it would stop all
// rotations for good.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("there are no file locks on %s that end with a process: keep the ring in a database", runtime.GOOS)
}
