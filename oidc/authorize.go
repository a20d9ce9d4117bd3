package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/problem"
)

const offlineAccess = "offline_access"

type flowInput struct {
	Engine  *engine
	Request *http.Request
}

// authorize is where a client sends the browser.
func authorize(_ context.Context, in flowInput) (fastness.Result[fastness.NoContent], error) {
	params, err := parameters(in.Request, authorizeParameters())
	if err != nil {
		return fastness.Result[fastness.NoContent]{}, err
	}
	if c := in.Engine.find(params.Get("client_id")); c != nil && c.FirstParty && !params.Has("scope") {
		var all []string // As at /token. Others say what they want: the user is asked for it.
		for _, s := range in.Engine.core.Scopes() {
			all = append(all, s.Name)
		}
		params.Set("scope", strings.Join(all, " "))
	}
	answer := in.Engine.ask(in.Request, authorizePath, params)
	if no := answer.refused(); no != nil { // Nothing is sent to an address that nobody has registered.
		return fastness.Result[fastness.NoContent]{}, no.problem(answer.status)
	}
	return redirect(answer.header.Get("Location")), nil
}

// redirect sends the browser on. The address may hold a code: it is not kept, and
// the next site does not hear where the browser was.
func redirect(location string) fastness.Result[fastness.NoContent] {
	return fastness.Result[fastness.NoContent]{
		Status: http.StatusSeeOther,
		Header: http.Header{"Location": {location}, "Cache-Control": {"no-store"}, "Referrer-Policy": {"no-referrer"}},
	}
}

// VerifyAuthRequest finds the client, and makes sure that the answer goes to an
// address of its own. What is wrong here is shown to the user.
func (e *engine) VerifyAuthRequest(_ context.Context, r *op.Request[oidc.AuthRequest]) (*op.ClientRequest[oidc.AuthRequest], error) {
	found := e.client(r.Data.ClientID)
	if found == nil {
		return nil, oidc.ErrInvalidRequestRedirectURI().WithDescription("the client is unknown")
	}
	if !redirects(found.of, r.Data.RedirectURI) {
		return nil, oidc.ErrInvalidRequestRedirectURI().WithDescription("the redirect_uri is not one of the client's")
	}
	return &op.ClientRequest[oidc.AuthRequest]{Request: r, Client: found}, nil
}

// Authorize answers a request whose client and address are good. An error goes to
// the client.
func (e *engine) Authorize(ctx context.Context, r *op.ClientRequest[oidc.AuthRequest]) (*op.Redirect, error) {
	if err := judge(r.Data, r.Form); err != nil {
		return nil, err
	}
	asked, err := e.asked(r)
	if err != nil {
		return nil, err
	}
	visit, _ := ctx.Value(visitKey{}).(*http.Request)
	if visit != nil {
		asked.network = networkOf(fastness.ClientAddr(ctx))
	}
	next, err := e.next(ctx, visit, asked)
	if err != nil {
		return nil, fault(err)
	}
	if slices.Contains(r.Data.Prompt, oidc.PromptNone) && next.step != done {
		return nil, next.step.refusal()
	}
	location, err := e.lead(ctx, asked, "", next)
	if err != nil {
		return nil, fault(err)
	}
	return op.NewRedirect(location), nil
}

// judge refuses what is not offered.
func judge(r *oidc.AuthRequest, params url.Values) error {
	unsupported := func(code string) error {
		return (&oidc.Error{ErrorType: oidc.InvalidRequest}).WithDescription("%s is not supported", code)
	}
	switch {
	case r.RequestParam != "":
		return oidc.ErrRequestNotSupported()
	case params.Has("request_uri"):
		return &oidc.Error{ErrorType: "request_uri_not_supported"}
	case params.Has("id_token_hint"):
		return unsupported("id_token_hint")
	case params.Has("response_mode") && r.ResponseMode != oidc.ResponseModeQuery && r.ResponseMode != oidc.ResponseModeFragment:
		return unsupported("this response_mode")
	case r.CodeChallenge == "":
		return oidc.ErrInvalidRequest().WithDescription("code_challenge is missing: PKCE is required (RFC 7636)")
	case r.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return oidc.ErrInvalidRequest().WithDescription("code_challenge_method must be S256")
	case len(r.CodeChallenge) != 43 || !isBase64URL(r.CodeChallenge):
		return oidc.ErrInvalidRequest().WithDescription("code_challenge is not the SHA-256 of a verifier in base64url")
	}
	for _, p := range r.Prompt {
		if !slices.Contains([]string{oidc.PromptNone, oidc.PromptLogin, oidc.PromptConsent, oidc.PromptSelectAccount}, p) {
			return unsupported("this prompt")
		}
	}
	return nil
}

// asked returns what is kept of a request.
func (e *engine) asked(r *op.ClientRequest[oidc.AuthRequest]) (*request, error) {
	kept := &request{
		Client: r.Client.GetID(), RedirectURI: r.Data.RedirectURI, State: r.Data.State, Nonce: r.Data.Nonce,
		Challenge: r.Data.CodeChallenge, Fragment: r.Data.ResponseMode == oidc.ResponseModeFragment,
		Created: e.core.Now(), MaxAge: r.Data.MaxAge, Ask: slices.Contains(r.Data.Prompt, oidc.PromptConsent),
	}
	if slices.Contains(r.Data.Prompt, oidc.PromptSelectAccount) {
		kept.MaxAge = oidc.NewMaxAge(0) // Who logs in chooses as whom.
	}
	// The library lets all scopes of OpenID Connect pass. Refresh tokens are for
	// everybody, so that offline_access asks for nothing more.
	for _, name := range r.Data.Scopes {
		if r.Client.IsScopeAllowed(name) {
			kept.Scopes = append(kept.Scopes, name)
		}
	}
	if len(kept.Scopes) == 0 && len(e.core.Scopes()) > 0 {
		return nil, oidc.ErrInvalidScope().WithDescription("there is no such scope")
	}
	return kept, nil
}

// step is what has to happen before a client gets its code.
type step int

const (
	done step = iota
	logIn
	ask
)

// refusal is what a client is told that wants no step to be taken.
func (s step) refusal() error {
	if s == ask {
		return &oidc.Error{ErrorType: "consent_required"}
	}
	return oidc.ErrLoginRequired()
}

// position is where the way of a browser has led to.
type position struct {
	step step
	user *auth.User // nil if nobody is logged in
	// epoch is that of the user's cookie, if the step is done: see [store.issue].
	epoch int64
}

// next returns what a request waits for.
func (e *engine) next(ctx context.Context, r *http.Request, of *request) (position, error) {
	user, err := e.visitor(ctx, r)
	switch {
	case err != nil:
		return position{}, err
	case user == nil, of.MaxAge != nil && user.At.Before(since(of)):
		return position{step: logIn, user: user}, nil
	case of.Granted != user.Session && e.mustAsk(of):
		return position{step: ask, user: user}, nil
	}
	by, err := e.core.Cookies.Session(ctx, r)
	if err != nil {
		return position{}, err
	}
	if by == nil || by.ID != user.Session { // The cookie has just become void.
		return position{step: logIn}, nil
	}
	return position{done, user, by.Epoch}, nil
}

// mustAsk reports whether the user has to consent: to what is not the
// application's own, and to what may only claim to be.
func (e *engine) mustAsk(of *request) bool {
	c := e.find(of.Client)
	return of.Ask || c == nil || !c.FirstParty || !assured(of.RedirectURI)
}

// visitor returns who has the browser, or nil. A cookie that is not good is as none:
// the user logs in again.
func (e *engine) visitor(ctx context.Context, r *http.Request) (*auth.User, error) {
	return visitorOf(ctx, e.core, r)
}

func visitorOf(ctx context.Context, core *identity.Core, r *http.Request) (*auth.User, error) {
	if r == nil || !core.Cookies.Present(r) || !auth.FromOwnPage(r) {
		return nil, nil
	}
	user, err := core.Cookies.Authenticate(ctx, r)
	if err == nil {
		return user, nil
	}
	if _, bad := errors.AsType[*auth.Refusal](err); bad {
		return nil, nil
	}
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Status < http.StatusInternalServerError {
		return nil, nil
	}
	return nil, err
}
