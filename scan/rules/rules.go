// Package rules reads checks of one's own, in YAML.
//
//	rules:
//	  - id: OWN-01
//	    title: The debug view is open to everybody
//	    severity: high
//	    owasp: API8:2023
//	    cwe: 489
//	    text: Who sends X-Debug sees the queries of the database.
//	    remedy: Leave the debug view out of production.
//	    seed: {operations: ["GET /orders/*"]}
//	    send: {as: other, set: {header X-Debug: "1"}}
//	    detect:
//	      all:
//	        - status: [200]
//	        - body: {matches: "(?i)select .* from"}
//
// A rule starts from a seed: each operation that fits a pattern and that answered somebody
// with success, or a request that is written down. What it sends is that request with
// changes. What it detects is a condition on the answer.
//
// A finding needs a control: the request without the changes, and for one that is written
// down the same to a path that cannot exist. If that fits the condition too, or a second
// try does not, nothing is reported. A rule that changes nothing has no control: it says in
// without_control why its condition is proof enough, and this is shown.
//
// In all values {{marker}} is an unguessable text, new for each try. Regular expressions
// are those of RE2: they take linear time. Only GET, HEAD and OPTIONS are sent, unless the
// rule says writes.
package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
)

// file is what a file holds.
type file struct {
	Rules []rule `yaml:"rules"`
}

type rule struct {
	ID       string `yaml:"id"`
	Title    string `yaml:"title"`
	Severity string `yaml:"severity"`
	OWASP    string `yaml:"owasp"`
	CWE      int    `yaml:"cwe"`
	CVSS     string `yaml:"cvss"`
	Text     string `yaml:"text"`
	Remedy   string `yaml:"remedy"`
	// Writes allows methods that may change something.
	Writes         bool   `yaml:"writes"`
	Seed           seed   `yaml:"seed"`
	Send           send   `yaml:"send"`
	Detect         detect `yaml:"detect"`
	WithoutControl string `yaml:"without_control"`

	severity finding.Severity
}

// seed is what a rule starts from: one of the two.
type seed struct {
	Operations []string `yaml:"operations"`
	Request    *request `yaml:"request"`
}

type request struct {
	Method  string            `yaml:"method"`
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
}

// send is how the request of the seed is changed.
type send struct {
	// As is same, other, anonymous, admin, or the name of a user.
	As string `yaml:"as"`
	// Set gives values to points, as "query limit" or "body /role"; Remove takes them out.
	Set    map[string]any `yaml:"set"`
	Remove []string       `yaml:"remove"`
	// Each gives a value to one point after the other that fits the pattern.
	Each *each `yaml:"each"`
}

type each struct {
	Points string `yaml:"points"` // as "query *"
	Values []any  `yaml:"values"`
}

func (s *send) changes() bool {
	return s.As != "" && s.As != "same" || len(s.Set)+len(s.Remove) > 0 || s.Each != nil
}

// detect is a condition. One that has several parts wants all of them.
type detect struct {
	All    []detect          `yaml:"all"`
	Any    []detect          `yaml:"any"`
	Not    *detect           `yaml:"not"`
	Status []int             `yaml:"status"`
	Header map[string]*match `yaml:"header"`
	Body   *match            `yaml:"body"`
	JSON   map[string]*match `yaml:"json"` // by JSON pointer
	// TookOver is a time until the first byte of the answer.
	TookOver time.Duration `yaml:"took_over"`
	// Differs wants another answer than that to the unchanged request.
	Differs bool `yaml:"differs"`
}

// match is a condition on a text.
type match struct {
	Equals   *string `yaml:"equals"`
	Contains string  `yaml:"contains"`
	Matches  string  `yaml:"matches"`
	Exists   *bool   `yaml:"exists"`

	re *regexp.Regexp
}

// Bounds of rules.
const (
	maxFile    = 1 << 20
	maxPattern = 1000
	maxDeep    = 8
	maxTook    = 30 * time.Second
	maxTries   = 200
)

// Load reads a file, or all of a folder that end in .yaml or .yml.
func Load(name string) ([]check.Check, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	names := []string{name}
	if info.IsDir() {
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		names = nil
		for _, e := range entries { // They are sorted.
			if end := filepath.Ext(e.Name()); end == ".yaml" || end == ".yml" {
				names = append(names, filepath.Join(name, e.Name()))
			}
		}
	}
	var all []check.Check
	var mistakes []error
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		_ = f.Close() // It was only read.
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		checks, err := Parse(name, text)
		mistakes = append(mistakes, err)
		for _, c := range checks {
			if slices.ContainsFunc(all, func(other check.Check) bool { return other.Kind.ID == c.Kind.ID }) {
				mistakes = append(mistakes, fmt.Errorf("rules: %s: there are two rules %s", name, c.Kind.ID))
			}
		}
		all = append(all, checks...)
	}
	return all, errors.Join(mistakes...)
}

// Parse reads the text of a file. The error names every mistake with its line.
func Parse(name string, text []byte) ([]check.Check, error) {
	p := &parser{}
	if len(text) > maxFile {
		return nil, fmt.Errorf("rules: %s: it is longer than %d bytes", name, maxFile)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	var wrong *yaml.TypeError
	switch err := dec.Decode(&f); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case errors.As(err, &wrong):
		for _, text := range wrong.Errors {
			at, _, _ := strings.Cut(text, " in type ")
			p.mistakes = append(p.mistakes, errors.New(at))
		}
	case err != nil:
		p.mistakes = append(p.mistakes, err)
	default:
		p.read(text, f.Rules)
	}
	if len(p.mistakes) > 0 {
		return nil, fmt.Errorf("rules: %s: %w", name, errors.Join(p.mistakes...))
	}
	checks := make([]check.Check, len(f.Rules))
	for i := range f.Rules {
		checks[i] = f.Rules[i].check()
	}
	return checks, nil
}

// parser collects mistakes.
type parser struct {
	root     yaml.Node
	mistakes []error
}

func (p *parser) read(text []byte, rules []rule) {
	if err := yaml.Unmarshal(text, &p.root); err != nil {
		p.mistakes = append(p.mistakes, err)
		return
	}
	kinds, ids := scan.Kinds(), map[string]bool{}
	for i := range rules {
		r := &rules[i]
		if ids[r.ID] || slices.ContainsFunc(kinds, func(k finding.Kind) bool { return k.ID == r.ID }) {
			p.wrong(p.line(i, "id"), "there is another check %s", r.ID)
		}
		ids[r.ID] = true
		p.rule(i, r)
	}
}

func (p *parser) wrong(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

// line returns where a part of a rule is; if it is not there, where the rule begins.
func (p *parser) line(rule int, names ...string) int {
	n := p.root.Content[0]
	if n = child(n, "rules"); n == nil || rule >= len(n.Content) {
		return 1
	}
	n = n.Content[rule]
	line := n.Line
	for _, name := range names {
		if n = child(n, name); n == nil {
			break
		}
		line = n.Line
	}
	return line
}

func child(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

var (
	idForm    = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)
	owaspForm = regexp.MustCompile(`^API([1-9]|10):2023$`)
	pointForm = regexp.MustCompile(`^(path|query|header|cookie) \S+$|^body( /.*)?$`)
)

func (p *parser) rule(i int, r *rule) {
	if !idForm.MatchString(r.ID) {
		p.wrong(p.line(i, "id"), "id %q: want as OWN-01", r.ID)
	}
	if strings.TrimSpace(r.Title) == "" {
		p.wrong(p.line(i), "want a title")
	}
	if err := r.severity.UnmarshalText([]byte(r.Severity)); err != nil {
		p.wrong(p.line(i, "severity"), "severity: %v", err)
	}
	if r.OWASP != "" && !owaspForm.MatchString(r.OWASP) {
		p.wrong(p.line(i, "owasp"), "owasp %q: want as API1:2023", r.OWASP)
	}
	if (len(r.Seed.Operations) > 0) == (r.Seed.Request != nil) {
		p.wrong(p.line(i, "seed"), "seed: want operations or a request, and one of them only")
	}
	for _, pattern := range r.Seed.Operations {
		if _, err := path.Match(flat(pattern), ""); err != nil || !strings.ContainsAny(pattern, "/*") {
			p.wrong(p.line(i, "seed", "operations"), `seed: want a pattern such as "GET /orders/*", not %q`, pattern)
		}
	}
	if q := r.Seed.Request; q != nil {
		if !strings.HasPrefix(q.Path, "/") || strings.HasPrefix(q.Path, "//") {
			p.wrong(p.line(i, "seed", "request", "path"), "seed: path %q: want one that begins with a slash; a scan stays with its host", q.Path)
		}
		if q.Method == "" {
			q.Method = "GET"
		}
		if !safe(q.Method) && !r.Writes {
			p.wrong(p.line(i, "seed", "request"), "seed: %s may change something: say writes: true", q.Method)
		}
		if len(r.Send.Set)+len(r.Send.Remove) > 0 || r.Send.Each != nil {
			p.wrong(p.line(i, "send"), "send: a request that is written down is sent as it is; only as is allowed")
		}
	}
	p.send(i, &r.Send)
	if r.Seed.Request == nil && !r.Send.changes() && r.WithoutControl == "" {
		p.wrong(p.line(i), "the rule changes nothing, so there is no control: say in without_control why its condition is proof enough")
	}
	p.detect(i, &r.Detect, 0)
}

func (p *parser) send(i int, s *send) {
	points := slices.Clone(s.Remove)
	for point := range s.Set {
		points = append(points, point)
	}
	slices.Sort(points)
	for _, point := range points {
		if !pointForm.MatchString(point) {
			p.wrong(p.line(i, "send"), `send: point %q: want as "query limit" or "body /role"`, point)
		}
	}
	if e := s.Each; e != nil {
		if _, err := path.Match(flat(e.Points), ""); err != nil || e.Points == "" || len(e.Values) == 0 {
			p.wrong(p.line(i, "send", "each"), `send: each: want points such as "query *", and values`)
		}
	}
}

func (p *parser) detect(i int, d *detect, deep int) {
	at := p.line(i, "detect")
	if deep > maxDeep {
		p.wrong(at, "detect: it is nested too deep")
		return
	}
	if len(d.All)+len(d.Any)+len(d.Status)+len(d.Header)+len(d.JSON) == 0 && d.Not == nil && d.Body == nil && d.TookOver == 0 && !d.Differs {
		p.wrong(at, "detect: an empty condition fits every answer")
	}
	if d.TookOver < 0 || d.TookOver > maxTook {
		p.wrong(at, "detect: took_over: want at most %s", maxTook)
	}
	for _, list := range [][]detect{d.All, d.Any} {
		for j := range list {
			p.detect(i, &list[j], deep+1)
		}
	}
	if d.Not != nil {
		p.detect(i, d.Not, deep+1)
	}
	p.match(at, "body", d.Body)
	for name, m := range d.Header {
		p.match(at, "header "+name, m)
	}
	for pointer, m := range d.JSON {
		if pointer != "" && !strings.HasPrefix(pointer, "/") {
			p.wrong(at, "detect: json %q: want a JSON pointer, as /user/role", pointer)
		}
		p.match(at, "json "+pointer, m)
	}
}

func (p *parser) match(line int, name string, m *match) {
	if m == nil {
		return
	}
	if m.Equals == nil && m.Contains == "" && m.Matches == "" && m.Exists == nil {
		p.wrong(line, "detect: %s: want equals, contains, matches or exists", name)
	}
	if len(m.Matches) > maxPattern {
		p.wrong(line, "detect: %s: the expression is longer than %d", name, maxPattern)
		return
	}
	var err error
	if m.re, err = regexp.Compile(m.Matches); err != nil {
		p.wrong(line, "detect: %s: %v", name, err)
	}
}
