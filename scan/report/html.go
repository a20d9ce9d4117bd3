package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is what the template shows. The policy of the page allows its own style and nothing
// else: no script, no address, no form.
type page struct {
	Doc                         *Document
	CSS                         template.CSS
	Hash                        string
	Name, When, Took            string
	Users                       []string
	Score, Coverage             ring
	ScoreText, BarsText         string
	Bars                        []bar
	Notes                       []note
	Findings, Hints, Suppressed []shown
	OWASP                       []item
	Operations                  []row
}

type (
	ring struct {
		Class, Text, Small, Label string
		Length                    float64
	}
	bar struct {
		Class, Name string
		Y, Width, N int
	}
	note struct{ Class, Text string }
	// shown is a finding with the names of its places on the page.
	shown struct {
		*Finding
		Anchor      string
		Shown, Rest []finding.Place
		Mend        bool
	}
	item struct{ ID, Title, Class, Text string }
	row  struct {
		Method, Path, Found, Held, Word, Class, List string
		Answers                                      []Answer
		Checks                                       []string
		N                                            int
	}
)

func writeHTML(d *Document) ([]byte, error) {
	line := func(s string) string { return plain(s, false) }
	t, err := template.New("page").Funcs(template.FuncMap{
		"plain": line, "lines": func(s string) string { return plain(s, true) }, "body": bodyText,
		"state": func(s string) string { return map[string]string{"ran": "good", "failed": "bad"}[s] },
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pageCSS))
	p := &page{
		Doc: d, CSS: template.CSS(pageCSS), Hash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), //nolint:gosec // It is a file of this package.
		Name: line(orText(d.Title, "API")), When: d.Started.Format("2 January 2006, 15:04 MST"), Took: seconds(d.Seconds),
	}
	for _, u := range d.Users {
		p.Users = append(p.Users, describeUser(u))
	}
	p.charts(d)
	p.addNotes(d)
	counted, hints, suppressed := split(d.Findings)
	for i, f := range slices.Concat(counted, hints, suppressed) {
		s := shown{Finding: f, Anchor: strconv.Itoa(i + 1), Shown: f.Places[:min(len(f.Places), 8)], Rest: f.Places[min(len(f.Places), 8):]}
		s.Mend = f.Remedy.Text != "" || len(f.Remedy.Snippets()) > 0
		switch {
		case f.Suppressed != "":
			p.Suppressed = append(p.Suppressed, s)
		case !f.Proven:
			p.Hints = append(p.Hints, s)
		default:
			p.Findings = append(p.Findings, s)
		}
	}
	p.addOWASP(d)
	p.addOperations(d)
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// around is the length of a ring.
const around = 314.0

func (p *page) charts(d *Document) {
	m := d.Summary
	p.Score = ring{Class: "none", Text: "–", Label: "no score: nothing was reached"}
	p.ScoreText = "Nothing was reached: there is no score"
	if m.Grade != "" {
		class := map[string]string{"A": "good", "B": "good", "C": "medium", "D": "high", "F": "critical"}[m.Grade]
		p.Score = ring{class, m.Grade, fmt.Sprintf("%d / 100", m.Score), fmt.Sprintf("grade %s, %d of 100", m.Grade, m.Score), round(around*float64(m.Score)/100, 1)}
		worst, found := d.Worst()
		p.ScoreText = "No finding counts"
		if found {
			p.ScoreText = "The worst finding is " + worst.String()
		}
	}
	part := float64(m.Reached) / float64(max(m.Operations, 1))
	class := "good"
	if part < 0.8 {
		class = "medium"
	}
	if part < 0.5 {
		class = "critical"
	}
	p.Coverage = ring{class, percent(m.Reached, m.Operations), "", fmt.Sprintf("%d of %d operations reached", m.Reached, m.Operations), round(around*part, 1)}
	counts := [...]int{m.Critical, m.High, m.Medium, m.Low, m.Info}
	most := max(slices.Max(counts[:]), 1)
	var texts []string
	for i, n := range counts {
		name := finding.Severity(4 - i).String()
		p.Bars = append(p.Bars, bar{Class: name, Name: strings.ToUpper(name[:1]) + name[1:], Y: 4 + i*31, N: n, Width: 360 * n / most})
		texts = append(texts, fmt.Sprintf("%d %s", n, name))
	}
	p.BarsText = strings.Join(texts, ", ")
}

func (p *page) addNotes(d *Document) {
	if weak := d.Weak(); weak != "" {
		p.Notes = append(p.Notes, note{"bad", weak})
	}
	if d.Stopped != "" {
		p.Notes = append(p.Notes, note{"bad", "The scan ended early: " + plain(d.Stopped, false)})
	}
	for _, text := range d.Notes {
		p.Notes = append(p.Notes, note{"", plain(text, false)})
	}
}

// owaspItems of the OWASP API Security Top 10 2023.
var owaspItems = [...]string{
	"Broken Object Level Authorization", "Broken Authentication", "Broken Object Property Level Authorization", "Unrestricted Resource Consumption",
	"Broken Function Level Authorization", "Unrestricted Access to Sensitive Business Flows", "Server Side Request Forgery",
	"Security Misconfiguration", "Improper Inventory Management", "Unsafe Consumption of APIs",
}

func (p *page) addOWASP(d *Document) {
	for i, title := range owaspItems {
		id := fmt.Sprintf("API%d", i+1)
		of := func(s string) bool { return s == id+":2023" }
		ran, all, found := 0, 0, 0
		worst := finding.Info
		for _, c := range d.Checks {
			if of(c.OWASP) {
				all++
				if c.State == "ran" {
					ran++
				}
			}
		}
		for j := range d.Findings {
			if f := &d.Findings[j]; of(f.OWASP) && f.Counts() {
				found++
				worst = max(worst, f.Severity)
			}
		}
		it := item{ID: id, Title: title, Class: "good", Text: fmt.Sprintf("%d of %d checks ran, nothing was found", ran, all)}
		switch {
		case found > 0:
			it.Class, it.Text = worst.String(), fmt.Sprintf("%d of %d checks ran, %s, the worst %s", ran, all, count(found, "finding"), worst)
		case ran == 0:
			it.Class, it.Text = "none", "not checked"
		}
		p.OWASP = append(p.OWASP, it)
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (p *page) addOperations(d *Document) {
	for i := range d.Operations {
		o := &d.Operations[i]
		r := row{
			Method: plain(o.Method, false), Path: plain(o.Path, false), Found: plain(o.Found, false), Held: plain(o.Held, false),
			Word: o.Word(), Class: "medium", List: plain(strings.Join(o.Checks[:min(len(o.Checks), 12)], " "), false), Answers: o.Answers, Checks: o.Checks,
		}
		if len(o.Checks) > 12 {
			r.List += " …"
		}
		switch r.Word {
		case wordOK:
			r.Class = "good"
		case wordServerError:
			r.Class = "bad"
		case wordSkipped, wordHeld:
			r.Class = "none"
		}
		for j := range d.Findings {
			if f := &d.Findings[j]; f.Counts() && slices.ContainsFunc(f.Places, func(at finding.Place) bool { return at.Method == o.Method && at.Path == o.Path }) {
				r.N++
			}
		}
		p.Operations = append(p.Operations, r)
	}
}

// bodyText returns a body for people: JSON with its lines indented.
func bodyText(b Body, header []Field) string {
	text := b.Text
	if text == "" && b.Bytes > 0 {
		return fmt.Sprintf("(%d bytes that are no text)", b.Bytes)
	}
	var indented bytes.Buffer
	isJSON := slices.ContainsFunc(header, func(f Field) bool {
		return strings.EqualFold(f.Name, "Content-Type") && strings.Contains(f.Value, "json")
	})
	if isJSON && !b.Cut && json.Indent(&indented, []byte(text), "", "  ") == nil && indented.Len() < 4*maxBody {
		text = indented.String()
	}
	text = plain(text, true)
	if b.Cut {
		text += fmt.Sprintf("\n(cut; it has %d bytes)", b.Bytes)
	}
	return text
}
