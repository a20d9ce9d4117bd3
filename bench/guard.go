package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// What a guard can have against a caller.
var (
	errTooMany = errors.New("too many requests")
	errNobody  = errors.New("no valid token")
	errNoRole  = errors.New("the caller lacks the role")
)

// caller is what peers know of a verified caller.
type caller struct {
	jwt.RegisteredClaims
	Roles []string `json:"roles"`
}

type callerKey struct{}

// sellerOf returns the id of the caller that Handler has put into ctx, or "".
func sellerOf(ctx context.Context) string {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c.Subject
	}
	return ""
}

// guard limits clients, and verifies access tokens with golang-jwt as its
// documentation advises: a parser made once, one algorithm, issuer and audience
// named, an end required. The limit comes first, so that a flood of forged
// tokens is not verified.
type guard struct {
	limit  *limiter
	parser *jwt.Parser
	key    jwt.Keyfunc
}

func newGuard(t Terms) *guard {
	return &guard{
		newLimiter(t.Limit),
		jwt.NewParser(jwt.WithValidMethods([]string{t.Algorithm}), jwt.WithIssuer(tokenIssuer),
			jwt.WithAudience(tokenAudience), jwt.WithExpirationRequired()),
		func(*jwt.Token) (any, error) { return t.Public, nil },
	}
}

// admit returns the caller of an Authorization header that a client has sent, or
// errTooMany, errNobody or errNoRole.
func (g *guard) admit(address, authorization string) (*caller, error) {
	if !g.limit.allow(address) {
		return nil, errTooMany
	}
	return g.bearer(authorization)
}

// bearer is admit without the limit.
func (g *guard) bearer(authorization string) (*caller, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errNobody
	}
	return g.verify(token, tokenRole)
}

func (g *guard) verify(token string, roles ...string) (*caller, error) {
	c := new(caller)
	if _, err := g.parser.ParseWithClaims(token, c, g.key); err != nil {
		return nil, errNobody
	}
	for _, role := range roles {
		if !slices.Contains(c.Roles, role) {
			return nil, errNoRole
		}
	}
	return c, nil
}

// Handler is the guard as middleware of net/http.
func (g *guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := g.admit(hostOf(r.RemoteAddr), r.Header.Get("Authorization"))
		if err != nil {
			answer(w, refusal(w.Header(), err), pathErrors{})
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// refusal returns the status for what admit said, and sets the challenge that
// goes with it.
func refusal(header http.Header, err error) int {
	switch {
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests
	case errors.Is(err, errNoRole):
		return http.StatusForbidden
	}
	header.Set("WWW-Authenticate", "Bearer")
	return http.StatusUnauthorized
}
