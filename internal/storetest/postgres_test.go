package storetest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/sqldb"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// postgres is the one server of this process. It starts when the first test asks
// for it.
var postgres server

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// errNotHere says why there is no server.
var errNotHere = errors.New("PostgreSQL cannot run here")

// server is a PostgreSQL server in a folder of its own. It listens on a Unix
// socket in that folder, which only its owner may enter.
type server struct {
	once   sync.Once
	err    error
	shell  *exec.Cmd
	stdin  io.Closer
	folder string
	admin  *sql.DB
	made   atomic.Int64 // databases
}

// script runs a server until its standard input ends, which it does when this
// process stops it and also when this process is killed: nothing is left behind.
// Its argument is the folder of the programs.
const script = `
cd / && folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap '' INT # Ctrl-C ends the tests, which ends this.
if ! "$1/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1; then
	cat "$folder/log" >&2; exit 1
fi
"$1/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
	-c full_page_writes=off -c shared_buffers=32MB -c max_connections=200 >"$folder/log" 2>&1 &
echo "$folder"
cat >/dev/null
kill -INT $!
wait $!
`

// programs returns the folder of the server's programs, or "".
func programs() string {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian has them outside of PATH.
	slices.SortFunc(found, func(a, b string) int { return release(a) - release(b) })
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// release returns the number in /usr/lib/postgresql/15/bin/initdb.
func release(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

func (s *server) start() error {
	folder := programs()
	if folder == "" {
		return fmt.Errorf("%w: there is no initdb in PATH or in /usr/lib/postgresql/*/bin", errNotHere)
	}
	args := []string{"sh", "-c", script, "sh", folder}
	if os.Geteuid() == 0 { // The server refuses to run as root.
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"}, args...)
		if exec.Command("id", "postgres").Run() != nil {
			return fmt.Errorf("%w: it does not run as root, and there is no user postgres", errNotHere)
		}
	}
	s.shell = exec.Command(args[0], args[1:]...)
	var complaints strings.Builder
	s.shell.Stderr = &complaints
	stdin, err := s.shell.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := s.shell.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.shell.Start(); err != nil {
		return err
	}
	s.stdin = stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w %s", errors.Join(err, s.shell.Wait()), complaints.String())
	}
	s.folder = strings.TrimSuffix(line, "\n")
	return s.await()
}

// await returns when the server answers.
func (s *server) await() (err error) {
	if s.admin, err = sql.Open("pgx", s.name("postgres")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = s.admin.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			return fmt.Errorf("wait for PostgreSQL: %w\n%s", err, log)
		}
	}
}

// name returns what the driver calls a database.
func (s *server) name(database string) string {
	name := url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{"host": {s.folder}, "user": {"postgres"}}.Encode()}
	return name.String()
}

func (s *server) stop() error {
	if s.stdin == nil {
		return nil
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
	_ = s.stdin.Close() // It may be gone already; Wait says so.
	return s.shell.Wait()
}

// openPostgres makes an empty database and opens it.
func openPostgres(t testing.TB) *sqldb.DB {
	t.Helper()
	postgres.once.Do(func() { postgres.err = postgres.start() })
	if errors.Is(postgres.err, errNotHere) {
		t.Skip(postgres.err)
	}
	if postgres.err != nil {
		t.Fatal(postgres.err)
	}
	database := "test" + strconv.FormatInt(postgres.made.Add(1), 10)
	if _, err := postgres.admin.Exec("CREATE DATABASE " + database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := postgres.admin.Exec("DROP DATABASE " + database + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return openPostgresPool(t, postgres.name(database))
}

func openPostgresPool(t testing.TB, name string) *sqldb.DB {
	t.Helper()
	pool, err := sql.Open("pgx", name)
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(8)
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return &sqldb.DB{Dialect: sqldb.PostgreSQL, Write: pool}
}
