package scantest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan/report"
)

// Reports is the variable that names the folder of the reports.
const Reports = "FASTNESS_SCAN_REPORTS"

func (s *settings) readBaseline() (*report.Baseline, error) {
	if s.baseline == "" {
		return nil, nil
	}
	f, err := os.Open(s.baseline)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	defer f.Close()
	return report.ReadBaseline(f)
}

// judge fails the test for what counts, and for a scan that says little.
func (s *settings) judge(t testing.TB, d *report.Document, known *report.Baseline) {
	t.Helper()
	if known != nil {
		known.Apply(d, time.Now())
	}
	for i := range d.Findings {
		if f := &d.Findings[i]; f.Counts() && f.Severity >= s.from {
			t.Error(summary(f))
		}
	}
	for _, c := range d.Checks {
		if c.State == "failed" {
			t.Logf("check %s did not run to its end: %s", c.ID, c.Why)
		}
	}
	if d.Stopped != "" {
		t.Errorf("the scan ended early: %s", d.Stopped)
	}
	reached := float64(d.Summary.Reached) / float64(max(d.Summary.Operations, 1))
	if reached < s.reached || d.Summary.Reached == 0 {
		t.Errorf("%d of %d operations answered with a success, want a part of %.2f: what was not reached was not tested\n%s",
			d.Summary.Reached, d.Summary.Operations, s.reached, missed(d))
	}
	t.Logf("%d requests in %.1f s, %d of %d operations answered with a success, %d checks", d.Requests, d.Seconds, d.Summary.Reached, d.Summary.Operations, len(d.Checks))
}

// summary tells a finding so that somebody can mend it who has nothing but the log of a
// test.
func summary(f *report.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n", f.Severity, f.Check, f.Title)
	for i, p := range f.Places {
		if i == 5 {
			fmt.Fprintf(&b, "  and %d places more\n", len(f.Places)-i)
			break
		}
		fmt.Fprintf(&b, "  %s\n", p)
	}
	fmt.Fprintf(&b, "  what:  %s\n", f.Claim)
	if f.Control != "" {
		fmt.Fprintf(&b, "  proof: %s\n", f.Control)
	}
	for _, e := range f.Evidence[:min(len(f.Evidence), 3)] {
		fmt.Fprintf(&b, "  %s%s\n    %s\n", e.Says, answered(&e), e.Curl)
	}
	fmt.Fprintf(&b, "  mend:  %s", f.Remedy.Text)
	return b.String()
}

func answered(e *report.Evidence) string {
	if e.Response == nil {
		return ""
	}
	return fmt.Sprintf(" (%d)", e.Response.Status)
}

// missed lists operations that nobody reached.
func missed(d *report.Document) string {
	var b strings.Builder
	for i := range d.Operations {
		if o := &d.Operations[i]; !o.Reached() {
			fmt.Fprintf(&b, "  %s %s: %s\n", o.Method, o.Path, o.Word())
		}
	}
	return b.String()
}

// writeReports writes a report in all formats.
func writeReports(folder, test string, d *report.Document) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '_'
		}
		return r
	}, test)
	for format, ending := range map[report.Format]string{report.HTML: "html", report.JSON: "json", report.SARIF: "sarif", report.JUnit: "xml"} {
		var out bytes.Buffer
		if err := report.Write(&out, format, d, report.Options{}); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name+"."+ending), out.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}
