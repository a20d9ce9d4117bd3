package oidc

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/problem"
)

// The paths of the endpoints.
const (
	authorizePath = "/oauth/authorize"
	tokenPath     = "/oauth/token"
	userinfoPath  = "/oauth/userinfo"
	continuePath  = "/oauth/continue"
	resumePath    = "/oauth/resume"
	consentPath   = "/oauth/consent"
	stylePath     = "/oauth/style.css"
	docsRedirect  = "/docs/oauth2-redirect.html"
)

// How long things last.
const (
	maxCodeTTL = time.Minute // RFC 9700 section 2.1.1 wants it short, ASVS 10.4.3 at most ten.
	maxLogin   = 15 * time.Minute
	idTokenTTL = 5 * time.Minute
)

// Config configures a [Server]. Identity is required.
type Config struct {
	// Identity has the users, the sessions, the keys and the clients.
	Identity *identity.Identity
	// CodeTTL is how long a code is good for. The default is a minute, which is
	// also the longest.
	CodeTTL time.Duration
	// DocsClient, if not empty, is the client_id by which the app's docs page logs
	// in: its button Authorize then works. It is a client beside those of the
	// identity, for that page and nothing else.
	DocsClient string
	// LoginTTL is how long a user may take to log in and to consent. The default
	// is 15 minutes, which is also the longest.
	LoginTTL time.Duration
}

func (c *Config) validate() error {
	var errs []error
	if c.Identity == nil {
		errs = append(errs, errors.New("oidc: Identity is nil"))
	}
	within := func(name string, d, most time.Duration) {
		if d < time.Second || d > most {
			errs = append(errs, fmt.Errorf("oidc: %s is %v, want %v to %v", name, d, time.Second, most))
		}
	}
	within("CodeTTL", c.CodeTTL, maxCodeTTL)
	within("LoginTTL", c.LoginTTL, maxLogin)
	return errors.Join(errs...)
}

// Server is the authorization server of an app. Make one with [New], and let it
// declare itself on one app.
type Server struct {
	cfg Config
	app *fastness.App
}

// New returns a server. What is wrong with cfg is reported when the app starts,
// with all that is wrong elsewhere.
func New(cfg Config) *Server {
	if cfg.CodeTTL == 0 {
		cfg.CodeTTL = maxCodeTTL
	}
	if cfg.LoginTTL == 0 {
		cfg.LoginTTL = maxLogin
	}
	return &Server{cfg: cfg}
}

// ownScopes are those that this package adds.
func ownScopes() []identity.Scope {
	return []identity.Scope{
		{Name: "openid", Description: "Know who you are: your id."},
		{Name: "profile", Description: "Know what you are called."},
	}
}

// Declare declares the operations on app, which must be the one of the identity.
func (s *Server) Declare(app *fastness.App) {
	if err := s.cfg.validate(); err != nil {
		app.Mistake(err)
		return
	}
	s.app = app
	s.cfg.Identity.OfferCodes(identity.Codes{Authorize: authorizePath, Token: tokenPath, Scopes: ownScopes(), DocsClient: s.cfg.DocsClient})
	fastness.ProvideApp(app, s.open)
	s.declareFlow(app)
	s.declarePages(app)
	known := app.Group("/.well-known", access.Public, fastness.Tags("log-in"))
	fastness.Get(known, "/openid-configuration", discover, fastness.OperationID("openidConfiguration"),
		fastness.Summary("What the OpenID provider offers"), fastness.ResponseDescription("The metadata (OpenID Connect Discovery 1.0)."))
}

// declareFlow declares what programs call. What they send is the standards' to
// describe: the document names the endpoints in its scheme.
func (s *Server) declareFlow(app *fastness.App) {
	flow := app.Group("", access.Public, fastness.Tags("log-in"), fastness.BodyLimit(64<<10), fastness.Hidden())
	fastness.Get(flow, authorizePath, authorize)
	fastness.Post(flow, authorizePath, authorize,
		csrf.InsecureAnyOrigin("clients send users here from their own pages (OpenID Connect Core 1.0 section 3.1.2.1); nothing is decided without a page of this site"))
	fastness.Post(flow, tokenPath, exchange, s.cfg.Identity.TokenLimit(),
		csrf.InsecureAnyOrigin("pages of clients elsewhere exchange their codes; a client proves itself by what it sends, and what browsers add says nothing"))

	user := app.Group("", access.All(access.By("oauth2"), access.Scope("openid")), fastness.Tags("log-in"))
	fastness.Get(user, userinfoPath, userinfo, fastness.OperationID("userInfo"),
		fastness.Summary("Who the user is"), fastness.ResponseDescription("The user."))
	fastness.Post(user, userinfoPath, userinfo, fastness.Hidden())
}

// declarePages declares the way of the browser from the log-in back.
func (s *Server) declarePages(app *fastness.App) {
	pages := app.Group("", access.Public, fastness.Tags("log-in"), fastness.BodyLimit(64<<10), fastness.Hidden())
	consent := template.Must(template.ParseFS(web, "web/consent.html"))
	forward := template.Must(template.ParseFS(web, "web/continue.html"))
	fastness.Get(pages, continuePath, func(_ context.Context, in continueInput) (fastness.View[ContinuePage], error) {
		return fastness.View[ContinuePage]{Template: forward, Body: in.page()}, nil
	})
	fastness.Get(pages, resumePath, resume)
	fastness.Get(pages, stylePath, style)
	fastness.Get(pages, consentPath, func(ctx context.Context, in consentInput) (fastness.View[ConsentPage], error) {
		body, err := in.page(ctx)
		return fastness.View[ConsentPage]{Template: consent, Header: http.Header{"Cache-Control": {"no-store"}}, Body: body}, err
	}, fastness.Response[*problem.Problem](400, "There is nothing to consent to."))
	fastness.Post(pages, consentPath, decide, csrf.RequireToken())
}

// check finds what only shows once the identity is open.
func (s *Server) check(core *identity.Core) error {
	var errs []error
	if core.Client(s.cfg.DocsClient) != nil {
		errs = append(errs, fmt.Errorf("oidc: DocsClient is %q, which is a client of the identity", s.cfg.DocsClient))
	}
	if core.TokenAlgorithm() == keyring.HS256 {
		errs = append(errs, errors.New("oidc: the identity signs with HS256, whose key nobody else has: ID tokens need EdDSA or ES256"))
	}
	for _, c := range append(core.Clients(), identity.Client{ID: s.cfg.DocsClient}) {
		if c.ID == core.Audience() || c.ID == core.Issuer {
			errs = append(errs, fmt.Errorf("oidc: the client %q has the name of the API: its ID tokens and access tokens would have the same audience", c.ID))
		}
		for _, uri := range c.RedirectURIs {
			if _, err := url.Parse(uri); err != nil {
				errs = append(errs, fmt.Errorf("oidc: client %q: a redirect URI is no URL", c.ID))
			}
		}
	}
	for _, s := range core.Scopes() {
		for _, own := range append(ownScopes(), identity.Scope{Name: offlineAccess}) {
			if s.Name == own.Name {
				errs = append(errs, fmt.Errorf("oidc: the scope %q is OpenID Connect's, and among those of the identity", s.Name))
			}
		}
	}
	return errors.Join(errs...)
}
