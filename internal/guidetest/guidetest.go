// Package guidetest holds a guide to the tests that compile and run its code.
package guidetest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Shows wants each line of Go in a guide to be in the files of code, whatever the white
// space, and the guide to have at least so many pieces of it.
func Shows(t testing.TB, guide string, pieces int, code ...string) {
	t.Helper()
	var all string
	for _, name := range code {
		all += read(t, name)
	}
	all = plain(all)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, guide), -1)
	if len(blocks) < pieces {
		t.Errorf("%s has %d pieces of code, want at least %d", guide, len(blocks), pieces)
	}
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if !strings.Contains(all, plain(line)) {
				t.Errorf("this is nowhere in %s: %s", strings.Join(code, " or "), line)
			}
		}
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plain(text string) string { return strings.Join(strings.Fields(text), " ") }
