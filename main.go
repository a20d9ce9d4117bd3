package fastness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit statuses of a program.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // the command line, the environment or the config file is wrong
)

// Main is the whole main function of a program that serves app. It reads the
// command line and ends the process:
//
//	shop                     serve (with a development certificate, if no other is given)
//	shop routes [--json]     every operation: who may call it, its limits
//	shop openapi [--yaml]    the OpenAPI document
//	shop asyncapi            the AsyncAPI document, of the WebSockets
//	shop audit [--json]      every defence that is off, and why
//	shop settings            where each setting comes from
//	shop --help | --version  also: shop help, shop help routes
//
// Settings come from flags, from the environment (FASTNESS_ADDR …) and from the
// file that --config names, in this order; see [Settings]. Commands other than
// serve need no database: they compile the declarations and make no app-scoped
// value.
//
// At the first SIGINT or SIGTERM the program stops gracefully: readiness turns
// 503, requests under way are finished, the app stops, and the exit status is 0.
// A second signal ends it at once with status 1. Status 2 is for a wrong command
// line.
//
// If [Config].Logger is nil, the logger that the flags describe becomes the
// app's and slog's default.
func Main(app *App) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	p := &program{app: app, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, useLogger: slog.SetDefault}
	os.Exit(supervise(signals, func(ctx context.Context) int { return p.run(ctx, os.Args) }))
}

// Run is [Main] without the process: it runs one command line, of which args[0]
// is the program's name, until it is done or ctx is, and returns the exit
// status. Output and complaints go to stdout and stderr; stderr must be safe for
// concurrent use, as files are. An app runs once.
func (a *App) Run(ctx context.Context, args []string, stdout, stderr io.Writer) (exit int) {
	p := &program{app: a, stdin: os.Stdin, stdout: stdout, stderr: stderr, useLogger: func(*slog.Logger) {}}
	return p.run(ctx, args)
}

// supervise runs f, tells it by its context of the first signal, and does not
// wait for it any longer after the second one.
func supervise(signals <-chan os.Signal, f func(context.Context) int) (exit int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- f(ctx) }()
	select {
	case exit = <-done:
		return exit
	case <-signals:
		cancel()
	}
	select {
	case exit = <-done:
		return exit
	case <-signals:
		return exitFailed
	}
}

// program is one run of the command line.
type program struct {
	app            *App
	name           string
	stdin          io.Reader
	stdout, stderr io.Writer
	extended       map[string]extended // the application's commands, as they were parsed
	own            kong.Plugins        // the application's settings, as they were parsed
	useLogger      func(*slog.Logger)
	ended          int // what --help and --version ended with, or -1
}

// commands are the command line. Each has a method Run.
type commands struct {
	Version kong.VersionFlag `help:"Print the version."`

	Serve    serveCommand    `cmd:"" default:"withargs" help:"Serve the API. This is the default."`
	Routes   routesCommand   `cmd:"" help:"List all operations: who may call them, and their limits."`
	OpenAPI  openapiCommand  `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	AsyncAPI asyncapiCommand `cmd:"" name:"asyncapi" help:"Print the AsyncAPI document of the WebSockets."`
	Audit    auditCommand    `cmd:"" help:"List every defence that is switched off, and why."`
	Settings settingsCommand `cmd:"" help:"Print the settings and where each comes from, without secrets."`
}

func (p *program) run(ctx context.Context, args []string) (exit int) {
	p.name = "app"
	if len(args) > 0 {
		p.name = strings.TrimSuffix(filepath.Base(args[0]), ".exe")
		args = args[1:]
	}
	parsed, err := p.parse(ctx, helpFlagFor(args))
	switch {
	case p.ended >= 0: // What was found wrong after the help was printed is nobody's concern.
		return p.ended
	case err != nil:
		return p.complain(exitUsage, p.wrongUsage(err))
	}
	if err := p.runCommand(ctx, parsed); err != nil {
		return p.complain(exitFailed, err)
	}
	return exitDone
}

// parse parses a command line. Flags of a command may stand before its name.
func (p *program) parse(ctx context.Context, args []string) (parsed *kong.Context, err error) {
	for args != nil {
		p.ended = -1
		parser, broken := p.parser(kong.BindTo(ctx, (*context.Context)(nil)))
		if broken != nil {
			return nil, broken
		}
		parsed, err = parser.Parse(args)
		args = commandFirst(args, err)
	}
	return parsed, err
}

// complain prints err, one mistake a line, and returns exit.
func (p *program) complain(exit int, err error) int {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  ")
	fmt.Fprintf(p.stderr, "%s: %s\n", p.name, text)
	return exit
}

// compile compiles the app's declarations, which may ask for the settings.
func (p *program) compile(s Settings) error {
	if !p.app.compiled.Load() {
		Override(p.app, s)
		p.provideOwn()
	}
	return p.app.compile()
}

// print writes text, or says why it could not.
func (p *program) print(text []byte) error {
	if _, err := p.stdout.Write(text); err != nil {
		return errors.Join(errors.New("the output could not be written"), err)
	}
	return nil
}
