// Package token issues and verifies access tokens: signed statements about who
// is calling, in the form of RFC 9068, so that an API can verify them without
// asking anybody.
//
//	issuer, err := token.NewIssuer(token.IssuerConfig{Issuer: "https://shop.example", Audience: "https://api.shop.example", Signer: ring})
//	text, expires, err := issuer.Issue(ctx, token.Claims{Subject: "u-17", Client: "web", Scopes: auth.SetOf("orders:read")})
//
//	verifier, err := token.NewVerifier(token.VerifierConfig{Issuer: "https://shop.example", Audience: "https://api.shop.example", Keys: ring})
//	bearer, err := token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{verifier}, Accounts: accounts, Sessions: sessions})
//	app.Authenticate(bearer)
//
// # What a token can choose
//
// Nothing but the key, by its id. The key has one algorithm and is used for no
// other; a token that brings a key of its own, or asks to be understood
// differently, is refused unread. Issuer, audience and type are the verifier's,
// compared byte for byte. So an ID token, a refresh token, a token for another
// API or for another issuer is not an access token here, whoever signed it.
//
// # What a token cannot know
//
// It says what was true when it was issued. [Bearer] therefore asks for each
// request whether the user is still active, which roles they have now, and
// whether the log-in goes on. Tokens live for minutes, and what is remembered of
// them is forgotten when a key is withdrawn.
//
// # Speed
//
// A signature is verified once. A [Verifier] remembers tokens in whole, up to a
// bound and never beyond their end; finding one again takes no allocation.
package token

import (
	"context"
	"errors"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/jws"
)

var (
	// ErrInvalid is in the chain of every error that says that a token is not
	// good. Why is for the log only: a caller who learns it learns what to forge.
	ErrInvalid = errors.New("invalid token")
	// ErrUnavailable is in the chain of errors that say that a token could not be
	// verified, because the keys cannot be had.
	ErrUnavailable = errors.New("the keys of the issuer cannot be had")
)

// Keys are those that an issuer signs with. It must be safe for concurrent use.
type Keys interface {
	// Key returns the key of an id, which may be any text that an attacker has
	// chosen, or nil if there is none. An error means that it could not be found out.
	Key(ctx context.Context, id string) (*jws.Key, error)
	// Generation changes when a key stops verifying before its time. It is asked
	// for every token, so it must be cheap.
	Generation() uint64
}

// Signer has the key to sign with at this moment.
type Signer interface {
	SigningKey(ctx context.Context) (*jws.Key, error)
}

// Claims are what an issuer says about a caller.
type Claims struct {
	// Subject is the id of the user (sub), or of the client if there is no user.
	// It is required.
	Subject string
	// Client is the OAuth client that the token was issued to (client_id). It is
	// required.
	Client string
	// Scopes are what the token is for (scope).
	Scopes auth.Set
	// AllScopes says that it is for everything that the user may do: they logged in
	// themselves (all_scopes). It excludes Scopes.
	AllScopes bool
	// Roles are what the user was when the token was issued (roles).
	Roles auth.Set
	// Session is the log-in that the token belongs to (sid), or "".
	Session string
	// Epoch is that of the account, see [auth.Standing] (ver). A token of an
	// earlier epoch is void.
	Epoch int64
	// Tenant is the customer whose data the user works with (tenant), or "".
	Tenant string
	// AuthenticatedAt is when the user proved who they are (auth_time), and Methods
	// how (amr, RFC 8176). Both may be missing.
	AuthenticatedAt time.Time
	Methods         auth.Set
	// NotBefore is when the token begins to be good (nbf). The default is at once.
	NotBefore time.Time
}

// Token is a verified token. It is shared between requests and never changed.
type Token struct {
	Claims
	// UserID is the subject behind the verifier's SubjectPrefix.
	UserID string
	// Issuer is who issued the token (iss), ID is its own id (jti).
	Issuer, ID string
	// IssuedAt is when (iat), and Until is when the token ends (exp).
	IssuedAt, Until time.Time

	foreign bool
}

// invalid is an error that says why a token is not good.
type invalid struct {
	reason string
	cause  error
}

func refuse(reason string) error { return &invalid{reason: reason} }

func (e *invalid) Error() string {
	if e.cause != nil {
		return "invalid token: " + e.reason + ": " + e.cause.Error()
	}
	return "invalid token: " + e.reason
}

func (e *invalid) Is(target error) bool { return target == ErrInvalid }

func (e *invalid) Unwrap() error { return e.cause }
