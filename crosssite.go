package fastness

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/internal/operation"
)

// crossSiteGuard is what the app knows of cross-site requests.
type crossSiteGuard struct {
	guard *csrf.Guard
	once  *csrf.Guard // the same, with tokens that are good for one request
	field string      // the name of the token in forms
	vary  []string    // what a refusal depends on
	// cookies are the names of the cookies that say who is calling, and schemes
	// those of their schemes.
	cookies, schemes []string
}

// UseCSRFKeys gives the app the keys of its CSRF tokens, where its Config has none:
// for packages that have a ring of keys.
func (a *App) UseCSRFKeys(keys csrf.Keys) {
	a.mustBeOpen("a key")
	if a.cfg.CSRF.Keys == nil {
		a.cfg.CSRF.Keys = keys
	}
}

// compileCrossSite makes the guard, once schemes and operations are known.
func (a *App) compileCrossSite() (errs []error) {
	g, cfg := &a.csrf, a.cfg.CSRF
	g.vary = []string{"Sec-Fetch-Site, Origin"}
	for _, d := range a.callers.Descriptions() {
		if d.Cookie() {
			g.cookies, g.schemes = append(g.cookies, d.Security.Name), append(g.schemes, d.Name)
		}
	}
	if cfg.Keys == nil {
		if why := a.wantsTokens(); why != "" {
			errs = append(errs, fmt.Errorf("config: CSRF: Keys is nil, and %s: want those of a key ring, or csrf.EphemeralKeys() for one process", why))
		}
		cfg.Keys = csrf.EphemeralKeys() // Nobody asks for a token.
	}
	if cfg.Scheme == nil {
		cfg.Scheme = a.schemeOf
	}
	var err error
	if g.guard, err = csrf.New(cfg); err != nil {
		return append(errs, fmt.Errorf("config: CSRF: %w", err))
	}
	_, _, g.field = g.guard.Names()
	cfg.OneTime = true
	if g.once, err = csrf.New(cfg); err != nil {
		errs = append(errs, fmt.Errorf("config: CSRF: %w", err))
	}
	a.callers.Guarded(func(r *http.Request) error {
		if a.cfg.CORS.Credentials && a.shares(r) {
			return nil
		}
		return g.guard.CheckOrigin(r)
	})
	return errs
}

// schemeOf returns what the browser has sent a request by: a proxy that is trusted may
// have ended TLS, and a page without TLS is not the own one then.
func (a *App) schemeOf(r *http.Request) string {
	if a.clients.Find(r).TLS {
		return "https"
	}
	return "http"
}

// shares reports whether a request comes from a page that CORS lets read answers.
func (a *App) shares(r *http.Request) bool {
	origins := r.Header["Origin"]
	return len(origins) == 1 && a.cors.Allowed(origins[0])
}

// wantsTokens says who asks for tokens, or "".
func (a *App) wantsTokens() string {
	for _, op := range a.operations {
		if op.spec.CrossSite.Token {
			return op.where() + " asks for tokens"
		}
	}
	if len(a.csrf.schemes) > 0 {
		return "scheme " + a.csrf.schemes[0] + " is a cookie"
	}
	return ""
}

// spec returns what options said of what the request is for, or nil for what every
// app has.
func (x *exchange) spec() *operation.Spec {
	switch e := x.match.Value; {
	case e.mount != nil:
		return &e.mount.spec
	case e.operation != nil:
		return &e.operation.spec
	}
	return nil
}

// checkSite refuses what a page of another site makes a browser send.
func (x *exchange) checkSite() error {
	spec := x.spec()
	if spec == nil || !x.isForgeable(spec) {
		return nil
	}
	check := x.app.csrf.guard.CheckOrigin
	if spec.CrossSite.Effects {
		check = x.app.csrf.guard.CheckEffects
	}
	if err := check(x.r); err != nil {
		if h := x.out.Header(); len(h["Vary"]) == 0 {
			h["Vary"] = x.app.csrf.vary
		} else {
			h.Add("Vary", x.app.csrf.vary[0])
		}
		return err
	}
	return nil
}

// checkToken verifies the token, where one is wanted. It comes after the rate limit:
// one that is used up takes room until it would have ended. A token in a form is
// looked at when the form is read, before anything else of it counts.
func (x *exchange) checkToken() error {
	spec := x.spec()
	if spec == nil || !x.needsToken(spec) {
		return nil
	}
	guard := x.app.csrf.guard
	if spec.CrossSite.Once {
		guard = x.app.csrf.once
	}
	token, present, err := guard.FromHeader(x.r)
	switch {
	case err != nil:
		return err
	case present:
	case x.match.Value.mount != nil, x.match.Value.operation.input.body.kind == noBody:
		return guard.Check(x.r, x.session()) // A button is a form that has the token and nothing else.
	case x.match.Value.operation.input.body.kind == formBody && x.app.csrf.field != "":
		x.due = guard
		return nil
	}
	return guard.Verify(x.r, x.session(), token)
}

// isForgeable reports whether a page could have made the request without the
// caller: not if the caller is known by what no browser adds by itself, and not if
// the page is one that CORS allows to act for whoever is logged in, or for nobody.
func (x *exchange) isForgeable(spec *operation.Spec) bool {
	switch u := x.ctx.user; {
	case spec.CrossSite.InsecureAnyOrigin != "":
		return false
	case u != nil: // By whatever middleware has found, too: what no scheme takes may be a cookie.
		return x.app.callers.Ambient(u.Scheme) && !(x.app.cfg.CORS.Credentials && x.app.shares(x.r))
	}
	return !x.app.shares(x.r)
}

// needsToken reports whether the request is good with a token only. One that is
// known by a cookie and may do without must say where it comes from.
func (x *exchange) needsToken(spec *operation.Spec) bool {
	c := &spec.CrossSite
	if c.Token {
		return true
	}
	known := x.ctx.user != nil && slices.Contains(x.app.csrf.schemes, x.ctx.user.Scheme)
	if !known || !c.Effects && !x.app.csrf.guard.NeedsToken(x.r) {
		return false
	}
	return c.InsecureNoToken == "" || len(x.r.Header["Sec-Fetch-Site"]) == 0 && len(x.r.Header["Origin"]) == 0
}

// checkForm verifies the token of a form, where one is wanted.
func (x *exchange) checkForm(parts form.Parts) error {
	guard := x.due
	if guard == nil {
		return nil
	}
	x.due = nil
	token, times := "", 0
	for _, part := range parts {
		if part.Name == x.app.csrf.field && part.File == nil {
			token, times = part.Value, times+1
		}
	}
	if times > 1 {
		token = "?" // Of two, the next reader may take the other one.
	}
	return guard.Verify(x.r, x.session(), token)
}

// session returns what the tokens of the request are bound to: the cookies that say
// who is calling, as they were sent. So a page that anybody may see makes tokens for
// whom its reader is logged in as, without asking who that is.
func (x *exchange) session() string {
	var bound strings.Builder
	for _, name := range x.app.csrf.cookies {
		for _, c := range x.r.CookiesNamed(name) {
			bound.WriteString(name + "=" + c.Value + ";")
		}
	}
	return bound.String()
}

// newToken makes a token, whose cookie comes with the answer.
func (x *exchange) newToken() (string, error) {
	x.untouched = false
	return x.app.csrf.guard.Token(x.out.Header(), x.r, x.session())
}

// CSRFToken returns a token for the header X-CSRF-Token, or for a form field. It
// belongs to the browser, whose cookie comes with the answer.
func (p Page) CSRFToken() (string, error) {
	if p.of == nil || p.of.x == nil {
		return "", errNoPage
	}
	of := p.of
	if of.token == "" {
		token, err := of.x.newToken()
		if err != nil {
			return "", err
		}
		of.token = token
		of.answer.header.Set("Cache-Control", "no-store")
	}
	return of.token, nil
}

// CSRFField returns the hidden field of a form with the token.
func (p Page) CSRFField() (template.HTML, error) {
	token, err := p.CSRFToken()
	if err != nil {
		return "", err
	}
	field := p.of.x.app.csrf.field
	if field == "" {
		return "", errors.New("CSRFField: Config.CSRF takes tokens from the header only")
	}
	return template.HTML(`<input type="hidden" name="` + template.HTMLEscapeString(field) + `" value="` + template.HTMLEscapeString(token) + `">`), nil
}

// CSRFToken is the answer of an operation that gives a token to a page which has no
// form to read it from: {"csrf_token": "…"}, with the cookie that belongs to it. Pages
// of other origins cannot read it unless CORS lets them.
type CSRFToken struct {
	Token string `json:"csrf_token" maxLength:"1024" doc:"For the header X-CSRF-Token."`
}

// errNoTokens says that a context is not that of a request.
var errNoTokens = errors.New("CSRFTokenFor: the context is not that of a request that lasts")

// NewCSRFToken makes a [CSRFToken] for the browser whose request ctx belongs to.
//
//	fastness.Get(app, "/csrftoken/", fastness.NewCSRFToken, access.Public)
func NewCSRFToken(ctx context.Context, _ struct{}) (Result[CSRFToken], error) {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return Result[CSRFToken]{}, errNoTokens
	}
	token, err := x.newToken()
	return Result[CSRFToken]{Body: CSRFToken{token}, Header: http.Header{"Cache-Control": {"no-store"}}}, err
}
