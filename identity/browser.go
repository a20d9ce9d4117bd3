package identity

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redirect"
)

// What is here is for every way to log in with a browser, also those of packages
// above this one.

// EnterBrowser begins the session of who has logged in with the browser that sent
// r, and returns its cookies. The session that the browser came with ends. The error
// is a [session.ErrRefused] if the user was disabled in this moment.
func (c *Core) EnterBrowser(ctx context.Context, r *http.Request, from Origin, login *account.Login) ([]*http.Cookie, error) {
	set := http.Header{}
	_, err := c.Cookies.LogIn(ctx, set, r, session.Login{
		User: login.Account.ID, AllScopes: true, Methods: login.Methods, At: login.At, Epoch: login.Account.Epoch, Label: from.Label,
	})
	return cookiesOf(set), err
}

// cookiesOf returns the cookies that a header sets.
func cookiesOf(h http.Header) []*http.Cookie {
	return (&http.Response{Header: h}).Cookies()
}

// OwnPath returns a path of this site, or "/" if it could lead elsewhere.
func OwnPath(path string) string {
	if own, err := redirect.Path(path); err == nil {
		return own
	}
	return "/"
}

// recentLogin is how long ago the log-in may be of who makes what outlives it: an API
// key, a passkey, a link to an account elsewhere. Whoever finds an open browser, or
// copies a cookie, must not stay in when the session ends or the password changes.
const recentLogin = 10 * time.Minute

// RequireRecentLogin returns nil for callers who logged in within the last 10 minutes, and
// else the answer to them. Clients that know RFC 9470 log the user in again and come
// back.
func (c *Core) RequireRecentLogin(u *auth.User) error {
	if age := c.cfg.Now().Sub(u.At); !u.At.IsZero() && age < recentLogin {
		return nil
	}
	scheme := "Cookie"
	if u.Scheme == schemeOAuth2 {
		scheme = "Bearer"
	}
	return problem.New(http.StatusUnauthorized, "log in again: this takes a log-in within the last 10 minutes").
		Named("insufficient_user_authentication").
		With("WWW-Authenticate", scheme+` error="insufficient_user_authentication", max_age="`+strconv.Itoa(int(recentLogin.Seconds()))+`"`)
}
