// Command fastness scans HTTP APIs and says what it can prove.
//
//	fastness scan http://127.0.0.1:8080 --user alice:secret --user bob:secret
//	fastness scan openapi.json --target http://127.0.0.1:8080 --report html=scan.html
//	fastness scan plan openapi.json     # what would be sent; sends nothing
//	fastness scan diff old.json new.json
//	fastness scan checks                # the catalogue
//
// The exit status is 0 if nothing is as bad as --fail-on says, 1 if something is, 2 if
// there was no scan (a wrong flag, no document, no answer) or a report could not be written,
// and 3 if the scan ended early or reached nothing, so that its silence says little.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit statuses.
const (
	exitFound  = 1
	exitNoScan = 2
)

type commands struct {
	Scan struct {
		Run    runCommand    `cmd:"" default:"withargs" help:"Scan an API. This is the default."`
		Plan   planCommand   `cmd:"" help:"Print what a scan would do, and send nothing."`
		Diff   diffCommand   `cmd:"" help:"Compare two JSON reports: what is new, gone and the same."`
		Show   showCommand   `cmd:"" help:"Write a JSON report in another format."`
		Checks checksCommand `cmd:"" help:"List the checks."`
	} `cmd:"" help:"Scan an HTTP API and say what can be proven."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// program is the world of a command.
type program struct {
	stdin          *bufio.Reader
	stdout, stderr io.Writer
	// terminal tells what is one: standard input, output and error.
	terminal [3]bool
	env      func(string) (string, bool)
	code     int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // The second time, the program ends at once.
	p := &program{
		stdin: bufio.NewReader(os.Stdin), stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv,
		terminal: [3]bool{isTerminal(os.Stdin), isTerminal(os.Stdout), isTerminal(os.Stderr)},
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// run returns the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	var line commands
	ended := -1
	parser, err := kong.New(&line, kong.Name("fastness"), kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { ended = code }),
		kong.Description("Fastness scans HTTP APIs and says what it can prove."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p))
	if err != nil {
		fmt.Fprintln(p.stderr, "fastness:", err)
		return exitNoScan
	}
	if len(args) == 2 && args[0] == "scan" && (args[1] == "--help" || args[1] == "-h") {
		args = []string{"scan", "run", "--help"} // Its flags need no command.
	}
	parsed, err := parser.Parse(args)
	if ended >= 0 { // It was --help.
		return ended
	}
	if err == nil {
		err = parsed.Run()
	}
	if err != nil {
		p.complain(err)
		return exitNoScan
	}
	return p.code
}

// complain writes an error, each of its lines under the other.
func (p *program) complain(err error) {
	fmt.Fprintln(p.stderr, "fastness:", safe(err.Error()))
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// colour reports whether a stream may have colours (no-color.org).
func (p *program) colour(stream int) bool {
	no, _ := p.env("NO_COLOR")
	term, _ := p.env("TERM")
	return p.terminal[stream] && no == "" && term != "dumb"
}

func (p *program) width() (columns int) {
	text, _ := p.env("COLUMNS")
	_, _ = fmt.Sscan(text, &columns) // 0 is the default.
	return columns
}

type versionCommand struct{}

func (versionCommand) Run(p *program) error {
	fmt.Fprintln(p.stdout, "fastness", version())
	return nil
}

// version is that of the module, or of the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}

// errInterrupted is what a prompt says that got no answer.
var errInterrupted = errors.New("nobody confirmed that the target may be scanned")
