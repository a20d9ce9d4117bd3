package identity

import (
	"errors"
	"net/http"

	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/problem"
)

// oauthError is a refusal that OAuth clients understand by its member error (RFC
// 6749 section 5.2), and people by the rest.
func oauthError(status int, code, detail string) *problem.Problem {
	return problem.New(status, detail).Named(code).Extend("error", code)
}

// grantError is the refusal of a log-in. A wrong password is a 401, as with
// FastAPI, where RFC 6749 has a 400: clients read the member error.
func (c *Core) grantError(err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return err
	}
	code := ""
	switch {
	case errors.Is(err, account.ErrSecondFactor):
		code = "mfa_required"
	case errors.Is(err, account.ErrCredentials):
		code = "invalid_grant"
	default:
		return err
	}
	shown := problem.New(p.Status, p.Detail).Named(p.Code).Extend("error", code).Wrap(err)
	if c.cfg.RFC6749Errors {
		shown.Status = http.StatusBadRequest
		return shown
	}
	return shown.With("WWW-Authenticate", "Bearer")
}

// refusedGrant is the refusal of a session, or the error that it is instead.
func refusedGrant(err error) error {
	if errors.Is(err, session.ErrRefused) {
		return oauthError(http.StatusBadRequest, "invalid_grant", "the token is not good, or no more").Wrap(err)
	}
	return err
}

// noStore are the headers of answers that hold tokens (RFC 6749 section 5.1).
func noStore() http.Header {
	return http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}}
}
