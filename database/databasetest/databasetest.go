// Package databasetest gives each test a database of its own, of SQLite or of
// PostgreSQL, that nobody has to set up.
//
//	func TestNames(t *testing.T) {
//		databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
//			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { … })
//		}, migrations)
//	}
//
// A database of SQLite is a file in the test's folder. For PostgreSQL one server
// is started for all tests of a process, as soon as the first one asks for it, in
// a folder of its own and on a socket in it. It ends with the process, also if
// that is killed. Each test gets a copy of a database in which the migrations have
// run once.
//
// The programs of the server are found in PATH, or where Debian puts them
// (/usr/lib/postgresql). Where there are none, tests on PostgreSQL are skipped,
// and say why. It does not run as root: then it runs as the user postgres.
package databasetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// Variable is the environment variable that chooses the database of [New] and
// [URL]: "postgres" or "sqlite", which is the default.
const Variable = "FASTNESS_TEST_DATABASE"

// New returns an empty database, or one in which migrations have run. It is
// closed and gone when the test is over.
func New(t testing.TB, migrations ...fs.FS) *sqldb.DB {
	t.Helper()
	return open(t, chosen(t), migrations)
}

// Each runs a test on a new database of each kind.
func Each(t *testing.T, test func(t *testing.T, db *sqldb.DB), migrations ...fs.FS) {
	t.Helper()
	for _, dialect := range []sqldb.Dialect{sqldb.SQLite, sqldb.PostgreSQL} {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Helper()
			test(t, open(t, dialect, migrations))
		})
	}
}

// URL returns the URL of an empty database, for a program under test that opens
// it by itself.
func URL(t testing.TB) secret.Text {
	t.Helper()
	return URLOf(t, chosen(t))
}

// URLOf is [URL] for one kind of database.
func URLOf(t testing.TB, dialect sqldb.Dialect) secret.Text {
	t.Helper()
	if dialect == sqldb.PostgreSQL {
		return running(t).database(t, "template0")
	}
	return sqlite(t)
}

// Open opens a database with the zero configuration until the test is over.
func Open(t testing.TB, url secret.Text) *sqldb.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url, database.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

func chosen(t testing.TB) sqldb.Dialect {
	t.Helper()
	switch name := os.Getenv(Variable); name {
	case "", "sqlite":
		return sqldb.SQLite
	case "postgres":
		return sqldb.PostgreSQL
	default:
		t.Fatalf("%s is %q, want postgres or sqlite", Variable, name)
		return sqldb.SQLite
	}
}

func open(t testing.TB, dialect sqldb.Dialect, migrations []fs.FS) *sqldb.DB {
	t.Helper()
	if dialect == sqldb.PostgreSQL {
		server := running(t)
		template, err := server.template(migrations)
		if err != nil {
			t.Fatal(err)
		}
		return Open(t, server.database(t, template))
	}
	url := sqlite(t)
	if err := migrate(url, migrations); err != nil {
		t.Fatal(err)
	}
	return Open(t, url)
}

func sqlite(t testing.TB) secret.Text {
	t.Helper()
	return sqliteURL(filepath.Join(t.TempDir(), "test.db"))
}

// migrate brings the tables of a database up to date.
func migrate(url secret.Text, migrations []fs.FS) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, files := range migrations {
		db, err := database.Open(ctx, url, database.Config{Migrations: files})
		if err != nil {
			return err
		}
		if err := db.Close(); err != nil {
			return err
		}
	}
	return nil
}

// running returns the server, or skips the test where there can be none.
func running(t testing.TB) *server {
	t.Helper()
	s, err := start()
	if errors.Is(err, errNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
