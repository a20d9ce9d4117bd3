package apikey_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/sqldb"
)

// A key for a machine, and an API that takes it.
func Example() {
	create := func(ctx context.Context, db *sqldb.DB, accounts auth.Accounts, api http.Handler) (http.Handler, error) {
		keys, err := apikey.Open(ctx, apikey.Config{DB: db, Accounts: accounts, Events: auditlog.Discard{}, Prefix: "shop"})
		if err != nil {
			return nil, err
		}
		key, text, err := keys.Create(ctx, apikey.Request{Owner: "ada", Name: "nightly export", Scopes: auth.SetOf("orders:read")})
		if err != nil {
			return nil, err
		}
		fmt.Println("key", key.ID, "is shown once:", text)

		scheme, err := apikey.NewScheme(apikey.SchemeConfig{Keys: keys})
		if err != nil {
			return nil, err
		}
		schemes, err := auth.New(scheme)
		return schemes.Handler(api), err
	}
	_ = create
}
