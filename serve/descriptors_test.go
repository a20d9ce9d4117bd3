package serve_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Out of file descriptors, a server must neither give up nor spin: it serves whom it
// has, tries to accept less and less often, and goes on when there is room again.
func TestRunningOutOfFileDescriptorsPasses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no ulimit on Windows")
	}
	const descriptors, crowd = 256, 400
	command := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0"`, descriptors), os.Args[0])
	command.Env = append(os.Environ(), "SERVE_TEST_DIR="+t.TempDir())
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill() }()
	refusals := make(chan string, 1000)
	go func() {
		defer close(refusals)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "accepting a connection") {
				refusals <- lines.Text()
			}
		}
	}()
	lines := bufio.NewScanner(out)
	lines.Scan()
	addr := lines.Text()

	early := new(net.Dialer)
	c, err := early.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	wantShort(t, c)
	var silent []net.Conn
	for range crowd {
		s, err := early.Dial("tcp", addr) // The kernel takes it for the server.
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		silent = append(silent, s)
	}
	var first time.Time
	for n := 1; ; n++ {
		line := nextRefusal(t, refusals)
		if n == 1 {
			first = time.Now()
			wantShort(t, c)
		}
		if strings.Contains(line, "retry=1s") {
			if waited := time.Since(first); n > 12 || waited < time.Second {
				t.Errorf("%d tries within %v, want them to become rare", n, waited)
			}
			break
		}
	}
	for _, s := range silent {
		_ = s.Close()
	}
	late, err := early.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close() }()
	wantShort(t, late)
	_ = command.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, out)
	if err := command.Wait(); err != nil {
		t.Errorf("the server ended with %v, want status 0", err)
	}
}

func nextRefusal(t *testing.T, refusals <-chan string) string {
	t.Helper()
	select {
	case line, ok := <-refusals:
		if ok {
			return line
		}
		t.Fatal("the server ended")
	case <-time.After(10 * time.Second):
		t.Fatal("no refused connection in 10 seconds")
	}
	return ""
}

// wantShort wants a request to be answered.
func wantShort(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("ReadResponse() = %v, %v; want 200", response, err)
	}
	_ = response.Body.Close()
}
