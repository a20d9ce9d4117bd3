//go:build linux

package filestore_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/fastness/fastness/filestore"
	"github.com/fastness/fastness/internal/smalldisk"
)

// crashDir is the variable that holds the folder of the process that is killed.
const crashDir = "FASTNESS_TEST_STORE_DIR"

// Each time, four writers run in a process that is killed in the middle. What Save
// has acknowledged is there and whole; nothing else can be seen.
func TestKilledProcessLosesNoFileAndLeavesNoPart(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		saveUntilKilled(t, dir)
		return
	}
	dir, parts := t.TempDir(), 0
	acknowledged := make(map[string]bool)
	for round := range 20 {
		killWhileSaving(t, dir, 5+round, acknowledged)
		parts += len(namesIn(t, dir, "new"))
		s, err := filestore.Open(dir, filestore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if left := namesIn(t, dir, "new"); len(left) != 0 {
			t.Errorf("half written files are left: %v", left)
		}
		there := make(map[string]bool)
		for _, name := range namesIn(t, dir, "files") {
			key, err := filestore.ParseKey(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := s.Open(key)
			if err != nil {
				t.Fatalf("a part can be seen: %v", err)
			}
			if err := f.Verify(); err != nil {
				t.Error(err)
			}
			there[name] = true
			_ = f.Close()
		}
		for name := range acknowledged {
			if !there[name] {
				t.Errorf("%s was acknowledged and is lost", name)
			}
		}
		_ = s.Close()
	}
	if parts == 0 {
		t.Error("no process was killed in the middle of a file: this test tests nothing")
	}
	t.Logf("%d files acknowledged, %d half written when killed", len(acknowledged), parts)
}

func saveUntilKilled(t *testing.T, dir string) {
	s, err := filestore.Open(dir, filestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		go func() {
			for {
				info, err := s.Save(context.Background(), io.LimitReader(rand.Reader, 300_000))
				if err != nil {
					fmt.Println("failed:", err)
					os.Exit(1)
				}
				fmt.Println("saved", info.Key)
			}
		}()
	}
	select {}
}

func killWhileSaving(t *testing.T, dir string, after int, acknowledged map[string]bool) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestKilledProcessLosesNoFileAndLeavesNoPart$", "-test.count=1")
	command.Env = append(os.Environ(), crashDir+"="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if key, found := strings.CutPrefix(lines.Text(), "saved "); found {
			acknowledged[key] = true
			n++
		}
		if n == after {
			_ = command.Process.Kill() // Go on reading: what is in the pipe was acknowledged.
		}
	}
	_ = command.Wait()
	if n < after {
		t.Fatalf("%d files were saved, want at least %d", n, after)
	}
}

func TestFullDiskIsToldAndNothingIsKept(t *testing.T) {
	if !smalldisk.Alone(t) {
		return
	}
	dir := smalldisk.Mount(t, "files", 1024)
	s := openIn(t, dir, filestore.Config{})
	kept := save(t, s, strings.Repeat("k", 200_000)).Key
	for range 5 {
		_, err := s.Save(t.Context(), strings.NewReader(strings.Repeat("x", 2_000_000)))
		wantProblem(t, "too large for the disk", err, http.StatusInsufficientStorage, "file_no_space")
		if left := namesIn(t, dir, "new"); len(left) != 0 || len(namesIn(t, dir, "files")) != 1 {
			t.Errorf("left: %v", left)
		}
		if err := s.Delete(save(t, s, strings.Repeat("x", 700_000)).Key); err != nil {
			t.Error(err)
		}
	}
	f, err := s.Open(kept)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	_ = f.Close()
}
