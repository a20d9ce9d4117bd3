package clienttest_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodeFolder installs the packages of node/ where they stay, or skips the test.
func nodeFolder(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s on the PATH; on Debian: apt-get install -y nodejs npm", name)
		}
	}
	folder, err := filepath.Abs("../../.cache/oidcclienttest")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	lock := readAll(t, "node/package-lock.json")
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "client.mjs"} {
		writeFile(t, filepath.Join(folder, name), []byte(readAll(t, "node/"+name)))
	}
	installed := filepath.Join(folder, "installed")
	if data, err := os.ReadFile(installed); err == nil && string(data) == lock {
		return folder
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--loglevel=error")
	install.Dir = folder
	if text, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, text)
	}
	writeFile(t, installed, []byte(lock))
	return folder
}

// TestClientsOfAnotherLanguageLogIn has oauth4webapi and jose go through every
// grant. They check what they get, as a client should.
func TestClientsOfAnotherLanguageLogIn(t *testing.T) {
	folder := nodeFolder(t)
	w := newWorld(t, nil)
	client := exec.CommandContext(t.Context(), "node", "client.mjs")
	client.Dir = folder
	client.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+w.caFile, "ISSUER="+w.issuer, "CALLBACK="+webCallback,
		"STATS_CALLBACK="+statsCallback, "STATS_SECRET="+statsSecret, "NAME=ada", "PASSWORD="+goodPassword, "USER="+w.users["ada"])
	var complaints bytes.Buffer
	client.Stderr = &complaints
	stdin, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	b := w.newBrowser(t)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		address, visit := strings.CutPrefix(lines.Text(), "VISIT ")
		done = lines.Text() == "DONE"
		if !visit {
			continue
		}
		page := b.get(t, address)
		if page.at.Path == "/login" {
			page = b.logIn(t, page, "ada")
		}
		if page.at.Path == "/oauth/consent" {
			page = b.submit(t, page, "/oauth/consent", "decision", "allow")
		}
		if _, err := io.WriteString(stdin, page.header.Get("Location")+"\n"); err != nil {
			t.Error(err)
		}
	}
	if err := client.Wait(); err != nil || !done {
		t.Errorf("the client ended with %v, done: %v\n%s", err, done, &complaints)
	}
}
