package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// hostPrefix makes browsers take a cookie only if it is Secure, of the path / and
// of exactly this host: neither a page without TLS nor one of another subdomain
// can plant it (RFC 6265bis section 4.1.3.2).
const hostPrefix = "__Host-"

// CookieConfig configures [Cookies]. The zero value, with Sessions, is the secure
// choice.
type CookieConfig struct {
	// Sessions are those that the cookies stand for. They are required.
	Sessions *Sessions
	// Name is the scheme's name. The default is "session".
	Name string
	// Cookie is the cookie's name. The default is "__Host-session"; another one
	// must have the prefix __Host-, too.
	Cookie string
	// Strict keeps the cookie from requests that a link on another site leads to:
	// who follows one seems to be logged out. The default is SameSite=Lax.
	Strict bool
	// Persistent lets the cookie outlive the browser's process, until the
	// session's absolute end.
	Persistent bool
	// InsecureHTTP, if not empty, says why the cookie may travel without TLS,
	// where everybody on the way can read and replace it. Its name then has no
	// prefix, by default "session".
	InsecureHTTP string
}

func (c *CookieConfig) mistakes() error {
	var errs []error
	if c.Sessions == nil {
		errs = append(errs, errors.New("Sessions is nil"))
	}
	if (&http.Cookie{Name: c.Cookie, Value: "x"}).Valid() != nil {
		errs = append(errs, fmt.Errorf("Cookie is %q, which is no name of a cookie", c.Cookie))
	}
	rest, prefixed := strings.CutPrefix(c.Cookie, hostPrefix)
	switch {
	case c.InsecureHTTP == "" && (!prefixed || rest == ""):
		errs = append(errs, fmt.Errorf("Cookie is %q, want the prefix %s and a name", c.Cookie, hostPrefix))
	case c.InsecureHTTP != "" && (strings.HasPrefix(strings.ToLower(c.Cookie), "__host-") || strings.HasPrefix(strings.ToLower(c.Cookie), "__secure-")):
		errs = append(errs, fmt.Errorf("Cookie is %q, which browsers refuse without TLS", c.Cookie))
	}
	return errors.Join(errs...)
}

// Cookies is the scheme that takes a session's cookie, and writes it. It is
// ambient: see package auth for what that means.
type Cookies struct {
	cfg      CookieConfig
	sessions *Sessions
}

// NewCookies returns the scheme, or an error that names every mistake in cfg.
func NewCookies(cfg CookieConfig) (*Cookies, error) {
	if cfg.Name == "" {
		cfg.Name = "session"
	}
	if cfg.Cookie == "" {
		cfg.Cookie = hostPrefix + "session"
		if cfg.InsecureHTTP != "" {
			cfg.Cookie = "session"
		}
	}
	if err := cfg.mistakes(); err != nil {
		return nil, fmt.Errorf("session cookie config: %w", err)
	}
	return &Cookies{cfg, cfg.Sessions}, nil
}

// Describe describes the scheme.
func (c *Cookies) Describe() auth.Description {
	d := auth.Description{
		Name: c.cfg.Name, Challenge: "Cookie", Ambient: true,
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: c.cfg.Cookie, Description: "The cookie of a session, set at log-in."},
	}
	if c.cfg.InsecureHTTP != "" {
		d.OptOuts = map[string]string{"InsecureHTTP": c.cfg.InsecureHTTP}
	}
	return d
}

// Present reports whether r has a cookie of the name.
func (c *Cookies) Present(r *http.Request) bool {
	_, n := c.value(r)
	return n > 0
}

// value returns the first value of the cookie and how often it is there.
func (c *Cookies) value(r *http.Request) (value string, n int) {
	for _, field := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(field, ";") {
			name, v, _ := strings.Cut(pair, "=")
			if strings.Trim(name, " \t") != c.cfg.Cookie {
				continue
			}
			if n++; n == 1 {
				value = v
			}
		}
	}
	return value, n
}

// Authenticate verifies the cookie. One that comes twice is answered 400: which
// of them counts, the next part of the program may see otherwise.
func (c *Cookies) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	value, n := c.value(r)
	if n > 1 {
		return nil, problem.New(http.StatusBadRequest, "the session cookie is there more than once").Named("ambiguous_credentials")
	}
	hash, ok := digestOf(value)
	if !ok {
		return nil, &auth.Refusal{Reason: errors.New("the session cookie is malformed")}
	}
	found, standing, err := c.sessions.byCookie(ctx, hash)
	if errors.Is(err, errUnknown) || errors.Is(err, ErrRefused) {
		return nil, &auth.Refusal{Reason: err}
	}
	if err != nil {
		return nil, err
	}
	return found.owner.User(standing, c.cfg.Name, found.session.user), nil
}

// Session returns the session whose cookie r has, as the database has it now, or
// nil: for who issues what outlives the request, such as a code. Its Epoch is the
// one to issue it for. A cookie that an earlier request had may be void by now, and
// its session of another epoch.
func (c *Cookies) Session(ctx context.Context, r *http.Request) (*Session, error) {
	value, n := c.value(r)
	hash, ok := digestOf(value)
	if n != 1 || !ok {
		return nil, nil
	}
	found, _, err := c.sessions.bySecret(ctx, hash)
	if err != nil || found == nil || found.Kind != Browser || !found.Live(c.sessions.now()) {
		return nil, err
	}
	return found, nil
}

// user returns who calls with the session's cookie.
func (s *Session) user(standing *auth.Standing, scheme string) *auth.User {
	return &auth.User{
		ID: s.User, Name: standing.Name, Roles: standing.Roles, Tenant: standing.Tenant,
		Scopes: s.Scopes, AllScopes: s.AllScopes, Client: s.Client, Session: s.ID, Scheme: scheme,
		Methods: s.Methods, At: s.At, Until: s.Absolute,
	}
}

// LogIn begins a session for the browser that sent r and sets its cookie in h.
// Whatever session the browser came with ends: its value may be known to
// whoever used the browser, or planted it, before.
func (c *Cookies) LogIn(ctx context.Context, h http.Header, r *http.Request, login Login) (*Session, error) {
	login.Kind = Browser
	if err := c.endOwn(ctx, r, Superseded); err != nil {
		return nil, err
	}
	begun, value, err := c.sessions.Begin(ctx, login)
	if err != nil {
		return nil, err
	}
	c.SetCookie(h, value, begun)
	return begun, nil
}

// LogOut ends the session of r, if there is one, and clears the cookie in h.
func (c *Cookies) LogOut(ctx context.Context, h http.Header, r *http.Request) error {
	c.ClearCookie(h)
	return c.endOwn(ctx, r, LoggedOut)
}

// endOwn ends the session whose cookie r has. Of several, it is anybody's guess
// which is the browser's own, and none of them counts.
func (c *Cookies) endOwn(ctx context.Context, r *http.Request, why Reason) error {
	value, n := c.value(r)
	hash, ok := digestOf(value)
	if n != 1 || !ok {
		return nil
	}
	found, _, err := c.sessions.bySecret(ctx, hash)
	if err != nil || found == nil || found.Kind != Browser {
		return err
	}
	return c.sessions.End(ctx, found.ID, why)
}

// SetCookie sets the cookie of a session in the header of an answer, which then
// must not be stored by caches. It replaces one that was set before.
func (c *Cookies) SetCookie(h http.Header, value string, s *Session) {
	cookie := c.cookie(value)
	if c.cfg.Persistent {
		cookie.MaxAge = max(1, int(s.Absolute.Sub(c.sessions.now()).Seconds()))
	}
	c.write(h, cookie)
}

// ClearCookie removes the cookie from the browser. The session goes on: see
// [Cookies.LogOut].
func (c *Cookies) ClearCookie(h http.Header) {
	cookie := c.cookie("")
	cookie.MaxAge = -1
	c.write(h, cookie)
}

func (c *Cookies) cookie(value string) *http.Cookie {
	cookie := &http.Cookie{
		Name: c.cfg.Cookie, Value: value, Path: "/", HttpOnly: true,
		Secure: c.cfg.InsecureHTTP == "", SameSite: http.SameSiteLaxMode,
	}
	if c.cfg.Strict {
		cookie.SameSite = http.SameSiteStrictMode
	}
	return cookie
}

func (c *Cookies) write(h http.Header, cookie *http.Cookie) {
	others := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(line string) bool {
		return strings.HasPrefix(line, c.cfg.Cookie+"=")
	})
	h["Set-Cookie"] = append(others, cookie.String())
	h.Set("Cache-Control", "no-store")
}
