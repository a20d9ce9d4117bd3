package redis_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/redis"
	"github.com/fastness/fastness/secret"
)

// server is a Redis or Valkey server of one test, on a free port of the loopback
// interface and with a folder of its own.
type server struct {
	program string
	port    string
	args    []string
	pid     int
	stop    func() // kills it at once
}

// programs are those that the tests run over.
func programs() []string { return []string{"redis-server", "valkey-server"} }

// eachServer runs a test over each kind of server that is installed.
func eachServer(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	for _, program := range programs() {
		t.Run(program, func(t *testing.T) { test(t, start(t, program)) })
	}
}

// start starts a server, and stops it when the test ends.
func start(t testing.TB, program string, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed, so this was not tested over it: apt-get install %s", program, program)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := &server{program: program, port: port, args: append([]string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--loglevel", "warning",
	}, args...)}
	s.run(t)
	t.Cleanup(func() { s.stop() })
	return s
}

// script runs a server until its standard input ends, which it does when the test
// stops it and also when the test is killed: nothing is left behind. It prints
// the server's process id.
const script = `"$0" "$@" >&2 & echo $!; read _; kill -9 $!`

// run starts the process and waits until it listens.
func (s *server) run(t testing.TB) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", script, s.program}, s.args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stop = func() {
		_ = stdin.Close()
		_ = cmd.Wait() // It was killed.
	}
	if _, err := fmt.Fscanln(stdout, &s.pid); err != nil {
		s.stop()
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			_ = c.Close()
			return
		}
	}
	s.stop()
	t.Fatalf("%s does not listen on port %s", s.program, s.port)
}

func (s *server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.pid, sig); err != nil {
		t.Fatal(err)
	}
}

func (s *server) url() secret.Text { return secret.New("redis://127.0.0.1:" + s.port + "/0") }

// do sends one command, by a connection of its own.
func (s *server) do(t testing.TB, command string) {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 256)
	if n, err := c.Read(answer); err != nil || answer[0] == '-' {
		t.Fatalf("%s: %q, %v", command, answer[:n], err)
	}
}

// open returns a store over the server.
func open(t testing.TB, cfg redis.Config) *redis.Store {
	t.Helper()
	s, err := redis.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// patient is a store whose calls may take long: for tests that are about other
// things than time, on machines that are busy.
func (s *server) patient(t testing.TB) *redis.Store {
	t.Helper()
	store := open(t, redis.Config{URL: s.url(), Timeout: time.Second})
	if err := store.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store
}
