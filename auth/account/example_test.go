package account_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// A log-in, as the handler of a form does it.
func Example() {
	ctx := context.Background()
	var db *sqldb.DB // open one with the driver of your choice
	hasher, err := password.New(password.Config{})
	if err != nil {
		log.Fatal(err)
	}
	policy, err := password.NewPolicy(password.PolicyConfig{Words: []string{"shop"}})
	if err != nil {
		log.Fatal(err)
	}
	users, err := account.Open(ctx, account.Config{
		DB: db, Passwords: hasher, Policy: policy, Events: auditlog.Discard{},
		Roles: []string{"admin", "seller"}, Administrator: "admin",
		EndSessions: func(ctx context.Context, userID, exceptSession string) error { return nil },
	})
	if err != nil {
		log.Fatal(err)
	}

	if token, ok, err := users.Bootstrap(ctx); err == nil && ok {
		fmt.Println("make the first administrator with this token:", token.Reveal())
	}
	login, err := users.LogIn(ctx, account.Attempt{
		Name: "alice", Password: secret.New("correct horse battery staple"), Address: "192.0.2.1", Remember: true,
	})
	switch {
	case errors.Is(err, account.ErrSecondFactor):
		fmt.Println("ask for the code, and try again with both")
	case err != nil:
		fmt.Println(err) // a problem.Problem that is safe to send
	default:
		fmt.Println(login.Account.ID, "is logged in")
	}
}
