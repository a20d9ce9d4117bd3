package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// Tokens is the answer of the token endpoint: the tokens (RFC 6749 section 5.1,
// OpenID Connect Core section 3.1.3.3), or why there are none (section 5.2).
type Tokens struct {
	AccessToken  string `json:"access_token,omitempty" maxLength:"8192"`
	TokenType    string `json:"token_type,omitempty" maxLength:"32"`
	ExpiresIn    int64  `json:"expires_in,omitempty" minimum:"0" maximum:"900"`
	RefreshToken string `json:"refresh_token,omitempty" maxLength:"512"`
	IDToken      string `json:"id_token,omitempty" maxLength:"8192"`
	Scope        string `json:"scope,omitempty" maxLength:"4096"`

	Error       string `json:"error,omitempty" maxLength:"64"`
	Description string `json:"error_description,omitempty" maxLength:"512"`
}

// exchange is where a client gets tokens. Its refusals are of RFC 6749's own form,
// and not problem documents: clients read no other.
func exchange(_ context.Context, in flowInput) (fastness.Result[Tokens], error) {
	out := fastness.Result[Tokens]{Header: http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}}}
	in.Engine.allowOrigin(out.Header, in.Request)
	params, err := parameters(in.Request, tokenParameters())
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Status < http.StatusInternalServerError {
		out.Status, out.Body = p.Status, Tokens{Error: "invalid_request", Description: p.Detail}
		return out, nil
	}
	if err != nil {
		return out, err
	}
	switch params.Get("grant_type") {
	case "", string(oidc.GrantTypeCode), string(oidc.GrantTypeRefreshToken):
	default: // The library knows more grants than are offered.
		out.Status, out.Body = http.StatusBadRequest, Tokens{Error: "unsupported_grant_type"}
		return out, nil
	}
	answer := in.Engine.ask(in.Request, tokenPath, params)
	if no := answer.refused(); no != nil {
		if no.Error == "server_error" {
			return out, problem.New(http.StatusInternalServerError, "")
		}
		out.Status, out.Body = answer.status, Tokens{Error: no.Error, Description: no.Description}
		if out.Status == http.StatusUnauthorized {
			out.Header.Set("WWW-Authenticate", `Basic realm="token"`)
		}
		return out, nil
	}
	return out, json.Unmarshal(answer.body.Bytes(), &out.Body)
}

// CodeExchange gives the tokens for a code. The client has proved who it is.
func (e *engine) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	found, err := e.store.redeem(ctx, r.Data.Code)
	if err != nil {
		return nil, fault(err)
	}
	if found.replay {
		return nil, e.replayed(ctx, r.Client.GetID(), found.session)
	}
	g := found.grant
	switch {
	case g == nil, g.Client != r.Client.GetID():
		return nil, badGrant("the code is not good, or no more")
	case g.RedirectURI != r.Data.RedirectURI:
		return nil, badGrant("the redirect_uri is not that of the request")
	case !verifies(r.Data.CodeVerifier, g.Challenge):
		return nil, badGrant("the code_verifier is not that of the request")
	}
	live, err := e.core.Sessions.Live(ctx, g.browser)
	if err != nil {
		return nil, fault(err)
	}
	if !live { // The user has logged out, or somebody has thrown them out.
		return nil, badGrant("the code is not good, or no more")
	}
	tokens, err := e.begin(ctx, g, r.Data.Code)
	if err != nil {
		return nil, e.refused(err)
	}
	return op.NewResponse(tokens), nil
}

// verifies reports whether a verifier is that of a challenge (RFC 7636 section
// 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

func badGrant(description string) error {
	return oidc.ErrInvalidGrant().WithDescription("%s", description)
}

// replayed ends what a code began that comes a second time: one of the two who have
// it has stolen it, and nobody knows which (RFC 6749 section 4.1.2).
func (e *engine) replayed(ctx context.Context, client, began string) error {
	event := auditlog.Event{
		Name: "authn_code_reuse", Subject: began, Refused: true, Request: fastness.RequestID(ctx),
		Details: []slog.Attr{slog.String("client", client)},
	}
	err := e.core.Events.Record(ctx, event)
	if began != "" {
		err = errors.Join(err, e.core.Sessions.End(ctx, began, session.Replayed))
	}
	if err != nil {
		return fault(err)
	}
	return badGrant("the code was used before: what it began is ended")
}

// begin begins the session of a code and returns its tokens. It is of the epoch in
// which the user said yes: a password that was changed since makes it void.
func (e *engine) begin(ctx context.Context, g *grant, code string) (Tokens, error) {
	begun, refreshToken, err := e.core.Sessions.Begin(ctx, session.Login{
		Kind: session.App, User: g.user, Client: g.Client, Scopes: g.scopes(), Methods: g.methods, At: g.at, Epoch: g.epoch,
		Label: clientName(e.find(g.Client)),
	})
	if err != nil {
		return Tokens{}, err
	}
	noted, err := e.store.began(ctx, code, begun.ID, begun.Absolute)
	if err == nil && !noted {
		err = e.replayed(ctx, g.Client, begun.ID)
	}
	if err != nil {
		return Tokens{}, errors.Join(err, e.core.Sessions.End(ctx, begun.ID, session.Revoked))
	}
	answer, err := e.core.IssueTokens(ctx, begun, refreshToken, begun.Scopes)
	if err != nil {
		return Tokens{}, err
	}
	tokens := tokensOf(answer)
	if begun.Scopes.Has(oidc.ScopeOpenID) {
		tokens.IDToken, err = e.idToken(ctx, g, answer.AccessToken)
	}
	return tokens, err
}

func tokensOf(a identity.TokenAnswer) Tokens {
	return Tokens{
		AccessToken: a.AccessToken, TokenType: "Bearer", ExpiresIn: a.ExpiresIn, RefreshToken: a.RefreshToken, Scope: a.Scope,
	}
}

// RefreshToken gives new tokens for a refresh token.
func (e *engine) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	want := auth.SetOf(r.Data.Scopes...)
	answer, err := e.core.RefreshTokens(ctx, secret.New(r.Data.RefreshToken), r.Client.GetID(), want.String())
	if err != nil {
		return nil, e.refused(err)
	}
	return op.NewResponse(tokensOf(answer)), nil
}

// refused returns the error of identity and its stores as clients of OAuth
// understand it.
func (e *engine) refused(err error) error {
	if no, ok := errors.AsType[*oidc.Error](err); ok {
		return no
	}
	if errors.Is(err, session.ErrRefused) {
		return badGrant("the token is not good, or no more")
	}
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Status < http.StatusInternalServerError {
		switch code, _ := p.Extensions["error"].(string); code {
		case "invalid_grant":
			return badGrant(p.Detail)
		case "invalid_scope":
			return oidc.ErrInvalidScope().WithDescription("%s", p.Detail)
		}
	}
	return fault(err)
}
