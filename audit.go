package fastness

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/fastness/fastness/observe"
)

// auditCommand lists what was switched off. It looks at the settings, too,
// because some of them switch something off.
type auditCommand struct {
	settingsFlags `embed:""`

	JSON bool `help:"Print a JSON array."`
}

// Run prints the list.
func (c *auditCommand) Run(p *program, ctx *kong.Context) error {
	if err := p.compile(c.Settings); err != nil {
		return err
	}
	optOuts := slices.Concat(p.app.Audit(), c.optOuts(), ownOptOuts(ctx))
	if c.JSON {
		return printJSON(p.stdout, append([]OptOut{}, optOuts...)) // [] and not null
	}
	if len(optOuts) == 0 {
		return p.print([]byte("No opt-outs: every defence is on.\n"))
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHERE\tOPT-OUT\tREASON")
	for _, o := range optOuts {
		fmt.Fprintf(w, "%s\t%s\t%s\n", o.Where, o.Name, observe.Printable(o.Reason, 1024))
	}
	return w.Flush()
}
