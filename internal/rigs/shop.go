package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// shop is a running reference application.
type shop struct {
	addr      string // 127.0.0.1:PORT
	port      string
	url       string // https://localhost:PORT
	authority string // file with the certificate of its development authority
	tls       *tls.Config
	cmd       *exec.Cmd
	done      chan struct{}
	memory    chan memory // what it tells of it

	closing sync.Once
	mu      sync.Mutex     // guards following
	errors  []string       // lines of its log
	answers map[string]int // to requests, by path
	largest map[string]int // bytes of a body, by path
	broken  int            // answers of 500 and more
}

// openShop builds the shop and starts it over TLS. The caller closes it.
func (b *bench) openShop(ctx context.Context) (*shop, error) {
	binary, err := b.buildShop(ctx, "")
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp(b.temp, "data-")
	if err != nil {
		return nil, err
	}
	// The limit of a client's requests is not what is measured here.
	return b.startShop(ctx, binary, data, nil, "--grace", "5s", "--rate-limit", "1000000/second")
}

// buildShop builds the shop. If a folder of testdata is named its files are built with
// those of the shop, its main.go in the place of the shop's.
func (b *bench) buildShop(ctx context.Context, with string) (binary string, err error) {
	binary = filepath.Join(b.temp, "shop"+with)
	folder := filepath.Join(b.root, "examples", "shop")
	args := []string{"build", "-o", binary}
	if with != "" {
		overlay, err := b.overlay(folder, with)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	return binary, must(ctx, folder, "go", append(args, ".")...)
}

// overlay writes a file that puts the files of a folder of testdata into another folder
// while it is built.
func (b *bench) overlay(folder, with string) (name string, err error) {
	files, err := filepath.Glob(filepath.Join(b.root, "internal", "rigs", "testdata", with, "*.go"))
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, file := range files {
		replace[filepath.Join(folder, filepath.Base(file))] = file
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name = filepath.Join(b.temp, "overlay-"+with+".json")
	return name, os.WriteFile(name, data, 0o600)
}

// startShop starts a shop over TLS, whose files are in a folder of its own. The caller
// closes it.
func (b *bench) startShop(ctx context.Context, binary, data string, env []string, args ...string) (*shop, error) {
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--log-format", "json"}, args...)
	s := &shop{cmd: command(ctx, binary, args...), done: make(chan struct{}), answers: make(map[string]int), largest: make(map[string]int), memory: make(chan memory, 1)}
	s.cmd.Env = append(os.Environ(), env...)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	serving := make(chan string, 1)
	go s.follow(bufio.NewScanner(log), serving)
	select {
	case s.addr = <-serving:
	case <-s.done:
		return nil, fmt.Errorf("the shop did not start: %q", s.errors)
	case <-time.After(30 * time.Second):
		s.close()
		return nil, errors.New("the shop did not start within 30 seconds")
	}
	_, s.port, _ = net.SplitHostPort(s.addr)
	if slices.Contains(args, "--insecure-plain-http") {
		s.url = "http://localhost:" + s.port
		return s, nil
	}
	s.url = "https://localhost:" + s.port
	s.authority = filepath.Join(data, "dev-ca", "ca.pem")
	if err := s.trust(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// follow reads the log until the shop ends.
func (s *shop) follow(log *bufio.Scanner, serving chan<- string) {
	defer close(s.done)
	for log.Scan() {
		var line struct {
			Level, Msg, Addr, Path string
			Bytes, Status          int
			memory
		}
		isJSON := json.Unmarshal(log.Bytes(), &line) == nil
		switch {
		case isJSON && line.Msg == "serving":
			serving <- line.Addr
		case isJSON && line.Msg == "memory":
			s.memory <- line.memory
		case isJSON && line.Msg == "request":
			s.mu.Lock()
			s.answers[line.Path]++
			if line.Status >= http.StatusInternalServerError {
				s.broken++
			}
			s.largest[line.Path] = max(s.largest[line.Path], line.Bytes)
			s.mu.Unlock()
		case !isJSON || line.Level == "ERROR":
			s.mu.Lock()
			if len(s.errors) < 1000 {
				s.errors = append(s.errors, log.Text())
			}
			s.mu.Unlock()
		}
	}
}

// trust makes the TLS configuration of clients that trust the shop.
func (s *shop) trust() error {
	pem, err := os.ReadFile(s.authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("the shop's authority is no certificate")
	}
	s.tls = &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	return nil
}

// close stops the shop, and kills it if it does not stop. It repeats what the shop
// said was wrong with it.
func (s *shop) close() { s.closing.Do(s.stop) }

func (s *shop) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Cancel()
		<-s.done
	}
	_ = s.cmd.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, line := range s.errors {
		if i == 3 {
			fmt.Printf("note: … and %d more\n", len(s.errors)-i)
			break
		}
		fmt.Printf("note: the shop's log says %.400s\n", line)
	}
}

// answered returns how many requests for a path the log tells of, and how many bytes
// the largest answer had.
func (s *shop) answered(path string) (n, largest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers[path], s.largest[path]
}

// requests returns how many requests the log tells of.
func (s *shop) requests() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, answers := range s.answers {
		n += answers
	}
	return n
}

// failures returns how many requests were answered with 500 or more.
func (s *shop) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}
