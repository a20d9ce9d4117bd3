package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/passkey/internal/signed"
	"github.com/fastness/fastness/problem"
)

func declareLogin(app *fastness.App, users *identity.Identity) {
	login := app.Group("/passkeys", access.Public, fastness.Tags("log-in"), fastness.BodyLimit(64<<10), users.LogInLimit(),
		fastness.Response[*problem.Problem](403, "The request comes from another site."))
	fastness.Post(login, "/options", beginLogin, fastness.OperationID("beginPasskeyLogin"),
		fastness.Summary("Begin a log-in by passkey"), fastness.Description("What the browser needs. It is the same for everybody: the passkey says who it is."),
		fastness.ResponseDescription("The options for navigator.credentials.get."))
	fastness.Post(login, "/session", finishLogin, fastness.OperationID("beginPasskeySession"), fastness.Status(http.StatusNoContent),
		fastness.Summary("Log in by passkey, with a cookie"), fastness.Description("What the browser has signed, within 5 minutes from its options. POST /logout ends the session."),
		fastness.ResponseDescription("Logged in; the session is in a cookie."),
		fastness.Response[*problem.Problem](401, "The passkey is not accepted."))
}

func beginLogin(ctx context.Context, in struct {
	Party   *party
	Request *http.Request
}) (RequestOptions, error) {
	if !auth.FromOwnPage(in.Request) {
		return RequestOptions{}, auth.CrossSite()
	}
	challenge, err := in.Party.challenge(ctx, loggingIn, "")
	return in.Party.requestOptions(challenge), err
}

type loginInput struct {
	Party   *party
	From    identity.Origin
	Request *http.Request
	Body    struct {
		Credential json.RawMessage `json:"credential" doc:"What navigator.credentials.get has returned, as its toJSON writes it."`
	}
}

// finishLogin begins a session. A page of another site must not: it would log its
// visitor in as somebody else, who then reads what they leave here.
func finishLogin(ctx context.Context, in loginInput) (fastness.Result[fastness.NoContent], error) {
	out := fastness.Result[fastness.NoContent]{Header: http.Header{"Cache-Control": {"no-store"}}}
	if !auth.FromOwnPage(in.Request) {
		return out, auth.CrossSite()
	}
	p := in.Party
	c, err := p.assert(ctx, in.Body.Credential)
	if reason, ok := errors.AsType[*refusal](err); ok {
		return out, orElse(p.recordFailure(ctx, in.From, reason), refusedLogin().Wrap(err))
	}
	if err != nil {
		return out, err
	}
	// What the events of the log-in say of the account, and that it may be used.
	login, err := p.core.Accounts.Establish(ctx, in.From.By, c.User, methodsOf(c))
	if errors.Is(err, account.ErrCredentials) {
		return out, orElse(p.forgetDeleted(ctx, c.User), refusedLogin().Wrap(err))
	}
	if err != nil {
		return out, err
	}
	out.Cookies, err = p.core.EnterBrowser(ctx, in.Request, in.From, login)
	if errors.Is(err, session.ErrRefused) { // Disabled in this moment.
		err = refusedLogin().Wrap(err)
	}
	return out, err
}

// methodsOf says what a log-in by passkey proves (RFC 8176 section 2): a key that
// cannot be copied is taken for hardware.
func methodsOf(c *credential) auth.Set {
	if c.BackupEligible {
		return auth.SetOf("swk", "user", "mfa")
	}
	return auth.SetOf("hwk", "user", "mfa")
}

// assert returns the passkey that signed a log-in. What is wrong with it is a
// *refusal.
func (p *party) assert(ctx context.Context, text json.RawMessage) (*credential, error) {
	l, err := signed.ParseLogin(text)
	if err != nil {
		return nil, refused(err)
	}
	ok, err := p.spend(ctx, l.Challenge(), loggingIn, "")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refused(errChallenge)
	}
	c, err := p.find(ctx, l.ID())
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, refused(errUnknown)
	}
	key, err := p.site.LogIn(l, c.Key)
	if err != nil {
		return nil, &refusal{reason: err, user: c.User}
	}
	used := *c
	used.Key, used.lastUsed = *key, p.core.Now()
	rose, err := p.use(ctx, &used)
	if err != nil {
		return nil, err
	}
	if !rose {
		return nil, &refusal{reason: errCount, user: c.User}
	}
	return &used, nil
}

// forgetDeleted deletes the passkeys of a user who is no more: the account was
// deleted where nobody knew of them.
func (p *party) forgetDeleted(ctx context.Context, user string) error {
	if _, err := p.core.Accounts.Get(ctx, user); !errors.Is(err, account.ErrUnknown) {
		return err
	}
	return p.forget(ctx, user)
}

// errRefused is in the chain of every [refusal].
var errRefused = errors.New("refused")

// Why something is refused, for the log of events. The caller is never told.
var (
	errChallenge = errors.New("challenge")  // not ours, for something else, used or too old
	errUnknown   = errors.New("unknown")    // nobody has the passkey
	errCount     = errors.New("sign_count") // there is a copy of the key, or it was removed just now
)

// refusal is what is wrong with what a browser sent, and whose passkey it was, if
// that is known.
type refusal struct {
	reason error
	user   string
}

func refused(reason error) error { return &refusal{reason: reason} }

func (r *refusal) Error() string   { return r.reason.Error() }
func (r *refusal) Unwrap() []error { return []error{errRefused, r.reason} }

// recordFailure records a log-in that failed. Anybody can fail without having
// tried anything, and must not fill the log: what is about no passkey that there
// is, is recorded once a second on the average.
func (p *party) recordFailure(ctx context.Context, f identity.Origin, r *refusal) error {
	if r.user == "" && !p.strays.Take(p.core.Now()) {
		return nil
	}
	return p.core.Events.Record(ctx, auditlog.Event{
		Name: "authn_login_fail", Subject: r.user, Address: f.Address, Request: f.Request, Refused: true,
		Details: []slog.Attr{slog.String("reason", "passkey"), slog.String("detail", r.Error())},
	})
}
