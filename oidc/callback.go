package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// flow is a log-in that is under way, as its browser keeps it in a cookie. It holds
// nothing that its owner may not choose: who they are, only the issuer says.
type flow struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Next     string `json:"to"`
	// Link is the session whose user wants to link their account.
	Link string `json:"l,omitempty"`
}

// cookie is the name of the cookie of a flow. The prefix keeps others from planting
// one: with a cookie of theirs, they could log a victim in as themselves.
func (l *Login) cookie() string { return "__Host-login-" + l.cfg.Name }

type beginLoginInput struct {
	Core    *identity.Core
	Request *http.Request
	Next    string `query:"next" default:"/" maxLength:"2048"`
	Link    bool   `query:"link" default:"false"`
}

func (l *Login) begin(ctx context.Context, in beginLoginInput) (out fastness.Result[fastness.NoContent], err error) {
	f := &flow{Next: identity.OwnPath(in.Next)}
	if in.Link { // Only beginLink sets the cookie that says so: a link of another site does not do.
		asked := l.underWay(in.Request)
		if asked == nil || asked.Link == "" {
			return out, failed(errors.New("oidc: nobody has asked for the link"))
		}
		f.Link = asked.Link
	}
	return l.leave(ctx, in.Core, f)
}

type beginLinkInput struct {
	Core *identity.Core
	User auth.User
	Next string `form:"next" default:"/" maxLength:"2048"`
}

// beginLink notes which session asks, and leads on by a page: the browser would not
// let a form lead to another site. It takes a new log-in, as a passkey does: a link
// outlives the session, and the next change of the password, so that whoever finds
// an open browser or copies a cookie must not tie their own account to it.
func (l *Login) beginLink(_ context.Context, in beginLinkInput) (out fastness.Result[fastness.NoContent], err error) {
	if err := in.Core.RequireRecentLogin(&in.User); err != nil {
		return out, err
	}
	out = redirect(l.Path() + "/link?" + url.Values{"next": {identity.OwnPath(in.Next)}}.Encode())
	return out, l.remember(&out, &flow{Link: in.User.Session})
}

type linkPageInput struct {
	Core *identity.Core
	Next string `query:"next" default:"/" maxLength:"2048"`
}

func (l *Login) linkPage(in linkPageInput) ContinuePage {
	return ContinuePage{App: in.Core.Name(), Next: l.Path() + "?" + url.Values{"link": {"true"}, "next": {identity.OwnPath(in.Next)}}.Encode()}
}

// remember lets the browser keep a flow.
func (l *Login) remember(out *fastness.Result[fastness.NoContent], f *flow) error {
	value, err := json.Marshal(f)
	out.Cookies = []*http.Cookie{{Name: l.cookie(), Value: base64.RawURLEncoding.EncodeToString(value), Path: "/", MaxAge: 600}}
	return err
}

// leave sends the browser to the provider.
func (l *Login) leave(ctx context.Context, core *identity.Core, f *flow) (out fastness.Result[fastness.NoContent], err error) {
	p, err := l.reach(ctx)
	if err != nil {
		return out, problem.New(http.StatusBadGateway, "the provider cannot be reached").Named("provider_unavailable").Wrap(err)
	}
	f.State, f.Nonce, f.Verifier = newSecret(), newSecret(), oauth2.GenerateVerifier()
	out = redirect(l.oauth(core, p).AuthCodeURL(f.State, coreos.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)))
	return out, l.remember(&out, f)
}

type finishInput struct {
	Core    *identity.Core
	Links   *links
	From    identity.Origin
	Request *http.Request
	Code    string `query:"code" default:"" maxLength:"4096"`
	State   string `query:"state" default:"" maxLength:"4096"`
	Issuer  string `query:"iss" default:"" maxLength:"2048"`
	Error   string `query:"error" default:"" maxLength:"256"`
}

// finish takes the answer of the provider. What is wrong with it is for the log of
// events: who reads the page cannot mend it, and who forged it shall not learn.
func (l *Login) finish(ctx context.Context, in finishInput) (out fastness.Result[fastness.NoContent], err error) {
	f := l.underWay(in.Request)
	if f == nil || len(f.State) != 43 || subtle.ConstantTimeCompare([]byte(in.State), []byte(f.State)) != 1 {
		return out, failed(errors.New("oidc: the answer is not for a log-in of this browser"))
	}
	token, err := l.proved(ctx, in, f)
	if err != nil {
		e := auditlog.Event{
			Name: "authn_login_fail", Refused: true, Request: in.From.Request, Address: in.From.Address,
			Details: []slog.Attr{slog.String("issuer", l.cfg.Issuer), slog.String("reason", err.Error())},
		}
		if !l.strays.Take(in.Core.Now()) {
			return out, failed(err)
		}
		return out, failed(errors.Join(err, in.Core.Events.Record(ctx, e)))
	}
	var cookies []*http.Cookie
	if f.Link != "" {
		err = l.link(ctx, in, f, token)
	} else {
		cookies, err = l.enter(ctx, in, token)
	}
	if err != nil {
		return out, err
	}
	out = redirect(f.Next)
	out.Cookies = append(cookies, &http.Cookie{Name: l.cookie(), Path: "/", MaxAge: -1})
	return out, nil
}

// proved returns what the provider says, once it is proved.
func (l *Login) proved(ctx context.Context, in finishInput, f *flow) (*coreos.IDToken, error) {
	switch {
	case in.Issuer != "" && in.Issuer != l.cfg.Issuer: // RFC 9207: another one's answer.
		return nil, errors.New("oidc: the answer is of another issuer")
	case in.Error != "" || in.Code == "":
		return nil, errors.New("oidc: the provider refused")
	}
	return l.verified(ctx, in.Core, f, in.Code)
}

func failed(why error) error {
	return problem.New(http.StatusForbidden, "the log-in did not succeed: please try again").Named("login_failed").Wrap(why)
}

// underWay returns the flow of a browser, or nil. Of two cookies neither counts.
func (l *Login) underWay(r *http.Request) *flow {
	cookies := r.CookiesNamed(l.cookie())
	if len(cookies) != 1 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cookies[0].Value)
	f := new(flow)
	if err != nil || json.Unmarshal(text, f) != nil {
		return nil
	}
	f.Next = identity.OwnPath(f.Next)
	return f
}

// link ties the issuer's user to the caller's account. The session must be the one
// that has asked: somebody else may have logged in since.
func (l *Login) link(ctx context.Context, in finishInput, f *flow, token *coreos.IDToken) error {
	u, err := visitorOf(ctx, in.Core, in.Request)
	if err != nil {
		return err
	}
	if u == nil || u.Session != f.Link {
		return failed(errors.New("oidc: the session that wanted the link is over"))
	}
	return in.Links.add(ctx, in.Core, token.Issuer, token.Subject, u.ID)
}

// enter logs in the user whom the issuer's is linked to.
func (l *Login) enter(ctx context.Context, in finishInput, token *coreos.IDToken) ([]*http.Cookie, error) {
	user, err := in.Links.user(ctx, token.Issuer, token.Subject)
	if err == nil && user == "" {
		user, err = l.register(ctx, in, token)
	}
	if err != nil {
		return nil, err
	}
	found, err := in.Core.Accounts.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	var claims struct {
		Methods []string `json:"amr"`
	}
	_ = token.Claims(&claims) // Without it, no factor is proved.
	methods := auth.SetOf("fed")
	if auth.SetOf(claims.Methods...).Has("mfa") {
		methods = auth.SetOf("fed", "mfa")
	}
	if found.SecondFactor && !methods.Has("mfa") {
		return nil, problem.New(http.StatusForbidden, "this account has a second factor, which the provider has not asked for: please log in with the password").
			Named("second_factor_required")
	}
	login, err := in.Core.Accounts.Establish(ctx, in.From.By, user, methods)
	if err != nil {
		return nil, err
	}
	cookies, err := in.Core.EnterBrowser(ctx, in.Request, in.From, login)
	if errors.Is(err, session.ErrRefused) {
		err = failed(err)
	}
	return cookies, err
}

// register makes an account for who comes for the first time. Its password is one
// that nobody knows.
func (l *Login) register(ctx context.Context, in finishInput, token *coreos.IDToken) (string, error) {
	if l.cfg.Register == nil {
		return "", problem.New(http.StatusForbidden, "no account is linked to this one: please log in with the password and link it").Named("not_linked")
	}
	who := Stranger{Issuer: token.Issuer, Subject: token.Subject}
	var claims struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := token.Claims(&claims); err != nil {
		return "", failed(fmt.Errorf("oidc: ID token of %s: %w", l.cfg.Name, err))
	}
	who.Name, who.Email, who.EmailVerified = claims.Name, claims.Email, claims.Verified
	wanted, err := l.cfg.Register(ctx, who)
	if err != nil {
		return "", err
	}
	wanted.Password = secret.New(rand.Text() + rand.Text())
	made, err := in.Core.Accounts.Create(ctx, in.From.By, wanted)
	if err != nil {
		return "", err
	}
	return made.ID, in.Links.add(ctx, in.Core, token.Issuer, token.Subject, made.ID)
}
