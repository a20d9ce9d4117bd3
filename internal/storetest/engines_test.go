// Package storetest runs the stores of Fastness over real databases. It is a
// module of its own, so that nobody downloads drivers who does not use them.
package storetest

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/fastness/fastness/sqldb"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// eachEngine runs a test over an empty database of each kind. Without the
// programs of a PostgreSQL server that part is skipped.
func eachEngine(t *testing.T, test func(t *testing.T, db *sqldb.DB)) {
	t.Run("SQLite", func(t *testing.T) { test(t, openSQLite(t, filepath.Join(t.TempDir(), "test.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, openPostgres(t)) })
}

// openSQLite opens a file as the shop does: one connection that writes, some
// that read.
func openSQLite(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	db := &sqldb.DB{
		Write: openPool(t, path, 1, url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"NORMAL"}}),
		Read:  openPool(t, path, 4, url.Values{}),
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openPool(t testing.TB, path string, n int, params url.Values) *sql.DB {
	t.Helper()
	params.Set("_busy_timeout", "5000")
	params.Set("_foreign_keys", "1")
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: params.Encode()}
	pool, err := sql.Open("sqlite", name.String())
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(n)
	return pool
}

// openAgain opens the database of db once more, as another process would.
func openAgain(t testing.TB, db *sqldb.DB) *sqldb.DB {
	t.Helper()
	return openNamed(t, db.Dialect, whereIs(t, db))
}

// whereIs returns the file of a SQLite database, or the name that the driver has
// for one of PostgreSQL: what a child process needs to open it.
func whereIs(t testing.TB, db *sqldb.DB) string {
	t.Helper()
	query := "SELECT file FROM pragma_database_list WHERE name = 'main'"
	if db.Dialect == sqldb.PostgreSQL {
		query = "SELECT current_database()"
	}
	var name string
	if err := db.Write.QueryRow(query).Scan(&name); err != nil {
		t.Fatal(err)
	}
	if db.Dialect == sqldb.PostgreSQL {
		return postgres.name(name)
	}
	return name
}

// openNamed opens what [whereIs] returned.
func openNamed(t testing.TB, dialect sqldb.Dialect, name string) *sqldb.DB {
	t.Helper()
	if dialect == sqldb.PostgreSQL {
		return openPostgresPool(t, name)
	}
	return openSQLite(t, name)
}
