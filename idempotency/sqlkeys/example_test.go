package sqlkeys_test

import (
	"context"
	"fmt"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/idempotency/sqlkeys"
	"github.com/fastness/fastness/sqldb"
)

// openKeys is a provider of an app, for fastness.ProvideApp.
func openKeys(ctx context.Context, in struct{ DB *sqldb.DB }) (*idempotency.Keys, func(error) error, error) {
	store, err := sqlkeys.Open(ctx, in.DB)
	if err != nil {
		return nil, nil, err
	}
	keys, err := idempotency.New(idempotency.Config{Store: store})
	return keys, nil, err
}

func Example() {
	_, _, err := openKeys(context.Background(), struct{ DB *sqldb.DB }{})
	fmt.Println(err)
	// Output: idempotency: no database
}
