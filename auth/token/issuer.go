package token

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/problem"
)

// How long access tokens live. What a token says may be outdated by as much, and
// a token that was stolen works for as long.
const (
	defaultTTL = 10 * time.Minute
	maxTTL     = 15 * time.Minute
)

// maxText is how long ids may be, in bytes.
const maxText = 256

// IssuerConfig configures an [Issuer].
type IssuerConfig struct {
	// Issuer is the name of who issues (iss), by convention the URL of the API. It
	// is required.
	Issuer string
	// Audience is the name of the API that the tokens are for (aud). It is required.
	Audience string
	// Signer has the key to sign with. It is required.
	Signer Signer
	// TTL is how long tokens live, in whole seconds: 10 minutes by default, and 15
	// at most. A session that shall last longer has a refresh token.
	TTL time.Duration
	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

// Issuer issues access tokens. It is safe for concurrent use.
type Issuer struct {
	cfg IssuerConfig
	// names are the members iss and aud, encoded.
	names []byte
}

// NewIssuer returns an issuer, or an error that names every mistake in cfg.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	errs := []error{checkName("Issuer", cfg.Issuer), checkName("Audience", cfg.Audience)}
	if cfg.Signer == nil {
		errs = append(errs, errors.New("nothing signs: Signer is nil"))
	}
	if cfg.TTL < time.Second || cfg.TTL > maxTTL {
		errs = append(errs, fmt.Errorf("TTL is %v, want 1s to %v: a session that lasts longer has a refresh token", cfg.TTL, maxTTL))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("token issuer: %w", err)
	}
	names := problem.AppendString([]byte(`{"iss":`), cfg.Issuer)
	names = problem.AppendString(append(names, `,"aud":`...), cfg.Audience)
	return &Issuer{cfg, names}, nil
}

// checkName wants the name of an issuer or an audience.
func checkName(field, name string) error {
	if name == "" || len(name) > maxText || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%s is %q, want a name such as https://api.example of at most %d printable ASCII characters", field, name, maxText)
	}
	return nil
}

// Issue returns a signed token and when it ends. It begins now, has an id of its
// own, and what [Verifier] would refuse is an error.
func (i *Issuer) Issue(ctx context.Context, c Claims) (text string, expires time.Time, err error) {
	now := i.cfg.Now().Truncate(time.Second)
	expires = now.Add(i.cfg.TTL).Truncate(time.Second)
	if err := c.check(expires); err != nil {
		return "", time.Time{}, fmt.Errorf("claims: %w", err)
	}
	key, err := i.cfg.Signer.SigningKey(ctx)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing key: %w", err)
	}
	payload := i.appendPayload(make([]byte, 0, 512), &c, now, expires)
	if text, err = sign(key, payload); err != nil {
		return "", time.Time{}, err
	}
	return text, expires, nil
}

// sign returns the compact form of a payload.
func sign(key *jws.Key, payload []byte) (string, error) {
	header := append(make([]byte, 0, 192), `{"alg":"`...)
	header = append(append(header, key.Algorithm()...), `","kid":`...)
	header = append(problem.AppendString(header, key.ID()), `,"typ":"at+jwt"}`...)

	encoding := base64.RawURLEncoding
	const signature = 700 // of the largest RSA key that is common
	text := make([]byte, 0, encoding.EncodedLen(len(header))+encoding.EncodedLen(len(payload))+2+signature)
	text = append(encoding.AppendEncode(text, header), '.')
	text = encoding.AppendEncode(text, payload)
	sig, err := key.Sign(text)
	if err != nil {
		return "", err
	}
	text = encoding.AppendEncode(append(text, '.'), sig)
	if len(text) > jws.MaxToken {
		return "", fmt.Errorf("the token has %d bytes, want at most %d: fewer roles or scopes", len(text), jws.MaxToken)
	}
	return string(text), nil
}

func (i *Issuer) appendPayload(buf []byte, c *Claims, now, expires time.Time) []byte {
	buf = append(buf, i.names...)
	buf = appendText(buf, "sub", c.Subject)
	buf = appendText(buf, "client_id", c.Client)
	buf = appendNumber(buf, "iat", now.Unix())
	buf = appendNumber(buf, "exp", expires.Unix())
	buf = appendText(buf, "jti", rand.Text())
	if !c.NotBefore.IsZero() {
		buf = appendNumber(buf, "nbf", c.NotBefore.Unix())
	}
	if c.AllScopes {
		buf = append(buf, `,"all_scopes":true`...)
	} else if c.Scopes.Len() > 0 {
		buf = appendText(buf, "scope", c.Scopes.String())
	}
	buf = appendList(buf, "roles", c.Roles)
	if c.Session != "" {
		buf = appendText(buf, "sid", c.Session)
	}
	if c.Epoch != 0 {
		buf = appendNumber(buf, "ver", c.Epoch)
	}
	if c.Tenant != "" {
		buf = appendText(buf, "tenant", c.Tenant)
	}
	if !c.AuthenticatedAt.IsZero() {
		buf = appendNumber(buf, "auth_time", c.AuthenticatedAt.Unix())
	}
	buf = appendList(buf, "amr", c.Methods)
	return append(buf, '}')
}

func appendName(buf []byte, name string) []byte {
	return append(append(append(buf, `,"`...), name...), `":`...)
}

func appendText(buf []byte, name, value string) []byte {
	return problem.AppendString(appendName(buf, name), value)
}

func appendNumber(buf []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendName(buf, name), value, 10)
}

func appendList(buf []byte, name string, set auth.Set) []byte {
	if set.Len() == 0 {
		return buf
	}
	buf = append(appendName(buf, name), '[')
	for value := range set.All() {
		buf = append(problem.AppendString(buf, value), ',')
	}
	buf[len(buf)-1] = ']'
	return buf
}

// check refuses what could not be verified, or would mean something else there.
func (c *Claims) check(expires time.Time) error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(c.Subject != "" && isText(c.Subject), "Subject: want 1 to %d bytes of text", maxText)
	want(c.Client != "" && isText(c.Client), "Client: want 1 to %d bytes of text", maxText)
	want(isText(c.Session), "Session: want at most %d bytes of text", maxText)
	want(isText(c.Tenant), "Tenant: want at most %d bytes of text", maxText)
	want(!c.AllScopes || c.Scopes.Len() == 0, "AllScopes and Scopes exclude each other")
	want(all(c.Scopes.All(), isScope), "Scopes: want names as in RFC 6749 section 3.3, without spaces, quotes and backslashes")
	want(all(c.Roles.All(), isText), "Roles: want names of at most %d bytes of text", maxText)
	want(all(c.Methods.All(), isText), "Methods: want names of at most %d bytes of text", maxText)
	want(c.Epoch >= 0, "Epoch is negative")
	want(c.NotBefore.Before(expires), "NotBefore is after the end of the token")
	want(c.AuthenticatedAt.IsZero() || c.AuthenticatedAt.Unix() >= 0 && c.AuthenticatedAt.Before(expires), "AuthenticatedAt is not in the past")
	want(c.NotBefore.IsZero() || c.NotBefore.Unix() >= 0, "NotBefore is before 1970")
	return errors.Join(errs...)
}

func all(names iter.Seq[string], good func(string) bool) bool {
	for name := range names {
		if !good(name) {
			return false
		}
	}
	return true
}

// isText reports whether s is short and can be logged.
func isText(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isScope reports whether s is a scope-token. A space in one would make two
// scopes of it.
func isScope(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
