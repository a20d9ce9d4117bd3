package passkey

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"unicode"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/passkey/internal/signed"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// declareOwn declares what callers do with their passkeys. It takes no API key:
// who steals one must not be able to take the account with it.
func declareOwn(app *fastness.App) {
	own := app.Group("/me/passkeys", access.All(access.By("oauth2", "session"), access.Scope("account")), fastness.Tags("me"), fastness.BodyLimit(64<<10))
	again := fastness.Response[*problem.Problem](401, "Nobody is logged in, or not within the last 10 minutes.")
	fastness.Get(own, "", listPasskeys, fastness.OperationID("listPasskeys"),
		fastness.Summary("The caller's passkeys"), fastness.ResponseDescription("The passkeys, the oldest first."))
	fastness.Post(own, "/options", beginAdding, again, fastness.OperationID("beginPasskey"),
		fastness.Summary("Begin to add a passkey"), fastness.Description("What the browser needs to make one. It takes a log-in within the last 10 minutes."),
		fastness.ResponseDescription("The options for navigator.credentials.create."))
	fastness.Post(own, "", finishAdding, again, fastness.OperationID("addPasskey"),
		fastness.Summary("Add a passkey"), fastness.Description("What the browser has made, within 5 minutes from its options."),
		fastness.ResponseDescription("The passkey."),
		fastness.Response[*problem.Problem](409, "The passkey is there already, or there are too many."))
	fastness.Delete(own, "/{passkey_id}", removePasskey, again, fastness.OperationID("removePasskey"),
		fastness.Summary("Remove a passkey"), fastness.Description("Sessions that it has begun go on."), fastness.ResponseDescription("Removed."),
		fastness.Response[*problem.Problem](404, "The caller has no such passkey."),
		fastness.Response[*problem.Problem](409, "It is the only way to log in."))
}

// owner is a caller who may change their passkeys: an operation that asks for one
// need not ask when they logged in.
type owner struct{ *auth.User }

type ownerInput struct {
	Party *party
	User  auth.User
}

// ownerOf provides the owner. A token of somebody else's program is not enough,
// whatever its scopes are and however new it is: a passkey is for everything that
// the user may do.
func ownerOf(_ context.Context, in ownerInput) (owner, error) {
	u := &in.User
	if client := in.Party.core.Client(u.Client); !u.AllScopes && (client == nil || !client.FirstParty) {
		return owner{}, access.Denied()
	}
	return owner{u}, in.Party.core.RequireRecentLogin(u)
}

func listPasskeys(ctx context.Context, in struct {
	Party *party
	User  auth.User
}) ([]View, error) {
	all, err := in.Party.list(ctx, in.User.ID)
	views := make([]View, len(all))
	for i, c := range all {
		views[i] = viewOf(c)
	}
	return views, err
}

func beginAdding(ctx context.Context, in struct {
	Party *party
	User  owner
}) (CreationOptions, error) {
	has, err := in.Party.list(ctx, in.User.ID)
	if err != nil {
		return CreationOptions{}, err
	}
	challenge, err := in.Party.challenge(ctx, registering, in.User.ID)
	if err != nil {
		return CreationOptions{}, err
	}
	return in.Party.creationOptions(challenge, in.User.ID, in.User.Name, has), nil
}

type addInput struct {
	Party *party
	User  owner
	From  identity.Origin
	Body  struct {
		Name       string          `json:"name" minLength:"1" maxLength:"100" doc:"For the user to know it by." example:"Laptop"`
		Credential json.RawMessage `json:"credential" doc:"What navigator.credentials.create has returned, as its toJSON writes it."`
	}
}

// Validate wants a name that can be shown in a line.
func (in addInput) Validate(context.Context) error {
	name := in.Body.Name
	if strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return schema.Invalid("a name is one line, without space around it").Named("passkey_name").At("body", "name")
	}
	return nil
}

func finishAdding(ctx context.Context, in addInput) (fastness.Created[View], error) {
	var out fastness.Created[View]
	p := in.Party
	c, err := p.attest(ctx, in.Body.Credential, in.User.ID)
	if errors.Is(err, errRefused) {
		event := changed(in.From, "passkey_added", in.User.ID, slog.String("reason", err.Error()))
		event.Refused = true
		return out, orElse(p.core.Events.Record(ctx, event), refusedPasskey().Wrap(err))
	}
	if err != nil {
		return out, err
	}
	c.name, c.created = in.Body.Name, p.core.Now()
	// Recorded before it counts, and not in the transaction: the recorder has its own.
	event := changed(in.From, "passkey_added", in.User.ID, slog.String("passkey", encode(c.ID)))
	if err := p.core.Events.Record(ctx, event); err != nil {
		return out, err
	}
	if err := p.add(ctx, c); err != nil {
		event.Refused = true
		return out, orElse(p.core.Events.Record(ctx, event), err)
	}
	out.Body, out.Location = viewOf(c), "/me/passkeys/"+encode(c.ID)
	return out, nil
}

// attest returns the passkey that a browser has made for a user. What is wrong
// with it is [errRefused].
func (p *party) attest(ctx context.Context, text json.RawMessage, user string) (*credential, error) {
	r, err := signed.ParseRegistration(text)
	if err != nil {
		return nil, refused(err)
	}
	ok, err := p.spend(ctx, r.Challenge(), registering, user)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refused(errChallenge)
	}
	key, err := p.site.Register(r, user)
	if err != nil {
		return nil, refused(err)
	}
	return &credential{Key: *key}, nil
}

func removePasskey(ctx context.Context, in struct {
	Party *party
	User  owner
	From  identity.Origin
	ID    string `path:"passkey_id" maxLength:"1364" doc:"The id of the passkey."`
}) (fastness.NoContent, error) {
	p, none := in.Party, fastness.NoContent{}
	id, err := base64.RawURLEncoding.Strict().DecodeString(in.ID)
	if err != nil {
		return none, missing()
	}
	c, err := p.find(ctx, id)
	if err != nil {
		return none, err
	}
	if c == nil || c.User != in.User.ID {
		return none, missing()
	}
	account, err := p.core.Accounts.Get(ctx, in.User.ID)
	if err != nil {
		return none, err
	}
	event := changed(in.From, "passkey_removed", in.User.ID, slog.String("passkey", in.ID))
	if err := p.core.Events.Record(ctx, event); err != nil {
		return none, err
	}
	removed, err := p.remove(ctx, in.User.ID, id, !account.PasswordChanged.IsZero())
	if err == nil && !removed {
		err = lastOne()
	}
	if err != nil {
		event.Refused = true
		return none, orElse(p.core.Events.Record(ctx, event), err)
	}
	return none, nil
}

// changed is the event of a change of an account. The name is that of the OWASP vocabulary.
func changed(f identity.Origin, change, subject string, details ...slog.Attr) auditlog.Event {
	return auditlog.Event{
		Name: "user_updated", Actor: f.Actor, Subject: subject, Address: f.Address, Request: f.Request,
		Details: append([]slog.Attr{slog.String("change", change)}, details...),
	}
}

// orElse returns the first of two errors that there is.
func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
