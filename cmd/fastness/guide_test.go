package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/fastness/fastness/scan/config"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/rules"
)

// blocks returns the pieces of a language in the guide.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/scanner.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	return all
}

// TestGuideToTheScannerRuns runs the commands of the guide, in their order.
func TestGuideToTheScannerRuns(t *testing.T) {
	book := &notebook{}
	server := httptest.NewServer(book)
	defer server.Close()
	guide := []string{}
	for _, block := range commandsOf(t) {
		guide = append(guide, block...)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("openapi.json", []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(guide) < 7 {
		t.Fatalf("the guide has %d commands", len(guide))
	}
	for _, line := range guide {
		args := strings.Fields(strings.ReplaceAll(line, "http://127.0.0.1:8080", server.URL))[1:]
		if strings.Contains(line, "diff old.json") {
			text, err := os.ReadFile("scan.json")
			if err == nil {
				err = os.WriteFile("old.json", text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if args[1] != "plan" && args[1] != "show" && args[1] != "diff" && args[1] != "checks" {
			args = append(args, "--checks", "AZ-01")
		}
		got := command(t, "", args...)
		if strings.Contains(got.errors, "unknown flag") || strings.Contains(got.errors, "unexpected") || strings.Contains(line, "--token") && got.code != 1 ||
			regexp.MustCompile(`scan (plan|show|diff|checks)`).MatchString(line) && got.code != 0 {
			t.Errorf("%s: status %d\n%s%s", line, got.code, got.out, got.errors)
		}
	}
}

// commandsOf returns the lines that begin with fastness, without their comments.
func commandsOf(t *testing.T) (all [][]string) {
	t.Helper()
	for _, block := range blocks(t, "sh") {
		var lines []string
		for line := range strings.Lines(block) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "fastness ") {
				lines = append(lines, line)
			}
		}
		all = append(all, lines)
	}
	return all
}

// TestGuideToTheScannerHasFilesThatAreRead reads each piece of YAML with what it is for.
func TestGuideToTheScannerHasFilesThatAreRead(t *testing.T) {
	count, all := map[string]int{}, blocks(t, "yaml")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("scan.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, block := range all {
		var err error
		switch {
		case strings.HasPrefix(block, "target:"):
			count["config"]++
			_, err = config.Parse([]byte(block), ".", func(string) (string, bool) { return "secret", true })
		case strings.HasPrefix(block, "suppress:"):
			count["baseline"]++
			_, err = report.ReadBaseline(strings.NewReader(block))
		case strings.HasPrefix(block, "rules:"):
			count["rules"]++
			_, err = rules.Parse("guide", []byte(block))
		default:
			count["pipeline"]++
			err = yaml.Unmarshal([]byte(block), new(map[string]any))
			for _, m := range regexp.MustCompile(`cmd/fastness@latest (scan .*)`).FindAllStringSubmatch(block, -1) {
				if got := command(t, "", append(strings.Fields(m[1]), "--help")...); got.code != 0 {
					t.Errorf("%s: %s", m[1], got.errors)
				}
			}
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
	}
	if count["config"] != 1 || count["baseline"] != 1 || count["rules"] != 1 || count["pipeline"] != 2 {
		t.Errorf("the guide has %v", count)
	}
}

// TestGuideToTheScannerHasRulesThatFind runs the rules of the guide.
func TestGuideToTheScannerHasRulesThatFind(t *testing.T) {
	address, document, folder := benchOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/.env":
			_, _ = w.Write([]byte("DB_PASSWORD=x"))
		case r.Method == "GET" && r.URL.Path == "/notes/1", r.Method == "POST" && r.URL.Path == "/notes":
			w.Header().Set("Content-Type", "application/json")
			answer := map[string]any{"id": 1, "text": "hello"}
			if r.Header.Get("X-Debug") != "" {
				answer["sql"] = "SELECT * FROM notes"
			}
			_ = json.NewEncoder(w).Encode(answer)
		default:
			http.NotFound(w, r)
		}
	}))
	for _, block := range blocks(t, "yaml") {
		if strings.HasPrefix(block, "rules:") {
			if err := os.WriteFile(filepath.Join(folder, "own.yaml"), []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := command(t, "", "scan", address, "--spec", document, "--rules", folder, "--checks", "OWN-01,OWN-02", "--token", "alice=a-token-of-alice", "--token", "bob=a-token-of-bob")
	if got.code != 1 || !strings.Contains(got.out, "The debug view is open to everybody") || !strings.Contains(got.out, "Settings can be downloaded") {
		t.Errorf("status %d\n%s%s", got.code, got.out, got.errors)
	}
}
