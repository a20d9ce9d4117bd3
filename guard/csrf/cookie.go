package csrf

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// cookie writes and finds the cookie of a browser.
type cookie struct {
	name       string
	attributes string // what follows the value
	deletion   string
}

// valueSize is the length of 256 bits in base64url.
const valueSize = 43

func newCookie(cfg *Config) cookie {
	var b strings.Builder
	b.WriteString("; Path=" + cfg.CookiePath)
	if cfg.CookieDomain != "" {
		b.WriteString("; Domain=" + cfg.CookieDomain)
	}
	rest := ""
	if cfg.InsecureReadableCookie == "" {
		rest += "; HttpOnly"
	}
	if cfg.InsecureHTTP == "" {
		rest += "; Secure"
	}
	switch cfg.CookieSameSite {
	case http.SameSiteStrictMode:
		rest += "; SameSite=Strict"
	case http.SameSiteNoneMode:
		rest += "; SameSite=None"
	default:
		rest += "; SameSite=Lax"
	}
	seconds := int64((cfg.MaxAge + 999_999_999) / 1_000_000_000)
	return cookie{
		name:       cfg.CookieName,
		attributes: b.String() + "; Max-Age=" + strconv.FormatInt(seconds, 10) + rest,
		deletion:   cfg.CookieName + "=" + b.String() + "; Max-Age=0" + rest,
	}
}

func newCookieValue() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

func isCookieValue(s string) bool {
	if len(s) != valueSize {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func (c *cookie) set(value string) string { return c.name + "=" + value + c.attributes }

// pending returns the value of the cookie that the answer sets already: two forms
// on one page are for one browser.
func (c *cookie) pending(h http.Header) (value string, ok bool) {
	for _, line := range h["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		if value, _, _ = strings.Cut(rest, ";"); name == c.name && isCookieValue(value) {
			return value, true
		}
	}
	return "", false
}

// find returns the first value of the cookie and how often it is there. A browser
// sends a cookie with the prefix once. What comes beside it under almost the same
// name was planted: the prefix is not checked by browsers where the name begins
// with a space that the server trims, or is written in capitals. It counts, too.
func (c *cookie) find(r *http.Request) (value string, n int) {
	for _, field := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(field, ";") {
			name, v, _ := strings.Cut(pair, "=")
			name = strings.Trim(name, " \t")
			switch {
			case name == c.name:
				if n++; n == 1 {
					value = v
				}
			case len(name) >= len(c.name) && strings.EqualFold(bare(name), c.name):
				n++ // Beside the cookie it is one too many, and alone it has no value.
			}
		}
	}
	return value, n
}

// bare returns name without what some servers trim around it: all but the
// characters that a cookie's name begins and ends with.
func bare(name string) string {
	return strings.TrimFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' })
}
