package sqljobs_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/fastness/fastness/jobs/sqljobs"
	"github.com/fastness/fastness/sqldb"
)

// A job that writes in a transaction which no late run can commit.
func ExampleHold() {
	sweep := func(ctx context.Context, db *sqldb.DB) (err error) {
		tx, end, err := sqldb.Begin(ctx, sqldb.From{DB: db})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end(err)) }()
		if err := sqljobs.Hold(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM carts WHERE abandoned")
		return err
	}
	fmt.Printf("%T\n", sweep)
	fmt.Println(sqljobs.Hold(context.Background(), nil))
	// Output:
	// func(context.Context, *sqldb.DB) error
	// sqljobs: the context is not that of a job
}
