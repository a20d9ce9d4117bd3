package identity

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Config configures an [Identity]. Open and Roles are required.
type Config struct {
	// Open opens the database that holds the accounts, sessions, keys and events.
	// It is closed when the app stops. With SQLite it should be a file of its own:
	// a request that holds the only transaction of the application's database
	// must not wait for itself.
	Open func(ctx context.Context, settings fastness.Settings) (*sqldb.DB, error)

	// Issuer is the URL under which the API is reached: the iss of its tokens. The
	// default is the PublicURL of the settings. In development it is
	// https://localhost with the port of the settings, whatever is said here.
	Issuer string
	// Audience is the aud of its tokens. The default is the issuer.
	Audience string
	// Name is what authenticator apps call the application. The default is the
	// host of the issuer.
	Name string

	// Roles are all roles that there are; the app's own Config has the same.
	Roles []string
	// Administrator is the one of Roles that looks after the accounts. The default
	// is "admin".
	Administrator string
	// SignUp, if not nil, lets strangers make accounts.
	SignUp *SignUp
	// Scopes are what tokens can be for. Beside them there are "account" and
	// "users", for what this package declares.
	Scopes []Scope
	// Clients are the programs that get tokens on behalf of users.
	Clients []Client
	// Introspection lets clients with a secret ask what a token is good for (RFC
	// 7662). The default is off: nobody needs it who can verify a signature.
	Introspection bool

	// RFC6749Errors answers a wrong password with status 400, as RFC 6749 section
	// 5.2 has it, where the default is FastAPI's 401.
	RFC6749Errors bool
	// StrictForm wants grant_type to be there, as FastAPI's
	// OAuth2PasswordRequestFormStrict does.
	StrictForm bool
	// BasicRealm, if not empty, takes name and password with each request (RFC
	// 7617): for machines that can do no better. Each costs a log-in.
	BasicRealm string
	// CertificateUser, if not nil, takes client certificates that an authority of
	// the settings has signed, and returns the name of the user whom one belongs
	// to, or "". Go by a name that the authority gives to one owner only.
	CertificateUser func(cert *x509.Certificate) string

	// Limits are how often a client may try to log in, sign up and get tokens.
	Limits Limits

	// Algorithm signs access tokens. The default is keyring.EdDSA; ES256 is for
	// verifiers that cannot do it. HS256 is for APIs that are their tokens' only
	// verifier: no key is published.
	Algorithm keyring.Algorithm
	// RotateEvery is how long a key signs before the next one does. The default is
	// 90 days, the shortest an hour.
	RotateEvery time.Duration
	// AccessTTL is how long access tokens live. The default is 10 minutes, the
	// longest 15.
	AccessTTL time.Duration
	// MinPassword is the fewest characters of a password. The default is 12, the
	// least 8.
	MinPassword int
	// Breached, if not nil, asks whether a password was stolen elsewhere.
	Breached func(ctx context.Context, password secret.Text) (bool, error)
	// InsecureWeakHashing, if not empty, says why passwords are hashed with almost
	// no work: for tests.
	InsecureWeakHashing string

	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

// SignUp says what strangers get who make an account.
type SignUp struct {
	// Roles are their roles, not that of the administrator.
	Roles []string
	// Tenant is their tenant, "" for none.
	Tenant string
}

// Scope is something that a token can be for (RFC 6749 section 3.3).
type Scope struct {
	Name, Description string
}

// Client is a program that gets tokens on behalf of users (RFC 6749 section 2).
type Client struct {
	// ID is the client_id.
	ID string
	// Name is for people.
	Name string
	// FirstParty says that the client is the application's own, so that users may
	// type their password into it. Any other asks for a code (RFC 9700 section
	// 2.4: the password grant must not be used).
	FirstParty bool
	// SecretHash is the SHA-256, in hexadecimal, of the secret of a client that can
	// keep one: 32 random bytes. Programs in a browser or on a phone cannot.
	SecretHash string
	// RedirectURIs are where codes may be sent to, compared character by character.
	RedirectURIs []string
}

// The scopes that every identity has. A token that is not for them cannot be used
// to take over the account that it acts for, or those of others.
const (
	scopeAccount = "account"
	scopeUsers   = "users"
)

// ownScopes describes them.
func ownScopes() []Scope {
	return []Scope{
		{scopeAccount, "Change the own account: password, sessions, keys, second factor."},
		{scopeUsers, "Manage the users, for administrators."},
	}
}

func (c *Config) withDefaults() {
	c.Scopes = slices.Concat(c.Scopes, ownScopes())
	c.Administrator = cmp.Or(c.Administrator, "admin")
	c.Algorithm = cmp.Or(c.Algorithm, keyring.EdDSA)
	c.RotateEvery = cmp.Or(c.RotateEvery, 90*24*time.Hour)
	c.AccessTTL = cmp.Or(c.AccessTTL, 10*time.Minute)
	c.MinPassword = cmp.Or(c.MinPassword, 12)
	c.Limits.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
}

// validate names every mistake that can be seen before the app starts.
func (c *Config) validate() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("identity: "+format, args...))
		}
	}
	wrong(c.Open == nil, "Open is nil, want what opens the database")
	wrong(len(c.Roles) == 0, "Roles is empty")
	wrong(!slices.Contains(c.Roles, c.Administrator), "Administrator is %q, which is not in Roles", c.Administrator)
	if c.Issuer != "" {
		u, err := url.Parse(c.Issuer)
		wrong(err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "",
			"Issuer is %q, want https:// and a host: its metadata are at the root of it (RFC 8414 section 3)", c.Issuer)
	}
	wrong(c.RotateEvery < time.Hour, "RotateEvery is %v, want at least an hour", c.RotateEvery)
	wrong(c.MinPassword < 8, "MinPassword is %d, want at least 8 (NIST SP 800-63B section 5.1.1.2)", c.MinPassword)
	if c.SignUp != nil {
		wrong(strings.ContainsFunc(c.SignUp.Tenant, func(r rune) bool { return r <= ' ' || r > '~' }), "SignUp.Tenant is %q, want printable ASCII without spaces", c.SignUp.Tenant)
		wrong(slices.Contains(c.SignUp.Roles, c.Administrator), "SignUp.Roles has the role of the administrator")
		for _, role := range c.SignUp.Roles {
			wrong(!slices.Contains(c.Roles, role), "SignUp.Roles has %q, which is not in Roles", role)
		}
	}
	for i, s := range c.Scopes {
		wrong(s.Name == "" || strings.ContainsFunc(s.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }),
			"Scopes[%d] is %q, want one word of printable ASCII without quotes (RFC 6749 section 3.3)", i, s.Name)
		twice := slices.ContainsFunc(c.Scopes[:i], func(before Scope) bool { return before.Name == s.Name })
		wrong(twice, "Scopes has %q twice, or it is one that every identity has", s.Name)
	}
	return errors.Join(append(errs, c.clientMistakes()...)...)
}

func (c *Config) clientMistakes() (errs []error) {
	seen := make(map[string]bool)
	for i, client := range c.Clients {
		wrong := func(is bool, format string, args ...any) {
			if is {
				errs = append(errs, fmt.Errorf("identity: Clients[%d]: "+format, append([]any{i}, args...)...))
			}
		}
		wrong(client.ID == "" || strings.ContainsFunc(client.ID, func(r rune) bool { return r <= ' ' || r > '~' }),
			"ID is %q, want printable ASCII without spaces", client.ID)
		wrong(seen[client.ID], "ID %q is there twice", client.ID)
		seen[client.ID] = true
		hash, err := hex.DecodeString(client.SecretHash)
		wrong(err != nil || len(hash) != 0 && len(hash) != 32, "SecretHash is not a SHA-256 in hexadecimal")
		none := sha256.Sum256(nil)
		wrong(bytes.Equal(hash, none[:]), "SecretHash is that of no secret at all")
		for _, uri := range client.RedirectURIs {
			wrong(!isRedirect(uri), "redirect URI %q: want https and a host, or http and 127.0.0.1 or [::1], or a scheme of the program's own with a dot in it (RFC 8252 section 7); no user, fragment or *", uri)
		}
	}
	return errs
}

// isRedirect reports whether codes may be sent to an address. A scheme of a
// program's own is the name of a domain in reverse, which javascript, data and file
// are not.
func isRedirect(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Fragment != "" || strings.Contains(uri, "#") || u.User != nil || strings.ContainsRune(u.Host, '*') {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Hostname() != ""
	case "http":
		return u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	}
	return strings.Contains(u.Scheme, ".")
}

// client returns the client of an id, or nil.
func (c *Config) client(id string) *Client {
	for i := range c.Clients {
		if c.Clients[i].ID == id {
			return &c.Clients[i]
		}
	}
	return nil
}

// unnamed returns the client that is meant by a request that names none: the
// first of the application's own that has no secret to prove it by, or nil.
func (c *Config) unnamed() *Client {
	for i := range c.Clients {
		if client := &c.Clients[i]; client.FirstParty && client.SecretHash == "" {
			return client
		}
	}
	return nil
}

// passwords reports whether there is a client that may ask for passwords.
func (c *Config) passwords() bool {
	return slices.ContainsFunc(c.Clients, func(client Client) bool { return client.FirstParty })
}
