package serve_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/serve"
)

func TestAGracefulStopLosesNoRequest(t *testing.T) {
	const requests = 40
	var under sync.WaitGroup
	under.Add(requests)
	release := make(chan struct{})
	drained := make(chan struct{})
	var server *running
	server = run(t, serve.Config{OnDrain: func() { close(drained) }}, func(w http.ResponseWriter, r *http.Request) {
		under.Done()
		<-release
		_, _ = fmt.Fprintf(w, "%s draining: %t", r.Proto, server.Draining())
	}, time.Now)
	answers := make(chan string, requests)
	for i := range requests {
		h2 := i%2 == 0
		client := server.client(t, h2)
		go func() {
			response, err := client.Get("https://" + server.addr + "/")
			if err != nil {
				answers <- err.Error()
				return
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			answers <- fmt.Sprintf("%s close: %t %v", body, response.Close, err)
		}()
	}
	under.Wait()
	if server.Draining() {
		t.Error("Draining() before the stop")
	}
	server.stop()
	<-drained
	if !server.Draining() {
		t.Error("OnDrain was called before Draining() turned true")
	}
	close(release)
	for range requests {
		switch got := <-answers; got {
		case "HTTP/1.1 draining: true close: true <nil>", "HTTP/2.0 draining: true close: false <nil>":
		default:
			t.Errorf("answer %q", got)
		}
	}
	if err := <-server.result; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	if c, err := net.Dial("tcp", server.addr); err == nil {
		_ = c.Close()
		t.Error("the server still listens")
	}
}

func TestDuringTheDrainDelayNewConnectionsAreServed(t *testing.T) {
	drained := make(chan struct{})
	server := run(t, serve.Config{DrainDelay: 300 * time.Millisecond, OnDrain: func() { close(drained) }}, ok, time.Now)
	server.stop()
	<-drained
	response, body := get(t, server.client(t, false), "https://"+server.addr+"/")
	if body != "ok HTTP/1.1" || !response.Close {
		t.Errorf("%q close: %t, want an answer that closes", body, response.Close)
	}
	if err := <-server.result; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
}

func TestTheGracePeriodEndsWhatDoesNot(t *testing.T) {
	for _, tt := range []struct {
		name string
		hang func(w http.ResponseWriter, r *http.Request)
	}{
		{"a handler that waits for ever", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"a connection that was hijacked", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.Copy(io.Discard, c)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began, ended := make(chan struct{}), make(chan struct{})
			server := run(t, serve.Config{PlainHTTP: true, GracePeriod: 100 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
				close(began)
				tt.hang(w, r)
				close(ended)
			}, time.Now)
			c, err := net.Dial("tcp", server.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			<-began
			server.stop()
			if err := <-server.result; err == nil || !strings.Contains(err.Error(), "1 connections had to be cut") {
				t.Errorf("Run() = %v, want it to say that a connection was cut", err)
			}
			<-ended
		})
	}
}

// A connection that was accepted before the stop is served although its request, or
// even its handshake, comes later.
func TestAConnectionAcceptedBeforeTheStopIsServed(t *testing.T) {
	for _, tt := range []struct {
		name         string
		handshaken   bool
		beforeDrain  func(*tls.Conn) error
		requestAfter string
	}{
		{"its handshake comes later", false, func(*tls.Conn) error { return nil }, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"its request comes later", true, (*tls.Conn).Handshake, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"half of its request comes later", true, func(c *tls.Conn) error {
			_, err := io.WriteString(c, "GET / HTTP/1.1\r\n")
			return err
		}, "Host: a\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			drained := make(chan struct{})
			server := run(t, serve.Config{OnDrain: func() { close(drained) }}, ok, time.Now)
			raw, err := net.Dial("tcp", server.addr)
			if err != nil {
				t.Fatal(err)
			}
			c := tls.Client(raw, &tls.Config{RootCAs: server.roots(t), ServerName: "localhost"})
			defer func() { _ = c.Close() }()
			if err := tt.beforeDrain(c); err != nil {
				t.Fatal(err)
			}
			// Connections are accepted in order: when a later one is served, ours
			// has been accepted.
			_, _ = get(t, server.client(t, false), "https://"+server.addr+"/")
			server.stop()
			<-drained
			if tt.handshaken {
				wantOpen(t, c)
			} else {
				wantOpen(t, raw) // Reading from c would begin the handshake.
			}
			if _, err := io.WriteString(c, tt.requestAfter); err != nil {
				t.Fatal(err)
			}
			if all, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200 ") {
				t.Errorf("answer %q, %v, want 200", all, err)
			}
			if err := <-server.result; err != nil {
				t.Errorf("Run() = %v, want nil", err)
			}
		})
	}
}

// wantOpen fails if the other side of c ends it within the time that a server without
// anything to wait for takes to stop.
func wantOpen(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(60 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading from a connection that waits: %v, want a timeout", err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func TestAHijackedConnectionMaySayGoodbye(t *testing.T) {
	began, drained := make(chan struct{}), make(chan struct{})
	server := run(t, serve.Config{PlainHTTP: true, OnDrain: func() { close(drained) }}, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		close(began)
		<-drained
		_, _ = io.WriteString(c, switching+"goodbye")
		_, _ = io.Copy(io.Discard, c)
	}, time.Now)
	c, err := net.Dial("tcp", server.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n")
	<-began
	server.stop()
	want := switching + "goodbye"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	wantOpen(t, c)
	_ = c.Close()
	if err := <-server.result; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n"

// TestMain runs as a server of its own for the tests with signals.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SERVE_TEST_DIR"); dir != "" {
		os.Exit(serveUntilSignal(dir))
	}
	os.Exit(m.Run())
}

func serveUntilSignal(dir string) int {
	ctx, stop := serve.Signals(context.Background())
	defer stop()
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			return
		}
		fmt.Println("began")
		<-r.Context().Done()
	})
	server, err := serve.New(serve.Config{
		Addr: "127.0.0.1:0", PlainHTTP: true, DataDir: dir, GracePeriod: 20 * time.Second,
		Ready:   func(addr net.Addr) { fmt.Println(addr) },
		OnDrain: func() { fmt.Println("draining") },
	}, handler)
	if err == nil {
		err = server.Run(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func TestTheFirstSignalStopsGracefullyAndTheSecondAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	for _, tt := range []struct {
		name    string
		request bool
		want    string
	}{
		{"without requests one signal is enough", false, "exit status 0"},
		{"a request under way holds until the second signal", true, "signal: terminated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), "SERVE_TEST_DIR="+t.TempDir())
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = command.Process.Kill() }()
			lines := bufio.NewScanner(out)
			next := func() string {
				lines.Scan()
				return lines.Text()
			}
			addr := next()
			if tt.request {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				if got := next(); got != "began" {
					t.Fatalf("output %q, want began", got)
				}
			}
			_ = command.Process.Signal(syscall.SIGTERM)
			if got := next(); got != "draining" {
				t.Fatalf("output %q, want draining", got)
			}
			if tt.request {
				_ = command.Process.Signal(syscall.SIGTERM)
			}
			for lines.Scan() {
			}
			_ = command.Wait()
			if got := command.ProcessState.String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
