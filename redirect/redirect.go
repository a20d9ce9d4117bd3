// Package redirect decides where an answer may send a browser.
//
// Whoever can choose the target of a redirect borrows the name of the site for
// his own (CWE-601): a link to the true log-in page that ends on a copy of it, or
// the way by which a code of OAuth leaks. What makes it hard is that a browser
// reads addresses otherwise than most programs: "//evil.example",
// "/\evil.example" and "/<tab>/evil.example" are all another site's (WHATWG URL
// standard, section 4.4), and all of them begin with a slash.
//
// A path of this site is the usual target. [Path] takes one:
//
//	location, err := redirect.Path(r.FormValue("next"))
//
// Other sites must be listed, as origins:
//
//	targets, err := redirect.New(redirect.Config{Allow: []string{"https://accounts.example.com"}})
//	location := targets.Or(r.FormValue("next"), "/")
//
// Nothing is repaired: what is not plainly a path of this site, or of a listed
// one, is refused. That includes paths that a browser would rewrite, with "." and
// ".." between slashes, because what a program has checked about "/public/../admin"
// is not what the browser asks for.
package redirect

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/origin"
)

// MaxLength is the most bytes of a target. No server of this module takes a
// longer path in a request.
const MaxLength = 8 << 10

// The mistakes of a target.
var (
	// ErrElsewhere says that a target could lead to another site, or does.
	ErrElsewhere = errors.New("location is not an absolute path of this site")
	// ErrTooLong says that a target is longer than [MaxLength].
	ErrTooLong = errors.New("location is too long")
)

// Path returns path, ready for a Location header, if it is an absolute path of
// this site to every browser, with a query and a fragment if it has them. What is
// beyond ASCII is escaped, because a header has no encoding. The error is
// [ErrElsewhere] or [ErrTooLong]; neither says what the path was.
func Path(path string) (string, error) {
	if len(path) > MaxLength {
		return "", ErrTooLong
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, isForbidden) {
		return "", ErrElsewhere
	}
	if u, err := url.Parse(path); err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || hasDots(path) {
		return "", ErrElsewhere
	}
	location := escaped(path)
	if len(location) > MaxLength {
		return "", ErrTooLong
	}
	return location, nil
}

// isForbidden knows what no address holds and browsers read leniently: they drop
// tabs and line ends wherever they are, and control characters and spaces at both
// ends; a backslash is a slash to them.
func isForbidden(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }

// hasDots reports whether a browser would rewrite the path: "%2e" is a full stop
// to it, too.
func hasDots(path string) bool {
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) <= len("%2e%2e") {
			switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
			case ".", "..":
				return true
			}
		}
	}
	return false
}

// escaped escapes what no address holds (RFC 3986 section 2), and leaves all else
// as it is. To decode and encode again, as (*url.URL).String does with a path
// that has a letter beyond ASCII, makes "//évil" of "/%2févil".
func escaped(s string) string {
	if !strings.ContainsFunc(s, isEscaped) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isEscaped(rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isEscaped(r rune) bool { return r > '~' || strings.ContainsRune("\"<>^`{|}", r) }

// Config configures [Targets]. The zero value is the secure choice.
type Config struct {
	// Allow lists the other sites that may be a target, as origins:
	// "https://accounts.example.com", "http://localhost:5173". One without TLS
	// must be of this machine. The default is none.
	//
	// Any path of a listed site is a target, so none of them should be one that
	// redirects further at the wish of its callers.
	Allow []string
}

// Targets are the places where redirects may lead. They are safe for concurrent
// use; the zero value knows only this site.
type Targets struct {
	origins []string
}

// New returns the targets, or an error that names every mistake in cfg.
func New(cfg Config) (*Targets, error) {
	var mistakes []error
	for i, entry := range cfg.Allow {
		o, err := origin.Parse(entry)
		switch {
		case err != nil:
		case o.Wildcard:
			err = errors.New("has a wildcard; list each origin")
		case !o.TLS && !o.Loopback:
			err = errors.New("has no TLS, so that everybody on the way can be it")
		case slices.Contains(cfg.Allow[:i], entry):
			err = errors.New("is there twice")
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("Allow entry %q %w", entry, err))
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("redirect config: %w", errors.Join(mistakes...))
	}
	return &Targets{slices.Clone(cfg.Allow)}, nil
}

// To returns target, ready for a Location header, if it is a path of this site
// (see [Path]), or an address on a listed one: its origin as it is in the list,
// and then nothing or a path of which the same is true.
func (t *Targets) To(target string) (string, error) {
	for _, o := range t.origins {
		rest, found := strings.CutPrefix(target, o)
		switch {
		case !found:
		case rest == "":
			return o, nil
		case rest[0] == '/': // Otherwise the host goes on: ".evil.example", ":1", "@evil.example".
			path, err := Path(rest)
			if err != nil {
				return "", err
			}
			return o + path, nil
		}
	}
	return Path(target)
}

// Or is To for targets that came with a request: what may not be a target is
// replaced by fallback, which the program knows to be one.
func (t *Targets) Or(target, fallback string) string {
	if location, err := t.To(target); err == nil {
		return location
	}
	return fallback
}
