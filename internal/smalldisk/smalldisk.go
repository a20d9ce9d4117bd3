//go:build linux

// Package smalldisk gives tests file systems that are soon full.
//
//	func TestFullDiskIsTold(t *testing.T) {
//		if !smalldisk.Alone(t) {
//			return
//		}
//		dir := smalldisk.Mount(t, "data", 512)
//		…
package smalldisk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// folder is the variable that tells a process of its own where it may mount.
const folder = "FASTNESS_TEST_SMALL_DISKS"

// Alone reports whether the test runs in a process that may mount file systems, which
// nobody else sees. If it does not, it is run again in one, fails or is skipped as that,
// and has to return. Nobody has to be root for it, but the system must allow it.
func Alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(folder) != "" {
		return true
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	command.Env = append(os.Environ(), folder+"="+t.TempDir())
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	output, err := command.CombinedOutput()
	switch text := string(output); {
	case strings.Contains(text, "--- SKIP"):
		t.Skip(text)
	case err != nil && len(output) == 0:
		t.Skip("this system gives nobody a space of their own: ", err)
	case err != nil || !strings.Contains(text, "--- PASS: "+t.Name()):
		t.Errorf("%v: %s", err, text)
	}
	return false
}

// Mount mounts a file system of so many KiB for the rest of the test, and returns its
// folder. The test must be [Alone].
func Mount(t *testing.T, name string, kib int) (dir string) {
	t.Helper()
	dir = filepath.Join(os.Getenv(folder), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+strconv.Itoa(kib)+"k"); err != nil {
		t.Skip("this system lets nobody but root mount a file system: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
