package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
)

// Redactor replaces the secrets of a scan in texts: as they are, percent-encoded, in
// base64, in hexadecimal, and escaped as JSON and HTML do it. The signature of a JSON Web
// Token goes even if the token is not known, so that what is shown of it cannot be used.
// The zero value knows no secret. It is safe for concurrent use.
//
//	var redactor wire.Redactor
//	redactor.Add(token, "TOKEN_ALICE")
//	fmt.Println(ex.Curl(redactor.Text)) // … -H 'Authorization: Bearer '"$TOKEN_ALICE" …
type Redactor struct {
	mu      sync.RWMutex
	secrets []secret // the longest first
}

type secret struct {
	value, name string
	forms       []string // the longest first
}

// wholeWords is the length below which a secret is replaced only where it is a word of its
// own: the password "test" must not make a report unreadable.
const wholeWords = 8

// Add has a value replaced by $NAME. Values of less than three bytes, and words like
// "password", are no secrets. Names consist of capital letters, digits and underscores;
// others are made so.
func (r *Redactor) Add(value, name string) {
	if len(value) < 3 || isWord(value) {
		return
	}
	name = strings.Map(func(c rune) rune {
		c = unicode.ToUpper(c)
		if 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, name)
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		name = "SECRET_" + name
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.secrets, func(s secret) bool { return s.value == value }) {
		return
	}
	r.secrets = append(r.secrets, secret{value: value, name: "$" + name, forms: forms(value)})
	slices.SortStableFunc(r.secrets, func(a, b secret) int { return len(b.value) - len(a.value) })
}

// isWord reports whether a value is a word that reports consist of: whoever has it for a
// password has no secret, and without it nobody could read them.
func isWord(value string) bool {
	switch strings.ToLower(value) {
	case "password", "passwords", "username":
		return true
	}
	return false
}

// forms are the ways to write a value.
func forms(value string) []string {
	quoted, _ := json.Marshal(value) // A string can be marshalled.
	var all strings.Builder
	for i := range len(value) {
		all.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{value[i]})))
	}
	inJSON := string(quoted[1 : len(quoted)-1])
	loose := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inJSON)
	out := []string{
		value, url.QueryEscape(value), url.PathEscape(value), strings.ReplaceAll(url.QueryEscape(value), "+", "%20"),
		strings.ToLower(url.QueryEscape(value)), all.String(), strings.ToLower(all.String()),
		inJSON, loose, strings.ReplaceAll(loose, "/", `\/`), ascii(loose), html.EscapeString(value),
		hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	slices.Sort(out)
	out = slices.Compact(out)
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// webToken is a JSON Web Token with a signature.
var webToken = regexp.MustCompile(`(eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.)[A-Za-z0-9_-]{16,}`)

// Text returns s without the secrets.
func (r *Redactor) Text(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s = r.plain(s)
	if len(r.secrets) > 0 {
		s = base64Run.ReplaceAllStringFunc(s, r.inBase64)
	}
	return webToken.ReplaceAllString(s, "$1"+"$$SIGNATURE")
}

func (r *Redactor) plain(s string) string {
	for _, secret := range r.secrets {
		for _, form := range secret.forms {
			s = replace(s, form, secret.name)
		}
	}
	return s
}

// inBase64 looks into what may be base64, as the credentials of Basic.
func (r *Redactor) inBase64(run string) string {
	plain, ok := unbase64(run)
	if !ok {
		return run
	}
	for _, secret := range r.secrets {
		if found := replace(plain, secret.value, secret.name); found != plain {
			return secret.name + "_BASE64"
		}
	}
	return run
}

// ascii writes a string of JSON as many languages do, with \u00f6 for ö.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(s)) {
		if c < 0x80 {
			b.WriteByte(byte(c))
		} else {
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

func replace(s, old, name string) string {
	if len(old) < wholeWords {
		return replaceWord(s, old, name)
	}
	return strings.ReplaceAll(s, old, name)
}

// replaceWord replaces old where no letter or digit stands beside it.
func replaceWord(s, old, name string) string {
	var b strings.Builder
	for from := 0; ; {
		i := strings.Index(s[from:], old)
		if i < 0 {
			b.WriteString(s[from:])
			return b.String()
		}
		at, end := from+i, from+i+len(old)
		if at > 0 && isWordByte(s[at-1]) || end < len(s) && isWordByte(s[end]) {
			b.WriteString(s[from : at+1])
			from = at + 1
			continue
		}
		b.WriteString(s[from:at])
		b.WriteString(name)
		from = end
	}
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
