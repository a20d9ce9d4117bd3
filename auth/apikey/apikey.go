// Package apikey gives machines a credential of their own.
//
// A key belongs to a user and is for some scopes. It is shown once and stored as
// a hash; it expires, and it can be revoked:
//
//	keys, err := apikey.Open(ctx, apikey.Config{DB: db, Accounts: accounts, Events: events, Prefix: "shop"})
//	scheme, err := apikey.NewScheme(apikey.SchemeConfig{Keys: keys}) // X-API-Key
//	app.Authenticate(scheme)
//
//	key, text, err := keys.Create(ctx, apikey.Request{Owner: user.ID, Name: "nightly export", Scopes: auth.SetOf("orders:read")})
//
// # What a key looks like
//
//	shop_7Qm2xK0fZb19TuVe_…43 characters of secret, 6 of checksum…
//
// The prefix says whose it is, so that scanners for secrets find one that was
// committed: [Keys.Pattern] is the expression for them, for the prefix above
//
//	\bshop_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\b
//
// The id is in lists and logs. The secret has 256 random bits. The checksum, the
// CRC-32 of what stands before it in base 62, tells a key from a text that only
// looks like one, and a typo from an attack, without a query. It protects
// nothing: that is the secret's part.
//
// # Whom a key is
//
// A request with a key is its owner's: roles and standing are those that the user
// has now, and a disabled user's keys are dead. The scopes are the key's, and
// [auth.User.Client] is its id.
//
// A key outlives log-ins. It does not end with a change of the owner's password,
// which would stop machines that have nothing to do with it. Where an account was
// taken over, end its keys, too: [Keys.RevokeAll].
package apikey

import (
	"errors"
	"time"

	"github.com/fastness/fastness/auth"
)

// ErrRefused is in the chain of the errors of [Keys.Create] for an owner who may
// not have a key: one who is not active, or has too many.
var ErrRefused = errors.New("API key refused")

// ErrTooMany is in the chain, too, if the owner has as many keys as they may have.
var ErrTooMany = errors.New("too many API keys")

// ErrName is in the chain if the name of a key is not 1 to 200 bytes of what can be
// printed.
var ErrName = errors.New("Name is not 1 to 200 bytes of what can be printed")

// Key is one key, without its secret.
type Key struct {
	// ID names the key in lists and logs. It is no secret.
	ID string
	// Name is for people.
	Name string
	// Owner is the id of the user who is calling when the key is used.
	Owner string
	// Scopes are what the key is for, and AllScopes says that it is for all that
	// its owner may do.
	Scopes    auth.Set
	AllScopes bool
	Created   time.Time
	Expires   time.Time
	// LastUsed is up to 10 minutes early, and zero for a key that never was.
	LastUsed time.Time
	// Revoked is when the key was revoked, or zero.
	Revoked time.Time
}

// Live reports whether the key has been neither revoked nor outlived. What has
// happened to its owner is another question.
func (k *Key) Live(now time.Time) bool { return k.Revoked.IsZero() && now.Before(k.Expires) }
