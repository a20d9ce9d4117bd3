package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// What a browser gets.
func ExampleCookies_SetCookie() {
	cookies, err := session.NewCookies(session.CookieConfig{Sessions: new(session.Sessions)})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := make(http.Header)
	cookies.SetCookie(h, "value", nil)
	fmt.Println(h.Get("Set-Cookie"))
	// Output: __Host-session=value; Path=/; HttpOnly; Secure; SameSite=Lax
}

// Log-in and log-out of a browser. Who the user is was found out before.
func ExampleCookies_LogIn() {
	open := func(ctx context.Context, db *sqldb.DB, accounts auth.Accounts) (*session.Cookies, error) {
		sessions, err := session.Open(ctx, session.Config{DB: db, Accounts: accounts, Events: auditlog.Discard{}})
		if err != nil {
			return nil, err
		}
		return session.NewCookies(session.CookieConfig{Sessions: sessions})
	}
	logIn := func(cookies *session.Cookies, w http.ResponseWriter, r *http.Request, user string) error {
		_, err := cookies.LogIn(r.Context(), w.Header(), r, session.Login{
			User: user, AllScopes: true, Methods: auth.SetOf("pwd", "otp"), Label: r.UserAgent(),
		})
		return err
	}
	logOut := func(cookies *session.Cookies, w http.ResponseWriter, r *http.Request) error {
		return cookies.LogOut(r.Context(), w.Header(), r)
	}
	_, _, _ = open, logIn, logOut
}

// Refresh tokens of an app.
func ExampleSessions_Refresh() {
	refresh := func(ctx context.Context, sessions *session.Sessions, token, client string) (next string, err error) {
		s, next, err := sessions.Refresh(ctx, token, client)
		if errors.Is(err, session.ErrRefused) {
			return "", problem.New(http.StatusBadRequest, "the refresh token is not good").Named("invalid_grant").Wrap(err)
		}
		if err != nil {
			return "", err
		}
		fmt.Println("an access token for", s.User, "of session", s.ID)
		return next, nil
	}
	_ = refresh
}
