package pubsubtest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/fastness/fastness/sqldb"
)

// NoDatabase returns a database that knows nothing but to begin, to commit and to
// roll back: for tests of what happens after a commit.
func NoDatabase(t testing.TB) *sqldb.DB {
	t.Helper()
	db := &sqldb.DB{Write: sql.OpenDB(nothing{})}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// nothing is a driver, its connections and their transactions.
type nothing struct{}

func (nothing) Connect(context.Context) (driver.Conn, error) { return nothing{}, nil }
func (nothing) Driver() driver.Driver                        { return nil }
func (nothing) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (nothing) Close() error                                 { return nil }
func (nothing) Begin() (driver.Tx, error)                    { return nothing{}, nil }
func (nothing) Commit() error                                { return nil }
func (nothing) Rollback() error                              { return nil }
