package fastness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/openapi"
)

// routesCommand lists the operations.
type routesCommand struct {
	JSON bool `help:"Print a JSON array."`
}

// Route is something that an app answers, and who may have it: a line of the routes
// command.
type Route struct {
	Kind string `json:"kind"` // operation, mount or builtin
	// Method is "*" where a mounted handler takes any.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Access is the rule in words.
	Access string `json:"access"`
	// Caller reports whether callers must prove who they are. Whoever has none of Roles,
	// or lacks one of Scopes, is refused; there may be more to it, which Access says.
	Caller bool     `json:"caller"`
	Roles  []string `json:"roles,omitempty"`
	Scopes []string `json:"scopes,omitempty"`
}

// Routes returns all that the app answers, under the paths by which it is asked (without
// [Config].RootPath), and what the apps do that are mounted below it: the operations in
// the order of their declaration, those that the document hides, too; then the mounts, then
// what every app has. An app whose declarations are wrong returns the error of Start.
// Nothing can be declared afterwards.
func (a *App) Routes() ([]Route, error) {
	if err := a.compile(); err != nil {
		return nil, err
	}
	var routes []Route
	for _, l := range a.routeLines() {
		routes = append(routes, l.Route)
	}
	return routes, nil
}

// routeOf returns the line of what has a rule.
func routeOf(kind, method, path, access string, rule operation.Access) Route {
	needs := rule.Needs()
	return Route{Kind: kind, Method: method, Path: path, Access: access, Caller: needs.Caller, Roles: needs.OneRole, Scopes: needs.EachScope}
}

// routeLine is one line of the list.
type routeLine struct {
	Route
	TimeoutMS int64 `json:"timeout_ms"`
	// BodyLimit is nil if no body is read, or by a handler that the app cannot
	// look into.
	BodyLimit *int64 `json:"body_limit,omitempty"`
	// RateLimit is the limit of its own, beside the general one.
	RateLimit string `json:"rate_limit,omitempty"`
	ID        string `json:"id,omitempty"`
	Summary   string `json:"summary,omitempty"`
}

// Run prints the list.
func (c *routesCommand) Run(p *program) error {
	if err := p.compile(Settings{}); err != nil {
		return err
	}
	lines := p.app.routeLines()
	if c.JSON {
		return printJSON(p.stdout, lines)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "METHOD\tPATH\tACCESS\tTIMEOUT\tBODY\tLIMIT\tID\tSUMMARY")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Method, l.Path, l.Access,
			time.Duration(l.TimeoutMS)*time.Millisecond, l.body(), cmp.Or(l.RateLimit, "-"), l.id(), observe.Printable(l.Summary, 80))
	}
	return w.Flush()
}

// routeLines lists the operations as they were declared, then the mounts, then
// what every app has.
func (a *App) routeLines() []routeLine {
	lines := make([]routeLine, 0, len(a.operations)+len(a.mounts)+len(a.builtins))
	for _, op := range a.operations {
		l := routeLine{
			Route:     routeOf("operation", op.method, op.path, op.access(), op.spec.Access),
			TimeoutMS: op.spec.Timeout.Milliseconds(), ID: op.id, Summary: a.summary(op), RateLimit: op.limitText(),
		}
		if op.input.body.kind != noBody {
			l.BodyLimit = &op.spec.BodyLimit
		}
		lines = append(lines, l)
	}
	for _, m := range a.mounts {
		lines = append(lines, routeLine{
			Route:     routeOf("mount", "*", strings.TrimSuffix(m.prefix, "/")+"/*", m.spec.Access.String(), m.spec.Access),
			TimeoutMS: a.cfg.Timeout.Milliseconds(), Summary: "A handler of its own", RateLimit: limitText(&m.spec),
		})
	}
	for _, b := range a.builtins {
		lines = append(lines, routeLine{
			Route:     Route{Kind: "builtin", Method: b.method(), Path: b.path, Access: b.access},
			TimeoutMS: a.cfg.Timeout.Milliseconds(), Summary: b.summary,
		})
	}
	return append(lines, a.routesOfSubApps()...)
}

// summary returns what the document says about op.
func (a *App) summary(op *operationPlan) string {
	if item, ok := a.document.Paths.Get(strings.ReplaceAll(op.path, "...}", "}")); ok {
		for method, described := range item.Operations() {
			if method == op.method {
				return described.Summary
			}
		}
	}
	return first(op.spec.Summary, humanize(op.id)) // It is hidden.
}

func (l *routeLine) id() string {
	switch l.Kind {
	case "operation":
		return l.ID
	default:
		return "(" + l.Kind + ")"
	}
}

func (l *routeLine) body() string {
	switch {
	case l.BodyLimit != nil:
		return byteSize(*l.BodyLimit)
	case l.Kind == "mount":
		return "?"
	}
	return "-"
}

// byteSize writes n in the largest unit that leaves no remainder.
func byteSize(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// openapiCommand prints the document.
type openapiCommand struct {
	YAML   bool   `name:"yaml" help:"Print YAML. It is also what a file called .yaml or .yml gets."`
	Mount  string `placeholder:"PREFIX" help:"Print that of the app that is mounted there."`
	Output string `short:"o" placeholder:"FILE" help:"Write to this file."`
}

// Run prints the document.
func (c *openapiCommand) Run(p *program) error {
	if err := p.compile(Settings{}); err != nil {
		return err
	}
	app := p.app.below(c.Mount)
	if app == nil {
		return fmt.Errorf("no app is mounted at %s", observe.Printable(c.Mount, 80))
	}
	document, err := app.Document()
	if err != nil {
		return err
	}
	ending := strings.ToLower(filepath.Ext(c.Output))
	text, err := render(document, c.YAML || ending == ".yaml" || ending == ".yml")
	if err != nil {
		return err
	}
	if c.Output != "" {
		return os.WriteFile(c.Output, text, 0o644)
	}
	return p.print(text)
}

func render(document *openapi.Document, yaml bool) ([]byte, error) {
	if yaml {
		return document.YAML()
	}
	text, err := document.JSON()
	return append(text, '\n'), err
}
