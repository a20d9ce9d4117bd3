// Package auth says who is calling.
//
// A [Scheme] finds one kind of credential in a request and verifies it: an
// access token, the cookie of a session, an API key, a password, a client
// certificate. [Schemes] is the list of those that an API takes. What comes out
// is a [User], or a refusal with the right challenge:
//
//	schemes, err := auth.New(bearer, cookies)
//	mux.Handle("/orders", schemes.Handler(orders)) // in orders: auth.From(r.Context())
//
// An app takes them as a whole, and an operation asks for its caller by type:
//
//	app.Authenticate(bearer, cookies)
//
//	type createItem struct {
//		Seller auth.User // verified before a byte of the body is read
//		Body   NewItem
//	}
//
// # One caller, one credential
//
// A request with two explicit credentials is refused: two parts of a program
// could each believe another one (RFC 6750 section 2). An explicit credential
// wins over one that a browser adds by itself, a cookie or a certificate.
//
// Such ambient credentials prove who owns the browser, not who wrote the
// request. With a method that changes something they count only if the browser
// says that the page asking is the API's own.
//
// # What a credential cannot say
//
// A token is a letter of the past: it says what was true when it was signed.
// Whether the user still exists, which roles they have and whether they have
// logged out is asked of [Accounts] and [Sessions] for each request.
package auth

import (
	"context"
	"net/http"

	"github.com/fastness/fastness/internal/caller"
	"github.com/fastness/fastness/openapi"
)

// Scheme finds and verifies one kind of credential. It must be safe for
// concurrent use.
type Scheme interface {
	// Describe says what the scheme is. It is called before the app starts and
	// gives the same answer each time.
	Describe() Description
	// Present reports whether r carries a credential of this kind, good or bad.
	// It is cheap.
	Present(r *http.Request) bool
	// Authenticate verifies the credential of r. What it asks of others ends with
	// ctx, which is not r's own. A bad credential is a [Refusal]; any other error
	// means that it could not be verified, and the request fails. The user may be
	// shared between requests and is never changed.
	Authenticate(ctx context.Context, r *http.Request) (*User, error)
}

// Description is what the world may know about a scheme.
type Description struct {
	// Name is the scheme's name in the document and in access rules, unique
	// within an app: "oauth2", "session", "apiKey".
	Name string
	// Security describes the scheme in the document.
	Security *openapi.SecurityScheme
	// Challenge is the value of WWW-Authenticate that invites this credential
	// (RFC 9110 section 11.6.1): "Bearer", `Basic realm="shop"`.
	Challenge string
	// Ambient says that browsers add the credential by themselves. With a method
	// that changes something it counts for the API's own pages only.
	Ambient bool
	// Programs says that programs send an ambient credential, too: a request that
	// does not say where it comes from counts, as no browser's does.
	Programs bool
	// OptOuts are the defences that the scheme goes without: names of Insecure…
	// fields and the reasons that are their values.
	OptOuts map[string]string
}

// Cookie reports whether the credential is a cookie: then a token against
// cross-site requests belongs to it.
func (d *Description) Cookie() bool {
	return d.Ambient && d.Security != nil && d.Security.Type == "apiKey" && d.Security.In == "cookie"
}

// Standing is what holds of a user at this moment, whatever a credential says.
type Standing struct {
	// Active is false for users who are disabled or locked.
	Active bool
	Name   string
	Roles  Set
	Tenant Tenant
	// Epoch rises when all that was issued to the user is void: at log-out
	// everywhere, and when the password changes.
	Epoch int64
}

// Accounts knows the users as they are now.
type Accounts interface {
	// Standing returns the standing of a user, or nil if there is none of this
	// id. What it returns is never changed. It may be up to 5 seconds old, but
	// never older than a change made in this process.
	Standing(ctx context.Context, userID string) (*Standing, error)
}

// Sessions knows which sessions have not ended.
type Sessions interface {
	// Live reports whether the session goes on, as fresh as a [Standing].
	Live(ctx context.Context, sessionID string) (bool, error)
}

// From returns the verified caller of the request that ctx belongs to, or nil.
func From(ctx context.Context) *User {
	u, _ := ctx.Value(caller.Key{}).(*User)
	return u
}

// With returns a context whose caller is u: for handlers that authenticate by
// other means, for jobs and for tests.
func With(ctx context.Context, u *User) context.Context {
	return context.WithValue(ctx, caller.Key{}, u)
}
