package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/secret"
)

// LoginConfig configures a [Login]. Name, Issuer and ClientID are required.
type LoginConfig struct {
	// Identity, if not nil, is that whose page at /login gets a link to this log-in.
	Identity *identity.Identity
	// Label is the text of the link. The default is "Log in with" and the name.
	Label string
	// Name names the issuer in paths: "acme" is /login/acme. It is of small letters,
	// digits and hyphens.
	Name string
	// Issuer is the URL of the OpenID provider, character by character as its tokens
	// say it. Its metadata is below.
	Issuer string
	// ClientID and ClientSecret are what the provider knows this app by. An app
	// without a secret is a public client. The redirect URI to register is that of
	// the app's issuer and /login/NAME/callback.
	ClientID     string
	ClientSecret secret.Text
	// Scopes are asked for beside openid.
	Scopes []string
	// Register, if not nil, says which account is made for somebody who comes for the
	// first time. An error is the answer to them. By default, nobody gets one: who
	// has an account links it first.
	Register func(ctx context.Context, who Stranger) (account.New, error)
	// Client makes the requests to the provider. The default is one that gives up
	// after 10 seconds, follows no redirect and reads at most 1 MiB.
	Client *http.Client
}

// Stranger is who another issuer says that somebody is. Nothing but Subject is
// theirs for good: an address can be given to somebody else, and a provider may let
// its users write what they like.
type Stranger struct {
	Issuer, Subject string
	// Name and Email are what the token says, and may be empty.
	Name, Email   string
	EmailVerified bool
}

// Login logs users in who have an account with another issuer (OpenID Connect
// Core). Make one with [NewLogin], and let it declare itself on one app:
//
//	GET  /login/NAME           to the provider, and back to the path in next
//	POST /login/NAME/link      the same, to link the caller's account, who has
//	                           logged in within the last 10 minutes
//	GET  /login/NAME/callback  where the provider sends the browser
//
// An account is found by issuer and subject, which a link has tied to it, and
// never by an address of e-mail. A log-in belongs to the browser that has begun it:
// a cookie has the state, the nonce and the verifier, and without it an answer is
// worth nothing. So nobody can log somebody else in as themselves.
//
// A user who has a second factor here must have used one there, too: the token
// must say so (amr "mfa").
type Login struct {
	cfg    LoginConfig
	strays auditlog.Allowance

	mu       sync.Mutex
	provider *coreos.Provider // once it was reached
}

// NewLogin returns a log-in. What is wrong with cfg is reported when the app
// starts.
func NewLogin(cfg LoginConfig) *Login {
	if cfg.Client == nil {
		cfg.Client = &http.Client{
			Timeout: 10 * time.Second, Transport: capped{http.DefaultTransport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Login{cfg: cfg}
}

var isName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (l *Login) mistakes() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("oidc: log-in: "+format, args...))
		}
	}
	wrong(!isName.MatchString(l.cfg.Name), "Name is %q, want small letters, digits and hyphens, at most 32", l.cfg.Name)
	u, err := url.Parse(l.cfg.Issuer)
	wrong(err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "",
		"Issuer is %q, want an https URL", l.cfg.Issuer)
	wrong(l.cfg.ClientID == "", "ClientID is empty")
	return errors.Join(errs...)
}

// Path returns where the log-in begins.
func (l *Login) Path() string { return "/login/" + l.cfg.Name }

func (l *Login) callback() string { return l.Path() + "/callback" }

// Declare declares the operations on app, which must be that of an identity.
func (l *Login) Declare(app *fastness.App) {
	if err := l.mistakes(); err != nil {
		app.Mistake(err)
		return
	}
	if l.cfg.Identity != nil {
		l.cfg.Identity.OnReset(forgetLinks)
		l.cfg.Identity.OfferLogin(cmp.Or(l.cfg.Label, "Log in with "+l.cfg.Name), l.Path())
	}
	pages := app.Group("", access.Public, fastness.Tags("log-in"), fastness.Hidden())
	fastness.ProvideApp(pages, func(ctx context.Context, in struct{ Core *identity.Core }) (*links, func(error) error, error) {
		s, err := openLinks(ctx, in.Core.DB(), in.Core.Now)
		return s, nil, err
	})
	fastness.Get(pages, l.Path(), l.begin)
	fastness.Post(pages, l.Path()+"/link", l.beginLink, access.By("session"))
	forward := template.Must(template.ParseFS(web, "web/continue.html"))
	fastness.Get(pages, l.Path()+"/link", func(_ context.Context, in linkPageInput) (fastness.View[ContinuePage], error) {
		return fastness.View[ContinuePage]{Template: forward, Body: l.linkPage(in)}, nil
	})
	fastness.Get(pages, l.callback(), l.finish)
}

// reach returns the provider. One that is down when the app starts is none that is
// down for good.
func (l *Login) reach(ctx context.Context) (*coreos.Provider, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.provider != nil {
		return l.provider, nil
	}
	// The keys are fetched later, too: by then this request is over.
	provider, err := coreos.NewProvider(l.context(context.WithoutCancel(ctx)), l.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("oidc: metadata of the issuer %s: %w", l.cfg.Name, err)
	}
	l.provider = provider
	return provider, nil
}

// context makes both libraries use the client.
func (l *Login) context(ctx context.Context) context.Context {
	return coreos.ClientContext(ctx, l.cfg.Client) // The key is that of oauth2.
}

func (l *Login) oauth(core *identity.Core, p *coreos.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: l.cfg.ClientID, ClientSecret: l.cfg.ClientSecret.Reveal(), Endpoint: p.Endpoint(),
		RedirectURL: core.Issuer + l.callback(), Scopes: append([]string{coreos.ScopeOpenID}, l.cfg.Scopes...),
	}
}

// verified returns what the ID token of an answer says, once it is proved.
func (l *Login) verified(ctx context.Context, core *identity.Core, f *flow, code string) (*coreos.IDToken, error) {
	p, err := l.reach(ctx)
	if err != nil {
		return nil, err
	}
	ctx = l.context(ctx)
	tokens, err := l.oauth(core, p).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, fmt.Errorf("oidc: code of %s: %w", l.cfg.Name, withoutBody(err))
	}
	text, _ := tokens.Extra("id_token").(string)
	verifier := p.VerifierContext(l.context(context.WithoutCancel(ctx)), &coreos.Config{
		ClientID: l.cfg.ClientID, Now: core.Now,
		// Nobody but the issuer has the key of these.
		SupportedSigningAlgs: []string{coreos.EdDSA, coreos.ES256, coreos.ES384, coreos.ES512, coreos.RS256, coreos.RS384, coreos.RS512, coreos.PS256, coreos.PS384, coreos.PS512},
	})
	token, err := verifier.Verify(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("oidc: ID token of %s: %w", l.cfg.Name, err)
	}
	var more struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&more); err != nil {
		return nil, fmt.Errorf("oidc: ID token of %s: %w", l.cfg.Name, err)
	}
	switch {
	case f.Nonce == "" || token.Nonce != f.Nonce:
		return nil, fmt.Errorf("oidc: ID token of %s: it is for another log-in: the nonce differs", l.cfg.Name)
	case cmp.Or(more.Party, l.cfg.ClientID) != l.cfg.ClientID || len(token.Audience) > 1 && more.Party == "":
		return nil, fmt.Errorf("oidc: ID token of %s: it is for another client", l.cfg.Name)
	case token.Subject == "" || len(token.Subject) > 255 || strings.ContainsFunc(token.Subject, unicode.IsControl):
		return nil, fmt.Errorf("oidc: ID token of %s: it has no subject of 1 to 255 bytes that can be printed", l.cfg.Name)
	}
	return token, nil
}

// withoutBody drops what a provider has said about a code: it may be in there.
func withoutBody(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("refused: %s", strings.ToValidUTF8(refused.ErrorCode, "?"))
	}
	return err
}

// capped reads no more of an answer than metadata, keys and tokens can need.
type capped struct{ http.RoundTripper }

func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, 1<<20)
	}
	return res, err
}
