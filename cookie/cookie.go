// Package cookie sets and reads cookies that are safe unless somebody says why
// not.
//
//	theme, err := cookie.New(cookie.Config{Name: "theme", MaxAge: 30 * 24 * time.Hour})
//	err = theme.Set(ctx, w.Header(), "dark")
//	value, ok, err := theme.Get(r)
//
// The zero [Config], with a name, makes this of it:
//
//	Set-Cookie: __Host-theme=dark; Path=/; HttpOnly; Secure; SameSite=Lax
//
// The prefix __Host- (RFC 6265bis section 4.1.3.2) is what keeps others from
// writing the cookie: a browser takes it only over TLS, for this very host and all
// of its paths. Without it, a page of blog.example.com, or anybody on a network
// who answers http://example.com, plants the cookies of example.com. HttpOnly
// keeps it from scripts, SameSite=Lax from requests that other sites make, links
// aside.
//
// # What the browser sends is not what was set
//
// Whoever sits in front of the browser edits the value. It is input like any
// other, unless it is sealed: with Keys the value is encrypted and bound to the
// name of the cookie, and [Cookie.Get] gives only what [Cookie.Set] got.
//
//	basket, err := cookie.New(cookie.Config{Name: "basket", MaxAge: time.Hour, Keys: ring, Purpose: "cookies"})
//
// A sealed value can be used again, by whoever has it, until MaxAge has gone by;
// what must work once, or end early, belongs into a store, with an id in the
// cookie. Package auth/session does that for log-ins.
//
// A name that comes twice is refused (status 400): which of them counts, another
// reader may see otherwise, and one of the two was planted.
package cookie

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Keys seal and open the values of cookies. [keyring.Ring] does it. Open must fail
// for everything that Seal did not return for the same purpose and context.
//
// [keyring.Ring]: https://pkg.go.dev/github.com/fastness/fastness/keyring#Ring
type Keys interface {
	// Seal encrypts and authenticates plaintext.
	Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error)
	// Open undoes it. stale says that the key is not the current one any more.
	Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error)
}

// Config configures a [Cookie]. The zero value, with a Name, is the secure choice.
type Config struct {
	// Name is the name without its prefix, such as "theme". It is required.
	Name string
	// MaxAge is how long the browser keeps the cookie, in whole seconds, at most
	// 400 days, which is what browsers keep. A sealed value is refused after that
	// time, whatever the browser does. The default is the browser's session.
	MaxAge time.Duration
	// Strict keeps the cookie from requests that a link on another site leads to
	// (SameSite=Strict). The default is SameSite=Lax.
	Strict bool
	// Keys, if not nil, seal the values; Purpose says which of them do. Values
	// can then be any text, and are about a third longer in the cookie.
	Keys    Keys
	Purpose string
	// Now is the clock. The default is time.Now.
	Now func() time.Time

	// InsecureReadableByScript, if not empty, says why scripts of the page may
	// read the cookie, those of an attacker too: it is not HttpOnly.
	InsecureReadableByScript string
	// InsecureCrossSite, if not empty, says why other sites may have the cookie
	// sent with what they request, as in a frame: SameSite=None, Partitioned by
	// the site that holds the frame. What it lets in must be protected against
	// forged requests in another way.
	InsecureCrossSite string
	// InsecureSubdomains, if not empty, says why all hosts below Domain may read
	// the cookie and write it, and Domain is then required: "example.com". The
	// prefix is __Secure-.
	InsecureSubdomains string
	Domain             string
	// InsecureHTTP, if not empty, says why the cookie may travel without TLS,
	// where everybody on the way can read and replace it. Its name then has no
	// prefix.
	InsecureHTTP string
}

// Limits of a cookie.
const (
	// MaxBytes is how long the whole of Set-Cookie may be. Browsers drop a cookie
	// whose name and value are longer than that, without a word (RFC 6265bis
	// section 5.6).
	MaxBytes = 4096
	// MaxAge is how long browsers keep a cookie at most (RFC 6265bis section
	// 5.5).
	MaxAge = 400 * 24 * time.Hour
)

// Cookie is one cookie of the site. It is safe for concurrent use.
type Cookie struct {
	cfg  Config
	name string
}

// New returns the cookie, or an error that names every mistake in cfg.
func New(cfg Config) (*Cookie, error) {
	if mistakes := cfg.mistakes(); len(mistakes) > 0 {
		return nil, fmt.Errorf("cookie config: %w", errors.Join(mistakes...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Cookie{cfg, "__Host-" + cfg.Name}
	switch {
	case cfg.InsecureHTTP != "":
		c.name = cfg.Name
	case cfg.Domain != "":
		c.name = "__Secure-" + cfg.Name
	}
	return c, nil
}

// Name returns the name of the cookie with its prefix.
func (c *Cookie) Name() string { return c.name }

// Set sets the cookie in the header of an answer. One that was set before under
// this name is replaced, and the answer gets "Cache-Control: no-store": a cache
// would hand the cookie to others. The error says that the value has a byte that
// no cookie can have (RFC 6265 section 4.1.1: a control character, a space, one
// of ",;\ and all beyond ASCII), that it is too long, or what the keys say.
func (c *Cookie) Set(ctx context.Context, h http.Header, value string) error {
	made, err := c.Make(ctx, value)
	if err != nil {
		return err
	}
	c.write(h, made)
	return nil
}

// Clear has the browser drop the cookie.
func (c *Cookie) Clear(h http.Header) { c.write(h, c.Expired()) }

// Make returns what Set sends, for who sends cookies in another way.
func (c *Cookie) Make(ctx context.Context, value string) (*http.Cookie, error) {
	if c.cfg.Keys != nil {
		var err error
		if value, err = c.seal(ctx, value); err != nil {
			return nil, fmt.Errorf("cookie %s: %w", c.name, err)
		}
	}
	if !isValue(value) {
		return nil, fmt.Errorf("cookie %s: the value has a byte that no cookie can have", c.name)
	}
	made := c.cookie(value)
	made.MaxAge = int(c.cfg.MaxAge / time.Second)
	if n := len(made.String()); n > MaxBytes {
		return nil, fmt.Errorf("cookie %s: %d bytes, want at most %d", c.name, n, MaxBytes)
	}
	return made, nil
}

// Expired returns what Clear sends.
func (c *Cookie) Expired() *http.Cookie {
	gone := c.cookie("")
	gone.MaxAge = -1
	return gone
}

func (c *Cookie) cookie(value string) *http.Cookie {
	made := &http.Cookie{
		Name: c.name, Value: value, Path: "/", Domain: c.cfg.Domain, SameSite: http.SameSiteLaxMode,
		Secure: c.cfg.InsecureHTTP == "", HttpOnly: c.cfg.InsecureReadableByScript == "",
	}
	switch {
	case c.cfg.Strict:
		made.SameSite = http.SameSiteStrictMode
	case c.cfg.InsecureCrossSite != "":
		made.SameSite, made.Partitioned = http.SameSiteNoneMode, true
	}
	return made
}

func (c *Cookie) write(h http.Header, made *http.Cookie) {
	others := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(line string) bool {
		return strings.HasPrefix(line, c.name+"=")
	})
	h["Set-Cookie"] = append(others, made.String())
	h["Cache-Control"] = []string{"no-store"}
}

// isValue reports whether s consists of cookie-octets.
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' {
			return false
		}
	}
	return true
}

// seal returns the value for the browser: when it ends, and what it is, for this
// cookie only.
func (c *Cookie) seal(ctx context.Context, value string) (string, error) {
	var until uint64
	if c.cfg.MaxAge > 0 {
		until = uint64(max(1, c.cfg.Now().Add(c.cfg.MaxAge).Unix()))
	}
	plain := append(binary.BigEndian.AppendUint64(nil, until), value...)
	sealed, err := c.cfg.Keys.Seal(ctx, c.cfg.Purpose, plain, "cookie", c.name)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open undoes seal, if it was sealed for this cookie and has not ended.
func (c *Cookie) open(ctx context.Context, value string) (string, bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(value) > MaxBytes {
		return "", false
	}
	plain, _, err := c.cfg.Keys.Open(ctx, c.cfg.Purpose, sealed, "cookie", c.name)
	if err != nil || len(plain) < 8 {
		return "", false
	}
	until := binary.BigEndian.Uint64(plain)
	if until != 0 && uint64(max(0, c.cfg.Now().Unix())) >= until {
		return "", false
	}
	return string(plain[8:]), true
}
