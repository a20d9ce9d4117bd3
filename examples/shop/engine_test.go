package main

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// FASTNESS_TEST_DATABASE=postgres runs these tests on PostgreSQL. A data folder
// then has a database beside it, for as long as the test that asked first.

// databases are the URLs of data folders.
var databases sync.Map

// databaseOf returns the URL of the database that belongs to a data folder, or
// nothing where files in the folder are it.
func databaseOf(t *testing.T, dir string) secret.Text {
	t.Helper()
	if !onPostgres() {
		return secret.Text{}
	}
	if url, ok := databases.Load(dir); ok {
		return url.(secret.Text)
	}
	url := databasetest.URL(t)
	databases.Store(dir, url)
	return url
}

// inFolder returns the settings of a shop whose data is in a folder.
func inFolder(t *testing.T, dir string) fastness.Settings {
	t.Helper()
	return fastness.Settings{DataDir: dir, DB: databaseOf(t, dir)}
}

func onPostgres() bool { return os.Getenv(databasetest.Variable) == "postgres" }

// onlyFiles skips what is about the files of SQLite.
func onlyFiles(t *testing.T) {
	t.Helper()
	if onPostgres() {
		t.Skip("this is about the files of SQLite")
	}
}

// storable returns the texts that the database can hold: PostgreSQL has no text
// with a null byte, and such a request is refused.
func storable(texts []string) []string {
	if !onPostgres() {
		return texts
	}
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return strings.Contains(text, "\x00") || strings.Contains(text, `\u0000`) })
}

// wantPools checks that no connection is in use, and that there are not more than
// the database may have.
func wantPools(t *testing.T, db *sqldb.DB) {
	t.Helper()
	writers := 1
	if onPostgres() {
		writers = 16
	}
	if got := db.Write.Stats(); got.InUse != 0 || got.OpenConnections > writers {
		t.Errorf("the pool for writing has %d connections, %d in use, want at most %d and 0", got.OpenConnections, got.InUse, writers)
	}
	if got := db.Read.Stats(); !onPostgres() && (got.InUse != 0 || got.OpenConnections > 8) {
		t.Errorf("the pool for reading has %d connections, %d in use, want at most 8 and 0", got.OpenConnections, got.InUse)
	}
}
