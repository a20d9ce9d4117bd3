// Package storetest runs the stores of Fastness over real databases. It is a
// module of its own, so that nobody downloads drivers who does not use them.
package storetest

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// eachEngine runs a test over an empty database of each kind. Without the
// programs of a PostgreSQL server that part is skipped.
func eachEngine(t *testing.T, test func(t *testing.T, db *sqldb.DB)) {
	databasetest.Each(t, test)
}

func openSQLite(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	return openNamed(t, sqldb.SQLite, path)
}

// openPostgres makes an empty database and opens it.
func openPostgres(t testing.TB) *sqldb.DB {
	t.Helper()
	return databasetest.Open(t, databasetest.URLOf(t, sqldb.PostgreSQL))
}

// openAgain opens the database of db once more, as another process would.
func openAgain(t testing.TB, db *sqldb.DB) *sqldb.DB {
	t.Helper()
	return openNamed(t, db.Dialect, whereIs(t, db))
}

// whereIs returns the file of a SQLite database, or the URL of one of PostgreSQL:
// what a child process needs to open it.
func whereIs(t testing.TB, db *sqldb.DB) string {
	t.Helper()
	var name, folder string
	if db.Dialect == sqldb.SQLite {
		if err := db.Write.QueryRow("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if err := db.Write.QueryRow("SELECT current_database(), current_setting('unix_socket_directories')").Scan(&name, &folder); err != nil {
		t.Fatal(err)
	}
	return "postgres:///" + name + "?" + url.Values{"host": {folder}, "user": {"postgres"}}.Encode()
}

// openNamed opens what [whereIs] returned.
func openNamed(t testing.TB, dialect sqldb.Dialect, name string) *sqldb.DB {
	t.Helper()
	if dialect == sqldb.SQLite {
		path := url.URL{Path: filepath.ToSlash(name)}
		name = "sqlite://" + path.EscapedPath()
	}
	return databasetest.Open(t, secret.New(name))
}
