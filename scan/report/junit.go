package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

type (
	junitAll struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr,omitempty"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a suite for each check, with a case for each operation that it asked.
// What counts is a failure; what is suppressed, or has no proof, is skipped and says so.
func writeJUnit(d *Document) ([]byte, error) {
	all := junitAll{Name: plain("fastness scan "+d.Target, false), Time: fmt.Sprintf("%.3f", d.Seconds)}
	for _, c := range d.Checks {
		s := junitSuite{Name: plain(c.ID+" "+c.Title, false), Timestamp: d.Started.Format("2006-01-02T15:04:05")}
		if d.Started.IsZero() {
			s.Timestamp = time.Unix(0, 0).UTC().Format("2006-01-02T15:04:05")
		}
		for _, k := range junitCases(d, c) {
			s.Tests++
			switch {
			case k.Failure != nil:
				s.Failures++
			case k.Error != nil:
				s.Errors++
			case k.Skipped != nil:
				s.Skipped++
			}
			s.Cases = append(s.Cases, k)
		}
		all.Suites = append(all.Suites, s)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	enc := xml.NewEncoder(&out)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func junitCases(d *Document, c CheckResult) []junitCase {
	class := plain(c.ID+" "+c.Title, false)
	one := func(name string) junitCase { return junitCase{Name: plain(name, false), Class: class, Time: "0"} }
	var cases []junitCase
	var names []string
	at := func(name string) *junitCase {
		i := slices.Index(names, name)
		if i < 0 {
			names, cases = append(names, name), append(cases, one(name))
			i = len(names) - 1
		}
		return &cases[i]
	}
	for i := range d.Operations {
		if o := &d.Operations[i]; slices.Contains(o.Checks, c.ID) {
			at(o.Method + " " + o.Path)
		}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Check != c.ID {
			continue
		}
		for _, p := range f.Places {
			junitResult(at(strings.TrimSpace(p.Method+" "+p.Path)), f)
		}
	}
	switch {
	case c.State == "failed":
		k := at("the check itself")
		k.Error = &junitMessage{Message: plain(c.Why, false), Type: "failed"}
	case len(cases) == 0 && c.State == "skipped":
		at("all operations").Skipped = &junitMessage{Message: plain(c.Why, false)}
	case len(cases) == 0:
		at("the target")
	}
	return cases
}

// junitResult puts a finding into a case: a failure outweighs what is skipped.
func junitResult(k *junitCase, f *Finding) {
	text := plain(f.Claim, true) + "\n"
	for _, p := range f.Places {
		text += "at " + plain(p.String(), false) + " " + plain(p.Users, false) + "\n"
	}
	if f.Control != "" {
		text += "sure because " + plain(f.Control, true) + "\n"
	}
	for _, e := range f.Evidence {
		text += plain(e.Says, false) + "\n    " + plain(e.Curl, false) + "\n"
	}
	if f.Remedy.Text != "" {
		text += "mend: " + plain(f.Remedy.Text, true) + "\n"
	}
	if f.Counts() {
		if k.Failure != nil {
			k.Failure.Text += "\n" + text
			return
		}
		k.Skipped = nil
		k.Failure = &junitMessage{Message: plain(f.Claim, false), Type: f.Severity.String(), Text: text}
		return
	}
	if k.Failure == nil && k.Skipped == nil {
		reason := "not proven: " + f.Claim
		if f.Suppressed != "" {
			reason = "suppressed: " + f.Suppressed
		}
		k.Skipped = &junitMessage{Message: plain(reason, false)}
	}
}
