package identity

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/secret"
)

// usersCommand manages the users from the machine that the app runs on. Changes
// count in a server that is running within 5 seconds.
type usersCommand struct {
	Add      userAdd      `cmd:"" help:"Make an account."`
	List     userList     `cmd:"" help:"List the accounts."`
	Disable  userDisable  `cmd:"" help:"Keep a user out; their sessions end."`
	Enable   userEnable   `cmd:"" help:"Let a user in again."`
	Role     userRole     `cmd:"" help:"Set the roles of a user."`
	Password userPassword `cmd:"" help:"Set the password of a user; their sessions end."`
}

// byOperator is who did what a command does.
func byOperator() account.By { return account.By{Address: "command line"} }

// passwordFlag reads a password from the standard input: an argument would be in
// the list of processes and in the shell's history.
type passwordFlag struct {
	PasswordStdin bool `required:"" help:"Read the password from the standard input, one line."`
}

func (passwordFlag) read(in io.Reader) (secret.Text, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 8<<10)).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return secret.Text{}, fmt.Errorf("the password cannot be read from the standard input: %w", err)
	}
	return secret.New(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")), nil
}

type userAdd struct {
	passwordFlag

	Name   string   `arg:"" help:"What the user logs in with."`
	Role   []string `help:"A role of the user. Can be given several times." placeholder:"ROLE"`
	Tenant string   `help:"The tenant of the user." placeholder:"TENANT"`
}

// Run makes an account.
func (c *userAdd) Run(ctx context.Context, accounts *account.Accounts, console fastness.Console) error {
	pw, err := c.read(console.In)
	if err != nil {
		return err
	}
	made, err := accounts.Create(ctx, byOperator(), account.New{
		Name: c.Name, Password: pw, Roles: auth.SetOf(c.Role...), Tenant: auth.NewTenant(c.Tenant),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(console.Out, "%s  %s\n", made.ID, made.Name)
	return err
}

type userList struct{}

// Run lists the accounts.
func (userList) Run(ctx context.Context, accounts *account.Accounts, console fastness.Console) error {
	w := tabwriter.NewWriter(console.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLES\tTENANT\tSTATE\tCREATED\tID")
	for after := ""; ; {
		found, err := accounts.List(ctx, account.Page{After: after, Limit: 500})
		if err != nil {
			return err
		}
		for i := range found {
			a := &found[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, orDash(a.Roles.String()), orDash(observe.Printable(a.Tenant.String(), 64)),
				stateOf(a), a.Created.Format(time.DateOnly), a.ID)
			after = a.Name
		}
		if len(found) == 0 {
			return w.Flush()
		}
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func stateOf(a *account.Account) string {
	switch {
	case a.Disabled:
		return "disabled"
	case a.LockedUntil.After(time.Now()):
		return "locked"
	case a.SecondFactor:
		return "active, second factor"
	}
	return "active"
}

// userName is the user whom a command is about.
type userName struct {
	Name string `arg:"" help:"The user's name."`
}

func (u userName) change(ctx context.Context, accounts *account.Accounts, f func(id string) error) error {
	found, err := accounts.ByName(ctx, u.Name)
	if err != nil {
		return err
	}
	return f(found.ID)
}

type userDisable struct{ userName }

// Run disables the account.
func (c *userDisable) Run(ctx context.Context, accounts *account.Accounts) error {
	return c.change(ctx, accounts, func(id string) error { return accounts.Disable(ctx, byOperator(), id) })
}

type userEnable struct{ userName }

// Run enables the account.
func (c *userEnable) Run(ctx context.Context, accounts *account.Accounts) error {
	return c.change(ctx, accounts, func(id string) error { return accounts.Enable(ctx, byOperator(), id) })
}

type userRole struct {
	userName

	Roles []string `arg:"" optional:"" help:"All roles that the user is to have. None takes them all away."`
}

// Run sets the roles.
func (c *userRole) Run(ctx context.Context, accounts *account.Accounts) error {
	return c.change(ctx, accounts, func(id string) error {
		return accounts.SetRoles(ctx, byOperator(), id, auth.SetOf(c.Roles...))
	})
}

type userPassword struct {
	userName
	passwordFlag
}

// Run sets the password.
func (c *userPassword) Run(ctx context.Context, core *Core, console fastness.Console) error {
	pw, err := c.read(console.In)
	if err != nil {
		return err
	}
	return c.change(ctx, core.Accounts, func(id string) error {
		if err := core.Accounts.SetPassword(ctx, byOperator(), id, pw); err != nil {
			return err
		}
		return core.Reset(ctx, id)
	})
}
