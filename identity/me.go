package identity

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// declareMe declares what callers may do with their own account. What decides
// about the account takes no API key: who steals one must not be able to take the
// account with it.
func (id *Identity) declareMe(app *fastness.App) {
	fastness.Post(app, "/logout", logOut, access.By(schemeOAuth2, schemeSession), fastness.Tags("log-in"), fastness.OperationID("logOut"),
		fastness.Summary("Log out"), fastness.Description("Here, or everywhere. It counts at once: access tokens of the session are refused, too."),
		fastness.Status(http.StatusNoContent), fastness.ResponseDescription("Logged out."))

	me := app.Group("/me", fastness.Tags("me"))
	fastness.Get(me, "", readMe, access.Authenticated, fastness.OperationID("readMe"),
		fastness.Summary("Who is calling"), fastness.ResponseDescription("The caller."))

	mine := me.Group("", access.All(access.By(schemeOAuth2, schemeSession), access.Scope(scopeAccount)))
	wrong := fastness.Response[*problem.Problem](403, "The current password or the code is wrong.")
	fastness.Put(mine, "/password", changePassword, wrong, fastness.OperationID("changePassword"),
		fastness.Summary("Change the password"), fastness.Description("All other sessions end, and so does everything that was issued to them."),
		fastness.Status(http.StatusNoContent), fastness.ResponseDescription("Changed. A browser gets a new cookie."))
	fastness.Get(mine, "/sessions", listSessions, fastness.OperationID("listSessions"),
		fastness.Summary("Where the caller is logged in"), fastness.ResponseDescription("The sessions, the last used first."))
	fastness.Delete(mine, "/sessions/{session_id}", endSession, fastness.OperationID("endSession"),
		fastness.Summary("Log out another device"), fastness.ResponseDescription("The session has ended."),
		fastness.Response[*problem.Problem](404, "The caller has no such session."))
	fastness.Post(mine, "/second-factor", enrol, wrong, fastness.OperationID("enrolSecondFactor"),
		fastness.Summary("Begin to use an authenticator app"), fastness.Description("It counts once a code of the app was sent."),
		fastness.ResponseDescription("What the app needs."))
	fastness.Post(mine, "/second-factor/confirm", confirmEnrolment, wrong, fastness.OperationID("confirmSecondFactor"),
		fastness.Summary("Show that the authenticator app works"), fastness.ResponseDescription("The recovery codes. They are told this once."))
	fastness.Post(mine, "/second-factor/recovery-codes", renewCodes, wrong, fastness.OperationID("renewRecoveryCodes"),
		fastness.Summary("Get new recovery codes"), fastness.Description("The old ones are void."),
		fastness.ResponseDescription("The recovery codes. They are told this once."))
	fastness.Post(mine, "/second-factor/remove", removeFactor, wrong, fastness.OperationID("removeSecondFactor"),
		fastness.Summary("Use the password alone"), fastness.Status(http.StatusNoContent), fastness.ResponseDescription("Removed. A browser gets a new cookie."))
	fastness.Get(mine, "/api-keys", listKeys, fastness.OperationID("listAPIKeys"),
		fastness.Summary("The caller's API keys"), fastness.ResponseDescription("The keys, without what is secret in them."))
	fastness.Post(mine, "/api-keys", createKey, fastness.OperationID("createAPIKey"),
		fastness.Summary("Make an API key"), fastness.Description("It takes a log-in within the last 10 minutes."),
		fastness.ResponseDescription("The key. It is told this once."),
		fastness.Response[*problem.Problem](409, "The caller has as many keys as one account may have."))
	fastness.Delete(mine, "/api-keys/{key_id}", revokeKey, fastness.OperationID("revokeAPIKey"),
		fastness.Summary("Revoke an API key"), fastness.ResponseDescription("Revoked."),
		fastness.Response[*problem.Problem](404, "The caller has no such key."))
}

type logOutInput struct {
	Core *Core
	User auth.User
	From Origin
	Body *struct {
		Everywhere bool `json:"everywhere" default:"false" doc:"End all sessions of the caller."`
	}
}

func logOut(ctx context.Context, in logOutInput) (fastness.Result[fastness.NoContent], error) {
	out := fastness.Result[fastness.NoContent]{Header: noStore()}
	everywhere := in.Body != nil && in.Body.Everywhere
	if everywhere && !in.User.HasScope(scopeAccount) { // It ends what other programs do for the user.
		return out, access.Denied()
	}
	cleared := http.Header{}
	in.Core.Cookies.ClearCookie(cleared)
	out.Cookies = cookiesOf(cleared)
	if in.User.Scheme == schemeSession { // Who uses the browser next finds nothing of it.
		out.Header.Set("Clear-Site-Data", headers.ClearSiteData)
	}
	if everywhere {
		return out, in.Core.Accounts.LogOutEverywhere(ctx, in.From.By, in.User.ID)
	}
	if in.User.Session == "" {
		return out, nil
	}
	return out, in.Core.Sessions.End(ctx, in.User.Session, session.LoggedOut)
}

// Me is what callers may know of themselves.
type Me struct {
	ID           string     `json:"id" maxLength:"64"`
	Name         string     `json:"name" maxLength:"256"`
	Roles        []string   `json:"roles" maxItems:"1000" maxLength:"64"`
	Scopes       []string   `json:"scopes" maxItems:"1000" maxLength:"128" doc:"What the credential is for."`
	AllScopes    bool       `json:"all_scopes" doc:"The credential is for everything that the user may do."`
	Tenant       string     `json:"tenant" maxLength:"256"`
	Scheme       string     `json:"scheme" maxLength:"64" doc:"How the caller proved who they are."`
	Methods      []string   `json:"methods" maxItems:"20" maxLength:"16" doc:"How they logged in (RFC 8176)."`
	At           *time.Time `json:"authenticated_at" doc:"When they logged in."`
	SecondFactor bool       `json:"second_factor" doc:"A password alone does not log in."`
}

func readMe(ctx context.Context, in struct {
	Core *Core
	User auth.User
}) (Me, error) {
	u := in.User
	me := Me{
		ID: u.ID, Name: u.Name, Roles: list(u.Roles), Scopes: list(u.Scopes), AllScopes: u.AllScopes,
		Tenant: u.Tenant.String(), Scheme: u.Scheme, Methods: list(u.Methods),
	}
	if !u.At.IsZero() {
		me.At = &u.At
	}
	found, err := in.Core.Accounts.Get(ctx, u.ID)
	if err != nil {
		return me, err
	}
	me.SecondFactor = found.SecondFactor
	return me, nil
}

// list returns the names of a set, and never null.
func list(s auth.Set) []string { return append([]string{}, s.Slice()...) }

type changePasswordInput struct {
	Core *Core
	User auth.User
	From Origin
	Body struct {
		Current secret.Text `json:"current_password" minLength:"1" maxLength:"4096"`
		New     secret.Text `json:"new_password" minLength:"1" maxLength:"4096"`
	}
}

// blame makes the violations of a password those of the member that it came in.
func blame(err error, member string) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || len(p.Errors) == 0 {
		return err
	}
	for i := range p.Errors {
		p.Errors[i].Path = []problem.Segment{problem.Name(member)}
	}
	return err
}

func changePassword(ctx context.Context, in changePasswordInput) (fastness.Result[fastness.NoContent], error) {
	if err := in.Core.Accounts.ChangePassword(ctx, in.From.By, in.Body.Current, in.Body.New); err != nil {
		return fastness.Result[fastness.NoContent]{}, blame(err, "new_password")
	}
	cookies, err := in.Core.renewed(ctx, in.User)
	return fastness.Result[fastness.NoContent]{Header: noStore(), Cookies: cookies}, err
}

// renewed gives the browser that asks a new value for its cookie: somebody with a
// copy of the old one may be why the password or the second factor is changed. Who
// came with something else gets none.
func (c *Core) renewed(ctx context.Context, u auth.User) ([]*http.Cookie, error) {
	if u.Scheme != schemeSession {
		return nil, nil
	}
	s, value, err := c.Sessions.Renew(ctx, u.Session, auth.Set{})
	if err != nil {
		return nil, refusedGrant(err)
	}
	set := http.Header{}
	c.Cookies.SetCookie(set, value, s)
	return cookiesOf(set), nil
}

// SessionView is one log-in of the caller.
type SessionView struct {
	ID       string    `json:"id" maxLength:"64"`
	Kind     string    `json:"kind" enum:"browser,app"`
	Client   string    `json:"client" maxLength:"255"`
	Label    string    `json:"label" maxLength:"200"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used"`
	Until    time.Time `json:"until"`
	Current  bool      `json:"current" doc:"It is the one that asks."`
}

func listSessions(ctx context.Context, in struct {
	Core *Core
	User auth.User
}) ([]SessionView, error) {
	found, err := in.Core.Sessions.List(ctx, in.User.ID)
	views := make([]SessionView, len(found))
	for i, s := range found {
		views[i] = SessionView{
			ID: s.ID, Kind: string(s.Kind), Client: s.Client, Label: s.Label,
			Created: s.Created, LastUsed: s.LastUsed, Until: s.Until, Current: s.ID == in.User.Session,
		}
	}
	return views, err
}

func endSession(ctx context.Context, in struct {
	Core *Core
	User auth.User
	ID   string `path:"session_id" maxLength:"64" doc:"The id of the session."`
}) (fastness.NoContent, error) {
	return fastness.NoContent{}, orMissing(in.Core.Sessions.EndOf(ctx, in.User.ID, in.ID))
}

// orMissing makes a 404 of what was not there.
func orMissing(found bool, err error) error {
	if err == nil && !found {
		return problem.New(http.StatusNotFound, "")
	}
	return err
}

// KeyView is an API key, without what is secret in it.
type KeyView struct {
	ID        string     `json:"id" maxLength:"64"`
	Name      string     `json:"name" maxLength:"200"`
	Scopes    []string   `json:"scopes" maxItems:"1000" maxLength:"128"`
	AllScopes bool       `json:"all_scopes"`
	Created   time.Time  `json:"created"`
	Expires   time.Time  `json:"expires"`
	LastUsed  *time.Time `json:"last_used"`
}

// NewKeyView is an API key that was just made.
type NewKeyView struct {
	KeyView
	Key string `json:"key" maxLength:"200" doc:"The key itself. It is told this once."`
}

func viewOfKey(k *apikey.Key) KeyView {
	v := KeyView{ID: k.ID, Name: k.Name, Scopes: list(k.Scopes), AllScopes: k.AllScopes, Created: k.Created, Expires: k.Expires}
	if !k.LastUsed.IsZero() {
		v.LastUsed = &k.LastUsed
	}
	return v
}

func listKeys(ctx context.Context, in struct {
	Core *Core
	User auth.User
}) ([]KeyView, error) {
	found, err := in.Core.APIKeys.List(ctx, in.User.ID)
	views := make([]KeyView, 0, len(found))
	for _, k := range found {
		if k.Live(in.Core.cfg.Now()) {
			views = append(views, viewOfKey(k))
		}
	}
	return views, err
}

type createKeyInput struct {
	Core    *Core
	User    auth.User
	Request *http.Request
	Body    struct {
		Name   string    `json:"name" minLength:"1" maxLength:"200"`
		Scopes *[]string `json:"scopes" minItems:"1" maxItems:"1000" maxLength:"128" doc:"What the key is for. Absent or null: everything that the caller's own credential is for."`
		Days   int       `json:"days" minimum:"1" maximum:"365" default:"90" doc:"How long it is good."`
	}
}

// createKey makes a key for no more than the caller's own credential is for.
func createKey(ctx context.Context, in createKeyInput) (fastness.Created[NewKeyView], error) {
	var out fastness.Created[NewKeyView]
	// A key outlives the session, and a change of the password: whoever holds a copy
	// of a cookie must not be able to make one.
	if err := in.Core.RequireRecentLogin(&in.User); err != nil {
		return out, err
	}
	scopes, all := in.User.Scopes, in.User.AllScopes
	if in.Body.Scopes != nil {
		scopes, all = auth.SetOf(*in.Body.Scopes...), false
	}
	for name := range scopes.All() {
		if !in.User.HasScope(name) {
			return out, oauthError(http.StatusForbidden, "insufficient_scope", "the caller's own credential is not for that")
		}
	}
	k, text, err := in.Core.APIKeys.Create(ctx, apikey.Request{
		Owner: in.User.ID, Name: in.Body.Name, Scopes: scopes, AllScopes: all,
		Lifetime: time.Duration(in.Body.Days) * 24 * time.Hour,
	})
	if errors.Is(err, apikey.ErrTooMany) {
		return out, problem.New(http.StatusConflict, "there are as many keys as one account may have: revoke one first").Named("too_many_keys").Wrap(err)
	}
	if errors.Is(err, apikey.ErrName) {
		return out, problem.New(http.StatusUnprocessableEntity, "the name must be 1 to 200 bytes of what can be printed").Named("key_name").Wrap(err)
	}
	if err != nil {
		return out, err
	}
	// The key outlives the session, and what makes the session void makes the keys
	// void that there are then. One that was made later, by a server that had not
	// heard of it yet, would stay: so this comes after.
	if still, err := in.Core.stillIn(ctx, in.Request, &in.User); err != nil || !still {
		_, gone := in.Core.APIKeys.RevokeOf(ctx, in.User.ID, k.ID)
		if err = errors.Join(err, gone); err != nil {
			return out, err
		}
		return out, overtaken()
	}
	out.Body = NewKeyView{viewOfKey(k), text}
	out.Location = "/me/api-keys/" + k.ID
	return out, nil
}

// stillIn reports whether the caller is logged in as the database has it now. What
// a request is let in by was so some seconds ago at the longest, which is soon
// enough for all that ends with the session.
func (c *Core) stillIn(ctx context.Context, r *http.Request, u *auth.User) (bool, error) {
	s, err := c.Sessions.Get(ctx, u.Session)
	if u.Scheme == schemeSession {
		s, err = c.Cookies.Session(ctx, r)
	}
	if err != nil || s == nil || s.ID != u.Session || !s.Live(c.cfg.Now()) {
		return false, err
	}
	found, err := c.Accounts.Get(ctx, u.ID)
	return err == nil && !found.Disabled && s.Epoch >= found.Epoch, err
}

func overtaken() error {
	return problem.New(http.StatusUnauthorized, "the session has ended").Named("invalid_credentials").With("WWW-Authenticate", "Bearer")
}

func revokeKey(ctx context.Context, in struct {
	Core *Core
	User auth.User
	ID   string `path:"key_id" maxLength:"64" doc:"The id of the key."`
}) (fastness.NoContent, error) {
	return fastness.NoContent{}, orMissing(in.Core.APIKeys.RevokeOf(ctx, in.User.ID, in.ID))
}
