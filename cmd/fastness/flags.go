package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/config"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/rules"
	"github.com/fastness/fastness/scan/wire"
)

// target are the flags that say what is scanned, and how far. They come before those of
// the configuration file.
type target struct {
	Target string `arg:"" optional:"" help:"Address of the API, or file of its OpenAPI document."`

	At          string        `name:"target" placeholder:"URL" help:"Address of the API, if the argument is a file."`
	Spec        string        `placeholder:"FILE|URL" help:"OpenAPI document. Without one, it is looked for."`
	Config      string        `type:"existingfile" placeholder:"FILE" help:"Configuration file (YAML); flags come before it."`
	Profile     string        `enum:",deep,ci,quick,passive" default:"" help:"deep (the default), ci, quick or passive."`
	Checks      []string      `placeholder:"ID" help:"Run only these checks."`
	Without     []string      `placeholder:"ID" help:"Do not run these checks."`
	Include     []string      `placeholder:"PATTERN" help:"Scan only these operations, as 'GET /orders/*'."`
	Exclude     []string      `placeholder:"PATTERN" help:"Leave out these operations."`
	ReadOnly    bool          `help:"Send nothing but GET, HEAD and OPTIONS, apart from logging in."`
	Destructive bool          `help:"Allow to remove what the scan did not make."`
	MaxRequests int           `placeholder:"N" help:"Send at most so many requests."`
	MaxTime     time.Duration `placeholder:"10m" help:"Scan at most so long."`
	Rules       string        `placeholder:"PATH" help:"File or folder of checks of your own."`
}

// people are the flags that say who the scan is.
type people struct {
	User       []string `sep:"none" placeholder:"NAME:PASSWORD" help:"A user; :admin at the end for an administrator. A password can be env:NAME or file:PATH."`
	Admin      []string `sep:"none" placeholder:"NAME:PASSWORD" help:"An administrator."`
	Token      []string `sep:"none" placeholder:"NAME=TOKEN" help:"A user that has a token already; env: and file: as with --user."`
	NoRegister bool     `help:"Register no users at the target."`
	Header     []string `sep:"none" placeholder:"'NAME: VALUE'" help:"Send this with every request."`
}

// file reads the configuration file.
func (t *target) file() (*config.File, error) {
	if t.Config == "" {
		return new(config.File), nil
	}
	return config.Read(t.Config)
}

// apply puts the flags over the configuration.
func (t *target) apply(c *scan.Config) {
	if t.Target != "" {
		if isAddress(t.Target) {
			c.Target = t.Target
		} else {
			c.Document = t.Target
		}
	}
	first(&c.Target, t.At)
	first(&c.Document, t.Spec)
	if t.Profile != "" {
		c.Profile = scan.Profile(t.Profile)
	}
	for _, list := range []struct {
		to   *[]string
		from []string
	}{{&c.Checks, t.Checks}, {&c.Without, t.Without}, {&c.Include, t.Include}, {&c.Exclude, t.Exclude}} {
		if len(list.from) > 0 {
			*list.to = list.from
		}
	}
	c.ReadOnly, c.Destructive = c.ReadOnly || t.ReadOnly, c.Destructive || t.Destructive
	if t.MaxRequests != 0 {
		c.MaxRequests = t.MaxRequests
	}
	if t.MaxTime != 0 {
		c.MaxTime = t.MaxTime
	}
}

// own reads the checks of the user.
func (t *target) own(c *scan.Config, f *config.File) (err error) {
	name := f.Rules
	first(&name, t.Rules)
	if name != "" {
		c.Own, err = rules.Load(name)
	}
	return err
}

func first(to *string, value string) {
	if value != "" {
		*to = value
	}
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// aim finds the target of a scan that was given a document only.
func aim(ctx context.Context, c *scan.Config) error {
	if c.Target != "" || c.Document == "" {
		return nil
	}
	p, err := scan.Plan(ctx, scan.Config{Document: c.Document, CAFile: c.CAFile, InsecureCertificates: c.InsecureCertificates})
	if err != nil {
		return err
	}
	for _, s := range p.Servers {
		if isAddress(s) {
			c.Target = s
			return nil
		}
	}
	return errors.New("the document names no server: say with --target where the API is")
}

// apply adds the users of the flags to those of the configuration.
func (w *people) apply(p *program, c *scan.Config) error {
	var mistakes []error
	for _, list := range []struct {
		texts []string
		admin bool
	}{{w.User, false}, {w.Admin, true}} {
		for _, text := range list.texts {
			name, password, found := strings.Cut(text, ":")
			if !found || name == "" {
				mistakes = append(mistakes, fmt.Errorf("user %q: want as NAME:PASSWORD", safe(name)))
				continue
			}
			password, admin := strings.CutSuffix(password, ":admin")
			password, err := p.value(password)
			mistakes = append(mistakes, err)
			c.Users = append(c.Users, scan.User{Name: name, Username: name, Password: password, Admin: admin || list.admin})
		}
	}
	for _, text := range w.Token {
		name, token, found := strings.Cut(text, "=")
		if !found || name == "" {
			mistakes = append(mistakes, errors.New("--token: want as NAME=TOKEN"))
			continue
		}
		token, err := p.value(token)
		mistakes = append(mistakes, err)
		c.Users = withToken(c.Users, name, token)
	}
	for _, text := range w.Header {
		name, value, found := strings.Cut(text, ":")
		if !found {
			mistakes = append(mistakes, fmt.Errorf("--header %q: want as 'NAME: VALUE'", safe(name)))
			continue
		}
		if c.Header == nil {
			c.Header = http.Header{}
		}
		c.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	c.NoRegister = c.NoRegister || w.NoRegister
	return errors.Join(mistakes...)
}

func withToken(users []scan.User, name, token string) []scan.User {
	if i := slices.IndexFunc(users, func(u scan.User) bool { return u.Name == name }); i >= 0 {
		users[i].Token = token
		return users
	}
	return append(users, scan.User{Name: name, Token: token})
}

// value returns a secret that may be elsewhere, where other users of the machine do not
// see it.
func (p *program) value(text string) (string, error) {
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		v, set := p.env(name)
		if !set {
			return "", fmt.Errorf("the variable %s is not set", safe(name))
		}
		return v, nil
	}
	if name, ok := strings.CutPrefix(text, "file:"); ok {
		v, err := os.ReadFile(name)
		return strings.TrimRight(string(v), "\r\n"), err
	}
	return text, nil
}

// outcome are the flags that say what becomes of the result.
type outcome struct {
	Report        []string `sep:"none" placeholder:"FORMAT=PATH" help:"Write a report: text, json, sarif, junit or html; - is the standard output."`
	FailOn        string   `enum:",info,low,medium,high,critical,never" default:"" help:"Exit with 1 from this severity on: high by default; or never."`
	Baseline      string   `type:"existingfile" placeholder:"FILE" help:"Findings that are known, with reasons (YAML)."`
	WriteBaseline string   `placeholder:"FILE" help:"Write a baseline of what is found now, for 90 days."`
	Verbose       bool     `short:"v" help:"Show all evidence, operations and checks."`
	Quiet         bool     `short:"q" help:"Show no progress."`
}

// severity returns from where on a scan fails.
func (o *outcome) severity(f *config.File) finding.Severity {
	name := "high"
	first(&name, f.FailOn)
	first(&name, o.FailOn)
	from := finding.Critical + 1 // Never.
	_ = from.UnmarshalText([]byte(name))
	return from
}

// reports returns what is to be written.
func (o *outcome) reports(f *config.File) (files []config.ReportFile, err error) {
	texts := f.Reports
	if len(o.Report) > 0 {
		texts = o.Report
	}
	for _, text := range texts {
		r, wrong := config.ParseReport(text)
		err = errors.Join(err, wrong)
		files = append(files, r)
	}
	if !slices.ContainsFunc(files, func(r config.ReportFile) bool { return r.Path == "-" }) {
		files = append([]config.ReportFile{{Format: report.Terminal, Path: "-"}}, files...)
	}
	return files, err
}

// loopback reports whether an address is on this machine.
func loopback(address string) (host string, local bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	host = u.Hostname()
	name := strings.ToLower(host)
	return host, name == "localhost" || strings.HasSuffix(name, ".localhost") || isLoopbackIP(name)
}

// safe returns a text as it may be shown.
func safe(s string) string { return wire.Printable(s) }
