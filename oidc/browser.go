package oidc

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/problem"
)

//go:embed web
var web embed.FS

// since is when the user must have logged in at the earliest.
func since(of *request) time.Time {
	return of.Created.Truncate(time.Microsecond).Add(-time.Duration(*of.MaxAge) * time.Second)
}

// lead returns where the browser goes: to the next step, or back to the client with
// a code. A request that has no id yet is kept if it has to wait.
func (e *engine) lead(ctx context.Context, of *request, id string, at position) (string, error) {
	if at.step == done {
		return e.grant(ctx, of, at.user, at.epoch)
	}
	if id == "" {
		var err error
		if id, err = e.store.keep(ctx, of, e.cfg.LoginTTL); err != nil {
			return "", err
		}
	}
	if at.step == ask {
		return consentPath + "?request=" + id, nil
	}
	return "/login?" + url.Values{"next": {continuePath + "?request=" + id}}.Encode(), nil
}

// grant returns the address that takes a code to the client.
func (e *engine) grant(ctx context.Context, of *request, u *auth.User, epoch int64) (string, error) {
	code, err := e.store.issue(ctx, &grant{request: *of, user: u.ID, browser: u.Session, epoch: epoch, methods: u.Methods, at: u.At}, e.cfg.CodeTTL)
	if err != nil {
		return "", err
	}
	return e.respond(of, &op.CodeResponseType{Code: code, State: of.State})
}

// respond returns the address that takes an answer to the client.
func (e *engine) respond(of *request, answer any) (string, error) {
	mode := oidc.ResponseModeQuery
	if of.Fragment {
		mode = oidc.ResponseModeFragment
	}
	return op.AuthResponseURL(of.RedirectURI, oidc.ResponseTypeCode, mode, answer, &encoder{oidc.NewEncoder(), e.core.Issuer})
}

// waiting returns the request of an id, or an error that the user sees. The client
// may have been changed since.
func (e *engine) waiting(ctx context.Context, id string) (*request, error) {
	of, err := e.store.request(ctx, id)
	if err != nil {
		return nil, err
	}
	if of != nil {
		if c := e.find(of.Client); c != nil && redirects(c, of.RedirectURI) {
			return of, nil
		}
	}
	return nil, problem.New(http.StatusBadRequest, "this log-in is over, or took too long: please begin again").Named("no_such_request")
}

type continueInput struct {
	Engine *engine
	ID     string `query:"request" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]+$"`
}

// ContinuePage leads a browser on.
type ContinuePage struct {
	App  string `json:"app" maxLength:"256"`
	Next string `json:"next" maxLength:"8192"`
}

// page is between a form and the client. A browser lets a form lead only where the
// policy of its page says, through all redirects; what the user sent ends here, and
// a new navigation begins.
func (in continueInput) page() ContinuePage {
	return ContinuePage{App: in.Engine.core.Name(), Next: resumePath + "?request=" + in.ID}
}

type resumeInput struct {
	Engine  *engine
	Request *http.Request
	ID      string `query:"request" minLength:"43" maxLength:"43"`
}

// resume goes on with a request after a step was taken.
func resume(ctx context.Context, in resumeInput) (out fastness.Result[fastness.NoContent], err error) {
	e := in.Engine
	of, err := e.waiting(ctx, in.ID)
	if err != nil {
		return out, err
	}
	at, err := e.next(ctx, in.Request, of)
	if err != nil {
		return out, err
	}
	if of.Denied || at.step == done {
		taken, err := e.store.take(ctx, in.ID)
		if err != nil {
			return out, err
		}
		if !taken {
			_, err = e.waiting(ctx, in.ID)
			return out, err
		}
	}
	location := ""
	if of.Denied {
		location, err = e.respond(of, &oidc.Error{ErrorType: oidc.AccessDenied, State: of.State})
	} else {
		location, err = e.lead(ctx, of, in.ID, at)
	}
	if err != nil {
		return out, err
	}
	return redirect(location), nil
}

type consentInput struct {
	Engine  *engine
	Request *http.Request
	ID      string `query:"request" minLength:"43" maxLength:"43"`
}

// ConsentPage asks whether a client may.
type ConsentPage struct {
	fastness.Page
	App     string           `json:"app" maxLength:"256"`
	Client  string           `json:"client" maxLength:"256"`
	Where   string           `json:"where" maxLength:"2048" doc:"Where the answer goes."`
	Own     bool             `json:"own" doc:"The client is the application's own."`
	User    string           `json:"user" maxLength:"256"`
	Session string           `json:"session" maxLength:"64"`
	Request string           `json:"request" maxLength:"64"`
	Scopes  []ConsentedScope `json:"scopes" maxItems:"1000"`
}

// ConsentedScope is one thing that a client wants to do.
type ConsentedScope struct {
	Name        string `json:"name" maxLength:"256"`
	Description string `json:"description" maxLength:"1024"`
}

func (in consentInput) page(ctx context.Context) (ConsentPage, error) {
	e := in.Engine
	of, err := e.waiting(ctx, in.ID)
	if err != nil {
		return ConsentPage{}, err
	}
	u, err := e.visitor(ctx, in.Request)
	if err != nil {
		return ConsentPage{}, err
	}
	if u == nil {
		return ConsentPage{}, problem.New(http.StatusForbidden, "please log in first").Named("login_required")
	}
	c := e.find(of.Client)
	p := ConsentPage{
		App: e.core.Name(), Client: clientName(c), Where: where(of.RedirectURI), Own: c.FirstParty,
		User: u.Name, Session: u.Session, Request: in.ID, Scopes: []ConsentedScope{},
	}
	wanted := of.scopes()
	for _, s := range append(e.core.Scopes(), ownScopes()...) {
		if wanted.Has(s.Name) {
			p.Scopes = append(p.Scopes, ConsentedScope(s))
		}
	}
	return p, nil
}

// where names the place of an address for people: a name of the client's own
// choice proves nothing.
func where(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "https":
		return u.Host
	case u.Scheme == "http":
		return "a program on this device"
	}
	return "a program on this device (" + u.Scheme + ")"
}

type decideInput struct {
	Engine   *engine
	From     identity.Origin
	Request  *http.Request
	ID       string `form:"request" minLength:"43" maxLength:"43"`
	Session  string `form:"session" minLength:"1" maxLength:"64"`
	Decision string `form:"decision" enum:"allow,deny"`
}

// decide takes the user's answer. Only our own page may give it, and only for the
// session in which it was asked: somebody else may have logged in since.
func decide(ctx context.Context, in decideInput) (out fastness.Result[fastness.NoContent], err error) {
	e := in.Engine
	if !auth.FromOwnPage(in.Request) {
		return out, auth.CrossSite()
	}
	of, err := e.waiting(ctx, in.ID)
	if err != nil {
		return out, err
	}
	u, err := e.visitor(ctx, in.Request)
	if err != nil {
		return out, err
	}
	if u != nil && u.Session == in.Session {
		event := auditlog.Event{
			Name: "user_consent", Actor: u.ID, Subject: u.ID, Refused: in.Decision != "allow", Request: in.From.Request, Address: in.From.Address,
			Details: []slog.Attr{slog.String("client", of.Client), slog.String("scopes", of.scopes().String())},
		}
		if err := e.core.Events.Record(ctx, event); err != nil {
			return out, err
		}
		if of.Denied = in.Decision != "allow"; !of.Denied {
			of.Granted = u.Session
		}
		if err := e.store.answer(ctx, in.ID, of); err != nil {
			return out, err
		}
	}
	return redirect(continuePath + "?request=" + in.ID), nil
}

// style is what the pages need beside the style of the page to log in.
func style(context.Context, struct{}) (fastness.Raw, error) {
	data, err := web.ReadFile("web/style.css")
	return fastness.Raw{ContentType: "text/css; charset=utf-8", Body: data}, err
}

// clientName returns what people know a client as.
func clientName(c *identity.Client) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}
