package account

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/fastness/fastness/problem"
)

// What the errors of this package have in their chains, beside a
// [problem.Problem] that says it to the caller.
var (
	// ErrCredentials is a log-in that failed, whatever the reason: 401.
	ErrCredentials = errors.New("account: the log-in is refused")
	// ErrSecondFactor is a right password without the code that is needed, too:
	// 401 with the code "second_factor_required".
	ErrSecondFactor = errors.New("account: a second factor is needed")
	// ErrThrottled is a guess that comes too early: 429 with Retry-After.
	ErrThrottled = errors.New("account: too many attempts")
	// ErrTaken is a name that somebody has: 409. See [Accounts.SignUp].
	ErrTaken = errors.New("account: the name is taken")
	// ErrUnknown is an account that does not exist, or no more: 404.
	ErrUnknown = errors.New("account: there is no such account")
	// ErrLastAdministrator is a change after which nobody could look after the
	// accounts: 409.
	ErrLastAdministrator = errors.New("account: this is the last administrator")
	// ErrToken is a bootstrap token that is not good, or no more: 403.
	ErrToken = errors.New("account: the bootstrap token is not good")
)

// refused is the one answer to every log-in that fails.
func refused() error {
	return problem.New(http.StatusUnauthorized, "Incorrect username or password").
		Named("invalid_credentials").With("WWW-Authenticate", "Bearer").Wrap(ErrCredentials)
}

func needsCode() error {
	return problem.New(http.StatusUnauthorized, "A code of the second factor is needed").
		Named("second_factor_required").With("WWW-Authenticate", "Bearer").Wrap(ErrSecondFactor)
}

func throttled(wait time.Duration) error {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return problem.New(http.StatusTooManyRequests, "too many attempts; try again later").
		Named("too_many_attempts").With("Retry-After", strconv.Itoa(seconds)).Wrap(ErrThrottled)
}

// wrongProof is the answer to a user who is logged in and cannot prove it again.
// It is no 401: the credential of the request is good.
func wrongProof() error {
	return problem.New(http.StatusForbidden, "the current password or the code is wrong").
		Named("wrong_password").Wrap(ErrCredentials)
}

func taken() error {
	return problem.New(http.StatusConflict, "the name is taken").Named("name_taken").Wrap(ErrTaken)
}

func unknown() error {
	return problem.New(http.StatusNotFound, "there is no such account").Named("unknown_account").Wrap(ErrUnknown)
}

func lastAdministrator() error {
	return problem.New(http.StatusConflict, "this is the last administrator").Named("last_administrator").Wrap(ErrLastAdministrator)
}

func badToken() error {
	return problem.New(http.StatusForbidden, "the token is not good, or no more").Named("invalid_bootstrap_token").Wrap(ErrToken)
}

func conflict(detail string) error {
	return problem.New(http.StatusConflict, detail).Named("conflict")
}

func invalid(code, detail string) error {
	return problem.New(http.StatusUnprocessableEntity, detail).Named(code)
}
