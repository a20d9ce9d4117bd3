package oidc

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/problem"
)

// The parameters that mean something. Others are ignored (RFC 6749 sections 3.1
// and 3.2) and get no further.
func authorizeParameters() []string {
	return []string{
		"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age",
		"code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "display", "acr_values", "request", "request_uri",
	}
}

func tokenParameters() []string {
	return []string{
		"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "refresh_token", "scope",
		"client_assertion", "client_assertion_type",
	}
}

// maxParameter is the most bytes of one value.
const maxParameter = 4096

// parameters reads those of the names, each of which may be there once (RFC 6749
// section 3.1): of two, the next part of a program could believe the other. A POST
// has them in its body only: an address is logged on its way.
func parameters(r *http.Request, names []string) (url.Values, error) {
	pairs, err := form.AppendQuery(nil, r.URL.RawQuery, 0)
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodPost {
		if len(pairs) > 0 {
			return nil, invalid("the parameters of a POST are in its body")
		}
		if pairs, err = bodyParameters(r); err != nil {
			return nil, err
		}
	}
	values := make(url.Values)
	for _, p := range pairs {
		switch {
		case !slices.Contains(names, p.Name) || p.Value == "": // "" is as if it were not there.
			continue
		case values.Has(p.Name):
			return nil, invalid("a parameter is there twice")
		case len(p.Value) > maxParameter:
			return nil, invalid("a parameter is too long")
		}
		values.Set(p.Name, p.Value)
	}
	return values, nil
}

func bodyParameters(r *http.Request) (form.Pairs, error) {
	media, err := form.ContentType(r.Header["Content-Type"])
	if err != nil {
		return nil, err
	}
	if media.Type != "application/x-www-form-urlencoded" || len(r.Header["Content-Encoding"]) > 0 {
		return nil, problem.New(http.StatusUnsupportedMediaType, "the body must be a form").Named("unsupported_media_type").Extend("error", "invalid_request")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, problem.New(http.StatusRequestEntityTooLarge, "the body is too large").Wrap(err)
		}
		return nil, err
	}
	return form.AppendBody(nil, string(body), 0)
}

func invalid(detail string) *problem.Problem {
	return problem.New(http.StatusBadRequest, detail).Named("invalid_request").Extend("error", "invalid_request")
}
