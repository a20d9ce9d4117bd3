package databasetest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/secret"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// start starts the one server of this process, once.
var start = sync.OnceValues(startServer)

// errNotHere says why there is no server.
var errNotHere = errors.New("PostgreSQL cannot run here")

// server is a PostgreSQL server in a folder of its own. It listens on a Unix
// socket in that folder, which only its owner may enter.
type server struct {
	shell  *exec.Cmd
	stdin  io.Closer // The server ends when it is closed: with this process.
	folder string
	admin  *sql.DB

	mu        sync.Mutex
	made      int               // databases
	templates map[string]string // by what was run in them
}

// script runs a server until its standard input ends, which it does when this
// process ends or is killed: nothing is left behind. Its argument is the folder of
// the programs.
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
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			initdb = real
		}
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

func startServer() (*server, error) {
	folder := programs()
	if folder == "" {
		return nil, fmt.Errorf("%w: there is no initdb in PATH or in /usr/lib/postgresql/*/bin", errNotHere)
	}
	args := []string{"sh", "-c", script, "sh", folder}
	if os.Geteuid() == 0 { // The server refuses to run as root.
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"}, args...)
		if exec.Command("id", "postgres").Run() != nil {
			return nil, fmt.Errorf("%w: it does not run as root, and there is no user postgres", errNotHere)
		}
	}
	s := &server{shell: exec.Command(args[0], args[1:]...), templates: map[string]string{}}
	var complaints strings.Builder
	s.shell.Stderr = &complaints
	stdin, err := s.shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := s.shell.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.shell.Start(); err != nil {
		return nil, err
	}
	s.stdin = stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w %s", errors.Join(err, s.shell.Wait()), complaints.String())
	}
	s.folder = strings.TrimSuffix(line, "\n")
	return s, s.await()
}

// await returns when the server answers.
func (s *server) await() (err error) {
	if s.admin, err = sql.Open("pgx", s.url("postgres").Reveal()); err != nil {
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

func (s *server) url(database string) secret.Text {
	name := url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{"host": {s.folder}, "user": {"postgres"}}.Encode()}
	return secret.New(name.String())
}

func sqliteURL(path string) secret.Text {
	name := url.URL{Scheme: "sqlite", Path: filepath.ToSlash(path)}
	return secret.New("sqlite://" + name.EscapedPath())
}

// create makes a database and returns its name.
func (s *server) create(template string) (string, error) {
	s.mu.Lock()
	s.made++
	name := "test" + strconv.Itoa(s.made)
	s.mu.Unlock()
	_, err := s.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + template)
	return name, err
}

// database makes a database that is gone when the test is over.
func (s *server) database(t testing.TB, template string) secret.Text {
	t.Helper()
	name, err := s.create(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// template returns a database in which migrations have run, which nobody uses.
func (s *server) template(migrations []fs.FS) (string, error) {
	if len(migrations) == 0 {
		return "template0", nil
	}
	key, err := digest(migrations)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	name, ok := s.templates[key]
	s.mu.Unlock()
	if ok {
		return name, nil
	}
	if name, err = s.create("template0"); err != nil { // Two at once make one too many, and no harm.
		return "", err
	}
	if err := migrate(s.url(name), migrations); err != nil {
		return "", err
	}
	s.mu.Lock()
	s.templates[key] = name
	s.mu.Unlock()
	return name, nil
}

// digest tells migrations from others.
func digest(migrations []fs.FS) (string, error) {
	sum := sha256.New()
	for _, files := range migrations {
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, path)
			fmt.Fprintf(sum, "%q %q ", path, text)
			return err
		})
		if err != nil {
			return "", err
		}
		fmt.Fprint(sum, "; ")
	}
	return string(sum.Sum(nil)), nil
}
