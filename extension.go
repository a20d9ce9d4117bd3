package fastness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/fastness/fastness/problem"
)

// Command adds a command to the command line of [Main]. T is a struct in the
// manner of github.com/alecthomas/kong: its fields are flags, arguments and
// further commands, and the innermost command that was called is run by its
// method
//
//	Run(…) error
//
// whose parameters are filled by type: a context.Context, a [Console], the
// [Settings], and whatever app-scoped provider the app has. Only those that are
// asked for are made, and cleaned up when the command is done. The command has
// the flags of the settings, too.
func Command[T any](app *App, name, help string) {
	app.mustBeOpen("the command " + name)
	if slices.ContainsFunc(app.commands, func(c extension) bool { return c.name == name }) {
		app.mistakes = append(app.mistakes, fmt.Errorf("the command %s is there twice", name))
		return
	}
	app.commands = append(app.commands, extension{name, help, func() extended { return new(extensionOf[T]) }})
}

// Console is where a command reads and writes.
type Console struct {
	In       io.Reader
	Out, Err io.Writer
}

// extension is a command of the application's.
type extension struct {
	name, help string
	make       func() extended
}

type extended interface{ settings() *settingsFlags }

type extensionOf[T any] struct {
	settingsFlags `embed:""`

	Command T `embed:""`
}

func (e *extensionOf[T]) settings() *settingsFlags { return &e.settingsFlags }

// extensions returns the options by which a parser knows the application's
// commands.
func (p *program) extensions() (options []kong.Option) {
	p.extended = make(map[string]extended)
	for _, c := range p.app.commands {
		made := c.make()
		made.settings().Own = p.newOwn()
		p.extended[c.name] = made
		options = append(options, kong.DynamicCommand(c.name, c.help, "", made))
	}
	return options
}

// runCommand runs the command that was parsed. What it needs of the app is made
// when it asks, and cleaned up afterwards.
func (p *program) runCommand(ctx context.Context, parsed *kong.Context) error {
	root := parsed.Selected()
	for root.Parent != nil && root.Parent.Type != kong.ApplicationNode {
		root = root.Parent
	}
	made, ok := p.extended[root.Name]
	if !ok {
		return parsed.Run()
	}
	if err := p.provide(ctx, parsed, made.settings().Settings); err != nil {
		return err
	}
	err := readable(parsed.Run())
	return errors.Join(err, p.app.Stop(context.WithoutCancel(ctx)))
}

// readable returns err as who runs a command wants to read it: what a caller of
// the API would be told, and not its cause, which says the same once more.
func readable(err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || p.Status >= http.StatusInternalServerError {
		return err
	}
	told := []error{errors.New(p.Detail)}
	for _, v := range p.Errors {
		told = append(told, errors.New(v.Detail))
	}
	return errors.Join(told...)
}

// provide binds everything that the Run method of a command may ask for.
func (p *program) provide(ctx context.Context, parsed *kong.Context, settings Settings) error {
	if !p.app.ownLogger {
		if settings.LogLevel == slog.LevelInfo { // Who runs a command sees what it does.
			settings.LogLevel = slog.LevelWarn
		}
		p.app.cfg.Logger = settings.logger(p.stderr)
		p.useLogger(p.app.cfg.Logger)
	}
	if err := p.compile(settings); err != nil {
		return err
	}
	parsed.Bind(Console{In: p.stdin, Out: p.stdout, Err: p.stderr})
	for _, provider := range p.app.appProviders() {
		out := []reflect.Type{provider.typ, reflect.TypeFor[error]()}
		f := reflect.MakeFunc(reflect.FuncOf(nil, out, false), func([]reflect.Value) []reflect.Value {
			if err := p.app.makeSingleton(ctx, provider); err != nil {
				return []reflect.Value{reflect.Zero(provider.typ), reflect.ValueOf(&err).Elem()}
			}
			return []reflect.Value{provider.value, reflect.Zero(reflect.TypeFor[error]())}
		})
		if err := parsed.BindToProvider(f.Interface()); err != nil {
			return err
		}
	}
	return nil
}
