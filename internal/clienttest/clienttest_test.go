// Package clienttest_test drives the shop through a client that somebody else's
// generator made of its document. What the document promises and the shop does
// not keep, or the other way round, fails here.
package clienttest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastness/fastness/internal/clienttest/shop"
)

//go:generate go test . -run TestTheClientIsUpToDate -update

const (
	config    = "oapi-codegen.yaml"
	generated = "shop/shop.gen.go"
)

var update = flag.Bool("update", false, "write the client")

// program is the shop, built once.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (exit int) {
	folder, err := os.MkdirTemp("", "clienttest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	program = filepath.Join(folder, "shop")
	build := exec.Command("go", "build", "-C", "../../examples/shop", "-o", program, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "the shop cannot be built:", err)
		return 1
	}
	return m.Run()
}

func TestTheClientIsUpToDate(t *testing.T) {
	folder := t.TempDir()
	document, client := filepath.Join(folder, "shop.json"), filepath.Join(folder, "shop.gen.go")
	output(t, program, "openapi", "-o", document)
	output(t, "go", "tool", "oapi-codegen", "-config", config, "-o", client, document)
	got := read(t, client)
	if *update {
		if err := os.WriteFile(generated, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, read(t, generated)) {
		t.Errorf("%s is not what the shop's document makes it: run go generate", generated)
	}
}

func output(t *testing.T, name string, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, text)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// running is a shop that runs until the test ends.
type running struct{ address, authority string }

const password = "correct horse battery staple"

// open makes the users, whose names are those of their roles, and starts the shop
// with a development certificate. The shop must stop without complaint.
func open(t *testing.T, users ...string) running {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	for _, name := range users {
		add := exec.CommandContext(t.Context(), program, "users", "add", name, "--role", name, "--tenant", "castle", "--password-stdin", "--data", data)
		add.Stdin = strings.NewReader(password + "\n")
		if text, err := add.CombinedOutput(); err != nil {
			t.Fatalf("user %s: %v\n%s", name, err, text)
		}
	}
	// The process outlives t.Context, which ends before the cleanup.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	server := exec.CommandContext(ctx, program,
		"--addr", "127.0.0.1:0", "--data", data, "--log-format", "json")
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(log, &lines))
	address, authority := serving(reader)
	drained := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, reader) // It ends with the process.
		close(drained)
	}()
	t.Cleanup(func() {
		defer cancel()
		_ = server.Process.Signal(syscall.SIGTERM) // Wait tells if it is gone already.
		<-drained
		if err := server.Wait(); err != nil {
			t.Errorf("the shop stopped with %v\n%s", err, &lines)
		}
	})
	if address == "" {
		t.Fatal("the shop did not say where it is")
	}
	return running{address, authority}
}

// serving reads the log until it says where the shop is, or ends.
func serving(log *bufio.Reader) (address, authority string) {
	for {
		line, err := log.ReadBytes('\n')
		if err != nil {
			return "", ""
		}
		var record struct {
			Message   string `json:"msg"`
			URL       string `json:"url"`
			Authority string `json:"development_authority"`
		}
		if json.Unmarshal(line, &record) == nil && record.Message == "serving" {
			return record.URL, record.Authority
		}
	}
}

// client returns a client that trusts the shop's authority and no other, and does
// not say who it is.
func (r running) client(t *testing.T, options ...shop.ClientOption) *shop.ClientWithResponses {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(t, r.authority)) {
		t.Fatalf("%s holds no certificate", r.authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	options = append(options, shop.WithHTTPClient(&http.Client{Transport: transport, Timeout: 30 * time.Second}))
	client, err := shop.NewClientWithResponses(r.address, options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// as returns a client of a user who has logged in, for the scopes or for all.
func (r running) as(t *testing.T, name, scopes string) *shop.ClientWithResponses {
	t.Helper()
	return r.client(t, bearing(logIn(t, r.client(t), name, scopes).AccessToken))
}

func logIn(t *testing.T, client *shop.ClientWithResponses, name, scopes string) *shop.TokenAnswer {
	t.Helper()
	answer, err := client.LogInWithFormdataBodyWithResponse(t.Context(), shop.LogInFormdataRequestBody{
		GrantType: new("password"), Username: &name, Password: new(password), Scope: &scopes,
	})
	if err != nil || answer.JSON200 == nil {
		t.Fatalf("the log-in of %s: %v %v, want 200", name, answer, err)
	}
	return answer.JSON200
}

// bearing sends an access token with every request.
func bearing(token string) shop.ClientOption {
	return shop.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	})
}
