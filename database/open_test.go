package database_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

const password = "hunter2-correct-horse"

func TestURLThatIsWrongIsRefused(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"", "there is no URL"},
		{"mysql://root:" + password + "@localhost/shop", "of no kind that is known"},
		{"shop.db", "of no kind that is known"},
		{"postgres://shop:" + password + "%zz@localhost/shop", "cannot be parsed"},
		{"postgres://shop:" + password + "/@localhost:port/shop", "cannot be"},
		{"postgres://shop:" + password + "@localhost:99999999/shop", "cannot be read"},
		{"postgres://shop:" + password + "@localhost/shop?sslmode=" + password, "cannot be read"},
		{"postgres://shop@localhost/shop?password=" + password + "&sslmode=none", "cannot be read"},
		{"postgres://shop:" + password + "@localhost/shop?default_query_exec_mode=simple_protocol", "simple protocol"},
		{"postgres://shop:" + password + "@localhost/shop?default_query_exec_mode=exec", "is exec"},
		{"postgres://shop@localhost/shop?default_query_exec_mode=cache_describe&default_query_exec_mode=simple_protocol", "is simple protocol"},
		{"postgres://shop:12/" + password + "@localhost/shop", "in percent"},
		{"postgres://shop:12?" + password + "@localhost/shop", "in percent"},
		{"postgres://shop:12#" + password + "@localhost/shop", "in percent"},
		{"postgres://shop@corp:12/" + password + "@localhost/shop", "in percent"},
		{"postgres:///shop?host=%40db.internal&sslmode=disable", "verify-full"},
		{"postgres://shop:" + password + "@db.internal/shop?sslmode=disable", "verify-full"},
		{"postgres://shop:" + password + "@db.internal/shop?sslmode=prefer", "verify-full"},
		{"postgres://shop:" + password + "@db.internal/shop?sslmode=require", "verify-full"},
		{"postgres://shop:" + password + "@db.internal/shop?sslmode=verify-ca", "verify-full"},
		{"postgres://shop:" + password + "@localhost,db.internal/shop?sslmode=disable", "verify-full"},
		{"postgres://shop:" + password + "@localhost.evil.example/shop?sslmode=disable", "verify-full"},
		{"postgres://shop:" + password + "@127.0.0.1.evil.example/shop?sslmode=disable", "verify-full"},
		{"postgres:///shop?host=db.internal&sslmode=disable", "verify-full"},
		{"sqlite://shop.db", "three slashes"},
		{"sqlite:///./shop.db", "absolute after three slashes"},
		{"sqlite:///", "names no file"},
		{"sqlite::memory:", "names no file"},
		{"file::memory:", "names no file"},
		{"sqlite:///tmp/a.db?mode=memory", "more than a path"},
		{"sqlite:///tmp/a.db?_pragma=trusted_schema(1)", "more than a path"},
		{"file:a.db?vfs=x", "more than a path"},
		{"sqlite:///tmp/a%00.db", "null byte"},
	} {
		db, err := database.Open(t.Context(), secret.New(tt.url), database.Config{})
		if err == nil {
			t.Errorf("%q was opened", tt.url)
			_ = db.Close()
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "database config: ") {
			t.Errorf("%q: %v, want %q", tt.url, err, tt.want)
		}
		if strings.Contains(err.Error(), password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestEveryMistakeOfTheConfigIsNamed(t *testing.T) {
	_, err := database.Open(t.Context(), secret.New("x:"), database.Config{
		Migrations: fstest.MapFS{"readme.txt": {}}, Schema: `a"; DROP`, Connections: -1, Wait: -1, StatementTimeout: time.Microsecond, LockTimeout: -1, IdleTimeout: -1,
	})
	for _, want := range []string{"Migrations", "Schema", "Connections", "Wait", "StatementTimeout", "LockTimeout", "IdleTimeout", "of no kind"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	for _, name := range []string{"pg_temp", "A", "1a", "a-b", "ä", strings.Repeat("a", 64), "a,b", "a b"} {
		if _, err := database.Open(t.Context(), secret.New("x:"), database.Config{Schema: name}); !strings.Contains(err.Error(), "Schema") {
			t.Errorf("the schema %q is taken", name)
		}
	}
}

// A server that cannot be reached: what is wrong is told, and not the password.
func TestPasswordIsInNoErrorOfTheConnection(t *testing.T) {
	for _, url := range []string{
		"postgres://shop:" + password + "@127.0.0.1:1/shop",
		"postgres://shop:" + password + "@db.invalid/shop",
		"postgres://shop:" + password + "@db.invalid/shop?sslmode=verify-full",
		"postgres://shop@127.0.0.1:1/shop?password=" + password,
	} {
		_, err := database.Open(t.Context(), secret.New(url), database.Config{})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), password) || strings.Contains(err.Error(), "config") {
			t.Errorf("%q: %v", url, err)
		}
	}
	// What is less than a verified certificate needs a reason, and has it here.
	_, err := database.Open(t.Context(), secret.New("postgres://shop:"+password+"@db.invalid/shop?sslmode=disable"), database.Config{InsecureTLS: "a test without a server"})
	if err == nil || strings.Contains(err.Error(), "config") {
		t.Errorf("with InsecureTLS: %v, want only that there is no such host", err)
	}
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "yet there", "100%?#.db")
	url := "sqlite://" + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23", " ", "%20").Replace(path)
	db := databasetest.Open(t, secret.New(url))
	if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return done(tx.Exec(t.Context(), "CREATE TABLE a (b TEXT)")) }); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Dir(path) + "/*")
	if len(files) < 3 {
		t.Errorf("the files are %q, want the database, its log and its index", files)
	}
	for _, file := range append(files, filepath.Dir(path)) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v (%v), want nothing for others", file, info.Mode(), err)
		}
	}
}

// one returns migrations of n files, which add rows, so that running one twice
// shows.
func steps(n int) fstest.MapFS {
	files := fstest.MapFS{"migrations/00001_first.sql": {Data: []byte("-- +goose Up\nCREATE TABLE step (n BIGINT);\nINSERT INTO step VALUES (1);\n-- +goose Down\nDROP TABLE step;\n")}}
	for i := 2; i <= n; i++ {
		files[fmt.Sprintf("migrations/%05d_more.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\nINSERT INTO step VALUES (%d);\n-- +goose Down\nDELETE FROM step WHERE n = %d;\n", i, i)}
	}
	return files
}

func eachURL(t *testing.T, test func(t *testing.T, url secret.Text)) {
	for _, dialect := range []sqldb.Dialect{sqldb.SQLite, sqldb.PostgreSQL} {
		t.Run(dialect.String(), func(t *testing.T) { test(t, databasetest.URLOf(t, dialect)) })
	}
}

func count(t *testing.T, url secret.Text, query string) (n int) {
	t.Helper()
	if err := databasetest.Open(t, url).Write.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManyThatStartAtOnceMigrateOnce(t *testing.T) {
	eachURL(t, func(t *testing.T, url secret.Text) {
		var wg sync.WaitGroup
		together := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-together
				db, err := database.Open(t.Context(), url, database.Config{Migrations: steps(100)})
				if err != nil {
					t.Error(err)
					return
				}
				_ = db.Close()
			})
		}
		close(together)
		wg.Wait()
		if n := count(t, url, "SELECT count(*) FROM step"); n != 100 {
			t.Errorf("%d steps were taken, want 100", n)
		}
	})
}

func TestMigrationThatFailsLeavesNothing(t *testing.T) {
	eachURL(t, func(t *testing.T, url secret.Text) {
		files := steps(3)
		good := files["migrations/00003_more.sql"]
		files["migrations/00003_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE half (n BIGINT);\nINSERT INTO step VALUES (3);\nINSERT INTO nowhere VALUES (1);\n")}
		if _, err := database.Open(t.Context(), url, database.Config{Migrations: files}); err == nil || !strings.Contains(err.Error(), "00003_more.sql") {
			t.Errorf("Open() = %v, want an error that names the file", err)
		}
		if n := count(t, url, "SELECT count(*) FROM step"); n != 2 {
			t.Errorf("%d steps were taken, want 2", n)
		}
		files["migrations/00003_more.sql"] = &fstest.MapFile{Data: append(good.Data[:len("-- +goose Up\n")], "CREATE TABLE half (n BIGINT);\nINSERT INTO step VALUES (3);\n"...)}
		if _, err := database.Open(t.Context(), url, database.Config{Migrations: files}); err != nil {
			t.Errorf("once it is mended: %v", err)
		}
	})
}

func TestProgramOlderThanItsDatabaseDoesNotStart(t *testing.T) {
	eachURL(t, func(t *testing.T, url secret.Text) {
		db, err := database.Open(t.Context(), url, database.Config{Migrations: steps(3)})
		if err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
		if _, err := database.Open(t.Context(), url, database.Config{Migrations: steps(2)}); err == nil || !strings.Contains(err.Error(), "older than the database") {
			t.Errorf("Open() = %v", err)
		}
	})
}

func TestFoldersForEachDialect(t *testing.T) {
	both := fstest.MapFS{
		"migrations/sqlite/00001_a.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;\n")},
		"migrations/postgres/00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (id BIGINT GENERATED ALWAYS AS IDENTITY);\n")},
	}
	eachURL(t, func(t *testing.T, url secret.Text) {
		for _, files := range []fs.FS{both, must(fs.Sub(both, "migrations"))} {
			db, err := database.Open(t.Context(), url, database.Config{Migrations: files})
			if err != nil {
				t.Fatal(err)
			}
			_ = db.Close()
		}
	})
	for name, files := range map[string]fstest.MapFS{
		"nothing":       {},
		"only a readme": {"migrations/readme.md": {}},
		"one of two":    {"migrations/sqlite/00001_a.sql": {}},
		"two folders":   {"a/00001_a.sql": {}, "b/00001_a.sql": {}},
	} {
		if _, err := database.Open(t.Context(), databasetest.URLOf(t, sqldb.SQLite), database.Config{Migrations: files}); err == nil || !strings.Contains(err.Error(), "Migrations") {
			t.Errorf("%s: Open() = %v", name, err)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Two parts of a program with tables of the same name, in one database.
func TestSchemasKeepTablesApart(t *testing.T) {
	url := databasetest.URLOf(t, sqldb.PostgreSQL)
	for n, schema := range []string{"shop", "users", ""} {
		db, err := database.Open(t.Context(), url, database.Config{Migrations: steps(3 - n), Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var got int
		if err := db.Read.QueryRow("SELECT count(*) FROM step").Scan(&got); err != nil || got != 3-n {
			t.Errorf("%q has %d steps (%v), want %d", schema, got, err, 3-n)
		}
	}
}

func TestServerHasTheLimitsOfTheConfig(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.URLOf(t, sqldb.PostgreSQL), database.Config{StatementTimeout: 1234 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, want := range map[string]string{"statement_timeout": "1234ms", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"} {
		var got string
		if err := db.Write.QueryRow("SHOW " + name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
	if n := db.Write.Stats().MaxOpenConnections; n != 16 {
		t.Errorf("there are up to %d connections, want 16", n)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_ = db.Close()
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a database that is closed answers")
	}
}

// A row that another transaction holds is not waited for without end, and neither
// is a transaction that holds it and does nothing.
func TestLockIsNotWaitedForWithoutEnd(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.URLOf(t, sqldb.PostgreSQL), database.Config{Migrations: steps(1), LockTimeout: 100 * time.Millisecond, IdleTimeout: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	update := func(tx *sqldb.Tx) error { return done(tx.Exec(t.Context(), "UPDATE step SET n = n")) }
	err = db.Tx(t.Context(), func(idle *sqldb.Tx) error {
		if err := update(idle); err != nil {
			return err
		}
		if err := db.Tx(t.Context(), update); err == nil || !strings.Contains(err.Error(), "took too long") {
			t.Errorf("a row that is locked: %v, want a 503", err)
		}
		deadline := time.Now().Add(10 * time.Second)
		for db.Tx(t.Context(), update) != nil { // Until the server ends the first one.
			if time.Now().After(deadline) {
				return errors.New("an idle transaction is kept")
			}
		}
		return nil
	})
	if err == nil || strings.Contains(err.Error(), "kept") {
		t.Errorf("the idle transaction ended with %v, want that it is gone", err)
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"sqlite:///a.db", "file:a.db", "postgres://a:b@c/d?e=f", "postgres://a:b@/d?host=/tmp", "postgres://%00", "sqlite:%zz", "postgresql://a:b@[::1]:1/d?sslmode=verify-full"} {
		f.Add(seed)
	}
	closed, cancel := canceled()
	defer cancel()
	folder := f.TempDir()
	if err := os.Chdir(folder); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		name := "postgres://shop:" + password + "@localhost/" + rest
		db, err := database.Open(closed, secret.New(name), database.Config{})
		if err == nil {
			_ = db.Close()
			t.Fatalf("%q was opened with a context that is over", name)
		}
		if strings.Contains(err.Error(), password) {
			t.Errorf("the error shows the password: %v", err)
		}
		if !strings.HasPrefix(rest, "sqlite:") && !strings.HasPrefix(rest, "file:") { // Those make files.
			if db, err := database.Open(closed, secret.New(rest), database.Config{}); err == nil {
				_ = db.Close()
				t.Errorf("%q was opened", rest)
			}
		}
	})
}
