package secret_test

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/fastness/fastness/secret"
)

// The process dies with a secret in its hands, in every way in which one can, and
// says so on its standard error.
func TestNoPanicPrintsTheSecret(t *testing.T) {
	if how := os.Getenv("SECRET_PANIC"); how != "" {
		die(how, newHolder())
	}
	for _, how := range []string{"value", "pointer", "holder", "error", "nil", "again", "goroutine", "exit"} {
		command := exec.Command(os.Args[0], "-test.run=^TestNoPanicPrintsTheSecret$")
		command.Env = append(os.Environ(), "SECRET_PANIC="+how, "GOTRACEBACK=system")
		out, err := command.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic: ")) && !bytes.Contains(out, []byte("goroutine ")) {
			t.Errorf("%s: the process did not die: %v, %s", how, err, out)
		}
		mustNotSpell(t, how, string(out))
	}
}

func die(how string, h holder) {
	switch how {
	case "value":
		panic(h.Shown)
	case "pointer":
		panic(&h.Shown)
	case "holder":
		panic(h)
	case "error":
		panic(fmt.Errorf("log in with %v %v %q %x %#v: %w", h.Shown, h, h.Shown, h.list, h.byName, secret.ErrEncode))
	case "nil":
		var nobody *holder
		_ = nobody.Shown.Reveal() + h.Shown.Reveal()
	case "again":
		defer func() { panic(fmt.Sprint(recover(), h)) }()
		panic(h.any)
	case "goroutine":
		go func(text secret.Text, plain holder) { panic(fmt.Sprint(text, plain)) }(h.Shown, h)
		select {}
	case "exit":
		slog.Error("goroutine died", "holder", h, "secret", h.hidden)
		os.Exit(1)
	}
}

func TestNoTemplateWritesTheSecret(t *testing.T) {
	h := newHolder()
	for _, text := range []string{"{{.}}", "{{.Shown}}", "{{printf `%s %v %q %x %#v` .Shown .Shown .Shown .Shown .}}", "{{html .Shown}}{{js .Shown}}{{urlquery .Shown}}{{print .}}"} {
		var out bytes.Buffer
		if err := template.Must(template.New("").Parse(text)).Execute(&out, h); err != nil {
			out.WriteString(err.Error())
		}
		mustNotSpell(t, text, out.String())
	}
	for _, text := range []string{"<p title='{{.Shown}}'>{{.Shown}}</p>", "<script>let x = {{.Shown}}</script>", "<script>let x = {{.}}</script>", "<a href='/?q={{.Shown}}'>", "<style>a{b:{{.Shown}}}</style>"} {
		var out bytes.Buffer
		if err := htmltemplate.Must(htmltemplate.New("").Parse(text)).Execute(&out, h); err != nil {
			out.WriteString(err.Error())
		}
		mustNotSpell(t, text, out.String())
	}
}

// What reads and keeps secrets does not print them either.
func TestNoSourcePrintsTheSecret(t *testing.T) {
	t.Setenv("HOUSE_KEY", password)
	path := write(t, filepath.Join(t.TempDir(), "key"), password, 0o600)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	var c clock
	for _, source := range []secret.Source{secret.Env("HOUSE_KEY"), secret.EnvOrFile("HOUSE_KEY"), secret.File(path)} {
		r := reloading(t, secret.ReloadingConfig{Source: source, Now: c.now, Logger: logger, Accept: func(secret.Text) error { return nil }})
		logger.Info("all", "source", source, "reloading", r, "accepted", r.Accepted())
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			mustNotSpell(t, format, fmt.Sprintf(format, source)+fmt.Sprintf(format, r)+fmt.Sprintf(format, r.Accepted()))
		}
	}
	mustNotSpell(t, "the log", log.String())
	if !strings.Contains(log.String(), "HOUSE_KEY") {
		t.Errorf("the log says nothing: %s", log.String())
	}
}
