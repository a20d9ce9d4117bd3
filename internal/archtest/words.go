package archtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// word is what no file of the repository may say.
type word struct {
	// hints are texts without which the pattern cannot match. Looking for them
	// first spares the expression most lines.
	hints   []string
	pattern *regexp.Regexp
	why     string
	// allowed reports whether this line of this file may. Nil is never.
	allowed func(path, line string) bool
}

// words are about the place where the code was written, not about the code. They
// mean nothing to who reads it elsewhere.
func words() []word {
	return []word{
		{
			hints:   []string{"/work/", "/root/", "/tmp/brief"},
			pattern: regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])/(work|root|tmp/brief)/\w`),
			why:     "a path of one machine",
		},
		{
			hints:   []string{"../shared", `"shared"`},
			pattern: regexp.MustCompile(`\.\./shared|"shared"`),
			why:     "a folder beside the repository",
			allowed: func(path, line string) bool {
				return strings.Contains(line, "vectors") && (strings.HasSuffix(path, "_test.go") || path == "CONTRIBUTING.md")
			},
		},
		{
			hints:   []string{"golang.org", "goproxy", "npmjs", "pypi", "debian.org"},
			pattern: regexp.MustCompile(`(proxy|sum)\.golang\.org|goproxy\.|registry\.npmjs|pypi\.org|deb\.debian\.org`),
			why:     "the host of a registry",
		},
		{
			hints:   []string{"ssue"},
			pattern: regexp.MustCompile(`(?i)\bissue\s+#?\d`),
			why:     "the number of an issue",
		},
	}
}

func (w *word) mayBeIn(text string) bool {
	return slices.ContainsFunc(w.hints, func(hint string) bool { return strings.Contains(text, hint) })
}

// in returns the numbers of the lines of text that say the word.
func (w *word) in(path, text string) (numbers []int) {
	if !w.mayBeIn(text) {
		return nil
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if w.mayBeIn(line) && w.pattern.MatchString(line) && (w.allowed == nil || !w.allowed(path, line)) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// noForbiddenWords reads every text.
func noForbiddenWords(t *tree) (complaints []string) {
	all := words()
	for _, name := range t.texts {
		text, err := readText(t, name)
		if err != nil {
			complaints = append(complaints, err.Error())
		}
		if strings.HasPrefix(name, "internal/archtest/") { // It has to say what it looks for.
			continue
		}
		for _, w := range all {
			for _, number := range w.in(name, text) {
				complaints = append(complaints, fmt.Sprintf("%s:%d: %s", name, number, w.why))
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
