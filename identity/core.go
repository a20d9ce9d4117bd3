package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// The purposes of keys.
const (
	purposeToken  = "access-token"
	purposeFactor = "second-factor"
	purposeForm   = "csrf-token"
	purposeCursor = "cursor"
)

// clockSkew is how far the clocks of processes may be apart.
const clockSkew = 5 * time.Minute

// Core is the identity of an app that has started: the parts that it is made of.
type Core struct {
	Accounts *account.Accounts
	Sessions *session.Sessions
	Cookies  *session.Cookies
	APIKeys  *apikey.Keys
	Ring     *keyring.Ring
	Events   *auditlog.Log
	// Issuer is the iss of the tokens.
	Issuer string

	cfg    *Config
	logger *slog.Logger
	resets []func(ctx context.Context, c *Core, userID string) error
	// bootstrapFile holds the token for the first administrator.
	bootstrapFile string
	db            *sqldb.DB
	issuer        *token.Issuer
	verifier      *token.Verifier
	bearer        *token.Bearer
	keys          *apikey.Scheme
}

// open makes the core when the app starts.
func (id *Identity) open(ctx context.Context, in struct{ Settings fastness.Settings }) (*Core, func(error) error, error) {
	c := &Core{cfg: &id.cfg, resets: id.resets, logger: id.app.Logger(), bootstrapFile: bootstrapPath(in.Settings)}
	// Open mostly makes a file there. In development the certificate has made the
	// folder, elsewhere nothing has. What is wrong with it, Open says.
	_ = os.MkdirAll(in.Settings.DataDir, 0o700)
	if err := c.setIssuer(in.Settings); err != nil {
		return nil, nil, err
	}
	var err error
	if c.db, err = id.cfg.Open(ctx, in.Settings); err != nil {
		return nil, nil, fmt.Errorf("identity: %w", err)
	}
	if c.db == nil {
		return nil, nil, errors.New("identity: Open returned no database")
	}
	if err := c.assemble(ctx, in.Settings); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("identity: %w", err), c.db.Close())
	}
	id.core.Store(c)
	return c, c.close(c.keepUp()), nil
}

// keepUp looks after the keys and clears away old sessions until stop is called.
// Both happen without it, too, but not while nobody asks for anything.
func (c *Core) keepUp() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Ring.Run(ctx) }) // It ends with ctx, and logs what fails.
	running.Go(func() { c.purge(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// purge deletes what has been over for long.
func (c *Core) purge(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		_, err1 := c.Sessions.Purge(ctx)
		_, err2 := c.APIKeys.Purge(ctx)
		if err := errors.Join(err1, err2); err != nil && ctx.Err() == nil {
			c.logger.Error("old sessions and keys could not be deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *Core) close(stop func()) func(error) error {
	return func(error) error {
		stop()
		return c.db.Close()
	}
}

// setIssuer finds out what the API is called.
func (c *Core) setIssuer(s fastness.Settings) error {
	c.Issuer = cmp.Or(c.cfg.Issuer, s.PublicURL)
	if s.Development() {
		_, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			port = "8443"
		}
		c.Issuer = "https://localhost:" + port
	}
	if c.Issuer == "" {
		return errors.New("identity: nobody says under which URL the API is reached: want --public-url, or Config.Issuer")
	}
	return nil
}

func (c *Core) assemble(ctx context.Context, s fastness.Settings) (err error) {
	if c.Events, err = auditlog.Open(ctx, auditlog.Config{DB: c.db, Logger: c.logger, Now: c.cfg.Now}); err != nil {
		return err
	}
	if err := c.openRing(ctx, s); err != nil {
		return err
	}
	if err := c.openAccounts(ctx); err != nil {
		return err
	}
	c.Sessions, err = session.Open(ctx, session.Config{DB: c.db, Accounts: c.Accounts, Events: stamped{c.Events}, Now: c.cfg.Now})
	if err != nil {
		return err
	}
	if c.APIKeys, err = apikey.Open(ctx, apikey.Config{DB: c.db, Accounts: c.Accounts, Events: stamped{c.Events}, Now: c.cfg.Now}); err != nil {
		return err
	}
	return c.makeSchemes()
}

func (c *Core) openRing(ctx context.Context, s fastness.Settings) error {
	master, err := masterKey(s)
	if err != nil {
		return err
	}
	sealer, err := keyring.NewSealer(master)
	if err != nil {
		return err
	}
	store, err := keyring.SQL(ctx, c.db)
	if err != nil {
		return err
	}
	c.Ring, err = keyring.Open(ctx, keyring.Config{
		Store: store, Sealer: sealer, Skew: clockSkew, Events: stamped{c.Events}, Logger: c.logger, Now: c.cfg.Now,
		Purposes: []keyring.Purpose{
			{Name: purposeToken, Algorithm: c.cfg.Algorithm, Lifetime: c.cfg.RotateEvery, Retain: c.cfg.AccessTTL + clockSkew},
			{Name: purposeFactor, Algorithm: keyring.A256GCM},
			{Name: purposeForm, Algorithm: keyring.A256GCM, Lifetime: c.cfg.RotateEvery, Retain: 24*time.Hour + clockSkew}, // A token lives for a day at most.
			{Name: purposeCursor, Algorithm: keyring.A256GCM, Lifetime: c.cfg.RotateEvery, Retain: page.MaxAge + clockSkew},
		},
	})
	if errors.Is(err, keyring.ErrOtherKEK) {
		return fmt.Errorf("%w; want the --master-key with which the program serves", err)
	}
	return err
}

// masterKey reads the key that encrypts all others at rest. In development it is
// made where it is missing.
func masterKey(s fastness.Settings) (secret.Text, error) {
	path := s.MasterKey
	if path == "" {
		path = filepath.Join(s.DataDir, "master.key")
	}
	if s.Development() {
		return keyring.LoadOrCreateKEK(path)
	}
	key, err := keyring.LoadKEK(path)
	if err != nil {
		return key, fmt.Errorf("%w; keys new-master FILE makes one, --master-key says where it is", err)
	}
	return key, nil
}

func (c *Core) openAccounts(ctx context.Context) error {
	hashing := password.Config{}
	if c.cfg.InsecureWeakHashing != "" {
		hashing = password.Config{Memory: 8, Time: 1, InsecureWeakParameters: c.cfg.InsecureWeakHashing}
	}
	hasher, err := password.New(hashing)
	if err != nil {
		return err
	}
	policy, err := password.NewPolicy(password.PolicyConfig{MinLength: c.cfg.MinPassword, Breached: c.cfg.Breached})
	if err != nil {
		return err
	}
	var signUp auth.Set
	if c.cfg.SignUp != nil {
		signUp = auth.SetOf(c.cfg.SignUp.Roles...)
	}
	c.Accounts, err = account.Open(ctx, account.Config{
		DB: c.db, Passwords: hasher, Policy: policy, Events: stamped{c.Events}, Now: c.cfg.Now,
		Roles: c.cfg.Roles, Administrator: c.cfg.Administrator, SignUpRoles: signUp,
		EndSessions: func(ctx context.Context, user, except string) error {
			_, err := c.Sessions.EndOthers(ctx, user, except)
			if except == "" { // Not the user's own doing from a session that goes on: whoever made keys may have been a thief.
				_, gone := c.APIKeys.RevokeAll(ctx, user)
				err = errors.Join(err, gone)
			}
			return err
		},
		Sealer: factorSealer{c.Ring}, Issuer: c.Name(),
	})
	return err
}

// Name returns what people, and their authenticator apps, know the application as.
func (c *Core) Name() string {
	if c.cfg.Name != "" {
		return c.cfg.Name
	}
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return "API"
	}
	return u.Hostname()
}

// Audience returns the aud of access tokens.
func (c *Core) Audience() string {
	if c.cfg.Audience != "" {
		return c.cfg.Audience
	}
	return c.Issuer
}

func (c *Core) makeSchemes() (err error) {
	keys, err := c.Ring.Tokens(purposeToken)
	if err != nil {
		return err
	}
	c.issuer, err = token.NewIssuer(token.IssuerConfig{
		Issuer: c.Issuer, Audience: c.Audience(), Signer: keys, TTL: c.cfg.AccessTTL, Now: c.cfg.Now,
	})
	if err != nil {
		return err
	}
	c.verifier, err = token.NewVerifier(token.VerifierConfig{Issuer: c.Issuer, Audience: c.Audience(), Keys: keys, Now: c.cfg.Now})
	if err != nil {
		return err
	}
	c.bearer, err = token.NewBearer(token.BearerConfig{
		Name: schemeOAuth2, Verifiers: []*token.Verifier{c.verifier}, Accounts: c.Accounts, Sessions: c.Sessions,
	})
	if err != nil {
		return err
	}
	if c.Cookies, err = session.NewCookies(session.CookieConfig{Sessions: c.Sessions, Name: schemeSession}); err != nil {
		return err
	}
	c.keys, err = apikey.NewScheme(apikey.SchemeConfig{Keys: c.APIKeys, Name: schemeAPIKey})
	return err
}

// What follows is for the packages above: authorization servers, which end a log-in
// of their own kind in the tokens of this one, and other ways to log in.

// Client returns the client of an id, or nil.
func (c *Core) Client(id string) *Client { return c.cfg.client(id) }

// Clients returns all clients.
func (c *Core) Clients() []Client { return slices.Clone(c.cfg.Clients) }

// Scopes returns what tokens can be for.
func (c *Core) Scopes() []Scope { return slices.Clone(c.cfg.Scopes) }

// Introspects reports whether clients may ask what a token is good for.
func (c *Core) Introspects() bool { return c.cfg.Introspection }

// DB returns the database of the accounts and sessions.
func (c *Core) DB() *sqldb.DB { return c.db }

// Now returns the time on the clock of the Config.
func (c *Core) Now() time.Time { return c.cfg.Now() }

// TokenKeys returns the keys that sign access tokens. Their public parts are
// published.
func (c *Core) TokenKeys() (*keyring.TokenKeys, error) { return c.Ring.Tokens(purposeToken) }

// TokenAlgorithm returns what they sign with.
func (c *Core) TokenAlgorithm() keyring.Algorithm { return c.cfg.Algorithm }
