// Package account keeps the users of an application: who they are, how they log
// in, and what holds of them at this moment.
//
//	users, err := account.Open(ctx, account.Config{
//		DB: db, Passwords: hasher, Policy: policy, Events: log,
//		Roles: []string{"admin", "seller"}, Administrator: "admin",
//		EndSessions: sessions.EndOthers,
//	})
//	login, err := users.LogIn(ctx, account.Attempt{Name: in.Username, Password: in.Password, Address: client})
//
// An account has an id, a name, a password and roles. What else an application
// knows of its users stays in tables of its own, with the id as key: an id is
// random and no other user ever gets it.
//
// # What a stranger learns
//
// Nothing about who has an account. A name that nobody has, a wrong password, an
// account that is disabled and one that is locked get the same answer after the
// same work, and are slowed down in the same way. An account that still has a
// hash of another program answers in that program's time until its owner logs in.
//
// Events name the account by its id. A name that nobody has is not recorded: it
// is where people type their password by mistake.
//
// # Guessing
//
// Each address gets a few guesses at an account, then has to wait longer and
// longer; so does everybody together who comes from where nobody has logged in
// to the account before. Nobody is ever locked out by the guesses of others as
// long as they come from a place of their own: see [Attempt.Device]. What is
// counted is in memory, for each process on its own.
//
// # What is in the database
//
// Nothing that lets its reader in. Passwords are slow hashes, recovery codes and
// devices fast hashes of what cannot be guessed, and the secrets of second
// factors are sealed by [Config.Sealer].
package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Config configures [Open].
type Config struct {
	// DB is where the accounts are. It is required. Its Read pool must not lag
	// behind: what another process changed counts here when it is read there.
	DB *sqldb.DB
	// Passwords hashes and verifies. It is required; a *password.Hasher is one.
	Passwords Passwords
	// Policy says which passwords are too weak. It is required; a
	// *password.Policy is one.
	Policy Policy
	// Roles are the roles that there are. No account gets another one.
	Roles []string
	// Administrator is the one of Roles whose owners look after the others. The
	// last of them who can log in is not demoted, disabled, locked or deleted.
	// Empty means that there is no such role, and no [Accounts.Bootstrap].
	Administrator string
	// SignUpRoles are what those get who sign up by themselves.
	SignUpRoles auth.Set
	// Events takes what happens. It is required; auditlog.Discard keeps nothing.
	Events auditlog.Recorder
	// EndSessions ends the sessions of a user but one, which may be "". It is
	// called after all that was issued to the user has become void: when they
	// log out everywhere, when a password or a second factor changes, when an
	// account is disabled or deleted. It is required; where there are no
	// sessions, it returns nil.
	EndSessions func(ctx context.Context, userID, exceptSession string) error
	// Sealer encrypts the secrets of second factors. Without one there are none.
	Sealer Sealer
	// Issuer names the application in authenticator apps: "Shop". It is required
	// with a Sealer.
	Issuer string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Passwords hashes passwords and verifies them, as a *password.Hasher does.
type Passwords interface {
	Hash(ctx context.Context, pw secret.Text) (string, error)
	VerifyAndUpdate(ctx context.Context, hash string, pw secret.Text) (ok bool, newHash string, err error)
	// Dummy is the work of a verification that fails.
	Dummy(ctx context.Context, pw secret.Text) error
}

// Policy says what is wrong with a password, as a *password.Policy does. The
// names are those of its owner.
type Policy interface {
	Check(ctx context.Context, pw secret.Text, names ...string) ([]problem.Violation, error)
}

// Sealer encrypts with a key that is not in the database. What is sealed with one
// value of bound does not open with another (it is the additional data of an
// AEAD): nobody who can write rows gives their own second factor to somebody else.
type Sealer interface {
	Seal(ctx context.Context, plain, bound []byte) (sealed []byte, err error)
	Open(ctx context.Context, sealed, bound []byte) (plain []byte, err error)
}

// Accounts are the users of an application. They are safe for concurrent use.
type Accounts struct {
	cfg       Config
	store     *sqlstore.Store
	roles     auth.Set
	throttle  *throttle
	standings *standings
}

// Open returns the accounts in a database, whose tables it brings up to date, or
// an error that names every mistake in cfg.
func Open(ctx context.Context, cfg Config) (*Accounts, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("account config: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	store, err := sqlstore.Open(ctx, cfg.DB, tables())
	if err != nil {
		return nil, err
	}
	a := &Accounts{cfg: cfg, store: store, roles: auth.SetOf(cfg.Roles...), throttle: newThrottle()}
	a.standings = newStandings(cfg.Now, a.load)
	return a, nil
}

func (c *Config) validate() error {
	var errs []error
	missing := func(is bool, text string) {
		if is {
			errs = append(errs, errors.New(text))
		}
	}
	missing(c.DB == nil || c.DB.Write == nil, "DB is nil, want a database")
	missing(c.Passwords == nil, "Passwords is nil, want a *password.Hasher")
	missing(c.Policy == nil, "Policy is nil, want a *password.Policy")
	missing(c.Events == nil, "Events is nil, want a recorder")
	missing(c.EndSessions == nil, "EndSessions is nil, want what ends the sessions of a user")
	for i, role := range c.Roles {
		if role == "" || strings.ContainsFunc(role, func(r rune) bool { return r <= ' ' || r > '~' }) {
			errs = append(errs, fmt.Errorf("Roles[%d] is %q, want printable ASCII without spaces", i, role))
		}
	}
	if c.Administrator != "" && !slices.Contains(c.Roles, c.Administrator) {
		errs = append(errs, fmt.Errorf("Administrator is %q, which is not in Roles", c.Administrator))
	}
	for role := range c.SignUpRoles.All() {
		switch {
		case !slices.Contains(c.Roles, role):
			errs = append(errs, fmt.Errorf("SignUpRoles has %q, which is not in Roles", role))
		case role == c.Administrator:
			errs = append(errs, errors.New("SignUpRoles has the Administrator: whoever signs up would be one"))
		}
	}
	if c.Sealer != nil && (c.Issuer == "" || strings.ContainsFunc(c.Issuer, func(r rune) bool { return r < ' ' || r > '~' || r == ':' })) {
		errs = append(errs, fmt.Errorf("Issuer is %q, want the application's name in printable ASCII without a colon", c.Issuer))
	}
	return errors.Join(errs...)
}

// Account is what is known of a user.
type Account struct {
	// ID names the user for good.
	ID string
	// Name is what the user logs in with, as it was first written.
	Name   string
	Roles  auth.Set
	Tenant auth.Tenant
	// Disabled is set until somebody enables the account again.
	Disabled bool
	// LockedUntil is when the account can be used again, or zero.
	LockedUntil time.Time
	Created     time.Time
	// PasswordChanged is zero for an account that never had a password.
	PasswordChanged time.Time
	// SecondFactor says that a password alone does not log in.
	SecondFactor bool
	// Epoch rises when all that was issued to the user is void: put it into
	// tokens, and compare it with that of [auth.Standing].
	Epoch int64
}

// By says who asks for a change, for the log of events.
type By struct {
	// Actor is the id of the user who asks, or "" for the program itself. What
	// users do to themselves is done to the Actor: there is no other id that
	// could be mixed up with it.
	Actor string
	// Session is the session that asks. It outlives changes that its own user
	// makes.
	Session string
	// Address is the client's address, without port.
	Address string
	// Request is the id of the request.
	Request string
}

func (a *Accounts) now() time.Time { return a.cfg.Now() }
