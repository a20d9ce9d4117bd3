package fastness_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness"
)

const databaseURL = "postgres://shop:correct-horse-battery@db.internal/shop"

// urlOf runs a command of an app and returns the database that its settings name,
// and what it printed.
func urlOf(t *testing.T, args ...string) (url, printed string, exit int) {
	t.Helper()
	app := lineApp(fastness.Config{})
	fastness.Command[tellCommand](app, "tell", "Tell.")
	var out, complaints bytes.Buffer
	exit = app.Run(t.Context(), append([]string{"lines"}, args...), &out, &complaints)
	url, printed, _ = strings.Cut(out.String(), "\n")
	return url, printed + complaints.String(), exit
}

type tellCommand struct {
	DB tellDB `cmd:"" help:"Tell the URL of the database."`
}

type tellDB struct{}

func (tellDB) Run(_ context.Context, console fastness.Console, settings fastness.Settings) error {
	_, err := console.Out.Write([]byte(settings.DB.Reveal() + "\n"))
	return err
}

func TestDatabaseOfTheSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(databaseURL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		env  [2]string
		args []string
		want string
	}{
		{"none", [2]string{}, nil, ""},
		{"the flag", [2]string{}, []string{"--db", databaseURL}, databaseURL},
		{"the variable", [2]string{"FASTNESS_DB", databaseURL}, nil, databaseURL},
		{"the file", [2]string{}, []string{"--db-file", file}, databaseURL},
		{"the variable of the file", [2]string{"FASTNESS_DB_FILE", file}, nil, databaseURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.env[0] != "" {
				t.Setenv(tt.env[0], tt.env[1])
			}
			if got, said, exit := urlOf(t, append([]string{"tell", "db"}, tt.args...)...); got != tt.want || exit != 0 {
				t.Errorf("%q, status %d, %s, want %q", got, exit, said, tt.want)
			}
		})
	}
}

func TestDatabaseOfTheSettingsIsNotShown(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, bytes.Repeat([]byte("x"), 9<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"settings", "--db", databaseURL}, 0, "***"},
		{[]string{"tell", "db", "--db", databaseURL, "--db-file", long}, 2, "both given"},
		{[]string{"tell", "db", "--db-file", databaseURL}, 2, "is a URL"},
		{[]string{"tell", "db", "--db-file", long}, 2, "more than"},
		{[]string{"tell", "db", "--db-file", long + "er"}, 2, "no such file"},
		{[]string{"tell", "db", "--db", databaseURL, "--grace", "x"}, 2, "is not a time"},
	} {
		url, said, exit := urlOf(t, tt.args...)
		if said = url + said; exit != tt.exit || !strings.Contains(said, tt.want) || strings.Contains(said, "correct-horse") {
			t.Errorf("%q: status %d, %s, want %d and %q", tt.args, exit, said, tt.exit, tt.want)
		}
	}
}
