// Package securitytxt tells finders of a vulnerability whom to tell: the file
// security.txt of RFC 9116.
//
//	file, err := securitytxt.New(securitytxt.Config{Contact: []string{"mailto:security@example.com"}})
//	mux.Handle("GET "+securitytxt.Path, file)
//
// # When it expires
//
// A file that nobody looks after sends reports to an address that nobody reads,
// so it must say until when it holds (section 2.5.5). A date that the program puts
// forward by itself would hold for ever, and mean nothing. What a person does is to
// write a date, or to deploy:
//
//   - With [Config.Expires] the file expires then. The program does not start
//     after that day, and warns in the thirty days before.
//   - Without, it expires 180 days after the start: whoever starts the program has
//     its configuration, and the contact in it, at hand. One that has run for half a
//     year is as forgotten as its contact may be; it goes on serving the file, which
//     says itself that it has expired, and warns in its log.
package securitytxt

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/problem"
)

// Path is where the file is looked for (RFC 9116 section 3).
const Path = "/.well-known/security.txt"

const (
	year   = 365 * 24 * time.Hour
	lasts  = 180 * 24 * time.Hour
	notice = 30 * 24 * time.Hour
)

// Config says what is in the file. The zero value has no Contact, which is a
// mistake.
type Config struct {
	// Contact lists where to report, the best first: "mailto:security@example.com",
	// "https://example.com/security", "tel:+1-201-555-0123". It is required.
	Contact []string
	// Expires is when what the file says is not to be believed any more: in the
	// future, and less than a year away. The default is 180 days after [New].
	Expires time.Time
	// Encryption lists keys for reports: "https://example.com/pgp-key.txt",
	// "openpgp4fpr:5F2DE5521C63A801AB59CCB603D49DE44B29100F". They are URIs, never
	// the keys themselves.
	Encryption []string
	// Acknowledgments, Policy and Hiring are https URLs of pages: who has reported
	// before, how reports are handled, and which posts are vacant.
	Acknowledgments, Policy, Hiring string
	// PreferredLanguages are the languages of reports, as in "en". The default is
	// to say nothing.
	PreferredLanguages []string
	// Canonical lists the URLs under which the file is to be found. One that is
	// read elsewhere is a copy, maybe of somebody else.
	Canonical []string
	// Logger takes the warnings before the file expires, at most one a day. The
	// default is slog.Default().
	Logger *slog.Logger
	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

// File is the file. It is an http.Handler, and safe for concurrent use.
type File struct {
	text    string
	length  []string
	expires time.Time
	logger  *slog.Logger
	now     func() time.Time
	warned  atomic.Int64 // the day, counted from 1970
}

// New returns the file, or an error that names every mistake in cfg. It warns if
// the file expires within thirty days.
func New(cfg Config) (*File, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	now := cfg.Now()
	if cfg.Expires.IsZero() {
		cfg.Expires = now.Add(lasts)
	}
	if mistakes := cfg.mistakes(now); len(mistakes) > 0 {
		return nil, fmt.Errorf("security.txt config: %w", errors.Join(mistakes...))
	}
	f := &File{text: cfg.text(), expires: cfg.Expires, logger: cfg.Logger, now: cfg.Now}
	f.length = []string{strconv.Itoa(len(f.text))}
	f.warn()
	return f, nil
}

func (c *Config) text() string {
	var b strings.Builder
	line := func(name string, values ...string) {
		for _, value := range values {
			if value != "" {
				b.WriteString(name + ": " + value + "\n")
			}
		}
	}
	line("Contact", c.Contact...)
	line("Expires", c.Expires.UTC().Format(time.RFC3339))
	line("Encryption", c.Encryption...)
	line("Acknowledgments", c.Acknowledgments)
	line("Preferred-Languages", strings.Join(c.PreferredLanguages, ", "))
	line("Canonical", c.Canonical...)
	line("Policy", c.Policy)
	line("Hiring", c.Hiring)
	return b.String()
}

func (c *Config) mistakes(now time.Time) (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if len(c.Contact) == 0 {
		wrong("Contact is empty: nobody would know whom to tell")
	}
	switch until := c.Expires.Sub(now); {
	case until <= 0:
		wrong("Expires is %s, which is over: check that the contacts are still read, and write a new date", c.Expires.UTC().Format(time.DateOnly))
	case until >= year:
		wrong("Expires is %s, want less than a year from now (RFC 9116 section 2.5.5)", c.Expires.UTC().Format(time.DateOnly))
	}
	each := func(field string, values []string, schemes ...string) {
		for _, value := range values {
			if err := checkURI(value, schemes); err != nil {
				wrong("%s %q %w", field, value, err)
			}
		}
	}
	each("Contact", c.Contact, "https", "mailto", "tel")
	each("Encryption", c.Encryption, "https", "dns", "openpgp4fpr")
	each("Canonical", c.Canonical, "https")
	for _, page := range []struct{ field, value string }{{"Acknowledgments", c.Acknowledgments}, {"Policy", c.Policy}, {"Hiring", c.Hiring}} {
		if page.value != "" {
			each(page.field, []string{page.value}, "https")
		}
	}
	for _, value := range c.Canonical {
		if !strings.HasSuffix(value, Path) {
			wrong("Canonical %q does not end in %s", value, Path)
		}
	}
	for _, tag := range c.PreferredLanguages {
		if !isLanguage(tag) {
			wrong(`PreferredLanguages %q is not a language tag like "en" or "pt-BR"`, tag)
		}
	}
	return all
}

// checkURI says what is wrong with a URI, as the rest of a sentence. A line break
// would begin another field.
func checkURI(value string, schemes []string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("has a space, a control character or one beyond ASCII")
	}
	u, err := url.Parse(value)
	switch {
	case err == nil && u.Scheme == "" && strings.Contains(value, "@"):
		return errors.New("is not a URI; write mailto: before an address")
	case err != nil || u.Scheme == "":
		return errors.New("is not a URI")
	case u.Scheme == "http":
		return errors.New("is a page that everybody on the way can replace, want https (RFC 9116 section 2.4)")
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("has the scheme %s, want %s", u.Scheme, strings.Join(schemes, ", "))
	case u.Scheme == "https" && (u.Host == "" || u.User != nil):
		return errors.New("is not an https URL with a host and without a user")
	case u.Scheme == "mailto" && !isMailbox(u.Opaque), u.Scheme != "https" && u.Opaque == "" && u.Host == "" && u.Path == "":
		return errors.New("has nobody behind its scheme")
	}
	return nil
}

func isMailbox(s string) bool {
	local, host, found := strings.Cut(s, "@")
	return found && local != "" && strings.Trim(host, ".") == host && host != ""
}

// isLanguage knows the shape of a tag of BCP 47.
func isLanguage(tag string) bool {
	for i, part := range strings.Split(tag, "-") {
		allowed := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		if i > 0 {
			allowed += "0123456789"
		}
		if part == "" || len(part) > 8 || strings.Trim(part, allowed) != "" || i == 0 && len(part) < 2 {
			return false
		}
	}
	return true
}

// Text returns the file.
func (f *File) Text() string { return f.text }

// Expires returns when it expires.
func (f *File) Expires() time.Time { return f.expires }

// ServeHTTP answers GET and HEAD with the file, which caches may keep for a day,
// and logs a warning if it expires within thirty days, once a day.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.Write(w, problem.New(http.StatusMethodNotAllowed, "").With("Allow", "GET, HEAD"))
		return
	}
	f.warn()
	h := w.Header()
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["Cache-Control"] = []string{"public, max-age=86400"}
	h["Content-Length"] = f.length
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, f.text) // The client is gone if this fails.
	}
}

func (f *File) warn() {
	now := f.now()
	left := f.expires.Sub(now)
	if left > notice {
		return
	}
	today := now.Unix() / (24 * 60 * 60)
	if last := f.warned.Load(); last == today || !f.warned.CompareAndSwap(last, today) {
		return
	}
	text := "security.txt expires soon: check that the contacts are still read, and renew it"
	if left <= 0 {
		text = "security.txt has expired: check that the contacts are still read, and renew it"
	}
	f.logger.Warn(text, "expires", f.expires.UTC().Format(time.DateOnly))
}
