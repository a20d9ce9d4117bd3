package databasetest_test

import (
	"testing"

	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/sqldb"
)

func Example() {
	_ = func(t *testing.T) { // A test, which is called by go test.
		databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), "CREATE TABLE items (name TEXT)")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEachKindIsEmptyAtFirst(t *testing.T) {
	for range 2 {
		databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
			if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), "CREATE TABLE items (name TEXT)")
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
