package passkey

import (
	"net/http"

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
