// Package config reads the configuration file of a scan.
//
//	target: http://127.0.0.1:8080
//	document: openapi.json
//	profile: ci
//	users:
//	  - name: alice
//	    username: alice@example.com
//	    password: ${ALICE_PASSWORD}
//	  - name: root
//	    admin: true
//	    token: file:root.token
//	limits: {rate: 50, requests: 20000, time: 10m}
//	exclude: ["POST /billing/*"]
//	fail_on: high
//	reports: ["html=scan.html", "sarif=scan.sarif"]
//
// Any text may have ${NAME}, which stands for a variable of the environment ($${ is a
// dollar sign and a brace), or be file:NAME, which stands for what that file holds without
// the newline at its end; files are sought in the folder of the configuration. So secrets
// need not be in it. A variable that is not set is a mistake.
//
// All mistakes of a file are told at once, with their lines.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

// File is a configuration file. Fields that are not given keep the default of
// [scan.Config].
type File struct {
	Target string `yaml:"target"`
	// Document is an address, or a file.
	Document string       `yaml:"document"`
	Profile  scan.Profile `yaml:"profile"`
	Users    []scan.User  `yaml:"users"`
	// LogIn is how users log in that do not say it themselves.
	LogIn *scan.LogIn `yaml:"login"`
	// LoggedOut is what answers to somebody who is logged out look like.
	LoggedOut LoggedOut `yaml:"logged_out"`
	// Register set to false forbids to register users at the target.
	Register *bool  `yaml:"register"`
	Limits   Limits `yaml:"limits"`
	// Include and Exclude are patterns, as "GET /admin/*".
	Include []string `yaml:"include"`
	Exclude []string `yaml:"exclude"`
	// Checks are the ids of those that run, Without of those that do not.
	Checks      []string          `yaml:"checks"`
	Without     []string          `yaml:"without"`
	Headers     map[string]string `yaml:"headers"`
	ReadOnly    bool              `yaml:"read_only"`
	Destructive bool              `yaml:"destructive"`
	// Listen and Public are where the scan waits to be called by the target, and how the
	// target reaches it.
	Listen string `yaml:"listen"`
	Public string `yaml:"public"`
	Seed   uint64 `yaml:"seed"`
	// Baseline is a file of known findings, Rules a folder or file of checks of one's own.
	Baseline string `yaml:"baseline"`
	Rules    string `yaml:"rules"`
	// FailOn is the name of the severity from which on a scan fails; the default is high.
	FailOn string `yaml:"fail_on"`
	// Reports are as "html=scan.html".
	Reports []string `yaml:"reports"`
	CAFile  string   `yaml:"ca_file"`
	// InsecureCertificates is why a certificate that fails does not stop the scan.
	InsecureCertificates string `yaml:"insecure_certificates"`
}

// Limits bound a scan.
type Limits struct {
	// Rate is requests per second.
	Rate     float64       `yaml:"rate"`
	Requests int           `yaml:"requests"`
	Time     time.Duration `yaml:"time"`
	// Timeout of a request.
	Timeout time.Duration `yaml:"timeout"`
}

// LoggedOut is what answers to somebody who is logged out look like.
type LoggedOut struct {
	Status    []int    `yaml:"status"`
	Contains  []string `yaml:"contains"`
	Redirects []string `yaml:"redirects"`
}

// maxFile is how long the file, and one that it refers to, may be.
const maxFile = 1 << 20

// Read reads a file. Files that it names are sought in its folder.
func Read(name string) (*File, error) {
	text, err := readAtMost(name)
	if err != nil {
		return nil, fmt.Errorf("scan config: %w", err)
	}
	return Parse(text, filepath.Dir(name), os.LookupEnv)
}

func readAtMost(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return text, err
}

// Parse reads the text of a file that is in a folder; env looks up variables.
func Parse(text []byte, folder string, env func(string) (string, bool)) (*File, error) {
	p := &parser{folder: folder, env: env}
	f := p.parse(text)
	if len(p.mistakes) > 0 {
		return nil, fmt.Errorf("scan config: %w", errors.Join(p.mistakes...))
	}
	for _, name := range []*string{&f.Document, &f.Baseline, &f.Rules, &f.CAFile} {
		if *name != "" && !strings.Contains(*name, "://") && !filepath.IsAbs(*name) {
			*name = filepath.Join(folder, *name)
		}
	}
	return f, nil
}

// parser collects mistakes.
type parser struct {
	folder   string
	env      func(string) (string, bool)
	root     yaml.Node
	mistakes []error
}

func (p *parser) wrong(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

func (p *parser) parse(text []byte) *File {
	f := new(File)
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err := dec.Decode(new(File)) // What is misspelt, or of a wrong type.
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return f
	case errors.As(err, &wrong):
		for _, text := range wrong.Errors {
			if at, of, ok := strings.Cut(text, " not found in type "); ok {
				text = at + " is not known" + hint(of)
			}
			p.mistakes = append(p.mistakes, errors.New(text))
		}
	case err != nil:
		p.mistakes = append(p.mistakes, err)
		return f
	}
	if err := yaml.Unmarshal(text, &p.root); err != nil {
		p.mistakes = append(p.mistakes, err)
		return f
	}
	p.expand(&p.root)
	if len(p.mistakes) > 0 && wrong != nil {
		return f
	}
	if err := p.root.Decode(f); err != nil {
		p.mistakes = append(p.mistakes, err)
		return f
	}
	p.validate(f)
	return f
}

// hint names the part that a name is not known in.
func hint(of string) string {
	_, name, _ := strings.Cut(of, ".")
	if name == "File" {
		return ""
	}
	return " in " + strings.ToLower(name)
}

// expand replaces references in texts.
func (p *parser) expand(n *yaml.Node) {
	for _, child := range n.Content {
		p.expand(child)
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		return
	}
	if name, ok := strings.CutPrefix(n.Value, "file:"); ok {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.folder, name)
		}
		text, err := readAtMost(name)
		if err != nil {
			p.wrong(n.Line, "%v", err)
		}
		n.Value = strings.TrimRight(string(text), "\r\n")
		return
	}
	var out strings.Builder
	for rest := n.Value; ; {
		before, after, found := strings.Cut(rest, "${")
		if escaped, ok := strings.CutSuffix(before, "$"); found && ok {
			out.WriteString(escaped + "${")
			rest = after
			continue
		}
		out.WriteString(before)
		if !found {
			break
		}
		name, end, closed := strings.Cut(after, "}")
		value, set := p.env(name)
		if !closed || !set {
			p.wrong(n.Line, "the variable %q is not set", name)
		}
		out.WriteString(value)
		rest = end
	}
	n.Value = out.String()
}

// line returns where a field is, by the names on the way to it.
func (p *parser) line(names ...string) int {
	if len(p.root.Content) == 0 {
		return 1
	}
	n, at := p.root.Content[0], 1
	for _, name := range names {
		i := slices.IndexFunc(n.Content, func(c *yaml.Node) bool { return c.Value == name })
		if n.Kind != yaml.MappingNode || i < 0 || i+1 >= len(n.Content) {
			return at
		}
		at, n = n.Content[i].Line, n.Content[i+1]
	}
	return at
}

func (p *parser) validate(f *File) {
	if u, err := url.Parse(f.Target); f.Target != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		p.wrong(p.line("target"), "target: want an address such as http://127.0.0.1:8080, not %q", f.Target)
	}
	if !slices.Contains([]scan.Profile{"", scan.Deep, scan.CI, scan.Quick, scan.Passive}, f.Profile) {
		p.wrong(p.line("profile"), "profile %q: want deep, ci, quick or passive", string(f.Profile))
	}
	for name, negative := range map[string]bool{"rate": f.Limits.Rate < 0, "requests": f.Limits.Requests < 0, "time": f.Limits.Time < 0, "timeout": f.Limits.Timeout < 0} {
		if negative {
			p.wrong(p.line("limits", name), "limits: %s is negative", name)
		}
	}
	for list, patterns := range map[string][]string{"include": f.Include, "exclude": f.Exclude} {
		for _, pattern := range patterns {
			if !strings.ContainsAny(pattern, "/*") {
				p.wrong(p.line(list), `%s: want a pattern such as "GET /admin/*", not %q`, list, pattern)
			}
		}
	}
	for _, r := range f.Reports {
		if _, err := ParseReport(r); err != nil {
			p.wrong(p.line("reports"), "reports: %v", err)
		}
	}
	if err := new(finding.Severity).UnmarshalText([]byte(f.FailOn)); f.FailOn != "" && err != nil {
		p.wrong(p.line("fail_on"), "fail_on: %v", err)
	}
	if f.ReadOnly && f.Destructive {
		p.wrong(p.line("destructive"), "read_only and destructive: want at most one")
	}
	names := map[string]bool{}
	for _, u := range f.Users {
		if u.Name != "" && names[u.Name] {
			p.wrong(p.line("users"), "users: there are two called %q", u.Name)
		}
		names[u.Name] = true
	}
	slices.SortStableFunc(p.mistakes, func(a, b error) int { return lineIn(a) - lineIn(b) })
}

func lineIn(err error) (line int) {
	_, _ = fmt.Sscanf(err.Error(), "line %d:", &line) // Those without one come first.
	return line
}

// ReportFile is a report that is written.
type ReportFile struct {
	Format report.Format
	// Path is a file, or "-" for the standard output.
	Path string
}

// ParseReport reads "html=scan.html", or "scan.html", whose end says the format.
func ParseReport(text string) (ReportFile, error) {
	name, file, found := strings.Cut(text, "=")
	if !found {
		file, name = text, strings.TrimPrefix(filepath.Ext(text), ".")
	}
	format, err := report.ParseFormat(name)
	if err == nil && file == "" {
		err = fmt.Errorf("%q: want as html=scan.html", text)
	}
	return ReportFile{format, file}, err
}

// Scan returns the configuration of the scan.
func (f *File) Scan() scan.Config {
	c := scan.Config{
		Target: f.Target, Document: f.Document, Profile: f.Profile, Users: f.Users, LogIn: f.LogIn,
		NoRegister: f.Register != nil && !*f.Register, ReadOnly: f.ReadOnly, Destructive: f.Destructive,
		Include: f.Include, Exclude: f.Exclude, Checks: f.Checks, Without: f.Without,
		Rate: f.Limits.Rate, MaxRequests: f.Limits.Requests, MaxTime: f.Limits.Time, Timeout: f.Limits.Timeout,
		CAFile: f.CAFile, InsecureCertificates: f.InsecureCertificates, Listen: f.Listen, Public: f.Public, Seed: f.Seed,
	}
	c.LoggedOut.Status, c.LoggedOut.Contains, c.LoggedOut.Redirects = f.LoggedOut.Status, f.LoggedOut.Contains, f.LoggedOut.Redirects
	if len(f.Headers) > 0 {
		c.Header = http.Header{}
		for name, value := range f.Headers {
			c.Header.Set(name, value)
		}
	}
	return c
}
