package fastness_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// clientFolder installs the npm package of internal/wsclients where it stays, or skips
// the test.
func clientFolder(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s on the PATH; on Debian: apt-get install -y nodejs npm", name)
		}
	}
	folder, err := filepath.Abs(".cache/wsclients")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var lock []byte
	for _, name := range []string{"package.json", ".npmrc", "client.mjs", "package-lock.json"} {
		if lock, err = os.ReadFile(filepath.Join("internal/wsclients", name)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), lock, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	installed := filepath.Join(folder, "installed")
	if data, err := os.ReadFile(installed); err == nil && bytes.Equal(data, lock) {
		return folder
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--loglevel=error")
	install.Dir = folder
	if text, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, text)
	}
	if err := os.WriteFile(installed, lock, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestWebSocketClientsOfOthers has two clients that share no code with the server, nor with each
// other, talk, ping, close, log in and be refused.
func TestWebSocketClientsOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		command func(t *testing.T) []string
	}{
		{"ws of npm", func(t *testing.T) []string { return []string{"node", filepath.Join(clientFolder(t), "client.mjs")} }},
		{"Python's websockets", func(t *testing.T) []string {
			const python = "/usr/bin/python3" // Debian's, which has Debian's packages.
			if err := exec.Command(python, "-c", "import websockets").Run(); err != nil {
				t.Skip("no Python with websockets; on Debian: apt-get install -y python3-websockets")
			}
			return []string{python, "internal/wsclients/client.py"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, addr := chatServer(t, fastness.Config{}, access.Authenticated)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			command := append(tt.command(t), "ws://"+addr+"/ws/lobby")
			client := exec.CommandContext(ctx, command[0], command[1:]...)
			var complaints bytes.Buffer
			client.Stderr = &complaints
			out, err := client.Output()
			if err != nil {
				t.Fatalf("%v after\n%s%s", err, out, &complaints)
			}
			done := strings.Split(strings.TrimSpace(string(out)), "\n")
			for _, want := range []string{
				"log-in by a header", "no compression", "text", "ping", "fragments", "close", "log-in beside a subprotocol", "binary is refused", "nobody", "wrong origin",
			} {
				if !slices.Contains(done, "ok "+want) {
					t.Errorf("the client did not come to %q: %q", want, done)
				}
			}
		})
	}
}
