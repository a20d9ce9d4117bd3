package archtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// word is what no file of the repository may say.
type word struct {
	pattern *regexp.Regexp
	why     string
	// allowed reports whether this line of this file may.
	allowed func(path, line string) bool
}

// words are about the place where the code was written, not about the code. They
// mean nothing to who reads it elsewhere.
func words() []word {
	never := func(string, string) bool { return false }
	return []word{
		{regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])/(work|home|root|tmp/b[a-z]+)/`), "a path of one machine", never},
		{regexp.MustCompile(`\.\./shared|"shared"`), "a folder beside the repository", func(path, line string) bool {
			return strings.Contains(line, "vectors") && (strings.HasSuffix(path, "_test.go") || path == "CONTRIBUTING.md")
		}},
		{regexp.MustCompile(`proxy\.golang\.org|sum\.golang\.org|goproxy\.|registry\.npmjs|pypi\.org|deb\.debian\.org`), "the host of a registry",
			func(path, _ string) bool { return strings.HasSuffix(path, "go.sum") }},
		{regexp.MustCompile(`(?i)\bissue\s+#?\d`), "the number of an issue", never},
	}
}

// noForbiddenWords reads every text.
func noForbiddenWords(t *tree) (complaints []string) {
	for _, name := range t.texts {
		text, err := readText(t, name)
		if err != nil {
			complaints = append(complaints, err.Error())
			continue
		}
		if strings.HasPrefix(name, "internal/archtest/") { // It has to say what it looks for.
			continue
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			for _, w := range words() {
				if w.pattern.MatchString(line) && !w.allowed(name, line) {
					complaints = append(complaints, fmt.Sprintf("%s:%d: %s", name, number, w.why))
				}
			}
		}
	}
	return complaints
}

// readText returns the text of a file, and "" for what is no text.
func readText(t *tree, name string) (string, error) {
	data, err := fs.ReadFile(t.files, name)
	if err != nil || bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
		return "", err
	}
	return string(data), nil
}
