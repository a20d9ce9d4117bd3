package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns a text of the target as it may be shown on a terminal or in a report:
// control characters, escape sequences, characters that turn the direction of a line or
// cannot be seen, and bytes that are no UTF-8 are written as \x1b or \u202e. Line feeds and
// tabs stay.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !printable(r) }) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\r':
			b.WriteString(`\r`)
		case printable(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func printable(r rune) bool {
	return r == '\n' || r == '\t' || r != utf8.RuneError && unicode.IsPrint(r) && r != '\u2800' && r != '\u3164' && r != '\u115f'
}

// placeholder is what a redactor puts for a secret.
var placeholder = regexp.MustCompile(`\$[A-Z][A-Z0-9_]*`)

// Curl returns a command for the POSIX shell that sends the request of the exchange again.
// Redact replaces secrets by names of shell variables, as [Redactor.Text] does; nil
// replaces nothing. Bytes that no command line can hold are piped in.
func (e *Exchange) Curl(redact func(string) string) string {
	if redact == nil {
		redact = func(s string) string { return s }
	}
	quote := func(s string) string { return quoteShell(s, redact(s)) }
	r := &e.Request
	args := []string{"curl", "-sS", "-i"}
	switch {
	case r.Method == "HEAD":
		args = append(args, "--head")
	case r.Method != "GET" || len(r.Body) > 0:
		args = append(args, "-X", quote(r.Method))
	}
	if needsPathAsIs(r.Path) {
		args = append(args, "--path-as-is")
	}
	if strings.ContainsAny(r.Target(), "[]{}") {
		args = append(args, "--globoff")
	}
	args = append(args, quote(e.Origin+r.Target()))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			field := name + ": " + value
			if value == "" {
				field = name + ";"
			}
			args = append(args, "-H", quote(field))
		}
	}
	if len(r.Body) == 0 {
		return strings.Join(args, " ")
	}
	if r.Header.Get("Content-Type") == "" {
		args = append(args, "-H", "'Content-Type:'") // Not that which curl would add.
	}
	body := string(r.Body)
	if Printable(body) == body {
		return strings.Join(append(args, "--data-raw", quote(body)), " ")
	}
	pipe := "printf '%s' " + quoteShell(octal(body), octal(redact(body)))
	return strings.Replace(pipe, "%s", "%b", 1) + " | " + strings.Join(append(args, "--data-binary", "@-"), " ")
}

func needsPathAsIs(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool {
		part = strings.ReplaceAll(strings.ToLower(part), "%2e", ".")
		return part == "." || part == ".."
	})
}

// octal writes bytes as printf takes them.
func octal(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '\\' {
			fmt.Fprintf(&b, `\0%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// quoteShell returns the redacted text as one word of a shell. Names that the redactor put
// in are left for the shell to fill in; all else is in single quotes.
func quoteShell(plain, redacted string) string {
	single := func(s string) string {
		if s == "" {
			return ""
		}
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	at := 0
	for _, found := range placeholder.FindAllStringIndex(redacted, -1) {
		name := redacted[found[0]:found[1]]
		if strings.Contains(plain, name) {
			continue
		}
		b.WriteString(single(redacted[at:found[0]]))
		b.WriteString(`"` + name + `"`)
		at = found[1]
	}
	b.WriteString(single(redacted[at:]))
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// base64Run is what may be base64, of either alphabet.
var base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}={0,2}`)

// unbase64 decodes either alphabet, padded or not.
func unbase64(s string) (string, bool) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	plain, err := base64.RawStdEncoding.DecodeString(s)
	return string(plain), err == nil
}
