// Package session keeps who is logged in.
//
// A [Session] is what a log-in begins and a log-out ends. A browser carries it
// as a cookie, an app as a chain of refresh tokens; both are ended the same way,
// from here or from another device, and both are dead on the next request:
//
//	sessions, err := session.Open(ctx, session.Config{DB: db, Accounts: accounts, Events: events})
//	cookies, err := session.NewCookies(session.CookieConfig{Sessions: sessions})
//	app.Authenticate(cookies)
//
//	s, err := cookies.LogIn(ctx, w.Header(), r, session.Login{User: account.ID, AllScopes: true, Methods: methods})
//
//	s, token, err := sessions.Begin(ctx, session.Login{Kind: session.App, User: account.ID, Client: "phone", …})
//	s, token, err = sessions.Refresh(ctx, token, "phone")
//
// # What a thief gets
//
// From a copy of the database, nothing: it has the SHA-256 of 256 random bits,
// which cannot be used to log in.
//
// From a cookie, what its owner has, until they log out or have been away for 30
// minutes, and for 12 hours at most. A cookie that was planted before a log-in is
// worthless after it: [Sessions.Begin] and [Sessions.Renew] make a new value each
// time, and what the browser came with is never adopted.
//
// From a refresh token, a race that somebody loses: each works once, so that
// either the thief or the owner comes with one that was used. That ends the
// session for both (RFC 9700 section 4.14.2).
//
// # How fresh an answer is
//
// Whether a session goes on is asked for each request and kept for 4 seconds.
// What ends in this process counts at once.
package session

import (
	"errors"
	"time"

	"github.com/fastness/fastness/auth"
)

// ErrRefused is in the chain of the errors for a session or token that is not
// accepted: unknown, used, ended, expired, of another client, or of a user who is
// disabled. Callers of an API are told no more than that (RFC 6749 section 5.2:
// "invalid_grant"); the rest of the error is for the log.
var ErrRefused = errors.New("session refused")

// Kind is how a session is carried.
type Kind string

const (
	// Browser is a session in a cookie, see [Cookies]. Its secret is the value.
	Browser Kind = "browser"
	// App is a session in a chain of refresh tokens. Its secret is the first.
	App Kind = "app"
)

// Reason is why a session ended before its time.
type Reason string

const (
	// LoggedOut means that the user ended it from inside.
	LoggedOut Reason = "logout"
	// Revoked means that it was ended from outside: from another device, by an
	// administrator, by a change of the password.
	Revoked Reason = "revoked"
	// Superseded means that the same browser logged in again.
	Superseded Reason = "superseded"
	// Replayed means that a refresh token was used a second time.
	Replayed Reason = "replayed"
)

// Session is one log-in, as it was when it was read.
type Session struct {
	// ID names the session in access tokens ("sid") and lists. It is no secret.
	ID string
	// User is the id of the user.
	User string
	// Client is the OAuth client of an App, and may be empty for a Browser.
	Client string
	Kind   Kind
	// Scopes are what the log-in is for, and AllScopes says that it is for all
	// that the user may do.
	Scopes    auth.Set
	AllScopes bool
	// Methods are how the user proved who they are (RFC 8176), and At is when.
	Methods auth.Set
	At      time.Time
	// Label is for the user to recognize the device by.
	Label string
	// Epoch is that of the user's [auth.Standing] when the session began.
	Epoch int64

	Created time.Time
	// LastUsed is up to a minute early.
	LastUsed time.Time
	// Until is when the session ends unless it is used before. For one that has
	// ended, it is when it did.
	Until time.Time
	// Absolute is when the session ends, used or not.
	Absolute time.Time
	// Ended is when it was ended, and Why. Both are zero for one that was not.
	Ended time.Time
	Why   Reason
}

// Live reports whether the session has neither ended nor expired by itself. What
// has happened to its user is another question, which [Sessions.Live] answers.
func (s *Session) Live(now time.Time) bool { return s.Ended.IsZero() && now.Before(s.Until) }
