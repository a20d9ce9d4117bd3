package report

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
)

// The parts of SARIF 2.1.0 (OASIS) that are used.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifAutomation   `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Columns     string            `json:"columnKind"`
	}
	sarifTool   struct{ Driver sarifDriver }
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool          `json:"executionSuccessful"`
		Start         string        `json:"startTimeUtc,omitempty"`
		End           string        `json:"endTimeUtc,omitempty"`
		Notifications []sarifNotice `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotice struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID         string         `json:"id"`
		Short      sarifText      `json:"shortDescription"`
		Full       *sarifText     `json:"fullDescription,omitempty"`
		Help       sarifText      `json:"help"`
		Default    sarifLevel     `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line int `json:"startLine"`
	}
	sarifLogical struct {
		Name     string `json:"name"`
		FullName string `json:"fullyQualifiedName"`
		Kind     string `json:"kind"`
	}
)

// MarshalJSON implements [encoding/json.Marshaler].
func (t sarifTool) MarshalJSON() ([]byte, error) {
	return jsonText(struct {
		Driver sarifDriver `json:"driver"`
	}{t.Driver})
}

const sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"

func sarifLevelOf(s finding.Severity) string {
	return [...]string{"note", "note", "warning", "error", "error"}[s]
}

func writeSARIF(d *Document) ([]byte, error) {
	rules, index := sarifRules(d)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "fastness scan", Version: d.Tool.Version, Rules: rules}},
		Automation: sarifAutomation{"fastness-scan/" + d.Profile},
		Columns:    "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	done := sarifInvocation{
		Successful: d.Stopped == "", Start: d.Started.Format(time.RFC3339),
		End: d.Started.Add(time.Duration(d.Seconds * float64(time.Second))).Format(time.RFC3339),
	}
	for _, text := range append([]string{d.Weak(), d.Stopped}, d.Notes...) {
		if text != "" {
			done.Notifications = append(done.Notifications, sarifNotice{"warning", sarifText{Text: text}})
		}
	}
	run.Invocations = []sarifInvocation{done}
	for i := range d.Findings {
		run.Results = append(run.Results, sarifResultOf(d, &d.Findings[i], index))
	}
	return jsonText(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

// sarifRules returns a rule for each check that found something, and their places.
func sarifRules(d *Document) ([]sarifRule, map[string]int) {
	rules, index := []sarifRule{}, map[string]int{}
	byCheck := slices.SortedStableFunc(slices.Values(d.Findings), func(a, b Finding) int { return strings.Compare(a.Check, b.Check) })
	for i := range byCheck {
		f := &byCheck[i]
		if _, have := index[f.Check]; have {
			continue
		}
		index[f.Check] = len(rules)
		severity, score := f.Severity, f.Score
		for _, c := range d.Checks { // The rule has the usual severity, not that of one finding.
			if c.ID == f.Check {
				severity = c.Severity
			}
		}
		if score == 0 {
			score = [...]float64{0, 3, 5.5, 8, 9.5}[severity]
		}
		rule := sarifRule{
			ID: f.Check, Short: sarifText{Text: orText(f.Title, f.Check)}, Default: sarifLevel{sarifLevelOf(severity)},
			Help: sarifText{Text: orText(f.Remedy.Text, f.Title), Markdown: remedyMarkdown(f)},
			Properties: map[string]any{
				"tags": tags(f), "precision": "very-high", "problem.severity": map[string]string{"note": "recommendation", "warning": "warning", "error": "error"}[sarifLevelOf(severity)],
				"security-severity": strconv.FormatFloat(score, 'f', 1, 64), // A text, as code scanning wants it.
			},
		}
		if f.Describe != "" {
			rule.Full = &sarifText{Text: f.Describe}
		}
		rules = append(rules, rule)
	}
	return rules, index
}

func tags(f *Finding) []string {
	all := []string{"security"}
	if f.CWE > 0 {
		all = append(all, fmt.Sprintf("external/cwe/cwe-%03d", f.CWE))
	}
	if f.OWASP != "" {
		all = append(all, f.OWASP)
	}
	return all
}

func remedyMarkdown(f *Finding) string {
	text := orText(f.Remedy.Text, f.Title) + "\n"
	for _, s := range f.Remedy.Snippets() {
		text += "\n**" + s.Name + "**\n\n```\n" + s.Code + "\n```\n"
	}
	return text
}

// Snippet is code of a framework.
type Snippet struct{ Name, Code string }

// Snippets returns the code that there is.
func (r Remedy) Snippets() []Snippet {
	return slices.DeleteFunc([]Snippet{{"Fastness", r.Fastness}, {"FastAPI", r.FastAPI}, {"Express", r.Express}, {"Spring", r.Spring}}, func(s Snippet) bool { return s.Code == "" })
}

func sarifResultOf(d *Document, f *Finding, index map[string]int) sarifResult {
	message := orText(f.Claim, f.Title)
	if f.Control != "" {
		message += "\n\nSure because: " + f.Control
	}
	var curls []string
	for _, e := range f.Evidence {
		if e.Curl != "" {
			curls = append(curls, e.Says+": "+e.Curl)
		}
	}
	level := sarifLevelOf(f.Severity)
	if !f.Proven {
		level = "note"
	}
	out := sarifResult{
		Rule: f.Check, Index: index[f.Check], Level: level, Message: sarifText{Text: message},
		Fingerprints: map[string]string{"fastness/v1": f.Fingerprint},
		Properties:   map[string]any{"severity": f.Severity, "proven": f.Proven, "reproduce": orEmpty(curls)},
	}
	for _, p := range f.Places[:min(len(f.Places), 10)] { // Code scanning takes ten.
		out.Locations = append(out.Locations, d.sarifLocation(p))
	}
	if f.Suppressed != "" {
		out.Suppressions = []sarifSuppression{{"external", f.Suppressed}}
	}
	return out
}

func (d *Document) sarifLocation(p finding.Place) sarifLocation {
	at := sarifLocation{
		Physical: sarifPhysical{Artifact: sarifArtifact{URI: uri(orText(d.Document, d.Target))}},
		Logical:  []sarifLogical{{Name: orText(p.Method+" "+p.Path, "api"), FullName: orText(p.String(), "api"), Kind: "function"}},
	}
	line := 1
	for i := range d.Operations {
		if o := &d.Operations[i]; o.Method == p.Method && o.Path == p.Path && o.Line > 0 {
			line = o.Line
		}
	}
	at.Physical.Region = &sarifRegion{line}
	return at
}

// uri returns an address, or the name of a file, as a reference (RFC 3986).
func uri(name string) string {
	if u, err := url.Parse(name); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return u.String()
	}
	return (&url.URL{Path: strings.ReplaceAll(name, `\`, "/")}).String()
}

func orText(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}
