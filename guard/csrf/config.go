package csrf

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/internal/origin"
)

// Location is where a token may be.
type Location int

const (
	// HeaderOrField takes the token from the header, else from a form field.
	HeaderOrField Location = iota
	// HeaderOnly takes it from the header. No form of another site can send one.
	HeaderOnly
	// FieldOnly takes it from a form field.
	FieldOnly
)

// Config configures a [Guard]. Keys are required; the zero value of all else is
// the secure choice.
type Config struct {
	// Keys seal the tokens: [FromRing], or [EphemeralKeys] for one process.
	Keys Keys
	// TrustedOrigins are origins besides the own whose pages may do what the own
	// pages may, as browsers write them: "https://app.example.com",
	// "https://app.example.com:8443". They are compared byte for byte. A server behind a
	// proxy that changes Host lists its own origin here.
	TrustedOrigins []string
	// Scheme returns "https" or "http", with which the browser has sent the request,
	// where a proxy ends TLS. Nil means https for a connection with TLS; without TLS,
	// pages of the own host count with either scheme.
	Scheme func(*http.Request) string
	// Session returns the id of the caller's log-in for [Guard.Handler], "" if there
	// is none. Nil means that there never is one: tokens are bound to the browser only.
	Session func(*http.Request) string

	// CookieName is the cookie's name. The default is "__Host-csrf"; another must have
	// that prefix, too.
	CookieName string
	// CookieSameSite is Lax by default; Strict leaves the cookie out where a link of
	// another site leads to a page, which then gets a new one.
	CookieSameSite http.SameSite
	// CookiePath and CookieDomain widen or narrow where the cookie is sent. They
	// need InsecureCookieScope. The defaults are "/" and this host only.
	CookiePath, CookieDomain string

	// Header is the header field of the token. The default is "X-CSRF-Token".
	Header string
	// HeaderPrefix is a word before the token in the header, such as "Bearer". The
	// default is none.
	HeaderPrefix string
	// Field is the form field of the token. The default is "csrf-token".
	Field string
	// TokenLocation is where the token may be. The default is the header, else the form.
	TokenLocation Location
	// BodyLimit is how much of a form is read to find the token, in bytes. The
	// default is 64 KiB. The field has to come before large files.
	BodyLimit int64
	// MaxAge is how long a token is good. The default is 1 hour, the most 24 hours.
	MaxAge time.Duration
	// OneTime makes a token good for one request.
	OneTime bool
	// Replay remembers the tokens that were used, for OneTime. The default is memory
	// of this process for a million tokens, so that a token works once in each process;
	// several must share one. When it is full, requests are refused.
	Replay Replay
	// Methods are those that need a token. The default is every method but GET, HEAD
	// and OPTIONS. The origin is checked of all these, whatever Methods says.
	Methods []string
	// Exempt are the routes of [Guard.Handler] with exemptions.
	Exempt []Exemption
	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// InsecureMethods, if not empty, says why Methods may leave out POST, PUT, PATCH
	// or DELETE.
	InsecureMethods string
	// InsecureTrustedHTTP, if not empty, says why TrustedOrigins may have origins
	// without TLS, other than loopback: their pages are anybody's on the way.
	InsecureTrustedHTTP string
	// InsecureCookieScope, if not empty, says why the cookie may have a Domain, another
	// Path, or a name without the prefix __Host-. A sibling domain can set such a
	// cookie, and with it log a victim in as somebody else.
	InsecureCookieScope string
	// InsecureSameSiteNone, if not empty, says why CookieSameSite may be None.
	InsecureSameSiteNone string
	// InsecureReadableCookie, if not empty, says why scripts may read the cookie.
	InsecureReadableCookie string
	// InsecureHTTP, if not empty, says why the cookie may travel without TLS, where
	// everybody on the way can read and replace it. Its name then has no prefix, by
	// default "csrf".
	InsecureHTTP string
}

// Exemption is what is not checked of a route, and why. At least one reason is
// needed.
type Exemption struct {
	// Route is a path, "/hooks/pay", or a method and a path, "POST /hooks/pay". One
	// that ends in a slash is for all paths below. Paths are compared as they are
	// sent: one with escapes, "..", or two slashes is never exempt.
	Route string
	// InsecureNoToken, if not empty, says why the route needs no token: because it is
	// for programs that have no cookie, perhaps.
	InsecureNoToken string
	// InsecureAnyOrigin, if not empty, says why pages of any site may send requests
	// to the route.
	InsecureAnyOrigin string
}

func (c Config) withDefaults() Config {
	for _, field := range []struct {
		value *string
		or    string
	}{
		{&c.CookiePath, "/"}, {&c.Header, "X-CSRF-Token"}, {&c.Field, "csrf-token"},
	} {
		if *field.value == "" {
			*field.value = field.or
		}
	}
	if c.CookieName == "" {
		c.CookieName = hostPrefix + "csrf"
		if c.InsecureHTTP != "" || c.CookieDomain != "" || c.CookiePath != "/" {
			c.CookieName = "csrf"
		}
	}
	if c.CookieSameSite == 0 {
		c.CookieSameSite = http.SameSiteLaxMode
	}
	if c.MaxAge == 0 {
		c.MaxAge = time.Hour
	}
	if c.BodyLimit == 0 {
		c.BodyLimit = 64 << 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// hostPrefix makes browsers take a cookie only if it is Secure, of the path / and
// of exactly this host (RFC 6265bis section 4.1.3.2).
const hostPrefix = "__Host-"

func (c *Config) validate() error {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.Keys == nil {
		wrong("Keys is nil, want those of a key ring")
	}
	for _, entry := range c.TrustedOrigins {
		if err := origin.Trust(entry, c.InsecureTrustedHTTP, "InsecureTrustedHTTP"); err != nil {
			wrong("TrustedOrigins entry %q %w", entry, err)
		}
	}
	if c.MaxAge < time.Second || c.MaxAge > 24*time.Hour {
		wrong("MaxAge is %v, want 1s to 24h", c.MaxAge)
	}
	if c.BodyLimit < 1<<10 || c.BodyLimit > 1<<20 {
		wrong("BodyLimit is %d, want 1024 to %d", c.BodyLimit, 1<<20)
	}
	if c.TokenLocation < HeaderOrField || c.TokenLocation > FieldOnly {
		wrong("TokenLocation is %d, want HeaderOrField, HeaderOnly or FieldOnly", c.TokenLocation)
	}
	if !field.IsToken(c.Header) {
		wrong("Header is %q, which is no name of a header field", c.Header)
	}
	if c.HeaderPrefix != "" && !field.IsToken(c.HeaderPrefix) {
		wrong("HeaderPrefix is %q, want one word", c.HeaderPrefix)
	}
	c.checkMethods(wrong)
	c.checkCookie(wrong)
	c.checkExemptions(wrong)
	if len(mistakes) > 0 {
		return fmt.Errorf("csrf config: %w", errors.Join(mistakes...))
	}
	return nil
}

func (c *Config) checkMethods(wrong func(string, ...any)) {
	for _, method := range c.Methods {
		if !field.IsToken(method) || method != strings.ToUpper(method) {
			wrong("Methods entry %q is no method", method)
		}
	}
	if len(c.Methods) == 0 || c.InsecureMethods != "" {
		return
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if !slices.Contains(c.Methods, method) {
			wrong("Methods leaves out %s; say why in InsecureMethods", method)
		}
	}
}

func (c *Config) checkCookie(wrong func(string, ...any)) {
	if err := (&http.Cookie{Name: c.CookieName, Value: "x", Path: c.CookiePath, Domain: c.CookieDomain}).Valid(); err != nil {
		wrong("the cookie cannot be written: %v", err)
	}
	if !strings.HasPrefix(c.CookiePath, "/") {
		wrong("CookiePath is %q, want it to begin with a slash", c.CookiePath)
	}
	lower := strings.ToLower(c.CookieName)
	prefixed := strings.HasPrefix(c.CookieName, hostPrefix) && len(c.CookieName) > len(hostPrefix)
	scoped := c.CookieDomain != "" || c.CookiePath != "/"
	switch {
	case c.InsecureHTTP != "" && (strings.HasPrefix(lower, "__host-") || strings.HasPrefix(lower, "__secure-")):
		wrong("CookieName is %q, which browsers refuse without TLS", c.CookieName)
	case prefixed && scoped:
		wrong("CookieName is %q, which browsers refuse with a Domain or another Path", c.CookieName)
	case scoped && c.InsecureCookieScope == "":
		wrong("CookieDomain and CookiePath let others set the cookie; say why in InsecureCookieScope")
	case !prefixed && c.InsecureHTTP == "" && c.InsecureCookieScope == "":
		wrong("CookieName is %q, want the prefix %s and a name", c.CookieName, hostPrefix)
	}
	switch c.CookieSameSite {
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if c.InsecureSameSiteNone == "" {
			wrong("CookieSameSite is None; say why in InsecureSameSiteNone")
		}
		if c.InsecureHTTP != "" {
			wrong("CookieSameSite is None, which browsers refuse without TLS")
		}
	default:
		wrong("CookieSameSite is %d, want Lax or Strict", c.CookieSameSite)
	}
}

func (c *Config) checkExemptions(wrong func(string, ...any)) {
	for _, e := range c.Exempt {
		method, route, found := strings.Cut(e.Route, " ")
		if !found {
			method, route = http.MethodPost, e.Route
		}
		if !field.IsToken(method) || !strings.HasPrefix(route, "/") || strings.ContainsAny(route, "{}*?# ") {
			wrong(`Exempt route %q: want a path like "/hooks/pay" or "POST /hooks/pay"`, e.Route)
		}
		if e.InsecureNoToken == "" && e.InsecureAnyOrigin == "" {
			wrong("Exempt route %q has no reason in InsecureNoToken or InsecureAnyOrigin", e.Route)
		}
	}
}
