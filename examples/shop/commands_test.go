package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/sqldb"
)

// terminal runs the shop's commands, each in a process of its own, on the files
// in dir.
type terminal struct {
	t   *testing.T
	dir string
}

// outcome is what a command said, and how it ended.
type outcome struct {
	out, log string
	exit     int
}

func (c terminal) run(input string, args ...string) outcome {
	c.t.Helper()
	program, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	command := exec.CommandContext(c.t.Context(), program, append(args, "--data", c.dir)...)
	command.Env = append(os.Environ(), asShop+"=1", "FASTNESS_DB="+databaseOf(c.t, c.dir).Reveal())
	command.Stdin = strings.NewReader(input)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	err = command.Run()
	if command.ProcessState == nil {
		c.t.Fatalf("%q: %v", args, err)
	}
	return outcome{out.String(), log.String(), command.ProcessState.ExitCode()}
}

// ok runs a command that must succeed and returns what it prints.
func (c terminal) ok(input string, args ...string) string {
	c.t.Helper()
	got := c.run(input, args...)
	if got.exit != 0 {
		c.t.Fatalf("%q ended with status %d: %s", args, got.exit, got.log)
	}
	return got.out
}

// add makes a user.
func (c terminal) add(name, role string) {
	c.t.Helper()
	c.ok(password+"\n", "users", "add", name, "--role", role, "--tenant", "castle", "--password-stdin")
}

func wantLine(t *testing.T, what, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
		t.Errorf("%s prints no line like %s:\n%s", what, pattern, text)
	}
}

func TestUsersOnTheCommandLine(t *testing.T) {
	t.Parallel()
	c := terminal{t, t.TempDir()}
	all := c.ok(password+"\n", "users", "add", "Ann", "--role", "seller", "--role", "customer", "--tenant", "castle", "--password-stdin")
	wantLine(t, "users add", all, `^[A-Z2-7]{26}  Ann$`)
	c.add("bob", "customer")
	c.ok("", "users", "disable", "bob")
	list := c.ok("", "users", "list")
	wantLine(t, "users list", list, `^NAME +ROLES +TENANT +STATE +CREATED +ID$`)
	wantLine(t, "users list", list, `^Ann +customer seller +castle +active +\d{4}-\d\d-\d\d +[A-Z2-7]{26}$`)
	wantLine(t, "users list", list, `^bob +customer +castle +disabled `)
	c.ok("", "users", "enable", "bob")
	c.ok("", "users", "role", "BOB", "admin", "seller") // Case makes no difference.
	c.ok("", "users", "role", "ann")
	list = c.ok("", "users", "list")
	wantLine(t, "users list", list, `^Ann +- +castle +active `)
	wantLine(t, "users list", list, `^bob +admin seller +castle +active `)
	c.ok("another horse battery staple\n", "users", "password", "bob", "--password-stdin")

	events := c.ok("", "events", "list")
	all += list + events
	for _, name := range []string{"user_created", "user_archived", "user_updated", "authz_change", "authn_password_change"} {
		wantLine(t, "events list", events, name+" +done +- +[A-Z2-7]{26} +command line")
	}
	if strings.Contains(all, "horse") || strings.Contains(all, "argon2") {
		t.Errorf("a password or its hash is among what was printed:\n%s", all)
	}
}

func TestCommandsThatAreWrongChangeNothing(t *testing.T) {
	t.Parallel()
	c := terminal{t, t.TempDir()}
	c.add("boss", "admin")
	before := c.ok("", "users", "list")
	const typed = "a secret that I mistyped"
	for _, tt := range []struct {
		name, input string
		args        []string
		want        string
	}{
		{"a password as an argument", "", []string{"users", "add", "eve", typed}, "unexpected argument"},
		{"no password", "", []string{"users", "add", "eve", "--password-stdin"}, "standard input"},
		{"not said where the password is", typed, []string{"users", "add", "eve"}, "--password-stdin"},
		{"a short password", "short\n", []string{"users", "add", "eve", "--password-stdin"}, "password"},
		{"a common password", "passwordpassword\n", []string{"users", "add", "eve", "--password-stdin"}, "password"},
		{"a name that is taken", typed, []string{"users", "add", "BOSS", "--password-stdin"}, "taken"},
		{"no name", typed, []string{"users", "add", "", "--password-stdin"}, "name"},
		{"a name with a line break", typed, []string{"users", "add", "eve\nboss", "--password-stdin"}, "name"},
		{"a role that there is not", typed, []string{"users", "add", "eve", "--role", "god", "--password-stdin"}, "role"},
		{"a role that there is not, later", "", []string{"users", "role", "boss", "god"}, "role"},
		{"nobody", "", []string{"users", "disable", "nobody"}, "no such account"},
		{"the last administrator disabled", "", []string{"users", "disable", "boss"}, "administrator"},
		{"the last administrator demoted", "", []string{"users", "role", "boss", "customer"}, "administrator"},
		{"a key that there is not", "", []string{"keys", "revoke", "nothing"}, "key"},
		{"a purpose that there is not", "", []string{"keys", "rotate", "nothing"}, "purpose"},
		{"an anchor that is none", "", []string{"events", "verify", "--since", "x"}, "anchor"},
		{"a command that there is not", "", []string{"users", "delete-all"}, "delete-all"},
	} {
		got := c.run(tt.input, tt.args...)
		if got.exit == 0 || got.out != "" || !strings.Contains(strings.ToLower(got.log), tt.want) {
			t.Errorf("%s: status %d, %q, %q; want it refused with a word about %q", tt.name, got.exit, got.out, got.log, tt.want)
		}
		if tt.input != "" && strings.Contains(got.log, strings.TrimSpace(tt.input)) || strings.Contains(got.log, "goroutine ") {
			t.Errorf("%s: the message repeats the password, or is a panic: %s", tt.name, got.log)
		}
	}
	if got := c.ok("", "users", "list"); got != before {
		t.Errorf("the users are now:\n%swant:\n%s", got, before)
	}
}

func TestEventsThatWereChangedAreFound(t *testing.T) {
	t.Parallel()
	c := terminal{t, t.TempDir()}
	c.add("ann", "admin")
	c.add("bob", "customer")
	verify := c.ok("", "events", "verify")
	anchor := regexp.MustCompile(`\d+:[0-9a-f]{64}`).FindString(verify)
	if anchor == "" {
		t.Fatalf("events verify prints %q, want an anchor", verify)
	}
	c.add("cid", "customer")
	c.ok("", "events", "verify", "--since", anchor)
	db := openUsersOf(t, c.dir)
	if _, err := db.Write.ExecContext(t.Context(), "UPDATE audit_events SET name = 'user_enabled' WHERE seq = (SELECT max(seq) FROM audit_events WHERE name = 'user_created')"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"events", "verify"}, {"events", "verify", "--since", anchor}} {
		if got := c.run("", args...); got.exit == 0 || !strings.Contains(got.log, "tampered") {
			t.Errorf("%q on a log that was changed: status %d, %s %s", args, got.exit, got.out, got.log)
		}
	}
	if _, err := db.Write.ExecContext(t.Context(), "DELETE FROM audit_events"); err != nil {
		t.Fatal(err)
	}
	if got := c.run("", "events", "verify", "--since", anchor); got.exit == 0 {
		t.Errorf("events verify --since on a log that is gone: %s", got.out)
	}
}

func openUsersOf(t *testing.T, dir string) *sqldb.DB {
	t.Helper()
	db, err := openUsers(t.Context(), inFolder(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// What a command changes counts in a server that is running within 5 seconds.
// Two more are for a machine that is busy.
const soon = 7 * time.Second

func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if time.Since(start) > soon {
			t.Errorf("after %v not yet: %s", soon, what)
			return
		}
		<-tick.C
	}
	t.Logf("after %v: %s", time.Since(start).Round(100*time.Millisecond), what)
}

func TestCommandsCountInARunningServer(t *testing.T) {
	s := serveShop(t)
	c, client := terminal{t, s.dir}, s.client(t)
	for name, role := range map[string]string{"boss": "admin", "loses": "admin", "gains": "customer", "out": "customer", "changed": "customer"} {
		c.add(name, role)
	}
	tokens := make(map[string][]string)
	for _, name := range []string{"loses", "gains", "out", "changed"} {
		tokens[name] = bearer(client.logIn(name)) // At once: nothing knew these before.
	}
	status := func(name, path string) int { return client.get(path, tokens[name]...).status }
	for name, want := range map[string]int{"loses": 200, "gains": 403, "out": 403, "changed": 403} {
		if got := status(name, "/protected_route"); got != want {
			t.Errorf("%s before the changes: %d, want %d", name, got, want)
		}
	}

	c.ok("", "users", "role", "loses", "customer")
	c.ok("", "users", "role", "gains", "admin")
	c.ok("", "users", "disable", "out")
	c.ok("another horse battery staple\n", "users", "password", "changed", "--password-stdin")
	within(t, "a role that was taken away is gone", func() bool { return status("loses", "/protected_route") == http.StatusForbidden })
	within(t, "a role that was given is there", func() bool { return status("gains", "/protected_route") == http.StatusOK })
	within(t, "who is disabled is out", func() bool { return status("out", "/me") == http.StatusUnauthorized })
	within(t, "a new password ends the sessions", func() bool { return status("changed", "/me") == http.StatusUnauthorized })
	form := func(name, password string) reply {
		return client.post("/token", url.Values{"username": {name}, "password": {password}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	for _, tt := range []struct {
		name, password string
		status         int
	}{{"out", password, 401}, {"changed", password, 401}, {"changed", "another horse battery staple", 200}} {
		if got := form(tt.name, tt.password); got.status != tt.status {
			t.Errorf("log-in of %s: %d %s, want %d", tt.name, got.status, got.body, tt.status)
		}
	}
}

var keyLine = regexp.MustCompile(`(?m)^access-token +(\w+) +EdDSA .* ([A-Z2-7]{26})$`)

func TestKeysOnTheCommandLine(t *testing.T) {
	s := serveShop(t)
	c, client := terminal{t, s.dir}, s.client(t)
	c.add("ann", "customer")
	token := client.logIn("ann")
	first := keyLine.FindStringSubmatch(c.ok("", "keys", "list"))
	if first == nil || first[1] != "active" {
		t.Fatalf("keys list prints %q, want a key that is active", first)
	}
	published := func() string { return client.get("/.well-known/jwks.json").body }
	if !strings.Contains(published(), first[2]) {
		t.Errorf("the key %s is not published", first[2])
	}

	next := regexp.MustCompile(`^([A-Z2-7]{26}) signs from `).FindStringSubmatch(c.ok("", "keys", "rotate"))
	if next == nil {
		t.Fatal("keys rotate does not say which key is next")
	}
	within(t, "the next key is published", func() bool { return strings.Contains(published(), next[1]) })
	if got := client.get("/me", bearer(token)...); got.status != http.StatusOK {
		t.Errorf("a token of before the rotation: %d, want 200", got.status)
	}

	c.ok("", "keys", "revoke", first[2])
	within(t, "what a key signed that was revoked is void", func() bool { return client.get("/me", bearer(token)...).status == http.StatusUnauthorized })
	within(t, "the key is published no more", func() bool { return !strings.Contains(published(), first[2]) })
	if got := client.get("/me", bearer(client.logIn("ann"))...); got.status != http.StatusOK {
		t.Errorf("a token of the next key: %d, want 200", got.status)
	}
	all := c.ok("", "keys", "list")
	wantLine(t, "keys list", all, `^access-token +revoked .*`+first[2]+`$`)
	events := c.ok("", "events", "list", "--limit", "100")
	wantLine(t, "events list", events, `key_revoked +done .*`+first[2])
	for _, private := range []string{`"d"`, "PRIVATE", "eyJ"} {
		if strings.Contains(all+events+published(), private) {
			t.Errorf("%s is among what was printed or published", private)
		}
	}
}
