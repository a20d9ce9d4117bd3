package fastness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

var update = flag.Bool("update", false, "write the golden files anew")

type lineIn struct {
	ID       int `path:"id" minimum:"1"`
	Settings fastness.Settings
}

type lineOut struct {
	ID  int    `json:"id"`
	Dir string `json:"dir"`
}

func readLine(_ context.Context, in lineIn) (lineOut, error) {
	return lineOut{ID: in.ID, Dir: in.Settings.DataDir}, nil
}

type lineBody struct {
	Body struct {
		Name string `json:"name" maxLength:"20"`
	}
}

func createLine(_ context.Context, in lineBody) (fastness.NoContent, error) {
	return fastness.NoContent{}, nil
}

// lineApp is an app with a bit of everything that the command line shows.
func lineApp(cfg fastness.Config) *fastness.App {
	cfg.Title, cfg.Version = "Lines", "1.2.0"
	app := fastness.New(cfg)
	fastness.Get(app, "/lines/{id}", readLine, access.Public, fastness.Timeout(1500*time.Millisecond))
	fastness.Post(app, "/lines", createLine, access.Public, fastness.BodyLimit(64<<10), fastness.Summary("Writes a line"))
	return app
}

// runLine runs one command line to its end.
func runLine(t *testing.T, app *fastness.App, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	exit = app.Run(t.Context(), append([]string{"/usr/bin/lines"}, args...), &out, &complaints)
	return exit, out.String(), complaints.String()
}

func TestOutputOfCommands(t *testing.T) {
	const reason = "a page without names is served to everybody"
	for _, tt := range []struct {
		name string
		cfg  fastness.Config
		args []string
	}{
		{"help", fastness.Config{}, []string{"--help"}},
		{"help_serve", fastness.Config{}, []string{"serve", "--help"}},
		{"version", fastness.Config{}, []string{"--version"}},
		{"routes", fastness.Config{}, []string{"routes"}},
		{"routes_json", fastness.Config{Docs: fastness.DocsPublic}, []string{"routes", "--json"}},
		{"audit_none", fastness.Config{}, []string{"audit"}},
		{"audit", fastness.Config{InsecureAnyHost: reason}, []string{"audit", "--insecure-plain-http", "the proxy ends TLS"}},
		{"audit_json", fastness.Config{InsecureAnyHost: reason}, []string{"audit", "--json"}},
		{"audit_json_none", fastness.Config{}, []string{"audit", "--json"}},
		{"settings", fastness.Config{}, []string{"settings", "--grace", "20s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := lineApp(tt.cfg)
			if strings.HasPrefix(tt.name, "routes") {
				fastness.Mount(app, "/legacy", http.NotFoundHandler(), access.Public)
			}
			fastness.ProvideApp(app, func(context.Context, struct{}) (*bytes.Buffer, func(error) error, error) {
				t.Error("an app-scoped provider ran")
				return nil, nil, nil
			})
			exit, stdout, stderr := runLine(t, app, tt.args...)
			if exit != 0 || stderr != "" {
				t.Fatalf("%v: exit status %d, stderr %q", tt.args, exit, stderr)
			}
			golden(t, tt.name, stdout)
		})
	}
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "commands", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -run %s -update writes it)", err, t.Name())
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestDocumentIsPrintedOrWrittenToAFile(t *testing.T) {
	app := lineApp(fastness.Config{})
	fastness.ProvideValue(app, fastness.Settings{})
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := document.JSON()
	if err != nil {
		t.Fatal(err)
	}
	asJSON = append(asJSON, '\n')
	asYAML, err := document.YAML()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		file string
		want []byte
	}{
		{nil, "", asJSON},
		{[]string{"--yaml"}, "", asYAML},
		{nil, "api.json", asJSON},
		{nil, "api.yaml", asYAML},
		{nil, "api.YML", asYAML},
		{[]string{"--yaml"}, "api", asYAML},
	} {
		args := append([]string{"openapi"}, tt.args...)
		if tt.file != "" {
			args = append(args, "-o", filepath.Join(dir, tt.file))
		}
		exit, stdout, stderr := runLine(t, lineApp(fastness.Config{}), args...)
		got := []byte(stdout)
		if tt.file != "" {
			if got, err = os.ReadFile(filepath.Join(dir, tt.file)); err != nil || stdout != "" {
				t.Errorf("%v: stdout %q (%v)", args, stdout, err)
			}
		}
		if exit != 0 || stderr != "" || !bytes.Equal(got, tt.want) {
			t.Errorf("%v: exit status %d, stderr %q, got %.60q, want %.60q", args, exit, stderr, got, tt.want)
		}
	}
	exit, _, stderr := runLine(t, lineApp(fastness.Config{}), "openapi", "-o", filepath.Join(t.TempDir(), "no", "api.json"))
	if exit != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("a folder that is not there: exit status %d, stderr %q", exit, stderr)
	}
}

func TestWrongCommandLines(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a flag that there is not", []string{"--adr", ":1"}, []string{"unknown flag --adr", "--addr", "lines --help"}},
		{"a command that there is not", []string{"sing"}, []string{"unexpected argument sing"}},
		{"a flag of another command", []string{"routes", "--addr", ":1"}, []string{"unknown flag --addr"}},
		{"a time that is none", []string{"--grace", "soon"}, []string{"--grace", `"soon"`}},
		{"a format that there is not", []string{"--log-format", "xml"}, []string{"--log-format", `"text","json"`}},
		{"a level that there is not", []string{"--log-level", "loud"}, []string{"--log-level", "loud"}},
		{"a level that lists those there are", []string{"--log-level", "chatty"}, []string{`"debug","info","warn","error"`}},
		{"no level", []string{"--log-level"}, []string{"--log-level: it has no value, want --log-level=LEVEL"}},
		{"a command that is spelt wrongly", []string{"serv"}, []string{"unexpected argument serv, did you mean serve?"}},
		{"a command whose letters are swapped", []string{"opneapi", "--yaml"}, []string{"did you mean openapi?"}},
		{"a flag with several ends", []string{"--log", "json"}, []string{"did you mean --log-format or --log-level?"}},
		{"a flag of a command that is spelt wrongly", []string{"routes", "--jsn"}, []string{"did you mean --json?", "lines routes --help says"}},
		{"an opt-out without a reason", []string{"--insecure-plain-http"}, []string{"--insecure-plain-http: it takes the reason as its value, want --insecure-plain-http="}},
		{"an opt-out with a flag for a reason", []string{"--insecure-plain-http", "--addr", "127.0.0.1:0"}, []string{"it takes the reason as its value"}},
		{"an opt-out with an empty reason", []string{"--insecure-plain-http", ""}, []string{"--insecure-plain-http: the reason is empty"}},
		{"an opt-out with a blank reason", []string{"audit", "--insecure-development-certificate", " "}, []string{"--insecure-development-certificate: the reason is empty"}},
		{"a config file with an empty reason", []string{"--config", file("reason.json", `{"insecure-plain-http": ""}`)}, []string{"--insecure-plain-http: the reason is empty"}},
		{"a time below 0", []string{"--grace", "-5s"}, []string{"--grace: -5s is below 0, want a time such as 15s"}},
		{"a time below 0 after an equals sign", []string{"--drain-delay=-5s"}, []string{"--drain-delay: -5s is below 0"}},
		{"no time", []string{"--grace"}, []string{"--grace: it has no value, want --grace=TIME"}},
		{"no grace", []string{"--grace", "0s"}, []string{"--grace: 0s is not above 0"}},
		{"a number for a time in a config file", []string{"--config", file("number.json", `{"grace": 5}`)}, []string{`--grace: "5" is not a time`}},
		{"flags before a command that does not know them", []string{"--addr", ":1", "routes"}, []string{"unknown flag --addr", "lines routes --help"}},
		{"a config file that is not there", []string{"--config", filepath.Join(dir, "none.json")}, []string{"no such file"}},
		{"a config file that is no object", []string{"--config", file("list.json", "[]")}, []string{"want a JSON object"}},
		{
			"a config file with names that are no settings", []string{"--config", file("names.json", `{"adr": 1, "tls_cert": "x", "addr": ":1"}`)},
			[]string{`no setting "adr"`, `no setting "tls_cert"`},
		},
		{"a config file with a wrong value", []string{"--config", file("value.json", `{"grace": "soon"}`)}, []string{"--grace", `"soon"`}},
		{"a config file that names another", []string{"--config", file("self.json", `{"config": "x"}`)}, []string{`no setting "config"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exit, stdout, stderr := runLine(t, lineApp(fastness.Config{}), tt.args...)
			if exit != 2 || stdout != "" || !strings.HasPrefix(stderr, "lines: ") {
				t.Errorf("exit status %d, stdout %q, stderr %q", exit, stdout, stderr)
			}
			for _, part := range tt.want {
				if !strings.Contains(stderr, part) {
					t.Errorf("stderr %q does not say %q", stderr, part)
				}
			}
		})
	}
}

// A suggestion that is wrong costs more time than none.
func TestOnlyCloseNamesAreSuggested(t *testing.T) {
	for _, args := range [][]string{{"--port", "1"}, {"-p"}, {"--x"}, {"sing"}, {"o"}, {"routes", "--yaml"}, {"routes", "all"}} {
		exit, _, stderr := runLine(t, lineApp(fastness.Config{}), args...)
		if exit != 2 || strings.Contains(stderr, "did you mean") || !strings.Contains(stderr, "--help says what there is") {
			t.Errorf("%q: exit status %d, stderr %q", args, exit, stderr)
		}
	}
}

func TestHelpIsACommandToo(t *testing.T) {
	for _, tt := range []struct{ golden, command string }{{"help", "help"}, {"help_serve", "help serve"}} {
		exit, stdout, stderr := runLine(t, lineApp(fastness.Config{}), strings.Fields(tt.command)...)
		if exit != 0 || stderr != "" {
			t.Errorf("%s: exit status %d, stderr %q", tt.command, exit, stderr)
		}
		golden(t, tt.golden, stdout)
	}
}

func TestFlagsMayStandBeforeTheCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings") // as the command is called
	if err := os.WriteFile(file, []byte(`{"grace": "3s"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(file))
	_, want, _ := runLine(t, lineApp(fastness.Config{}), "settings", "--config", "settings", "--addr=127.0.0.1:1")
	if !strings.Contains(want, "config file") || !strings.Contains(want, "127.0.0.1:1") {
		t.Fatalf("settings after the command:\n%s", want)
	}
	for _, args := range [][]string{
		{"--config", "settings", "--addr=127.0.0.1:1", "settings"},
		{"--config=settings", "settings", "--addr", "127.0.0.1:1"},
	} {
		if exit, got, stderr := runLine(t, lineApp(fastness.Config{}), args...); exit != 0 || got != want {
			t.Errorf("%q: exit status %d, stderr %q, got\n%s\nwant\n%s", args, exit, stderr, got, want)
		}
	}
}

func TestEveryMistakeIsPrintedAtOnce(t *testing.T) {
	wrong := func() *fastness.App {
		app := fastness.New(fastness.Config{Title: "Lines", BodyLimit: -1})
		fastness.Get(app, "/lines/{other}", readLine)
		app.Ready("", nil)
		return app
	}
	exit, stdout, stderr := runLine(t, wrong(), "--addr", "0.0.0.0", "--data", t.TempDir())
	if exit != 1 || stdout != "" {
		t.Errorf("exit status %d, stdout %q", exit, stdout)
	}
	for _, part := range []string{
		"Title and Version", "BodyLimit is -1", "no access rule", "{other}", "readiness check", "--addr is not an address",
	} {
		if !strings.Contains(stderr, part) {
			t.Errorf("stderr does not say %q:\n%s", part, stderr)
		}
	}
	if exit, _, again := runLine(t, wrong(), "routes"); exit != 1 || !strings.Contains(again, "no access rule") {
		t.Errorf("routes of a wrong app: exit status %d, stderr %q", exit, again)
	}
}

func TestSettingsComeFromFlagThenVariableThenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines.json")
	text := `{"addr": "127.0.0.1:3", "data": "from-file", "grace": "3s", "log-level": "warn"}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FASTNESS_CONFIG", file)
	t.Setenv("FASTNESS_ADDR", "127.0.0.1:2")
	t.Setenv("FASTNESS_DATA", "from-variable")
	_, stdout, stderr := runLine(t, lineApp(fastness.Config{}), "settings", "--addr", "127.0.0.1:1")
	for _, want := range [][]string{
		{"addr", "127.0.0.1:1", "flag"},
		{"data", "from-variable", "FASTNESS_DATA"},
		{"grace", "3s", "config", "file"},
		{"log-level", "WARN", "config", "file"},
		{"tls-cert", "-", "default"},
	} {
		if !slices.ContainsFunc(strings.Split(stdout, "\n"), func(line string) bool { return slices.Equal(strings.Fields(line), want) }) {
			t.Errorf("no line %q in\n%s%s", want, stdout, stderr)
		}
	}
}

func TestKeyInTheWrongPlaceIsNotShown(t *testing.T) {
	t.Setenv("FASTNESS_TLS_KEY", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
	for _, command := range []string{"settings", "serve", "audit"} {
		exit, stdout, stderr := runLine(t, lineApp(fastness.Config{}), command)
		if exit != 2 || stdout != "" || !strings.Contains(stderr, "--tls-key is the text of a PEM file") || strings.Contains(stderr, "c2VjcmV0") {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q", command, exit, stdout, stderr)
		}
	}
}

func TestDrainDelayFitsTheCertificate(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a development certificate waits for no load balancer", nil, "0s default, with the development certificate"},
		{"unless somebody says so", []string{"--drain-delay", "1s"}, "1s flag"},
		{"a real certificate gives it time", []string{"--tls-cert", "a", "--tls-key", "b"}, "2s default"},
		{"but not more than half the grace", []string{"--tls-cert", "a", "--tls-key", "b", "--grace", "1s"}, "500ms default, half of grace"},
		{"and none if that is wanted", []string{"--tls-cert", "a", "--tls-key", "b", "--drain-delay", "0s"}, "0s flag"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, stdout, stderr := runLine(t, lineApp(fastness.Config{}), append([]string{"settings"}, tt.args...)...)
			_, line, _ := strings.Cut(stdout, "drain-delay")
			if got := strings.Join(strings.Fields(line), " "); got != tt.want {
				t.Errorf("drain-delay %q, want %s (%s)", line, tt.want, stderr)
			}
		})
	}
}

func TestSettingsCanBeProvidedWithoutMain(t *testing.T) {
	app := quiet(fastness.Config{})
	fastness.ProvideValue(app, fastness.Settings{DataDir: "elsewhere"})
	fastness.Get(app, "/lines/{id}", readLine, access.Public)
	res := do(t, app, "GET", "/lines/1", "")
	var got lineOut
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Dir != "elsewhere" {
		t.Errorf("status %d, answer %+v (%v)", res.StatusCode, got, err)
	}
}
