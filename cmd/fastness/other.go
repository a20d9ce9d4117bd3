package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/config"
	"github.com/fastness/fastness/scan/report"
)

type planCommand struct {
	target
}

func (c *planCommand) Run(ctx context.Context, p *program) error {
	file, err := c.file()
	if err != nil {
		return err
	}
	settings := file.Scan()
	c.apply(&settings)
	if err := c.own(&settings, file); err != nil {
		return err
	}
	plan, err := scan.Plan(ctx, settings)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s %s\nat most %d requests in %s\n\n", safe(plan.Title), safe(plan.Version), plan.MaxRequests, plan.MaxTime)
	held := 0
	for _, op := range plan.Operations {
		line := fmt.Sprintf("%-7s %s", op.Method, op.Path)
		if op.LogIn {
			line += "  [log-in]"
		}
		if len(op.Takes) > 0 {
			line += "  " + strings.Join(op.Takes, ", ")
		}
		if op.Held != "" {
			held++
			line += "  HELD BACK: " + op.Held
		}
		fmt.Fprintln(p.stdout, safe(line))
	}
	fmt.Fprintf(p.stdout, "\n%d operations, %d of them held back\n\n", len(plan.Operations), held)
	for _, k := range plan.Checks {
		fmt.Fprintf(p.stdout, "%-9s %-8s %s\n", k.ID, k.Severity, k.Title)
	}
	fmt.Fprintf(p.stdout, "\n%d checks, in this order\n", len(plan.Checks))
	for _, complaint := range plan.Complaints {
		fmt.Fprintf(p.stdout, "the document, %s: %s\n", safe(complaint.Where), safe(complaint.What))
	}
	return nil
}

type diffCommand struct {
	Old  string `arg:"" type:"existingfile" help:"The earlier report."`
	New  string `arg:"" type:"existingfile" help:"The later one."`
	Fail bool   `help:"Exit with 1 if there is something new."`
}

func (c *diffCommand) Run(p *program) error {
	old, err := readReport(c.Old)
	if err != nil {
		return err
	}
	now, err := readReport(c.New)
	if err != nil {
		return err
	}
	diff := report.Compare(old, now)
	if c.Fail && len(diff.New) > 0 {
		p.code = exitFound
	}
	return diff.Write(p.stdout, report.Options{Colour: p.colour(1), Width: p.width()})
}

func readReport(name string) (*report.Document, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := report.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

type showCommand struct {
	File    string   `arg:"" type:"existingfile" help:"A JSON report."`
	Report  []string `sep:"none" placeholder:"FORMAT=PATH" help:"As with scan; text to the standard output by default."`
	Verbose bool     `short:"v" help:"Show all evidence, operations and checks."`
}

func (c *showCommand) Run(p *program) error {
	d, err := readReport(c.File)
	if err != nil {
		return err
	}
	files, err := (&outcome{Report: c.Report}).reports(new(config.File))
	if err != nil {
		return err
	}
	return writeReports(p, d, files, c.Verbose)
}

type checksCommand struct {
	JSON bool `help:"All that is known of each, as JSON."`
}

func (c *checksCommand) Run(p *program) error {
	if c.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(scan.Kinds())
	}
	for _, k := range scan.Kinds() {
		fmt.Fprintf(p.stdout, "%-9s %-8s %-10s %s\n", k.ID, k.Severity, k.OWASP, k.Title)
	}
	return nil
}
