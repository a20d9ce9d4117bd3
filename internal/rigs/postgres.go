package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// postgresScript runs a server in a folder of its own until its standard input ends,
// which it does when this process ends or is killed. It says where the folder is once
// the server answers. It listens on a Unix socket in that folder only.
const postgresScript = `
cd / && folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap '' INT
if ! "$1/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1; then
	cat "$folder/log" >&2; exit 1
fi
"$1/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=100 >"$folder/log" 2>&1 &
for try in $(seq 200); do "$1/pg_isready" -q -h "$folder" && break; sleep 0.1; done
echo "$folder"
cat >/dev/null
kill -INT $!
wait $!
`

// postgres is a running PostgreSQL server.
type postgres struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	folder string
}

// openPostgres starts a server. The caller closes it.
func openPostgres(ctx context.Context) (*postgres, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian has them outside of PATH.
	if initdb, err := exec.LookPath("initdb"); err == nil {
		found = append(found, initdb)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no initdb in PATH or in /usr/lib/postgresql/*/bin. On Debian, as root: apt-get install -y postgresql")
	}
	args := []string{"sh", "-c", postgresScript, "sh", filepath.Dir(found[len(found)-1])}
	if os.Geteuid() == 0 { // The server refuses to run as root.
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"}, args...)
	}
	p := &postgres{cmd: command(ctx, args[0], args[1:]...)}
	p.cmd.Cancel = func() error { return p.stdin.Close() } // It removes its folder.
	var complaints strings.Builder
	p.cmd.Stderr = &complaints
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		p.close()
		return nil, fmt.Errorf("start PostgreSQL: %w %s", err, complaints.String())
	}
	p.folder = strings.TrimSpace(line)
	return p, nil
}

// close stops the server.
func (p *postgres) close() {
	_ = p.stdin.Close()
	_ = p.cmd.Wait()
}

// url is of the one database, in which each program has schemas of its own.
func (p *postgres) url() string {
	u := url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {p.folder}, "user": {"postgres"}}.Encode()}
	return u.String()
}
