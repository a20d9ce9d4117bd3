package fastness_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/secret"
)

type shopSettings struct {
	Currency string        `name:"currency" env:"SHOP_CURRENCY" enum:"EUR,CHF" default:"EUR" placeholder:"CODE" help:"What prices are in."`
	SMTP     string        `name:"smtp" env:"SHOP_SMTP" required:"" placeholder:"HOST:PORT" help:"Server that takes mail."`
	Pause    time.Duration `name:"pause" env:"SHOP_PAUSE" default:"1s" placeholder:"TIME" help:"Between mails."`
	Batch    int           `name:"batch" env:"SHOP_BATCH" default:"10" placeholder:"N" help:"Mails at once."`
	Password secret.Text   `name:"smtp-pass" env:"SHOP_SMTP_PASSWORD" placeholder:"TEXT" help:"Its password."`
	Key      secret.Source `name:"signing" env:"SHOP_SIGNING" placeholder:"REFERENCE" help:"Where the key is, such as file:/run/secrets/key."`

	InsecureOpenRelay string `name:"insecure-open-relay" env:"SHOP_INSECURE_OPEN_RELAY" placeholder:"REASON" help:"Send for anybody, and why that is right."`
}

func (s *shopSettings) Validate() error {
	if s.Batch > 100 {
		return errors.New("--batch is above 100")
	}
	return nil
}

type showCommand struct {
	Own showOwn `cmd:"" help:"Show the application's settings."`
}

type showOwn struct{}

func (showOwn) Run(ctx context.Context, console fastness.Console, s shopSettings) error {
	key := ""
	if s.Key != nil {
		text, err := s.Key.Read(ctx)
		if err != nil {
			return err
		}
		key = text.Reveal()
	}
	_, err := fmt.Fprintf(console.Out, "%s %s %v %d %s %s|%+v", s.Currency, s.SMTP, s.Pause, s.Batch, s.Password.Reveal(), key, s.Password)
	return err
}

// ownApp is an app with settings of its own.
func ownApp(cfg fastness.Config) *fastness.App {
	app := lineApp(cfg)
	fastness.AddSettings[shopSettings](app)
	fastness.Command[showCommand](app, "show", "Show.")
	fastness.Get(app, "/currency", func(_ context.Context, in struct{ Settings shopSettings }) (string, error) {
		return in.Settings.Currency, nil
	}, access.Public)
	return app
}

// keyFile is a file with a secret.
func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("correct-horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsOfTheApplication(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, []byte(`{"currency": "CHF", "pause": "3s", "batch": 7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHOP_SMTP_PASSWORD", "battery")
	t.Setenv("SHOP_PAUSE", "2s")
	exit, out, said := runLine(t, ownApp(fastness.Config{}), "show", "own", "--config", config, "--smtp", "mail:25", "--signing", "file:"+keyFile(t))
	if want := "CHF mail:25 2s 7 battery correct-horse|***"; exit != 0 || out != want {
		t.Errorf("%d %q %s, want %q", exit, out, said, want)
	}
}

// Schemes come from the Config, as modules for vaults give them.
func TestReferencesOfOtherSchemes(t *testing.T) {
	vault := func(rest string) (secret.Source, error) {
		t.Setenv("FROM_VAULT", "from "+rest)
		return secret.Env("FROM_VAULT"), nil
	}
	cfg := fastness.Config{Secrets: secret.Resolver{Schemes: map[string]func(string) (secret.Source, error){"vault": vault}}}
	exit, out, said := runLine(t, ownApp(cfg), "show", "own", "--smtp", "mail:25", "--signing", "vault:kv/shop#key")
	if exit != 0 || !strings.Contains(out, "from kv/shop#key") {
		t.Errorf("%d %q %s", exit, out, said)
	}
}

func TestSettingsOfTheApplicationAreListedWithoutSecrets(t *testing.T) {
	t.Setenv("SHOP_SMTP_PASSWORD", "battery")
	exit, out, said := runLine(t, ownApp(fastness.Config{}), "settings", "--signing", "env:SHOP_KEY", "--insecure-open-relay", "tests")
	for _, want := range []string{"currency", "EUR", "default", "smtp-pass", "***", "SHOP_SMTP_PASSWORD", "env:SHOP_KEY"} {
		if exit != 0 || !strings.Contains(out, want) || strings.Contains(out+said, "battery") {
			t.Fatalf("%d %s%s, want %q and no password", exit, out, said, want)
		}
	}
	if exit, out, _ := runLine(t, ownApp(fastness.Config{}), "audit", "--insecure-open-relay", "for the tests"); exit != 0 || !strings.Contains(out, "for the tests") {
		t.Errorf("audit: %d %s", exit, out)
	}
	for _, command := range []string{"routes", "openapi"} {
		if exit, _, said := runLine(t, ownApp(fastness.Config{}), command); exit != 0 {
			t.Errorf("%s: %d %s", command, exit, said)
		}
	}
}

func TestWrongSettingsOfTheApplication(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"required":             {nil, nil, []string{"--smtp"}},
		"all of them":          {map[string]string{"SHOP_BATCH": "many", "SHOP_PAUSE": "long"}, []string{"--smtp", "x"}, []string{"SHOP_BATCH", "SHOP_PAUSE"}},
		"another currency":     {nil, []string{"--smtp", "x", "--currency", "USD"}, []string{"EUR"}},
		"what Validate says":   {nil, []string{"--smtp", "x", "--batch", "101"}, []string{"above 100"}},
		"no reason":            {nil, []string{"--smtp", "x", "--insecure-open-relay", " "}, []string{"reason is empty"}},
		"the secret itself":    {map[string]string{"SHOP_SIGNING": "correct-horse-battery"}, []string{"--smtp", "x"}, []string{"--signing", "perhaps the secret itself"}},
		"a scheme nobody has":  {nil, []string{"--smtp", "x", "--signing", "vault:correct-horse"}, []string{"--signing"}},
		"a URL of a file":      {nil, []string{"--smtp", "x", "--signing", "file://correct-horse"}, []string{"absolute path"}},
		"a secret as two ones": {map[string]string{"SHOP_SIGNING": "correct-horse", "SHOP_BATCH": "x", "SHOP_PAUSE": "y"}, []string{"--smtp", "x"}, []string{"SHOP_BATCH"}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range tt.env {
				t.Setenv(key, value)
			}
			exit, out, said := runLine(t, ownApp(fastness.Config{}), append([]string{"show", "own"}, tt.args...)...)
			for _, want := range tt.want {
				if exit != 2 || !strings.Contains(said, want) || strings.Contains(out+said, "correct-horse") {
					t.Errorf("%d %s%s, want %q", exit, out, said, want)
				}
			}
		})
	}
}

// What Validate says is said once, by every command that has the settings.
func TestValidateIsAskedOnce(t *testing.T) {
	for _, command := range []string{"serve", "audit", "settings"} {
		exit, _, said := runLine(t, ownApp(fastness.Config{}), command, "--smtp", "x", "--batch", "101")
		if exit != 2 || strings.Count(said, "above 100") != 1 {
			t.Errorf("%s: %d %s", command, exit, said)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	type wrong struct {
		None       string      `name:"none"`
		Ours       string      `env:"FASTNESS_OURS"`
		Known      secret.Text `env:"SHOP_KNOWN" default:"staysecure"`
		InsecureOn bool        `env:"SHOP_INSECURE_ON"`
	}
	app := lineApp(fastness.Config{})
	fastness.AddSettings[wrong](app)
	fastness.AddSettings[shopSettings](app)
	fastness.AddSettings[shopSettings](app)
	fastness.AddSettings[int](app)
	err := app.Start(t.Context())
	for _, want := range []string{"None has no tag env", "begins with FASTNESS_", "secret with a default", `placeholder:"REASON"`, "there twice", "want a struct"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
