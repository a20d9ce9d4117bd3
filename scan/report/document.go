package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/wire"
)

// Schema names the form of [Document] in JSON. It changes if a field goes or changes its
// meaning; new fields may come without that.
const Schema = "fastness-scan-report/1"

// Document is a report that may be shown, in the form of its JSON.
type Document struct {
	Schema   string `json:"schema"`
	Tool     Tool   `json:"tool"`
	Target   string `json:"target"`
	Document string `json:"document,omitempty"`
	// Title and APIVersion are those of the API.
	Title      string    `json:"title,omitempty"`
	APIVersion string    `json:"apiVersion,omitempty"`
	Profile    string    `json:"profile"`
	Seed       uint64    `json:"seed"`
	Started    time.Time `json:"started"`
	Seconds    float64   `json:"seconds"`
	Requests   int       `json:"requests"`
	PerSecond  float64   `json:"requestsPerSecond"`
	// Stopped is why the scan ended early.
	Stopped    string        `json:"stopped,omitempty"`
	Summary    Summary       `json:"summary"`
	Users      []User        `json:"users"`
	Findings   []Finding     `json:"findings"`
	Operations []Operation   `json:"operations"`
	Checks     []CheckResult `json:"checks"`
	Complaints []Complaint   `json:"complaints"`
	Notes      []string      `json:"notes"`
}

// Tool is who made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Summary is the report in numbers.
type Summary struct {
	// The findings that count, by severity.
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
	// Hints have no proof, Suppressed have a reason not to count.
	Hints      int `json:"hints"`
	Suppressed int `json:"suppressed"`
	// Score is from 0 to 100, Grade from A to F; -1 and empty if nothing was reached.
	Score int    `json:"score"`
	Grade string `json:"grade,omitempty"`
	// Operations is how many there are, Reached how many answered 2xx.
	Operations int `json:"operations"`
	Reached    int `json:"reached"`
}

// CheckResult is what became of a check.
type CheckResult struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Severity finding.Severity `json:"severity"`
	OWASP    string           `json:"owasp,omitempty"`
	// State is ran, skipped or failed, and Why the reason of the latter.
	State    string `json:"state"`
	Why      string `json:"why,omitempty"`
	Findings int    `json:"findings"`
}

// Finding is a flaw, as it is shown.
type Finding struct {
	Fingerprint string           `json:"fingerprint"`
	Check       string           `json:"check"`
	Title       string           `json:"title"`
	Severity    finding.Severity `json:"severity"`
	Proven      bool             `json:"proven"`
	Claim       string           `json:"claim"`
	Control     string           `json:"control,omitempty"`
	Places      []finding.Place  `json:"places"`
	Describe    string           `json:"description,omitempty"`
	OWASP       string           `json:"owasp,omitempty"`
	CWE         int              `json:"cwe,omitempty"`
	ASVS        []string         `json:"asvs,omitempty"`
	// CVSS is the vector of version 4.0, Score what it gives, from 0 to 10.
	CVSS       string     `json:"cvss,omitempty"`
	Score      float64    `json:"cvssScore,omitempty"`
	Remedy     Remedy     `json:"remedy"`
	Evidence   []Evidence `json:"evidence"`
	Suppressed string     `json:"suppressed,omitempty"`
}

// Counts reports whether the finding is proven and not suppressed.
func (f *Finding) Counts() bool { return f.Proven && f.Suppressed == "" }

// Remedy says how a flaw is mended, in words and code of frameworks.
type Remedy struct {
	Text     string `json:"text,omitempty"`
	Fastness string `json:"fastness,omitempty"`
	FastAPI  string `json:"fastapi,omitempty"`
	Express  string `json:"express,omitempty"`
	Spring   string `json:"spring,omitempty"`
}

// Publish returns what may be shown of the report. It is the same for the same report.
func (r *Report) Publish() *Document {
	red := &redactor{r.Secrets}
	if red.secrets == nil {
		red.secrets = new(wire.Redactor)
	}
	d := &Document{
		Schema: Schema, Tool: Tool{"fastness", r.Version}, Target: red.text(r.Target), Document: red.text(r.Document),
		Title: red.text(r.Title), APIVersion: red.text(r.APIVersion), Profile: r.Profile, Seed: r.Seed, Started: r.Start.UTC(),
		Seconds: round(r.Duration.Seconds(), 3), Requests: r.Requests, Stopped: red.text(r.Stopped),
		Users: slices.Clone(r.Users), Operations: slices.Clone(r.Operations), Complaints: slices.Clone(r.Complaints),
		Notes: red.texts(r.Notes),
	}
	if s := r.Duration.Seconds(); s > 0 {
		d.PerSecond = round(float64(r.Requests)/s, 1)
	}
	for i := range d.Complaints {
		d.Complaints[i].What, d.Complaints[i].Where = red.text(d.Complaints[i].What), red.text(d.Complaints[i].Where)
	}
	for i := range d.Operations {
		o := &d.Operations[i]
		o.Path, o.Found, o.Held = red.text(o.Path), red.text(o.Found), red.text(o.Held)
		o.Answers = slices.SortedStableFunc(slices.Values(o.Answers), func(a, b Answer) int { return cmp.Compare(a.User, b.User) })
		o.Checks = slices.Compact(slices.Sorted(slices.Values(o.Checks)))
	}
	for _, f := range r.Findings {
		d.Findings = append(d.Findings, red.finding(f, r.Target))
	}
	d.sort()
	checks := slices.Clone(r.Checks)
	for _, f := range r.Findings { // One that nobody told of has run.
		if !slices.ContainsFunc(checks, func(c Check) bool { return c.Kind.ID == f.Kind.ID }) {
			checks = append(checks, Check{Kind: f.Kind})
		}
	}
	d.addChecks(checks, red)
	d.count()
	return d.filled()
}

// sort puts the findings that count first, then the worst.
func (d *Document) sort() {
	weight := func(f *Finding) int {
		switch {
		case f.Suppressed != "":
			return 2
		case !f.Proven:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(weight(&a), weight(&b)), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Score, a.Score),
			cmp.Compare(a.Check, b.Check), cmp.Compare(a.Places[0].String(), b.Places[0].String()), cmp.Compare(a.Claim, b.Claim))
	})
	slices.SortStableFunc(d.Operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
}

func (d *Document) addChecks(checks []Check, red *redactor) {
	for _, c := range checks {
		state, why := "ran", ""
		switch {
		case c.Failed != "":
			state, why = "failed", c.Failed
		case c.Skipped != "":
			state, why = "skipped", c.Skipped
		}
		d.Checks = append(d.Checks, CheckResult{ID: c.Kind.ID, Title: red.text(c.Kind.Title), Severity: c.Kind.Severity, OWASP: c.Kind.OWASP, State: state, Why: red.text(why)})
	}
	slices.SortStableFunc(d.Checks, func(a, b CheckResult) int { return cmp.Compare(a.ID, b.ID) })
}

// count fills the summary, and says what a reader must know of it. It may be called again.
func (d *Document) count() {
	s := Summary{Operations: len(d.Operations)}
	for i := range d.Operations {
		if d.Operations[i].Reached() {
			s.Reached++
		}
	}
	left := 100.0
	found := map[string]int{}
	for i := range d.Findings {
		f := &d.Findings[i]
		found[f.Check]++
		switch {
		case f.Suppressed != "":
			s.Suppressed++
			continue
		case !f.Proven:
			s.Hints++
			continue
		}
		counters := [...]*int{&s.Info, &s.Low, &s.Medium, &s.High, &s.Critical}
		*counters[f.Severity]++
		left *= [...]float64{1, 0.98, 0.9, 0.7, 0.5}[f.Severity]
	}
	for i := range d.Checks {
		d.Checks[i].Findings = found[d.Checks[i].ID]
	}
	s.Score = -1
	if !s.blind() || s.Operations == 0 && len(d.Findings) > 0 {
		s.Score = int(math.Floor(left))
		s.Grade = grade(s.Score)
	}
	d.Summary = s
}

func grade(score int) string {
	for i, from := range [...]int{90, 75, 55, 30} {
		if score >= from {
			return string(rune('A' + i))
		}
	}
	return "F"
}

// Weak says why the result says little about the target, or nothing.
func (d *Document) Weak() string {
	s := d.Summary
	switch {
	case s.Operations == 0:
		return "No operation was found: the result says nothing about the target."
	case s.Reached == 0:
		return "No operation ever answered 2xx: the result says nothing about the target. Look at the log-in and at the document."
	case s.blind():
		return percent(s.Operations-s.Reached, s.Operations) + " of the operations never answered 2xx: the result says next to nothing about the target. Look at the log-in and at the document."
	case s.Reached*2 < s.Operations:
		return percent(s.Operations-s.Reached, s.Operations) + " of the operations never answered 2xx: the result is weak. Look at the log-in, the users' rights and the examples of the document."
	}
	return ""
}

// blind reports whether a scan saw so little that its silence means nothing: less than a
// quarter of the operations answered it.
func (s Summary) blind() bool { return s.Reached*4 < max(s.Operations, 1) }

// Worst returns the severity of the worst finding that counts, and whether there is one.
func (d *Document) Worst() (worst finding.Severity, found bool) {
	for i := range d.Findings {
		if d.Findings[i].Counts() {
			worst, found = max(worst, d.Findings[i].Severity), true
		}
	}
	return worst, found
}

// Exit returns the exit status of a scan that fails from a severity on: 1 if a finding that
// counts is as bad, else 3 if the scan ended early or reached next to nothing, else 0.
func (d *Document) Exit(from finding.Severity) int {
	worst, found := d.Worst()
	switch {
	case found && worst >= from:
		return 1
	case d.Stopped != "" || d.Summary.blind():
		return 3
	}
	return 0
}

// filled has empty lists instead of none: the JSON says [], never null.
func (d *Document) filled() *Document {
	d.Users, d.Findings, d.Operations = orEmpty(d.Users), orEmpty(d.Findings), orEmpty(d.Operations)
	d.Checks, d.Complaints, d.Notes = orEmpty(d.Checks), orEmpty(d.Complaints), orEmpty(d.Notes)
	for i := range d.Operations {
		d.Operations[i].Answers, d.Operations[i].Checks = orEmpty(d.Operations[i].Answers), orEmpty(d.Operations[i].Checks)
	}
	for i := range d.Findings {
		d.Findings[i].Places, d.Findings[i].Evidence = orEmpty(d.Findings[i].Places), orEmpty(d.Findings[i].Evidence)
	}
	return d
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

func percent(part, of int) string {
	return strconv.Itoa(int(math.Round(100*float64(part)/float64(max(of, 1))))) + " %"
}
