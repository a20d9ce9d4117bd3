package token

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// BearerConfig configures a [Bearer].
type BearerConfig struct {
	// Name is the scheme's name. The default is "bearer".
	Name string
	// Verifiers verify the tokens: one for each issuer. At least one is required.
	Verifiers []*Verifier
	// Accounts knows the users as they are now. Without it, roles are those that the
	// token was issued with, and a user who was disabled stays for as long as the
	// token lives. The epoch of an account is held against the tokens of this program
	// only: a foreign issuer knows nothing of it.
	Accounts auth.Accounts
	// Sessions knows which log-ins go on. Without it, a token outlives the log-out.
	Sessions auth.Sessions
	// Flows say where clients get tokens. With them the document describes the
	// scheme as "oauth2", and without as "http" with the scheme "bearer".
	Flows *openapi.OAuthFlows
}

// Bearer takes an access token in the Authorization header (RFC 6750, section
// 2.1). It reads no other place: URLs end up in logs, and forms can be sent by
// other sites.
type Bearer struct {
	cfg       BearerConfig
	verifiers *Verifiers
}

// NewBearer returns the scheme, or an error that names every mistake in cfg.
func NewBearer(cfg BearerConfig) (*Bearer, error) {
	if cfg.Name == "" {
		cfg.Name = "bearer"
	}
	verifiers, err := NewVerifiers(cfg.Verifiers...)
	if err != nil {
		return nil, fmt.Errorf("bearer: %w", err)
	}
	return &Bearer{cfg, verifiers}, nil
}

// Describe describes the scheme.
func (b *Bearer) Describe() auth.Description {
	security := &openapi.SecurityScheme{
		Type: "http", Scheme: "bearer", BearerFormat: "JWT",
		Description: "An access token in the Authorization header (RFC 6750, RFC 9068).",
	}
	if b.cfg.Flows != nil {
		security = &openapi.SecurityScheme{Type: "oauth2", Description: security.Description, Flows: b.cfg.Flows}
	}
	return auth.Description{Name: b.cfg.Name, Security: security, Challenge: "Bearer", OptOuts: b.optOuts()}
}

// optOuts collects what the verifiers go without. Several reasons for one defence
// are all there.
func (b *Bearer) optOuts() map[string]string {
	all := make(map[string]string)
	for _, v := range b.cfg.Verifiers {
		reasons := v.optOuts()
		for _, name := range slices.Sorted(maps.Keys(reasons)) {
			if why := all[name]; why != "" {
				all[name] = why + "; " + reasons[name]
			} else {
				all[name] = reasons[name]
			}
		}
	}
	return all
}

// Present reports whether r has an Authorization header of the scheme Bearer.
func (b *Bearer) Present(r *http.Request) bool {
	_, ok := auth.Credential(r, "Bearer")
	return ok
}

// Authenticate returns who the token stands for, as they are now. It makes no
// allocation for a token that was seen before.
func (b *Bearer) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	text, ok := auth.Credential(r, "Bearer")
	if !ok || text == "" || strings.IndexByte(text, ' ') >= 0 {
		return nil, &auth.Refusal{Code: "invalid_request", Reason: errors.New("want one Authorization header: Bearer, one space, the token")}
	}
	e, err := b.verifiers.verify(ctx, text)
	if err != nil {
		return nil, refusal(err)
	}
	standing, err := b.standing(ctx, &e.token)
	if err != nil {
		return nil, refusal(err)
	}
	return e.user.User(standing, b.cfg.Name, e.token.user), nil
}

// refusal makes of an error what a scheme returns.
func refusal(err error) error {
	switch {
	case errors.Is(err, ErrInvalid):
		return &auth.Refusal{Code: "invalid_token", Reason: err}
	case errors.Is(err, ErrUnavailable):
		return problem.New(http.StatusServiceUnavailable, "the token cannot be verified at the moment").
			Named("unavailable").With("Retry-After", "10").Wrap(err)
	}
	return err
}

// standing returns what holds of the user now, or nil if nobody knows. A user who
// is not active, a token of an earlier epoch, and a log-in that has ended are
// refused.
func (b *Bearer) standing(ctx context.Context, t *Token) (*auth.Standing, error) {
	if b.cfg.Sessions != nil && t.Session != "" {
		live, err := b.cfg.Sessions.Live(ctx, t.Session)
		if err != nil {
			return nil, err
		}
		if !live {
			return nil, refuse("the session has ended")
		}
	}
	if b.cfg.Accounts == nil {
		return nil, nil
	}
	s, err := b.cfg.Accounts.Standing(ctx, t.UserID)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, refuse("there is no such user")
	case !s.Active:
		return nil, refuse("the user is not active")
	case t.Epoch < s.Epoch && !t.foreign:
		return nil, refuse("the token is of an earlier epoch of the account")
	case !s.Tenant.IsZero() && t.Tenant != "" && t.Tenant != s.Tenant.String():
		return nil, refuse("the user works for another tenant now")
	}
	return s, nil
}

// user returns who the token stands for. What is known now wins over what was.
func (t *Token) user(standing *auth.Standing, scheme string) *auth.User {
	u := &auth.User{
		ID: t.UserID, Roles: t.Roles, Scopes: t.Scopes, AllScopes: t.AllScopes,
		Client: t.Client, Session: t.Session, Issuer: t.Issuer, Scheme: scheme,
		Methods: t.Methods, At: t.AuthenticatedAt, Until: t.Until,
	}
	if t.Tenant != "" {
		u.Tenant = auth.NewTenant(t.Tenant)
	}
	if standing != nil {
		u.Name, u.Roles = standing.Name, standing.Roles
		if !standing.Tenant.IsZero() {
			u.Tenant = standing.Tenant
		}
	}
	return u
}
