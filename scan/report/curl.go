package report

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/fastness/fastness/scan/wire"
)

// maxCurlBody is the longest body that a command holds.
const maxCurlBody = 8 << 10

// curl returns a command that sends the request. Texts of the target stand in it: they are
// quoted, so that the shell sees nothing but texts.
func (r *redactor) curl(target string, q wire.Request) string {
	words := []string{"curl", "-isg", "--path-as-is"}
	if q.Method == "HEAD" {
		words = append(words, "-I")
	} else if q.Method != "GET" || len(q.Body) > 0 {
		words = append(words, "-X", r.quote(q.Method))
	}
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		for _, v := range q.Header[name] {
			if strings.EqualFold(name, "Content-Length") {
				continue
			}
			line := name + ": " + r.header(name, v)
			if v == "" {
				line = name + ";" // How curl sends a field without a value.
			}
			words = append(words, "-H", r.quote(line))
		}
	}
	switch {
	case len(q.Body) == 0:
	case len(q.Body) > maxCurlBody || strings.IndexByte(string(q.Body), 0) >= 0:
		words = append(words, "--data-binary", fmt.Sprintf("@body-of-%d-bytes", len(q.Body)))
	default:
		words = append(words, "--data-binary", r.quote(r.bytes(string(q.Body))))
	}
	return strings.Join(append(words, r.quote(origin(target)+r.bytes(q.Target()))), " ")
}

// bytes is text for what need not be UTF-8: a command can have any byte.
func (r *redactor) bytes(s string) string {
	return token.ReplaceAllString(r.replacer.Replace(s), "$1.…")
}

// origin returns scheme, host and port of an address.
func origin(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return strings.TrimRight(target, "/")
	}
	return u.Scheme + "://" + u.Host
}

// quote returns s as a word of a shell, in which only the names of secrets are variables.
func (r *redactor) quote(s string) string {
	var out strings.Builder
	for s != "" {
		at, name := len(s), ""
		for _, n := range r.names {
			// The longer name comes first of those at one place: $TOKEN_BOBBY is not $TOKEN_BOB.
			if i := strings.Index(s, n); i >= 0 && (i < at || i == at && len(n) > len(name)) {
				at, name = i, n
			}
		}
		if at > 0 {
			out.WriteString(quoted(s[:at]))
		}
		if name != "" {
			out.WriteString(`"` + name + `"`)
		}
		s = s[at+len(name):]
	}
	if out.Len() == 0 {
		return "''"
	}
	return out.String()
}

// quoted returns s in single quotes; with escapes, if a terminal could be fooled by it.
func quoted(s string) string {
	odd := func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }
	if strings.IndexFunc(s, odd) < 0 {
		if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@%+") == "" {
			return s
		}
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var out strings.Builder
	out.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String() + "'"
}
