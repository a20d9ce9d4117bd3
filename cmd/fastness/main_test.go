package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/scan/report"
)

const notes = `{"openapi": "3.1.0", "info": {"title": "Notes", "version": "1"}, "servers": [{"url": "https://api.example.com"}],
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}}},
"security": [{"key": []}], "paths": {
"/notes": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object",
	"required": ["text"], "properties": {"text": {"type": "string"}}}}}}, "responses": {"201": {"description": "made"}}}},
"/notes/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
	"responses": {"200": {"description": "it"}}}}}}`

// notebook keeps notes, and shows each to everybody who is logged in, unless it is strict.
type notebook struct {
	strict bool

	mu    sync.Mutex
	notes [][2]string // owner, text
}

func (n *notebook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := r.Header.Get("X-User")
	if key != "alices-secret-key" && key != "bobs-secret-key" {
		http.Error(w, `{"error": "who are you?"}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	var id int
	switch _, err := fmt.Sscanf(r.URL.Path, "/notes/%d", &id); {
	case r.Method == "POST" && r.URL.Path == "/notes":
		var in struct{ Text string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Text == "" {
			http.Error(w, `{"error": "text is required"}`, http.StatusBadRequest)
			return
		}
		n.notes = append(n.notes, [2]string{key, in.Text})
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id": %d}`, len(n.notes))
	case r.Method == "GET" && err == nil && id > 0 && id <= len(n.notes) && (!n.strict || n.notes[id-1][0] == key):
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "text": n.notes[id-1][1]})
	default:
		http.Error(w, `{"error": "not here"}`, http.StatusNotFound)
	}
}

// ran is what came of a command.
type ran struct {
	code        int
	out, errors string
}

func command(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	return commandIn(t.Context(), &program{stdin: bufio.NewReader(strings.NewReader(stdin))}, args...)
}

func commandIn(ctx context.Context, p *program, args ...string) ran {
	var out, errors bytes.Buffer
	p.stdout, p.stderr = &out, &errors
	p.env = func(name string) (string, bool) {
		v, ok := map[string]string{"ALICE": "alices-secret-key", "BOB": "bobs-secret-key", "ALICE_PASSWORD": "a", "BOB_PASSWORD": "b"}[name]
		return v, ok
	}
	code := p.run(ctx, args)
	return ran{code, out.String(), errors.String()}
}

// bench starts a notebook and writes its document.
func bench(t *testing.T, strict bool) (address, document, folder string) {
	t.Helper()
	return benchOf(t, &notebook{strict: strict})
}

func benchOf(t *testing.T, handler http.Handler) (address, document, folder string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	folder = t.TempDir()
	document = filepath.Join(folder, "openapi.json")
	if err := os.WriteFile(document, []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, document, folder
}

func users(args ...string) []string {
	return append(args, "--token", "alice=env:ALICE", "--token", "bob=env:BOB", "--checks", "AZ-01")
}

func TestScanFindsAndWritesEveryReport(t *testing.T) {
	address, document, folder := bench(t, false)
	at := func(name string) string { return filepath.Join(folder, name) }
	got := command(t, "", users("scan", address, "--spec", document,
		"--report", at("r.json"), "--report", "sarif="+at("r.sarif"), "--report", at("r.html"), "--report", "junit="+at("r.xml"), "--write-baseline", at("base.yaml"))...)
	if got.code != 1 || !strings.Contains(got.out, "GET /notes/{id} (path id)") || !strings.Contains(got.errors, "requests (") {
		t.Fatalf("status %d\n%s%s", got.code, got.out, got.errors)
	}
	for _, name := range []string{"r.json", "r.sarif", "r.html", "r.xml"} {
		text, err := os.ReadFile(at(name))
		if err != nil || !strings.Contains(string(text), "AZ-01") || strings.Contains(string(text), "secret-key") {
			t.Errorf("%s: %v, %.300s", name, err, text)
		}
		if info, err := os.Stat(at(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others", name)
		}
	}
	again := command(t, "", users("scan", address, "--spec", document, "--baseline", at("base.yaml"), "--report", at("s.json"))...)
	if again.code != 0 || !strings.Contains(again.out, "Suppressed (1)") {
		t.Errorf("with the baseline: status %d\n%s%s", again.code, again.out, again.errors)
	}
	diff := command(t, "", "scan", "diff", at("s.json"), at("r.json"), "--fail")
	if diff.code != 1 || !strings.Contains(diff.out, "1 new, 0 gone, 0 unsure, 0 the same") {
		t.Errorf("diff: %+v", diff)
	}
	show := command(t, "", "scan", "show", at("r.json"))
	if show.code != 0 || show.out != got.out {
		t.Errorf("show: %+v", show)
	}
}

func TestScanOfASafeTargetExitsWithZero(t *testing.T) {
	address, document, _ := bench(t, true)
	if got := command(t, "", users("scan", address, "--spec", document)...); got.code != 0 || !strings.Contains(got.out, "Nothing was found that counts") {
		t.Errorf("status %d\n%s%s", got.code, got.out, got.errors)
	}
}

func TestScanThatReachesNothingDoesNotExitWithZero(t *testing.T) {
	address, document, _ := bench(t, false)
	got := command(t, "", "scan", address, "--spec", document, "--token", "alice=wrong", "--no-register", "--checks", "AZ-01")
	if got.code == 0 || got.code == 1 {
		t.Errorf("status %d\n%s%s", got.code, got.out, got.errors)
	}
}

func TestForeignHostNeedsAConfirmation(t *testing.T) {
	_, document, _ := bench(t, false)
	for _, args := range [][]string{
		{"scan", "https://api.example.com", "--spec", document},
		{"scan", document}, // The document names api.example.com.
		{"scan", "https://api.example.com", "--spec", document, "--i-may-scan", "example.com"},
		{"scan", "https://localhost.example.com", "--spec", document},
		{"scan", "http://127.0.0.1.example.com", "--spec", document},
	} {
		if got := command(t, "y\n", args...); got.code != 2 || !strings.Contains(got.errors, "--i-may-scan") {
			t.Errorf("%v: status %d %s", args, got.code, got.errors)
		}
	}
	p := &program{stdin: bufio.NewReader(strings.NewReader("yes\n")), terminal: [3]bool{true, true, true}}
	if got := commandIn(t.Context(), p, "scan", "https://api.example.com", "--spec", document); got.code != 2 || !strings.Contains(got.errors, "Type the name of the host") || !strings.Contains(got.errors, "nobody confirmed") {
		t.Errorf("a yes is enough: %+v", got)
	}
	for address, want := range map[string]bool{
		"http://localhost:1": true, "http://127.3.2.1": true, "http://[::1]:80": true, "http://a.localhost": true, "http://[::ffff:127.0.0.1]": true,
		"http://192.168.0.1": false, "http://localhost@example.com": false, "http://2130706433": false,
	} {
		if _, local := loopback(address); local != want {
			t.Errorf("%s is local: %v", address, local)
		}
	}
}

func TestInterruptedScanStillWritesItsReport(t *testing.T) {
	address, document, folder := bench(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			cancel() // As Ctrl-C does.
		}
		http.Redirect(w, r, address, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	file := filepath.Join(folder, "r.json")
	got := commandIn(ctx, &program{}, users("scan", server.URL, "--spec", document, "--report", file)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v, status %d %s", err, got.code, got.errors)
	}
	defer f.Close()
	if d, err := report.Read(f); err != nil || d.Stopped == "" || got.code != 3 {
		t.Errorf("%v, status %d, stopped %q", err, got.code, d.Stopped)
	}
}

func TestPlanSendsNothing(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	_, document, _ := bench(t, false)
	got := command(t, "", "scan", "plan", server.URL, "--spec", document, "--read-only", "--exclude", "GET /notes/*")
	if got.code != 0 || asked > 0 || !strings.Contains(got.out, "POST    /notes  [log-in]  body application/json  HELD BACK: POST may change something") || !strings.Contains(got.out, "2 operations, 2 of them held back") {
		t.Errorf("%d requests, %+v", asked, got)
	}
}

func TestFlagsComeBeforeTheConfiguration(t *testing.T) {
	address, document, folder := bench(t, false)
	file := filepath.Join(folder, "scan.yaml")
	text := "target: http://127.0.0.1:1\ndocument: " + filepath.Base(document) + "\nprofile: quick\nchecks: [AZ-01]\nfail_on: critical\nusers:\n  - {name: alice, token: 'alices-secret-key'}\n  - {name: bob, token: 'bobs-secret-key'}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := command(t, "", "scan", address, "--config", file); got.code != 0 || !strings.Contains(got.out, "1 high") || !strings.Contains(got.out, "profile quick") {
		t.Errorf("status %d\n%s%s", got.code, got.out, got.errors)
	}
	if got := command(t, "", "scan", address, "--config", file, "--fail-on", "high"); got.code != 1 {
		t.Errorf("status %d\n%s%s", got.code, got.out, got.errors)
	}
}

func TestWrongCommandLinesAreRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"say what to scan":      {"scan"},
		"want as NAME:PASSWORD": {"scan", "http://127.0.0.1:1", "--user", "alice"},
		"is no format":          {"scan", "http://127.0.0.1:1", "--report", "x.pdf"},
		"unknown flag":          {"scan", "--fast"},
		"is not set":            {"scan", "http://127.0.0.1:1", "--token", "a=env:NONE"},
		"does not answer":       {"scan", "http://127.0.0.1:1", "--quiet"},
	} {
		if got := command(t, "", args...); got.code != 2 || !strings.Contains(got.errors, want) {
			t.Errorf("%v: status %d, %s; want %q", args, got.code, got.errors, want)
		}
	}
	if got := command(t, "", "scan", "checks"); got.code != 0 || !strings.Contains(got.out, "AZ-01     high     API1:2023") {
		t.Errorf("checks: %+v", got)
	}
	if got := command(t, "", "version"); got.code != 0 || !strings.HasPrefix(got.out, "fastness ") {
		t.Errorf("version: %+v", got)
	}
	if got := command(t, "", "scan", "--help"); got.code != 0 || !strings.Contains(got.out, "--i-may-scan") {
		t.Errorf("help: %+v", got)
	}
}
