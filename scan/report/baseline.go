package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fastness/fastness/scan/finding"
)

// Baseline says which findings are known, why they do not count, and until when.
//
//	suppress:
//	  - fingerprint: 58182464cd6d935e72b0578a2b87723f
//	    reason: The prototype is switched off on Friday.
//	    until: 2027-01-31
//	  - check: HT-01
//	    path: /health
//	    reason: Only the load balancer asks it.
//	    until: 2027-06-30
type Baseline struct {
	Suppress []Suppression `yaml:"suppress"`
}

// Suppression is a reason why findings do not count, for some time. It fits by
// Fingerprint, or by Check with, if they are given, Method, Path and Parameter.
type Suppression struct {
	Fingerprint string `yaml:"fingerprint,omitempty"`
	Check       string `yaml:"check,omitempty"`
	Method      string `yaml:"method,omitempty"`
	// Path is a template as reports show it; a star at its end fits all that follows.
	Path      string `yaml:"path,omitempty"`
	Parameter string `yaml:"parameter,omitempty"`
	// Reason and Until are mandatory. Until is a day, the last on which it holds.
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"`

	until time.Time
	line  int
}

// maxBaseline is how long a baseline file may be.
const maxBaseline = 4 << 20

// ReadBaseline reads a baseline, in YAML. The error names every mistake with its line.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBaseline+1))
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	if len(text) > maxBaseline {
		return nil, fmt.Errorf("baseline: it has more than %d bytes", maxBaseline)
	}
	b := new(Baseline)
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(b); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	var mistakes []error
	for i := range b.Suppress {
		s := &b.Suppress[i]
		wrong := func(format string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("line %d: %s", s.line, fmt.Sprintf(format, args...)))
		}
		switch {
		case s.Fingerprint == "" && s.Check == "":
			wrong("want a fingerprint or a check")
		case s.Fingerprint != "" && (s.Check != "" || s.Method != "" || s.Path != "" || s.Parameter != ""):
			wrong("a fingerprint stands alone")
		case s.Check != "" && s.Path == "":
			wrong("check %s: want a path; \"*\" is every one", s.Check)
		}
		if strings.TrimSpace(s.Reason) == "" {
			wrong("want a reason")
		}
		if s.until, err = time.Parse(time.DateOnly, s.Until); err != nil {
			wrong("until: want a day such as 2027-01-31, not %q", s.Until)
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("baseline: %w", errors.Join(mistakes...))
	}
	return b, nil
}

// UnmarshalYAML implements [yaml.Unmarshaler]; it keeps the line.
func (s *Suppression) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want a mapping", n.Line)
	}
	known := []string{"fingerprint", "check", "method", "path", "parameter", "reason", "until"}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(known, k.Value) {
			return fmt.Errorf("line %d: %q is not known: want one of %s", k.Line, k.Value, strings.Join(known, ", "))
		}
	}
	type plainly Suppression
	if err := n.Decode((*plainly)(s)); err != nil {
		return err
	}
	s.line = n.Line
	return nil
}

// Apply marks the findings that the baseline knows, at a moment. Suppressions that have
// ended, or fit nothing, are told in the notes of the document.
func (b *Baseline) Apply(d *Document, now time.Time) {
	for i := range b.Suppress {
		s := &b.Suppress[i]
		ended := now.After(s.until.AddDate(0, 0, 1))
		fits := 0
		for j := range d.Findings {
			f := &d.Findings[j]
			if !s.fits(f) {
				continue
			}
			fits++
			if !ended && f.Suppressed == "" {
				f.Suppressed = fmt.Sprintf("%s (until %s)", s.Reason, s.Until)
			}
		}
		switch {
		case ended && fits > 0:
			d.Notes = append(d.Notes, fmt.Sprintf("A suppression ended on %s, and %s again: %s (%s)", s.Until, counts(fits), s.Reason, s.called()))
		case fits == 0:
			d.Notes = append(d.Notes, fmt.Sprintf("A suppression fits nothing any more: %s (%s)", s.Reason, s.called()))
		}
	}
	d.sort()
	d.count()
}

func counts(n int) string {
	if n == 1 {
		return "1 finding counts"
	}
	return fmt.Sprintf("%d findings count", n)
}

func (s *Suppression) called() string {
	if s.Fingerprint != "" {
		return s.Fingerprint
	}
	return strings.Join(strings.Fields(s.Check+" "+s.Method+" "+s.Path+" "+s.Parameter), " ")
}

// fits reports whether all places of a finding are meant: one that spreads counts again.
func (s *Suppression) fits(f *Finding) bool {
	if s.Fingerprint != "" {
		return strings.EqualFold(s.Fingerprint, f.Fingerprint)
	}
	if s.Check != f.Check {
		return false
	}
	return !slices.ContainsFunc(f.Places, func(p finding.Place) bool {
		start, any := strings.CutSuffix(s.Path, "*")
		path := p.Path == s.Path || any && strings.HasPrefix(p.Path, start)
		return !path || s.Method != "" && !strings.EqualFold(s.Method, p.Method) || s.Parameter != "" && s.Parameter != p.Parameter
	})
}

// WriteBaseline writes a baseline that suppresses all findings that count, until a day.
// The reason is one that a person has to replace.
func WriteBaseline(w io.Writer, d *Document, until time.Time) error {
	b := Baseline{Suppress: []Suppression{}}
	comments := []string{}
	for i := range d.Findings {
		f := &d.Findings[i]
		if !f.Counts() {
			continue
		}
		b.Suppress = append(b.Suppress, Suppression{Fingerprint: f.Fingerprint, Reason: "known on " + d.Started.Format(time.DateOnly) + "; say here why it may stay", Until: until.Format(time.DateOnly)})
		comments = append(comments, plain(fmt.Sprintf("%s %s, %s: %s", f.Severity, f.Check, f.Places[0], f.Claim), false))
	}
	var n yaml.Node
	if err := n.Encode(b); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	for i, item := range n.Content[1].Content {
		item.HeadComment = comments[i]
	}
	text, err := yaml.Marshal(&n)
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	_, err = w.Write(text)
	return err
}
