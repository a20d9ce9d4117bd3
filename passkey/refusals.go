package passkey

import (
	"net/http"
	"strconv"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/problem"
)

// refusedLogin is the one answer to every log-in that fails.
func refusedLogin() *problem.Problem {
	return problem.New(http.StatusUnauthorized, "the passkey is not accepted").
		Named("invalid_credentials").With("WWW-Authenticate", "Cookie")
}

// refusedPasskey is the one answer to every passkey that is not added.
func refusedPasskey() *problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, "the passkey is not accepted").Named("invalid_passkey")
}

// stale is the answer to callers whose log-in is too long ago. Clients that know
// RFC 9470 log the user in again and come back.
func stale(u *auth.User) *problem.Problem {
	scheme := "Cookie"
	if u.Scheme == "oauth2" {
		scheme = "Bearer"
	}
	return problem.New(http.StatusUnauthorized, "log in again: this takes a log-in within the last 10 minutes").
		Named("insufficient_user_authentication").
		With("WWW-Authenticate", scheme+` error="insufficient_user_authentication", max_age="`+strconv.Itoa(int(maxAge.Seconds()))+`"`)
}

func tooMany() *problem.Problem {
	return problem.New(http.StatusConflict, "there are too many passkeys: remove one").Named("too_many_passkeys")
}

func exists() *problem.Problem {
	return problem.New(http.StatusConflict, "the passkey is there already").Named("passkey_exists")
}

func lastOne() *problem.Problem {
	return problem.New(http.StatusConflict, "it is the only way to log in: the account has no password").Named("last_passkey")
}

func missing() *problem.Problem { return problem.New(http.StatusNotFound, "") }
