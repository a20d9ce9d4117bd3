package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

func write(t testing.TB, format report.Format, d *report.Document, o report.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, format, d, o); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return out.String()
}

func formats() []report.Format {
	return []report.Format{report.Terminal, report.JSON, report.SARIF, report.JUnit, report.HTML}
}

func TestJSONIsReadAgain(t *testing.T) {
	d := full().Publish()
	text := write(t, report.JSON, d, report.Options{})
	again, err := report.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if other := write(t, report.JSON, again, report.Options{}); other != text {
		t.Errorf("it is another document:\n%s", other)
	}
	if strings.Contains(text, "null") {
		t.Error("a list is null")
	}
	for _, format := range formats() {
		if write(t, format, again, report.Options{}) != write(t, format, d, report.Options{}) {
			t.Errorf("%s of the document that was read is another", format)
		}
	}
}

func TestSameReportGivesSameBytes(t *testing.T) {
	for _, format := range formats() {
		one, two := full().Publish(), full().Publish()
		if write(t, format, one, report.Options{}) != write(t, format, two, report.Options{}) {
			t.Errorf("%s differs", format)
		}
	}
}

func TestSecretsAreInNoFormat(t *testing.T) {
	d := full().Publish()
	for _, format := range formats() {
		text := write(t, format, d, report.Options{Verbose: true})
		for _, s := range []string{tokenAlice, tokenBob, password, "correct%20horse", "correct+horse"} {
			if strings.Contains(text, s) {
				t.Errorf("%s has %q", format, s)
			}
		}
	}
	if text := write(t, report.JSON, d, report.Options{}); !strings.Contains(text, "$TOKEN_BOB") || !strings.Contains(text, "$PASSWORD_ALICE") {
		t.Error("the names of the secrets are missing")
	}
}

func TestScoreAndExit(t *testing.T) {
	d := full().Publish()
	s := d.Summary
	if s.Critical != 1 || s.High != 1 || s.Low != 1 || s.Hints != 1 || s.Score != 34 || s.Grade != "D" || s.Reached != 4 || s.Operations != 7 {
		t.Errorf("summary is %+v", s)
	}
	if d.Exit(finding.Critical) != 1 || d.Findings[0].Check != "IN-01" || d.Findings[0].Score != 9.3 || d.Findings[3].Proven {
		t.Errorf("the order or the exit status is wrong: %+v", d.Findings)
	}
	r := full()
	r.Findings = r.Findings[:1]
	if got := r.Publish().Exit(finding.Medium); got != 0 {
		t.Errorf("a low finding gives %d", got)
	}
	r.Operations = r.Operations[3:4]
	if got := r.Publish(); got.Exit(finding.Medium) != 3 || got.Summary.Score != -1 || !strings.Contains(got.Weak(), "nothing") {
		t.Errorf("a scan that reached nothing gives %d, score %d", got.Exit(finding.Medium), got.Summary.Score)
	}
}

// A scan that a broken log-in kept out must not pass a pipeline.
func TestScanThatSawNextToNothingDoesNotExitWithZero(t *testing.T) {
	r := full()
	r.Findings = nil
	for range 20 {
		r.Operations = append(r.Operations, report.Operation{Method: "GET", Path: "/more", Answers: []report.Answer{{User: "alice", Status: 401}}})
	}
	d := r.Publish()
	if d.Exit(finding.High) != 3 || d.Summary.Score != -1 || !strings.Contains(d.Weak(), "next to nothing") {
		t.Errorf("%d of %d reached gives %d, score %d: %s", d.Summary.Reached, d.Summary.Operations, d.Exit(finding.High), d.Summary.Score, d.Weak())
	}
}

func TestWordsOfOperations(t *testing.T) {
	want := map[string]string{"search": "OK", "readOrder": "OK", "admin": "HELD BACK", "makeCart": "VALIDATION", "debug": "SERVER ERROR"}
	for _, o := range full().Operations {
		if w := want[o.ID]; w != "" && o.Word() != w {
			t.Errorf("%s is %s, want %s", o.ID, o.Word(), w)
		}
	}
	for status, word := range map[int]string{0: "SKIPPED", 204: "OK", 302: "REDIRECTED", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT FOUND", 429: "RATE LIMITED", 422: "VALIDATION", 503: "SERVER ERROR"} {
		if got := report.Word(status); got != word {
			t.Errorf("%d is %s, want %s", status, got, word)
		}
	}
}

func TestReadRefusesWhatIsNoReport(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"schema":"fastness-scan-report/2"}`, `{"schema":"fastness-scan-report/1","findings":[{"severity":"worst"}]}`} {
		if _, err := report.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	if !json.Valid([]byte(write(t, report.JSON, new(report.Report).Publish(), report.Options{}))) {
		t.Error("an empty report is no JSON")
	}
}
