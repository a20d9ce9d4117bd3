package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

func baseline(t *testing.T, text string) *report.Baseline {
	t.Helper()
	b, err := report.ReadBaseline(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBaselineSuppressesUntilItsDay(t *testing.T) {
	text := "suppress:\n  - fingerprint: " + full().Publish().Findings[0].Fingerprint + "\n    reason: known\n    until: 2026-12-01\n" +
		"  - check: AZ-01\n    path: /orders/*\n    reason: a prototype\n    until: 2026-12-31\n"
	d := full().Publish()
	baseline(t, text).Apply(d, day("2026-12-01"))
	if d.Summary.Critical != 0 || d.Summary.High != 0 || d.Summary.Suppressed != 2 || d.Exit(finding.High) != 0 {
		t.Errorf("on its last day it does not hold: %+v", d.Summary)
	}
	d = full().Publish()
	baseline(t, text).Apply(d, day("2026-12-02"))
	if d.Summary.Critical != 1 || d.Exit(finding.High) != 1 || !strings.Contains(strings.Join(d.Notes, "\n"), "ended on 2026-12-01, and 1 finding counts again: known") {
		t.Errorf("after its last day it holds, or nobody is told: %+v %q", d.Summary, d.Notes)
	}
}

func TestSuppressionOfOnePlaceDoesNotHideAnother(t *testing.T) {
	d := full().Publish() // AZ-01 shows in two paths.
	baseline(t, "suppress: [{check: AZ-01, path: '/orders/{id}', reason: known, until: 2027-01-01}]").Apply(d, day("2026-12-01"))
	if d.Summary.High != 1 || !strings.Contains(strings.Join(d.Notes, "\n"), "fits nothing") {
		t.Errorf("it hides the second place: %+v %q", d.Summary, d.Notes)
	}
}

func TestBaselineNamesEveryMistake(t *testing.T) {
	_, err := report.ReadBaseline(strings.NewReader(`suppress:
  - reason: none
    until: 2027-01-01
  - check: AZ-01
    until: soon
  - fingerprint: aa
    path: /x
    reason: both
    until: 2027-13-01
`))
	for _, want := range []string{"line 2: want a fingerprint or a check", "line 4: check AZ-01: want a path", "line 4: want a reason", `line 4: until: want a day such as 2027-01-31, not "soon"`, "line 6: a fingerprint stands alone", "2027-13-01"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
	if _, err := report.ReadBaseline(strings.NewReader("suppress:\n  - fingerprint: a\n    untill: x\n")); err == nil || !strings.Contains(err.Error(), `line 3: "untill" is not known`) {
		t.Errorf("a misspelt field: %v", err)
	}
	if _, err := report.ReadBaseline(strings.NewReader("suppres: []")); err == nil {
		t.Error("a misspelt list is read as none")
	}
}

func TestWrittenBaselineIsRead(t *testing.T) {
	var out bytes.Buffer
	d := full().Publish()
	if err := report.WriteBaseline(&out, d, day("2027-01-31")); err != nil {
		t.Fatal(err)
	}
	baseline(t, out.String()).Apply(d, day("2026-12-01"))
	if _, found := d.Worst(); found || !strings.Contains(out.String(), "# high AZ-01, GET /orders/{id} (path id): bob reads an order of alice") {
		t.Errorf("it does not suppress all that counts, or does not say what it suppresses:\n%s", out.String())
	}
}

func TestCompareTellsNewGoneAndSame(t *testing.T) {
	old, now := full(), full()
	old.Findings = old.Findings[:2]
	now.Findings = now.Findings[1:3]
	diff := report.Compare(old.Publish(), now.Publish())
	if len(diff.New) != 1 || diff.New[0].Check != "IN-01" || len(diff.Gone) != 1 || diff.Gone[0].Check != "HT-01" || len(diff.Same) != 1 || len(diff.Unsure) != 0 {
		t.Errorf("difference is %+v", diff)
	}
	var out bytes.Buffer
	if err := diff.Write(&out, report.Options{}); err != nil || !strings.HasSuffix(out.String(), "1 new, 1 gone, 0 unsure, 1 the same\n") {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestFindingIsNotGoneIfNobodyLooked(t *testing.T) {
	now := full()
	now.Findings = nil
	now.Operations[1].Answers = []report.Answer{{User: "alice", Status: 401}} // GET /orders/{id}
	now.Checks[1].Failed = "no time was left"                                 // IN-01
	diff := report.Compare(full().Publish(), now.Publish())
	if len(diff.Unsure) != 2 || len(diff.Gone) != 1 {
		t.Errorf("gone %v, unsure %v", diff.Gone, diff.Unsure)
	}
}
