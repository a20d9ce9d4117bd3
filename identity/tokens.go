package identity

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
)

func (id *Identity) declareTokens(app *fastness.App) {
	tokens := app.Group("", access.Public, fastness.Tags("log-in"), fastness.BodyLimit(64<<10))
	fastness.Post(tokens, "/token", logIn, id.LogInLimit(), fastness.OperationID("logIn"),
		fastness.Summary("Log in by name and password"),
		fastness.Description("The form is that of OAuth 2.0's password grant, for the application's own clients only; all others ask for a code.\n\nWith grant_type=refresh_token it is as /token/refresh."),
		fastness.ResponseDescription("The tokens."),
		fastness.Response[*problem.Problem](401, "Name, password or code are wrong."),
		fastness.Response[*problem.Problem](429, "Too many attempts."))
	fastness.Post(tokens, "/token/refresh", refresh, id.TokenLimit(), fastness.OperationID("refreshToken"),
		fastness.Summary("Get new tokens for a refresh token"),
		fastness.Description("A refresh token works once. One that comes a second time was copied: its session ends."),
		fastness.ResponseDescription("The new tokens."), badClientResponse())
	fastness.Post(tokens, "/revoke", revoke, id.TokenLimit(), fastness.OperationID("revokeToken"),
		fastness.Summary("End the session of a token"),
		fastness.Description("The token may be an access token or a refresh token (RFC 7009). The answer is the same if it is good for nothing."),
		fastness.Status(http.StatusOK), fastness.ResponseDescription("The token is good for nothing."), badClientResponse())
	if id.cfg.Introspection {
		fastness.Post(tokens, "/introspect", introspect, id.TokenLimit(), fastness.OperationID("introspectToken"),
			fastness.Summary("Ask what a token is good for"),
			fastness.Description("For clients that have a secret (RFC 7662)."),
			fastness.ResponseDescription("What the token is good for, or that it is for nothing."), badClientResponse())
	}
}

func badClientResponse() fastness.Option {
	return fastness.Response[*problem.Problem](401, "The client is unknown, or its secret is wrong.")
}

// TokenAnswer are the tokens of a log-in (RFC 6749 section 5.1).
type TokenAnswer struct {
	AccessToken  string `json:"access_token" maxLength:"8192"`
	TokenType    string `json:"token_type" enum:"bearer"`
	ExpiresIn    int64  `json:"expires_in" minimum:"0" maximum:"900" doc:"Seconds until the access token ends."`
	RefreshToken string `json:"refresh_token" maxLength:"512"`
	Scope        string `json:"scope" maxLength:"4096" doc:"What the access token is for."`
}

type answer = fastness.Result[TokenAnswer]

type logInInput struct {
	Core         *Core
	From         Origin
	GrantType    string       `form:"grant_type" default:"" maxLength:"64" doc:"Must be \"password\" (or \"refresh_token\"). Empty is as absent: \"password\"."`
	Username     string       `form:"username" default:"" maxLength:"256"`
	Password     *secret.Text `form:"password" maxLength:"4096"`
	Scope        string       `form:"scope" default:"" maxLength:"4096" doc:"What the token is to be for, separated by spaces. The default is all that there is."`
	Code         string       `form:"otp" default:"" maxLength:"64" doc:"The code of the second factor, or a recovery code, for users who have one."`
	RefreshToken *secret.Text `form:"refresh_token" maxLength:"512"`
	client
}

const (
	grantPassword = "password"
	grantRefresh  = "refresh_token"
)

// Validate wants what the grant needs. The violations are those of FastAPI's
// OAuth2PasswordRequestForm.
func (in logInInput) Validate(context.Context) error {
	missing := func(field string) error { return schema.Invalid("Field required").Named("missing").At(field) }
	var errs []error
	switch in.GrantType {
	case "", grantPassword:
		if in.Username == "" {
			errs = append(errs, missing("username"))
		}
		if revealed(in.Password).IsZero() {
			errs = append(errs, missing("password"))
		}
	case grantRefresh:
		if revealed(in.RefreshToken).IsZero() {
			errs = append(errs, missing("refresh_token"))
		}
	default:
		errs = append(errs, schema.Invalid("String should match pattern '^password$'").
			Named("string_pattern_mismatch").At("grant_type").With("pattern", "^password$"))
	}
	return errors.Join(errs...)
}

// logIn is the password grant, and the refresh grant for clients that know one
// address only.
func logIn(ctx context.Context, in logInInput) (answer, error) {
	if in.GrantType == "" && in.Core.cfg.StrictForm {
		return answer{}, noGrantType()
	}
	who, err := in.Core.grantee(in.client)
	if err != nil {
		return answer{}, err
	}
	if in.GrantType == grantRefresh {
		return in.Core.refresh(ctx, revealed(in.RefreshToken), who, in.Scope)
	}
	if !who.FirstParty {
		return answer{}, oauthError(400, "unauthorized_client", "this client may not use the password grant: ask for a code")
	}
	scopes, err := in.Core.scopes(in.Scope)
	if err != nil {
		return answer{}, err
	}
	login, err := in.Core.Accounts.LogIn(ctx, account.Attempt{
		Name: in.Username, Password: revealed(in.Password), Code: in.Code, Address: in.From.Address, Request: in.From.Request,
	})
	if err != nil {
		return answer{}, in.Core.grantError(err)
	}
	s, refreshToken, err := in.Core.Sessions.Begin(ctx, session.Login{
		Kind: session.App, User: login.Account.ID, Client: who.ID, Scopes: scopes, Methods: login.Methods, At: login.At, Epoch: login.Account.Epoch, Label: in.From.Label,
	})
	if err != nil {
		return answer{}, refusedGrant(err)
	}
	return in.Core.issue(ctx, s, refreshToken, scopes)
}

// noGrantType is the violation of a form whose grant_type only some apps want.
func noGrantType() error {
	p := problem.New(http.StatusUnprocessableEntity, "the request is not as declared").Named("validation")
	p.Errors = []problem.Violation{{In: "form", Path: []problem.Segment{problem.Name("grant_type")}, Code: "missing", Detail: "Field required"}}
	return p
}

// scopes returns those that a client asks for, or all if it asks for none.
func (c *Core) scopes(asked string) (auth.Set, error) {
	names := make([]string, len(c.cfg.Scopes))
	for i, s := range c.cfg.Scopes {
		names[i] = s.Name
	}
	all, want := auth.SetOf(names...), auth.ParseSet(asked)
	if want.Len() == 0 {
		return all, nil
	}
	if !all.HasAll(want) {
		return auth.Set{}, oauthError(400, "invalid_scope", "there is no such scope")
	}
	return want, nil
}

type refreshInput struct {
	Core         *Core
	RefreshToken secret.Text `form:"refresh_token" minLength:"1" maxLength:"512"`
	Scope        string      `form:"scope" default:"" maxLength:"4096" doc:"Less than the session has, separated by spaces. The default is all of it."`
	GrantType    string      `form:"grant_type" default:"refresh_token" enum:"refresh_token"`
	client
}

func refresh(ctx context.Context, in refreshInput) (answer, error) {
	who, err := in.Core.grantee(in.client)
	if err != nil {
		return answer{}, err
	}
	return in.Core.refresh(ctx, in.RefreshToken, who, in.Scope)
}

func (c *Core) refresh(ctx context.Context, refreshToken secret.Text, who *Client, scope string) (answer, error) {
	// What is asked for is judged before the token is used up.
	old, _, err := c.Sessions.ByRefreshToken(ctx, refreshToken.Reveal())
	if err != nil {
		return answer{}, err
	}
	want := auth.ParseSet(scope)
	if old != nil && !old.Scopes.HasAll(want) {
		return answer{}, oauthError(400, "invalid_scope", "the session is not for this scope")
	}
	s, next, err := c.Sessions.Refresh(ctx, refreshToken.Reveal(), who.ID)
	if err != nil {
		return answer{}, refusedGrant(err)
	}
	if want.Len() == 0 {
		want = s.Scopes
	}
	return c.issue(ctx, s, next, want)
}

// issue signs an access token of a session, for as many of its scopes as are
// asked for.
func (c *Core) issue(ctx context.Context, s *session.Session, refreshToken string, scopes auth.Set) (answer, error) {
	standing, err := c.Accounts.Standing(ctx, s.User)
	if err != nil {
		return answer{}, err
	}
	if standing == nil || !standing.Active {
		return answer{}, refusedGrant(session.ErrRefused)
	}
	text, expires, err := c.issuer.Issue(ctx, token.Claims{
		Subject: s.User, Client: s.Client, Scopes: scopes, Roles: standing.Roles, Session: s.ID, Epoch: s.Epoch,
		Tenant: standing.Tenant.String(), AuthenticatedAt: s.At, Methods: s.Methods,
	})
	if err != nil {
		return answer{}, err
	}
	return answer{
		Header: noStore(),
		Body: TokenAnswer{
			AccessToken: text, TokenType: "bearer", ExpiresIn: int64(expires.Sub(c.cfg.Now()).Round(time.Second).Seconds()),
			RefreshToken: refreshToken, Scope: scopes.String(),
		},
	}, nil
}

// IssueTokens returns the tokens of a session: a new access token for scopes, and
// the refresh token that the session was begun with. A user who is not active
// gets none.
func (c *Core) IssueTokens(ctx context.Context, s *session.Session, refreshToken string, scopes auth.Set) (TokenAnswer, error) {
	a, err := c.issue(ctx, s, refreshToken, scopes)
	return a.Body, err
}

// RefreshTokens returns new tokens for a refresh token, which works once, as POST
// /token/refresh does. The caller has made sure that it is the client who asks.
func (c *Core) RefreshTokens(ctx context.Context, refreshToken secret.Text, clientID, scope string) (TokenAnswer, error) {
	a, err := c.refresh(ctx, refreshToken, &Client{ID: clientID}, scope)
	return a.Body, err
}
