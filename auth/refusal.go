package auth

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// The details of refusals are those of FastAPI. They say nothing about why: a
// user who is disabled, a token that is expired and one that was never signed
// look alike.
const (
	detailMissing = "Not authenticated"
	detailInvalid = "Invalid authentication credentials"
)

// Refusal is the error of a scheme for a credential that is not good.
type Refusal struct {
	// Code is the error of RFC 6750 section 3.1, "invalid_token" or
	// "invalid_request", for the challenge of schemes that have one.
	Code string
	// Reason is for the log.
	Reason error
}

// Error returns the reason.
func (r *Refusal) Error() string {
	if r.Reason == nil {
		return "the credential is refused"
	}
	return r.Reason.Error()
}

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// missing is the answer to a request without a credential. A challenge has no
// error then (RFC 6750 section 3.1).
func missing(challenges []string) *problem.Problem {
	p := problem.New(http.StatusUnauthorized, detailMissing).Named("not_authenticated")
	for _, value := range challenges {
		p = p.Add("WWW-Authenticate", value)
	}
	return p
}

// invalid is the answer to a bad credential. Those of the usual codes are made
// once: a flood of bad credentials must not cost more than good ones.
func (k *known) invalid(refusal *Refusal) error {
	var p problem.Problem
	switch refusal.Code {
	case "":
		p = *k.refused
	case codeInvalidToken:
		p = *k.invalidToken
	default:
		p = *k.is.refused(refusal.Code)
	}
	return p.Wrap(refusal)
}

const codeInvalidToken = "invalid_token"

// refused makes the answer to a credential that is bad in the way of code.
func (d *Description) refused(code string) *problem.Problem {
	challenge := d.Challenge
	if code != "" {
		if strings.Contains(challenge, "=") { // Parameters are separated by commas (RFC 9110 section 11.2).
			challenge += ","
		}
		challenge += ` error="` + code + `"`
	}
	return problem.New(http.StatusUnauthorized, detailInvalid).Named("invalid_credentials").
		With("WWW-Authenticate", challenge)
}

// ambiguous is the answer to more credentials than one.
func ambiguous() error {
	return problem.New(http.StatusBadRequest, "the request has more than one credential").Named("ambiguous_credentials")
}

// CrossSite returns the answer to a page of another site that makes a browser send
// what its owner never asked for.
func CrossSite() error {
	return problem.New(http.StatusForbidden, "the request comes from another site").Named("cross_site")
}
