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
	errNobody = errors.New("no valid token")
	errNoRole = errors.New("the caller lacks the role")
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

// guard verifies access tokens with golang-jwt as its documentation advises: a
// parser made once, one algorithm, issuer and audience named, an end required.
type guard struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

func newGuard(s Signing) *guard {
	return &guard{
		jwt.NewParser(jwt.WithValidMethods([]string{s.Algorithm}), jwt.WithIssuer(tokenIssuer),
			jwt.WithAudience(tokenAudience), jwt.WithExpirationRequired()),
		func(*jwt.Token) (any, error) { return s.Public, nil },
	}
}

// admit returns the caller of an Authorization header, or errNobody or
// errNoRole.
func (g *guard) admit(authorization string) (*caller, error) {
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
		c, err := g.admit(r.Header.Get("Authorization"))
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
	if errors.Is(err, errNoRole) {
		return http.StatusForbidden
	}
	header.Set("WWW-Authenticate", "Bearer")
	return http.StatusUnauthorized
}
