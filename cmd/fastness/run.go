package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/config"
	"github.com/fastness/fastness/scan/report"
)

// secretHeader finds fields whose values no report shows.
var secretHeader = regexp.MustCompile(`(?i)auth|cookie|key|token|secret|session|password`)

type runCommand struct {
	target
	people
	outcome

	Rate               float64 `placeholder:"N" help:"Requests per second, at most."`
	Seed               uint64  `placeholder:"N" help:"Makes a scan repeat itself."`
	Listen             string  `placeholder:"ADDR" help:"Where the scan waits to be called by the target, as 127.0.0.1:0."`
	Public             string  `placeholder:"URL" help:"How the target reaches that address."`
	IMayScan           string  `name:"i-may-scan" aliases:"allow-host" placeholder:"HOST" help:"Confirms that this host, which is not this machine, may be scanned."`
	CAFile             string  `name:"ca-file" type:"existingfile" placeholder:"FILE" help:"Certificates that are trusted beside those of the system."`
	InsecureSkipVerify string  `placeholder:"REASON" help:"Why a certificate that fails does not stop the scan."`
}

// Help implements [kong.HelpProvider].
func (r *runCommand) Help() string {
	return "Other commands: fastness scan plan, diff, show, checks.\n\n" +
		"The exit status is 0 if nothing is as bad as --fail-on says, 1 if something is, 2 if there was no scan or a report could not be written, 3 if the scan ended early or reached nothing."
}

func (r *runCommand) Run(ctx context.Context, p *program) error {
	file, err := r.file()
	if err != nil {
		return err
	}
	c, err := r.scan(ctx, p, file)
	if err != nil {
		return err
	}
	reports, err := r.reports(file)
	if err != nil {
		return err
	}
	if err := r.own(&c, file); err != nil {
		return err
	}
	known, err := r.baseline(file)
	if err != nil {
		return err
	}
	if err := r.confirm(p, c.Target); err != nil {
		return err
	}
	shown := newProgress(p, r.Quiet)
	c.Progress = shown.show
	result, err := scan.Run(ctx, c)
	shown.end()
	if err != nil {
		return err
	}
	result.Version = version()
	for name, values := range c.Header {
		if secretHeader.MatchString(name) {
			for _, v := range values {
				result.Secrets.Add(v, "HEADER_"+name)
			}
		}
	}
	d := result.Publish()
	if known != nil {
		known.Apply(d, time.Now())
	}
	p.code = d.Exit(r.severity(file))
	err = writeReports(p, d, reports, r.Verbose)
	if r.WriteBaseline != "" {
		var text strings.Builder
		err = errors.Join(err, report.WriteBaseline(&text, d, time.Now().AddDate(0, 0, 90)))
		err = errors.Join(err, writeFile(r.WriteBaseline, []byte(text.String())))
	}
	return err
}

// scan returns the configuration of the scan.
func (r *runCommand) scan(ctx context.Context, p *program, file *config.File) (scan.Config, error) {
	c := file.Scan()
	r.target.apply(&c)
	if err := r.people.apply(p, &c); err != nil {
		return c, err
	}
	first(&c.Listen, r.Listen)
	first(&c.Public, r.Public)
	first(&c.CAFile, r.CAFile)
	first(&c.InsecureCertificates, r.InsecureSkipVerify)
	if r.Rate != 0 {
		c.Rate = r.Rate
	}
	if r.Seed != 0 {
		c.Seed = r.Seed
	}
	if c.Target == "" && c.Document == "" {
		return c, errors.New("say what to scan: an address, a document or --config")
	}
	return c, aim(ctx, &c)
}

func (r *runCommand) baseline(file *config.File) (*report.Baseline, error) {
	name := file.Baseline
	first(&name, r.Baseline)
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.ReadBaseline(f)
}

// confirm wants somebody to say that a target may be scanned that is not on this machine.
func (r *runCommand) confirm(p *program, address string) error {
	host, local := loopback(address)
	switch {
	case local || host != "" && strings.EqualFold(r.IMayScan, host):
		return nil
	case r.IMayScan != "":
		return fmt.Errorf("--i-may-scan says %s, and the target is %s", safe(r.IMayScan), safe(host))
	case !p.terminal[0] || !p.terminal[2]:
		return fmt.Errorf("%s is not this machine. A scan is an attack: only scan what you may. Say so with --i-may-scan %s", safe(host), safe(host))
	}
	fmt.Fprintf(p.stderr, "%s is not this machine. A scan is an attack: only scan what you may.\nType the name of the host to go on: ", safe(host))
	answer, err := p.stdin.ReadString('\n')
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), host) {
		return errInterrupted
	}
	return nil
}

func isLoopbackIP(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Unmap().IsLoopback()
}

// writeReports writes all, and tells what could not be written.
func writeReports(p *program, d *report.Document, files []config.ReportFile, verbose bool) (err error) {
	for _, f := range files {
		options := report.Options{Verbose: verbose, Width: p.width()}
		if f.Path == "-" {
			options.Colour = p.colour(1)
			err = errors.Join(err, report.Write(p.stdout, f.Format, d, options))
			continue
		}
		var text strings.Builder
		wrong := report.Write(&text, f.Format, d, options)
		if wrong == nil {
			wrong = writeFile(f.Path, []byte(text.String()))
		}
		err = errors.Join(err, wrong)
	}
	return err
}

// writeFile writes a file for its owner only, since a report tells how to break in. What
// was there before stays if that fails.
func writeFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // The first error says more.
	}
	return err
}
