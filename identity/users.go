package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// declareUsers declares what the administrator does with the accounts, and how
// the first accounts come to be.
func (id *Identity) declareUsers(app *fastness.App) {
	taken := fastness.Response[*problem.Problem](409, "The name is taken.")
	users := app.Group("/users", fastness.Tags("users"),
		access.All(access.By(schemeOAuth2, schemeSession), access.Role(id.cfg.Administrator), access.Scope(scopeUsers)))
	fastness.Get(users, "", listUsers, fastness.OperationID("listUsers"),
		fastness.Summary("List the users"), fastness.ResponseDescription("A part of the list, by name."))
	fastness.Post(users, "", createUser, taken, fastness.OperationID("createUser"),
		fastness.Summary("Make an account for somebody"), fastness.ResponseDescription("The account."))
	fastness.Provide(users, loadManaged)
	one := users.Group("/{user_id}", fastness.Response[*problem.Problem](404, "There is no such user."))
	fastness.Get(one, "", readUser, fastness.OperationID("readUser"),
		fastness.Summary("Show a user"), fastness.ResponseDescription("The user."))
	fastness.Patch(one, "", changeUser, fastness.OperationID("changeUser"), fastness.Summary("Change a user"),
		fastness.Description("What is changed counts at once: a role that is taken is gone for tokens that exist, and a user who is disabled is out."),
		fastness.ResponseDescription("The user as they are now."),
		fastness.Response[*problem.Problem](409, "Nobody would be left to look after the users."))
	fastness.Delete(one, "", deleteUser, fastness.OperationID("deleteUser"), fastness.Summary("Delete a user"),
		fastness.Description("For good: nobody else ever gets the id."), fastness.ResponseDescription("Deleted."),
		fastness.Response[*problem.Problem](409, "Nobody would be left to look after the users."))
	fastness.Post(app, "/users/first", createFirst, access.Public, id.LogInLimit(), fastness.Tags("users"), taken, fastness.OperationID("createFirstUser"),
		fastness.Summary("Make the first administrator"),
		fastness.Description("With the token that is in a file of the data folder as long as there is none."),
		fastness.ResponseDescription("The account."), fastness.Response[*problem.Problem](403, "The token is not good, or no more."))
	if id.cfg.SignUp != nil {
		fastness.Post(app, "/sign-up", signUp, access.Public, id.signUpLimit(), fastness.Tags("users"), taken, fastness.OperationID("signUp"),
			fastness.Summary("Make an account for oneself"), fastness.ResponseDescription("The account."),
			fastness.Response[*problem.Problem](429, "Too many accounts from one address."))
	}
}

// UserView is an account, as the administrator sees it.
type UserView struct {
	ID           string     `json:"id" maxLength:"64"`
	Name         string     `json:"name" maxLength:"64"`
	Roles        []string   `json:"roles" maxItems:"1000" maxLength:"64"`
	Tenant       string     `json:"tenant" maxLength:"256"`
	Disabled     bool       `json:"disabled"`
	LockedUntil  *time.Time `json:"locked_until"`
	SecondFactor bool       `json:"second_factor"`
	Created      time.Time  `json:"created"`
}

func viewOf(a *account.Account) UserView {
	v := UserView{
		ID: a.ID, Name: a.Name, Roles: list(a.Roles), Tenant: a.Tenant.String(),
		Disabled: a.Disabled, SecondFactor: a.SecondFactor, Created: a.Created,
	}
	if !a.LockedUntil.IsZero() {
		v.LockedUntil = &a.LockedUntil
	}
	return v
}

func listUsers(ctx context.Context, in struct {
	Accounts *account.Accounts
	Caller   auth.User
	After    string `query:"after" default:"" maxLength:"64" doc:"The name of the last user of the page before."`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The most users to list."`
}) ([]UserView, error) {
	found, err := in.Accounts.List(ctx, account.Page{After: in.After, Limit: in.Limit, Tenant: in.Caller.Tenant})
	views := make([]UserView, len(found))
	for i := range found {
		views[i] = viewOf(&found[i])
	}
	return views, err
}

// Credentials are the name and the password of a new account.
type Credentials struct {
	Name     string      `json:"name" minLength:"1" maxLength:"64" doc:"ASCII letters, digits and . _ - @ +. Case makes no difference." example:"ann"`
	Password secret.Text `json:"password" minLength:"1" maxLength:"4096"`
}

type created = fastness.Created[UserView]

func createdView(a *account.Account, err error) (created, error) {
	if err != nil {
		return created{}, err
	}
	return created{Body: viewOf(a), Location: "/users/" + a.ID}, nil
}

func createUser(ctx context.Context, in struct {
	Accounts *account.Accounts
	Caller   auth.User
	From     Origin
	Body     struct {
		Credentials
		Roles  []string `json:"roles" maxItems:"100" maxLength:"64"`
		Tenant string   `json:"tenant" default:"" maxLength:"256" doc:"The default is the caller's own; only who has none can choose another."`
	}
}) (created, error) {
	tenant := in.Caller.Tenant
	switch asked := auth.NewTenant(in.Body.Tenant); { // Only an operator, who belongs to no tenant, decides by it.
	case tenant.IsZero():
		tenant = asked
	case !asked.IsZero() && asked != tenant:
		return created{}, access.Denied()
	}
	return createdView(in.Accounts.Create(ctx, in.From.By, account.New{
		Name: in.Body.Name, Password: in.Body.Password, Roles: auth.SetOf(in.Body.Roles...), Tenant: tenant,
	}))
}

// managed is an account that the calling administrator looks after.
type managed struct{ *account.Account }

// loadManaged finds the account of the path. An administrator who belongs to a
// tenant looks after that tenant's users, and does not learn of others; one
// without a tenant looks after all.
func loadManaged(ctx context.Context, in struct {
	Accounts *account.Accounts
	Caller   auth.User
	ID       string `path:"user_id" maxLength:"64" doc:"The id of the user."`
}) (managed, error) {
	found, err := in.Accounts.GetIn(ctx, in.Caller.Tenant, in.ID)
	return managed{found}, err
}

func readUser(_ context.Context, in struct{ User managed }) (UserView, error) {
	return viewOf(in.User.Account), nil
}

type changeUserInput struct {
	Core     *Core
	Accounts *account.Accounts
	From     Origin
	User     managed
	Body     struct {
		Roles        fastness.Opt[[]string]                 `json:"roles" maxItems:"100" maxLength:"64"`
		Disabled     fastness.Opt[bool]                     `json:"disabled"`
		LockedUntil  fastness.Opt[fastness.Null[time.Time]] `json:"locked_until" doc:"Keeps the user out until then; null lets them in again."`
		Password     fastness.Opt[secret.Text]              `json:"password" minLength:"1" maxLength:"4096" doc:"A new one. The user's sessions end."`
		SecondFactor fastness.Opt[bool]                     `json:"second_factor" doc:"false takes it away, for a user who has lost it."`
	}
}

// Validate wants a change that there is.
func (in changeUserInput) Validate(context.Context) error {
	if on, sent := in.Body.SecondFactor.Get(); sent && on {
		return problem.New(http.StatusUnprocessableEntity, "only its owner can set up a second factor").Named("second_factor")
	}
	return nil
}

func changeUser(ctx context.Context, in changeUserInput) (UserView, error) {
	var u account.Update
	if names, sent := in.Body.Roles.Get(); sent {
		roles := auth.SetOf(names...)
		u.Roles = &roles
	}
	if disabled, sent := in.Body.Disabled.Get(); sent {
		u.Disabled = &disabled
	}
	if lock, sent := in.Body.LockedUntil.Get(); sent {
		until, _ := lock.Get() // Null is the zero time, which ends a lock.
		u.LockedUntil = &until
	}
	if pw, sent := in.Body.Password.Get(); sent {
		u.Password = &pw
	}
	_, u.ResetSecondFactor = in.Body.SecondFactor.Get()
	if err := in.Accounts.Update(ctx, in.From.By, in.User.ID, u); err != nil {
		return UserView{}, err
	}
	if u.Password != nil || u.ResetSecondFactor {
		if err := in.Core.Reset(ctx, in.User.ID); err != nil {
			return UserView{}, err
		}
	}
	found, err := in.Accounts.Get(ctx, in.User.ID)
	if err != nil {
		return UserView{}, err
	}
	return viewOf(found), nil
}

func deleteUser(ctx context.Context, in struct {
	Core *Core
	From Origin
	User managed
}) (fastness.NoContent, error) {
	if err := in.Core.Accounts.Delete(ctx, in.From.By, in.User.ID); err != nil {
		return fastness.NoContent{}, err
	}
	return fastness.NoContent{}, in.Core.Reset(ctx, in.User.ID)
}

func createFirst(ctx context.Context, in struct {
	Core *Core
	From Origin
	Body struct {
		Credentials
		Token secret.Text `json:"token" minLength:"1" maxLength:"256"`
	}
}) (created, error) {
	out, err := createdView(in.Core.Accounts.CreateFirst(ctx, in.From.By, in.Body.Token, account.New{
		Name: in.Body.Name, Password: in.Body.Password, Roles: auth.SetOf(in.Core.cfg.Administrator),
	}))
	if err != nil {
		return out, err
	}
	return out, in.Core.forgetBootstrap()
}

func signUp(ctx context.Context, in struct {
	Core *Core
	From Origin
	Body Credentials
}) (created, error) {
	return createdView(in.Core.Accounts.SignUp(ctx, in.From.By, account.New{
		Name: in.Body.Name, Password: in.Body.Password, Tenant: auth.NewTenant(in.Core.cfg.SignUp.Tenant),
	}))
}
