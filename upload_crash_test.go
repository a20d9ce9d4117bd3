//go:build linux

package fastness_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/internal/smalldisk"
)

// crashDir is the variable that holds the folder for uploads of the process that
// is killed.
const crashDir = "FASTNESS_TEST_CRASH_DIR"

// A server that is killed in the middle of uploads leaves nothing on its disk.
func TestKilledServerLeavesNoUploads(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		serveUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	for range 5 {
		killWhileUploading(t, dir)
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Fatalf("%d files are left (%v), such as %v", len(left), err, left)
		}
	}
}

func serveUntilKilled(t *testing.T, dir string) {
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1", UploadDir: dir, BodyLimit: 8 << 20})
	fastness.Post(app, "/photos", func(context.Context, struct {
		Any fastness.File `form:"any"`
	}) (string, error) {
		return "", nil
	}, access.Public)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("listens on", httptest.NewServer(app).Listener.Addr())
	select {}
}

func killWhileUploading(t *testing.T, dir string) {
	command := exec.Command(os.Args[0], "-test.run=^TestKilledServerLeavesNoUploads$", "-test.count=1")
	command.Env = append(os.Environ(), crashDir+"="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	address := ""
	for lines := bufio.NewScanner(output); address == "" && lines.Scan(); {
		address, _ = strings.CutPrefix(lines.Text(), "listens on ")
		if !strings.Contains(address, ":") {
			address = ""
		}
	}
	for range 4 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "POST /photos HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 4000000\r\n\r\n"+
			"--b\r\nContent-Disposition: form-data; name=\"any\"; filename=\"a\"\r\n\r\n"+strings.Repeat("x", 300_000))
		if err != nil {
			t.Fatal(err)
		}
	}
	open := 0
	for deadline := time.Now().Add(10 * time.Second); open < 4 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		open = spooled(t, command.Process.Pid, dir)
	}
	if open != 4 {
		t.Fatalf("%d uploads are on disk, want 4: nothing is killed in the middle", open)
	}
	if err := command.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
}

// spooled counts the files without a name that a process has open in dir.
func spooled(t *testing.T, pid int, dir string) (n int) {
	t.Helper()
	folder := filepath.Join("/proc", fmt.Sprint(pid), "fd")
	open, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if link, err := os.Readlink(filepath.Join(folder, fd.Name())); err == nil && strings.HasPrefix(link, dir) {
			n++
		}
	}
	return n
}

// An upload for which there is no room is refused with 507, leaves nothing, and
// the next one finds the room again.
func TestUploadOnFullDiskIsToldAndLeavesNothing(t *testing.T) {
	if !smalldisk.Alone(t) {
		return
	}
	dir := smalldisk.Mount(t, "uploads", 512)
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1", UploadDir: dir})
	fastness.Post(app, "/photos", func(_ context.Context, in struct {
		Title string        `form:"title"`
		Any   fastness.File `form:"any"`
	}) (int64, error) {
		return in.Any.Size, nil
	}, access.Public)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app)
	defer server.Close()
	for range 5 {
		status, body := uploadTo(t, server.URL+"/photos", sent{"any", "a", "x/y", strings.Repeat("x", 900_000)})
		if status != http.StatusInsufficientStorage || !strings.Contains(body, `"code":"upload_no_space"`) || strings.Contains(body, dir) {
			t.Errorf("too large for the disk: %d %s, want 507 upload_no_space and no path", status, body)
		}
		status, body = uploadTo(t, server.URL+"/photos", sent{"any", "a", "x/y", strings.Repeat("x", 400_000)})
		if status != http.StatusOK {
			t.Errorf("with room again: %d %s", status, body)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}
