package fastness

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/fastness/fastness/secret"
)

// parser returns a parser of command lines, which is good for one of them.
func (p *program) parser(bind ...kong.Option) (*kong.Kong, error) {
	bind = append(bind, p.extensions()...)
	line := &commands{}
	line.Serve.Own, line.Audit.Own, line.Settings.Own = p.newOwn(), p.newOwn(), p.newOwn()
	parser, err := kong.New(line, append([]kong.Option{
		kong.Name(p.name), kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { p.ended = code }),
		kong.Description(p.app.cfg.Title), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Help(printHelp),
		kong.Configuration(readConfigFile),
		kong.KindMapper(reflect.String, kong.MapperFunc(readString)),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(readDuration)),
		kong.TypeMapper(reflect.TypeFor[secret.Text](), kong.MapperFunc(readSecret)),
		kong.TypeMapper(reflect.TypeFor[secret.Source](), kong.MapperFunc(p.readSource)),
		kong.TypeMapper(reflect.TypeFor[slog.Level](), kong.MapperFunc(readLevel)),
		kong.Bind(p),
		kong.Vars{
			"version":    p.app.cfg.Title + " " + p.app.cfg.Version,
			"data":       p.name + "-data",
			"log_format": logFormat(p.stderr),
		},
	}, bind...)...)
	if err == nil {
		excuse(parser.Model)
	}
	return parser, err
}

// printHelp prints the help. That of the program has the flags of serve, because
// they need no command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() == nil {
		serve := ctx.Model.DefaultCmd
		group := &kong.Group{Key: serve.Name, Title: "Flags of " + serve.Name + ", with or without its name:"}
		for _, flag := range serve.Flags {
			shown := *flag
			shown.Group = group
			ctx.Model.Flags = append(ctx.Model.Flags, &shown)
		}
		options.FlagsLast = true
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// helpFlagFor turns "help" and "help COMMAND" into what --help is for.
func helpFlagFor(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// commandFirst returns the arguments with the command moved to the front, if err
// is that flags were given before it, and nil otherwise. Kong takes such flags
// for those of the default command.
func commandFirst(args []string, err error) []string {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok || wrong.Context == nil || wrong.Context.Error == nil || wrong.Context.Selected() != nil {
		return nil
	}
	last := wrong.Context.Path[len(wrong.Context.Path)-1]
	rest := last.Remainder()
	if last.Flag == nil || len(rest) == 0 || !slices.Contains(commandNames(wrong.Context), rest[0]) {
		return nil
	}
	return slices.Concat(rest[:1], args[:len(args)-len(rest)], rest[1:])
}

func commandNames(ctx *kong.Context) (names []string) {
	for _, node := range ctx.Model.Children {
		names = append(names, node.Name)
	}
	return names
}

// wrongUsage returns what is wrong with a command line, what was probably meant,
// and where to read more.
func (p *program) wrongUsage(err error) error {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok || wrong.Context == nil {
		return err
	}
	ctx, help := wrong.Context, p.name+" --help"
	command := ctx.Selected()
	if command == nil {
		command = ctx.Model.DefaultCmd
	}
	if command != ctx.Model.DefaultCmd {
		help = command.FullPath() + " --help"
	}
	text := err.Error()
	if all := wrongVariables(command); ctx.Error == nil && len(all) > 1 {
		text = errors.Join(all...).Error()
	}
	// Kong suggests whatever is two letters away, be it of four.
	if ctx.Error != nil {
		mistake, _, _ := strings.Cut(text, ", did you mean")
		if given, ok := strings.CutPrefix(mistake, "unknown flag "); ok {
			text = mistake + suggestion(given, flagNames(command))
		} else if given, ok := strings.CutPrefix(mistake, "unexpected argument "); ok {
			text = mistake + suggestion(given, append(commandNames(ctx), "help"))
		}
	}
	return fmt.Errorf("%s\n%s says what there is", text, help)
}

func flagNames(command *kong.Node) (names []string) {
	for _, group := range command.AllFlags(true) {
		for _, flag := range group {
			names = append(names, "--"+flag.Name)
			for _, alias := range flag.Aliases {
				names = append(names, "--"+alias)
			}
		}
	}
	return names
}

// suggestion names the candidates that given is the beginning of, or else those
// that are the fewest slips away: one, or two in a long word.
func suggestion(given string, candidates []string) string {
	word := strings.TrimLeft(given, "-")
	var near []string
	least := 1
	if len(word) > 5 {
		least = 2
	}
	for _, candidate := range candidates {
		switch slips := slipsBetween(given, candidate); {
		case len(word) > 2 && strings.HasPrefix(candidate, given):
			if least > 0 {
				least, near = 0, nil
			}
			near = append(near, candidate)
		case len(word) > 1 && slips < least:
			least, near = slips, []string{candidate}
		case len(word) > 1 && slips == least:
			near = append(near, candidate)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(near, " or ") + "?"
}

// slipsBetween counts the letters to insert, delete, replace or swap with the
// next one that make a into b.
func slipsBetween(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// readString reads the value of a flag.
func readString(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := wantValue(ctx); err != nil {
		return err
	}
	return ctx.Scan.PopValueInto("string", target.Addr().Interface())
}

// readDuration reads a time such as 15s. Whether it may be 0 is for others to
// say; below 0 there is no limit of anything.
func readDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	next := ctx.Scan.Peek()
	text, isText := next.Value.(string)
	value, err := time.ParseDuration(text)
	if !isText || err != nil {
		if err := wantValue(ctx); err != nil {
			return err
		}
		return fmt.Errorf("%q is not a time, want one such as 15s or 2m", fmt.Sprint(next.Value))
	}
	if value < 0 {
		return fmt.Errorf("%s is below 0, want a time such as 15s or 2m", text)
	}
	ctx.Scan.Pop()
	target.SetInt(int64(value))
	return nil
}

// readLevel reads the level of a log.
func readLevel(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := wantValue(ctx); err != nil {
		return err
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf(`must be one of "debug","info","warn","error" but got %q`, text)
	}
	target.SetInt(int64(level))
	return nil
}

// wantValue says which value a flag is to have if it has none.
func wantValue(ctx *kong.DecodeContext) error {
	flag := ctx.Value.Flag
	switch {
	case ctx.Scan.Peek().IsValue() || flag == nil:
		return nil
	case flag.PlaceHolder == reasonPlaceHolder:
		return fmt.Errorf(`it takes the reason as its value, want --%s="why that is right"`, flag.Name)
	case flag.PlaceHolder == "":
		return fmt.Errorf("it has no value, want --%s=VALUE", flag.Name)
	}
	return fmt.Errorf("it has no value, want --%s=%s", flag.Name, flag.PlaceHolder)
}

// reasonPlaceHolder marks the settings that weaken a defence.
const reasonPlaceHolder = "REASON"
